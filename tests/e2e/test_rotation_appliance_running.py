"""An appliance's keys are renewed while both daemons run, are killed and are put back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proto.appliance_keys import KeyHistory
from proto.evidence import KeysLeaf
from proto.keys import PublicKey
from tests.e2e.daemons import until
from tests.e2e.pair import Pair, pair
from tests.e2e.test_hub_restored import back_up, put_back, until_the_same


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Pair]:
    with pair(tmp_path) as made:
        made.appliance.start()
        made.grow(2)
        until_the_same(made)
        yield made


def renew(two: Pair) -> dict[str, Any]:
    """Do what `osiris appliance keys renew` does, and wait until the hub has heard of it."""
    found: dict[str, Any] = two.appliance.ask("POST", "/api/keys/renew", {})
    until(lambda: bool(two.appliance.ask("GET", "/api/keys")["is_heard"]), "the hub took it")
    return found


def hub_key(two: Pair) -> str:
    (row,) = two.hub_rows("SELECT ed25519 FROM appliances")
    return PublicKey(row["ed25519"]).b64()


def check_ins(two: Pair) -> int:
    (row,) = two.hub_rows("SELECT seq FROM appliances")
    return int(row["seq"])


def hears_check_ins(two: Pair) -> None:
    before = check_ins(two)
    until(lambda: check_ins(two) > before, "the appliance checks in")


def refusals(two: Pair) -> list[str]:
    return [row["code"] for row in two.hub_rows("SELECT code FROM refusals")]


def test_the_hub_follows_by_itself_and_nothing_is_refused(two: Pair) -> None:
    first = two.status()["public_key"]
    renewed = renew(two)
    assert two.status()["public_key"] == renewed["public_key"] == hub_key(two) != first
    assert two.status()["sealing_key"] == renewed["sealing_key"]
    hears_check_ins(two)
    two.grow(2)
    until_the_same(two)
    assert refusals(two) == []
    rows = two.hub_rows("SELECT envelope FROM leaves ORDER BY leaf")
    keys = KeyHistory.of(PublicKey.from_b64(first))
    for index, row in enumerate(rows):
        leaf = keys.open(row["envelope"], index)
        assert isinstance(leaf, KeysLeaf) == (keys.after(index, leaf) != keys)
        keys = keys.after(index, leaf)
    assert keys.current.b64() == renewed["public_key"], "whoever has the log can follow the keys"


def test_both_daemons_start_again_with_the_next_key(two: Pair) -> None:
    renewed = renew(two)
    two.appliance.kill()
    two.hub.kill()
    two.hub.start()
    two.appliance.start()
    assert two.status()["public_key"] == renewed["public_key"] == hub_key(two)
    hears_check_ins(two)
    two.grow(1)
    until_the_same(two)
    assert refusals(two) == []


def test_renewed_while_the_hub_is_away_and_killed_before_it_is_back(two: Pair) -> None:
    """It starts with a key that its hub has never heard of: it is not stranded."""
    two.hub.stop()
    renewed = two.appliance.ask("POST", "/api/keys/renew", {})
    assert not renewed["is_heard"]
    two.grow(2)
    two.appliance.kill()
    two.appliance.start()
    two.hub.start()
    until_the_same(two)
    assert hub_key(two) == renewed["public_key"]
    hears_check_ins(two)
    assert refusals(two) == []


def test_a_hub_put_back_to_before_the_renewal_hears_of_it_again(two: Pair, tmp_path: Path) -> None:
    two.hub.stop()
    back_up(two, tmp_path / "backup")
    two.hub.start()
    renewed = renew(two)
    two.grow(2)
    until_the_same(two)
    two.hub.stop()
    put_back(two, tmp_path / "backup")
    two.appliance.kill()
    two.hub.start()
    assert hub_key(two) != renewed["public_key"]
    two.appliance.start()
    until_the_same(two)
    assert hub_key(two) == renewed["public_key"]
    hears_check_ins(two)
