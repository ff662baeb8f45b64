"""Records: what happened becomes leaves of closed types whose commitments open."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from appliance.core.plan import PLAN_BYTES_MAX, dump, fits, load
from appliance.core.records import (
    TURNS,
    Author,
    Draft,
    Ending,
    ToldSide,
    heal_draft,
    health_draft,
    incident_draft,
    scan_drafts,
)
from proto.evidence import (
    BODY_BYTES_MAX,
    CHECKS_PER_LEAF_MAX,
    HealLeaf,
    IncidentLeaf,
    Outcome,
    Result,
    ScanLeaf,
    Turn,
    commit,
    parse_leaf,
)
from proto.findings import Reason, Scalar, Verdict
from proto.ids import ApplianceId
from proto.incidents import IN_HAND, Cause, State
from proto.invariants import InvariantError
from proto.strict_json import b64_encode, loads
from tests.fakes.clock import SeededEntropy
from tests.unit.core_values import NOW_MS, SITE, TARGET, finding, incident, leaving, plan, told

AUTHOR = Author(SITE, ApplianceId("a-aaaaaaaaaa"), NOW_MS, salts=SeededEntropy(1))
ENDING = Ending(
    rule="l1.x",
    runbook="rb.x",
    content="ab" * 32,
    before=ToldSide(Verdict.DRIFTED, None, leaving({"value": "yes"})),
    after=ToldSide(Verdict.COMPLIANT, None, leaving({"value": "no"})),
    outcome=Outcome.DONE,
    changed=True,
    steps=1,
    result=Result.HEALED,
)


def opens(draft: Draft, commits: Mapping[str, str]) -> dict[str, dict[str, Scalar]]:
    """Check that every commitment is opened by its part, and return the details."""
    assert set(draft.openings) == set(commits)
    for part, opening in draft.openings.items():
        assert b64_encode(commit(opening.salt, str(opening.detail).encode())) == commits[part]
    salts = [opening.salt for opening in draft.openings.values()]
    assert len(set(salts)) == len(salts), "a salt hides only what it is used for once"
    return {
        part: loads(str(opening.detail).encode(), size_bytes_max=4096)  # type: ignore[misc]
        for part, opening in draft.openings.items()
    }


def test_a_scan_speaks_for_its_checks_in_order_and_opens() -> None:
    first = finding(Verdict.COMPLIANT, seen={"value": "no"})
    second = replace(finding(Verdict.UNKNOWN, seen={}), check="lin.aaa")
    (draft,) = scan_drafts(
        AUTHOR, TARGET, [told(first), told(second)], since_ms=NOW_MS - 5000, full=True
    )
    leaf = draft.leaf(7)
    assert isinstance(leaf, ScanLeaf)
    assert [line.id for line in leaf.checks] == ["lin.aaa", first.check]
    assert [line.reason for line in leaf.checks] == [Reason.UNREACHABLE, None]
    assert (leaf.seq, leaf.period) == (7, (NOW_MS // 1000 - 5, NOW_MS // 1000))
    commits = {f"checks.{place}": line.commit for place, line in enumerate(leaf.checks)}
    assert opens(draft, commits) == {"checks.0": {}, "checks.1": {"value": "no"}}


@pytest.mark.parametrize("count", [1, 96, 97, 192, 250])
def test_however_many_checks_there_are_every_leaf_stays_within_its_bounds(count: int) -> None:
    name = "lin." + "x" * 50
    found = [replace(finding(Verdict.DRIFTED), check=f"{name}{n:04}") for n in range(count)]
    drafts = scan_drafts(AUTHOR, TARGET, [told(one) for one in found], since_ms=NOW_MS, full=False)
    lines = []
    for place, draft in enumerate(drafts):
        leaf = draft.leaf(place)
        assert isinstance(leaf, ScanLeaf)
        assert len(leaf.checks) <= CHECKS_PER_LEAF_MAX
        assert len(leaf.to_bytes()) <= BODY_BYTES_MAX
        assert parse_leaf(leaf.to_bytes()) == leaf
        lines += [line.id for line in leaf.checks]
    assert lines == sorted(one.check for one in found)


def test_one_leaf_cannot_speak_for_two_content_sets() -> None:
    mixed = [finding(), replace(finding(content="00" * 32), check="lin.aaa")]
    with pytest.raises(InvariantError, match="content"):
        scan_drafts(AUTHOR, TARGET, [told(one) for one in mixed], since_ms=NOW_MS, full=False)


def test_a_repair_is_one_leaf_with_before_action_and_after() -> None:
    draft = heal_draft(AUTHOR, incident(), ENDING)
    leaf = draft.leaf(3)
    assert isinstance(leaf, HealLeaf)
    assert parse_leaf(leaf.to_bytes()) == leaf
    details = opens(
        draft,
        {
            "before": leaf.before.commit,
            "action": leaf.action.commit,
            "after": leaf.after.commit,
        },
    )
    assert details == {"before": {"value": "yes"}, "action": {"steps": 1}, "after": {"value": "no"}}


@pytest.mark.parametrize("verdict", [Verdict.DRIFTED, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN])
def test_healed_cannot_be_written_without_a_passing_re_check(verdict: Verdict) -> None:
    reason = Reason.TIMEOUT if verdict is Verdict.UNKNOWN else None
    claim = replace(ENDING, after=ToldSide(verdict, reason, {}))
    with pytest.raises(InvariantError, match="healed without"):
        heal_draft(AUTHOR, incident(), claim)


@pytest.mark.parametrize("state", State)
def test_every_state_that_no_heal_leaf_tells_has_a_turn(state: State) -> None:
    draft = incident_draft(AUTHOR, incident(state), actor="appliance", content="ab" * 32)
    if state in IN_HAND | {State.HEALED}:
        assert draft is None
        assert state not in TURNS
    else:
        assert draft is not None
        leaf = draft.leaf(0)
        assert isinstance(leaf, IncidentLeaf)
        assert leaf.turn is TURNS[state]


def test_an_open_incident_that_waits_says_so() -> None:
    waiting = replace(incident(), cause=Cause.COOLDOWN)
    draft = incident_draft(AUTHOR, waiting, actor="appliance", content="ab" * 32)
    assert draft is not None
    leaf = draft.leaf(0)
    assert isinstance(leaf, IncidentLeaf)
    assert (leaf.turn, leaf.cause) == (Turn.WAITING, Cause.COOLDOWN)


def test_health_is_told_by_its_code_alone() -> None:
    leaf = health_draft(AUTHOR, "disk_low", ok=False).leaf(1)
    assert b"disk_low" in leaf.to_bytes()
    assert parse_leaf(leaf.to_bytes()) == leaf


def test_a_plan_comes_back_from_the_journal_as_it_was() -> None:
    assert load(dump(plan())) == plan()


def test_no_plan_is_journaled_that_could_not_be_read_again() -> None:
    room = PLAN_BYTES_MAX - len(dump(replace(plan(), capture="")))
    largest = replace(plan(), capture="x" * room)
    assert fits(largest)
    assert load(dump(largest)) == largest
    too_large = replace(plan(), capture="x" * (room + 1))
    assert not fits(too_large)
    with pytest.raises(InvariantError, match="a plan of"):
        dump(too_large)
