"""The gates: which objection wins, and how long each holds an incident."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.core import gates
from appliance.core.gates import (
    BREAKER_FAILURES,
    BREAKER_OPEN_MS,
    DAY_MS,
    STALE_WAIT_MS,
    Asked,
    Candidate,
    Escalate,
    History,
    Hold,
    Proceed,
    Ruling,
    Waive,
    breaker_after,
    rule_on,
    rule_on_order,
)
from appliance.core.order_gate.values import Window
from appliance.core.plan import PLAN_BYTES_MAX
from proto.catalog.model import Action, Autonomy, Disruption, Limits
from proto.findings import Verdict
from proto.incidents import Cause
from tests.unit.core_values import (
    CONTENT,
    NOW_MS,
    THE_CHECK,
    THE_RULE,
    THE_RUNBOOK,
    facts,
    finding,
    incident,
)

NOTHING = History(fires_ms=(), breaker_until_ms=0, is_busy=False, is_refused=False)
FREE = Candidate(
    incident=incident(),
    finding=finding(),
    check=THE_CHECK,
    is_waived=False,
    rule=THE_RULE,
    runbook=THE_RUNBOOK,
    facts=facts(),
    site_autonomy=Autonomy.AUTO,
    history=NOTHING,
    content=CONTENT.digest,
)
STALE_MS = NOW_MS - THE_CHECK.freshness_s * 1000 - 1
COOL_UNTIL_MS = NOW_MS - 1 + 3_600_000


def history(**changes: object) -> Callable[[Candidate], Candidate]:
    return lambda one: replace(one, history=replace(one.history, **changes))  # type: ignore[arg-type]


def runbook(**changes: object) -> Callable[[Candidate], Candidate]:
    return lambda one: replace(one, runbook=replace(one.runbook, **changes))  # type: ignore[type-var]


OBJECTIONS: list[tuple[str, Callable[[Candidate], Candidate], Ruling]] = [
    ("refused", history(is_refused=True), Hold(Cause.NOT_MANAGED, NOW_MS + STALE_WAIT_MS)),
    (
        "stale",
        lambda one: replace(one, finding=finding(at_ms=STALE_MS)),
        Hold(Cause.STALE_FINDING, NOW_MS + STALE_WAIT_MS),
    ),
    ("waived", lambda one: replace(one, is_waived=True), Waive()),
    (
        "escalating rule",
        lambda one: replace(one, rule=replace(THE_RULE, action=Action.ESCALATE)),
        Escalate(Cause.RULE_ESCALATES),
    ),
    ("unmanaged", lambda one: replace(one, facts=None), Escalate(Cause.NOT_MANAGED)),
    (
        "observe only",
        lambda one: replace(one, site_autonomy=Autonomy.OBSERVE),
        Hold(Cause.OBSERVE_ONLY, NOW_MS + STALE_WAIT_MS),
    ),
    ("lockout", runbook(disruption=Disruption.LOCKOUT), Escalate(Cause.NO_REVERT)),
    (
        "requirement",
        lambda one: replace(one, facts=facts(login="root")) if one.facts else one,
        Escalate(Cause.REQUIREMENT_UNMET),
    ),
    (
        "plan too large",
        runbook(capture="x" * PLAN_BYTES_MAX),
        Escalate(Cause.PLAN_TOO_LARGE),
    ),
    (
        "breaker",
        history(breaker_until_ms=NOW_MS + 5),
        Hold(Cause.BREAKER_OPEN, NOW_MS + 5),
    ),
    ("cooldown", history(fires_ms=(NOW_MS - 1,)), Hold(Cause.COOLDOWN, COOL_UNTIL_MS)),
    ("busy", history(is_busy=True), Hold(Cause.TARGET_BUSY, 0)),
]
PAIRS = [
    (earlier, later)
    for place, earlier in enumerate(OBJECTIONS)
    for later in OBJECTIONS[place + 1 :]
]


def test_with_no_objection_a_repair_proceeds_by_the_rules_plan() -> None:
    ruling = rule_on(FREE, now_ms=NOW_MS)
    assert isinstance(ruling, Proceed)
    assert (ruling.plan.rule, ruling.plan.verify) == (THE_RULE.id, THE_CHECK.id)
    assert ruling.plan.content == CONTENT.digest
    assert ruling.plan.variables["fact_target_login"] == "osiris"


@pytest.mark.parametrize(("_", "object_", "ruling"), OBJECTIONS, ids=lambda value: str(value)[:20])
def test_each_gate_objects_by_itself(
    _: str, object_: Callable[[Candidate], Candidate], ruling: Ruling
) -> None:
    assert rule_on(object_(FREE), now_ms=NOW_MS) == ruling


@pytest.mark.parametrize(
    ("earlier", "later"), PAIRS, ids=[f"{one[0]}-{two[0]}" for one, two in PAIRS]
)
def test_the_earlier_objection_wins(
    earlier: tuple[str, Callable[[Candidate], Candidate], Ruling],
    later: tuple[str, Callable[[Candidate], Candidate], Ruling],
) -> None:
    both = earlier[1](later[1](FREE))
    assert rule_on(both, now_ms=NOW_MS) == earlier[2]


@pytest.mark.parametrize("verdict", [Verdict.COMPLIANT, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN])
def test_only_a_drifted_finding_is_repaired(verdict: Verdict) -> None:
    ruling = rule_on(replace(FREE, finding=finding(verdict)), now_ms=NOW_MS)
    assert ruling == Hold(Cause.STALE_FINDING, NOW_MS + STALE_WAIT_MS)


def test_a_check_that_was_never_asked_is_not_repaired() -> None:
    ruling = rule_on(replace(FREE, finding=None), now_ms=NOW_MS)
    assert ruling == Hold(Cause.STALE_FINDING, NOW_MS + STALE_WAIT_MS)


def test_no_rule_goes_to_a_person() -> None:
    unmatched = replace(FREE, rule=None, runbook=None)
    assert rule_on(unmatched, now_ms=NOW_MS) == Escalate(Cause.NO_RULE)


def test_a_rule_may_say_to_leave_it() -> None:
    ignoring = replace(FREE, rule=replace(THE_RULE, action=Action.IGNORE))
    assert rule_on(ignoring, now_ms=NOW_MS) == Hold(Cause.RULE_IGNORES, NOW_MS + DAY_MS)


CAUSES = {
    Autonomy.ALERT: Cause.ALERT_ONLY,
    Autonomy.APPROVE: Cause.APPROVAL_NEEDED,
    Autonomy.WINDOW: Cause.WINDOW_NEEDED,
}


@pytest.mark.parametrize("site", Autonomy)
@pytest.mark.parametrize("own", Autonomy)
def test_the_most_cautious_dial_holds(site: Autonomy, own: Autonomy) -> None:
    candidate = runbook(autonomy=own)(replace(FREE, site_autonomy=site))
    cautious = min(site, own, key=gates.CAUTION.index)
    ruling = rule_on(candidate, now_ms=NOW_MS)
    if cautious is Autonomy.AUTO:
        assert isinstance(ruling, Proceed)
    elif cautious is Autonomy.OBSERVE:
        assert ruling == Hold(Cause.OBSERVE_ONLY, NOW_MS + STALE_WAIT_MS)
    else:
        assert ruling == Escalate(CAUSES[cautious])


def test_a_rule_that_fired_its_fill_waits_until_the_first_firing_is_a_day_old() -> None:
    fires = (NOW_MS - 20 * 3_600_000, NOW_MS - 10 * 3_600_000, NOW_MS - 5 * 3_600_000)
    limited = replace(THE_RULE, limits=Limits(cooldown_s=3600, per_day=3))
    candidate = history(fires_ms=fires)(replace(FREE, rule=limited))
    assert rule_on(candidate, now_ms=NOW_MS) == Hold(Cause.DAILY_LIMIT, fires[0] + DAY_MS)
    assert isinstance(rule_on(history(fires_ms=fires[1:])(candidate), now_ms=NOW_MS), Proceed)


def test_the_daily_limit_can_be_reached_under_its_own_cooldown() -> None:
    """Walk a day by the gates' own waits: a limit that the cooldown makes unreachable is none."""
    limited = replace(FREE, rule=replace(THE_RULE, limits=Limits(cooldown_s=3600, per_day=3)))
    now_ms = NOW_MS
    fires: list[int] = []
    seen: set[Cause] = set()
    while now_ms < NOW_MS + DAY_MS:
        candidate = history(fires_ms=tuple(fires))(replace(limited, finding=finding(at_ms=now_ms)))
        ruling = rule_on(candidate, now_ms=now_ms)
        if isinstance(ruling, Proceed):
            fires.append(now_ms)
        else:
            assert isinstance(ruling, Hold)
            assert ruling.until_ms > now_ms
            seen.add(ruling.cause)
            now_ms = ruling.until_ms
    assert len(fires) == 3
    assert seen == {Cause.COOLDOWN, Cause.DAILY_LIMIT}


