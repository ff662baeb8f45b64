r"""Layers inside a record: escapes that decode in place, and blobs that hold text.

Escapes (%XX, \\u, \\x, entities, quoted-printable, backslashes of JSON in JSON) give a view whose
hits lead back to the characters that carry them. Of a blob (base64, hexadecimal) that decodes to
text with a hit inside, the whole blob goes.
"""

import binascii
import re
import zlib
from collections.abc import Callable

from proto.phi import dumps, folds
from proto.phi.escapes import ESCAPE, WHOLE, unescaped
from proto.phi.lexicon import NAMEY, SURE
from proto.phi.record import Found, Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind
from proto.phi.views import View, blank_tokens, fold_character

BLOB_BYTES_MAX = 1 << 18
PRINTABLE_MIN = 0.9
EQUALS, PLUS = ord("="), ord("+")
RUN_CHARS_MIN = 12
"""Four escapes in a row are none of a `key=value`."""

_BASE64 = Pattern(
    r"[A-Za-z0-9+/]{32,100}(?:\r?\n[A-Za-z0-9+/]{32,100})*\r?\n[A-Za-z0-9+/]{2,100}={0,2}"
    r"|[A-Za-z0-9+/_-]{16,}={0,2}|[A-Za-z0-9+/]{11,15}={1,2}"
)
"""In lines of one message too (RFC 2045, section 6.8)."""
_HEX = Pattern(
    r"(?:0x)?(?:[0-9A-Fa-f]{2}){8,}"
    r"|[0-9A-Fa-f]{2}(?:(?: [0-9A-Fa-f]{2}){7,}|(?::[0-9A-Fa-f]{2}){7,}|(?:,[0-9A-Fa-f]{2}){7,}|(?:-[0-9A-Fa-f]{2}){7,})\b"
    r"|[0-9A-Fa-f]{4}(?: [0-9A-Fa-f]{4}){3,}(?: [0-9A-Fa-f]{2})?\b|0x[0-9A-Fa-f]{2}(?:, ?0x[0-9A-Fa-f]{2}){5,}"
)
_DECIMAL = Pattern(r"\b[0-9]{2,3}(?:, ?[0-9]{2,3}){7,}\b")
"""The codes of characters, as a program prints bytes."""
_SPACED = Pattern(r"\b(?:[A-Za-z0-9](?: [-/.,:)(@] | |\.|_|-)){3,}[A-Za-z0-9]\b")
_PLUSSED = re.compile(
    rb"(?<![A-Za-z0-9+/])[0-9]{1,6}(?:\+[A-Za-z0-9.,#%-]{1,24}){2,8}(?![A-Za-z0-9+/])"
)
"""An address of a form of the web, whose blanks are plus signs."""

_SAID_QUOTED = b"QUOTED-PRINTABLE:"
_QUOTED = re.compile(rb"=(?:[2-7A-F][0-9A-F]|0[9AD]|\r?\n|$)")

IN_PLACE = frozenset({"escape", "marked", "quoted", "spaced"}) | folds.GATES
"""Forms of layers that decode in place, and so around a token."""

Look = Callable[[View], list[Found]]
Decode = Callable[[bytes], str | None]


def read(record: Record, look: Look) -> None:
    """Look into the layers of a record and note what carries a hit."""
    read_in_place(record, look)
    shapes = record.shapes
    if "hex" in shapes:
        dumps.read(record, look)
        _encoded(record, look, _HEX, _from_hex)
        _encoded(record, look, _DECIMAL, _from_decimal)
    if "blob" in shapes:
        _encoded(record, look, _BASE64, _from_base64)


def read_in_place(record: Record, look: Look) -> None:
    """Look into the layers that decode in place."""
    shapes = record.shapes
    quoted = "quoted" in shapes and is_quoted(record.data)
    if quoted or "escape" in shapes or "marked" in shapes:
        _escapes(record, look, quoted=quoted)
    if "spaced" in shapes:
        _spaced(record, look)
        dumps.read_dotted(record, look)
    if not folds.GATES.isdisjoint(shapes):
        folds.read(record, look)


def is_quoted(data: bytes) -> bool:
    """Whether a text is quoted-printable: it escapes every equals sign; keys and values do not."""
    if _SAID_QUOTED in data.upper():
        return True
    marks = data.count(b"=")
    return marks >= 2 and len(_QUOTED.findall(data)) == marks


