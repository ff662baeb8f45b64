"""The signer says which content is current: what people signed, never older, at a bounded rate."""

import json
from pathlib import Path

import pytest

from central.core.order_signing import Rates
from central.core.signer_talk import read_ask
from proto.errors import MalformedError, OsirisError
from proto.keysets import DAY_S, Role
from runtime.repository.documents import add_signatures
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
