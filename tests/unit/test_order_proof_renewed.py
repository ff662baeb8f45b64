"""An auditor follows the keys of an appliance that renewed them, from any one that it had."""

import json
from typing import Any

import pytest

from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Held, Keys, Report, verify
from tests.unit import order_world as world
from tests.unit.order_evidence import order_file, renewal

LIFE = f"life at {world.APPLIANCE}"
CHAIN = f"keys of {world.APPLIANCE}"
INTENT, RESULT = 4, 5
"""The leaves of the two receipts in the appliance's evidence."""


def look(file: dict[str, Any], known: str) -> Report:
    keys = Keys(KeptTrust.of(world.TRUST), {world.APPLIANCE: world.key(known).public})
    return verify(json.dumps(file).encode(), keys)


def failed(report: Report) -> list[str]:
    return [one.what for one in report.failed]


def held(report: Report) -> dict[str, Held]:
    return {one.what: one.held for one in report.looks}


@pytest.mark.parametrize("known", ["box", "box 2", "box 3"])
def test_receipts_before_and_behind_renewals_are_looked_at_from_any_of_the_keys(known: str) -> None:
    """One between intent and result, one later; the auditor has the key of any time."""
    chain = [
        renewal(9, former="box 2", following="box 3"),
        renewal(INTENT, former="box", following="box 2"),
    ]
    report = look(order_file("ada", "bea", signers=("box", "box 2"), renewals=chain), known)
    assert failed(report) == []
    assert held(report)[LIFE] is held(report)[CHAIN] is Held.PASSED


def test_without_the_renewals_a_receipt_of_another_key_is_not_checked() -> None:
    report = look(order_file("ada", "bea", signers=("box", "box 2")), "box 2")
    assert failed(report) == []
    assert held(report)["receipt 1"] is held(report)[LIFE] is Held.NOT_CHECKED
    assert CHAIN not in held(report)


@pytest.mark.parametrize(
    ("signers", "seq"), [(("box", "box"), INTENT), (("box 2", "box 2"), RESULT)]
)
def test_a_receipt_by_a_key_that_does_not_count_at_its_place_fails(
    signers: tuple[str, str], seq: int
) -> None:
    """Somebody copied the former key; or the next one signs for what was before it."""
    chain = [renewal(seq, former="box", following="box 2")]
    report = look(order_file("ada", "bea", signers=signers, renewals=chain), "box 2")
    wrong = "receipt 2" if signers[0] == "box" else "receipt 1"
    assert wrong in failed(report)


@pytest.mark.parametrize("known", ["box", "box 2"])
def test_a_renewal_that_either_key_has_not_signed_fails(known: str) -> None:
    chain = [renewal(INTENT, former="mallory", following="box 2")]
    chain[0]["former"] = world.key("box").public.b64()
    report = look(order_file("ada", "bea", signers=("box", "box 2"), renewals=chain), known)
    assert CHAIN in failed(report)


def test_two_renewals_of_one_key_fail() -> None:
    """Somebody copied the former key and names a next one of their own."""
    chain = [
        renewal(INTENT, former="box", following="box 2"),
        renewal(INTENT, former="box", following="mallory"),
    ]
    report = look(order_file("ada", "bea", renewals=chain), "box")
    assert CHAIN in failed(report)


def test_renewals_in_a_circle_or_out_of_order_fail_and_end() -> None:
    circle = [
        renewal(2, former="box", following="box 2"),
        renewal(3, former="box 2", following="box"),
    ]
    assert CHAIN in failed(look(order_file("ada", "bea", renewals=circle), "box"))
    backward = [
        renewal(7, former="box", following="box 2"),
        renewal(3, former="box 2", following="box 3"),
    ]
    assert CHAIN in failed(look(order_file("ada", "bea", renewals=backward), "box"))


def test_renewals_that_lead_nowhere_near_the_known_key_say_nothing() -> None:
    chain = [renewal(2, former="mallory", following="other")]
    report = look(order_file("ada", "bea", renewals=chain), "box")
    assert failed(report) == []
    assert CHAIN not in held(report)


def test_a_renewal_of_another_appliance_fails_under_this_ones_name() -> None:
    chain = [renewal(2, former="box", following="box 2") | {"appliance": world.OTHER_APPLIANCE}]
    keys = Keys(KeptTrust.of(world.TRUST), {world.OTHER_APPLIANCE: world.key("box").public})
    file = order_file("ada", "bea", renewals=chain)
    assert f"keys of {world.OTHER_APPLIANCE}" in failed(verify(json.dumps(file).encode(), keys))
