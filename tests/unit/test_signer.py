"""The signer signs what it built, what people signed, what a grant covers; and one log a site."""

import asyncio
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.core.order_gate import gate
from appliance.core.order_gate.ledger import LedgerView
from appliance.core.order_gate.values import Delivery, Refused
from central.core.order_signing import Rates
from central.core.orders import Approval, OrderLeaf, Wish
from central.core.signer_talk import HEADS_MAX, AskLog, read_ask
from central.signer_link import SignerLink, Talk
from proto import envelope, merkle
from proto.envelope import Kind, Signature
from proto.errors import MalformedError, OsirisError
from proto.grants import Trust
from proto.hub.check_in import Head
from proto.keysets import DAY_S
from proto.note import Checkpoint, sign_checkpoint
from proto.order import LogPlace, parse_order
from proto.orders.kinds import OrderType
from proto.strict_json import b64_encode
from tests.unit import order_world
from tests.unit.order_world import NOW, authority_set, grant, grant_set, grants, key
from tests.unit.signer_world import (
    BOX,
    ORIGIN,
    OTHER_BOX,
    SITE,
    SignerWorld,
    approval,
    mirrored,
    order,
    wish,
)


@pytest.fixture
def world(tmp_path: Path) -> SignerWorld:
    return SignerWorld(tmp_path / "signer.db")


async def code_of(asked: object) -> str:
    """Return the code with which something that was asked for is refused."""
    with pytest.raises(OsirisError) as caught:
        await asked  # type: ignore[misc]
    return caught.value.code


async def test_what_the_signer_logs_is_accepted_by_the_appliances_own_gate(
    world: SignerWorld,
) -> None:
    link = world.start()
    leaf, checkpoint = await order(link, "ada", "bea", of=wish(OrderType.DISABLE_HEALING))
    mirror = mirrored([leaf], checkpoint)
    head = LogPlace(mirror.tree.size, mirror.tree.root)
    found = gate.read(Delivery(leaf.envelope, 0, ()), head=head, trust=world.trust)
    situation = replace(
        order_world.SITUATION,
        place=replace(order_world.PLACE, enrolled_at=0),
        ledger=LedgerView(root_then=merkle.EMPTY_ROOT),
    )
    assert not isinstance(found, Refused), found
    verdict = gate.judge(found, situation)
    assert getattr(verdict, "code", None) == "time_lock", verdict
    assert {one.person for one in found.signers} == {"order key", "ada", "bea"}


async def test_an_order_that_needs_nobody_is_logged_at_once(world: SignerWorld) -> None:
    leaf, checkpoint = await order(world.start())
    assert mirrored([leaf], checkpoint).tree.size == 1


async def test_the_log_goes_on_from_order_to_order(world: SignerWorld) -> None:
    link = world.start()
    leaves = [(await order(link)) for _ in range(5)]
    assert [leaf.index for leaf, _ in leaves] == [0, 1, 2, 3, 4]
    mirrored([leaf for leaf, _ in leaves], leaves[-1][1])
    told, checkpoint = await link.leaves(SITE, first=2)
    assert (told, checkpoint) == ([leaf for leaf, _ in leaves[2:]], leaves[-1][1])


async def test_nobody_can_hand_the_signer_bytes_to_sign(world: SignerWorld) -> None:
    """It knows an order by its name alone, and only if it built it."""
    link = world.start()
    body = envelope.sid(Kind.ORDER, b"{}")
    assert await code_of(link.log(body, [])) == "draft_unknown"
    with pytest.raises(MalformedError):
        read_ask(AskLog(sid="ab" * 32, given=()).to_bytes()[:-1] + b',"body":"e30="}')


async def test_an_approval_over_changed_bytes_is_refused(world: SignerWorld) -> None:
    link = world.start()
    fixed = await link.draft(wish(OrderType.UPDATE_AGENT))
    changed = fixed.body.replace(b"asked for", b"asked  for")
    forged = approval("ada", changed)
    assert await code_of(link.person_of(fixed.sid, forged.signature)) == "signature_bad"
    assert await code_of(link.log(fixed.sid, [forged])) == "signature_bad"
    assert await link.person_of(fixed.sid, approval("ada", fixed.body).signature) == "ada"


