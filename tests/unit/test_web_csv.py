"""A file that a spreadsheet opens must not run what a device or a person wrote."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.web.csv import download, dumps

FORMULAS = (
    '=HYPERLINK("http://evil.example","click")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "|calc",
    "%0A=1",
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text_in_a_spreadsheet(text: str) -> None:
    assert read(dumps(["name"], [[text]]))[1] == [f"'{text}"]


def test_ordinary_text_and_numbers_stay_as_they_are() -> None:
    table = read(dumps(["name", "count", "none"], [["Front desk, left", 12, None]]))
    assert table == [["name", "count", "none"], ["Front desk, left", "12", ""]]


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        dumps(["a", "b"], [["only one"]])


def test_a_download_is_a_file_in_utf_8_with_a_name_of_ours() -> None:
    answer = download("devices.csv", ["name"], [["Aufnahme-Überwachung"]])
    assert answer.headers["content-disposition"] == 'attachment; filename="devices.csv"'
    assert bytes(answer.body).decode("utf-8-sig").splitlines()[1] == '"Aufnahme-Überwachung"'


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\x00")), min_size=1))
def test_no_cell_begins_like_a_formula_and_every_cell_comes_back(cells: list[str]) -> None:
    header = [f"c{place}" for place in range(len(cells))]
    back = read(dumps(header, [cells]))[1]
    assert [cell.removeprefix("'") for cell in back] == [cell.removeprefix("'") for cell in cells]
    for cell in back:
        assert not cell.lstrip(" \ufeff\u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "|"))
