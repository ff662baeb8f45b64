"""What systems print in their own words stays, alone and beside people.

The templates follow what the programs themselves write: daemons and firewalls, the events of
Windows, the output of commands, and products whose names read like people's.
"""

import random
from collections.abc import Iterator

import pytest

from osiris.phi_measure import LOGS, Line
from proto.phi import default_names, scrub_text
from tests.bench.phi_text.render import render
from tests.bench.phi_text.sets import templates

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

SEEDS = (11, 12)
CHANGED_MIN = 0.9
TEMPLATES_MIN = {"systems": 380, "beside": 70}


def lines(group: str) -> Iterator[Line]:
    for number, (file, form, template) in enumerate(templates(group), start=1):
        for seed in SEEDS:
            draw = random.Random(seed * 1000 + number)  # noqa: S311 - a seeded set, no secret
            ident = f"{file}-{number}-{seed}"
            yield render(template, draw, group=LOGS, form=form, ident=ident)


@pytest.mark.parametrize("group", sorted(TEMPLATES_MIN))
def test_there_are_many_templates(group: str) -> None:
    assert len(list(templates(group))) >= TEMPLATES_MIN[group]


def test_what_systems_print_stays_as_it_is() -> None:
    changed = [
        (line.id, scrub_text(line.text))
        for line in lines("systems")
        if scrub_text(line.text) != line.text
    ]
    assert not changed


def test_what_systems_say_of_themselves_stays_beside_people() -> None:
    lost = [
        (line.id, line.text[fact.start : fact.end])
        for line in lines("beside")
        for fact in line.keep
        if line.text[fact.start : fact.end] not in scrub_text(line.text)
    ]
    assert not lost


def test_people_go_from_what_systems_print() -> None:
    """Else the facts would stay for no merit."""
    some = [line for line in lines("beside") if line.spans]
    scrubbed = sum(scrub_text(line.text) != line.text for line in some)
    assert scrubbed >= CHANGED_MIN * len(some)
