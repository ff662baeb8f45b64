"""What of an answer leaves, and in which words: scrubbed once, before it is committed to.

Numbers, yes and no, and the values of a closed list that came with the signed content leave as they
are. Text that a device printed goes through the scrubber: all the text of one answer as one record,
with the names of its fields, because a name beside another, or beside its key, is more of a name.
"""

from collections.abc import Mapping

from appliance.core.records import Seen, Told, ToldSide
from appliance.handlers.scrubber import Source
from appliance.handlers.work import Work
from proto import strict_json
from proto.catalog.model import AnswerField, FieldKind
from proto.evidence import DETAIL_BYTES_MAX, detail_of
from proto.findings import Finding, Scalar
from proto.phi.leaving import Leaving, closed, members

TOO_LONG = closed("[too long to tell]", ("[too long to tell]",))
"""In place of text that grew too long for a detail when its names became tokens."""


def told(work: Work, finding: Finding) -> Told:
    """Return a finding with what of its answer leaves."""
    return Told(finding, leaving(work, finding.check, finding.seen))


def told_side(work: Work, check: str, side: Seen) -> ToldSide:
    """Return one side of a repair with what of its answer leaves."""
    return ToldSide(side.verdict, side.reason, leaving(work, check, side.seen))


def leaving(work: Work, check: str, seen: Mapping[str, Scalar]) -> Mapping[str, Leaving]:
    """Return the reported fields of a check's answer as they may leave."""
    known = work.content().checks.get(check)
    fields: Mapping[str, AnswerField] = known.answer if known else {}
    found: dict[str, Leaving] = {}
    texts: dict[str, str] = {}
    for name, value in seen.items():
        field = fields.get(name)
        if not isinstance(value, str):
            found[name] = value
        elif field is not None and field.kind is FieldKind.ENUM and value in field.values:
            found[name] = closed(value, field.values)
        else:
            texts[name] = value
    if not texts:
        return found
    whole = {**found, **_scrubbed(work, texts)}
    if len(str(detail_of(whole)).encode()) > DETAIL_BYTES_MAX:
        return {**found, **dict.fromkeys(texts, TOO_LONG)}
    return whole


def _scrubbed(work: Work, texts: Mapping[str, str]) -> Mapping[str, Leaving]:
    """Return texts scrubbed as one record; what is withheld as a whole stands for each of them."""
    record = work.scrubber.scrub(strict_json.dumps(dict(texts)).decode(), source=Source.ANSWERS)
    found = members(record)
    if found is None or found.keys() != texts.keys():
        return dict.fromkeys(texts, record)
    return found
