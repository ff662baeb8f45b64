"""Orders through the hub: drafted, approved, logged by the signer, fetched, answered.

The hub is the real one over a real store with the real signer; the appliance is real keys and real
statements, and follows the log as appliances do.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from central import order_desk, order_life
from central.core.orders import Draft, Wish
from central.store import order_log, order_tables, order_words, orders
from central.store.order_words import Opinion
from proto import envelope, merkle
from proto.asks import AskSignerError
from proto.envelope import Kind, signature_of
from proto.errors import ConflictError, OsirisError, RejectedError, UnreachableError
from proto.evidence import NO_FLEET
from proto.grants import Trust
from proto.hub import orders as messages
from proto.hub.check_in import Missing
from proto.hub.evidence import PATH as PATH_EVIDENCE
from proto.hub.orders import (
    OrdersBack,
    OrdersBackReply,
    OrdersReply,
    OrdersRequest,
    Waits,
    batch_of,
    order_leaf_text,
)
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.note import Checkpoint, sign_checkpoint
from proto.order_codes import Code
from proto.order_log import Mirror, follow, origin_of
from proto.orders.kinds import OrderType, Tier
from proto.receipts import FIRST_PREV, Refusal
from proto.strict_json import b64_encode
from proto.trust_root import fingerprint, open_first
from tests.fakes.box import Box, read_head
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.fakes.hub import HubSecrets, Trial, make_secrets, running_hub
from tests.unit import order_world
from tests.unit.order_world import key


@dataclass
class Copy:
    """An appliance's copy of its site's order log."""

    trial: Trial
    box: Box
    mirror: Mirror
    leaves: list[bytes]
    checkpoint: str | None = None

    def request(self, **changes: object) -> bytes:
        """Return the next question, signed."""
        made: dict[str, object] = {
            "appliance": self.box.appliance,
            "iat": self.trial.now_s,
            "challenge": b64_encode(self.trial.entropy(16)),
            "size": self.mirror.tree.size,
            "root": b64_encode(self.mirror.tree.root),
            "checkpoint": self.checkpoint,
            "waiting": (),
        }
        asked = OrdersRequest(**(made | changes))  # type: ignore[arg-type]
        return envelope.sign(Kind.ORDERS, asked.to_bytes(), self.box.key)

    async def fetch(self, **changes: object) -> OrdersReply:
        """Ask for the log and follow it."""
        raw = await self.trial.net.post(messages.PATH, self.request(**changes))
        reply = OrdersReply.from_bytes(raw, "reply", size_bytes_max=messages.REPLY_BYTES_MAX)
        batch = batch_of(reply)
        if batch is not None:
            keys = (self.trial.secrets.keys.of("log")[0].public,)
            self.mirror = follow(self.mirror, batch, log_keys=keys)
            self.leaves += batch.leaves
            self.checkpoint = reply.checkpoint
        return reply

    async def give_back(self, wanted: int) -> OrdersBackReply:
        """Give back what the hub lost."""
        assert self.checkpoint is not None
        back = OrdersBack(
            appliance=self.box.appliance,
            first=wanted,
            leaves=tuple(order_leaf_text(one) for one in self.leaves[wanted:]),
            checkpoint=self.checkpoint,
        )
        raw = await self.trial.net.post(messages.PATH_BACK, back.to_bytes())
        return OrdersBackReply.from_bytes(raw, "reply", size_bytes_max=4096)


@dataclass
class World:
    """A hub whose signer goes by people and grants, and one enrolled appliance."""

    trial: Trial
    copy: Copy

    @property
    def site(self) -> SiteId:
        """The appliance's site."""
        return SiteId(self.copy.box.site)

    def wish(self, order_type: OrderType = OrderType.RUN_DRIFT, people: int = 0) -> Wish:
        """Return a wish for the appliance."""
        return Wish(
            site=self.site,
            appliance=ApplianceId(self.copy.box.appliance),
            type=order_type,
            params=order_world.PARAMS[order_type],
            tier=Tier.OBSERVE,
            people=people,
            life_s=3600,
            not_before_s=0,
            reason="asked for in a test",
            by="ada",
        )

    async def draft(self, name: str, wish: Wish | None = None) -> Draft:
        """Draft one order."""
        made = Draft(name, f"batch-{name}", wish or self.wish(), self.trial.clock.now_ms())
        (found,) = await order_life.draft(self.trial.net.hub, [made])
        return found

    async def approve(
        self, draft: Draft, name: str, *, body: bytes | None = None, by: str | None = None
    ) -> None:
        """Have a person sign an order, or other bytes in its name, and send it as `by`."""
        assert draft.fixed is not None
        signature = signature_of(Kind.ORDER, body or draft.fixed.body, signer=key(name))
        await order_life.approve(
            self.trial.net.hub,
            self.site,
            sid=draft.fixed.sid,
            signature=signature,
            by=by or name,
        )

    async def signed(self, draft: Draft) -> list[str]:
        """Return whose signatures the hub has."""
        assert draft.fixed is not None
        async with self.trial.net.hub.store.read() as connection:
            kept = await orders.approvals_of(self.site, connection, sid=draft.fixed.sid)
        return [one.person for one in kept]