WRONG_PEOPLE = {
    "nobody": ((), "people_too_few"),
    "one where two must": (("ada",), "people_too_few"),
    "one whose sites these are not": (("ada", "cyd"), "people_too_few"),
    "one whose key's time is over": (("ada", "dot"), "people_too_few"),
    "one twice": (("ada", "ada"), "people_too_few"),
    "the order key for a person": (("ada", "order"), "people_too_few"),
    "a stranger": (("ada", "mallory"), "people_too_few"),
}


@pytest.mark.parametrize(("people", "code"), WRONG_PEOPLE.values(), ids=list(WRONG_PEOPLE))
async def test_too_few_people_who_count_and_nothing_is_logged(
    world: SignerWorld, people: tuple[str, ...], code: str
) -> None:
    link = world.start()
    assert await code_of(order(link, *people, of=wish(OrderType.DISABLE_HEALING))) == code
    assert await link.leaves(SITE, first=0) == ([], (await link.leaves(SITE, first=0))[1])


@pytest.mark.parametrize(
    ("name", "code"),
    [("cyd", "person_scope"), ("dot", "person_key_expired"), ("mallory", "person_key_expired")],
)
async def test_a_person_is_told_at_once_that_their_signature_does_not_count(
    world: SignerWorld, name: str, code: str
) -> None:
    link = world.start()
    fixed = await link.draft(wish(OrderType.UPDATE_AGENT))
    given = approval(name, fixed.body)
    assert await code_of(link.person_of(fixed.sid, given.signature)) == code


WISHES: dict[str, tuple[Wish, str]] = {
    "parameters that do not fit": (wish(params={"on": "all"}), "malformed"),
    "a site where one appliance must be named": (
        wish(OrderType.UPDATE_AGENT, appliance=None),
        "scope_type",
    ),
    "an end before its beginning": (wish(not_before_s=NOW + 3600), "scope_type"),
    "fewer people than its tier needs": (
        wish(OrderType.DISABLE_HEALING, people=1),
        "people_too_few",
    ),
    "a reason that shows as another": (wish(reason="all\u202e is well"), "malformed"),
}


@pytest.mark.parametrize(("asked", "code"), WISHES.values(), ids=list(WISHES))
async def test_what_could_never_run_is_not_drafted(
    world: SignerWorld, asked: Wish, code: str
) -> None:
    link = world.start()
    assert await code_of(link.draft(asked)) == code


@pytest.mark.parametrize(
    ("order_type", "changes"), order_world.BY_TWO.values(), ids=order_world.BY_TWO
)
async def test_whoever_asks_the_signer_cannot_name_a_lower_tier_than_the_bytes_have(
    world: SignerWorld, order_type: OrderType, changes: dict[str, object]
) -> None:
    link = world.start()
    params = order_world.PARAMS[order_type] | changes
    assert await code_of(link.draft(wish(order_type, params=params))) == "people_too_few"
    fixed = await link.draft(wish(order_type, params=params, people=2))
    one, two = approval("ada", fixed.body), approval("bea", fixed.body)
    assert await code_of(link.log(fixed.sid, [one])) == "people_too_few"
    await link.log(fixed.sid, [one, two])


GRANTS = {
    "another key": ({"key": key("another").public.b64()}, "grant_absent"),
    "another type": ({"types": ["healing"]}, "grant_type"),
    "another site": ({"sites": ["s-bbbbbbbbbb"]}, "grant_site"),
    "a shorter life": ({"ttl_s": 60}, "grant_ttl"),
    "an end before the order's": ({"not_after": NOW + 60}, "grant_time"),
}


