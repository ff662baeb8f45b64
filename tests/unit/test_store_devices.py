"""Devices are stored in batches, keep what marks them, and never grow without bound."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.core.identity import AttributeKind, Conflict
from appliance.core.inventory import PortSeen
from appliance.store import conflicts, devices
from appliance.store.db import Store
from appliance.store.devices import PortAnswer, Seen
from proto.errors import NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass

A, B, C = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb"), TargetId("t-cccccccccc")
MAC, ADDRESS, NAME = AttributeKind.MAC, AttributeKind.ADDRESS, AttributeKind.NAME
DAY_MS = 86_400_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "appliance.db", now_ms=1)
    yield opened
    await opened.close()


def seen(device: TargetId, *, off_limits: str = "", **attributes: str) -> Seen:
    kind = DeviceClass.MEDICAL if off_limits else DeviceClass.SERVER
    values = {AttributeKind(name): value for name, value in attributes.items()}
    return Seen(device, kind, off_limits, values)


async def test_what_was_seen_is_read_back_newest_first(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A, mac="00:1b:21:00:00:11", address="10.0.0.5")], at_ms=10)
        await devices.upsert(conn, [seen(A, address="10.0.0.9", name="emr")], at_ms=20)
        await devices.record_ports(conn, [PortAnswer(A, 22, is_open=True)], at_ms=20)
    async with store.read() as conn:
        device = (await devices.every(conn))[A]
    assert device.address == "10.0.0.9"
    assert device.values(ADDRESS) == ("10.0.0.9", "10.0.0.5")
    assert device.values(MAC) == ("00:1b:21:00:00:11",)
    assert (device.first_ms, device.last_ms) == (10, 20)
    assert device.ports == {22: PortSeen(is_open=True, seen_ms=20)}
    assert device.observed().open == frozenset({22})
    assert device.observed().asked == frozenset()


async def test_off_limits_is_never_unset_by_a_later_look(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A, off_limits="port 104 is open: DICOM")], at_ms=10)
        await devices.upsert(conn, [seen(A)], at_ms=20)
        device = await devices.get(conn, A)
    assert device.is_off_limits
    assert device.device_class is DeviceClass.MEDICAL
    assert device.observed().marked == "port 104 is open: DICOM"


async def test_a_device_can_be_put_off_limits_later(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A)], at_ms=10)
        await devices.upsert(conn, [seen(A, off_limits="port 2575 is open: HL7")], at_ms=20)
        device = await devices.get(conn, A)
    assert device.is_off_limits
    assert device.because == "port 2575 is open: HL7"


async def test_an_address_that_was_lost_is_gone(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A, address="10.0.0.5")], at_ms=10)
        await devices.forget_values(conn, [(A, ADDRESS, "10.0.0.5")])
        assert (await devices.get(conn, A)).address == ""


async def test_an_unknown_device_is_an_error_that_names_it(store: Store) -> None:
    async with store.read() as conn:
        with pytest.raises(NotFoundError, match=A):
            await devices.get(conn, A)


async def test_a_conflict_keeps_the_day_it_was_first_seen_until_the_key_is_unpinned(
    store: Store,
) -> None:
    conflict = Conflict(A, B, AttributeKind.HOST_KEY, "ssh-ed25519 A")
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A), seen(B, host_key="ssh-ed25519 A")], at_ms=10)
        await conflicts.record(conn, [conflict], at_ms=10)
        await conflicts.record(conn, [conflict], at_ms=20)
        (kept,) = await conflicts.waiting(conn)
        assert (kept.conflict, kept.at_ms) == (conflict, 10)
        await devices.unpin(conn, B)
        await conflicts.forget_keys(conn, B)
        assert await conflicts.waiting(conn) == []
        assert (await devices.get(conn, B)).values(AttributeKind.HOST_KEY) == ()


async def test_the_devices_unseen_for_longest_go_first_and_marked_ones_last(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A, off_limits="vendor")], at_ms=10)
        await devices.upsert(conn, [seen(B)], at_ms=20)
        await devices.upsert(conn, [seen(C)], at_ms=30)
        await devices.prune(conn, now_ms=30, ports_kept=(), devices_max=2)
        assert set(await devices.every(conn)) == {A, C}


async def test_what_was_not_seen_for_a_season_goes_unless_it_is_marked(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A, off_limits="vendor"), seen(B)], at_ms=0)
        await devices.upsert(conn, [seen(C)], at_ms=DAY_MS)
        await devices.prune(conn, now_ms=90 * DAY_MS + 1, ports_kept=())
        assert set(await devices.every(conn)) == {A, C}


async def test_a_device_with_an_incident_stays(store: Store) -> None:
    async with store.write() as conn:
        await devices.upsert(conn, [seen(A), seen(B)], at_ms=0)
        await conn.execute(
            "INSERT INTO incidents (id, target, check_id, platform, severity, seen, state,"
            " attempt, opened_ms, updated_ms)"
            " VALUES ('i-aaaaaaaaaa', ?, 'c', 'network', 'low', '{}', 'open', 1, 0, 0)",
            (A,),
        )
        await devices.prune(conn, now_ms=365 * DAY_MS, ports_kept=(), devices_max=0)
        assert set(await devices.every(conn)) == {A}


async def test_old_values_and_ports_nobody_asks_for_go(store: Store) -> None:
    async with store.write() as conn:
        for n in range(12):
            await devices.upsert(conn, [seen(A, name=f"name{n:02}", mac="m")], at_ms=n)
        await devices.record_ports(
            conn, [PortAnswer(A, 22, is_open=True), PortAnswer(A, 23, is_open=False)], at_ms=1
        )
        await devices.prune(conn, now_ms=12, ports_kept=(22,))
        device = await devices.get(conn, A)
    assert device.values(NAME) == tuple(f"name{n:02}" for n in range(11, 3, -1))
    assert device.values(MAC) == ("m",)
    assert set(device.ports) == {22}


async def test_a_thousand_devices_are_a_few_statements(store: Store) -> None:
    many = [
        seen(TargetId(f"t-{n:010}"), mac=f"m{n}", address=f"a{n}", name=f"n{n}")
        for n in range(1000)
    ]
    statements: list[str] = []
    async with store.write() as conn:
        await conn.set_trace_callback(statements.append)
        await devices.upsert(conn, many, at_ms=1)
        await devices.every(conn)
        await conn.set_trace_callback(None)  # type: ignore[arg-type]
    assert len({statement.split(" VALUES")[0] for statement in statements}) <= 6