@dataclass
class Kept:
    """What stays of a hub and an appliance between two starts of the hub."""

    path: Path
    clock: ManualClock
    entropy: SeededEntropy
    secrets: HubSecrets
    box: Box | None = None

    @classmethod
    def make(cls, path: Path) -> "Kept":
        """Make a hub's keys."""
        clock, entropy = ManualClock(), SeededEntropy()
        return cls(path, clock, entropy, make_secrets(entropy, now_s=clock.now_ms() // 1000))

    def trust(self, _now_s: int) -> Trust:
        """Be the people of `order_world`, who granted this hub's order key everything."""
        grant = order_world.grant(key=self.secrets.keys.of("order")[0].public.b64())
        grants = order_world.grant_set(order_world.grants(grant))
        return Trust(order_world.TRUST.authority, grants)


@asynccontextmanager
async def running(kept: Kept) -> AsyncIterator[World]:
    """Start the hub, and enroll its appliance the first time."""
    store = kept.path / "hub.db"
    root = open_first(kept.secrets.root, pinned=fingerprint(kept.secrets.root))
    async with running_hub(
        store, clock=kept.clock, entropy=kept.entropy, secrets=kept.secrets, trust=kept.trust
    ) as net:
        made = Trial(net, root, kept.clock, kept.entropy, kept.secrets, store)
        kept.box = kept.box or await made.box()
        origin = origin_of("hub.example:8443", kept.box.site)
        yield World(made, Copy(made, kept.box, Mirror(origin), []))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(Kept.make(tmp_path)) as made:
        yield made


async def test_an_order_waits_for_the_sites_word_and_goes_out_with_the_answer_to_it(
    world: World,
) -> None:
    await world.draft("d1")
    hub = world.trial.net.hub
    answer = await world.trial.net.post(
        "/api/agent/check-in", world.copy.box.check_in(now_s=world.trial.now_s)
    )
    assert read_head(answer, world.trial.root).missing == (Missing.ORDERS,)
    reply = await world.copy.fetch()
    assert len(reply.leaves) == 1
    assert world.copy.mirror.tree.size == hub.registry.orders[world.site] == 1
    answer = await world.trial.net.post(
        "/api/agent/check-in", world.copy.box.check_in(now_s=world.trial.now_s)
    )
    head = read_head(answer, world.trial.root)
    assert (head.missing, head.orders) == ((), 1)


async def test_the_head_in_the_answer_proves_that_the_hub_spoke_now(world: World) -> None:
    challenge = b64_encode(b"c" * 16)
    reply = await world.copy.fetch(challenge=challenge)
    assert reply.head is not None
    assert read_head(reply.head.encode(), world.trial.root).challenge == challenge


async def test_an_order_goes_out_when_its_last_person_signed_and_with_all_signatures(
    world: World,
) -> None:
    await world.copy.fetch()
    draft = await world.draft("d1", world.wish(OrderType.DISABLE_HEALING, people=2))
    await world.approve(draft, "ada")
    await world.copy.fetch()
    assert world.copy.leaves == []
    await world.approve(draft, "bea")
    await world.copy.fetch()
    (leaf,) = world.copy.leaves
    ring = world.trial.secrets.keys.of("order")[0].public
    assert set(envelope.parse(leaf).key_ids) == {
        ring.key_id,
        key("ada").public.key_id,
        key("bea").public.key_id,
    }


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("ada", b'{"changed":true}', "signature_bad"),
        ("cyd", None, "person_scope"),
        ("dot", None, "person_key_expired"),
        ("mallory", None, "person_key_expired"),
    ],
)
async def test_an_approval_that_does_not_count_is_refused_and_not_kept(
    world: World, name: str, body: bytes | None, code: str
) -> None:
    await world.copy.fetch()
    draft = await world.draft("d1", world.wish(OrderType.DISABLE_HEALING, people=2))
    with pytest.raises(OsirisError) as caught:
        await world.approve(draft, name, body=body)
    assert caught.value.code == code
    assert await world.signed(draft) == []


