"""Greeting the TLS services of devices: a handshake or two, a few times a day, nothing sent.

One connection at a time. Whether a device may be connected to is read from the store again before
every greeting, so that one that was put off limits meanwhile is left alone at once.
"""

import asyncio
from collections.abc import Sequence

from appliance.core import schedule
from appliance.core.classify import off_limits
from appliance.core.greeting import greeting_checks, judge_greeting, open_ports, worst
from appliance.handlers.facts import facts_of, facts_of_device
from appliance.handlers.probe import finding_of
from appliance.handlers.record import record
from appliance.handlers.work import Work
from appliance.ports import NO_TLS, ShellError
from appliance.store import devices, findings, targets
from appliance.store.devices import Device
from appliance.store.findings import Kept
from proto.catalog.model import Check
from proto.errors import NotFoundError
from proto.findings import Reason, Scalar, Vantage
from proto.inventory import Facts
from proto.judge import Judgement, unknown

Said = dict[int, dict[str, Scalar] | ShellError]
"""What each port answered, or why it did not."""


async def greet_due(work: Work) -> int:
    """Greet what is due on every device that discovery has just seen; return how many findings."""
    checks = greeting_checks(work.content().checks.values())
    if not checks:
        return 0
    async with work.store.read() as conn:
        known = await devices.every(conn)
    found = 0
    for device in known.values():
        found += await _greet_device(work, device, checks)
    return found


async def _greet_device(work: Work, device: Device, checks: Sequence[Check]) -> int:
    if not _may_be_greeted(device):
        return 0
    async with work.store.read() as conn:
        kept = await findings.of_target(conn, work.scribe.site, device.id)
    now_ms = work.clock.now_ms()
    due = [
        (check, ports)
        for check in checks
        if _is_due(work, check, kept.get(check.id), now_ms=now_ms)
        and (ports := open_ports(check, device.ports, now_ms=now_ms)) is not None
    ]
    if not due:
        return 0
    said: Said = {}
    for port in sorted({port for _, ports in due for port in ports}):
        answer = await _greet(work, device, port)
        if answer is None:
            return 0
        said[port] = answer
    facts = await _facts(work, device)
    judged = [
        finding_of(
            work,
            check,
            _judge(check, ports, said, facts=facts),
            target=device.id,
            vantage=Vantage.SCAN,
        )
        for check, ports in due
    ]
    await record(work, judged)
    return len(judged)


def _may_be_greeted(device: Device) -> bool:
    return bool(device.address) and not device.held and off_limits(device.observed()) is None


def _is_due(work: Work, check: Check, kept: Kept | None, *, now_ms: int) -> bool:
    last = kept.finding if kept else None
    unknown_for_ms = last.at_ms - kept.since_ms if kept and last and last.reason else 0
    digest = work.content().digest
    due_ms = schedule.due_ms(
        check, last, unknown_for_ms=unknown_for_ms, content=digest, now_ms=now_ms
    )
    return due_ms <= now_ms


async def _greet(work: Work, device: Device, port: int) -> dict[str, Scalar] | ShellError | None:
    """Greet one port; None when the device may not be connected to any more, or went elsewhere."""
    try:
        async with work.store.read() as conn:
            now = await devices.get(conn, device.id)
    except NotFoundError:
        return None
    if not _may_be_greeted(now) or now.address != device.address:
        return None
    timeout_s = max(
        check.probe.timeout_s for check in greeting_checks(work.content().checks.values())
    )
    try:
        async with asyncio.timeout(timeout_s):
            return dict(await work.tls.look(device.address, port, now_ms=work.clock.now_ms()))
    except ShellError as error:
        return error
    except TimeoutError:
        return ShellError(Reason.TIMEOUT, f"port {port}: not greeted within {timeout_s} s")


def _judge(check: Check, ports: Sequence[int], said: Said, *, facts: Facts) -> Judgement:
    if not ports:
        return judge_greeting(check, NO_TLS, port=0, facts=facts)
    found: list[Judgement] = []
    for port in ports:
        answer = said[port]
        found.append(
            unknown(answer.reason, str(answer))
            if isinstance(answer, ShellError)
            else judge_greeting(check, answer, port=port, facts=facts)
        )
    return worst(found)


async def _facts(work: Work, device: Device) -> Facts:
    try:
        async with work.store.read() as conn:
            return facts_of(work, await targets.get(conn, device.id))
    except NotFoundError:
        return facts_of_device(work, device)
