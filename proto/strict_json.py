"""Strict JSON and strict base64: bytes that can be read in one way only, or are refused.

Rules that `loads` keeps (TRUST.md, "Envelope: exact bytes"; I-JSON, RFC 7493, and more):

- UTF-8 decoded strictly, no byte order mark, no surrogate code points even when escaped;
- exactly one document, at most `size_bytes_max` long and `depth_max` deep;
- no member name twice in one object;
- no floats, no exponents, no NaN or Infinity, no -0; |int| <= 2^53 - 1.

The functions below it take a closed object apart: each names the place of what it refuses, as in
`body.target.site`, and compares types with `type() is`, because True == 1 in Python.
"""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from itertools import repeat
from typing import NoReturn, TypeVar

from proto.errors import MalformedError

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
"""What a strict document can hold."""

INT_MAX = 2**53 - 1
"""The largest integer every JSON reader keeps exactly (RFC 7493, section 2.2)."""

DEPTH_MAX = 16
"""How many arrays and objects may lie inside each other, the outermost counted."""

LIST_LENGTH_MAX = 4096
TEXT_LENGTH_MAX = 4096

_INT_DIGITS_MAX = len(str(INT_MAX))
_INT = re.compile(r"0|-?[1-9][0-9]*")
_BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

T = TypeVar("T")


def _refuse(where: str, what: str) -> NoReturn:
    msg = f"{where}: {what}"
    raise MalformedError(msg)


def loads(
    data: bytes, *, size_bytes_max: int, depth_max: int = DEPTH_MAX, where: str = "json"
) -> Json:
    """Read one strict JSON document.

    Args:
        data: the document's exact bytes.
        size_bytes_max: the most bytes that are looked at.
        depth_max: the deepest nesting that is accepted.
        where: what the document is called in error messages.

    Raises:
        MalformedError: a rule of this module is broken; the message begins with `where`.
    """
    if len(data) > size_bytes_max:
        _refuse(where, f"{len(data)} bytes, at most {size_bytes_max} are allowed")
    try:
        text = bytes(data).decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        _refuse(where, f"not UTF-8 at byte {error.start}")
    if text.startswith("\ufeff"):
        _refuse(where, "begins with a byte order mark")
    _bound_depth(text, depth_max=depth_max, where=where)
    return _decode(text, where)


def _bound_depth(text: str, *, depth_max: int, where: str) -> None:
    """Refuse deep nesting before the parser, which recurses, sees it."""
    if text.count("[") + text.count("{") <= depth_max:
        return
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        first = match[0][0]
        if first in "[{":
            depth += 1
            if depth > depth_max:
                _refuse(where, f"nested deeper than {depth_max} at character {match.start()}")
        elif first in "]}":
            depth -= 1


