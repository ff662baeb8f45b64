"""When the demo may say that it came out well."""

from typing import Any

from osiris.demo.goal import Picture, is_settled, problems

NEGLECT = {"emr": ("lin.ssh.root_login",)}


def incident(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    found = {
        "target": "t-aaaaaaaaaa",
        "check": "lin.ssh.root_login",
        "state": "healed",
        "cause": None,
        "updated_ms": 1,
    }
    return {**found, **changes}


def finding(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    found = {
        "target": "t-aaaaaaaaaa",
        "check": "lin.ssh.root_login",
        "verdict": "compliant",
        "reason": None,
    }
    return {**found, **changes}


def picture(**changes: Any) -> Picture:  # noqa: ANN401 - JSON
    found: dict[str, Any] = {
        "status": {"last_discovery_ms": 1, "evidence": 3, "hub_acknowledged": 3},
        "findings": [finding()],
        "incidents": [incident()],
        "names": {"t-aaaaaaaaaa": "emr"},
        "checks": 1,
    }
    return Picture(**{**found, **changes})


def test_a_healed_clinic_whose_evidence_arrived_is_settled_and_well() -> None:
    assert is_settled(picture())
    assert problems(picture(), NEGLECT) == []


def test_nothing_is_settled_before_everything_was_asked_and_sent() -> None:
    waiting = {"last_discovery_ms": 1, "evidence": 3, "hub_acknowledged": 2}
    assert not is_settled(picture(status=waiting))
    assert not is_settled(picture(status={**waiting, "last_discovery_ms": 0}))
    assert not is_settled(picture(findings=[]))
    assert not is_settled(picture(names={}))
    for state in ("open", "planned", "executing", "verifying", "undoing"):
        assert not is_settled(picture(incidents=[incident(state=state)]))


def test_a_drift_that_was_not_found_is_a_problem() -> None:
    assert problems(picture(incidents=[]), NEGLECT) == [
        "emr: lin.ssh.root_login had drifted and was not found"
    ]


def test_only_an_escalation_that_somebody_decided_beforehand_is_well() -> None:
    decided = incident(state="escalated", cause="approval_needed")
    assert problems(picture(incidents=[decided]), NEGLECT) == []
    failed = incident(state="escalated", cause="attempts_spent")
    assert problems(picture(incidents=[failed]), NEGLECT) == [
        "emr: lin.ssh.root_login was escalated: attempts_spent",
        "emr: lin.ssh.root_login is escalated, not healed",
    ]


def test_an_unknown_finding_of_a_target_is_a_problem() -> None:
    blind = finding(verdict="unknown", reason="timeout")
    assert problems(picture(findings=[blind]), NEGLECT) == [
        "emr: lin.ssh.root_login is unknown (timeout)"
    ]
