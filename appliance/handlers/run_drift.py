"""Asking a target what is due, in one session, and recording what it answered.

What drifted does not wait for the rest of the checks: it is recorded soon, so that its repair can
start while they are asked.
"""

from collections.abc import Collection, Mapping, Sequence

from appliance.core import schedule
from appliance.handlers.facts import facts_of
from appliance.handlers.logins import login_of
from appliance.handlers.probe import ask, finding_of
from appliance.handlers.record import record
from appliance.handlers.work import Work
from appliance.ports import ShellError
from appliance.store import findings, incidents, meta
from appliance.store.findings import Kept
from appliance.store.targets import Target
from proto.catalog.model import Check
from proto.findings import Finding, Verdict
from proto.incidents import Incident
from proto.judge import unknown

TELL_WITHIN_MS = 300
"""How long a drift waits for other findings to be recorded with it, in one transaction."""


async def scan_target(
    work: Work,
    target: Target,
    *,
    all_of_them: bool = False,
    only: Collection[str] | None = None,
) -> int:
    """Ask a target what is due and return when the next of its checks is due, in milliseconds.

    With `all_of_them` every check is asked, due or not; `only` leaves out all but these.
    """
    async with work.store.read() as conn:
        kept = await findings.of_target(conn, work.scribe.site, target.id)
        knowing = await incidents.live_of_target(conn, work.scribe.site, target.id)
    asked = schedule.applicable(work.content().checks, target.platform)
    now_ms = work.clock.now_ms()
    held_ms = schedule.held_until_ms((one.finding for one in kept.values()), now_ms=now_ms)
    times_ms = {
        check.id: max(held_ms, _due_ms(work, check, kept.get(check.id), now_ms=now_ms))
        for check in asked
    }
    due = [
        check
        for check in asked
        if (all_of_them or times_ms[check.id] <= now_ms) and (only is None or check.id in only)
    ]
    if due:
        await _ask_all(work, target, due, knowing=knowing)
        now_ms = work.clock.now_ms()
        await _remember(work, now_ms)
    waits = [now_ms + check.interval_s * 1000 for check in due]
    waits += [times_ms[check.id] for check in asked if check not in due]
    return min(waits, default=now_ms + 3_600_000)


def _due_ms(work: Work, check: Check, kept: Kept | None, *, now_ms: int) -> int:
    last = kept.finding if kept else None
    unknown_for_ms = last.at_ms - kept.since_ms if kept and last and last.reason else 0
    return schedule.due_ms(
        check,
        last,
        unknown_for_ms=unknown_for_ms,
        content=work.content().digest,
        now_ms=now_ms,
    )


async def _ask_all(
    work: Work, target: Target, due: Sequence[Check], *, knowing: Mapping[str, Incident]
) -> None:
    """Ask checks one after another in one session; a login that fails makes the rest unknown."""
    facts = facts_of(work, target)
    asked, untold = 0, list[Finding]()
    try:
        login = await login_of(work, target.id)
        async with work.shell.session(login) as session:
            for check in due:
                judgement = await ask(session, check, facts)
                untold.append(finding_of(work, check, judgement, target=target.id))
                asked += 1
                if _is_urgent(untold, now_ms=work.clock.now_ms()):
                    await record(work, untold, knowing=knowing)
                    untold = []
    except ShellError as error:
        untold += [
            finding_of(work, check, unknown(error.reason, str(error)), target=target.id)
            for check in due[asked:]
        ]
    if untold:
        await record(work, untold, knowing=knowing)


def _is_urgent(untold: Sequence[Finding], *, now_ms: int) -> bool:
    return any(
        one.verdict is Verdict.DRIFTED and now_ms - one.at_ms >= TELL_WITHIN_MS for one in untold
    )


async def _remember(work: Work, now_ms: int) -> None:
    async with work.store.write() as conn:
        await meta.put(conn, meta.Key.LAST_SCAN_MS, str(now_ms))
