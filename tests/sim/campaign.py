"""Many seeds, one after another; the first that breaks a promise ends it, and says how to see it.

python tests/sim/many.py                      100 seeds from 1001 on
python tests/sim/many.py --count 1000 --first 1
python tests/sim/many.py --seed 17 --trace    one seed again, with everything that happened
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tests.sim.mutants import MUTANTS, broken
from tests.sim.run import Outcome, simulate

SHM = Path("/dev/shm")  # noqa: S108 - memory where there is some: a run syncs its files very often


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; 1 when a promise was broken."""
    asked = _parser().parse_args(arguments)
    seeds = (
        [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.count)
    )
    for seed in seeds:
        began_s = time.monotonic()
        outcome = once(seed, mutant=asked.mutant, trace=asked.trace)
        took_s = time.monotonic() - began_s
        sys.stdout.write(f"seed {seed}: {took_s:.1f} s, {_summary(outcome)}\n")
        if outcome.broken:
            sys.stdout.write("".join(f"  {what}\n" for what in outcome.broken))
            sys.stdout.write(f"see it again: python tests/sim/many.py --seed {seed} --trace\n")
            return 1
    return 0


def once(seed: int, *, mutant: str | None = None, trace: bool = False) -> Outcome:
    """Run one seed in a folder that is gone afterwards; with a mutant, on a broken product."""
    home = SHM if SHM.is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=home) as folder,
        broken(mutant) if mutant else nullcontext(),
    ):
        return simulate(seed, Path(folder), show=_print if trace else None)


def hunt(mutant: str, *, count: int) -> Outcome | None:
    """Return the first run that a mutant breaks, or None when so many seeds passed."""
    first = MUTANTS[mutant].first_seed
    for seed in range(first, first + count):
        outcome = once(seed, mutant=mutant)
        if outcome.broken:
            return outcome
    return None


def _print(line: str) -> None:
    sys.stdout.write(line)


def _summary(outcome: Outcome) -> str:
    results = ", ".join(f"{count} {name}" for name, count in sorted(outcome.results.items()))
    orders = ", ".join(f"{count} {name}" for name, count in sorted(outcome.orders.items()))
    return (
        f"{outcome.lives} lives, {outcome.leaves} leaves, {outcome.lines} lines, {results};"
        f" put back: {', '.join(outcome.put_back) or 'nothing'}; orders: {orders}; {outcome.digest}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="many.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument("--first", type=int, default=1001, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this seed")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the product on purpose")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
