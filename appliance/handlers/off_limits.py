"""Putting a device off limits by hand, and releasing one that is off limits.

Off limits takes hold at once: no session is opened with the device any more, what was found on it
is forgotten and what was open on it is closed. A repair that is under way has the session that it
has; its next one is refused, so it ends in a person's hands.

A release is the dangerous direction: a scanner or a pump that is asked the wrong thing may stop in
the middle of its work. So a person gives a name and a reason, confirms exactly the signs that were
shown, and the word holds for this device alone: for these signs, at its own hardware addresses. The
next discovery asks the medical ports first, as of a stranger; a sign that is new marks it again.
"""

from collections.abc import Collection
from dataclasses import replace

import aiosqlite

from appliance.core.classify import Release, Sign, device_class, signs
from appliance.core.identity import AttributeKind
from appliance.core.reasons import plain_reason
from appliance.handlers.approach import refuse_held
from appliance.handlers.closing import close_open
from appliance.handlers.work import Work
from appliance.store import decisions, devices, findings
from appliance.store.decisions import About, Decided, Decision
from appliance.store.devices import Device
from proto.errors import ConflictError
from proto.findings import Vantage
from proto.ids import TargetId


async def put_off_limits(work: Work, target: TargetId, *, reason: str, account: str) -> None:
    """Put a device off limits; nobody connects to it until a person releases it.

    Raises:
        NotFoundError: there is no such device.
        ConflictError: it is off limits already.
        MalformedError: no reason, or too long a one.
    """
    said = plain_reason(reason, "reason")
    async with work.store.write() as conn:
        device = await devices.get(conn, target)
        if device.is_off_limits:
            msg = f"{target} is off limits already: {device.because}"
            raise ConflictError(msg)
        await decisions.add(
            conn,
            Decision(target, Decided.OFF_LIMITS, account, said, {}, work.clock.now_ms()),
        )
        await hold(conn, work, target, because=f"{account} put it off limits: {said}")
    work.bells.uplink.ring()


async def hold(conn: aiosqlite.Connection, work: Work, target: TargetId, *, because: str) -> None:
    """Mark a device in the caller's transaction, and end what was found and open on it."""
    await devices.mark(conn, target, because=because)
    await close_open(conn, work, target, note=because)
    for vantage in Vantage:
        await findings.forget(conn, target, vantage=vantage)


def known_signs(device: Device) -> tuple[Sign, ...]:
    """Return what makes a device look medical, as a person is shown it before a release."""
    return signs(device.observed())


async def release(
    work: Work, target: TargetId, *, reason: str, account: str, shown: Collection[str]
) -> None:
    """Let a device be connected to again, on a person's word that it is not medical.

    `shown` are the codes of the signs that the person was shown.

    Raises:
        NotFoundError: there is no such device.
        ConflictError: it is not off limits, a sign came up that the person was not shown, or it is
            known by its address alone.
        MalformedError: no reason, or too long a one.
    """
    async with work.store.write() as conn:
        device = await devices.get(conn, target)
        given = _release(device, shown=shown, at_ms=work.clock.now_ms())
        about: About = {
            "because": given.because,
            "signs": sorted(given.signs),
            "words": [sign.words for sign in known_signs(device)],
            "macs": sorted(given.macs),
        }
        await decisions.add(
            conn, Decision(target, Decided.RELEASED, account, reason, about, given.at_ms)
        )
        observed = replace(device.observed(), marked="", release=given)
        await devices.unmark(conn, target, device_class=device_class(observed))


def obstacle(device: Device) -> str:
    """Say why nobody can release a device now, "" when a person may."""
    if not device.is_off_limits:
        return f"{device.id} is not off limits."
    if known_signs(device) and not device.values(AttributeKind.MAC):
        return (
            f"{device.id} is known by its address alone, and any other machine may get this"
            " address. It can be released once a discovery has seen its hardware address."
        )
    return ""


def _release(device: Device, *, shown: Collection[str], at_ms: int) -> Release:
    """Return the word that a person may give for a device as it is now known."""
    if refused := obstacle(device):
        raise ConflictError(refused)
    codes = {sign.code for sign in known_signs(device)}
    if not codes <= set(shown):
        msg = (
            f"Something new was seen of {device.id} that makes it look medical. Read again what it"
            " is before you release it."
        )
        raise ConflictError(msg)
    macs = frozenset(device.values(AttributeKind.MAC))
    earlier = device.release.signs if device.release else frozenset[str]()
    return Release(frozenset(codes) | earlier, macs, device.because, at_ms)


async def require_free(work: Work, target: TargetId) -> None:
    """Refuse a device that nobody may log in on.

    Raises:
        NotFoundError: there is no such device.
        OffLimitsError: it is off limits, or was released and must be looked at first.
    """
    async with work.store.read() as conn:
        device = await devices.get(conn, target)
    refuse_held(device)
