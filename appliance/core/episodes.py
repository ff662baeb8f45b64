"""Episodes: what a finding does to the incident of its target and check.

Rules it keeps:

- Only drifted opens an incident. Unknown opens none; a check that has been unknown for
  `BLIND_AFTER_MS` is handed to a person once, as check_blind.
- A passing check closes what is open, waived, escalated or healed. While a repair is under way only
  its own verify decides, so a finding leaves it alone.
- Drift on a healed incident closes it as recurred and opens another: each drift has its own life.
"""

from dataclasses import dataclass, replace

from proto.findings import Finding, Verdict
from proto.ids import IncidentId
from proto.incidents import IN_HAND, Cause, Incident, Severity, State

BLIND_AFTER_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Watched:
    """What a finding is set against.

    Attributes:
        live: the incident that holds this target and check, if any.
        since_ms: since when the finding's verdict and reason have held.
        waived: whether a waiver is in force.
    """

    platform: str
    severity: Severity
    live: Incident | None
    since_ms: int
    waived: bool


def on_finding(finding: Finding, watched: Watched, *, new_id: IncidentId) -> list[Incident]:
    """Return the incidents as they are to be stored, in order; none when nothing changes."""
    live = watched.live
    if live is not None and live.state in IN_HAND:
        return []
    match finding.verdict:
        case Verdict.COMPLIANT:
            return [_closed(live, finding, Cause.PASSED)] if live else []
        case Verdict.NOT_APPLICABLE:
            return [_closed(live, finding, Cause.NOT_APPLICABLE)] if live else []
        case Verdict.DRIFTED:
            return _on_drift(finding, watched, new_id=new_id)
        case Verdict.UNKNOWN:
            return _on_unknown(finding, watched, new_id=new_id)


def _on_drift(finding: Finding, watched: Watched, *, new_id: IncidentId) -> list[Incident]:
    live = watched.live
    if live is None:
        return [_opened(finding, watched, new_id=new_id)]
    if live.state is State.HEALED:
        return [
            _closed(live, finding, Cause.RECURRED),
            _opened(finding, watched, new_id=new_id),
        ]
    if live.state is State.ESCALATED and live.cause is Cause.CHECK_BLIND:
        return [
            _closed(live, finding, Cause.PASSED),
            _opened(finding, watched, new_id=new_id),
        ]
    if dict(live.seen) == dict(finding.seen):
        return []
    return [replace(live, seen=dict(finding.seen), updated_ms=finding.at_ms)]


def _on_unknown(finding: Finding, watched: Watched, *, new_id: IncidentId) -> list[Incident]:
    if watched.live is not None or watched.waived:
        return []
    if finding.at_ms - watched.since_ms < BLIND_AFTER_MS:
        return []
    blind = _opened(finding, watched, new_id=new_id)
    return [replace(blind, state=State.ESCALATED, cause=Cause.CHECK_BLIND)]


def _opened(finding: Finding, watched: Watched, *, new_id: IncidentId) -> Incident:
    return Incident(
        id=new_id,
        site=finding.site,
        target=finding.target,
        check=finding.check,
        platform=watched.platform,
        severity=watched.severity,
        seen=dict(finding.seen),
        state=State.WAIVED if watched.waived else State.OPEN,
        attempt=1,
        opened_ms=finding.at_ms,
        updated_ms=finding.at_ms,
        cause=Cause.WAIVER if watched.waived else None,
    )


def _closed(incident: Incident, finding: Finding, cause: Cause) -> Incident:
    return replace(
        incident,
        state=State.CLOSED,
        cause=cause,
        closed_ms=finding.at_ms,
        updated_ms=finding.at_ms,
        not_before_ms=0,
    )
