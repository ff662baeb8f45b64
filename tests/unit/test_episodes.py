"""Episodes: what each verdict does to each state of the incident that holds its key."""

from dataclasses import replace

import pytest

from appliance.core.episodes import BLIND_AFTER_MS, Watched, on_finding
from proto.findings import Verdict
from proto.ids import IncidentId
from proto.incidents import IN_HAND, LIVE, Cause, Incident, Severity, State
from tests.unit.core_values import NOW_MS, finding, incident

NEW = IncidentId("i-bbbbbbbbbb")


def watched(live: Incident | None, *, since_ms: int = NOW_MS, waived: bool = False) -> Watched:
    return Watched("linux", Severity.HIGH, live, since_ms, waived)


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("state", sorted(IN_HAND))
def test_while_a_repair_is_under_way_only_its_own_verify_decides(
    state: State, verdict: Verdict
) -> None:
    found = finding(verdict, seen={})
    assert on_finding(found, watched(incident(state), since_ms=0), new_id=NEW) == []


@pytest.mark.parametrize("state", sorted(LIVE - IN_HAND))
def test_a_passing_check_closes_what_is_live(state: State) -> None:
    (closed,) = on_finding(finding(Verdict.COMPLIANT), watched(incident(state)), new_id=NEW)
    assert (closed.id, closed.state, closed.cause) == (
        incident().id,
        State.CLOSED,
        Cause.PASSED,
    )
    assert closed.closed_ms == NOW_MS


def test_a_check_that_no_longer_applies_closes_its_incident() -> None:
    (closed,) = on_finding(finding(Verdict.NOT_APPLICABLE), watched(incident()), new_id=NEW)
    assert (closed.state, closed.cause) == (State.CLOSED, Cause.NOT_APPLICABLE)


@pytest.mark.parametrize("verdict", [Verdict.COMPLIANT, Verdict.NOT_APPLICABLE])
def test_nothing_wrong_opens_nothing(verdict: Verdict) -> None:
    assert on_finding(finding(verdict), watched(None), new_id=NEW) == []


def test_drift_opens_one_incident_and_further_drift_none() -> None:
    (opened,) = on_finding(finding(), watched(None), new_id=NEW)
    assert (opened.id, opened.state, opened.attempt) == (NEW, State.OPEN, 1)
    assert opened.seen == {"value": "yes"}
    assert on_finding(finding(), watched(opened), new_id=NEW) == []


def test_drift_that_looks_otherwise_is_the_same_incident_with_what_is_seen_now() -> None:
    found = finding(seen={"value": "without-password"})
    (changed,) = on_finding(found, watched(incident()), new_id=NEW)
    assert (changed.id, changed.state) == (incident().id, State.OPEN)
    assert changed.seen == {"value": "without-password"}


def test_drift_under_a_waiver_is_waived_from_the_start() -> None:
    (opened,) = on_finding(finding(), watched(None, waived=True), new_id=NEW)
    assert (opened.state, opened.cause) == (State.WAIVED, Cause.WAIVER)


def test_drift_after_a_heal_is_a_life_of_its_own() -> None:
    closed, opened = on_finding(finding(), watched(incident(State.HEALED)), new_id=NEW)
    assert (closed.id, closed.state, closed.cause) == (
        incident().id,
        State.CLOSED,
        Cause.RECURRED,
    )
    assert (opened.id, opened.state) == (NEW, State.OPEN)


def test_a_check_is_handed_over_once_when_it_was_blind_for_a_day() -> None:
    unknown = finding(Verdict.UNKNOWN, seen={})
    day_ago_ms = NOW_MS - BLIND_AFTER_MS
    assert on_finding(unknown, watched(None, since_ms=day_ago_ms + 1), new_id=NEW) == []
    (blind,) = on_finding(unknown, watched(None, since_ms=day_ago_ms), new_id=NEW)
    assert (blind.state, blind.cause) == (State.ESCALATED, Cause.CHECK_BLIND)
    assert on_finding(unknown, watched(blind, since_ms=day_ago_ms), new_id=NEW) == []


def test_a_waived_check_is_never_called_blind() -> None:
    unknown = finding(Verdict.UNKNOWN, seen={})
    assert on_finding(unknown, watched(None, since_ms=0, waived=True), new_id=NEW) == []


def test_a_blind_check_that_sees_drift_again_opens_an_incident_to_repair() -> None:
    blind = replace(incident(State.ESCALATED), cause=Cause.CHECK_BLIND)
    closed, opened = on_finding(finding(), watched(blind), new_id=NEW)
    assert (closed.state, opened.state) == (State.CLOSED, State.OPEN)


def test_what_a_person_has_stays_theirs_while_the_drift_lasts() -> None:
    escalated = replace(incident(State.ESCALATED), cause=Cause.NO_RULE)
    assert on_finding(finding(), watched(escalated), new_id=NEW) == []
