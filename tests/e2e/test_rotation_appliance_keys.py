"""An appliance goes on with other keys: whose word the hub takes for it, before and after."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from central import order_desk
from central.api.machine_routes import MACHINE_ROUTES
from central.api.raw import Machines
from central.renewals import notices
from central.state import load_registry
from central.store import appliances, tables
from central.store.appliances import CheckInRow
from central.store.registry import Registry
from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Held, Keys, verify
from proto.appliance_keys import DUE_BEFORE_S, LIFE_S, Place, keys_leaf
from proto.envelope import Kind, open_envelope, sign
from proto.evidence import KeysLeaf
from proto.hub import check_in, devices
from proto.hub.evidence import PATH, EvidenceReply, EvidenceWanted
from proto.hub.orders import OrdersRequest
from proto.hub.outgoing import wire
from proto.ids import ApplianceId, SiteId
from proto.keys import SEED_BYTES, PublicKey, SigningKey, trust_one
from proto.merkle import Tree
from proto.strict_json import INT_MAX, b64_encode
from tests.e2e.order_scene import Orders, trust
from tests.fakes.box import Box, read_head, said
from tests.fakes.hub import Trial, trial

DAY_MS = 86_400_000


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


@pytest.fixture
async def box(hub: Trial) -> Box:
    made = await hub.box()
    made.health("disk_low", ok=False, at_s=hub.now_s)
    await send(hub, made)
    return made


async def send(hub: Trial, box: Box, first: int = 0) -> EvidenceReply:
    answer = await hub.net.post(PATH, box.batch(first))
    return EvidenceReply.from_bytes(answer, "reply", size_bytes_max=65536)


async def refused(hub: Trial, path: str, body: bytes) -> str:
    status, answer = await hub.net.request("POST", path, body)
    assert status != 200, answer
    return str(said(answer)["code"])


async def kept(hub: Trial) -> PublicKey:
    """The key that the hub holds for its one appliance, or the one that enrolled first."""
    async with hub.net.hub.store.read() as connection:
        row = (await connection.execute(tables.appliances.select())).first()
    assert row is not None
    return PublicKey(row.ed25519)


async def is_heard(hub: Trial, box: Box) -> bool:
    answer = await hub.net.post(check_in.PATH, box.check_in(now_s=hub.now_s))
    return read_head(answer, hub.root).time == hub.now_s


async def test_the_hub_follows_a_renewal_in_the_log_and_forgets_nothing_of_before(
    hub: Trial, box: Box
) -> None:
    former = box.renew(at_s=hub.now_s)
    box.health("disk_low", ok=True, at_s=hub.now_s)
    assert (await send_by(hub, box, former, first=1)).have == 3
    assert await kept(hub) == box.key.public
    assert await is_heard(hub, box)
    reply = await send(hub, box)
    assert reply.have == 3, "leaves of the former key go on to verify, details and all"
    assert reply.cosigned is not None


async def send_by(hub: Trial, box: Box, signer: SigningKey, first: int = 0) -> EvidenceReply:
    """Send with a head that a key signed which the hub knows, as an appliance does."""
    now, box.key = box.key, signer
    checkpoint = box.checkpoint()
    box.key = now
    answer = await hub.net.post(PATH, box.batch(first, checkpoint=checkpoint))
    return EvidenceReply.from_bytes(answer, "reply", size_bytes_max=65536)


async def renewed(hub: Trial, box: Box) -> SigningKey:
    first = len(box.leaves)
    former = box.renew(at_s=hub.now_s)
    await send_by(hub, box, former, first=first)
    return former


async def started_again(hub: Trial) -> None:
    """End the hub's process and start the next one over its store."""
    again = replace(hub.net.hub, registry=Registry(hub.net.hub.origin))
    await load_registry(again)
    hub.net.hub, hub.net.app = again, Machines(again, MACHINE_ROUTES)


