"""The last look at what leaves, with the canaries of the day: the door and its callers share it."""

from collections.abc import Collection
from dataclasses import dataclass

from proto.phi.inside import look_inside
from proto.phi.sentry import Alarm


@dataclass(slots=True)
class Sentry:
    """Looks at bytes, and at what they wrap.

    Attributes:
        canaries: values of the synthetic patients planted on this site, in lower case; whoever
            plants new ones sets it.
    """

    canaries: Collection[bytes] = ()

    def look(self, data: bytes) -> tuple[Alarm, ...]:
        """Return everything that must not leave in these bytes; empty means that they may."""
        return look_inside(data, self.canaries)
