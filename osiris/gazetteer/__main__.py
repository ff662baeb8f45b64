"""`python -m osiris.gazetteer build`: make the compact file of names unless it is current."""

import argparse
import sys

from osiris.gazetteer import compile as compiler
from osiris.gazetteer import sources
from osiris.gazetteer.weights import weigh
from proto.errors import OsirisError
from proto.phi.gazetteer import read_gazetteer
from runtime.terminal import note


def build() -> None:
    """Read the archives, weigh, pack, read back, and only then put the file in its place."""
    if compiler.current():
        note(f"names: {compiler.place().name} is current")
        return
    note("names: fetching four pinned archives of name statistics (once, about 23 MB)")
    archives = sources.archives()
    note("names: reading them (about ten seconds)")
    packed = compiler.pack(weigh(sources.count(archives)), source=compiler.recipe())
    entries = len(read_gazetteer(packed))
    target = compiler.write(packed)
    note(f"names: {entries} entries, {len(packed) // 1024} KiB in {target}")


def main() -> int:
    """Run the verb."""
    parser = argparse.ArgumentParser(prog="python -m osiris.gazetteer", description=__doc__)
    parser.add_argument("verb", choices=["build"])
    parser.parse_args()
    try:
        build()
    except OsirisError as error:
        note(f"names: {error}")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
