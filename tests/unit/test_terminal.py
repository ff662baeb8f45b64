"""What a command prints is text: nobody else's words can drive the terminal that shows it."""

import json
from collections.abc import Callable

import pytest

from runtime.terminal import Output, note, plain, print_fields, print_json, print_rows

EVIL = "ok\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x00\u2028next"
"""A title, a cleared screen, an escape in one character, a reversal, an overwritten line."""


def drives(text: str) -> list[str]:
    """The characters that would do something instead of being shown."""
    return [char for char in text if not char.isprintable() and char != "\n"]


@pytest.mark.parametrize(
    "show",
    [
        lambda: print_rows([{"seen": {"v": EVIL}}], {"seen": "SEEN"}, output=Output.TABLE),
        lambda: print_fields({"health": [EVIL]}, output=Output.TABLE),
        lambda: print_json([{"reason": EVIL, EVIL: 1}]),
        lambda: note(f"osiris: 192.0.2.7 refused: {EVIL}"),
    ],
    ids=["table", "fields", "json", "note"],
)
def test_control_characters_of_others_are_shown_and_not_obeyed(
    show: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    show()
    printed = capsys.readouterr()
    assert drives(printed.out + printed.err) == []
    assert "owned" in printed.out + printed.err


def test_json_is_still_the_same_value_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    value = [{"reason": EVIL, "label": "Müller \U0001f9ea \U000e0041"}]
    print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "Müller \U0001f9ea" in printed


def test_lines_stay_lines_and_ordinary_text_stays_as_it_is() -> None:
    assert plain("a.yaml:3: wrong\nb.yaml:4: Käse  »ok«") == "a.yaml:3: wrong\nb.yaml:4: Käse  »ok«"


def test_a_value_of_several_lines_cannot_pass_for_another_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"reason": "fine\nt-aaaaaaaaaa  compliant"}]
    print_rows(rows, {"reason": "REASON"}, output=Output.TABLE)
    assert capsys.readouterr().out.count("\n") == 2
