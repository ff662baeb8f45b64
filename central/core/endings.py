"""What of a hub's trust ends when, and whether somebody should renew it by now, in words.

Each kind has a notice: how long before its end people are told, long enough for as many of them as
must sign. What a daemon renews by itself has a notice too: when it is given, the daemon does not.
Under a development trust one command renews all that people would sign.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proto.authority import AuthoritySet
from proto.keysets import DAY_S, TimedKey

HOUR_S: Final = 3600


class Kind(StrEnum):
    """What ends."""

    ROOT = "root"
    RELEASE = "release"
    GRANTS = "grant of the order key"
    TIMESTAMP = "timestamp"
    PROMOTED = "word on promoted rules"
    HEAD_KEY = "head key"
    LOG_KEY = "log key"
    OPERATOR = "operator's key"


@dataclass(frozen=True, slots=True)
class Notice:
    """How long before the end people are told, and what they do then."""

    before_s: int
    then: str


NOTICES: Final[dict[Kind, Notice]] = {
    Kind.ROOT: Notice(30 * DAY_S, "osiris hub ceremony root"),
    Kind.RELEASE: Notice(14 * DAY_S, "osiris content build --keep"),
    Kind.GRANTS: Notice(3 * DAY_S, "osiris content grant"),
    Kind.TIMESTAMP: Notice(6 * HOUR_S, "osiris hub status: the signer should renew it by itself"),
    Kind.PROMOTED: Notice(7 * DAY_S, "osiris content promote --renew"),
    Kind.HEAD_KEY: Notice(30 * DAY_S, "osiris content build --keep"),
    Kind.LOG_KEY: Notice(30 * DAY_S, "osiris content build --keep"),
    Kind.OPERATOR: Notice(14 * DAY_S, "osiris content build --keep"),
}
DEVELOPMENT: Final = "development"
DEVELOPMENT_THEN: Final = "osiris hub init"


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing that ends.

    Attributes:
        name: which of its kind, or "".
        ends_s: when, in seconds since the epoch.
    """

    kind: Kind
    name: str
    ends_s: int

    def is_near(self, now_s: int) -> bool:
        """Tell whether people should renew it by now."""
        return now_s >= self.ends_s - NOTICES[self.kind].before_s

    def sentence(self, now_s: int, *, trust: str) -> str:
        """Return it in words, with what to do under a trust: "development" or "people"."""
        named = f"{self.kind} of {self.name}" if self.name else str(self.kind)
        then = _then(self.kind, trust=trust)
        if now_s >= self.ends_s:
            return f"The {named} ended {_span(now_s - self.ends_s)} ago: {then}"
        return f"The {named} ends in {_span(self.ends_s - now_s)}: {then}"


def _then(kind: Kind, *, trust: str) -> str:
    is_by_init = trust == DEVELOPMENT and kind is not Kind.TIMESTAMP
    return DEVELOPMENT_THEN if is_by_init else NOTICES[kind].then


def _span(seconds: int) -> str:
    for size_s, unit in ((DAY_S, "day"), (HOUR_S, "hour"), (60, "minute")):
        if seconds >= size_s:
            number = seconds // size_s
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return "less than a minute"


def of_authority(authority: AuthoritySet) -> list[Ending]:
    """Return when the keys that an authority file lists end: of each holder the last that ends.

    A former key beside the next one ends and is not renewed.
    """
    return [
        *_last(Kind.HEAD_KEY, (("", key) for key in authority.head_keys)),
        *_last(Kind.LOG_KEY, (("", key) for key in authority.log_keys)),
        *_last(Kind.OPERATOR, ((key.holder.person, key) for key in authority.keys)),
    ]


def _last(kind: Kind, keys: Iterable[tuple[str, TimedKey]]) -> list[Ending]:
    ends: dict[str, int] = {}
    for name, key in keys:
        ends[name] = max(ends.get(name, 0), key.not_after)
    return [Ending(kind, name, ends_s) for name, ends_s in sorted(ends.items())]


def sentences(endings: Iterable[Ending], *, now_s: int, trust: str) -> tuple[str, ...]:
    """Return in words what should be renewed by now under a trust, the first to end first."""
    near = sorted((one for one in endings if one.is_near(now_s)), key=lambda one: one.ends_s)
    return tuple(one.sentence(now_s, trust=trust) for one in near)