def _escapes(record: Record, look: Look, *, quoted: bool) -> None:
    data = record.data
    kept: list[bytes] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    count = 0
    plussed = [match.span() for match in _PLUSSED.finditer(data)] if b"+" in data else []
    for spans in ESCAPE.each(data):
        start, end = spans[0]
        if data[start] == EQUALS and not (quoted or _stands_for_a_mark(data, start, end)):
            continue
        if data[start] == PLUS and not any(first < start < last for first, last in plussed):
            continue
        text = unescaped(data[start:end])
        if text is None:
            continue
        whole = WHOLE.match(data, start) is not None
        count += 1
        kept.append(data[at:start])
        starts.extend(range(at, start))
        ends.extend(range(at + 1, start + 1))
        folded = "".join(map(fold_character, text)).encode("ascii")
        kept.append(folded)
        size, step = len(folded), (end - start) / max(1, len(folded))
        starts.extend(start if whole else start + int(index * step) for index in range(size))
        ends.extend(end if whole else start + int((index + 1) * step) for index in range(size))
        if not folded and ends:
            ends[-1] = end
        at = end
    if not count:
        return
    kept.append(data[at:])
    starts.extend(range(at, len(data)))
    ends.extend(range(at + 1, len(data) + 1))
    decoded = blank_tokens(b"".join(kept))
    for start, end, kind, why in look(View(decoded, decoded.lower(), starts, ends)):
        if end > start and not _all_taken(record, start, end):
            record.hit(kind, *_aligned(data, start, end), f"{why}, once decoded")


def _all_taken(record: Record, start: int, end: int) -> bool:
    return record.taken is not None and record.taken.find(0, start, end) < 0


def _stands_for_a_mark(data: bytes, start: int, end: int) -> bool:
    """Whether an escape of quoted-printable is a word of a header, or a mark inside a value."""
    escape = data[start:end]
    if escape[:2] == b"=?" or (len(escape) >= RUN_CHARS_MIN and b"\n" not in escape):
        return True
    before, after = data[start - 1 : start], data[end : end + 1]
    if escape.endswith((b"\n", b"\\n")):
        return _goes_on_below(data, start, end)
    if escape[1:] in _MARKS_OF_NUMBERS and before.isdigit() and after.isdigit():
        return True
    return (
        escape[1:] in _MARKS_OF_NAMES and after.isalpha() and (before in b",." or before.isalnum())
    )


def _goes_on_below(data: bytes, start: int, end: int) -> bool:
    """Whether a line that ends in an equals sign is one that was cut, and no key without a value."""
    before = data[start - 1 : start]
    return (before.isalnum() or before in b"-._@+, ") and _NEXT_KEY.match(data, end) is None


_NEXT_KEY = re.compile(rb"[^A-Za-z0-9@. /-]|[A-Za-z_][A-Za-z0-9_.-]{0,40}[=:]|$")
_MARKS_OF_NAMES = frozenset({b"20", b"2C", b"2C=20", b"2D", b"2E", b"27", b"40"})
_MARKS_OF_NUMBERS = frozenset({b"2D", b"2E", b"2F", b"20"})