async def test_a_hub_that_starts_again_knows_every_key(hub: Trial, box: Box) -> None:
    await renewed(hub, box)
    hub.clock.advance(3 * DAY_MS)
    await renewed(hub, box)
    await started_again(hub)
    assert await is_heard(hub, box)
    box.health("disk_low", ok=True, at_s=hub.now_s)
    assert (await send(hub, box)).have == 4, "the first leaf is held against the first key"


async def test_the_former_key_alone_is_heard_of_nothing_once_the_hub_has_the_renewal(
    hub: Trial, box: Box
) -> None:
    """Somebody who copied it would read orders, sealed logins and evidence with it."""
    former = await renewed(hub, box)
    following, box.key = box.key, former
    asked = EvidenceWanted(appliance=box.appliance, iat=hub.now_s, first=0)
    orders = OrdersRequest(
        appliance=box.appliance,
        iat=hub.now_s,
        challenge=b64_encode(bytes(16)),
        size=0,
        root=b64_encode(Tree().root),
        checkpoint=None,
        waiting=(),
    )
    for path, body in (
        (check_in.PATH, box.check_in(now_s=hub.now_s)),
        (devices.PATH, box.devices([], now_s=hub.now_s)),
        *(
            (one.path, one.body)
            for one in (wire(asked, signer=former), wire(orders, signer=former))
        ),
    ):
        assert await refused(hub, path, body) == "unknown_key"
    box.key = following
    assert await is_heard(hub, box)


async def test_whoever_counted_far_ahead_with_the_former_key_stops_nobody_after_it(
    hub: Trial, box: Box
) -> None:
    """A thief who checked in as number 2^53 - 1: else no check-in would ever follow."""
    seq = box.seq
    await hub.net.post(check_in.PATH, box.check_in(now_s=hub.now_s, seq=INT_MAX))
    await hub.net.post(devices.PATH, box.devices([], now_s=hub.now_s, seq=INT_MAX))
    box.seq, box.page_seq = seq, -1
    late = box.check_in(now_s=hub.now_s)
    assert await refused(hub, check_in.PATH, late) == "replayed"
    await renewed(hub, box)
    assert await is_heard(hub, box)
    await hub.net.post(devices.PATH, box.devices([], now_s=hub.now_s))
    await started_again(hub)
    assert await is_heard(hub, box)


async def test_a_check_in_of_the_former_key_that_is_stored_late_changes_nothing(
    hub: Trial, box: Box
) -> None:
    """It was heard before the renewal and waited for the store meanwhile."""
    row = CheckInRow(
        SiteId(box.site),
        ApplianceId(box.appliance),
        INT_MAX,
        hub.clock.now_ms(),
        hub.now_s,
        bytes(32),
        60,
        None,
        box.key.public.raw,
    )
    await renewed(hub, box)
    async with hub.net.hub.store.write() as connection:
        await appliances.record_check_ins(connection, [row])
    await started_again(hub)
    assert await is_heard(hub, box)


async def test_a_key_that_nobody_compared_is_not_called_compared(hub: Trial, box: Box) -> None:
    """A thief of the former key may have named it."""
    async with hub.net.hub.store.write() as connection:
        await appliances.confirm(
            SiteId(box.site),
            connection,
            appliance=ApplianceId(box.appliance),
            by="eva",
            now_ms=hub.clock.now_ms(),
        )
    await renewed(hub, box)
    async with hub.net.hub.store.read() as connection:
        found = await appliances.find_by_id(connection, ApplianceId(box.appliance))
    assert found.confirmed_ms is None


async def test_both_keys_together_are_heard_by_a_hub_that_knows_only_one(
    hub: Trial, box: Box
) -> None:
    """Until it has an answer an appliance signs with both: it cannot know what the hub took."""
    former = box.renew(at_s=hub.now_s)

    def both() -> bytes:
        one = box.check_in(now_s=hub.now_s)
        body = open_envelope(one, kind=Kind.CHECKIN, trust=trust_one("a", box.key.public)).body
        return sign(Kind.CHECKIN, body, box.key, former)

    await hub.net.post(check_in.PATH, both())
    await send_by(hub, box, former, first=1)
    hub.clock.advance(4 * DAY_MS)
    await hub.net.post(check_in.PATH, both())


