"""Text that arrives at the hub: looked at again, admitted or set aside, and said at both ends."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from central.commands import clear_condition
from central.core.admission import closed_fields
from central.core.health import Condition
from central.store import devices, quarantine, tables
from central.store.views.site import finding_views
from proto import strict_json
from proto.catalog.load import load
from proto.findings import Verdict
from proto.hub import check_in, evidence
from proto.hub.check_in import FullState, Missing, state_of
from proto.hub.devices import NOTHING_HELD, PATH, DevicesReply, list_digest
from proto.ids import SiteId
from proto.phi import default_names, default_policy
from proto.phi.admission import Looker, Refused
from proto.phi.arrived import Arrived
from proto.phi.inside import look_inside
from proto.strict_json import b64_encode
from runtime.content import read_installed
from tests.fakes.box import CONTENT, Box, read_head, said
from tests.fakes.hub import Trial, trial

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TARGET, OTHER = "t-aaaaaaaaaa", "t-bbbbbbbbbb"
CHECK = "lin.x.banner"
PERSON = "Welcome Maria Gonzalez, SSN 521-44-9921"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


@pytest.fixture
async def box(hub: Trial) -> Box:
    return await hub.box()


def entry(device: str, **said_of_it: str | None) -> dict[str, object]:
    return {
        "id": device,
        "device_class": "server",
        "off_limits": False,
        "label": None,
        "name": None,
        "vendor": None,
        **said_of_it,
    }


def digest_of(entries: list[dict[str, object]]) -> str:
    return list_digest(hashlib.sha256(strict_json.dumps(one)).digest() for one in entries)


async def page(hub: Trial, body: bytes) -> str:
    answer = await hub.net.post(PATH, body)
    return DevicesReply.from_bytes(answer, "reply", size_bytes_max=4096).held


async def checked_in(hub: Trial, box: Box, *, device_list: str | None = None) -> check_in.Head:
    """Check in, with a full state when a list is named; return the hub's answer."""
    full = device_list and FullState(
        version="1",
        content=CONTENT,
        evidence_size=0,
        evidence_root=b64_encode(bytes(32)),
        health=(),
        devices=(),
        targets=(),
        targets_total=0,
        device_list=device_list,
        observe_only=False,
    )
    state = state_of(full) if full else bytes(32)
    body = box.check_in(now_s=hub.now_s, state=state, full=full or None)
    return read_head(await hub.net.post(check_in.PATH, body), hub.root)


async def everything_stored(hub: Trial) -> str:
    """Return every value of every table as one text."""
    async with hub.net.hub.store.read() as connection:
        rows = [
            repr(tuple(row))
            for table in tables.metadata.sorted_tables
            for row in await connection.execute(table.select())
        ]
    return "\n".join(rows)


async def test_a_detail_with_a_person_in_it_is_set_aside_and_its_leaf_still_counts(
    hub: Trial, box: Box
) -> None:
    box.scan(
        TARGET,
        {
            CHECK: (Verdict.DRIFTED, {"banner": PERSON}),
            "lin.x.other": (Verdict.COMPLIANT, {"value": "no", "port": 22}),
        },
        at_s=hub.now_s,
    )
    reply = strict_json.loads(await hub.net.post(evidence.PATH, box.batch()), size_bytes_max=9999)
    assert isinstance(reply, dict)
    assert reply["have"] == 1
    assert reply["cosigned"] is not None
    site = SiteId(box.site)
    async with hub.net.hub.store.read() as connection:
        seen = {one.check: one.seen for one in await finding_views(site, connection)}
        (aside,) = await quarantine.of_site(site, connection, limit=10)
    assert seen == {CHECK: None, "lin.x.other": {"value": "no", "port": 22}}
    assert (aside.what, aside.place) == ("evidence detail", "leaf 0 checks.0")
    assert "ssn" in aside.forms
    stored = await everything_stored(hub)
    assert "Gonzalez" not in stored
    assert "521-44" not in stored


async def test_what_was_set_aside_is_told_in_the_answer_until_a_person_dealt_with_it(
    hub: Trial, box: Box
) -> None:
    assert (await checked_in(hub, box)).unwell == ()
    box.scan(TARGET, {CHECK: (Verdict.DRIFTED, {"banner": PERSON})}, at_s=hub.now_s)
    await hub.net.post(evidence.PATH, box.batch())
    assert (await checked_in(hub, box)).unwell == (check_in.TEXT_SET_ASIDE,)
    known = hub.net.hub.registry.by_id(box.appliance)
    assert known is not None
    await clear_condition(hub.net.hub, known.appliance, Condition.TEXT_SET_ASIDE)
    assert (await checked_in(hub, box)).unwell == ()


async def test_the_same_detail_sent_again_is_one_entry(hub: Trial, box: Box) -> None:
    box.scan(TARGET, {CHECK: (Verdict.DRIFTED, {"banner": PERSON})}, at_s=hub.now_s)
    for _ in range(3):
        await hub.net.post(evidence.PATH, box.batch())
    assert await hub.count(tables.quarantine) == 1


