"""Logging: one line an event, JSON for the journal or coloured for a terminal.

Events are constants and values are named, so that a log can be counted. Values come from our own
code; bytes that somebody sent are never logged, only their size and the code of their refusal.
Where words of others get into a message all the same, they cannot begin a line or drive a terminal.
A trace names functions and lines, never the values of variables: a secret may be among them.
On an appliance every value of a line, every trace and every line of a library is scrubbed before it
is written; so is what the interpreter says of an error that nobody caught.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from runtime.log_recent import Recent
from runtime.log_scrub import LogScrubber, Scrub, as_it_is
from runtime.terminal import plain

Log = FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


_SCRUBBER = LogScrubber()
RECENT = Recent()
"""The newest lines of this process, as they were written."""


def scrub_with(scrub: Scrub) -> None:
    """Scrub what is logged with this function from now on."""
    _SCRUBBER.use(scrub)


def scrubbed(text: str) -> str:
    """Return text as it may be written to the process's output."""
    return _SCRUBBER.text(text)


def configure(*, as_json: bool, level: str = "info", scrub: Scrub = as_it_is) -> None:
    """Set the one output of the process: standard error, as JSON lines or for a terminal.

    Args:
        as_json: lines of JSON, or for a person at a terminal.
        level: the least that is written.
        scrub: makes text of others fit to be written; `scrub_with` changes it later.
    """
    scrub_with(scrub)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: list[Processor] = (
        [_SCRUBBER, RECENT, structlog.processors.JSONRenderer()]
        if as_json
        else [_plain_trace, _SCRUBBER, RECENT, _text_renderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard logging module: their warnings are worth a line.
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(_Plain("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])
    _close_other_doors()
    logging.captureWarnings(capture=True)
    sys.excepthook = _say_uncaught
    threading.excepthook = _say_uncaught_in_thread


def _close_other_doors() -> None:
    """Let no library write past us through a handler of its own, as uvicorn's defaults do."""
    for known in logging.root.manager.loggerDict.values():
        if isinstance(known, logging.Logger):
            known.handlers.clear()
            known.propagate = True


def _say_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Write what ended the process, as the interpreter would, scrubbed."""
    told = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(scrubbed(plain(told)))


def _say_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        _say_uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _plain_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    if "exception" in event:
        event["exception"] = plain(event["exception"])
    return event


def _text_renderer() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
    )


class _Plain(logging.Formatter):
    """What a library says, scrubbed, on one line; only a trace below it has more."""

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return plain(super().formatMessage(record)).replace("\n", "\\n")

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - logging's own names and types
        return plain(super().formatException(ei))


def logger(part: str) -> Log:
    """Return the logger of one part of a daemon; `part` stands in every line it writes."""
    bound: Log = structlog.get_logger(part=part)
    return bound
