"""What is called as people are and is none: rooms, programs, guidelines, verbs that begin a clause.

`Rose Room label printer`, `Grace FHIR Server`, `per ADA guideline`, `Mark set;`: what stands behind
the word tells it. A cue for people before the words counts more: it is read elsewhere.
"""

import re

from proto.phi.lexicon import NAMEY, WORD
from proto.phi.people import word_flags
from proto.phi.record import Record

_EQUIPMENT = (
    rb" (?:[a-z-]{2,14} ){0,2}(?:APs?|UPS|IDF|MDF|NVR|VLAN|SSID|access points?|switch(?:es)?|servers?|printers?"
    rb"|phones?|cameras?|kiosks?|firewalls?|routers?|workstations?|readers?|projectors?|racks?|closets?|panels?"
    rb"|intercoms?|scanners?|uplinks?|cabling|subnet)(?![A-Za-z])"
)
_PLACES = rb"(?:Wing|Hall|Ward|Tower|House|Court|Lounge|Office|Lab|Desk|Center|Floor|Unit|Clinic)"
_PLACE_BEHIND = re.compile(
    rb" (?:Room|Huddle|Lobby|Building|Suite|Annex|Atrium|Pavilion|Auditorium|Corridor|Campus)(?![A-Za-z]| ?#?[0-9])"
    rb"| " + _PLACES + _EQUIPMENT
)
"""Where equipment stands; a room with a number may be told of whoever lies in it."""
_PLACE_ITSELF = re.compile(_PLACES + _EQUIPMENT)
_PROGRAMS = (
    rb"(?:Server|Gateway|Engine|Platform|Portal|Proxy|Daemon|Broker|Router|Toolkit|Database|Connector|Adapter"
    rb"|Viewer|Cluster|Controller|Console|Firewall|Listener|Module|Plugin|Scheduler|Software|Systems?|Service)"
)
_PROGRAM_BEHIND = re.compile(rb"((?: [A-Z][A-Za-z0-9]{1,15}){0,2}) " + _PROGRAMS + rb"(?![A-Za-z])")
_PROGRAM = re.compile(rb"[A-Z][A-Za-z]{1,20}(?: [A-Z][A-Za-z0-9]{1,15}){0,2} " + _PROGRAMS + rb"\Z")
_NOUN_BEHIND = re.compile(
    rb" (?:theme|hash|algorithm|scheduler|kernel|engine|plugin|protocol|library|framework|codec|compiler|font"
    rb"|shader|mode|table|queue|cluster|node|daemon|gateway|firmware|firewall|guid(?:elines?|ance)|criteria|standards?"
    rb"|formula|equation|scale|classification|switch|Gothic|Sans|Serif|MT(?= (?:Condensed|Black|Std|Pro|Extra))|ITC|BT|Condensed|Titling|Oldstyle|Semi[Bb]old|Monospaced"
    rb"|Italic|Oblique|Old (?:Face|Style|English))(?![A-Za-z-])"
)
"""Things, rules that are called after whoever found them or after a society, and typefaces."""
_GRANT = re.compile(
    rb"GRANT (?:SELECT|INSERT|UPDATE|DELETE|EXECUTE|ALL|USAGE|CONNECT|CREATE)(?![A-Za-z])"
)
_VERBS = frozenset({b"Mark", b"Grant", b"MARK", b"GRANT"})
_DONE_BEHIND = re.compile(
    rb" (?:set|unset|reset|[a-z]{2,10}ed)(?:[.;,]|$|\n| (?:for|to|on|by) (?:role|user|group|table|schema|login)\b)"
)
"""What is done with a mark or a grant, and the clause ends."""
_CALLED = re.compile(
    rb"(?i)(?:^|[^a-z])(?:plug-?in|add-?on|theme|module|skin|font|dashboard|widget|layout|library|component|ssid|firmware|codec|package)[:=]? ?[\"']\Z"
)
CALLED_CHARS_MAX = 14


def is_program(value: bytes) -> bool:
    """Whether a whole value is what a program is called: `Frost Clinical Gateway`."""
    return _PROGRAM.match(value) is not None


def is_namesake(record: Record, start: int, end: int) -> bool:
    """Whether a word, or a pair of them, that could be a name is called like one only."""
    data = record.data
    if data[start - 1 : start] in _QUOTES and _is_called(data, start):
        return True
    if data[end : end + 1] != b" ":
        return False
    if _PLACE_BEHIND.match(data, end) or _NOUN_BEHIND.match(data, end):
        return True
    if _GRANT.match(data, start) is not None:
        return True
    if data[start:end] in _VERBS and _DONE_BEHIND.match(data, end) is not None:
        return True
    if _PLACE_ITSELF.match(data, data.rfind(b" ", start, end) + 1 or start):
        return True
    program = _PROGRAM_BEHIND.match(data, end)
    return program is not None and all(
        word.isupper() or ((flags := word_flags(record, word)) & WORD and not flags & NAMEY)
        for word in program[1].split()
    )


def _is_called(data: bytes, start: int) -> bool:
    """Whether a word for a part of a program introduces what is quoted: `plugin 'Perio Pro'`."""
    return _CALLED.search(data, max(0, start - CALLED_CHARS_MAX), start) is not None


_QUOTES = frozenset({b"'", b'"'})
