"""The X25519 keys that open logins which were sealed to this appliance."""

from dataclasses import dataclass

from proto.appliance_keys import OVERLAP_S
from proto.keys import SealingKey


@dataclass(slots=True)
class BoxKeys:
    """The key that logins are sealed to, and for a while the one before it.

    Attributes:
        key: the one that people are told.
        former: the one before it; an order that waits may name it.
        given_up_s: when the renewal was: the former opens what was sealed to it for `OVERLAP_S`
            more. Where the clock ran ahead then, and was put right, that is not for years.
    """

    key: SealingKey
    former: SealingKey | None = None
    given_up_s: int = 0

    def open_now(self, now_s: int) -> dict[str, SealingKey]:
        """Return the keys that open logins now, by the hex SHA-256 of their public halves."""
        counts = [self.key]
        if self.former is not None and abs(now_s - self.given_up_s) < OVERLAP_S:
            counts.append(self.former)
        return {one.public.digest(): one for one in counts}

    def go_on_with(self, key: SealingKey, *, former: SealingKey, given_up_s: int) -> None:
        """Have logins sealed to another key from now on."""
        self.key, self.former, self.given_up_s = key, former, given_up_s
