"""The whole system from a seed: what holds on every run, and that a run is one run, bit for bit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.sim.campaign import once
from tests.sim.mutants import MUTANTS
from tests.sim.run import Outcome

SEEDS = range(1, 21)
SAME_SEED = 7
ROOT = Path(__file__).resolve().parents[2]

MUTANT_SEEDS_MAX = 12
"""How many seeds may pass before a broken variant must have been seen through."""


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[int, Future[Outcome]]]:
    """Start every seed, as many at once as there are processors; each test waits for its own."""
    workers = min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield {seed: pool.submit(once, seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_through_a_storm_of_crashes_and_losses(
    seed: int, runs: dict[int, Future[Outcome]]
) -> None:
    outcome = runs[seed].result()
    assert outcome.broken == ()
    assert outcome.lives > 4, "nothing was ever killed"
    assert outcome.results.get("healed", 0) > 0, "nothing was ever healed"


def test_one_seed_is_one_run_whatever_the_process(runs: dict[int, Future[Outcome]]) -> None:
    """Another process hashes strings otherwise and has other addresses in memory."""
    many = [sys.executable, str(ROOT / "tests" / "sim" / "many.py"), "--seed", str(SAME_SEED)]
    told = subprocess.run(
        many,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert runs[SAME_SEED].result().digest in told.stdout


def test_another_seed_is_another_run(runs: dict[int, Future[Outcome]]) -> None:
    assert len({run.result().digest for run in runs.values()}) == len(SEEDS)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_broken_variant_is_seen_through(name: str) -> None:
    """A simulator that cannot fail proves nothing: each variant breaks one promise on purpose."""
    for seed in range(1, MUTANT_SEEDS_MAX + 1):
        outcome = once(seed, mutant=name)
        if outcome.broken:
            assert any(MUTANTS[name].told in what for what in outcome.broken), outcome.broken
            return
    pytest.fail(f"{MUTANT_SEEDS_MAX} seeds passed with the variant {name}")