@pytest.mark.parametrize(("changes", "code"), GRANTS.values(), ids=list(GRANTS))
async def test_what_no_grant_covers_is_neither_drafted_nor_signed(
    world: SignerWorld, changes: dict[str, object], code: str
) -> None:
    link = world.start()
    fixed = await link.draft(wish())
    world.trust = Trust(authority_set(), grant_set(grants(grant(**changes))))
    assert await code_of(link.draft(wish())) == code
    assert await code_of(link.log(fixed.sid, [])) == code


async def test_an_order_is_not_signed_after_its_end(world: SignerWorld) -> None:
    link = world.start()
    fixed = await link.draft(wish(life_s=60))
    world.clock.advance(60_000)
    assert await code_of(link.log(fixed.sid, [])) == "expired"


async def test_within_an_hour_no_more_is_signed_than_the_signers_own_rate(
    world: SignerWorld,
) -> None:
    world.rates = Rates(site=2)
    link = world.start()
    for _ in range(2):
        await order(link)
    assert await code_of(order(link)) == "signer_rate"
    link = world.start()
    assert await code_of(order(link)) == "signer_rate", "a new process does not begin anew"
    world.clock.advance(3_601_000)
    await order(link)


async def test_drafts_have_a_rate_of_their_own(world: SignerWorld) -> None:
    world.rates = Rates(drafts=2)
    link = world.start()
    for _ in range(2):
        await link.draft(wish())
    assert await code_of(link.draft(wish())) == "signer_rate"


async def test_an_order_asked_for_again_is_the_same_leaf(world: SignerWorld) -> None:
    link = world.start()
    fixed = await link.draft(wish(OrderType.UPDATE_AGENT))
    first = await link.log(fixed.sid, [approval("ada", fixed.body)])
    await order(link)
    again = await world.start(hears=False).log(fixed.sid, [approval("bea", fixed.body)])
    assert again == first


async def test_orders_asked_for_at_once_stand_in_one_log(world: SignerWorld) -> None:
    link = world.start()
    drafts = [await link.draft(wish()) for _ in range(12)]
    asked = [link.log(one.sid, []) for one in drafts for _ in range(3)]
    made = {leaf.index: (leaf, checkpoint) for leaf, checkpoint in await asyncio.gather(*asked)}
    assert sorted(made) == list(range(12))
    assert {leaf.sid for leaf, _ in made.values()} == {one.sid for one in drafts}
    mirrored([made[index][0] for index in sorted(made)], made[11][1])


async def test_before_a_site_has_spoken_nothing_is_signed_for_it(world: SignerWorld) -> None:
    link = world.start(hears=False)
    assert await code_of(order(link)) == "site_unheard"
    both = (BOX, OTHER_BOX)
    await link.hear(SITE, BOX, appliances=both, checkpoint=None)
    assert await code_of(order(link)) == "site_unheard", "the other one may hold more"
    await link.hear(SITE, OTHER_BOX, appliances=both, checkpoint=None)
    await order(link)


async def test_one_appliance_speaks_for_one_that_stays_silent(world: SignerWorld) -> None:
    link = world.start(hears=False)
    await link.hear(SITE, BOX, appliances=(BOX, OTHER_BOX), checkpoint=None)
    world.clock.advance(901_000)
    await order(link)


def put_back(path: Path, backup: Path) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copy2(backup, path)


async def restored(world: SignerWorld) -> tuple[list[OrderLeaf], str]:
    """Log five orders, and put the signer back to where two were; return all five."""
    link = world.start()
    made = [await order(link) for _ in range(2)]
    backup = world.path.with_suffix(".backup")
    world.end()
    shutil.copy2(world.path, backup)
    link = world.start()
    made += [await order(link) for _ in range(3)]
    world.end()
    put_back(world.path, backup)
    return [leaf for leaf, _ in made], made[-1][1]


def texts(leaves: list[OrderLeaf]) -> list[str]:
    return [leaf.envelope.decode("ascii") for leaf in leaves]


