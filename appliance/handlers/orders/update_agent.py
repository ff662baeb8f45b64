"""update_agent: the appliance's own program gives way to a newer one that release people signed.

Nothing is changed until the released file is a sound wheel of ours, of the ordered version and
newer than what runs, needs nothing that is not installed, knows every migration of this store, and
has opened a copy of the store and of the content. Then the run ends as `restart_agent` does: it
lets repairs in hand end, writes down what the next start runs, and asks for it. Which program runs
after that start says how the order ended (`appliance/handover.py`).

An older version is never taken by an order: what was mended since would be open again, on the word
of one person. A person at the appliance can go back (`osiris appliance program back`).
"""

import asyncio
from typing import Final, cast

from appliance.core.order_gate.values import Accepted
from appliance.core.wheel import Fault, ProgramRefusedError, Wheel, look_through
from appliance.handlers.orders import Done
from appliance.handlers.orders.restart_agent import drain
from appliance.handlers.own_program import programs_of
from appliance.handlers.work import Work
from appliance.handover import Program, Why, number
from appliance.ports import Programs
from appliance.store import meta
from appliance.store.db import applied
from proto.orders.update_agent import UpdateAgent
from proto.phi.leaving import Leaving, closed
from proto.receipts import Intent, Outcome
from proto.release_keys import AGENTS_PREFIX
from runtime.log import logger

log = logger("orders")

DRAIN_S: Final = 600
STOPPED: Final = "stopped"
REASONS: Final = (*(one.value for one in Fault), *(one.value for one in Why), STOPPED)


async def run(work: Work, accepted: Accepted) -> Done:
    """Look through, try out, drain, hand over and ask for the restart; only the stop ends this.

    Returns:
        How it failed, when it did before anything was changed.

    Raises:
        NotFoundError: this program is nobody's to change.
        UnreachableError: the hub does not give the file now.
        ContentRefusedError: it gives another.
        NoRoomError: the disk has no room.
    """
    wanted, programs = cast("UpdateAgent", accepted.params), programs_of(work)
    async with programs.turn():
        try:
            program = await _prepared(work, programs, wanted)
        except ProgramRefusedError as error:
            log.warning("program refused", fault=error.fault.value, error=str(error))
            return Done(Outcome.FAILED, _told(work, error.fault.value))
        await drain(work, DRAIN_S)
        order = accepted.read.sid
        async with work.store.write() as conn:
            await meta.put(conn, meta.Key.UPDATE_ORDER, f"{order} {program.digest}")
        await programs.hand_over(program, order=order, at_s=work.clock.now_ms() // 1000)
        work.bells.restart.ring()
        await asyncio.Future()
    raise AssertionError


async def _prepared(work: Work, programs: Programs, wanted: UpdateAgent) -> Program:
    """Return the program, kept beside the one that runs, once it has been tried out.

    Raises:
        ProgramRefusedError: it is not taken.
    """
    trusted = work.trusted()
    path = None if trusted is None else trusted.files.get(wanted.content_sha256)
    if path is None or not path.startswith(AGENTS_PREFIX):
        msg = f"{wanted.content_sha256[:16]}: no agent's file of the release"
        raise ProgramRefusedError(Fault.NOT_RELEASED, msg)
    if number(wanted.version) <= number(work.version):
        msg = f"version {wanted.version} is not newer than {work.version}, which runs"
        raise ProgramRefusedError(Fault.NOT_NEWER, msg)
    data = await programs.fetch(path, wanted.content_sha256)
    wheel = await asyncio.to_thread(look_through, data, version=wanted.version)
    await _fitting(work, programs, wheel)
    program = await programs.keep(wheel)
    try:
        await programs.try_out(program)
    except ProgramRefusedError:
        await programs.drop(program)
        raise
    return program


async def _fitting(work: Work, programs: Programs, wheel: Wheel) -> None:
    lacking = programs.unmet(wheel)
    if lacking is not None:
        msg = f"the program needs {lacking!a:.80}, which is not installed"
        raise ProgramRefusedError(Fault.NEEDS_MORE, msg)
    async with work.store.read() as conn:
        held = await applied(conn)
    for name, digest in held.items():
        if wheel.migrations.get(name) != digest:
            msg = f"the program does not ship migration {name} as the store holds it"
            raise ProgramRefusedError(Fault.LACKS_MIGRATION, msg)


async def resume(work: Work, intent: Intent) -> Done:
    """Say after a start how the order ended: by the program that runs now."""
    programs = programs_of(work)
    async with work.store.read() as conn:
        order, _, digest = (await meta.get(conn, meta.Key.UPDATE_ORDER)).partition(" ")
    if order == intent.order and digest == programs.running.digest:
        return Done(Outcome.DONE, _told(work))
    record = await programs.record()
    is_ours = record is not None and record.order == intent.order
    return Done(Outcome.FAILED, _told(work, (record.why if record and is_ours else "") or STOPPED))


def _told(work: Work, why: str = "") -> dict[str, Leaving]:
    told: dict[str, Leaving] = {"version": closed(work.version, (work.version,))}
    return told | ({"why": closed(why, REASONS)} if why else {})
