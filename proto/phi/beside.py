"""What stands in the field beside a name: `Newman, Ann|MR0104032`, `ID:64279580 Name: …`."""

import re

from proto.phi.record import Record, digits
from proto.phi.values import Kind

_FIELD = re.compile(
    rb"\.?[ ]{0,3}([|;,\t(\[{/#]|\^| - )[ ]{0,3}#?(?:\"|')?([A-Za-z]{0,4}[0-9][A-Za-z0-9/.-]{3,24})"
    rb"(?=[|;,\t)\]}/\"' \n_]|$)"
)
_FIELD_BEFORE = re.compile(
    rb"(?:^|[|;,\t(\[ \"'])([A-Za-z]{0,3}[0-9][A-Za-z0-9/.-]{4,24})(?:\"|')?[ ]{0,3}[|;,\t()\]][ ]{0,3}(?:\"|')?$"
)
_CALLED_BEFORE = re.compile(
    rb"(?i)(?:^|[^a-z0-9])(?:id|no|num|nr|pid|chart|pt|patient|survivor|retired|source|target|keep|kept|drop|winner|loser|master|dupe?|into|#)"
    rb"(?:[\"']?[:=# ]{1,2}[\"']?|#?)([0-9]{6,12})[\"']?[ ,;|/(-]{1,3}(?:[\"']?(?:name|patient|pt|full_?name|display_?name)[\"']?[:= ]{1,2})?[\"'(]?\Z"
)
_CALLED_AFTER = re.compile(
    rb"(?i)[\"')]?[ ,;|/(-]{1,3}[\"']?(?:id|no|num|nr|pid|chart|pt|#)[\"']?[:=# ]{1,3}[\"']?([0-9]{5,12})(?![0-9A-Za-z.:])"
)
_MACHINE_FIELD = re.compile(rb"\d{1,3}(?:\.\d{1,3}){2,3}$|\d{1,2}:\d{2}")
_QUOTES = frozenset({b"'", b'"'})


def read(record: Record) -> None:
    """Take identifiers and days that stand in the field beside a name: `Newman, Ann|MR0104032`."""
    data = record.data
    for start, end, kind, _ in list(record.found):
        if kind is not Kind.NAME:
            continue
        for called in (
            _CALLED_BEFORE.search(data, max(0, start - 60), start),
            _CALLED_AFTER.match(data, end, min(len(data), end + 40)),
        ):
            if called is not None and not record.covered(*called.span(1)):
                record.hit(Kind.MRN, *called.span(1), "a number beside a name")
        place = end
        for _ in range(3):
            while data[place : place + 1] in _QUOTES:
                place += 1
            match = _FIELD.match(data, place, min(len(data), place + 40))
            if match is None or _MACHINE_FIELD.match(match[2]) or digits(match[2]) < 4:
                break
            record.hit(Kind.MRN, match.start(2), match.end(2), "the field beside a name")
            place = match.end(2)
        before = _FIELD_BEFORE.search(data, max(0, start - 40), start)
        if (
            before is not None
            and not _MACHINE_FIELD.match(before[1])
            and digits(before[1]) >= 5
            and b":" not in before[1]
        ):
            record.hit(Kind.MRN, before.start(1), before.end(1), "the field beside a name")