def test_the_breaker_opens_at_its_number_of_failures_in_a_row() -> None:
    opens = [breaker_after(failures, now_ms=NOW_MS) for failures in range(1, BREAKER_FAILURES + 2)]
    assert opens[: BREAKER_FAILURES - 1] == [0] * (BREAKER_FAILURES - 1)
    assert opens[BREAKER_FAILURES - 1 :] == [NOW_MS + BREAKER_OPEN_MS] * 2


def test_a_protected_host_is_only_looked_at() -> None:
    ruling = rule_on(replace(FREE, is_protected=True), now_ms=NOW_MS)
    assert ruling == Hold(Cause.PROTECTED_HOST, NOW_MS + STALE_WAIT_MS)


def test_what_an_order_holds_back_is_not_called_the_sites_own_word() -> None:
    held = replace(FREE, site_autonomy=Autonomy.OBSERVE, is_held_by_order=True)
    assert rule_on(held, now_ms=NOW_MS) == Hold(Cause.HELD_BY_ORDER, NOW_MS + STALE_WAIT_MS)


def test_a_repair_for_quiet_hours_runs_in_a_window_and_waits_for_the_next() -> None:
    quiet = replace(FREE, site_autonomy=Autonomy.WINDOW)
    now_s = NOW_MS // 1000
    opened = replace(quiet, window=Window(is_open=True, opens_s=now_s + 604_800))
    shut = replace(quiet, window=Window(is_open=False, opens_s=now_s + 30))
    far = replace(quiet, window=Window(is_open=False, opens_s=now_s + 604_800))
    assert rule_on(quiet, now_ms=NOW_MS) == Escalate(Cause.WINDOW_NEEDED)
    assert isinstance(rule_on(opened, now_ms=NOW_MS), Proceed)
    assert rule_on(shut, now_ms=NOW_MS) == Hold(Cause.WINDOW_CLOSED, (now_s + 30) * 1000)
    assert rule_on(far, now_ms=NOW_MS) == Hold(Cause.WINDOW_CLOSED, NOW_MS + STALE_WAIT_MS)


