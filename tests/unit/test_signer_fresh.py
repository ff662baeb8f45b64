"""The signer says which content is current: what people signed, never older, at a bounded rate."""

import json
from pathlib import Path

import pytest

from central.core.order_signing import Rates
from central.core.signer_talk import AskPromote, read_ask
from proto.errors import MalformedError, OsirisError
from proto.keys import SigningKey
from proto.keysets import DAY_S, Role
from proto.release_keys import tuf_key_id
from runtime.repository import development
from runtime.repository.documents import (
    Making,
    add_signatures,
    make_root,
    parse,
    signed_part,
)
from runtime.repository.layout import Place, digest_of
from runtime.repository.saying import Wanted, say_current
from tests.unit.fresh_world import FreshWorld, asking, nothing_new

CHECK = "checks/linux/lin.ssh.root_login.yaml"


@pytest.fixture
def fresh(tmp_path: Path) -> FreshWorld:
    return FreshWorld(tmp_path)


def reworded(fresh: FreshWorld) -> dict[str, bytes]:
    content = dict(fresh.world.content)
    return {**content, CHECK: content[CHECK] + b"# reworded\n"}


async def refused(asked: object) -> OsirisError:
    with pytest.raises(OsirisError) as caught:
        await asked  # type: ignore[misc]
    return caught.value


async def test_what_people_published_becomes_current_and_is_renewed_in_time(
    fresh: FreshWorld,
) -> None:
    with fresh.signer() as link:
        found = await fresh.take_in(link)
        assert (found.root, found.snapshot, found.timestamp) == (1, 1, 1)
        assert nothing_new(await link.fresh(asking(1, release=1, grants=1)))
        fresh.clock.advance(DAY_S * 501)
        found = await fresh.take_in(link)
        assert (found.snapshot, found.timestamp) == (1, 2), "half of the timestamp's day is over"
        fresh.world.release(2, reworded(fresh))
        found = await fresh.take_in(link)
        assert (found.snapshot, found.timestamp) == (2, 3)


async def test_content_that_has_ended_goes_on_being_current(fresh: FreshWorld) -> None:
    """Expiry stops what is new: its readers see that it ended, and that nobody hides newer."""
    with fresh.signer() as link:
        await fresh.take_in(link)
        fresh.clock.advance(200 * DAY_S * 1000)
        found = await fresh.take_in(link)
        assert (found.snapshot, found.timestamp, found.problem) == (2, 2, "")


async def test_a_release_that_nobody_signed_is_not_said_to_be_current(fresh: FreshWorld) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        fresh.world.release(2, reworded(fresh))
        path = fresh.world.incoming.metadata(Role.RELEASE, 2)
        document = json.loads(path.read_bytes())
        document["signatures"] = []
        path.unlink()
        unsigned = add_signatures(json.dumps(document).encode(), [fresh.world.online["order"]])
        fresh.world.place.write(Role.RELEASE, 2, unsigned)
        error = await refused(link.fresh(asking(1, release=2, grants=1)))
        assert error.code == "signer_refused"
        assert "signed by 0 people" in str(error)


def forged(data: bytes) -> bytes:
    """Return a document as nobody signed it, of a version of years to come."""
    document = json.loads(data)
    document["signatures"], document["signed"]["version"] = [], 999_999_999
    return json.dumps(document).encode()


class Raced(Place):
    """A repository whose documents are others as soon as they were read: somebody writes there."""

    __slots__ = ()

    def read(self, role: Role, version: int) -> bytes:
        """Return a document, and replace it by one that nobody signed."""
        data = super().read(role, version)
        if role is not Role.ROOT:
            self.metadata(role, version).write_bytes(forged(data))
        return data


