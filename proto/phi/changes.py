"""Keys and values that formats keep apart: audit trails, forms, lists of named values.

Audit trails say a field's name first and its old and new value after: `{"field":"ssn","old":"…"}`,
`phone changed from '…' to '…'`. Property lists and lists of named values give the key in an element
or member of its own, forms of the web a line before.
"""

import re
from collections.abc import Callable

from proto.phi.lexicon import TELLS
from proto.phi.pairs import take
from proto.phi.record import Record
from proto.phi.scan import Pattern

VALUES_MAX = 8
SIDES_BYTES_MAX = 160

_NAMED = Pattern(
    r"(?i)\\{0,3}[\"'](?:path|pointer|field|fieldname|field_name|column|columnname|column_name|attribute|attr|property|propertyname|prop|key|name|item|element|label|question|param|parameter)\\{0,3}[\"'] ?: ?\\{0,3}[\"']((?:/|\$\.)?[A-Za-z][A-Za-z0-9_. /-]{1,40})\\{0,3}[\"']([^{}\[\]]{1,300})"
)
_MEMBER = re.compile(
    rb"(?i)[\"'](?:old|new|from|to|before|after|was|now|prev|previous|current|value|val|text|answer|data|content|original|updated|oldvalue|newvalue|old_value|new_value|old value|new value|original_?value|current_?value|string_?value|valuestring|left|right|expected|actual|got|input|received|provided|submitted|supplied|raw|rejected|rejected_?value|invalid_?value|attempted_?value)\\{0,3}[\"'] ?: ?(?:\\{0,3}[\"']([^\"'\\\n\x01]{1,200})|([0-9]{3,12}))"
)
_BEHIND = Pattern(
    r"(?i)[\"'](?:value|val|text|answer|old|new)[\"'] ?: ?[\"']([^\"'\n\x01]{1,200})[\"'] ?, ?[\"'](?:field|column|attribute|property|key|name|label|question|param)[\"'] ?: ?[\"']([A-Za-z][A-Za-z0-9_. -]{1,40})[\"']"
)
_COLUMN_BEHIND = Pattern(
    r"(?i)\b(?:value|string|data|input|text|literal|for) [\"'`]([^\"'`\n\x01]{1,80})[\"'`][,;:.)]{0,2} [^\"'`\n]{0,47}?\b(?:column|field|property|attribute|parameter|key) [\"'`\[]?([A-Za-z_][A-Za-z0-9_.]{1,40})"
)
_COLUMN_AHEAD = Pattern(
    r"(?i)\b(?:column|field|property|attribute|parameter) [\"'`(\[]?([A-Za-z_][A-Za-z0-9_.]{1,40})[\"'`)\]]?[^\"'`\n=]{0,32}?(?:value|string|data|input|was|got|=)[: ]{1,2}[\"'`]([^\"'`\n\x01]{1,80})[\"'`]"
)
_ELEMENTS = Pattern(
    r"(?i)<(?:[a-z]+:)?(?:key|name|field|fieldname|column|columnname|property|attribute|label|param|th|dt|string)\b[^<>]{0,80}>\s{0,20}([A-Za-z][A-Za-z0-9_. -]{1,40}):?\s{0,20}</[^<>]{1,40}>((?:\s{0,20}<[^<>]{1,80}>[^<>]{0,200}</[^<>]{1,40}>){1,3})"
)
_TEXT = re.compile(rb">\s{0,20}([^<>\n]{1,200}?)\s{0,20}</")
_FROM = r"(?:\bfrom |old[ _]?(?:value)?[=: ]{1,2}|before[=: ]{1,2}|was[=: ]{1,2}|prev(?:ious)?[=: ]{1,2})"
_WAS = re.compile(rf"(?i){_FROM}".encode())
_CHANGED = Pattern(
    rf"(?i)([A-Za-z][A-Za-z0-9_.]{{1,40}}(?: [A-Za-z]{{2,12}}){{0,2}}?)[\"'`]?(?:,|:)? ?(?:was |were |has been |is )?(?:changed |updated |modified |edited |corrected |switched |set |moved )?(?::? ?{_FROM})(.{{1,{SIDES_BYTES_MAX}}})"
)
_SIDES = re.compile(
    rb"(?i)^(?:([\"'`\[(<])([^\"'`\]\n)>]{1,80})[\"'`\])>]|([^\s,;\"'\[(<][^,;\"'\n]{0,60}?))[,;]? {0,2}(?:(?<![A-Za-z])(?:to|new[ _]?(?:value)?|after|now|is now|by|into)(?![A-Za-z])|->|=>|-->|~)[=: ]{0,2} ?(?:[\"'`\[(<]([^\"'`\]\n)>]{1,80})|([^\s,;\"'\n][^,;\"'\n]{0,60}?(?= (?:by|at|on|for|in|via) [A-Za-z0-9]|[,;\"'\n]|$)|[^\s,;\"'\n][^,;\"'\n]{0,60}))"
)
_ARROWS = (b"->", b"=>", b"~>")
_ARROW = Pattern(
    r"([A-Za-z][A-Za-z0-9_.]{1,40}(?: [A-Za-z]{2,12})?)[\"']?\s?[:=]?\s?[\"'\[(]([^\"'\n\])]{1,80})[\"'\])]\s?(?:->|=>|-->|~>)\s?[\"'\[(]([^\"'\n\])]{1,80})[\"'\])]"
)
_FORM = Pattern(
    r"(?i)\bname=\\?[\"']([A-Za-z][A-Za-z0-9_.\[\]-]{1,60})\\?[\"'](?:\r?\n|\\r\\n|\\n){2}([^\r\n\\]{1,200})"
)
GATED = (
    ("member", (_NAMED, _BEHIND)),
    ("listed", (_ELEMENTS,)),
    ("changed", (_CHANGED, _ARROW)),
    ("column", (_COLUMN_BEHIND,)),
    ("column_ahead", (_COLUMN_AHEAD,)),
    ("form", (_FORM,)),
)
"""Each gate with the patterns that are tried only when it is lit."""
_KEY_WORDS = re.compile(rb"[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)?$")


