"""Assertions that stay on: a broken invariant ends the process, and the supervisor restarts it.

`InvariantError` belongs to no family of `proto.errors` on purpose. A family is something that a
caller may answer (a refusal, a wait, a condition of health); nobody may answer this one, so no
`except` of a family catches it.
"""


class InvariantError(Exception):
    """Something that cannot be has happened; continuing would make it worse."""


def require(condition: object, what: str) -> None:
    """Raise `InvariantError` unless `condition` is true; `what` says what should have held."""
    if not condition:
        raise InvariantError(what)
