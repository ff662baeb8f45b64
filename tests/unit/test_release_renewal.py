"""Renewing what people signed: what holds already goes on, and what would not is refused early."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.order_gate.values import Refused, Situation, Verdict
from osiris.desk import drafting, publishing
from osiris.desk.place import Desk
from osiris.desk.take_trust import take_trust
from proto import envelope, strict_json
from proto.authority import KeyUse
from proto.envelope import Kind
from proto.errors import ConfigError
from proto.grants import Trust
from proto.keys import SigningKey
from proto.keysets import DAY_S, PeopleError, Role
from proto.order_codes import Code
from proto.orders.kinds import HOUR_S, OrderType
from runtime.repository.layout import Place
from runtime.repository.renewal import published_authority
from tests.fakes.repository import RepositoryWorld
from tests.unit.order_world import body, having, verdict_on
from tests.unit.release_world import GRANTED, NOW_S, Ceremony


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a first publication by ada and bo."""
    return Ceremony(tmp_path_factory.mktemp("prepared")).publish_first()


@pytest.fixture
def published(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def leaves(made: Ceremony, person: str) -> None:
    """Take a person's card as an operator out of the folder."""
    (made.folder.directory / "people" / f"{person}.operator.json").unlink()
    del made.keys[Role.OPERATOR, person]


def test_a_release_that_the_grants_signer_left_asks_for_new_grants(published: Ceremony) -> None:
    leaves(published, "ada")
    drafting.draft_release(published.folder, None, now_s=NOW_S + DAY_S)
    published.sign("ada", "bo")
    with pytest.raises(PeopleError, match="osiris content grant"):
        publishing.check_drafts(published.folder, now_s=NOW_S + DAY_S)
    drafting.draft_grants(published.folder, GRANTED, now_s=NOW_S + DAY_S)
    published.sign("bo", "cy")
    assert not published.publish(now_s=NOW_S + DAY_S).problem


def trust_in(place: Place, desk: Path, *, now_s: int) -> Trust:
    """Return whose signatures count by a repository, as a new reader takes them."""
    taken = Desk(desk / f"at-{now_s}")
    take_trust(place, taken, now_s=now_s)
    found = taken.trust()
    assert found is not None
    return found


def order_of(*signers: SigningKey, drafted_s: int) -> bytes:
    """Return a change that these keys signed, and that lives for 20 hours."""
    document = body(
        OrderType.UPDATE_AGENT, iat=drafted_s, not_before=drafted_s, exp=drafted_s + 20 * HOUR_S
    )
    return envelope.sign(Kind.ORDER, strict_json.dumps(document), *signers)


def answer(leaf: bytes, trust: Trust, *, now_s: int) -> Verdict:
    """Return what an appliance answers to an order now."""
    situation: Situation = having("moment", now_s=now_s, answered_s=now_s)
    known = replace(situation.known, expires_s=now_s + DAY_S)
    return verdict_on(leaf, replace(situation, trust=trust, known=known))


def test_an_order_that_waits_outlives_the_renewal_of_grants_and_release(
    published: Ceremony, tmp_path: Path
) -> None:
    drafted_s = NOW_S + 4 * DAY_S
    leaf = order_of(
        published.online["order"],
        published.keys[Role.OPERATOR, "ada"],
        published.keys[Role.OPERATOR, "bo"],
        drafted_s=drafted_s,
    )
    before = trust_in(published.served, tmp_path, now_s=drafted_s)
    now_s = drafted_s + 19 * HOUR_S
    drafting.draft_release(published.folder, None, now_s=now_s)
    drafting.draft_grants(published.folder, GRANTED, now_s=now_s)
    published.sign("ada", "cy")
    assert not published.publish(now_s=now_s).problem
    after = trust_in(published.served, tmp_path, now_s=now_s)
    assert after.expires > before.expires
    for trust in (before, after):
        assert not isinstance(answer(leaf, trust, now_s=now_s), Refused)


def test_an_order_that_waits_outlives_what_a_development_trust_renews(tmp_path: Path) -> None:
    world = RepositoryWorld(tmp_path / "hub")
    world.first()
    drafted_s = world.now_s + 4 * DAY_S
    leaf = order_of(
        world.online["order"],
        world.people[Role.OPERATOR, "dev-1"],
        world.people[Role.OPERATOR, "dev-2"],
        drafted_s=drafted_s,
    )
    world.now_s = drafted_s + HOUR_S
    world.publish_what_is_due({path: data + b"\n" for path, data in world.content.items()})
    assert not world.take_in().problem
    after = trust_in(world.place, tmp_path, now_s=world.now_s)
    assert (after.authority.document.version, after.grants.document.version) == (2, 2)
    assert not isinstance(answer(leaf, after, now_s=world.now_s), Refused)


def test_a_key_that_is_new_has_no_word_on_what_was_drafted_before(
    published: Ceremony, tmp_path: Path
) -> None:
    drafted_s = NOW_S + DAY_S
    published.join(Role.OPERATOR, "di")
    published.online["order"], former = published.key(), published.online["order"]
    published.tell_hub_keys()
    renewed_s = drafted_s + HOUR_S
    drafting.draft_release(published.folder, None, now_s=renewed_s)
    drafting.draft_grants(published.folder, GRANTED, now_s=renewed_s)
    published.sign("ada", "bo")
    assert not published.publish(now_s=renewed_s).problem
    trust = trust_in(published.served, tmp_path, now_s=renewed_s)
    di, ada = (published.keys[Role.OPERATOR, name] for name in ("di", "ada"))
    for signers, code in (
        ((former, di), Code.PERSON_KEY_EXPIRED),
        ((published.online["order"], ada), Code.GRANT_TIME),
    ):
        refused = answer(order_of(*signers, drafted_s=drafted_s), trust, now_s=renewed_s)
        assert isinstance(refused, Refused)
        assert refused.code is code
        later = answer(order_of(*signers, drafted_s=renewed_s), trust, now_s=renewed_s)
        assert not isinstance(later, Refused)


def test_the_hubs_former_keys_count_beside_new_ones_until_the_next_file(
    published: Ceremony, tmp_path: Path
) -> None:
    names = ("order", "head", "log")
    former = {name: published.online[name].public for name in names}
    ended = trust_in(published.served, tmp_path, now_s=NOW_S).grants.document.grants[0].not_after
    for name in names:
        published.online[name] = published.key()
    following = {name: published.online[name].public for name in names}
    published.tell_hub_keys()

    def listed(now_s: int) -> dict[str, set[bytes]]:
        drafting.draft_release(published.folder, None, now_s=now_s)
        drafting.draft_grants(published.folder, GRANTED, now_s=now_s)
        published.sign("ada", "bo")
        assert not published.publish(now_s=now_s).problem
        trust = trust_in(published.served, tmp_path, now_s=now_s)
        return {
            "order": set(trust.grants.by_key),
            "head": {key.holder.key.raw for key in trust.authority.head_keys},
            "log": {key.raw for key in trust.authority.logs(now_s=now_s)},
        }

    both = {name: {former[name].raw, following[name].raw} for name in names}
    assert listed(NOW_S + DAY_S) == both
    trust = trust_in(published.served, tmp_path, now_s=NOW_S + DAY_S)
    (last,) = trust.grants.by_key[former["order"].raw]
    assert last.not_after == ended, "it is not granted for longer than it was"
    assert listed(NOW_S + 2 * DAY_S) == {name: {following[name].raw} for name in names}


def test_a_key_that_has_ended_does_not_keep_out_the_one_after_it(
    published: Ceremony, tmp_path: Path
) -> None:
    """The grants list both until the next: by then the former's week may be over."""

    def granted(now_s: int) -> set[bytes]:
        published.online["order"] = published.key()
        published.tell_hub_keys()
        drafting.draft_grants(published.folder, GRANTED, now_s=now_s)
        published.sign("ada", "bo")
        assert not published.publish(now_s=now_s).problem
        return set(trust_in(published.served, tmp_path, now_s=now_s).grants.by_key)

    first = published.online["order"].public.raw
    both = granted(NOW_S + 3 * DAY_S)
    second = published.online["order"].public.raw
    assert both == {first, second}
    both = granted(NOW_S + 7 * DAY_S + DAY_S // 2)
    assert both == {second, published.online["order"].public.raw}


def test_a_key_that_had_ended_is_listed_from_now_on(published: Ceremony, tmp_path: Path) -> None:
    now_s = NOW_S + 8 * DAY_S
    drafting.draft_grants(published.folder, GRANTED, now_s=now_s)
    published.sign("ada", "bo")
    assert not published.publish(now_s=now_s).problem
    (grant,) = trust_in(published.served, tmp_path, now_s=now_s).grants.document.grants
    assert (grant.not_before, grant.not_after) == (now_s, now_s + 7 * DAY_S)


def operators_in(made: Ceremony) -> dict[str, list[KeyUse]]:
    """Return the keys that the newest release lists for each operator."""
    found = published_authority(made.served)
    assert found is not None
    return {one.person: list(one.keys) for one in found.people}


def test_an_operators_former_key_counts_for_as_long_as_an_order_waits(
    published: Ceremony,
) -> None:
    former = published.keys[Role.OPERATOR, "ada"].public
    following = published.join(Role.OPERATOR, "ada").public
    made_s = NOW_S + 10 * DAY_S
    drafting.draft_release(published.folder, None, now_s=made_s)
    drafting.draft_grants(published.folder, GRANTED, now_s=made_s)
    published.sign("ada", "bo")
    assert not published.publish(now_s=made_s).problem
    first, second = operators_in(published)["ada"]
    assert (first.key, second.key) == (following.b64(), former.b64())
    assert second.not_before <= made_s - HOUR_S, "for what was drafted before"
    assert second.not_after == made_s + DAY_S
    drafting.draft_release(published.folder, None, now_s=made_s + 2 * DAY_S)
    published.sign("ada", "bo")
    assert not published.publish(now_s=made_s + 2 * DAY_S).problem
    assert [one.key for one in operators_in(published)["ada"]] == [following.b64()]


def test_a_key_that_was_lost_to_somebody_ends_at_once(published: Ceremony) -> None:
    following = published.join(Role.OPERATOR, "ada").public
    with pytest.raises(ConfigError, match="no such operator"):
        drafting.draft_release(published.folder, None, lost=["eve"], now_s=NOW_S + DAY_S)
    drafting.draft_release(published.folder, None, lost=["ada"], now_s=NOW_S + DAY_S)
    drafting.draft_grants(published.folder, GRANTED, now_s=NOW_S + DAY_S)
    published.sign("ada", "bo")
    assert not published.publish(now_s=NOW_S + DAY_S).problem
    assert [one.key for one in operators_in(published)["ada"]] == [following.b64()]
