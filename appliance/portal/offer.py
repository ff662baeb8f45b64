"""A repair that waits for a person's word: what it is, what it costs, and how it is taken back."""

from dataclasses import dataclass

from appliance.core.gates import offer_of, waits_for_approval
from appliance.portal.frame import pairs
from proto.catalog.model import Content
from proto.incidents import Incident
from proto.rules.matcher import decide, view_of
from runtime.web import words
from runtime.web.words import Words

UNDONE = "If its re-check does not pass, the repair is taken back."


@dataclass(frozen=True, slots=True)
class Offer:
    """A repair that a person may let run.

    Attributes:
        cost: what it can cost the people who use the device.
        undo: what happens when its re-check fails, or why it cannot be taken back.
        shown: names the repair: what is approved is what was read.
    """

    title: str
    description: str
    cost: Words
    undo: str
    params: list[tuple[str, str]]
    shown: str


def offer_for(content: Content, incident: Incident | None) -> Offer | None:
    """Return the repair that waits for a person's word; None when none does."""
    if incident is None or not waits_for_approval(incident):
        return None
    rule = decide(content.rules, view_of(incident).fields()).winner
    runbook = content.runbooks.get(rule.runbook_id or "") if rule else None
    if rule is None or runbook is None:
        return None
    return Offer(
        title=runbook.title,
        description=runbook.description,
        cost=words.DISRUPTIONS[runbook.disruption],
        undo=runbook.irreversible or UNDONE,
        params=pairs(rule.params),
        shown=offer_of(rule, content=content.digest),
    )