async def test_tokens_and_plain_machine_text_are_admitted(hub: Trial, box: Box) -> None:
    fine = {"banner": "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "who": "[NAME-j46m2ci] logged in"}
    box.scan(TARGET, {CHECK: (Verdict.DRIFTED, fine)}, at_s=hub.now_s)
    await hub.net.post(evidence.PATH, box.batch())
    assert await hub.count(tables.quarantine) == 0
    assert await hub.count(tables.details) == 1


async def test_names_of_devices_arrive_and_one_that_tells_of_a_person_does_not(
    hub: Trial, box: Box
) -> None:
    entries = [
        entry(TARGET, label="Reception PC", name="desktop-4f2a.lan", vendor="Dell Inc."),
        entry(OTHER, label="Maria Gonzalez laptop", vendor="Intel Corporate"),
    ]
    assert await page(hub, box.devices(entries, now_s=hub.now_s)) == digest_of(entries)
    async with hub.net.hub.store.read() as connection:
        first, second = await devices.of_site(SiteId(box.site), connection)
    assert (first.called, first.name, first.vendor) == (
        "Reception PC",
        "desktop-4f2a.lan",
        "Dell Inc.",
    )
    assert (second.called, second.vendor) == ("", "Intel Corporate")
    assert await hub.count(tables.quarantine) == 1
    assert "Gonzalez" not in await everything_stored(hub)
    assert (await checked_in(hub, box)).unwell == (check_in.TEXT_SET_ASIDE,)


async def test_a_page_replaces_its_range_and_nothing_else(hub: Trial, box: Box) -> None:
    many = [entry(f"t-{letter * 10}", label=f"host {letter}") for letter in "abcdef"]
    now_s = hub.now_s
    await page(hub, box.devices(many[:3], now_s=now_s, until=str(many[2]["id"])))
    held = await page(hub, box.devices(many[3:], now_s=now_s, after=str(many[2]["id"])))
    assert held == digest_of(many)
    changed = entry("t-bbbbbbbbbb", label="renamed")
    first = box.devices([many[0], changed], now_s=now_s, until=str(many[2]["id"]))
    assert await page(hub, first) == digest_of([many[0], changed, *many[3:]])
    assert await page(hub, box.devices([], now_s=now_s)) == NOTHING_HELD


async def test_a_page_that_comes_again_another_ones_or_out_of_order_is_refused(
    hub: Trial, box: Box
) -> None:
    body = box.devices([entry(TARGET)], now_s=hub.now_s)
    await page(hub, body)
    other = await hub.box("Other clinic")
    for refused, status, code in (
        (body, 409, "replayed"),
        (box.devices([entry(OTHER), entry(TARGET)], now_s=hub.now_s), 400, "malformed"),
        (box.devices([entry(TARGET)], now_s=hub.now_s, after=OTHER), 400, "malformed"),
        (box.devices([], now_s=hub.now_s, appliance=other.appliance), 403, "other_appliance"),
        (Box.make(hub.entropy).devices([], now_s=1, appliance=TARGET), 403, "unknown_key"),
    ):
        got, answer = await hub.net.request("POST", PATH, refused)
        assert (got, said(answer)["code"]) == (status, code)
    assert await hub.count(tables.devices) == 1


async def test_a_hub_that_lacks_the_list_says_so_when_it_hears_which_there_is(
    hub: Trial, box: Box
) -> None:
    entries = [entry(TARGET, label="Front desk")]
    wanted = digest_of(entries)
    assert (await checked_in(hub, box, device_list=wanted)).missing == (Missing.DEVICES,)
    await page(hub, box.devices(entries, now_s=hub.now_s))
    assert (await checked_in(hub, box, device_list=wanted)).missing == ()
    assert (await checked_in(hub, box)).missing == ()


async def test_a_hub_without_names_admits_closed_values_and_tokens_and_no_other_text(
    hub: Trial, box: Box
) -> None:
    content = load(read_installed())
    blind = replace(
        hub.net.hub,
        looker=replace(hub.net.hub.looker, names=None),
        closed=closed_fields(content),
    )
    hub.net.app._hub = blind  # noqa: SLF001 - the same hub, without its list of names
    box.scan(
        TARGET,
        {
            "lin.ssh.root_login": (Verdict.DRIFTED, {"value": "yes"}),
            "lin.x.a": (Verdict.DRIFTED, {"text": "[NAME-j46m2ci]"}),
            "lin.x.b": (Verdict.DRIFTED, {"text": "Debian"}),
        },
        at_s=hub.now_s,
    )
    await hub.net.post(evidence.PATH, box.batch())
    assert await hub.count(tables.details) == 2
    assert await hub.count(tables.quarantine) == 1
    assert await hub.count(tables.conditions) == 0, "the hub cannot look: nobody leaked anything"


def test_no_closed_value_that_ships_is_taken_for_text_about_a_person() -> None:
    """An operator may run an older hub, whose content lacks the check that a value is of."""
    looker = Looker(default_policy(), default_names())
    taken = [
        (check, name, value)
        for check, fields in closed_fields(load(read_installed())).items()
        for name, values in fields.items()
        for value in values
        if isinstance(
            looker.admit_document(Arrived(strict_json.dumps({name: value}).decode()), {}), Refused
        )
    ]
    assert taken == []


def test_no_closed_value_that_ships_is_stopped_by_the_last_look() -> None:
    stopped = [
        (check, name, value)
        for check, fields in closed_fields(load(read_installed())).items()
        for name, values in fields.items()
        for value in values
        if look_inside(strict_json.dumps({name: value}))
    ]
    assert stopped == []
