"""What the last look stopped: kept sealed for people of the site, alarmed, never sent.

Only what was seen in is held back: the rest of its message goes without it, so that one detail does
not stop the evidence behind it.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import aiosqlite

from appliance.handlers.wellness import clear_condition, raise_in
from appliance.handlers.work import Work
from appliance.store import health, quarantine
from appliance.store.health import Condition
from appliance.store.quarantine import PIECE_BYTES_MAX, Piece
from proto.phi.sentry import Alarm
from proto.secret import Secret
from runtime.log import logger

log = logger("uplink")


@dataclass(frozen=True, slots=True)
class Stopped:
    """A piece in which something was seen; `what` says which part of which message it is."""

    what: str
    data: bytes
    alarms: Collection[Alarm]


async def hold_back(work: Work, stopped: Stopped) -> None:
    """Keep a piece and raise the alarm."""
    async with work.store.write() as conn:
        await hold_back_in(conn, work, stopped)
    work.bells.uplink.ring()


async def hold_back_in(conn: aiosqlite.Connection, work: Work, stopped: Stopped) -> None:
    """Keep a piece and raise the alarm, in the caller's transaction."""
    digest = hashlib.sha256(stopped.data).digest()
    forms = tuple(sorted({alarm.form for alarm in stopped.alarms}))
    sealed = work.sealer.seal(
        Secret(stopped.data[:PIECE_BYTES_MAX]), context=quarantine.context(digest)
    )
    piece = Piece(digest, stopped.what, forms, len(stopped.data), sealed)
    await quarantine.put(conn, piece, now_ms=work.clock.now_ms())
    tally = await quarantine.tally(conn)
    detail = f"{tally.pieces} held back: {', '.join(tally.forms)}"
    await raise_in(conn, work, Condition.TEXT_HELD_BACK, detail=detail)
    await health.tell(conn, Condition.TEXT_HELD_BACK, detail=detail)
    log.error("held_back", what=stopped.what, forms=forms, size_bytes=len(stopped.data))


async def forget_held_back(work: Work) -> int:
    """Drop what was held back: a person has looked into it; return how many pieces there were."""
    async with work.store.write() as conn:
        gone = await quarantine.clear(conn)
    await clear_condition(work, Condition.TEXT_HELD_BACK)
    return gone


async def prune(work: Work) -> None:
    """Drop what is old, and the alarm with the last of it."""
    async with work.store.write() as conn:
        await quarantine.prune(conn, now_ms=work.clock.now_ms())
        left = (await quarantine.tally(conn)).pieces
    if not left:
        await clear_condition(work, Condition.TEXT_HELD_BACK)
