"""One key id is one key of one appliance: a key is looked up by its 64-bit id."""

import pytest

from central.core.ingest import KeyTurn
from central.store.appliances import Enrolled
from central.store.registry import Known, Registry
from proto.appliance_keys import TURNS_MAX, KeyHistory, KeyTurnError, Place, Turn, keys_leaf
from proto.ids import ApplianceId, SiteId
from proto.keys import SEED_BYTES, PublicKey, SealingKey, SigningKey

SITE = SiteId("s-aaaaaaaaaa")
ONE, OTHER = ApplianceId("a-aaaaaaaaaa"), ApplianceId("a-bbbbbbbbbb")


def signing(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * SEED_BYTES)


def with_id_of(key: PublicKey, other: PublicKey) -> PublicKey:
    """Return a key as whoever tries 2^64 of them has it: another one, of the same id."""
    made = PublicKey(key.raw)
    object.__setattr__(made, "key_id", other.key_id)
    return made


def enrolled(appliance: ApplianceId, key: PublicKey) -> Enrolled:
    return Enrolled(SITE, appliance, key.raw, bytes(32), 0, None, -1, None, 0, bytes(32), 0)


def of_two(registry: Registry) -> tuple[Known, Known]:
    one = registry.add(enrolled(ONE, signing(1).public))
    return one, registry.add(enrolled(OTHER, signing(2).public))


def test_another_key_of_the_same_id_belongs_to_whom_the_id_belongs() -> None:
    registry = Registry("hub.example")
    one, other = of_two(registry)
    twin = with_id_of(signing(3).public, signing(1).public)
    assert registry.holder_of(twin) is one
    assert registry.holder_of(signing(2).public) is other
    assert registry.holder_of(signing(3).public) is None


def test_a_key_that_was_given_up_is_still_its_appliances_and_counts_for_nothing() -> None:
    registry = Registry("hub.example")
    one, _ = of_two(registry)
    sealing = SealingKey(bytes(SEED_BYTES)).public
    registry.turn(one, [KeyTurn(4, signing(3).public, sealing)], now_ms=1)
    assert registry.holder_of(signing(1).public) is one
    assert registry.by_key_ids([signing(1).public.key_id]) is None
    assert registry.by_key_ids([signing(1).public.key_id, signing(3).public.key_id]) is one


def test_a_renewal_names_no_key_of_the_id_of_a_key_before() -> None:
    following = signing(3)
    first = with_id_of(signing(1).public, following.public)
    leaf = keys_leaf(
        Place(SITE, ONE, 7, 0),
        former=first,
        signing=following,
        sealing=SealingKey(bytes(SEED_BYTES)).public,
    )
    with pytest.raises(KeyTurnError, match="had before"):
        KeyHistory.of(first).after(7, leaf)


def test_whoever_took_an_appliance_renews_its_keys_no_more_often_than_can_be_kept() -> None:
    """The hub holds every key of every appliance in memory, and looks through them."""
    keys = KeyHistory(
        tuple(Turn(leaf, signing(leaf % 250 + 1).public) for leaf in range(TURNS_MAX))
    )
    former = keys.current
    leaf = keys_leaf(
        Place(SITE, ONE, TURNS_MAX, 0),
        former=former,
        signing=signing(251),
        sealing=SealingKey(bytes(SEED_BYTES)).public,
    )
    with pytest.raises(KeyTurnError, match="more often"):
        keys.after(TURNS_MAX, leaf)
    assert len(KeyHistory(keys.turns[1:]).after(TURNS_MAX, leaf).turns) == TURNS_MAX
