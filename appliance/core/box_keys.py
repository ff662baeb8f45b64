"""The X25519 keys that open logins which were sealed to this appliance."""

from dataclasses import dataclass

from proto.keys import SealingKey


@dataclass(slots=True)
class BoxKeys:
    """The key that logins are sealed to, and for a while the one before it.

    Attributes:
        key: the one that people are told.
        former: the one before it; an order that waits may name it.
        former_until_s: when that one opens nothing more.
    """

    key: SealingKey
    former: SealingKey | None = None
    former_until_s: int = 0

    def open_now(self, now_s: int) -> dict[str, SealingKey]:
        """Return the keys that open logins now, by the hex SHA-256 of their public halves."""
        counts = [self.key]
        if self.former is not None and now_s < self.former_until_s:
            counts.append(self.former)
        return {one.public.digest(): one for one in counts}

    def go_on_with(self, key: SealingKey, *, former: SealingKey, former_until_s: int) -> None:
        """Have logins sealed to another key from now on."""
        self.key, self.former, self.former_until_s = key, former, former_until_s