async def test_what_is_listed_is_what_was_checked_and_not_what_lies_under_its_name(
    fresh: FreshWorld,
) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        fresh.world.release(2, reworded(fresh))
        genuine = fresh.world.incoming.read(Role.RELEASE, 2)
        fresh.world.place.write(Role.RELEASE, 2, forged(genuine))
        fresh.world.place.metadata(Role.TIMESTAMP, 0).write_bytes(b"{}")
        told = await link.fresh(asking(1, release=2, grants=1))
        assert told.snapshot_document is not None
        meta = signed_part(told.snapshot_document.encode(), Role.SNAPSHOT)["meta"]
        listed = meta["targets.json"]
        assert (listed["version"], listed["hashes"]["sha256"]) == (2, digest_of(genuine))


@pytest.mark.parametrize("days", [1, 4])
async def test_what_is_renewed_is_what_was_read_and_not_what_was_written_meanwhile(
    fresh: FreshWorld, days: int
) -> None:
    """After a day the timestamp is renewed, after four the snapshot too."""
    with fresh.signer() as link:
        await fresh.take_in(link)
    world = fresh.world
    served = world.place.read(Role.SNAPSHOT, 1)
    before = signed_part(served, Role.SNAPSHOT)["meta"]
    said = say_current(
        Raced(world.place.directory),
        world.fresh_keys,
        Wanted(1, {Role.RELEASE: 1, Role.GRANTS: 1}),
        now_s=fresh.now_s + days * DAY_S,
    )
    snapshot = said.documents.get(Role.SNAPSHOT, served)
    stamp = signed_part(said.documents[Role.TIMESTAMP], Role.TIMESTAMP)
    named = stamp["meta"]["snapshot.json"]
    assert (Role.SNAPSHOT in said.documents) == (days == 4)
    assert (named["version"], named["hashes"]["sha256"]) == (said.snapshot, digest_of(snapshot))
    assert signed_part(snapshot, Role.SNAPSHOT)["meta"] == before


async def test_a_snapshot_of_before_does_not_become_current_by_another_name(
    fresh: FreshWorld,
) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        place = fresh.world.place
        place.metadata(Role.TIMESTAMP, 0).unlink()
        assert (await fresh.take_in(link)).snapshot == 2
        place.metadata(Role.SNAPSHOT, 2).write_bytes(place.read(Role.SNAPSHOT, 1))
        fresh.clock.advance(DAY_S * 1000)
        told = await link.fresh(asking(1, release=1, grants=1))
        assert (told.snapshot, told.timestamp) == (3, 3)
        assert told.snapshot_document is not None


async def test_a_version_that_a_document_does_not_say_is_not_remembered(
    fresh: FreshWorld,
) -> None:
    """Remembered once, it would refuse every honest release from then on."""
    place = fresh.world.place
    with fresh.signer() as link:
        await fresh.take_in(link)
        for role, ask in (
            (Role.RELEASE, asking(1, release=999_999, grants=1)),
            (Role.GRANTS, asking(1, release=1, grants=999_999)),
        ):
            place.write(role, 999_999, place.read(role, 1))
            error = await refused(link.fresh(ask))
            assert "the file of version 999999 holds another version" in str(error)
            place.metadata(role, 999_999).unlink()
        fresh.world.release(2, reworded(fresh))
        assert not (await fresh.take_in(link)).problem


async def test_grants_that_ended_are_carried_on_under_their_own_version(fresh: FreshWorld) -> None:
    world = fresh.world
    with fresh.signer() as link:
        await fresh.take_in(link)
        later = world.now_s + DAY_S
        development.publish_grants(world.incoming, world.people, world.hub, version=2, now_s=later)
        following = world.incoming.metadata(Role.GRANTS, 2)
        world.place.metadata(Role.GRANTS, 1).write_bytes(following.read_bytes())
        following.unlink()
        fresh.clock.advance(9 * DAY_S * 1000)
        world.release(2, reworded(fresh))
        error = await refused(link.fresh(asking(1, release=2, grants=1)))
        assert "grants: the file of version 1 holds another version" in str(error)


