"""The appliance's own program, for people at the appliance: which one runs, and going back."""

from appliance.core.reasons import plain_reason
from appliance.handlers import limits
from appliance.handlers.work import Work
from appliance.handover import Phase, Program, Record
from appliance.ports import Programs
from proto.errors import NotFoundError
from proto.evidence import LanAct
from runtime.log import logger

log = logger("program")


def programs_of(work: Work) -> Programs:
    """Return what changes the appliance's own program; raises `NotFoundError` for nobody's."""
    if work.programs is None:
        msg = "this appliance's program is changed by whoever starts it"
        raise NotFoundError(msg)
    return work.programs


async def view(work: Work) -> dict[str, object]:
    """Return which program runs, which ran before, which is packaged, since when and why."""
    programs = programs_of(work)
    record = await programs.record()
    running = programs.running
    told: dict[str, object] = {
        "running": _told(running),
        "packaged": _told(programs.packaged),
        "before": "",
        "since_s": 0,
        "order": "",
        "why": "",
    }
    if record is not None and record.phase in {Phase.TAKEN, Phase.BACK}:
        told |= _recorded(record)
    return told


def _recorded(record: Record) -> dict[str, object]:
    return {
        "before": _told(record.before),
        "since_s": record.at_s,
        "order": record.order,
        "why": record.why,
    }


def _told(program: Program) -> str:
    return f"{program.version} {program.digest[:16] or 'packaged'}"


async def go_back(work: Work, *, to_packaged: bool, reason: str, account: str) -> Program:
    """Run the former program again, or the packaged one, from a start that begins now.

    Evidence has it before it happens: behind the start another program writes.

    Raises:
        ConflictError: it runs already, or the store is too new for it.
        MalformedError: the reason is none.
    """
    programs = programs_of(work)
    note = plain_reason(reason, "program.reason")
    async with programs.turn():
        former = await programs.former(to_packaged=to_packaged)
        async with work.store.write() as conn:
            act, version = LanAct.PROGRAM_BACK, former.version
            await limits.tell_set(conn, work, act, account=account, program=version)
        await programs.go_back(former, note=note, at_s=work.clock.now_ms() // 1000)
    log.warning("a person goes back to a program", version=former.version, account=account)
    work.bells.restart.ring()
    return former
