"""Our scrubber beside two others, in one process, on the same labelled lines.

    python tests/bench/phi_compare.py [--json] [--each N]

Presidio's pattern recognizers (all that it loads for English except its language model) and
scrubadub's default detectors run in an environment of their own below `.cache/osiris`, pinned in
`phi_compare.lock`, because they bring 650 MB that nothing else of ours needs. Presidio's
recognizers are called directly, without its analyzer around them, which is faster than its users
have it; its list of public suffixes is the one it ships, so that nothing is fetched.

Lines: the development set where it is there, and a set of ours from a fixed seed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from osiris.phi_measure import (  # noqa: E402 - the path above comes first
    SECRET,
    STAFF,
    TOKEN,
    Line,
    Measured,
    Scrub,
    measure,
    read_lines,
)
from tests.bench.phi_text.sets import make  # noqa: E402
from tests.bench.rows import Row, table  # noqa: E402

LOCK = Path(__file__).with_suffix(".lock")
PLACE = ROOT / ".cache" / "osiris" / "phi-bench"
SET = ROOT.parent / "shared" / "phi-dev"
SEED = 811
OURS, PRESIDIO, SCRUBADUB = "osiris", "presidio patterns", "scrubadub"
FASTER_THAN_PRESIDIO_MIN = 20.0
INSTALL_WITHIN_S = 1_800
RUN_WITHIN_S = 1_800


@dataclass(frozen=True, slots=True)
class Contestant:
    """What one scrubber did on one set."""

    name: str
    lines: str
    recall: float | None
    clean_lines_altered: float | None
    clean_characters_altered: float | None
    facts_kept: float | None
    json_valid: float | None
    idempotent: float | None
    megabytes_per_s: float | None


def rows(*, each: int = 2) -> list[Row]:
    """Measure in the other environment and hold ours against theirs; rows of the bench's table."""
    return _held(run(each=each))


def run(*, each: int) -> list[Contestant]:
    """Install the environment when it is not current, and measure in it.

    Raises:
        RuntimeError: it cannot be installed or the measuring failed; the message says what.
    """
    _install()
    done = subprocess.run(
        [str(PLACE / "bin" / "python"), __file__, "--inside", "--each", str(each)],
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(PLACE)},
        check=False,
    )
    if done.returncode != 0:
        msg = f"the comparison failed: {done.stderr[-400:]}"
        raise RuntimeError(msg)
    return [Contestant(**row) for row in json.loads(done.stdout)]


def _install() -> None:
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = PLACE / ".installed"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    sys.stderr.write(f"installing the other scrubbers into {PLACE} (some minutes, once)\n")
    venv.create(PLACE, with_pip=True, clear=True)
    pip = [str(PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)],
        capture_output=True,
        text=True,
        timeout=INSTALL_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        msg = f"the other scrubbers cannot be installed: {done.stderr[-400:]}"
        raise RuntimeError(msg)
    stamp.write_text(wanted, "utf-8")


def _inside(each: int) -> list[Contestant]:
    """In the other environment: every scrubber on every set."""
    from proto.phi import scrub_text  # noqa: PLC0415 - the driver needs no scrubber

    sets: dict[str, list[Line]] = {"own text": make(SEED, each=each)}
    if SET.is_dir():
        files = sorted(SET.glob("*.jsonl"))
        given = [line for one in files for line in read_lines(one.read_bytes(), where=one.name)]
        sets = {"phi-dev": given, **sets}
    scrubbers: dict[str, tuple[Scrub, str]] = {
        OURS: (scrub_text, TOKEN),
        PRESIDIO: (_presidio(), r"<[A-Z_]+>"),
        SCRUBADUB: (_scrubadub(), r"\{\{[A-Z_]+(?:-\d+)?\}\}"),
    }
    return [
        _contestant(
            name,
            title,
            measure(lines, scrub, clock=time.process_time, placeholder=placeholder),
        )
        for title, lines in sets.items()
        for name, (scrub, placeholder) in scrubbers.items()
    ]


