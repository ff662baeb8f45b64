"""Saying whose a value is that two devices showed: an address, a hardware address, a host key.

One value changes hands or stays where it is; nothing else moves. Two devices never become one:
targets, findings and history stay with the id that they have. What each choice does is said before
it is made, in the words of `choices`.

Off limits goes where the value goes: a device that takes what was found of one that is off limits
is off limits too, because it may be that very machine.
"""

from dataclasses import dataclass

import aiosqlite

from appliance.core.identity import AttributeKind
from appliance.handlers.off_limits import hold
from appliance.handlers.wellness import clear_condition
from appliance.handlers.work import Work
from appliance.store import conflicts, decisions, devices, targets
from appliance.store.conflicts import Kept
from appliance.store.decisions import About, Decided, Decision
from appliance.store.devices import Device
from appliance.store.health import Condition
from appliance.store.targets import Target
from proto.errors import ConflictError, MalformedError
from proto.ids import TargetId

KINDS: dict[AttributeKind, str] = {
    AttributeKind.MAC: "hardware address",
    AttributeKind.HOST_KEY: "host key",
    AttributeKind.ADDRESS: "address",
    AttributeKind.NAME: "name",
    AttributeKind.VENDOR: "maker",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to settle a disagreement.

    Attributes:
        to: the device that the value belongs to, if a person says so.
        does: what then happens, a sentence each.
        refused: why it cannot be chosen now, "" when it can.
    """

    to: TargetId
    does: tuple[str, ...]
    refused: str


async def choices(conn: aiosqlite.Connection, kept: Kept) -> tuple[Choice, Choice]:
    """Return what may be said of a disagreement: it stays with `other`, or goes to `device`.

    Raises:
        NotFoundError: one of the devices is gone.
    """
    device = await devices.get(conn, kept.conflict.device)
    other = await devices.get(conn, kept.conflict.other)
    owner = {target.id: target for target in await targets.every(conn)}.get(other.id)
    return _stays(kept, device), _moves(kept, device, other, owner=owner)


def called(device: Device) -> str:
    """Return what people call a device."""
    return device.label or device.address or device.id


def _stays(kept: Kept, device: Device) -> Choice:
    does = ["Nothing is moved, and this is not asked again."]
    if kept.conflict.kind is AttributeKind.HOST_KEY:
        does.append(
            f"{called(device)} shows a host key that is not its own: make a new one there"
            " (rm /etc/ssh/ssh_host_*; ssh-keygen -A) before it is looked after."
        )
    return Choice(kept.conflict.other, tuple(does), "")


def _moves(kept: Kept, device: Device, other: Device, *, owner: Target | None) -> Choice:
    kind, value = kept.conflict.kind, kept.conflict.value
    taken = f"{called(other)} loses this {KINDS[kind]}, and {called(device)} is found by it now."
    does = [taken, "Findings and history stay where they are."]
    if other.is_off_limits and not device.is_off_limits:
        does.append(f"{called(device)} is put off limits too, because {called(other)} is.")
    if owner is not None and kind is AttributeKind.ADDRESS and owner.address == value:
        does.append(
            f"{called(other)} is looked after at this address: its checks have no answer until it"
            " is seen at another one."
        )
    refused = ""
    if owner is not None and kind is AttributeKind.HOST_KEY and owner.host_key == value:
        refused = (
            f"{called(other)} is looked after with this very key. If the two are one machine,"
            f" remove {called(other)} first (its login goes, its history stays), then add"
            f" {called(device)}."
        )
    return Choice(device.id, tuple(does), refused)


async def settle(work: Work, conflict: int, *, to: TargetId, reason: str, account: str) -> None:
    """Settle a disagreement as a person says.

    Raises:
        NotFoundError: there is no such disagreement.
        ConflictError: it is settled already, or the value cannot go there now.
        MalformedError: `to` is neither of the two devices, or there is no reason.
    """
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        kept = await conflicts.get(conn, conflict)
        if kept.settled_ms is not None:
            msg = f"device conflict {conflict} is settled already"
            raise ConflictError(msg)
        found = {choice.to: choice for choice in await choices(conn, kept)}
        if to not in found:
            msg = f"to: one of {' and '.join(found)}, the two devices that showed the value"
            raise MalformedError(msg)
        if found[to].refused:
            raise ConflictError(found[to].refused)
        await _decide(conn, kept, to=to, said=(account, reason.strip()), now_ms=now_ms)
        if to == kept.conflict.device:
            await _move(conn, work, kept)
        await conflicts.settle(conn, kept, at_ms=now_ms)
        left = await conflicts.waiting(conn)
    if not left:
        await clear_condition(work, Condition.DEVICE_CONFLICT)


async def _decide(
    conn: aiosqlite.Connection, kept: Kept, *, to: TargetId, said: tuple[str, str], now_ms: int
) -> None:
    """Keep the decision with both devices."""
    account, reason = said
    about: About = {"kind": kept.conflict.kind, "value": kept.conflict.value, "to": to}
    for device in (kept.conflict.device, kept.conflict.other):
        await decisions.add(conn, Decision(device, Decided.SETTLED, account, reason, about, now_ms))


async def _move(conn: aiosqlite.Connection, work: Work, kept: Kept) -> None:
    one = kept.conflict
    device, other = await devices.get(conn, one.device), await devices.get(conn, one.other)
    await devices.take_value(
        conn,
        one.kind,
        one.value,
        device=one.device,
        other=one.other,
        at_ms=work.clock.now_ms(),
    )
    if other.is_off_limits and not device.is_off_limits:
        because = f"its {KINDS[one.kind]} was that of {called(other)}, off limits: {other.because}"
        await hold(conn, work, one.device, because=because)
