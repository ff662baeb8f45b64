"""The whole system from a seed: what holds on every run, and that a run is one run, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.mutants import MUTANTS, broken
from tests.sim.run import simulate

SEEDS = range(1, 21)
SAME_SEED = 7
ROOT = Path(__file__).resolve().parents[2]

MUTANT_SEEDS_MAX = 12
"""How many seeds may pass before a broken variant must have been seen through."""


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_through_a_storm_of_crashes_and_losses(
    seed: int, tmp_path: Path
) -> None:
    outcome = simulate(seed, tmp_path)
    assert outcome.broken == ()
    assert outcome.lives > 4, "nothing was ever killed"
    assert outcome.results.get("healed", 0) > 0, "nothing was ever healed"


def test_one_seed_is_one_run_whatever_the_process(tmp_path: Path) -> None:
    """Another process hashes strings otherwise and has other addresses in memory."""
    (tmp_path / "here").mkdir()
    here = simulate(SAME_SEED, tmp_path / "here")
    many = [sys.executable, str(ROOT / "tests" / "sim" / "many.py"), "--seed", str(SAME_SEED)]
    told = subprocess.run(
        many,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert here.digest in told.stdout


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    digests = set()
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        digests.add(simulate(seed, tmp_path / str(seed), storm_s=60.0).digest)
    assert len(digests) == 2


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_broken_variant_is_seen_through(name: str, tmp_path: Path) -> None:
    """A simulator that cannot fail proves nothing: each variant breaks one promise on purpose."""
    for seed in range(1, MUTANT_SEEDS_MAX + 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with broken(name):
            outcome = simulate(seed, folder)
        if outcome.broken:
            assert any(MUTANTS[name].told in what for what in outcome.broken), outcome.broken
            return
    pytest.fail(f"{MUTANT_SEEDS_MAX} seeds passed with the variant {name}")
