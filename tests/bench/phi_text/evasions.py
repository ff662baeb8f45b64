"""Thirty-six ways in which a value gets past patterns: by people, by encoders, by terminals.

Each takes the value of one labelled span and its class and returns what stands in its place, or
None when it has nothing to do with that class. The new piece is labelled whole, because a blob that
holds somebody must go as a blob; where only a part of it is the value, that stands in guillemets.
"""

import base64
import gzip
import html
import json
import quopri
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from osiris.phi_measure import ADVERSARIAL, Line, Span

Evasion = Callable[[str, str], str | None]
NUMBERS = frozenset({"SSN", "PHONE", "DATE", "MRN"})
_SAID = {"NAME": "patient_name", "SSN": "ssn", "PHONE": "phone", "DATE": "dob", "MRN": "mrn"}
_CYRILLIC = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")  # noqa: RUF001 - the point


def _names(change: Callable[[str], str]) -> Evasion:
    return lambda value, label: change(value) if label == "NAME" else None


def _numbers(change: Callable[[str], str]) -> Evasion:
    return lambda value, label: change(value) if label in NUMBERS else None


def _all(change: Callable[[str], str]) -> Evasion:
    return lambda value, _label: change(value)


def _blob(encode: Callable[[str], str]) -> Evasion:
    """Encode the value together with its key, as a request body or a script has it."""
    return lambda value, label: encode(f"{_SAID.get(label, label.lower())}={value}")


