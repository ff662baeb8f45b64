"""Rows of the lists that several pages show, with every code already in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.portal.frame import CheckText, check_text, severity_words
from appliance.store.views.incidents import HealedView, IncidentView
from appliance.store.views.site import EvidenceView
from proto.catalog.model import Content
from proto.evidence import Result
from proto.incidents import State
from runtime.web import words
from runtime.web.words import Words


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in a list; `why` is None while nothing holds it."""

    view: IncidentView
    check: CheckText
    severity: Words
    state: Words
    why: Words | None


@dataclass(frozen=True, slots=True)
class DoneRow:
    """A repair that ended; `is_cosigned` when the hub holds and co-signed its evidence."""

    view: HealedView
    check: CheckText
    result: Words
    is_cosigned: bool


def incident_rows(content: Content, views: Sequence[IncidentView]) -> list[IncidentRow]:
    """Return incidents as rows."""
    return [
        IncidentRow(
            view=view,
            check=check_text(content, view.check),
            severity=severity_words(view.severity),
            state=state_words(view),
            why=words.CAUSES[view.cause] if view.cause and not is_healed(view) else None,
        )
        for view in views
    ]


def is_healed(view: IncidentView) -> bool:
    """Tell whether an incident is over because its last repair was proved."""
    return view.state in {State.HEALED, State.CLOSED} and view.result is Result.HEALED


def state_words(view: IncidentView) -> Words:
    """Return where an incident stands; one that was healed stays so called when it is closed."""
    return words.RESULTS[Result.HEALED] if is_healed(view) else words.STATES[view.state]


def done_rows(
    content: Content, views: Sequence[HealedView], evidence: EvidenceView
) -> list[DoneRow]:
    """Return ended repairs as rows."""
    return [
        DoneRow(
            view=view,
            check=check_text(content, view.check),
            result=words.RESULTS[view.result],
            is_cosigned=is_cosigned(view.leaf, evidence),
        )
        for view in views
    ]


def is_cosigned(leaf: int | None, evidence: EvidenceView) -> bool:
    """Tell whether the hub acknowledged a leaf and co-signed a head that includes it."""
    return leaf is not None and evidence.cosigned and leaf < evidence.acked
