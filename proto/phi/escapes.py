r"""Escapes that decode in place, and what each stands for.

URLs (`%41`, `%u0041`), JSON and programs (`\u0041`, `\u{41}`, `\U00000041`, `\x41`, `\101`), HTML and
XML (`&#65;`, `_x0041_`), mail (`=41`, `=?utf-8?B?..?=`), RTF (`\'41`), LDAP (`\2C`), calls
(`CHR(65)||CHR(66)`), shells (`\ `), terminals (`\033[1m`, `^[[0m`), and the seams of texts that a
program puts together.
"""

import binascii
import html
import re
from collections.abc import Callable

from proto.phi.scan import Pattern

_COLOUR = r"(?:\^\[|\\{1,4}(?:u00|x)1[bB]|\\{1,3}033|\\{1,3}e)\[[0-9;]{0,16}[A-Za-z]"
_WORD = r"=\?[A-Za-z0-9_-]{2,24}\?[BbQq]\?[^? \r\n]{1,512}\?="
_PERCENT = r"(?:%u[0-9a-fA-F]{4})+|(?:%[0-9a-fA-F]{2})+"
_UNICODE = (
    r"(?:\\{1,4}u\{[0-9a-fA-F]{1,6}\})+|(?:\\{1,4}U[0-9a-fA-F]{8})+|(?:\\{1,4}u[0-9a-fA-F]{4})+"
    r"|(?:\\{1,4}x[0-9a-fA-F]{2})+"
)
_ENTITY = (
    r"(?:&#[0-9]{1,7};|&#[xX][0-9a-fA-F]{1,6};|&[a-zA-Z]{2,8};|&#0[0-9]{1,6})"
    r"|(?:_x[0-9a-fA-F]{4}_)+"
)
_QUOTED = r"(?:=[0-9A-F]{2})+|=(?:\r?\n|(?:\\{1,2}r)?\\{1,2}n)"
_OCTAL = r"(?:\\[23][0-7]{2}){2,}|(?:\\[0-3][0-7]{2}){3,}"
_RTF = r"(?:\\'[0-9a-f]{2})+"
_LDAP = r"(?:\\2[cC0])+"
_CALLS = (
    r"(?i:(?:(?:n?char|unichr|chrw?)\( ?[0-9]{2,3} ?\) ?(?:\|\||[+&.,])? ?){4,}"
    r"|(?:\[char\] ?(?:0x[0-9a-f]{2}|[0-9]{2,3}) ?\+? ?){4,})"
)
_SLASHED = r"\\{1,3}[\"'/nrt]|\\[ ,()&;@]|\\0|\\\r?\n"
_SEAM = r"[\"'] ?(?:\+|\|\|) ?[\"']|\+"

ESCAPE = Pattern(
    f"{_COLOUR}|{_WORD}|{_PERCENT}|{_UNICODE}|{_ENTITY}|{_QUOTED}|{_OCTAL}|{_RTF}|{_LDAP}|{_CALLS}"
    f"|{_SLASHED}|{_SEAM}"
)
"""An escape, or a run of one kind of them."""

WHOLE = re.compile(rb"=\?|\\{1,4}u\{|(?i:n?char|unichr|chr|\[char)")
"""What begins a run whose pieces are of several lengths: a hit inside takes all of it."""

_MARKS = {b'"': '"', b"'": "'", b"/": "/", b"n": "\n", b"r": "\r", b"t": "\t"}
_NUMBERS = re.compile(rb"(?i)0x([0-9a-f]{2})|([0-9]{2,3})")
_UNITS = re.compile(rb"u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})")
_FOURS = re.compile(rb"[ux]([0-9a-fA-F]{4})")
_TWOS = re.compile(rb"[x'%=\\]([0-9a-fA-F]{2})")
_THREES = re.compile(rb"\\([0-7]{3})")
_CODE_MAX = 0x10FFFF


def unescaped(escape: bytes) -> str | None:
    """Return what an escape, or a run of one kind of them, stands for; None for nothing known."""
    for form, decode in _DECODERS:
        if form.match(escape) is not None:
            return decode(escape)
    return None


def _bytes_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _twos(escape: bytes) -> str:
    return _bytes_of(bytes(int(two, 16) for two in _TWOS.findall(escape)))


def _threes(escape: bytes) -> str:
    return _bytes_of(bytes(int(three, 8) for three in _THREES.findall(escape)))


def _fours(escape: bytes) -> str:
    units = b"".join(int(four, 16).to_bytes(2, "big") for four in _FOURS.findall(escape))
    return units.decode("utf-16-be", "replace")


def _codes(escape: bytes) -> str:
    codes = (int(one or two, 16) for one, two in _UNITS.findall(escape))
    return "".join(chr(code) for code in codes if code <= _CODE_MAX)


def _calls(escape: bytes) -> str:
    return "".join(chr(int(x, 16) if x else int(n)) for x, n in _NUMBERS.findall(escape))


def _entity(escape: bytes) -> str | None:
    text = html.unescape(escape.decode())
    return text if len(text) == 1 else None


def _mark(escape: bytes) -> str:
    body = escape.lstrip(b"\\")
    return _MARKS.get(body, body.decode())


def _header_word(word: bytes) -> str | None:
    """Return what an encoded word of a mail's header stands for (RFC 2047)."""
    _, charset, encoding, text, _ = word.split(b"?")
    if encoding in b"bB":
        try:
            raw = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            return None
    else:
        raw = binascii.a2b_qp(text, header=True)
    try:
        return raw.decode(charset.decode("ascii"))
    except (LookupError, UnicodeDecodeError):
        return raw.decode("utf-8", "replace")


def _nothing(_: bytes) -> str:
    return ""


def _blank(_: bytes) -> str:
    return " "


_DECODERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], str | None]], ...] = tuple(
    (re.compile(form), decode)
    for form, decode in (
        (rb"\^\[|\\+[a-z0-9]{1,6}\[", _nothing),  # a colour of a terminal
        (rb"=\?", _header_word),
        (rb"%u|\\+u[0-9a-fA-F]|_x", _fours),
        (rb"\\+(?:u\{|U)", _codes),
        (rb"%|=[0-9A-F]|\\+x[0-9a-fA-F]{2}(?!\[)|\\'[0-9a-f]{2}|\\2[cC0](?![0-7])", _twos),
        (rb"(?i:n?char|unichr|chr|\[char)", _calls),
        (rb"&", _entity),
        (rb"\\[0-3][0-7]{2}", _threes),
        (rb"[=\"']|\\0|\\\r?\n", _nothing),  # a line that was cut, texts put together
        (rb"\+", _blank),
        (rb"\\", _mark),
    )
)
"""By what it begins with; the first that fits."""
