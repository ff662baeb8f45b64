"""Check-ins, against a whole hub over real SQLite."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central.store import tables
from proto.envelope import Kind, sign
from proto.hub.check_in import PATH, DeviceCount, FullState, TargetGroup, state_of
from proto.hub.devices import NOTHING_HELD
from proto.inventory import DeviceClass, Platform
from proto.strict_json import b64_encode
from tests.fakes.box import CONTENT, Box, read_head, said
from tests.fakes.hub import Fault, Trial, running_hub, trial

TARGET = "t-aaaaaaaaaa"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


def full_state(**changes: object) -> FullState:
    values: dict[str, object] = {
        "version": "0.1.0",
        "content": CONTENT,
        "evidence_size": 0,
        "evidence_root": b64_encode(bytes(32)),
        "health": (),
        "devices": (DeviceCount(device_class=DeviceClass.SERVER, count=3),),
        "targets": (
            TargetGroup(platform=Platform.LINUX, device_class=DeviceClass.SERVER, ids=(TARGET,)),
        ),
        "targets_total": 1,
        "device_list": NOTHING_HELD,
        "observe_only": False,
        **changes,
    }
    return FullState.model_validate(values)


async def refused(hub: Trial, body: bytes, status: int) -> str:
    got, answer = await hub.net.request("POST", PATH, body)
    assert got == status, answer
    return str(said(answer)["code"])


async def test_a_quiet_check_in_is_answered_by_a_head_for_its_own_challenge(hub: Trial) -> None:
    box = await hub.box()
    request = box.check_in(now_s=hub.now_s)
    answer = await hub.net.post(PATH, request)
    head = read_head(answer, hub.root)
    assert head.time == hub.now_s
    assert head.state == b64_encode(bytes(32))
    headers = b"POST /api/agent/check-in HTTP/1.1\r\nhost: hub.example:8443\r\n" * 2
    assert len(request) + len(answer) + len(headers) <= 1024


async def test_a_full_state_is_kept_and_named_from_then_on(hub: Trial) -> None:
    box = await hub.box()
    state = full_state()
    head = read_head(
        await hub.net.post(PATH, box.check_in(now_s=hub.now_s, state=state_of(state), full=state)),
        hub.root,
    )
    assert head.state == b64_encode(state_of(state))
    quiet = await hub.net.post(PATH, box.check_in(now_s=hub.now_s, state=state_of(state)))
    assert read_head(quiet, hub.root).state == head.state
    assert await hub.count(tables.targets) == 1


async def test_a_full_state_other_than_the_named_one_is_refused(hub: Trial) -> None:
    box = await hub.box()
    body = box.check_in(now_s=hub.now_s, state=bytes(32), full=full_state())
    assert await refused(hub, body, 403) == "state_mismatch"
    assert await hub.count(tables.full_states) == 0


async def test_targets_that_left_the_state_are_no_longer_listed(hub: Trial) -> None:
    box = await hub.box()
    for state in (full_state(), full_state(targets=(), targets_total=0)):
        await hub.net.post(PATH, box.check_in(now_s=hub.now_s, state=state_of(state), full=state))
    async with hub.net.hub.store.read() as connection:
        listed = (await connection.execute(tables.targets.select())).one().listed
    assert listed is False


async def test_a_replayed_check_in_is_refused_and_raises_a_condition(hub: Trial) -> None:
    box = await hub.box()
    first = box.check_in(now_s=hub.now_s)
    await hub.net.post(PATH, first)
    assert await refused(hub, first, 409) == "replayed"
    assert await hub.count(tables.conditions) == 1
    await hub.net.post(PATH, box.check_in(now_s=hub.now_s))
    async with hub.net.hub.store.read() as connection:
        row = (await connection.execute(tables.conditions.select())).one()
    assert row.cleared_ms is not None


async def test_a_replay_is_still_refused_after_a_restart(hub: Trial, tmp_path: Path) -> None:
    box = await hub.box()
    first = box.check_in(now_s=hub.now_s)
    await hub.net.post(PATH, first)
    async with running_hub(
        tmp_path / "hub.db", clock=hub.clock, entropy=hub.entropy, secrets=hub.secrets
    ) as again:
        status, answer = await again.request("POST", PATH, first)
    assert (status, said(answer)["code"]) == (409, "replayed")


@pytest.mark.parametrize("offset_s", [901, -901])
async def test_a_check_in_from_the_future_or_the_past_is_refused(hub: Trial, offset_s: int) -> None:
    box = await hub.box()
    assert await refused(hub, box.check_in(now_s=hub.now_s + offset_s), 403) == "clock"


async def test_a_check_in_by_an_unknown_key_is_refused(hub: Trial) -> None:
    box = await hub.box()
    stranger = Box.make(hub.entropy)
    stranger.appliance = box.appliance
    assert await refused(hub, stranger.check_in(now_s=hub.now_s), 403) == "unknown_key"


async def test_a_check_in_in_anothers_name_is_refused(hub: Trial) -> None:
    box, other = await hub.box("One"), await hub.box("Two")
    body = box.check_in(now_s=hub.now_s, appliance=other.appliance)
    assert await refused(hub, body, 403) == "other_appliance"


async def test_a_changed_body_is_refused(hub: Trial) -> None:
    box = await hub.box()
    body = bytearray(box.check_in(now_s=hub.now_s))
    body[20] = ord("A") if body[20] != ord("A") else ord("B")
    assert await refused(hub, bytes(body), 403) == "signature_bad"


async def test_a_statement_of_another_kind_is_no_check_in(hub: Trial) -> None:
    box = await hub.box()
    assert await refused(hub, sign(Kind.EVIDENCE, b"{}", box.key), 400) == "envelope_kind"


@pytest.mark.parametrize(
    "body",
    [
        b'{"v":1}',
        b'{"v":1,"appliance":"a-aaaaaaaaaa","seq":1.5}',
        b"not json",
        b"",
    ],
)
async def test_a_signed_body_that_is_no_check_in_is_refused_naming_the_place(
    hub: Trial, body: bytes
) -> None:
    box = await hub.box()
    assert await refused(hub, sign(Kind.CHECKIN, body, box.key), 400) == "malformed"


async def test_an_oversized_check_in_is_refused(hub: Trial) -> None:
    assert await refused(hub, b"x" * 70_000, 413) == "too_large"


async def test_many_check_ins_at_once_are_all_taken_and_none_twice(hub: Trial) -> None:
    boxes = [await hub.box(f"Clinic {n}") for n in range(20)]
    bodies = [box.check_in(now_s=hub.now_s) for box in boxes]
    twice = [*bodies, *bodies]
    results = await asyncio.gather(*(hub.net.request("POST", PATH, body) for body in twice))
    assert sorted(status for status, _ in results) == [200] * 20 + [409] * 20


async def test_a_lost_answer_is_followed_by_the_next_number(hub: Trial) -> None:
    box = await hub.box()
    hub.net.faults = [Fault.REPLY_LOST]
    with pytest.raises(Exception, match="lost"):
        await hub.net.post(PATH, box.check_in(now_s=hub.now_s))
    read_head(await hub.net.post(PATH, box.check_in(now_s=hub.now_s)), hub.root)


async def test_refusals_are_bounded_however_many_come(hub: Trial) -> None:
    for _ in range(100):
        await hub.net.request("POST", PATH, b"junk")
    assert await hub.count(tables.refusals) == 60
    hub.clock.advance(60_000)
    await hub.net.request("POST", PATH, b"junk")
    async with hub.net.hub.store.read() as connection:
        rows = (await connection.execute(tables.refusals.select())).all()
    assert rows[-1].unrecorded == 40
