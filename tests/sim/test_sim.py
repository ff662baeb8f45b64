"""The whole system from a seed: what holds on every run, and that a run is one run, bit for bit."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.sim.campaign import hunt, once
from tests.sim.mutants import MUTANTS
from tests.sim.run import Outcome

SEEDS = (3, 7, 8, 10)
"""Quick ones that meet everything between them; `make sim` runs many more."""

SAME_SEED = 8
ROOT = Path(__file__).resolve().parents[2]

MUTANT_SEEDS = 12
"""How many seeds may pass before a broken variant must have been seen through."""

WORKERS_MAX = 8


@dataclass(frozen=True)
class Started:
    """What was started; each test waits for its own."""

    seeds: dict[int, Future[Outcome]]
    mutants: dict[str, Future[Outcome | None]]


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    """Start everything, as many runs at once as there are processors."""
    workers = min(os.cpu_count() or 1, WORKERS_MAX)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield Started(
            {seed: pool.submit(once, seed) for seed in SEEDS},
            {name: pool.submit(hunt, name, count=MUTANT_SEEDS) for name in MUTANTS},
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_through_a_storm_of_crashes_and_losses(
    seed: int, started: Started
) -> None:
    outcome = started.seeds[seed].result()
    assert outcome.broken == ()
    assert outcome.lives > 4, "nothing was ever killed"
    assert outcome.results.get("healed", 0) > 0, "nothing was ever healed"


def test_the_seeds_meet_what_orders_can_meet(started: Started) -> None:
    """Promises that nothing puts to the test hold for nothing."""
    outcomes = [run.result() for run in started.seeds.values()]
    ends = Counter[str]()
    for outcome in outcomes:
        ends.update(outcome.orders)
    wanted = {*("done", "failed", "unknown", "vetoed", "expired", "scope_appliance", "rate_hour")}
    assert wanted <= set(ends)
    put_back = {name.partition("-")[0] for outcome in outcomes for name in outcome.put_back}
    assert put_back, "no disk was ever put back"


def test_one_seed_is_one_run_whatever_the_process(started: Started) -> None:
    """Another process hashes strings otherwise and has other addresses in memory."""
    many = [sys.executable, str(ROOT / "tests" / "sim" / "many.py"), "--seed", str(SAME_SEED)]
    told = subprocess.run(
        many,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.seeds[SAME_SEED].result().digest in told.stdout


def test_another_seed_is_another_run(started: Started) -> None:
    assert len({run.result().digest for run in started.seeds.values()}) == len(SEEDS)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_broken_variant_is_seen_through(name: str, started: Started) -> None:
    """A simulator that cannot fail proves nothing: each variant breaks one promise on purpose."""
    outcome = started.mutants[name].result()
    assert outcome is not None, f"{MUTANT_SEEDS} seeds passed with the variant {name}"
    assert any(MUTANTS[name].told in what for what in outcome.broken), outcome.broken