def read(record: Record) -> None:
    """Find the values whose key stands a member, an element or a verb away."""
    if not record.every & TELLS:
        return
    shapes = record.shapes
    for gate, look in _READERS:
        if gate in shapes:
            look(record)


def _tell(record: Record, key: tuple[int, int], values: list[tuple[int, int]]) -> None:
    told = record.lexicon.policy.keys.told(record.data[slice(*key)])
    if told is None or record.covered(*key):
        return
    for start, end in values[:VALUES_MAX]:
        if not record.covered(start, end):
            take(record, told, start, end)


def _members(record: Record) -> None:
    data = record.data
    for spans in _NAMED.each(data):
        values = [
            match.span(1 if match[1] is not None else 2)
            for match in _MEMBER.finditer(data, *spans[2])
        ]
        _tell(record, spans[1], values)
    for spans in _BEHIND.each(data):
        _tell(record, spans[2], [spans[1]])


def _elements(record: Record) -> None:
    for spans in _ELEMENTS.each(record.data):
        texts = [match.span(1) for match in _TEXT.finditer(record.data, *spans[2])]
        _tell(record, spans[1], texts)


def _changes(record: Record) -> None:
    data = record.data
    for spans in _CHANGED.each(data) if has_sides(data) else ():
        match = _SIDES.match(data[slice(*spans[2])])
        if match is None:
            continue
        at = spans[2][0]
        sides = [
            (at + match.start(group), at + match.end(group))
            for group in (2, 3, 4, 5)
            if match[group] is not None
        ]
        _tell(record, _last_words(record, spans[1]), sides)
    for spans in _ARROW.each(data) if any(map(data.__contains__, _ARROWS)) else ():
        _tell(record, _last_words(record, spans[1]), [spans[2], spans[3]])


def has_sides(data: bytes) -> bool:
    """Whether two sides stand behind any word for the first: told faster than by all of it."""
    for was in _WAS.finditer(data):
        start = was.end()
        newline = data.find(b"\n", start, start + SIDES_BYTES_MAX)
        stop = newline if newline >= 0 else start + SIDES_BYTES_MAX
        if _SIDES.match(data[start:stop]) is not None:
            return True
    return False


def _last_words(record: Record, key: tuple[int, int]) -> tuple[int, int]:
    """Return the shortest end of a run of words that tells something, else all of it."""
    start, end = key
    data, told = record.data, record.lexicon.policy.keys.told
    place = data.rfind(b" ", start, end)
    while place > start:
        if told(data[place + 1 : end]) is not None:
            return place + 1, end
        place = data.rfind(b" ", start, place)
    return key


def _columns_behind(record: Record) -> None:
    for spans in _COLUMN_BEHIND.each(record.data):
        _tell(record, spans[2], [spans[1]])


def _columns_ahead(record: Record) -> None:
    for spans in _COLUMN_AHEAD.each(record.data):
        _tell(record, spans[1], [spans[2]])


def _forms(record: Record) -> None:
    for spans in _FORM.each(record.data):
        _tell(record, spans[1], [spans[2]])


_READERS: tuple[tuple[str, Callable[[Record], None]], ...] = (
    ("member", _members),
    ("listed", _elements),
    ("changed", _changes),
    ("column", _columns_behind),
    ("column_ahead", _columns_ahead),
    ("form", _forms),
)
