"""The fold: an appliance's evidence log, leaf by leaf, becomes the hub's current rows.

Rules:

- The rows are a function of the log alone, read in order: any batching gives the same rows, and
  dropping them and reading the log again gives them back.
- An appliance changes only rows under its own id; the caller keeps one fold an appliance.
- A heal counts as healed only when its re-check was compliant, and its action done or, after a
  crash or a lost connection, unknown: then the re-check is the proof. A leaf that says otherwise
  folds to `unknown` and is named in `contradictions`.
- After a repair the finding is what its re-check said, unless that was unknown: then what was last
  known stands until the next scan says otherwise.
- The latest turn that the appliance signed is where an incident stands; a repair that ends after
  its incident was closed does not open it again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from central.core.rows import FindingRow, HealRow, HealthRow, IncidentRow, TurnRow
from proto.evidence import (
    HealLeaf,
    HealthLeaf,
    IncidentLeaf,
    Leaf,
    Outcome,
    Result,
    ScanLeaf,
    Turn,
)
from proto.findings import Verdict
from proto.incidents import State

FindingKey = tuple[str, str]
"""Target and check."""

_STATE_AFTER = {
    Turn.OPENED: State.OPEN,
    Turn.WAITING: State.OPEN,
    Turn.ESCALATED: State.ESCALATED,
    Turn.WAIVED: State.WAIVED,
    Turn.CLOSED: State.CLOSED,
}


@dataclass(slots=True)
class Fold:
    """The rows that leaves touch, and which of them changed.

    Give it the rows that are stored for the targets and incidents of the leaves to come (`touched`
    says which); afterwards `changed_*` are what to store.
    """

    findings: dict[FindingKey, FindingRow] = field(default_factory=dict)
    incidents: dict[str, IncidentRow] = field(default_factory=dict)
    health: dict[str, HealthRow] = field(default_factory=dict)
    heals: list[HealRow] = field(default_factory=list)
    turns: list[TurnRow] = field(default_factory=list)
    changed_findings: set[FindingKey] = field(default_factory=set)
    changed_incidents: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    contradictions: list[int] = field(default_factory=list)

    def take(self, index: int, leaf: Leaf) -> None:
        """Read the next leaf of the log."""
        match leaf:
            case ScanLeaf():
                self._scan(index, leaf)
            case HealLeaf():
                self._heal(index, leaf)
            case IncidentLeaf():
                self._turn(index, leaf)
            case HealthLeaf():
                self.health[leaf.code] = HealthRow(leaf.code, leaf.ok, leaf.at, index)

    def _scan(self, index: int, leaf: ScanLeaf) -> None:
        self.targets.add(leaf.target)
        for place, line in enumerate(leaf.checks):
            self._find(
                FindingRow(
                    target=leaf.target,
                    check_id=line.id,
                    verdict=line.verdict.value,
                    reason=line.reason.value if line.reason else None,
                    content=leaf.content,
                    at_s=leaf.at,
                    since_s=leaf.at,
                    leaf=index,
                    part=f"checks.{place}",
                )
            )

    def _find(self, new: FindingRow) -> None:
        key = (new.target, new.check_id)
        old = self.findings.get(key)
        if old is not None and (old.verdict, old.reason) == (new.verdict, new.reason):
            new = replace(new, since_s=old.since_s)
        self.findings[key] = new
        self.changed_findings.add(key)

    def _heal(self, index: int, leaf: HealLeaf) -> None:
        result = earned(leaf)
        if result is not leaf.result:
            self.contradictions.append(index)
        self.targets.add(leaf.target)
        self.heals.append(_heal_row(index, leaf, result))
        if leaf.after.verdict is not Verdict.UNKNOWN:
            self._find(
                FindingRow(
                    target=leaf.target,
                    check_id=leaf.check,
                    verdict=leaf.after.verdict.value,
                    reason=None,
                    content=leaf.content,
                    at_s=leaf.at,
                    since_s=leaf.at,
                    leaf=index,
                    part="after",
                )
            )
        self._heal_incident(index, leaf, result)

    def _heal_incident(self, index: int, leaf: HealLeaf, result: Result) -> None:
        row = self.incidents.get(leaf.incident) or _unopened(index, leaf)
        state = row.state
        if state != State.CLOSED.value:
            state = State.HEALED.value if result is Result.HEALED else State.OPEN.value
        self._keep(
            replace(
                row,
                state=state,
                cause=row.cause if state == State.CLOSED.value else None,
                attempt=leaf.attempt,
                runbook=leaf.runbook,
                rule=leaf.cause.name,
                result=result.value,
                updated_s=leaf.at,
                leaf=index,
                heal_leaf=index,
            )
        )

    def _turn(self, index: int, leaf: IncidentLeaf) -> None:
        self.targets.add(leaf.target)
        cause = leaf.cause.value if leaf.cause else None
        turn = TurnRow(index, leaf.incident, leaf.turn.value, cause, leaf.actor, leaf.at)
        self.turns.append(turn)
        row = self.incidents.get(leaf.incident) or _unopened(index, leaf)
        state = _STATE_AFTER[leaf.turn]
        self._keep(
            replace(
                row,
                platform=leaf.platform,
                severity=leaf.severity.value,
                state=state.value,
                cause=cause,
                actor=leaf.actor,
                updated_s=leaf.at,
                closed_s=leaf.at if state is State.CLOSED else None,
                leaf=index,
            )
        )

    def _keep(self, row: IncidentRow) -> None:
        self.incidents[row.incident] = row
        self.changed_incidents.add(row.incident)


def earned(leaf: HealLeaf) -> Result:
    """Return how a repair ended, counting as healed only what a re-check proved."""
    if leaf.result is not Result.HEALED:
        return leaf.result
    may_be_done = leaf.action.outcome in {Outcome.DONE, Outcome.UNKNOWN}
    proved = may_be_done and leaf.after.verdict is Verdict.COMPLIANT
    return Result.HEALED if proved else Result.UNKNOWN


def _unopened(index: int, leaf: IncidentLeaf | HealLeaf) -> IncidentRow:
    """Return the row of an incident that is first heard of in this leaf."""
    return IncidentRow(
        incident=leaf.incident,
        target=leaf.target,
        check_id=leaf.check,
        platform=None,
        severity=None,
        state=State.OPEN.value,
        cause=None,
        actor=None,
        attempt=1,
        runbook=None,
        rule=None,
        result=None,
        opened_s=leaf.at,
        updated_s=leaf.at,
        closed_s=None,
        leaf=index,
        heal_leaf=None,
    )


def _heal_row(index: int, leaf: HealLeaf, result: Result) -> HealRow:
    return HealRow(
        leaf=index,
        incident=leaf.incident,
        target=leaf.target,
        check_id=leaf.check,
        attempt=leaf.attempt,
        rule=leaf.cause.name,
        runbook=leaf.runbook,
        content=leaf.content,
        before_verdict=leaf.before.verdict.value,
        before_reason=leaf.before.reason.value if leaf.before.reason else None,
        outcome=leaf.action.outcome.value,
        changed=leaf.action.changed,
        after_verdict=leaf.after.verdict.value,
        after_reason=leaf.after.reason.value if leaf.after.reason else None,
        result=result.value,
        at_s=leaf.at,
    )


@dataclass(frozen=True, slots=True)
class Touched:
    """Which stored rows a fold needs before it reads some leaves."""

    targets: frozenset[str]
    incidents: frozenset[str]


def touched(leaves: Iterable[Leaf]) -> Touched:
    """Return the targets whose findings, and the incidents, that these leaves may change."""
    targets: set[str] = set()
    incidents: set[str] = set()
    for leaf in leaves:
        if isinstance(leaf, (ScanLeaf, HealLeaf)):
            targets.add(leaf.target)
        if isinstance(leaf, (HealLeaf, IncidentLeaf)):
            incidents.add(leaf.incident)
    return Touched(frozenset(targets), frozenset(incidents))


def fold(leaves: Mapping[int, Leaf]) -> Fold:
    """Return the fold of a whole log, given by index."""
    found = Fold()
    for index in sorted(leaves):
        found.take(index, leaves[index])
    return found
