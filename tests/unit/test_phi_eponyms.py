# ruff: noqa: E501 - examples stand unbroken
"""Devices, tests, scales and rules that are called after somebody stay; people called alike go."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

STAYS = [
    "QC Westgard 1-3s violation Levey-Jennings chart GLU3 level 2 mean 118.2 z=3.12 analyzer cobas c503",
    "Westgard rule R-4s warning, Youden plot ready, Kaplan-Meier curve rendered",
    "Bland-Altman plot written to /tmp/ba.png, Passing-Bablok regression slope 1.02, Deming fit ok",
    "snmpd: FujiFilm Prescale CR tray count 88122, Carl Zeiss IOLMaster 700 link up",
    "Becton Dickinson Pyxis MedStation ES, Foley tray 16 Fr par 12 on hand 9, REF 303316",
    "template Apgar Score v3 loaded; Glasgow Coma Scale v2 loaded; Braden Scale, Morse Fall Scale imported",
    "Foley catheter kit par 4, Swan-Ganz line kit, Allis clamp count 6, Luer Lock syringe 10 mL",
    "Hamilton T1 ventilator circuit leak; Baxter Novum pump battery low; Foley cath par 3",
    "Stryker Neptune suction unit offline; Smith Medical CADD pump library 4.2; Karl Storz tower video out",
    "Draeger Fabius GS; Mindray BeneVision; Hamilton C6 vent alarm 12; Fisher Paykel 950 heater error",
    "calc Cockcroft-Gault replaced with CKD-EPI; Mosteller BSA; Harris-Benedict; Bazett QTc Fridericia",
    "Salter-Harris lookup table, Ottawa rules, Wells score, Ranson criteria, Child-Pugh, Framingham table v3",
]
GONE = [
    ("badge of Foley, Anna denied at door 3", "Foley"),
    ("Anna Foley tray 12 is late", "Foley"),
    ("paged Dr. Foley catheter team on 4W", "Foley"),
    ("patient Morse, Delia 02/11/1967 checked in", "Morse"),
    ("appointment moved for Kelly Hamilton", "Hamilton"),
    ("chart of Delia Glasgow opened by front desk", "Glasgow"),
    ("MRN 4417203 Braden, Ann; scale offline", "Braden"),
]


@pytest.mark.parametrize("line", STAYS)
def test_things_called_after_somebody_stay(line: str) -> None:
    assert scrub_text(line) == line


@pytest.mark.parametrize(("line", "name"), GONE)
def test_somebody_called_like_a_thing_goes(line: str, name: str) -> None:
    assert name not in scrub_text(line)
