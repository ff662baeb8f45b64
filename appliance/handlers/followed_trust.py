"""Whose heads and cosignatures count, as it changes: the authority's keys, once there is one.

The trust root that the enrollment pinned names the hub's first head and log keys. From the first
signed authority on, its keys count for heads and no others, each in its own time: so a key that the
hub lost ends, and people bring in the next one without visiting any appliance. A cosignature stands
in the evidence for years, so the keys of the pinned root still verify it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.core.trusted import Trusted
from appliance.handlers.work import HubTrust
from appliance.ports import Clock
from proto.keys import KeyRing, Threshold
from proto.keysets import DAY_S
from proto.note import Algorithm, NoteKey
from runtime.clock import seconds

SKEW_S: Final = DAY_S
"""How early a head key counts: a clock here that is behind must not shut the hub out."""


@dataclass(frozen=True, slots=True)
class FollowedTrust:
    """What of the hub's statements counts now; see `appliance.handlers.work.HubWord`.

    Attributes:
        pinned: what the enrollment pinned.
        name: the hub's name in its cosignatures.
        trusted: gives what people signed.
        floor_s: gives the floor clock as it was last known: a key that ended on it stays ended
            when the clock on the wall is set back.
    """

    pinned: HubTrust
    name: str
    trusted: Callable[[], Trusted | None]
    clock: Clock
    floor_s: Callable[[], int] = lambda: 0

    @property
    def heads(self) -> Threshold:
        """Who must have signed a head.

        Raises:
            MalformedError: no head key of the authority counts any more.
        """
        trusted = self.trusted()
        if trusted is None:
            return self.pinned.heads
        now_s = max(seconds(self.clock), self.floor_s())
        return Threshold(
            KeyRing(
                tuple(
                    one.holder
                    for one in trusted.authority.head_keys
                    if one.not_before <= now_s + SKEW_S and now_s < one.not_after
                )
            )
        )

    @property
    def cosigners(self) -> tuple[NoteKey, ...]:
        """Who may cosign this appliance's evidence checkpoints."""
        trusted = self.trusted()
        named = () if trusted is None else trusted.authority.log_keys
        known = {one.public.raw for one in self.pinned.cosigners}
        return self.pinned.cosigners + tuple(
            NoteKey(self.name, one.holder.key, Algorithm.COSIGNATURE)
            for one in named
            if one.holder.key.raw not in known
        )