async def test_nobody_sends_another_persons_approval(world: World) -> None:
    await world.copy.fetch()
    draft = await world.draft("d1", world.wish(OrderType.DISABLE_HEALING, people=2))
    with pytest.raises(AskSignerError):
        await world.approve(draft, "bea", by="ada")
    assert await world.signed(draft) == []


async def test_a_signature_that_comes_after_the_order_went_out_is_not_shown_as_if_it_counted(
    world: World,
) -> None:
    await world.copy.fetch()
    draft = await world.draft("d1", world.wish(OrderType.WAIVE, people=1))
    await world.approve(draft, "ada")
    await world.approve(draft, "ada")  # the answer to the first was lost
    with pytest.raises(ConflictError):
        await world.approve(draft, "bea")
    assert await world.signed(draft) == ["ada"]


async def test_an_order_takes_no_more_signatures_than_its_envelope_has_room_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_life, "APPROVALS_MAX", 1)
    draft = await world.draft("d1", world.wish(OrderType.DISABLE_HEALING, people=2))
    await world.approve(draft, "ada")
    await world.approve(draft, "ada")
    with pytest.raises(ConflictError):
        await world.approve(draft, "bea")
    assert await world.signed(draft) == ["ada"]


async def test_what_the_signer_refuses_is_said_at_the_draft(world: World) -> None:
    await world.copy.fetch()
    long = replace(world.wish(OrderType.UPDATE_AGENT, people=1), appliance=None)
    assert (await world.draft("d1", long)).refused == "scope_type"
    assert (await world.draft("d1", long)).refused == "scope_type", "and stays so"


async def test_a_withdrawn_draft_is_never_logged(world: World) -> None:
    hub = world.trial.net.hub
    draft = await world.draft("d1")
    await order_life.withdraw(hub, world.site, draft_id="d1", by="bea")
    await world.copy.fetch()
    assert world.copy.leaves == []
    with pytest.raises(ConflictError):
        await world.approve(draft, "ada")
    await world.draft("d2")
    with pytest.raises(ConflictError):
        await order_life.withdraw(hub, world.site, draft_id="d2", by="bea")


async def test_many_asks_at_once_make_one_log(world: World) -> None:
    hub = world.trial.net.hub
    await world.copy.fetch()
    await asyncio.gather(*(world.draft(f"d{n % 8}") for n in range(24)))
    await asyncio.gather(*(order_life.advance(hub, world.site) for _ in range(4)))
    await world.copy.fetch()
    assert world.copy.mirror.tree.size == 8
    async with hub.store.read() as connection:
        kept = await order_log.leaves_from(world.site, connection, first=0, limit=99)
    assert [one.envelope for one in kept] == world.copy.leaves


