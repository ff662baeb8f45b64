"""The values that the scrubber takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn, Protocol, Self, final


class Kind(StrEnum):
    """What a piece of text identifies: the 18 identifiers of 45 CFR 164.514(b)(2), split finer."""

    NAME = "NAME"
    ADDRESS = "ADDRESS"
    CITY = "CITY"
    ZIP = "ZIP"
    DATE = "DATE"
    AGE90 = "AGE90"
    PHONE = "PHONE"
    FAX = "FAX"
    EMAIL = "EMAIL"
    SSN = "SSN"
    MRN = "MRN"
    HEALTH_PLAN = "HEALTH_PLAN"
    ACCOUNT = "ACCOUNT"
    LICENSE = "LICENSE"
    VEHICLE = "VEHICLE"
    DEVICE = "DEVICE"
    URL = "URL"
    IP = "IP"
    BIOMETRIC = "BIOMETRIC"
    PHOTO = "PHOTO"
    OTHER_ID = "OTHER_ID"
    USERNAME = "USERNAME"
    HOST_PERSON = "HOST_PERSON"
    SECRET = "SECRET"  # noqa: S105 - a class of text, not one
    HOST = "HOST"
    BLOB = "BLOB"
    WITHHELD = "WITHHELD"

    __hash__ = str.__hash__
    """What `Enum` would compute, without a call of Python: every hit is looked up by its class."""


class Hit(NamedTuple):
    """One piece that was replaced: where it stood in the text given, and what showed it."""

    kind: Kind
    start: int
    end: int
    why: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A record that was not let through: the reason, and SHA-256 of its UTF-8 in hex."""

    reason: str
    sha256: str


class Names(Protocol):
    """What is known about words as names; see `proto.phi.names` for the scale."""

    def weights(self, folded: str, /) -> tuple[int, int, int]:
        """Return the weights 0..255 as first name, as last name, and as an English word."""

    def known(self, folded: str, /) -> bool:
        """Whether somebody of the site has this name and it is no ordinary word."""

    def somebody(self, folded: str, /) -> bool:
        """Whether somebody of the site has this name, be it an ordinary word or not."""

    def known_pair(self, one: str, other: str, /) -> bool:
        """Whether one person of the site has both names."""

    def has_numbers(self) -> bool:
        """Whether numbers of the site's people are known at all."""

    def known_number(self, number: str, /) -> bool:
        """Whether somebody of the site has this record number."""


class TokenVault(Protocol):
    """Where what was replaced is kept, on the device only."""

    def body(self, kind: Kind, value: str, /) -> str:
        """Return the six base32 characters that stand for a value of a class."""

    def knows(self, token: str, /) -> bool:
        """Whether a whole token, brackets and all, was given out here."""


_DOOR = object()


@final
class Scrubbed:
    """Text that went through the scrubber. Only `proto.phi` can make one.

    It shows, compares and hashes as its text. As a field of a pydantic model it accepts only a
    `Scrubbed` and is written as a JSON string. Text that arrives as JSON is not one: it is
    `Arrived` until `proto.phi.admission` has looked at it again.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str, door: object = None, /) -> None:
        """Refuse everybody but the scrubber.

        Raises:
            TypeError: somebody else tried.
        """
        if door is not _DOOR:
            msg = "only proto.phi makes Scrubbed text: call proto.phi.scrub"
            raise TypeError(msg)
        object.__setattr__(self, "_text", text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: scrubbed text does not change."""
        msg = "Scrubbed text does not change"
        raise TypeError(msg)

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: scrubbed text does not change."""
        msg = "Scrubbed text does not change"
        raise TypeError(msg)

    def __str__(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        """Show the text."""
        return f"Scrubbed({self._text!r})"

    def __len__(self) -> int:
        """Count the characters."""
        return len(self._text)

    def __hash__(self) -> int:
        """Hash as the text does, apart from plain strings."""
        return hash((Scrubbed, self._text))

    def __eq__(self, other: object) -> bool:
        """Compare with other scrubbed text; a plain string is never equal."""
        if not isinstance(other, Scrubbed):
            return NotImplemented
        return self._text == other._text

    def __copy__(self) -> Self:
        """Return itself: it does not change."""
        return self

    def __deepcopy__(self, _memo: dict[int, object], /) -> Self:
        """Return itself: it does not change."""
        return self

    def __reduce_ex__(self, _protocol: object, /) -> NoReturn:
        """Refuse pickle: it would be a second door."""
        msg = "Scrubbed text is not pickled"
        raise TypeError(msg)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: Callable[[Any], Any], /
    ) -> Any:  # noqa: ANN401 - pydantic's own type of a schema is a dictionary of anything
        """Accept instances only; write the text."""
        # Imported here so that scrubbing does not need pydantic.
        from pydantic_core import core_schema  # noqa: PLC0415

        return core_schema.is_instance_schema(cls, serialization=core_schema.to_string_ser_schema())


def seal(text: str) -> Scrubbed:
    """Mark text as scrubbed: for the engine of this package, nobody else imports it."""
    return Scrubbed(text, _DOOR)


@dataclass(frozen=True, slots=True)
class Result:
    """What scrubbing one record gave.

    Attributes:
        text: what may leave.
        hits: what was replaced, by offsets of the text given, in order.
        withheld: set when the record was not let through; `text` is then one token.
    """

    text: Scrubbed
    hits: tuple[Hit, ...] = ()
    withheld: Withheld | None = None
