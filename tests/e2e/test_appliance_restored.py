"""An appliance's disk put back to yesterday's copy gets its evidence back, and goes on after it."""

import shutil
from pathlib import Path

from tests.e2e.daemons import until
from tests.e2e.pair import Pair, pair

BEFORE, SINCE, AFTER = 3, 5, 2
"""Leaves written before the copy, since, and by the disk that was put back."""

FILES = ("osiris.db", "osiris.db-wal", "osiris.db-shm")


def logs(two: Pair) -> tuple[list[bytes], list[bytes]]:
    """Return the log as the appliance and as the hub has it."""
    ours = [row["leaf"] for row in two.rows("SELECT leaf FROM evidence ORDER BY idx")]
    theirs = [row["envelope"] for row in two.hub_rows("SELECT envelope FROM leaves ORDER BY leaf")]
    return ours, theirs


def until_the_same(two: Pair) -> list[bytes]:
    """Wait until both ends hold the same log, and return it."""

    def is_same() -> bool:
        ours, theirs = logs(two)
        return ours == theirs

    until(is_same, "both ends hold the same log")
    return logs(two)[0]


def test_a_disk_of_yesterday_gets_its_evidence_back_and_writes_on(tmp_path: Path) -> None:
    with pair(tmp_path) as two:
        state = two.directory / "appliance"
        two.appliance.start()
        two.grow(BEFORE)
        until_the_same(two)
        two.appliance.stop()
        for name in FILES:
            if (state / name).exists():
                shutil.copy2(state / name, tmp_path / name)
        two.appliance.start()
        two.grow(SINCE)
        held = until_the_same(two)
        two.appliance.stop()
        for name in FILES:
            (state / name).unlink(missing_ok=True)
            if (tmp_path / name).exists():
                shutil.copy2(tmp_path / name, state / name)
        two.appliance.start()
        two.grow(AFTER)
        until(lambda: len(logs(two)[0]) > len(held), "what was lost is back, and there is more")
        whole = until_the_same(two)
        assert whole[: len(held)] == held
        assert two.appliance.ask("POST", "/api/evidence/verify", {})["leaves"] >= len(whole)
        told = two.rows("SELECT code FROM health")
        assert "orders_recovering" not in {row["code"] for row in told}