async def test_a_signer_from_an_old_backup_signs_no_second_root(world: SignerWorld) -> None:
    _, checkpoint = await restored(world)
    link = world.start(hears=False)
    fixed = await link.draft(wish())
    assert await code_of(link.log(fixed.sid, [])) == "site_unheard"
    stand = await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=checkpoint)
    assert (stand.size, stand.wanted) == (2, 2)
    assert await code_of(link.log(fixed.sid, [])) == "log_behind"
    link = world.start()
    assert await code_of(link.log(fixed.sid, [])) == "log_behind", "nor after another start"


async def test_lost_leaves_come_back_from_the_site_byte_for_byte_and_the_log_goes_on(
    world: SignerWorld,
) -> None:
    leaves, checkpoint = await restored(world)
    link = world.start(hears=False)
    await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=checkpoint)
    part = await link.give_back(SITE, first=1, leaves=texts(leaves[1:4]), checkpoint=checkpoint)
    assert (part.size, part.wanted) == (2, 4)
    whole = await link.give_back(SITE, first=4, leaves=texts(leaves[4:]), checkpoint=checkpoint)
    assert (whole.size, whole.wanted) == (5, None)
    assert (await link.leaves(SITE, first=0))[0] == leaves
    leaf, newest = await order(link)
    mirrored([*leaves, leaf], newest)


async def test_leaves_that_come_back_use_up_no_rate_of_this_hour(world: SignerWorld) -> None:
    """They were logged before: else a hub that was restored signs nothing for an hour."""
    leaves, checkpoint = await restored(world)
    world.rates = Rates(site=3, fleet=3)
    world.clock.advance(3_601_000)
    link = world.start()
    await link.hear(SITE, BOX, appliances=(BOX,), checkpoint=checkpoint)
    whole = await link.give_back(SITE, first=2, leaves=texts(leaves[2:]), checkpoint=checkpoint)
    assert whole.wanted is None
    for _ in range(3):
        await order(link)
    assert await code_of(order(link)) == "signer_rate"


@pytest.mark.parametrize("leaf", ['{"\u00e9":1}', '"\ud800"', "{}", "[]", "leaf"])
async def test_what_is_no_leaf_does_not_come_back_and_does_not_end_the_signer(
    world: SignerWorld, leaf: str
) -> None:
    leaves, checkpoint = await restored(world)
    link = world.start()
    asked = {"op": "back", "site": SITE, "first": 2, "leaves": [leaf], "checkpoint": checkpoint}
    answer = json.loads(await world.talk(json.dumps(asked).encode()))
    assert answer["refused"] in {"malformed", "envelope_form"}
    whole = await link.give_back(SITE, first=2, leaves=texts(leaves[2:]), checkpoint=checkpoint)
    assert whole.size == 5


@pytest.mark.parametrize("which", ["another order", "another sequence"])
async def test_leaves_that_were_never_signed_do_not_come_back(
    world: SignerWorld, which: str
) -> None:
    leaves, checkpoint = await restored(world)
    link = world.start(hears=False)
    forged = texts([*leaves[3:], leaves[2]])
    if which == "another order":
        forged = [*texts(leaves[2:4]), order_world.signed(order_world.body()).decode("ascii")]
    assert (
        await code_of(link.give_back(SITE, first=2, leaves=forged, checkpoint=checkpoint))
        == "order_log_fork"
    )
    assert (await link.leaves(SITE, first=0))[0] == leaves[:2]
    whole = await link.give_back(SITE, first=2, leaves=texts(leaves[2:]), checkpoint=checkpoint)
    assert whole.size == 5


async def test_a_checkpoint_that_this_hub_did_not_sign_says_nothing(world: SignerWorld) -> None:
    link = world.start()
    await order(link)
    head = Checkpoint(ORIGIN, 9, b"r" * 32)
    forged = sign_checkpoint(head, signer=key("mallory")).decode()
    refused = await code_of(link.hear(SITE, BOX, appliances=(BOX,), checkpoint=forged))
    assert refused != "log_behind"
    await order(link)


async def test_a_signature_of_ours_over_another_log_is_a_fork(world: SignerWorld) -> None:
    link = world.start()
    await order(link)
    head = Checkpoint(ORIGIN, 1, b"r" * 32)
    other = sign_checkpoint(head, signer=key("log")).decode()
    asked = link.hear(SITE, BOX, appliances=(BOX,), checkpoint=other)
    assert await code_of(asked) == "order_log_fork"