def test_the_hour_in_which_enough_was_repaired_is_waited_for() -> None:
    spent = history(budget_until_ms=NOW_MS + 5)(FREE)
    assert rule_on(spent, now_ms=NOW_MS) == Hold(Cause.HOURLY_BUDGET, NOW_MS + 5)


def test_enough_targets_within_the_hour_are_waited_for() -> None:
    wide = history(blast_until_ms=NOW_MS + 5)(FREE)
    assert rule_on(wide, now_ms=NOW_MS) == Hold(Cause.BLAST_RADIUS, NOW_MS + 5)
    assert isinstance(rule_on(wide, now_ms=NOW_MS + 5), Proceed)


SID = "ab" * 32


def by_order(candidate: Candidate, *, has_people: bool = False) -> Ruling:
    assert candidate.runbook is not None
    asked = Asked(SID, candidate.runbook, {}, has_people)
    return rule_on_order(candidate, asked, now_ms=NOW_MS)


def test_an_order_repairs_where_no_rule_does_and_its_plan_names_it() -> None:
    ruling = by_order(replace(FREE, rule=None))
    assert isinstance(ruling, Proceed)
    assert (ruling.plan.order, ruling.plan.rule) == (SID, f"order:{SID[:16]}")
    assert ruling.plan.verify == FREE.check.id


@pytest.mark.parametrize("level", [Autonomy.ALERT, Autonomy.APPROVE, Autonomy.WINDOW])
def test_what_waits_for_a_person_is_let_through_by_one_who_signed(level: Autonomy) -> None:
    waiting = runbook(autonomy=level)(FREE)
    assert by_order(waiting) == Escalate(CAUSES[level])
    assert isinstance(by_order(waiting, has_people=True), Proceed)


@pytest.mark.parametrize(
    ("change", "ruling"),
    [
        (history(is_refused=True), Hold(Cause.NOT_MANAGED, NOW_MS + STALE_WAIT_MS)),
        (
            lambda one: replace(one, finding=finding(at_ms=STALE_MS)),
            Hold(Cause.STALE_FINDING, NOW_MS + STALE_WAIT_MS),
        ),
        (lambda one: replace(one, is_waived=True), Waive()),
        (
            lambda one: replace(one, is_protected=True),
            Hold(Cause.PROTECTED_HOST, NOW_MS + STALE_WAIT_MS),
        ),
        (
            lambda one: replace(one, site_autonomy=Autonomy.OBSERVE),
            Hold(Cause.OBSERVE_ONLY, NOW_MS + STALE_WAIT_MS),
        ),
        (
            lambda one: replace(
                one, site_autonomy=Autonomy.WINDOW, window=Window(is_open=False, opens_s=NOW_MS)
            ),
            Hold(Cause.WINDOW_CLOSED, NOW_MS + STALE_WAIT_MS),
        ),
        (runbook(disruption=Disruption.LOCKOUT), Escalate(Cause.NO_REVERT)),
        (history(breaker_until_ms=NOW_MS + 9), Hold(Cause.BREAKER_OPEN, NOW_MS + 9)),
        (history(is_busy=True), Hold(Cause.TARGET_BUSY, 0)),
    ],
)
def test_no_signature_lifts_what_holds_every_repair_back(
    change: Callable[[Candidate], Candidate], ruling: Ruling
) -> None:
    assert by_order(change(FREE), has_people=True) == ruling
