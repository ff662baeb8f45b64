"""The gate that a whole set must pass before anything in it may act."""

from proto.catalog.model import Content
from proto.catalog.reader import Problems


def lint(content: Content, problems: Problems) -> None:
    """Note everything that examples, conditions and writes show to be wrong."""