def _b64(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


def _shift(value: str, *, digit: int, upper: int = 0, lower: int = 0) -> str:
    """Move ASCII digits and letters into another block of Unicode."""
    moved = []
    for letter in value:
        if letter.isascii() and letter.isdigit():
            moved.append(chr(digit + int(letter)))
        elif upper and letter.isascii() and letter.isupper():
            moved.append(chr(upper + ord(letter) - ord("A")))
        elif lower and letter.isascii() and letter.islower():
            moved.append(chr(lower + ord(letter) - ord("a")))
        else:
            moved.append(letter)
    return "".join(moved)


def _separated(value: str, mark: str) -> str:
    return mark.join(value)


def _coloured(value: str) -> str:
    middle = len(value) // 2
    return f"\x1b[1;31m«{value[:middle]}\x1b[0m\x1b[31m{value[middle:]}»\x1b[0m"


def _halves(value: str, form: str) -> str:
    middle = len(value) // 2
    return form.format(value[:middle], value[middle:])


EVASIONS: dict[str, Evasion] = {
    "upper case": _names(str.upper),
    "lower case": _names(str.lower),
    "look-alike letters": _names(lambda value: value.translate(_CYRILLIC)),
    "zero-width spaces": _all(lambda value: _separated(value, "\u200b")),
    "soft hyphens": _all(lambda value: _separated(value, "\u00ad")),
    "full-width characters": _all(
        lambda value: _shift(value, digit=0xFF10, upper=0xFF21, lower=0xFF41)
    ),
    "Arabic digits": _numbers(lambda value: _shift(value, digit=0x0660)),
    "odd hyphens and blanks": _all(
        lambda value: value.replace("-", "\u2011").replace(" ", "\u00a0")
    ),
    "percent": _all(lambda value: quote(value, safe="")),
    "percent twice": _all(lambda value: quote(quote(value, safe=""), safe="")),
    "percent of every byte": _all(lambda value: "".join(f"%{byte:02X}" for byte in value.encode())),
    "escapes of JSON": _all(
        lambda value: "".join(
            f"\\u{int.from_bytes(pair, 'big'):04x}"
            for pair in zip(*[iter(value.encode("utf-16-be"))] * 2, strict=True)
        )
    ),
    "entities": _all(lambda value: "".join(f"&#{ord(letter)};" for letter in value)),
    "named entities": _all(lambda value: html.escape(value).replace(" ", "&nbsp;")),
    "quoted-printable": _all(
        lambda value: (
            "".join(f"={byte:02X}" for byte in value.encode())
            if not value.isascii()
            else quopri.encodestring(value.encode(), quotetabs=True).decode().replace("-", "=2D")
        )
    ),
    "base64": _blob(_b64),
    "base64 for URLs": _blob(lambda text: base64.urlsafe_b64encode(text.encode()).decode()),
    "base64 of UTF-16": _blob(lambda text: _b64(text, "utf-16-le")),
    "hex": _blob(lambda text: text.encode().hex()),
    "encoded word of mail": _all(lambda value: f"=?utf-8?B?«{_b64(value)}»?="),
    "NUL after each character": _all(lambda value: _separated(value, "\0")),
    "colours of a terminal": _all(_coloured),
    "decomposed marks": _names(lambda value: unicodedata.normalize("NFD", value)),
    "blanks between digits": _numbers(lambda value: _separated(value, " ")),
    "bold letters of mathematics": _all(
        lambda value: _shift(value, digit=0x1D7CE, upper=0x1D400, lower=0x1D41A)
    ),
    "bytes in octal": _names(
        lambda value: "".join(
            letter if letter.isascii() else "".join(f"\\{byte:o}" for byte in letter.encode())
            for letter in value
        )
    ),
    "bytes in hexadecimal": _all(
        lambda value: "".join(f"\\x{byte:02x}" for byte in value.encode())
    ),
    "colours as text": _all(lambda value: _halves(value, "«{}\\033[0m\\033[31m{}»\\033[0m")),
    "texts put together": _all(lambda value: _halves(value, "'«{}' + '{}»'")),
    "texts put together in SQL": _all(lambda value: _halves(value, "'«{}' || '{}»'")),
    "a line that was cut": _all(lambda value: _halves(value, "{}=\n{}")),
    "hex with dashes": _blob(lambda text: text.encode().hex("-").upper()),
    "hex with commas": _blob(lambda text: text.encode().hex(",")),
    "packed": _blob(lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()),
    "defanged marks": lambda value, label: (
        value.replace("@", "[@]").replace(".", "[.]") if label == "EMAIL" else None
    ),
    "spelled marks": lambda value, label: (
        value.replace("@", " [at] ").replace(".", " (dot) ") if label == "EMAIL" else None
    ),
}


def evade(line: Line, name: str) -> Line | None:
    """Apply an evasion to every span of a line it concerns; None when it changes nothing."""
    change = EVASIONS[name]
    in_json = line.text.startswith("{")
    pieces: list[tuple[str, Span | None]] = []
    at, changed = 0, False
    for span in sorted(line.spans, key=lambda one: one.start):
        value = line.text[span.start : span.end]
        put = change(value, span.label)
        if put is not None and in_json and name != "escapes of JSON":
            put = json.dumps(put, ensure_ascii=False)[1:-1]
        changed |= put not in {None, value}
        pieces += [(line.text[at : span.start], None), (value if put is None else put, span)]
        at = span.end
    pieces.append((line.text[at:], None))
    return _joined(line, pieces, name) if changed else None


def _parted(piece: str) -> tuple[str, str, str]:
    """What stands before, in and after the guillemets; without any, all is inside."""
    if "«" not in piece:
        return "", piece, ""
    before, _, rest = piece.partition("«")
    inside, _, after = rest.partition("»")
    return before, inside, after


def _joined(line: Line, pieces: list[tuple[str, Span | None]], name: str) -> Line:
    text, spans = "", []
    for piece, span in pieces:
        before, inside, after = _parted(piece)
        text += before
        if span is not None:
            spans.append(Span(len(text), len(text) + len(inside), span.label))
        text += inside + after
    keep = [
        Span(at, at + fact.end - fact.start, fact.label)
        for fact in line.keep
        if (at := text.find(line.text[fact.start : fact.end])) >= 0
    ]
    ident = f"{line.id}-{name.replace(' ', '-')}"
    return replace(
        line, id=ident, group=ADVERSARIAL, text=text, spans=tuple(spans), keep=tuple(keep)
    )
