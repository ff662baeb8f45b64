"""The hub's rows are a fold of the evidence log: the same in any batching, and never too good."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.core.fold import Fold, fold, touched
from proto.evidence import (
    Action,
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
)
from proto.findings import Reason, Verdict
from proto.incidents import Cause, Severity

SITE, BOX = "s-aaaaaaaaaa", "a-aaaaaaaaaa"
COMMIT = "A" * 43 + "="
CONTENT = "ab" * 32
TARGETS = ("t-aaaaaaaaaa", "t-bbbbbbbbbb")
INCIDENTS = ("i-aaaaaaaaaa", "i-bbbbbbbbbb")
CHECKS = ("c.one", "c.two")


def reason_of(verdict: Verdict) -> Reason | None:
    return Reason.TIMEOUT if verdict is Verdict.UNKNOWN else None


def scan(seq: int, verdict: Verdict, *, target: str = TARGETS[0], check: str = CHECKS[0]) -> Leaf:
    line = CheckLine(id=check, verdict=verdict, reason=reason_of(verdict), commit=COMMIT)
    return ScanLeaf(
        site=SITE,
        appliance=BOX,
        seq=seq,
        at=100 + seq,
        target=target,
        content=CONTENT,
        period=(0, 1),
        full=False,
        checks=(line,),
    )


def heal(
    seq: int,
    result: Result = Result.HEALED,
    *,
    after: Verdict = Verdict.COMPLIANT,
    outcome: Outcome = Outcome.DONE,
    incident: str = INCIDENTS[0],
    attempt: int = 1,
) -> Leaf:
    return HealLeaf(
        site=SITE,
        appliance=BOX,
        seq=seq,
        at=100 + seq,
        target=TARGETS[0],
        incident=incident,
        check=CHECKS[0],
        attempt=attempt,
        cause=CauseOf(rule="l1.one"),
        content=CONTENT,
        runbook="rb.one",
        before=Side(verdict=Verdict.DRIFTED, reason=None, commit=COMMIT),
        action=Action(outcome=outcome, changed=True, commit=COMMIT),
        after=Side(verdict=after, reason=reason_of(after), commit=COMMIT),
        result=result,
    )


def turn(seq: int, kind: Turn, cause: Cause | None = None, *, incident: str = INCIDENTS[0]) -> Leaf:
    return IncidentLeaf(
        site=SITE,
        appliance=BOX,
        seq=seq,
        at=100 + seq,
        target=TARGETS[0],
        incident=incident,
        check=CHECKS[0],
        platform="linux",
        severity=Severity.HIGH,
        turn=kind,
        cause=cause,
        actor="engine",
        content=CONTENT,
    )


def folded(*leaves: Leaf) -> Fold:
    return fold(dict(enumerate(leaves)))


def test_the_latest_verdict_stands_and_since_is_when_it_changed() -> None:
    found = folded(scan(0, Verdict.DRIFTED), scan(1, Verdict.COMPLIANT), scan(2, Verdict.COMPLIANT))
    row = found.findings[TARGETS[0], CHECKS[0]]
    assert (row.verdict, row.at_s, row.since_s, row.leaf) == ("compliant", 102, 101, 2)


def test_a_repair_makes_the_finding_what_its_recheck_said() -> None:
    row = folded(scan(0, Verdict.DRIFTED), heal(1)).findings[TARGETS[0], CHECKS[0]]
    assert (row.verdict, row.part) == ("compliant", "after")


def test_a_repair_without_an_answer_leaves_the_finding_drifted() -> None:
    found = folded(scan(0, Verdict.DRIFTED), heal(1, Result.UNKNOWN, after=Verdict.UNKNOWN))
    assert found.findings[TARGETS[0], CHECKS[0]].verdict == "drifted"


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (Verdict.DRIFTED, Outcome.DONE),
        (Verdict.UNKNOWN, Outcome.DONE),
        (Verdict.NOT_APPLICABLE, Outcome.DONE),
        (Verdict.COMPLIANT, Outcome.FAILED),
        (Verdict.COMPLIANT, Outcome.NOT_RUN),
    ],
)
def test_healed_without_a_passing_recheck_is_not_counted_as_healed(
    after: Verdict, outcome: Outcome
) -> None:
    found = folded(turn(0, Turn.OPENED), heal(1, after=after, outcome=outcome))
    assert found.incidents[INCIDENTS[0]].state == "open"
    assert found.incidents[INCIDENTS[0]].result == "unknown"
    assert [row.result for row in found.heals] == ["unknown"]
    assert found.contradictions == [1]


def test_a_repair_whose_end_was_lost_is_proved_by_its_recheck() -> None:
    found = folded(turn(0, Turn.OPENED), heal(1, outcome=Outcome.UNKNOWN))
    assert found.incidents[INCIDENTS[0]].state == "healed"
    assert found.contradictions == []


def test_an_incidents_life_is_told_in_order() -> None:
    leaves: list[Leaf] = [
        turn(0, Turn.OPENED),
        heal(1, Result.UNDONE, after=Verdict.DRIFTED),
        turn(2, Turn.WAITING, Cause.COOLDOWN),
        heal(3, attempt=2),
        turn(4, Turn.CLOSED, Cause.PASSED),
    ]
    states = [folded(*leaves[:end]).incidents[INCIDENTS[0]].state for end in range(1, 6)]
    assert states == ["open", "open", "open", "healed", "closed"]
    last = folded(*leaves).incidents[INCIDENTS[0]]
    assert (last.attempt, last.result, last.closed_s, last.opened_s) == (2, "healed", 104, 100)


def test_a_repair_that_ends_after_its_incident_was_closed_does_not_open_it() -> None:
    found = folded(turn(0, Turn.OPENED), turn(1, Turn.CLOSED, Cause.BY_PERSON), heal(2))
    row = found.incidents[INCIDENTS[0]]
    assert (row.state, row.cause, row.result) == ("closed", "by_person", "healed")


def test_a_repair_of_an_incident_never_heard_of_is_kept_with_what_is_known() -> None:
    row = folded(heal(0)).incidents[INCIDENTS[0]]
    assert (row.severity, row.state, row.check_id) == (None, "healed", CHECKS[0])


def test_health_is_what_the_appliance_said_last() -> None:
    said = [HealthLeaf(site=SITE, appliance=BOX, seq=n, at=n, code="x", ok=n == 1) for n in (0, 1)]
    assert folded(*said).health["x"].ok is True


verdicts = st.sampled_from(list(Verdict))
leaf_makers = st.one_of(
    st.tuples(verdicts, st.sampled_from(TARGETS), st.sampled_from(CHECKS)).map(
        lambda made: lambda seq: scan(seq, made[0], target=made[1], check=made[2])
    ),
    st.tuples(st.sampled_from(list(Result)), verdicts, st.sampled_from(INCIDENTS)).map(
        lambda made: lambda seq: heal(seq, made[0], after=made[1], incident=made[2])
    ),
    st.tuples(
        st.sampled_from(list(Turn)),
        st.sampled_from([None, *Cause]),
        st.sampled_from(INCIDENTS),
    ).map(lambda made: lambda seq: turn(seq, made[0], made[1], incident=made[2])),
    st.booleans().map(
        lambda ok: (
            lambda seq: HealthLeaf(site=SITE, appliance=BOX, seq=seq, at=seq, code="disk", ok=ok)
        )
    ),
)


def in_batches(leaves: Sequence[Leaf], cuts: set[int]) -> Fold:
    """Fold as the hub does: each batch starts from the stored rows that it touches, and no more."""
    stored = Fold()
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(leaves)), len(leaves)]
    for start, end in pairwise(edges):
        part = leaves[start:end]
        wanted = touched(part)
        batch = Fold(
            findings={k: v for k, v in stored.findings.items() if k[0] in wanted.targets},
            incidents={k: v for k, v in stored.incidents.items() if k in wanted.incidents},
        )
        for index, leaf in enumerate(part, start=start):
            batch.take(index, leaf)
        stored.findings.update({k: batch.findings[k] for k in batch.changed_findings})
        stored.incidents.update({k: batch.incidents[k] for k in batch.changed_incidents})
        stored.health.update(batch.health)
        stored.heals += batch.heals
        stored.targets |= batch.targets
        stored.contradictions += batch.contradictions
    return stored


@settings(max_examples=150, deadline=None)
@given(st.lists(leaf_makers, max_size=25), st.sets(st.integers(0, 25)))
def test_the_fold_is_the_same_in_any_batching(makers: list[object], cuts: set[int]) -> None:
    leaves = [make(seq) for seq, make in enumerate(makers)]  # type: ignore[operator]
    whole, parts = folded(*leaves), in_batches(leaves, cuts)
    for name in ("findings", "incidents", "health", "heals", "targets", "contradictions"):
        assert getattr(parts, name) == getattr(whole, name), name


@settings(max_examples=60, deadline=None)
@given(st.lists(leaf_makers, max_size=25))
def test_nothing_is_healed_without_a_compliant_recheck(makers: list[object]) -> None:
    leaves = [make(seq) for seq, make in enumerate(makers)]  # type: ignore[operator]
    for row in folded(*leaves).heals:
        if row.result == "healed":
            assert row.after_verdict == "compliant"
            assert row.outcome in {"done", "unknown"}


def test_rows_are_values() -> None:
    """A stored row must not change under the fold that was given it."""
    first = folded(scan(0, Verdict.DRIFTED))
    row = first.findings[TARGETS[0], CHECKS[0]]
    again = Fold(findings=dict(first.findings))
    again.take(1, scan(1, Verdict.COMPLIANT))
    assert first.findings[TARGETS[0], CHECKS[0]] == replace(row)
