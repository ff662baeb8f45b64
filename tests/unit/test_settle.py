"""A person says whose a value is, and nothing else changes hands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.core.identity import AttributeKind, Conflict
from appliance.handlers import targets as target_handlers
from appliance.handlers.off_limits import put_off_limits
from appliance.handlers.settle import choices, settle
from appliance.handlers.targets import IdentityConflictError, Wanted
from appliance.ports import Sudo
from appliance.store import conflicts, decisions, devices, health, targets
from appliance.store.decisions import Decided
from appliance.store.devices import Seen
from appliance.store.health import Condition
from appliance.tasks.discover import discover
from proto.errors import ConflictError, MalformedError, NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran
from tests.unit.discovery_site import SmallSite, small_site

A, B = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FACTS = '{"kernel":"Linux","os":"debian","os_version":"12","name":"emr","uid":1000}'
EMR, CLONE = "10.0.0.5", "10.0.0.6"
MAC = "00:1b:21:00:00:05"
MARIA = "maria"


@pytest.fixture
def scanner() -> FakeScanner:
    return FakeScanner([])


def host() -> FakeHost:
    return FakeHost(
        Table(("uname", ran(FACTS)), ("id -u", ran('{"uid":0}'))),
        KEY,
        users={"osiris": credential(key="PEM")},
        sudo={"osiris": Sudo.NOPASSWD},
    )


@pytest.fixture
async def site(tmp_path: Path, scanner: FakeScanner) -> AsyncIterator[SmallSite]:
    shell = FakeShell({(EMR, 22): host(), (CLONE, 22): host()})
    async with small_site(tmp_path, scanner=scanner, shell=shell) as opened:
        yield opened


async def disagree(
    site: SmallSite, kind: AttributeKind = AttributeKind.MAC, value: str = MAC
) -> int:
    """Let A show what belongs to B."""
    seen = [
        Seen(A, DeviceClass.SERVER, "", {AttributeKind.ADDRESS: EMR}),
        Seen(B, DeviceClass.UNKNOWN, "", {kind: value, AttributeKind.ADDRESS: CLONE}),
    ]
    async with site.work.store.write() as conn:
        await devices.upsert(conn, seen, at_ms=1)
        await conflicts.record(conn, [Conflict(A, B, kind, value)], at_ms=1)
        (kept,) = await conflicts.waiting(conn)
        condition = Condition.DEVICE_CONFLICT
        await health.raise_it(conn, condition, detail="", now_ms=1)
    return kept.id


async def values(site: SmallSite, device: TargetId, kind: AttributeKind) -> tuple[str, ...]:
    async with site.work.store.read() as conn:
        return (await devices.get(conn, device)).values(kind)


async def is_waiting(site: SmallSite) -> bool:
    async with site.work.store.read() as conn:
        waits = bool(await conflicts.waiting(conn))
        assert waits == (Condition.DEVICE_CONFLICT in await health.raised(conn))
    return waits


async def test_a_value_goes_to_whom_a_person_says_and_both_devices_tell_it(
    site: SmallSite,
) -> None:
    conflict = await disagree(site)
    await settle(site.work, conflict, to=A, reason=" a new card ", account=MARIA)
    assert await values(site, A, AttributeKind.MAC) == (MAC,)
    assert await values(site, B, AttributeKind.MAC) == ()
    assert await values(site, B, AttributeKind.ADDRESS) == (CLONE,)
    assert not await is_waiting(site)
    async with site.work.store.read() as conn:
        said = [(await decisions.of_device(conn, device))[0] for device in (A, B)]
    for one in said:
        assert (one.kind, one.account, one.reason) == (Decided.SETTLED, MARIA, "a new card")
        assert one.about == {"kind": "mac", "value": MAC, "to": A}


async def test_a_value_that_stays_is_not_asked_about_again(site: SmallSite) -> None:
    conflict = await disagree(site)
    await settle(site.work, conflict, to=B, reason="a test of ours", account=MARIA)
    async with site.work.store.write() as conn:
        await conflicts.record(conn, [Conflict(A, B, AttributeKind.MAC, MAC)], at_ms=9)
    assert await values(site, B, AttributeKind.MAC) == (MAC,)
    assert not await is_waiting(site)
    with pytest.raises(ConflictError, match="settled already"):
        await settle(site.work, conflict, to=A, reason="no", account=MARIA)


async def test_what_comes_from_an_off_limits_device_puts_its_new_owner_off_limits(
    site: SmallSite,
) -> None:
    """The hardware address of the X-ray machine finds another id now: it stays untouched."""
    conflict = await disagree(site)
    await put_off_limits(site.work, B, reason="the X-ray", account=MARIA)
    async with site.work.store.read() as conn:
        _, moves = await choices(conn, await conflicts.get(conn, conflict))
    assert "is put off limits too" in " ".join(moves.does)
    await settle(site.work, conflict, to=A, reason="x", account=MARIA)
    async with site.work.store.read() as conn:
        device = await devices.get(conn, A)
    assert device.is_off_limits
    assert "the X-ray" in device.because


async def test_a_key_that_a_target_is_pinned_to_does_not_move(
    site: SmallSite, scanner: FakeScanner
) -> None:
    """Two targets never become one behind a person's back."""
    scanner.devices = [
        FakeDevice(EMR, MAC, "Intel Corporate", (22,)),
        FakeDevice(CLONE, "00:1b:21:00:00:06", "Intel Corporate", (22,)),
    ]
    wanted = Wanted(EMR, 22, "osiris", Sudo.NOPASSWD, credential(key="PEM"), KEY, "the EMR")
    first = (await target_handlers.add(site.work, wanted)).target
    clone = Wanted(CLONE, 22, "osiris", Sudo.NOPASSWD, credential(key="PEM"), KEY, "")
    with pytest.raises(IdentityConflictError):
        await target_handlers.add(site.work, clone)
    async with site.work.store.read() as conn:
        (kept,) = await conflicts.waiting(conn)
        stays, moves = await choices(conn, kept)
    assert (stays.to, stays.refused) == (first, "")
    assert "remove the EMR first" in moves.refused
    with pytest.raises(ConflictError, match="remove the EMR first"):
        await settle(site.work, kept.id, to=moves.to, reason="x", account=MARIA)
    assert await values(site, first, AttributeKind.HOST_KEY) == (KEY,)
    await settle(site.work, kept.id, to=stays.to, reason="a clone", account=MARIA)
    async with site.work.store.read() as conn:
        assert [target.id for target in await targets.every(conn)] == [first]
        assert await conflicts.waiting(conn) == []


