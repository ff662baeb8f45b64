"""A hub put back to yesterday's backup gets from its appliance what it lost, once, and says so."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from proto.envelope import Kind, open_envelope
from proto.evidence import HealthLeaf, parse_leaf
from proto.keys import PublicKey, trust_one
from tests.e2e.daemons import until
from tests.e2e.pair import Pair, pair

BEFORE, SINCE = 3, 4
"""Leaves written before the backup, and since."""

FILES = ("hub.db", "hub.db-wal", "hub.db-shm")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Pair]:
    with pair(tmp_path) as made:
        made.appliance.start()
        yield made


def back_up(two: Pair, to: Path) -> None:
    """Copy the database of a hub that is stopped."""
    to.mkdir()
    for name in FILES:
        if (two.hub_store.parent / name).exists():
            shutil.copy2(two.hub_store.parent / name, to / name)


def put_back(two: Pair, came_from: Path) -> None:
    for name in FILES:
        (two.hub_store.parent / name).unlink(missing_ok=True)
    for file in came_from.iterdir():
        shutil.copy2(file, two.hub_store.parent / file.name)


def health_told(two: Pair, code: str) -> list[bool]:
    """Return what the hub was told of a condition, in the order of the log."""
    (row,) = two.hub_rows("SELECT ed25519 FROM appliances")
    trust = trust_one("appliance", PublicKey(row["ed25519"]))
    leaves = two.hub_rows("SELECT envelope FROM leaves ORDER BY leaf")
    opened = [open_envelope(one["envelope"], kind=Kind.EVIDENCE, trust=trust) for one in leaves]
    told = [parse_leaf(one.body) for one in opened]
    return [one.ok for one in told if isinstance(one, HealthLeaf) and one.code == code]


def until_the_same(two: Pair) -> int:
    """Wait until both ends hold the same leaves, each once, under one cosigned head."""

    def is_same() -> bool:
        (head,) = two.rows("SELECT size, cosigned FROM evidence_head")
        ours = two.rows("SELECT idx, leaf FROM evidence ORDER BY idx")
        theirs = two.hub_rows("SELECT leaf, envelope FROM leaves ORDER BY leaf")
        assert [row["leaf"] for row in theirs] == list(range(len(theirs)))
        newest = two.hub_rows("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1")
        signed = [{"size": head["size"], "note": head["cosigned"]}]
        bytes_of = [row["envelope"] for row in theirs], [row["leaf"] for row in ours]
        return bytes_of[0] == bytes_of[1] and newest == signed

    until(is_same, "both ends hold the same log")
    sound: int = two.appliance.ask("POST", "/api/evidence/verify", {})["leaves"]
    return sound


def test_a_hub_restored_from_a_backup_gets_its_leaves_back_without_new_evidence(
    two: Pair, tmp_path: Path
) -> None:
    two.grow(BEFORE)
    held = until_the_same(two)
    two.hub.stop()
    back_up(two, tmp_path / "backup")
    two.hub.start()
    two.grow(SINCE)
    size = until_the_same(two)
    assert size >= held + SINCE

    two.hub.stop()
    put_back(two, tmp_path / "backup")
    (backed_up,) = two.hub_rows("SELECT count(*) AS n FROM leaves")
    assert held <= backed_up["n"] < size
    two.hub.start()
    until(lambda: health_told(two, "hub_went_back") == [False, True], "it is told, and over")
    until_the_same(two)
    roots = two.hub_rows("SELECT size, count(DISTINCT root) AS n FROM checkpoints GROUP BY size")
    assert {row["n"] for row in roots} == {1}, "one root at one size"
    sizes = {row["size"] for row in roots}
    assert not sizes & set(range(backed_up["n"] + 1, size)), (
        "nothing is signed before what was is back"
    )
    (told,) = two.hub_rows(
        "SELECT cleared_ms, message FROM conditions WHERE code = 'evidence_lost'"
    )
    assert told["message"].endswith(f" leaves were acknowledged, {backed_up['n']} are here")
    assert told["cleared_ms"] is not None
    assert "hub_went_back" not in two.status()["health"]
