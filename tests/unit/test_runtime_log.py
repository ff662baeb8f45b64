"""The log: one event is one line, whatever bytes of others stand in its values."""

import ast
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from proto.phi import default_names, scrub_text
from runtime.log import configure, logger, scrub_with
from runtime.log_scrub import LogScrubber, Scrub, as_it_is

EVIL = "no route\nlevel=info event=healed\x1b[2J\x9b31m\rforged"


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    before, settings = logging.getLogger().handlers[:], structlog.get_config()
    hooks = sys.excepthook, threading.excepthook
    yield
    structlog.configure(**settings)
    scrub_with(as_it_is)
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers[:] = before
    sys.excepthook, threading.excepthook = hooks


def configured(*, as_json: bool, scrub: Scrub = as_it_is) -> None:
    logging.getLogger().handlers[:] = []
    configure(as_json=as_json, scrub=scrub)


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


def test_no_library_keeps_a_way_around_us(capsys: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger("a_library_with_its_own_ways")
    library.addHandler(logging.StreamHandler(sys.stderr))
    library.propagate = False
    configured(as_json=True)
    library.error("host said %s", EVIL)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("ERROR a_library_with_its_own_ways")


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


PERSON = "no chart of Maria Gonzalez, SSN 521-44-9921"
ROOT = Path(__file__).resolve().parents[2]
needs_names = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


def fail_on(text: str) -> None:
    raise ZeroDivisionError(text)


@needs_names
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_whatever_is_logged_of_a_person_is_a_token(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    configured(as_json=as_json, scrub=scrub_text)
    log = logger("appliance").bind(host=PERSON)
    log.warning("refused", error=PERSON, parts=[{"deep": PERSON}], other=ValueError(PERSON))
    logging.getLogger("asyncssh").warning("host said %s", PERSON)
    for one in (log, logging.getLogger("uvicorn.error")):
        try:
            fail_on(PERSON)
        except ZeroDivisionError:
            one.exception("task_crashed")
    said = capsys.readouterr().err
    assert said.count(scrub_text(PERSON).split()[-1]) == 8
    assert "Gonzalez" not in said
    assert "521-44" not in said
    assert said.count("in fail_on") == 2


@needs_names
def test_what_ends_the_interpreter_is_scrubbed_too() -> None:
    """As a process of its own: nobody in it catches the error."""
    program = (
        "from runtime import log; from proto.phi import scrub_text; import threading\n"
        "log.configure(as_json=True, scrub=scrub_text)\n"
        f"def fail(): raise ValueError({PERSON!r})\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join(); fail()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("in fail") == 2
    assert ended.stderr.count("[SSN-") == 2
    assert "Gonzalez" not in ended.stderr


@needs_names
def test_a_json_line_stays_json_and_keeps_what_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    configured(as_json=True, scrub=scrub_text)
    logger("appliance").error(
        "held_back", what="evidence detail", forms=("canary", "ssn"), size_bytes=31, ok=True
    )
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "held_back",
        "level": "error",
        "part": "appliance",
        "what": "evidence detail",
        "forms": ["canary", "ssn"],
        "size_bytes": 31,
        "ok": True,
    }


def test_a_line_that_cannot_be_scrubbed_is_withheld_whole() -> None:
    cleaned = LogScrubber(lambda _: "[WITHHELD-aaaaaaa]")(
        None, "info", {"event": "refused", "error": PERSON, "count": 1}
    )
    assert cleaned == {
        "event": "refused",
        "error": "[WITHHELD-aaaaaaa]",
        "count": "[WITHHELD-aaaaaaa]",
    }


def test_a_line_of_our_own_words_and_numbers_costs_no_look() -> None:
    looked: list[str] = []

    def scrub(text: str) -> str:
        looked.append(text)
        return text

    scrubber = LogScrubber(scrub)
    for _ in range(5):
        scrubber(None, "info", {"event": "discovered", "seen": 9, "new": 0, "part": "x"})
    assert looked == []
    scrubber(None, "info", {"event": "unwell", "condition": "disk_low"})
    assert looked == ['{"condition": "disk_low"}']


LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def test_every_event_is_a_constant() -> None:
    """An event passes as it is: what varies is a value, and is scrubbed."""
    odd: list[str] = []
    for folder in ("appliance", "central", "runtime"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            odd += [
                f"{file.relative_to(ROOT)}:{call.lineno}"
                for call in log_calls(file.read_text("utf-8"))
                if not (call.args and isinstance(getattr(call.args[0], "value", None), str))
            ]
    assert odd == []


def log_calls(text: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in LEVELS and _is_log(node.func.value):
            yield node


def _is_log(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in {"log", "logger"}