def _aligned(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Widen a span so that no escape is cut in two."""
    for back in range(1, 7):
        at = start - back
        if at < 0:
            break
        if data[at] == 37 and back <= 2 and end > start:
            start = at
            break
        if data[at] == 92:
            match = _BACKSLASH.match(data, at)
            if match is not None and match.end() > start:
                start = at
            break
    match = None
    for back in range(1, 7):
        at = end - back
        if at < start:
            break
        if data[at] in b"%\\&=":
            match = _WHOLE.match(data, at)
            if match is not None and match.end() > end:
                end = match.end()
            break
    return start, end


_BACKSLASH = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)")
_WHOLE = re.compile(
    rb"%[0-9a-fA-F]{2}|\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|&#?[0-9a-zA-Z]{1,8};|=[0-9A-F]{2}"
)


def _spaced(record: Record, look: Look) -> None:
    """Look at `J o h n   S m i t h` and `1 2 3 - 4 5` with the blanks taken out."""
    data = record.data
    kept: list[bytes] = []
    starts: list[int] = []
    at, count = 0, 0
    for spans in _SPACED.each(data):
        start, end = spans[0]
        if _goes_on(data, start, end):
            continue
        inner = [place for place in range(start, end) if data[place] not in _blanks_of(data, place)]
        if len(inner) < 4:
            continue
        count += 1
        kept.append(data[at:start])
        starts.extend(range(at, start))
        kept.append(bytes(data[place] for place in inner))
        starts.extend(inner)
        at = end
    if not count:
        return
    kept.append(data[at:])
    starts.extend(range(at, len(data)))
    packed = b"".join(kept)
    packed, starts = _single_blanks(packed, starts)
    ends = [place + 1 for place in starts]
    for start, end, kind, why in look(View(packed, packed.lower(), starts, ends)):
        if not _all_taken(record, start, end):
            record.hit(kind, start, end, f"{why}, once the blanks are out")


def _blanks_of(data: bytes, place: int) -> bytes:
    """Return what counts as a blank here: a full stop with a blank on each side is one itself."""
    return b" _" if data[place - 1 : place + 2] == b" . " else b" ._"


def _goes_on(data: bytes, start: int, end: int) -> bool:
    """Whether single digits are the end of a longer dotted number: `1.2.840.10008.5.1.4.1`."""
    return (
        data[start - 1 : start] == b"."
        and data[start - 2 : start - 1].isdigit()
        and not data[start:end].strip(b"0123456789.")
    )


def _single_blanks(packed: bytes, starts: list[int]) -> tuple[bytes, list[int]]:
    if b"  " not in packed:
        return packed, starts
    kept = [
        at for at in range(len(packed)) if not (packed[at] == 32 and at and packed[at - 1] == 32)
    ]
    return bytes(packed[at] for at in kept), [starts[at] for at in kept]


def _encoded(record: Record, look: Look, pattern: Pattern, decode: Decode) -> None:
    data = record.data
    for spans in pattern.each(data):
        start, end = spans[0]
        if end - start > BLOB_BYTES_MAX or _all_taken(record, start, end):
            continue
        text = decode(data[start:end])
        if text is None:
            continue
        folded = "".join(map(fold_character, text)).encode("ascii")
        inner = look(View(folded, folded.lower())) or _under_its_key(data, start, folded, look)
        if inner:
            kind = inner[0][2]
            record.hit(kind, start, end, f"holds, encoded: {inner[0][3]}")
        elif _people_in(record, folded):
            record.hit(Kind.BLOB, start, end, "holds, encoded, text about people")


_KEY = re.compile(
    rb"([\"']?[A-Za-z_][A-Za-z0-9_ .-]{1,40}[\"']?\s?[:=]\s?)[xX]?[\"'({]{0,2} ?(?:hex\([0-9a-f]\):)?\Z"
)
KEY_CHARS_MAX = 60


def _under_its_key(data: bytes, start: int, folded: bytes, look: Look) -> list[Found]:
    """Return what must go of decoded text where it is read behind the key that the blob has."""
    key = _KEY.search(data, max(0, start - KEY_CHARS_MAX), start)
    if key is None:
        return []
    whole = key[1] + folded
    return [found for found in look(View(whole, whole.lower())) if found[1] > len(key[1])]


def _people_in(record: Record, folded: bytes) -> bool:
    """Whether decoded text is a bare name: two words that weigh as names, or one beside people."""
    words = [word.strip(b",.") for word in folded.split()]
    if not 2 <= len(words) <= 4:
        return False
    flags = [record.lexicon.flags(word.lower()) for word in words if word.isalpha()]
    if sum(bool(flag & SURE) for flag in flags) > 1:
        return True
    named = any(flag & NAMEY for flag in flags)
    return named and record.person and all(map(bytes.istitle, words))


def _from_hex(blob: bytes) -> str | None:
    digits = blob.replace(b"0x", b"").translate(None, b" :,-")
    is_parted = len(digits) < len(blob)
    if len(digits) % 2 or (digits.isdigit() and len(digits) < 20 and not is_parted):
        return None
    return _as_text(_unpacked(bytes.fromhex(digits.decode())))


def _from_decimal(blob: bytes) -> str | None:
    codes = [int(code) for code in blob.split(b",")]
    return _as_text(bytes(codes)) if max(codes) < CODES else None


CODES = 256
_ASCII = bytes(range(128))
BEYOND_ASCII_MAX = 0.1
"""How much of a text in Latin-1 are letters that ASCII has not."""
LATIN_BYTES_MIN = 24
"""Shorter bytes may read as letters by chance."""
_STANDARD = bytes.maketrans(b"-_", b"+/")


def _from_base64(blob: bytes) -> str | None:
    body = blob.rstrip(b"=").translate(_STANDARD, b"\r\n")
    if len(body) % 4 == 1:
        body = body[:-1]
    if body.isalpha() and (body.islower() or body.isupper()):
        return None
    try:
        raw = binascii.a2b_base64(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return None
    return _as_text(_unpacked(raw))


def _unpacked(raw: bytes) -> bytes:
    """Return what gzip or zlib packed, and anything else as it is."""
    if raw[:2] != b"\x1f\x8b" and raw[:1] != b"\x78":
        return raw
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(raw, BLOB_BYTES_MAX)
    except zlib.error:
        return raw


def _as_text(raw: bytes) -> str | None:
    """Return decoded bytes as text if that is what they are: UTF-8, UTF-16 or Latin-1."""
    if len(raw) < 6:
        return None
    zeros = raw.count(0)
    if zeros * 3 > len(raw):
        order = "utf-16-le" if raw[1::2].count(0) >= raw[::2].count(0) else "utf-16-be"
        text = raw[: len(raw) // 2 * 2].decode(order, "replace")
    else:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return _in_latin_1(raw)
    text = text.rstrip("\0")  # as the registry ends its texts
    printable = sum(character.isprintable() or character in "\r\n\t" for character in text)
    return text if printable >= PRINTABLE_MIN * len(text) else None


def _in_latin_1(raw: bytes) -> str | None:
    """Return words in Latin-1, every one of whose bytes can be printed."""
    beyond = len(raw.translate(None, _ASCII))
    if len(raw) < LATIN_BYTES_MIN or b" " not in raw or beyond > len(raw) * BEYOND_ASCII_MAX:
        return None
    text = raw.decode("latin-1")
    return text if all(one.isprintable() or one in "\r\n\t" for one in text) else None
