"""What holds for every test."""

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """Log as lines of JSON: structlog's default draws each variable of a trace, for seconds."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        cache_logger_on_first_use=False,
    )
