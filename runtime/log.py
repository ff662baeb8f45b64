"""Logging: one line an event, JSON for the journal or coloured for a terminal.

Events are constants and values are named, so that a log can be counted. Values come from our own
code; bytes that somebody sent are never logged, only their size and the code of their refusal.
Where words of others get into a message all the same, they cannot begin a line or drive a terminal.
A trace names functions and lines, never the values of variables: a secret may be among them.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from runtime.terminal import plain

Log = FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(*, as_json: bool, level: str = "info") -> None:
    """Set the one output of the process: standard error, as JSON lines or for a terminal."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.processors.format_exc_info, _plain_trace, _text_renderer()]
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
    """What a library says, on one line; only a trace below it has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return plain(super().formatMessage(record)).replace("\n", "\\n")

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - logging's own names and types
        return plain(super().formatException(ei))


def logger(part: str) -> Log:
    """Return the logger of one part of a daemon; `part` stands in every line it writes."""
    bound: Log = structlog.get_logger(part=part)
    return bound
