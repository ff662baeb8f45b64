"""The log: one event is one line, whatever bytes of others stand in its values."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.log import configure, logger

EVIL = "no route\nlevel=info event=healed\x1b[2J\x9b31m\rforged"


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


def configured(*, as_json: bool) -> None:
    logging.getLogger().handlers[:] = []
    configure(as_json=as_json)


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_value_of_others_cannot_write_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    configured(as_json=as_json)
    logger("hub").warning("refused", error=EVIL, parts=[EVIL])
    logging.getLogger("asyncssh").warning("host said %s", EVIL)
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert all(char.isprintable() or char == "\n" for char in said)
    assert said.count("forged") == 3


def test_a_json_line_gives_the_value_back(capsys: pytest.CaptureFixture[str]) -> None:
    configured(as_json=True)
    logger("hub").warning("refused", error=EVIL)
    assert json.loads(capsys.readouterr().err)["error"] == EVIL


def crash(password: str) -> None:
    assert password
    raise ZeroDivisionError(EVIL)


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_crash_shows_its_whole_trace_and_no_variable(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    configured(as_json=as_json)
    for log in (logger("hub"), logging.getLogger("uvicorn.error")):
        try:
            crash("hunter" + "two")
        except ZeroDivisionError:
            log.exception("task_crashed")
    said = capsys.readouterr().err
    assert said.count("Traceback") == 2
    assert said.count("in crash") == 2
    assert "hunter" + "two" not in said
    assert all(char.isprintable() or char == "\n" for char in said)
