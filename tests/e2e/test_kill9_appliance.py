"""Kill -9 of the appliance at random moments during repairs: nothing is lost or done twice.

What ran is told by the targets themselves, in a log that every script appends to, together with
the token of the run it belongs to; what should have run is told by the appliance's journal.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clinic_scene import Clinic, clinic, lamp_log, lit
from tests.e2e.clinic_scene_content import Lamp
from tests.e2e.daemons import until

pytestmark = pytest.mark.lab

KILLS = 20
HOSTS = 3
LAMPS = (
    *(Lamp(f"late{n}", severity="critical", lights_at=2) for n in range(2)),
    *(Lamp(f"early{n}") for n in range(9)),
)
"""The late ones come first: cut short they are undone, and tried again after a minute."""

LIFE_S_MAX = 0.8


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Clinic]:
    with clinic(tmp_path, LAMPS, hosts=HOSTS) as made:
        yield made


def chance() -> random.Random:
    """Return this run's randomness and print what repeats it."""
    seed = int(os.environ.get("OSIRIS_SEED") or time.time_ns() % 1_000_000)
    print(f"OSIRIS_SEED={seed}")  # noqa: T201 - shown when the test fails
    return random.Random(seed)  # noqa: S311 - moments, not secrets


def kill_while_healing(scene: Clinic, moments: random.Random) -> None:
    """Wait until the daemon takes up a repair, and kill it some moment later."""
    before = scene.count("SELECT count(*) FROM commands WHERE done_ms IS NOT NULL")

    def is_at_work() -> bool:
        done = scene.count("SELECT count(*) FROM commands WHERE done_ms IS NOT NULL")
        return done > before or not scene.unsettled()

    until(is_at_work, "the appliance takes up a repair")
    time.sleep(moments.uniform(0, LIFE_S_MAX))  # the moment is the test
    scene.appliance.kill()


def test_twenty_kills_during_repairs_lose_nothing_and_double_nothing(scene: Clinic) -> None:
    moments = chance()
    scene.appliance.start()
    targets = scene.add_targets()
    kills = idle = 0
    while kills < KILLS:
        kill_while_healing(scene, moments)
        kills += scene.in_hand() > 0
        idle += scene.in_hand() == 0
        assert idle <= KILLS, f"{kills} kills found a repair under way, {idle} none"
        scene.appliance.start()
    scene.until_settled(HOSTS * len(LAMPS))
    assert scene.appliance.starts == kills + idle + 1

    incidents = scene.rows("SELECT id, target, check_id, state, cause FROM incidents")
    assert len(incidents) == HOSTS * len(LAMPS)
    tokens = tokens_of(scene)
    for target, host in targets.items():
        log = lamp_log(host)
        assert_nothing_ran_twice(log, tokens)
        assert_told_as_it_is(
            [row for row in incidents if row["target"] == target], lit(host), log, tokens
        )
    assert_evidence_tells_each_repair_once(scene)
    scene.assert_evidence_arrived()


def tokens_of(scene: Clinic) -> dict[str, tuple[str, int]]:
    """Return which run of which incident each journaled token stands for."""
    rows = scene.rows("SELECT incident, run, captured FROM repairs WHERE captured IS NOT NULL")
    found = {json.loads(row["captured"])["token"]: (row["incident"], row["run"]) for row in rows}
    assert len(found) == len(rows), "a token is of one run"
    return found


def assert_nothing_ran_twice(
    log: list[tuple[str, str, str, str]], tokens: dict[str, tuple[str, int]]
) -> None:
    """Require of a target: of each run each step began at most once, in order, none unheard-of."""
    begun = [(step, tokens[token]) for word, _, step, token in log if word == "begin"]
    twice = {what: count for what, count in Counter(begun).items() if count > 1}
    assert not twice
    for run in set(tokens.values()):
        steps = [step for step, of in begun if of == run]
        assert steps == sorted(steps), "steps come in order, and undo last"


def assert_told_as_it_is(
    incidents: list[dict[str, str]],
    lamps_lit: set[str],
    log: list[tuple[str, str, str, str]],
    tokens: dict[str, tuple[str, int]],
) -> None:
    """Require of a target's incidents: healed is lit, and a person has each other one."""
    for row in incidents:
        name = row["check_id"].rpartition(".")[2]
        if row["state"] == "healed":
            assert name in lamps_lit, f"{name} is called healed and is dark"
        else:
            assert (row["state"], row["cause"]) in ESCALATIONS, row
        ran = {token for _, lamp, _, token in log if lamp == name}
        assert {tokens[token][0] for token in ran} <= {row["id"]}


ESCALATIONS = {
    ("escalated", "undo_unknown"),  # killed in the middle of an undo
    ("escalated", "attempts_spent"),  # killed in both attempts
}


def assert_evidence_tells_each_repair_once(scene: Clinic) -> None:
    """Require one heal leaf for each run that ended with a result, and each in its own place."""
    ended = scene.rows("SELECT incident, result, leaf FROM repairs WHERE result IS NOT NULL")
    leaves = scene.rows("SELECT idx, incident FROM evidence WHERE type = 'heal'")
    assert {(row["leaf"], row["incident"]) for row in ended} == {
        (row["idx"], row["incident"]) for row in leaves
    }
    assert len(ended) == len(leaves)
    healed = Counter(row["incident"] for row in ended if row["result"] == "healed")
    states = scene.rows("SELECT id FROM incidents WHERE state = 'healed'")
    assert healed == Counter(row["id"] for row in states)