class _Refusal(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong; the place is put before it where it is known."""


def _integer(digits: str) -> int:
    if len(digits) < _INT_DIGITS_MAX and digits != "-0":
        return int(digits)  # the scanner passes only ASCII digits of JSON's own form
    if len(digits) > _INT_DIGITS_MAX + 1 or not _INT.fullmatch(digits):
        msg = f"number {digits[:20]} is not a plain integer in range"
        raise _Refusal(msg)
    number = int(digits)
    if abs(number) > INT_MAX:
        msg = f"number {digits} is beyond 2^53 - 1"
        raise _Refusal(msg)
    return number


def _no_float(digits: str) -> NoReturn:
    msg = f"number {digits[:20]} is not an integer"
    raise _Refusal(msg)


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        msg = f"member {_show(twice)} appears twice in one object"
        raise _Refusal(msg)
    return found


_OPENING = frozenset("{[")
_DECODER = json.JSONDecoder(
    parse_float=_no_float,
    parse_int=_integer,
    parse_constant=_no_float,
    object_pairs_hook=_members,
)
"""Made once: making it costs more than reading a small statement."""


def _decode(text: str, where: str) -> Json:
    try:
        value, end = _DECODER.raw_decode(text) if text[:1] in _OPENING else (None, -1)
        if end != len(text):
            # Space around it, which is allowed, or what is not: `decode` tells them apart.
            value = _DECODER.decode(text)
    except _Refusal as refusal:
        _refuse(where, str(refusal))
    except json.JSONDecodeError as error:
        _refuse(where, f"not JSON at character {error.pos}: {error.msg}")
    if "\\u" in text:
        _refuse_surrogates(value, where)
    return value


def _refuse_surrogates(value: Json, where: str) -> None:
    """Refuse an escaped half of a pair: such a string has no UTF-8 form. Depth is bounded."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            _refuse(where, "a string holds half of a surrogate pair")
    elif isinstance(value, list):
        for item in value:
            _refuse_surrogates(item, where)
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_surrogates(name, where)
            _refuse_surrogates(item, where)


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def dumps(value: object, *, where: str = "json") -> bytes:
    """Write a value as compact JSON that `loads` reads back: members sorted, UTF-8, no spaces.

    For bodies that we build. Never for verifying: verified bytes are kept as they came. Mappings
    and tuples are written as objects and arrays.

    Raises:
        MalformedError: the value holds a float, a number out of range, half of a surrogate pair, a
            member name that is not text, a type JSON has not, or is nested too deep. The message
            names the place and never shows the value.
    """
    plain = value if _is_plain(value, DEPTH_MAX) else _plain(value, where=where, depth=0)
    return _ENCODER.encode(plain).encode("utf-8")


def _is_plain(value: object, depth: int) -> bool:
    """Tell whether a value is JSON already: exact types, ASCII, numbers in range, shallow enough.

    Most of what we build is, and needs no copy; everything else is looked at with care.
    """
    if type(value) is str:
        return value.isascii()
    if type(value) is int:
        return -INT_MAX <= value <= INT_MAX
    inside = repeat(depth - 1)
    if type(value) is dict:
        is_named = depth > 0 and _are_names(value)
        return is_named and all(map(_is_plain, value.values(), inside))
    if type(value) is list:
        return depth > 0 and all(map(_is_plain, value, inside))
    return value is None or type(value) is bool


def _are_names(names: Mapping[str, object]) -> bool:
    is_text = {str}.issuperset(map(type, names))
    return (
        is_text
        and all(map(str.isascii, names))
        and max(map(len, names), default=0) <= TEXT_LENGTH_MAX
    )


def _plain(value: object, *, where: str, depth: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if _SURROGATE.search(value):
            _refuse(where, "a string holds half of a surrogate pair")
        return str(value)
    if isinstance(value, int):
        if abs(value) > INT_MAX:
            _refuse(where, "a number beyond 2^53 - 1")
        return int(value)
    return _plain_container(value, where=where, depth=depth + 1)


def _plain_container(value: object, *, where: str, depth: int) -> Json:
    if depth > DEPTH_MAX:
        _refuse(where, f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, (list, tuple)):
        return [
            _plain(item, where=f"{where}[{index}]", depth=depth) for index, item in enumerate(value)
        ]
    if isinstance(value, Mapping):
        return {
            text(name, f"{where} (a member's name)"): _plain(
                item, where=f"{where}.{name}", depth=depth
            )
            for name, item in value.items()
        }
    _refuse(where, f"a {type(value).__name__} has no JSON form")


def _show(value: object) -> str:
    """Return at most 40 characters of a value, printable, for an error message."""
    return f"{value!a:.40}"


def members(
    value: object, where: str, *, required: Collection[str], optional: Collection[str] = ()
) -> dict[str, Json]:
    """Return `value` as an object that has all required members and no unlisted one.

    Raises:
        MalformedError: naming the first missing or unknown member by its path.
    """
    if type(value) is not dict:
        _refuse(where, f"must be an object, not {_kind(value)}")
    for name in required:
        if name not in value:
            _refuse(f"{where}.{name}", "is missing")
    for name in value:
        if name not in required and name not in optional:
            _refuse(where, f"unknown member {_show(name)}")
    return value


def text(
    value: object,
    where: str,
    *,
    length_max: int = TEXT_LENGTH_MAX,
    pattern: re.Pattern[str] | None = None,
) -> str:
    """Return `value` as text of at most `length_max` characters that `pattern` matches in full."""
    if type(value) is not str:
        _refuse(where, f"must be text, not {_kind(value)}")
    if len(value) > length_max:
        _refuse(where, f"is {len(value)} characters long, at most {length_max} are allowed")
    if pattern is not None and pattern.fullmatch(value) is None:
        _refuse(where, f"{_show(value)} does not have the form {pattern.pattern}")
    return value


def choice(value: object, where: str, *, among: Collection[str]) -> str:
    """Return `value` as one of the texts in `among`."""
    found = text(value, where)
    if found not in among:
        _refuse(where, f"{_show(found)} is none of {', '.join(sorted(among))}")
    return found


def integer(value: object, where: str, *, low: int = 0, high: int = INT_MAX) -> int:
    """Return `value` as an integer with low <= value <= high; true and false are not integers."""
    if type(value) is not int:
        _refuse(where, f"must be an integer, not {_kind(value)}")
    if not low <= value <= high:
        _refuse(where, f"{value} is not between {low} and {high}")
    return value


def boolean(value: object, where: str) -> bool:
    """Return `value` as true or false; 0 and 1 are refused."""
    if type(value) is not bool:
        _refuse(where, f"must be true or false, not {_kind(value)}")
    return value


def items(
    value: object,
    where: str,
    *,
    each: Callable[[Json, str], T],
    low: int = 0,
    high: int = LIST_LENGTH_MAX,
) -> tuple[T, ...]:
    """Return an array of low to high items, each read by `each(item, its path)`."""
    if type(value) is not list:
        _refuse(where, f"must be an array, not {_kind(value)}")
    if not low <= len(value) <= high:
        _refuse(where, f"has {len(value)} items, between {low} and {high} are allowed")
    return tuple(each(item, f"{where}[{index}]") for index, item in enumerate(value))


def b64_decode(
    value: object, where: str, *, length: int | None = None, size_bytes_max: int = 65536
) -> bytes:
    """Return the bytes of strict base64: standard alphabet, padded, re-encoding to itself.

    Args:
        value: the text.
        where: its place, for error messages.
        length: the exact number of bytes there must be, when it is known.
        size_bytes_max: the most bytes accepted otherwise.
    """
    encoded = text(value, where, length_max=(size_bytes_max + 2) // 3 * 4)
    try:
        raw = binascii.a2b_base64(encoded.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        _refuse(where, "is not base64")
    if b64_encode(raw) != encoded:
        _refuse(where, "is base64 that does not re-encode to itself")
    if length is not None and len(raw) != length:
        _refuse(where, f"is {len(raw)} bytes long, it must be {length}")
    if len(raw) > size_bytes_max:
        _refuse(where, f"is {len(raw)} bytes long, at most {size_bytes_max} are allowed")
    return raw


def b64_encode(raw: bytes) -> str:
    """Return standard, padded base64 (RFC 4648, section 4)."""
    return base64.b64encode(raw).decode("ascii")


def hex_decode(value: object, where: str, *, length: int) -> bytes:
    """Return the bytes of lower-case hexadecimal text that stands for exactly `length` bytes."""
    found = text(value, where, length_max=2 * length)
    raw = bytes.fromhex(found) if _HEX.fullmatch(found) else b""
    if len(found) != 2 * length or len(raw) != length:
        _refuse(where, f"{_show(found)} is not {2 * length} lower-case hexadecimal digits")
    return raw


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "text", int: "an integer", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