def head(time_s: int, *, number: int = 0) -> bytes:
    """Return the answer to a check-in with the challenge of this number."""
    challenge, state = b64_encode(number.to_bytes(16, "big")), b64_encode(bytes(32))
    return Head(challenge=challenge, time=time_s, state=state, next_s=60).to_bytes()


@dataclass
class SlowTalk:
    """A way to the signer that takes a turn of the loop, and counts what goes over it."""

    talk: Talk
    frames: int = 0

    async def __call__(self, frame: bytes) -> bytes:
        self.frames += 1
        await asyncio.sleep(0)
        return await self.talk(frame)


async def test_heads_that_are_wanted_together_are_signed_together_each_its_own(
    world: SignerWorld,
) -> None:
    world.start()
    slow = SlowTalk(world.talk)
    link = SignerLink(slow)
    bodies = [head(world.now_s, number=number) for number in range(3 * HEADS_MAX)]
    made = await asyncio.gather(*(link.head(body) for body in bodies))
    trust = world.trust.authority.heads(now_s=world.now_s)
    opened = [envelope.open_envelope(one, kind=Kind.HEAD, trust=trust).body for one in made]
    assert opened == bodies
    assert slow.frames <= 4


async def test_whoever_hangs_up_leaves_the_other_heads_to_be_signed(world: SignerWorld) -> None:
    world.start()
    link = SignerLink(SlowTalk(world.talk))
    first, *others = (
        asyncio.ensure_future(link.head(head(world.now_s, number=number))) for number in range(5)
    )
    await asyncio.sleep(0)
    first.cancel()
    assert len(set(await asyncio.gather(*others))) == 4
    assert first.cancelled()


async def test_heads_are_of_now_and_only_evidence_is_cosigned(world: SignerWorld) -> None:
    link = world.start()
    made = await link.head(head(world.now_s))
    trust = world.trust.authority.heads(now_s=world.now_s)
    assert envelope.open_envelope(made, kind=Kind.HEAD, trust=trust).body == head(world.now_s)
    assert await code_of(link.head(head(world.now_s + DAY_S))) == "head_time"
    assert await code_of(link.head(b'{"v":1}')) == "malformed"
    leaf, checkpoint = await order(link)
    place = Checkpoint(ORIGIN, 1, merkle.leaf_hash(leaf.envelope))
    assert await code_of(link.cosigned(checkpoint.encode(), place, time_s=world.now_s)) == "origin"
    late = link.cosigned(checkpoint.encode(), place, time_s=world.now_s + DAY_S)
    assert await code_of(late) == "head_time"


async def test_without_trust_nothing_is_ordered_and_the_rest_goes_on(world: SignerWorld) -> None:
    world.trust = Trust(authority_set(), grant_set(grants(grant(key=key("x").public.b64()))))
    link = world.start()
    assert "no grant names" in (await link.status()).problem
    assert await code_of(link.draft(wish())) == "grant_absent"


async def test_a_signature_of_a_wrong_length_is_no_message(world: SignerWorld) -> None:
    link = world.start()
    fixed = await link.draft(wish(OrderType.UPDATE_AGENT))
    short = Approval("ada", Signature(key("ada").public.key_id, b"x" * 63))
    assert await code_of(link.log(fixed.sid, [short])) == "malformed"


async def test_the_body_says_what_was_asked_for_and_the_rest_is_the_signers(
    world: SignerWorld,
) -> None:
    link = world.start()
    first = await link.draft(wish())
    second = await link.draft(wish())
    said = parse_order(first.body)
    assert (said.iat, said.exp, said.not_before) == (NOW, NOW + 3600, NOW)
    assert said.drafted_on() == LogPlace(0, merkle.EMPTY_ROOT)
    assert said.nonce != parse_order(second.body).nonce
    assert first.sid == envelope.sid(Kind.ORDER, first.body)