async def test_the_former_key_appends_nothing_behind_the_renewal_at_any_time(
    hub: Trial, box: Box
) -> None:
    """Somebody copied the former key: within the overlap too, the log is closed to it."""
    former = await renewed(hub, box)
    following, box.key = box.key, former
    box.health("disk_low", ok=True, at_s=hub.now_s)
    assert await refused(hub, PATH, box.batch(2)) == "note_unsigned"
    box.key = following
    assert await refused(hub, PATH, box.batch(2)) == "leaf_refused"


async def test_a_renewal_that_another_appliances_key_signed_is_refused(
    hub: Trial, box: Box
) -> None:
    other = await hub.box()
    former = box.renew(at_s=hub.now_s, signer=other.key)
    now, box.key = box.key, former
    body = box.batch(1)
    assert await refused(hub, PATH, body) == "leaf_refused"
    assert await kept(hub) in (former.public, other.key.public)
    box.key = now
    assert await refused(hub, check_in.PATH, box.check_in(now_s=hub.now_s)) == "unknown_key"


async def test_an_older_renewal_shown_again_is_refused(hub: Trial, box: Box) -> None:
    """Who has the renewal's bytes would bring the appliance back to a key that it gave up."""
    await renewed(hub, box)
    again = box.leaves[1]
    hub.clock.advance(3 * DAY_MS)
    await renewed(hub, box)
    box.leaves.append(again)
    box.details[3] = []
    assert await refused(hub, PATH, box.batch(3)) == "leaf_refused"


async def test_a_key_never_comes_back(hub: Trial, box: Box) -> None:
    first = await renewed(hub, box)
    body = _renewal(box, first, at_s=hub.now_s)
    box.leaves.append(sign(Kind.EVIDENCE, body.to_bytes(), box.key))
    box.details[2] = []
    assert await refused(hub, PATH, box.batch(2)) == "leaf_refused"


def _renewal(box: Box, following: SigningKey, *, at_s: int) -> KeysLeaf:
    place = Place(SiteId(box.site), ApplianceId(box.appliance), len(box.leaves), at_s)
    return keys_leaf(place, former=box.key.public, signing=following, sealing=box.sealing.public)


async def test_a_key_that_another_appliance_has_or_had_is_refused(hub: Trial, box: Box) -> None:
    other = await hub.box()
    had = await renewed(hub, other)
    for following in (other.key, had):
        leaf = _renewal(box, following, at_s=hub.now_s)
        box.leaves.append(sign(Kind.EVIDENCE, leaf.to_bytes(), box.key))
        box.details[1] = []
        assert await refused(hub, PATH, box.batch(1)) == "key_in_use"
        box.leaves.pop()
    assert await is_heard(hub, box)


async def test_naming_a_key_that_has_not_signed_for_it_is_refused(hub: Trial, box: Box) -> None:
    """Else an appliance would take over whatever key it has seen the public half of."""
    other = await hub.box()
    mine = _renewal(box, SigningKey(box.entropy(SEED_BYTES)), at_s=hub.now_s)
    for changed in (
        {"ed25519": other.key.public.b64()},
        {"x25519": other.sealing.public.b64()},
        {"proof": b64_encode(bytes(64))},
    ):
        leaf = mine.model_copy(update=changed)
        box.leaves.append(sign(Kind.EVIDENCE, leaf.to_bytes(), box.key))
        box.details[1] = []
        assert await refused(hub, PATH, box.batch(1)) == "leaf_refused"
        box.leaves.pop()


