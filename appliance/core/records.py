"""Records: how what happened becomes leaves of the evidence log, in closed types only.

What a check reported is given here as it may leave (`Leaving`): closed values, and text that was
scrubbed, once, before it is committed to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proto import strict_json
from proto.evidence import (
    CHECKS_PER_LEAF_MAX,
    SALT_BYTES,
    Action,
    ByOrder,
    CauseOf,
    CheckLine,
    HealLeaf,
    HealthLeaf,
    IncidentLeaf,
    Leaf,
    Outcome,
    Result,
    ScanLeaf,
    Side,
    Turn,
    commit,
    detail_of,
)
from proto.findings import Finding, Reason, Scalar, Verdict
from proto.ids import ApplianceId, SiteId, TargetId
from proto.incidents import Incident, State
from proto.invariants import require
from proto.phi.leaving import Leaving
from proto.phi.values import Scrubbed

Salts = Callable[[int], bytes]
"""Gives this many random bytes; each commitment takes a fresh salt."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a commitment in a leaf was made of."""

    salt: bytes
    detail: Scrubbed


@dataclass(frozen=True, slots=True)
class Draft:
    """A leaf that lacks only its sequence number.

    Attributes:
        openings: by part, as in `Detail.part`.
        written: is told the exact bytes of the body, before the next leaf is made.
    """

    leaf: Callable[[int], Leaf]
    openings: Mapping[str, Opening]
    written: Callable[[bytes], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, when, and whence the salts."""

    site: SiteId
    appliance: ApplianceId
    now_ms: int
    salts: Salts

    @property
    def at(self) -> int:
        """The leaf's time in seconds."""
        return self.now_ms // 1000


TURNS = {
    State.OPEN: Turn.OPENED,
    State.ESCALATED: Turn.ESCALATED,
    State.WAIVED: Turn.WAIVED,
    State.CLOSED: Turn.CLOSED,
}
"""Which turn a state is; a repair's own states are told by its heal leaf."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and what of its answer leaves."""

    finding: Finding
    seen: Mapping[str, Leaving]


@dataclass(frozen=True, slots=True)
class Seen:
    """A verdict with what was reported: one side of a repair, as the appliance keeps it."""

    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class ToldSide:
    """A verdict with what leaves of the answer: one side of a repair, as evidence tells it."""

    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Leaving]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a repair went.

    Attributes:
        changed: whether some step changed the target.
        steps: how many steps were started.
        order: the sid of the order that asked for it, "" for a rule.
    """

    rule: str
    runbook: str
    content: str
    before: ToldSide
    after: ToldSide
    outcome: Outcome
    changed: bool
    steps: int
    result: Result
    order: str = ""


def _seal(detail: Scrubbed, salts: Salts) -> tuple[str, Opening]:
    salt = salts(SALT_BYTES)
    return strict_json.b64_encode(commit(salt, str(detail).encode())), Opening(salt, detail)


def scan_drafts(
    author: Author,
    target: TargetId,
    told: Sequence[Told],
    *,
    since_ms: int,
    full: bool,
) -> list[Draft]:
    """Return the scan leaves for these findings of one target, at most 96 verdicts each."""
    ordered = sorted(told, key=lambda one: one.finding.check)
    starts = range(0, len(ordered), CHECKS_PER_LEAF_MAX)
    parts = [ordered[start : start + CHECKS_PER_LEAF_MAX] for start in starts]
    return [_scan(author, target, part, since_ms=since_ms, full=full) for part in parts]


def _scan(
    author: Author, target: TargetId, told: Sequence[Told], *, since_ms: int, full: bool
) -> Draft:
    contents = {one.finding.content for one in told}
    require(len(contents) == 1, f"one scan leaf speaks for one content set, not {len(contents)}")
    content = told[0].finding.content
    lines: list[CheckLine] = []
    openings: dict[str, Opening] = {}
    for index, one in enumerate(told):
        finding = one.finding
        sealed, opening = _seal(detail_of(one.seen), author.salts)
        openings[f"checks.{index}"] = opening
        lines.append(
            CheckLine(
                id=finding.check, verdict=finding.verdict, reason=finding.reason, commit=sealed
            )
        )
    return Draft(
        lambda seq: ScanLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            target=target,
            content=content,
            period=(since_ms // 1000, author.at),
            full=full,
            checks=tuple(lines),
        ),
        openings,
    )


def incident_draft(author: Author, incident: Incident, *, actor: str, content: str) -> Draft | None:
    """Return the leaf of the turn an incident just took; None for a repair's own states."""
    turn = TURNS.get(incident.state)
    if turn is None:
        return None
    if incident.state is State.OPEN and (incident.cause is not None or incident.attempt > 1):
        turn = Turn.WAITING
    return Draft(
        lambda seq: IncidentLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            target=incident.target,
            incident=incident.id,
            check=incident.check,
            platform=incident.platform,
            severity=incident.severity,
            turn=turn,
            cause=incident.cause,
            actor=actor,
            content=content,
        ),
        {},
    )


def heal_draft(author: Author, incident: Incident, ending: Ending) -> Draft:
    """Return the one leaf of a repair: before, action and after."""
    require(
        (ending.result is Result.HEALED) <= (ending.after.verdict is Verdict.COMPLIANT),
        f"{incident.id}: healed without a passing re-check",
    )
    before, open_before = _seal(detail_of(ending.before.seen), author.salts)
    action, open_action = _seal(detail_of({"steps": ending.steps}), author.salts)
    after, open_after = _seal(detail_of(ending.after.seen), author.salts)
    return Draft(
        lambda seq: HealLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            target=incident.target,
            incident=incident.id,
            check=incident.check,
            attempt=incident.attempt,
            cause=ByOrder(order=ending.order) if ending.order else CauseOf(rule=ending.rule),
            content=ending.content,
            runbook=ending.runbook,
            before=_side(ending.before, before),
            action=Action(outcome=ending.outcome, changed=ending.changed, commit=action),
            after=_side(ending.after, after),
            result=ending.result,
        ),
        {"before": open_before, "action": open_action, "after": open_after},
    )


def _side(side: ToldSide, sealed: str) -> Side:
    return Side(verdict=side.verdict, reason=side.reason, commit=sealed)


def health_draft(author: Author, code: str, *, ok: bool) -> Draft:
    """Return the leaf that says a condition was raised or cleared."""
    return Draft(
        lambda seq: HealthLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            code=code,
            ok=ok,
        ),
        {},
    )
