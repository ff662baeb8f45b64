"""Refusals: recorded so that people see them, bounded so that nobody can fill the store with them.

At most `RECORDED_PER_MINUTE` are written; the next one written says how many were not.
"""

from central.core import health, ingest
from central.core.order_refusals import OrderLogForkError
from central.core.refusals import TooLargeError
from central.state import Hub
from central.store import conditions
from central.store.conditions import Refusal
from central.store.registry import Known
from proto.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    OsirisError,
    RejectedError,
    UnreachableError,
)

RECORDED_PER_MINUTE = 60
CONDITION_AGAIN_MS = 60_000
_MINUTE_MS = 60_000

_STATUS: tuple[tuple[type[OsirisError], int], ...] = (
    (TooLargeError, 413),
    (MalformedError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (OrderLogForkError, 409),
    (RejectedError, 403),
    (UnreachableError, 503),
)


def status_of(error: OsirisError) -> int:
    """Return the HTTP status of a refusal; 500 for what is not the sender's to correct."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


class Refusals:
    """Writes refusals down, at most so many a minute."""

    def __init__(self, hub: Hub) -> None:
        """Start a first minute."""
        self._hub = hub
        self._minute = 0
        self._written = 0
        self._unrecorded = 0

    async def record(
        self, error: OsirisError, *, path: str, body: bytes, known: Known | None
    ) -> None:
        """Record one refusal; `known` is whom the request claims to be from."""
        hub, now_ms = self._hub, self._hub.now_ms
        raised = health.condition_of(error)
        if known is not None and raised is not None:
            await self._raise(known, raised, error, now_ms=now_ms)
        if not self._room(now_ms):
            return
        refusal = Refusal(
            site=known.site if known else None,
            appliance=known.appliance if known else None,
            path=path,
            code=error.code,
            message=str(error),
            size_bytes=len(body),
            digest=ingest.digest(body),
            at_ms=now_ms,
            unrecorded=self._unrecorded,
        )
        self._unrecorded = 0
        async with hub.store.write() as connection:
            await conditions.add_refusal(connection, refusal)
        hub.log.warning("refused", path=path, code=error.code, appliance=refusal.appliance)

    def _room(self, now_ms: int) -> bool:
        minute = now_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._written = minute, 0
        if self._written >= RECORDED_PER_MINUTE:
            self._unrecorded += 1
            return False
        self._written += 1
        return True

    async def _raise(
        self, known: Known, raised: health.Condition, error: OsirisError, *, now_ms: int
    ) -> None:
        last_ms = known.raised.get(raised)
        if last_ms is not None and now_ms - last_ms < CONDITION_AGAIN_MS:
            return
        known.raised[raised] = now_ms
        async with self._hub.store.write() as connection:
            await conditions.raise_condition(
                known.site,
                connection,
                appliance=known.appliance,
                code=raised,
                message=str(error),
                now_ms=now_ms,
            )