async def test_nobody_enrolls_with_a_key_that_an_appliance_gave_up(hub: Trial, box: Box) -> None:
    former = await renewed(hub, box)
    thief = Box(former, box.sealing, box.entropy)
    _, code = await hub.net.claim()
    body = thief.enroll_request(code, now_s=hub.now_s)
    assert await refused(hub, "/api/agent/enroll", body) == "key_in_use"


async def test_a_renewal_that_is_stored_counts_whatever_became_of_the_answer_to_storing_it(
    hub: Trial, box: Box
) -> None:
    """A connection to the store that ends with COMMIT says nothing: no leaf would ever follow."""
    known = hub.net.hub.registry.by_id(box.appliance)
    assert known is not None
    before = known.keys
    await renewed(hub, box)
    known.keys = before
    box.health("disk_low", ok=True, at_s=hub.now_s)
    assert (await send(hub, box, first=2)).have == 3
    assert await is_heard(hub, box)


async def test_two_appliances_that_name_one_key_at_once_get_one_of_them_refused(
    hub: Trial, box: Box
) -> None:
    """Both hold its private half, so both can sign for it."""
    other = await hub.box()
    other.health("disk_low", ok=False, at_s=hub.now_s)
    await send(hub, other)
    following, bodies = SigningKey(box.entropy(SEED_BYTES)), []
    for one in (box, other):
        leaf = _renewal(one, following, at_s=hub.now_s)
        one.leaves.append(sign(Kind.EVIDENCE, leaf.to_bytes(), one.key))
        one.details[1] = []
        bodies.append(one.batch(1))
    answers = await asyncio.gather(*(hub.net.request("POST", PATH, body) for body in bodies))
    assert sorted(status for status, _ in answers) == [200, 409]
    assert {"key_in_use"} == {said(body)["code"] for status, body in answers if status != 200}


@pytest.mark.parametrize("known", [0, 1, 2], ids=["first", "second", "newest"])
async def test_the_file_of_an_order_proves_its_life_over_renewals_from_any_of_the_keys(
    tmp_path: Path, known: int
) -> None:
    async with trial(tmp_path, trust=trust) as hub:
        box = await hub.box()
        orders = Orders(hub, box)
        await orders.fetch()
        on_all = {"on": "all", "checks": "all"}
        view = await orders.draft("run_drift", on_all, reason="after the update", everywhere=True)
        await orders.answered(view, orders.intent("run_drift", tier=0))
        keys = [box.key.public]
        await renewed(hub, box)
        keys.append(box.key.public)
        await orders.answered(view, orders.result("done"))
        await renewed(hub, box)
        keys.append(box.key.public)
        assert view.draft.fixed is not None
        _, file = await order_desk.shown(hub.net.hub, view.draft.fixed.sid)
        assert file is not None
        given = Keys(KeptTrust.of(trust(0)), {box.appliance: keys[known]})
        report = verify(file.to_bytes(), given)
        assert report.is_verified, report.failed
        life = next(one for one in report.looks if one.what == f"life at {box.appliance}")
        assert (life.held, life.seen) == (Held.PASSED, f"{box.appliance}: done")


async def test_people_are_told_at_the_hub_whose_keys_are_nearly_a_year_old(
    hub: Trial, box: Box
) -> None:
    told = (
        f"The keys of appliance {box.appliance} are a year old in 30 days:"
        " osiris appliance keys renew, there"
    )
    assert await is_heard(hub, box)
    hub.clock.advance((LIFE_S - DUE_BEFORE_S - 1) * 1000)
    assert await is_heard(hub, box)
    assert told not in await notices(hub.net.hub)
    hub.clock.advance(1000)
    assert told in await notices(hub.net.hub)
    await started_again(hub)
    assert told in await notices(hub.net.hub)
    await renewed(hub, box)
    assert not [one for one in await notices(hub.net.hub) if box.appliance in one]
    await started_again(hub)
    assert not [one for one in await notices(hub.net.hub) if box.appliance in one]
