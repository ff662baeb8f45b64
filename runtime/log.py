"""Logging: one line an event, JSON for the journal or coloured for a terminal.

Events are constants and values are named, so that a log can be counted. Values come from our own
code; bytes that somebody sent are never logged, only their size and the code of their refusal.
"""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor

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
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard logging module: their warnings are worth a line.
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s"
    )


def logger(part: str) -> Log:
    """Return the logger of one part of a daemon; `part` stands in every line it writes."""
    bound: Log = structlog.get_logger(part=part)
    return bound
