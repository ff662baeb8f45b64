"""What the command line's routes share: who asks, and reading what was asked for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from appliance.handlers.signing_in import Asker
from appliance.handlers.work import Work
from appliance.portal.state import PortalVisit
from proto import strict_json
from proto.errors import MalformedError, NotFoundError
from proto.secret import Secret

OPERATOR = "command line"
"""Who is named for what was asked through the socket."""

Body = Mapping[str, Any]
Answer = Callable[[Work, PortalVisit, Body], Awaitable[object]]


def text_of(body: Body, name: str, *, default: str | None = None) -> str:
    """Return a member that must be text.

    Raises:
        MalformedError: it is missing without a default, or is something else.
    """
    value = body.get(name, default)
    if not isinstance(value, str):
        msg = f"{name}: missing, or not text"
        raise MalformedError(msg)
    return value


def asker_of(body: Body) -> Asker:
    """Return who asks, and why, with the password that whoever answers compares.

    Raises:
        MalformedError: one of the three is missing.
    """
    return Asker(
        account=text_of(body, "account"),
        password=Secret(text_of(body, "password")),
        reason=text_of(body, "reason"),
    )


def texts_of(body: Body, name: str) -> tuple[str, ...]:
    """Return a member that must be a list of texts.

    Raises:
        MalformedError: it is missing, or something else.
    """
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"{name}: missing, or not a list of texts"
        raise MalformedError(msg)
    return tuple(value)


def number_of(body: Body, name: str) -> int:
    """Return a member that must be a whole number.

    Raises:
        MalformedError: it is missing, or something else.
    """
    return strict_json.integer(body.get(name), name)


def number_in(text: str, what: str) -> int:
    """Return a row's number from an address.

    Raises:
        NotFoundError: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len(str(2**53)):
        msg = f"there is no {what} {text!a:.20}"
        raise NotFoundError(msg)
    return int(text)
