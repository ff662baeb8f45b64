"""Assertions that stay on: a broken invariant ends the process, and the supervisor restarts it."""

from proto.errors import IntegrityError


class InvariantError(IntegrityError):
    """Something that cannot be has happened; continuing would make it worse."""

    code = "invariant"


def require(condition: object, what: str) -> None:
    """Raise `InvariantError` unless `condition` is true; `what` says what should have held."""
    if not condition:
        raise InvariantError(what)