async def test_a_document_that_was_changed_after_it_was_listed_is_not_listed_again(
    fresh: FreshWorld,
) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        path = fresh.world.place.metadata(Role.RELEASE, 1)
        path.write_bytes(path.read_bytes() + b" ")
        fresh.clock.advance(4 * DAY_S * 1000)
        error = await refused(link.fresh(asking(1, release=1, grants=1)))
        assert "is not the document that was signed as current" in str(error)


@pytest.mark.parametrize(
    "back", [asking(1, release=1, grants=1), asking(1, release=2), asking(0, release=2, grants=1)]
)
async def test_no_version_goes_back_even_after_the_repository_was_put_back(
    fresh: FreshWorld, back: object
) -> None:
    """Whoever puts last week's files in place finds that the signer remembers what it said."""
    with fresh.signer() as link:
        await fresh.take_in(link)
        stamp = fresh.world.place.metadata(Role.TIMESTAMP, 0)
        old = stamp.read_bytes()
        fresh.world.release(2, reworded(fresh))
        await fresh.take_in(link)
        stamp.write_bytes(old)
    with fresh.signer() as link:
        assert isinstance(back, type(asking(1)))
        assert (await refused(link.fresh(back))).code in {"conflict", "not_found"}
        told = await link.fresh(asking(1, release=2, grants=1))
        assert (told.snapshot, told.timestamp) == (3, 3), "and no version is given twice"


async def test_another_first_root_is_not_believed(fresh: FreshWorld) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        path = fresh.world.place.metadata(Role.ROOT, 1)
        path.write_bytes(path.read_bytes() + b" ")
        error = await refused(link.fresh(asking(1, release=1, grants=1)))
        assert "is not the one that the trust root pins" in str(error)