async def test_a_long_log_comes_in_parts_that_lead_to_one_root(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.copy.fetch()
    for number in range(7):
        await world.draft(f"d{number}")
    monkeypatch.setattr("central.api.orders.BATCH_LEAVES_MAX", 3)
    sizes = []
    while world.copy.mirror.tree.size < 7:
        await world.copy.fetch()
        sizes.append(world.copy.mirror.tree.size)
    assert sizes == [3, 6, 7]


STEPS = ("fix_body", "append")


@pytest.mark.parametrize("step", STEPS)
async def test_an_order_that_was_cut_off_between_signer_and_store_is_finished_once(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signer has built or logged it, and the hub ends before it wrote that down."""

    class CutOffError(Exception):
        pass

    async def cut_off(*_place: object, **_named: object) -> None:
        raise CutOffError

    await world.copy.fetch()
    module = orders if step == "fix_body" else order_log
    with monkeypatch.context() as cut:
        cut.setattr(module, step, cut_off)
        with pytest.raises(CutOffError):
            await world.draft("d1")
    await order_life.advance(world.trial.net.hub, world.site)
    await world.copy.fetch()
    assert len(world.copy.leaves) == 1
    again = await world.draft("d1")
    assert again.fixed is not None
    assert envelope.sid(Kind.ORDER, again.fixed.body) == again.fixed.sid
    await world.copy.fetch()
    assert len(world.copy.leaves) == 1


async def empty_store(world: World) -> None:
    """Put the store's copy of the log back to before it began."""
    async with world.trial.net.hub.store.write() as connection:
        for table in (
            order_tables.order_leaves,
            order_tables.order_checkpoints,
            order_tables.order_logs,
        ):
            await connection.execute(delete(table))


async def test_a_store_put_back_to_an_old_backup_gets_its_orders_from_the_signer(
    world: World,
) -> None:
    await world.copy.fetch()
    for number in range(3):
        await world.draft(f"d{number}")
    await world.copy.fetch()
    await empty_store(world)
    reply = await world.copy.fetch()
    assert (reply.first, reply.leaves, reply.wanted) == (3, (), None)
    await world.draft("d9")
    await world.copy.fetch()
    assert world.copy.mirror.tree.size == 4


def back_up(path: Path, to: Path) -> None:
    to.mkdir()
    for file in path.glob("hub.*"):
        shutil.copy2(file, to / file.name)


def put_back(path: Path, came_from: Path) -> None:
    for file in path.glob("hub.*"):
        file.unlink()
    for file in came_from.iterdir():
        shutil.copy2(file, path / file.name)


async def test_a_hub_put_back_whole_gets_its_orders_from_the_site_before_it_signs_again(
    tmp_path: Path,
) -> None:
    """Store and signer both are of before; the appliance alone knows what was signed since."""
    kept = Kept.make(tmp_path / "hub")
    kept.path.mkdir()
    async with running(kept):
        pass
    back_up(kept.path, tmp_path / "backup")
    async with running(kept) as world:
        await world.copy.fetch()
        for number in range(3):
            await world.draft(f"d{number}")
        await world.copy.fetch()
        held = world.copy
    put_back(kept.path, tmp_path / "backup")
    async with running(kept) as world:
        world.copy = replace(held, trial=world.trial)
        await world.draft("d9")
        reply = await world.copy.fetch()
        assert (reply.checkpoint, reply.wanted) == (None, 0)
        assert world.trial.net.hub.registry.orders == {}, "nothing was signed meanwhile"
        back = await world.copy.give_back(0)
        assert (back.have, back.wanted) == (3, None)
        before = list(world.copy.leaves)
        await world.copy.fetch()
        assert world.copy.mirror.tree.size == 4, "what waited was logged after what was lost"
        assert world.copy.leaves[:3] == before


async def test_a_return_of_other_leaves_changes_nothing(world: World) -> None:
    await world.copy.fetch()
    await world.draft("d1")
    await world.copy.fetch()
    assert world.copy.checkpoint is not None
    back = OrdersBack(
        appliance=world.copy.box.appliance,
        first=0,
        leaves=(order_leaf_text(order_world.signed(order_world.body())),),
        checkpoint=world.copy.checkpoint,
    )
    await world.trial.net.post(messages.PATH_BACK, back.to_bytes())
    async with world.trial.net.hub.store.read() as connection:
        found = await order_log.leaves_from(world.site, connection, first=0, limit=9)
    assert [one.envelope for one in found] == world.copy.leaves


WRONG = {
    "another appliance's name": {"appliance": "a-bbbbbbbbbb"},
    "another day": {"iat": 1_700_000_000},
    "a checkpoint that is none of ours": {
        "checkpoint": sign_checkpoint(
            Checkpoint("hub.example:8443/site/s-x/orders", 1, b"r" * 32), signer=key("log")
        ).decode()
    },
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=list(WRONG))
async def test_a_question_that_is_not_the_appliances_own_of_now_is_refused(
    world: World, changes: dict[str, object]
) -> None:
    with pytest.raises(RejectedError):
        await world.copy.fetch(**changes)


async def test_a_stranger_gets_no_orders(world: World) -> None:
    asked = envelope.parse(world.copy.request())
    assert asked.kind is Kind.ORDERS
    body = world.copy.request()
    box = replace(world.copy.box, key=SigningKey(b"x" * 32))
    stranger = replace(world.copy, box=box)
    assert stranger.request() != body
    with pytest.raises(RejectedError):
        await stranger.fetch()


async def test_vetoes_and_sealed_logins_go_out_with_the_log(world: World) -> None:
    hub, box = world.trial.net.hub, ApplianceId(world.copy.box.appliance)
    veto = Opinion("veto", b"s" * 32, None, "ada", b"{}", world.trial.clock.now_ms())
    async with hub.store.write() as connection:
        await order_words.add_opinion(world.site, connection, opinion=veto)
        await order_words.add_box(world.site, connection, appliance=box, box=b"sealed", now_ms=1)
    reply = await world.copy.fetch()
    assert reply.opinions == ("{}",)
    assert reply.boxes == (b64_encode(b"sealed"),)


async def no_answer(_frame: bytes) -> bytes:
    """Be the way to a signer that is away."""
    msg = "the signer does not answer"
    raise UnreachableError(msg)


async def test_a_hub_whose_signer_is_away_still_delivers_what_was_signed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.copy.fetch()
    await world.draft("d1")

    monkeypatch.setattr(world.trial.net.hub.signer, "_talk", no_answer)
    reply = await world.copy.fetch()
    assert (len(reply.leaves), reply.head) == (1, None)


async def test_what_is_asked_while_the_signer_is_away_is_drafted_and_goes_out_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told "no answer" asks again, and then two orders run: so the draft is told."""
    await world.copy.fetch()

    with monkeypatch.context() as cut:
        cut.setattr(world.trial.net.hub.signer, "_talk", no_answer)
        drafted = await world.draft("d1")
    assert (drafted.fixed, drafted.refused) == (None, None)
    answer = await world.trial.net.post(
        "/api/agent/check-in", world.copy.box.check_in(now_s=world.trial.now_s)
    )
    assert read_head(answer, world.trial.root).missing == (Missing.ORDERS,)
    assert len((await world.copy.fetch()).leaves) == 1


async def test_what_the_signer_was_away_for_until_its_life_was_over_never_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.copy.fetch()

    with monkeypatch.context() as cut:
        cut.setattr(world.trial.net.hub.signer, "_talk", no_answer)
        await world.draft("d1")
    world.trial.clock.advance(world.wish().life_s * 1000)
    await world.copy.fetch()
    assert world.copy.leaves == []


async def test_an_approval_that_came_while_the_signer_was_away_counts_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person signed and went home: nobody has to come back for the order to go out."""
    await world.copy.fetch()
    draft = await world.draft("d1", world.wish(OrderType.DISABLE_HEALING, people=2))
    await world.approve(draft, "ada")

    async def away(_hub: object, _site: object) -> None:
        msg = "the signer does not answer"
        raise UnreachableError(msg)

    with monkeypatch.context() as cut:
        cut.setattr(order_life, "sync", away)
        with pytest.raises(UnreachableError):
            await world.approve(draft, "bea")
    answer = await world.trial.net.post(
        "/api/agent/check-in", world.copy.box.check_in(now_s=world.trial.now_s)
    )
    assert read_head(answer, world.trial.root).missing == (Missing.ORDERS,)
    assert len((await world.copy.fetch()).leaves) == 1


async def test_a_hub_that_ended_before_an_order_was_logged_goes_on_with_it(
    tmp_path: Path,
) -> None:
    kept = Kept.make(tmp_path)
    async with running(kept) as world:
        await world.draft("d1")
        assert world.trial.net.hub.registry.orders == {}
    async with running(kept) as world:
        answer = await world.trial.net.post(
            "/api/agent/check-in", world.copy.box.check_in(now_s=world.trial.now_s)
        )
        assert read_head(answer, world.trial.root).missing == (Missing.ORDERS,)
        assert len((await world.copy.fetch()).leaves) == 1


async def test_what_waits_and_what_became_of_orders_is_kept(world: World) -> None:
    await world.copy.fetch()
    draft = await world.draft("d1")
    waits = Waits(leaf=0, code=Code.MAINTENANCE_WINDOW, until=world.trial.now_s + 60)
    await world.copy.fetch(waiting=(waits,))
    assert await world.trial.count(order_tables.order_waits) == 1
    assert draft.fixed is not None
    box, (leaf,) = world.copy.box, world.copy.leaves
    base = {
        "v": 1,
        "site": box.site,
        "appliance": box.appliance,
        "fleet": NO_FLEET,
        "at": world.trial.now_s,
        "floor": world.trial.now_s,
        "leaf": 0,
        "leaf_hash": merkle.leaf_hash(leaf).hex(),
        "order": draft.fixed.sid.hex(),
        "nonce": "00" * 16,
    }
    refusal = Refusal.from_value(
        {**base, "seq": 0, "prev": FIRST_PREV, "type": "expired", "reason": "expired"}, "receipt"
    )
    box.leaves.append(envelope.sign(Kind.RECEIPT, refusal.to_bytes(), box.key))
    box.details[0] = []
    await world.trial.net.post(PATH_EVIDENCE, box.batch(0, 1, checkpoint=box.checkpoint(1)))
    view = await order_desk.one_draft(world.trial.net.hub, world.site, draft="d1")
    (answer,) = view.answers
    assert (answer.appliance, answer.stage, answer.code) == (box.appliance, "expired", "expired")
