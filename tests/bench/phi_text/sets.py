"""Whole labelled sets from one seed: machine text, HL7 and FHIR, prose, evasions, clean lines.

The templates lie in `templates/<group>/*.txt`, one a line below the name of their format in
brackets; the pictures of control characters stand for the characters (`␊` is a line feed).
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from osiris.phi_measure import ADVERSARIAL, LOGS, PROSE, STRUCTURED, Line
from tests.bench.phi_text.evasions import EVASIONS, evade
from tests.bench.phi_text.render import render
from tests.bench.phi_text.values import Draw

TEMPLATES = Path(__file__).with_name("templates")
CONTROLS = str.maketrans({"␊": "\n", "␍": "\r", "␉": "\t", "␋": "\v", "␜": "\x1c"})
STRUCTURED_FORMS = frozenset({"hl7", "fhir"})
GROUP_OF = {"logs": LOGS, "structured": LOGS, "prose": PROSE, "clean": LOGS}


def templates(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield (file, format, template) of one group's files, in the order of their names."""
    for path in sorted((TEMPLATES / name).glob("*.txt")):
        form = name
        for line in path.read_text("utf-8").split("\n"):
            if line.startswith("[") and line.endswith("]") and line[1:-1].isalnum():
                form = line[1:-1]
            elif line:
                yield path.stem, form, line.translate(CONTROLS)


def make(seed: int, *, each: int = 1, only: str = "") -> list[Line]:
    """Make a set: `each` lines from every template, and every evasion on every template of its own.

    Equal seeds make equal sets.

    Args:
        seed: of every value.
        each: lines from one template.
        only: the templates of the files of this name alone, "" for all.
    """
    draw = random.Random(seed)  # noqa: S311 - a seeded set, no secret
    lines = [
        line
        for name, group in GROUP_OF.items()
        for line in _of_group(name, group, draw, each=each, only=only)
    ]
    return [*lines, *_evasions(draw, each=each, only=only)]


def _of_group(name: str, group: str, draw: Draw, *, each: int, only: str) -> Iterator[Line]:
    for number, (file, form, template) in enumerate(templates(name), start=1):
        if only not in {"", file}:
            continue
        chosen = STRUCTURED if form in STRUCTURED_FORMS else group
        for copy in range(each):
            ident = f"{name}-{number:03}-{copy}"
            yield render(template, draw, group=chosen, form=form, ident=ident)


def _evasions(draw: Draw, *, each: int, only: str) -> Iterator[Line]:
    for number, (file, form, template) in enumerate(templates("evasions"), start=1):
        if only not in {"", file}:
            continue
        for copy in range(each):
            for name in EVASIONS:
                ident = f"evasion-{number:03}-{copy}"
                line = render(template, draw, group=ADVERSARIAL, form=form, ident=ident)
                if changed := evade(line, name):
                    yield changed


def as_row(line: Line) -> str:
    """A line in the format of the labelled sets."""
    return json.dumps(
        {
            "id": line.id,
            "kind": "pos" if line.spans else "neg",
            "source": line.group,
            "fmt": line.form,
            "tid": line.id.rpartition("-")[0],
            "text": line.text,
            "spans": [{"start": s.start, "end": s.end, "category": s.label} for s in line.spans],
            "keep": [{"start": s.start, "end": s.end, "kind": s.label} for s in line.keep],
        },
        ensure_ascii=True,
    )