async def test_the_root_that_is_pinned_is_the_one_that_says_which_keys_count(
    fresh: FreshWorld,
) -> None:
    """The pinned root in one directory, and one of their own in the other: no key is dropped."""
    world = fresh.world
    with fresh.signer() as link:
        await fresh.take_in(link)
        former, following = world.online["timestamp"].public, await link.renew("timestamp")
        pinned = world.place.read(Role.ROOT, 1)
        world.incoming.write(Role.ROOT, 1, pinned)
        own = make_root(
            world.root_plan(timestamp=(following,)), Making.of(Role.ROOT, 1, now_s=fresh.now_s)
        )
        people = [world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")]
        world.place.metadata(Role.ROOT, 1).write_bytes(add_signatures(own, people))
        assert await link.renew("timestamp") == following, "one is under way"
        assert (await link.keys())["timestamp"] == (former, following)


async def test_within_an_hour_no_more_is_signed_than_the_signers_rate(fresh: FreshWorld) -> None:
    fresh.rates = Rates(fresh=2)
    with fresh.signer() as link:
        await fresh.take_in(link)
    with fresh.signer() as link:
        stamp = fresh.world.place.metadata(Role.TIMESTAMP, 0)
        stamp.unlink()
        await link.fresh(asking(1, release=1, grants=1))
        error = await refused(link.fresh(asking(1, release=1, grants=1)))
        assert error.code == "signer_rate"
        fresh.clock.advance(3_600_000)
        assert (await link.fresh(asking(1, release=1, grants=1))).timestamp == 3


def test_no_bytes_can_be_handed_in_to_be_signed() -> None:
    with pytest.raises(MalformedError):
        read_ask(b'{"op":"fresh","root":1,"release":1,"grants":1,"promoted":0,"snapshot":"e30="}')


async def test_a_next_key_signs_once_a_root_names_it_and_then_another_may_follow(
    fresh: FreshWorld,
) -> None:
    world = fresh.world
    with fresh.signer() as link:
        await fresh.take_in(link)
        former = world.online["timestamp"].public
        following = await link.renew("timestamp")
        assert following == await link.renew("timestamp"), "one is under way"
        plan = world.root_plan(timestamp=(following, former))
        world.root(2, *(world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")), plan=plan)
        assert (await fresh.take_in(link)).root == 2
        assert following == await link.renew("timestamp"), "the former still counts"
        plan = world.root_plan(timestamp=(following,))
        world.root(3, *(world.people[Role.ROOT, name] for name in ("dev-1", "dev-2")), plan=plan)
        found = await fresh.take_in(link)
        assert (found.root, found.problem, found.timestamp) == (3, "", 2)
        assert (await link.renew("timestamp")) != following
        assert (await link.keys())["timestamp"][0] == following


def operators_word(fresh: FreshWorld, *signers: SigningKey) -> AskPromote:
    """Publish promoted rules that these keys signed; return what the hub then asks."""
    fresh.world.resign(Role.PROMOTED, 1, *signers)
    return AskPromote(root=1, release=1, promoted=1)


async def test_the_hubs_half_of_promoted_rules_is_signed_after_an_operators(
    fresh: FreshWorld,
) -> None:
    people, promoted = fresh.world.people, fresh.world.online["promoted"]
    with fresh.signer() as link:
        await fresh.take_in(link)
        for signers in ((), (people[Role.RELEASE, "dev-1"],), (promoted,)):
            error = await refused(link.promote(operators_word(fresh, *signers)))
            assert "signed by 0 people" in str(error)
        signed = await link.promote(operators_word(fresh, people[Role.OPERATOR, "dev-3"]))
        fresh.world.incoming.metadata(Role.PROMOTED, 1).write_bytes(signed)
        assert not (await fresh.take_in(link)).problem
        assert fresh.world.place.newest(Role.PROMOTED) == 1


async def test_the_hubs_half_is_signed_under_the_pinned_root_alone(fresh: FreshWorld) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        ask = operators_word(fresh, fresh.world.people[Role.OPERATOR, "dev-1"])
        root = fresh.world.place.metadata(Role.ROOT, 1)
        root.write_bytes(root.read_bytes() + b" ")
        error = await refused(link.promote(ask))
        assert "not the one that the trust root pins" in str(error)


async def test_within_an_hour_no_more_rules_are_promoted_than_the_signers_rate(
    fresh: FreshWorld,
) -> None:
    fresh.rates = Rates(promoted=2)
    operator = fresh.world.people[Role.OPERATOR, "dev-1"]
    with fresh.signer() as link:
        await fresh.take_in(link)
        ask = operators_word(fresh)
        for _ in range(3):
            assert "signed by 0 people" in str(await refused(link.promote(ask)))
        ask = operators_word(fresh, operator)
        for _ in range(2):
            await link.promote(ask)
        assert (await refused(link.promote(ask))).code == "signer_rate"
        fresh.clock.advance(3_600_000)
        await link.promote(ask)


async def test_the_promoted_key_goes_over_to_the_next_once_a_release_names_it(
    fresh: FreshWorld,
) -> None:
    with fresh.signer() as link:
        await fresh.take_in(link)
        following = await link.renew("promoted")
        assert await link.renew("promoted") == following, "nobody named it yet"
        former = fresh.world.online["promoted"].public
        assert (await link.keys())["promoted"] == (former, following)
        # The world signs nothing with it: only its public half counts.
        next_key = fresh.keys.of("promoted")[-1]
        fresh.world.online["promoted"] = next_key
        fresh.world.release(2)
        assert not (await fresh.take_in(link)).problem
        operator = fresh.world.people[Role.OPERATOR, "dev-1"]
        fresh.world.resign(Role.PROMOTED, 1, operator)
        signed = await link.promote(AskPromote(root=1, release=2, promoted=1))
        assert tuf_key_id(following) in parse(signed, "promoted").signatures
        older = await refused(link.promote(AskPromote(root=1, release=1, promoted=1)))
        assert "newer ones were said to be current" in str(older)
        assert await link.renew("promoted") != following, "the former counts no more"