async def test_a_choice_says_what_an_address_does_to_a_target(
    site: SmallSite, scanner: FakeScanner
) -> None:
    scanner.devices = [FakeDevice(EMR, MAC, "Intel Corporate", (22,))]
    wanted = Wanted(EMR, 22, "osiris", Sudo.NOPASSWD, credential(key="PEM"), KEY, "the EMR")
    first = (await target_handlers.add(site.work, wanted)).target
    async with site.work.store.write() as conn:
        await devices.upsert(conn, [Seen(A, DeviceClass.UNKNOWN, "", {})], at_ms=1)
        conflict = Conflict(A, first, AttributeKind.ADDRESS, EMR)
        await conflicts.record(conn, [conflict], at_ms=1)
        (kept,) = await conflicts.waiting(conn)
        _, moves = await choices(conn, kept)
    assert "its checks have no answer until it is seen at another one" in " ".join(moves.does)


@pytest.mark.parametrize("reason", ["", "   "])
async def test_a_settlement_without_a_reason_changes_nothing(site: SmallSite, reason: str) -> None:
    conflict = await disagree(site)
    with pytest.raises(MalformedError, match="reason"):
        await settle(site.work, conflict, to=A, reason=reason, account=MARIA)
    assert await values(site, B, AttributeKind.MAC) == (MAC,)
    assert await is_waiting(site)


async def test_a_third_device_gets_nothing(site: SmallSite) -> None:
    conflict = await disagree(site)
    with pytest.raises(MalformedError, match="one of"):
        await settle(site.work, conflict, to=TargetId("t-cccccccccc"), reason="x", account=MARIA)
    with pytest.raises(NotFoundError):
        await settle(site.work, conflict + 1, to=A, reason="x", account=MARIA)
    assert await is_waiting(site)


async def test_a_discovery_after_a_settlement_asks_nobody_again(
    site: SmallSite, scanner: FakeScanner
) -> None:
    """B is known by its host key and address only; A's card is seen at that address."""
    seen = [
        Seen(A, DeviceClass.SERVER, "", {AttributeKind.MAC: MAC}),
        Seen(B, DeviceClass.SERVER, "", {AttributeKind.HOST_KEY: KEY, AttributeKind.ADDRESS: EMR}),
    ]
    async with site.work.store.write() as conn:
        await devices.upsert(conn, seen, at_ms=site.clock.now_ms())
    scanner.devices = [FakeDevice(EMR, MAC, "Intel Corporate", ())]
    await discover(site.work)
    async with site.work.store.read() as conn:
        (kept,) = await conflicts.waiting(conn)
    assert kept.conflict == Conflict(A, B, AttributeKind.ADDRESS, EMR)
    assert await is_waiting(site)
    await settle(site.work, kept.id, to=A, reason="the lease moved on", account=MARIA)
    await discover(site.work)
    assert not await is_waiting(site)
    assert await values(site, A, AttributeKind.ADDRESS) == (EMR,)
