"""`python -m osiris.gazetteer build`: make the compact file of names unless it is current.

`python -m osiris.gazetteer words [FOLDER ...]` prints `rules/phi/words.yaml` counted anew.
"""

import argparse
import sys
from pathlib import Path

from osiris.gazetteer import compile as compiler
from osiris.gazetteer import sources, words
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


def print_words(folders: list[str]) -> None:
    """Count words in manuals and print the file of the scrubber's content."""
    known = read_gazetteer(compiler.place().read_bytes())
    texts = words.documents(map(Path, folders or words.FOLDERS))
    counted = words.count(texts, lambda word: max(known.weights(word)[:2]))
    sys.stdout.write(words.as_yaml(counted))


def main() -> int:
    """Run the verb."""
    parser = argparse.ArgumentParser(prog="python -m osiris.gazetteer", description=__doc__)
    parser.add_argument("verb", choices=["build", "words"])
    parser.add_argument("folders", nargs="*")
    given = parser.parse_args()
    try:
        if given.verb == "words":
            print_words(given.folders)
        else:
            build()
    except OsirisError as error:
        note(f"names: {error}")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