def _contestant(name: str, title: str, measured: Measured) -> Contestant:
    return Contestant(
        name=name,
        lines=title,
        recall=measured.over(but={SECRET, *STAFF}).value,
        clean_lines_altered=measured.altered.share().value,
        clean_characters_altered=measured.altered_characters.share().value,
        facts_kept=measured.kept.share().value,
        json_valid=measured.json_valid.share().value,
        idempotent=measured.idempotent.share().value,
        megabytes_per_s=measured.megabytes_per_s,
    )


def _presidio() -> Scrub:
    suffixes = import_module("tldextract")
    shipped = suffixes.TLDExtract(suffix_list_urls=(), cache_dir=None)
    setattr(import_module("tldextract.tldextract"), "TLD_EXTRACTOR", shipped)  # noqa: B010 - untyped
    registry = import_module("presidio_analyzer").RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    recognizers: list[Any] = [
        one for one in registry.recognizers if type(one).__name__ != "SpacyRecognizer"
    ]

    def scrub(text: str) -> str:
        hits = sorted(
            (hit.start, hit.end, hit.entity_type)
            for one in recognizers
            for hit in one.analyze(text, one.supported_entities, None) or []
        )
        pieces, at = [], 0
        for start, end, kind in hits:
            if start >= at:
                pieces += [text[at:start], f"<{kind}>"]
            at = max(at, end)
        return "".join([*pieces, text[at:]])

    return scrub


def _scrubadub() -> Scrub:
    scrubber = import_module("scrubadub").Scrubber(locale="en_US")
    return lambda text: str(scrubber.clean(text))


def _held(found: list[Contestant]) -> list[Row]:
    held: list[Row] = []
    for title in dict.fromkeys(one.lines for one in found):
        by_name = {one.name: one for one in found if one.lines == title}
        mine, others = by_name[OURS], [by_name[PRESIDIO], by_name[SCRUBADUB]]
        held += [
            Row(
                f"scrubbing {title}: recall",
                "higher than both",
                _said(mine.recall, [one.recall for one in others]),
                all((mine.recall or 0) > (one.recall or 0) for one in others),
            ),
            Row(
                "- clean lines altered",
                "fewer than both",
                _said(mine.clean_lines_altered, [one.clean_lines_altered for one in others]),
                all(
                    (mine.clean_lines_altered or 0) < (one.clean_lines_altered or 0)
                    for one in others
                ),
            ),
            _speed_row(mine, by_name),
        ]
    return held


def _speed_row(mine: Contestant, by_name: dict[str, Contestant]) -> Row:
    theirs = by_name[PRESIDIO].megabytes_per_s or 0.0
    other = by_name[SCRUBADUB].megabytes_per_s or 0.0
    own = mine.megabytes_per_s or 0.0
    times = own / theirs if theirs else 0.0
    return Row(
        "- MB/s of one core, line by line",
        f">= {FASTER_THAN_PRESIDIO_MIN:g} x Presidio's",
        f"{own:.2f}; presidio {theirs:.3f} ({times:.0f} x), scrubadub {other:.3f}",
        times >= FASTER_THAN_PRESIDIO_MIN,
    )


def _said(mine: float | None, others: list[float | None]) -> str:
    first, second = (f"{value or 0:.1%}" for value in others)
    return f"{mine or 0:.2%}; presidio {first}, scrubadub {second}"


def main() -> int:
    """Print the comparison; 1 when ours is not better by the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="every figure")
    parser.add_argument("--each", type=int, default=2, help="lines from every template of ours")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        sys.stdout.write(json.dumps([asdict(one) for one in _inside(options.each)]))
        return 0
    found = run(each=options.each)
    held = _held(found)
    if options.json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        sys.stdout.write(f"{table(held)}\n")
    return 1 if any(row.ok is False for row in held) else 0


if __name__ == "__main__":
    sys.exit(main())
