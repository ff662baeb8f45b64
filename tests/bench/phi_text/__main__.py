"""`python -m tests.bench.phi_text SEED [EACH]` prints a labelled set, a JSON object a line."""

import sys

from tests.bench.phi_text.sets import as_row, make

if __name__ == "__main__":
    seed, each = (*map(int, sys.argv[1:3]), 1)[:2] if len(sys.argv) > 1 else (1, 1)
    for one in make(seed, each=each):
        sys.stdout.write(f"{as_row(one)}\n")
