"""A device keeps its id while its address, name and neighbours change."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.identity import (
    Attribute,
    AttributeKind,
    Conflict,
    Identified,
    Sighting,
    fingerprint,
    identify,
    is_weak_mac,
)
from proto.errors import MalformedError
from proto.ids import TargetId, new_target_id

INTEL, INTEL_2, INTEL_3 = "00:1b:21:00:00:11", "00:1b:21:00:00:12", "00:1b:21:00:00:13"
RANDOM, RANDOM_2 = "02:00:00:00:00:01", "02:00:00:00:00:02"


class Site:
    """The attributes of a site's devices, kept as a store keeps them."""

    def __init__(self) -> None:
        """Begin with no device."""
        self.attributes: dict[tuple[TargetId, AttributeKind, str], Attribute] = {}
        self.now_ms = 0
        self._random = random.Random(1)  # noqa: S311 - ids of a test

    def new_id(self) -> TargetId:
        return new_target_id(self._random.randbytes(7))

    def see(self, *sightings: Sighting) -> Identified:
        self.now_ms += 1000
        found = identify(self.attributes.values(), sightings, new_id=self.new_id)
        for loss in found.lost:
            del self.attributes[loss]
        for placed in found.placed:
            for kind, value in placed.attributes.items():
                key = (placed.device, kind, value)
                first_ms = self.attributes[key].first_ms if key in self.attributes else self.now_ms
                self.attributes[key] = Attribute(*key, first_ms, self.now_ms)
        return found

    def one(self, sighting: Sighting) -> TargetId:
        return self.see(sighting).placed[0].device


def at(address: str, mac: str = "", *, name: str = "", host_key: str = "") -> Sighting:
    return Sighting(address=address, mac=mac, vendor="", name=name, host_key=host_key)


def ids(found: Identified) -> list[TargetId]:
    return [placed.device for placed in found.placed]


def test_a_device_is_found_by_its_mac_at_another_address() -> None:
    site = Site()
    device = site.one(at("10.0.0.5", INTEL))
    found = site.see(at("10.0.0.9", INTEL))
    assert ids(found) == [device]
    assert found.placed[0].found_by is AttributeKind.MAC
    assert found.conflicts == ()


def test_two_leases_that_change_places_change_nothing_else() -> None:
    site = Site()
    first, second = ids(site.see(at("10.0.0.5", INTEL), at("10.0.0.6", INTEL_2)))
    found = site.see(at("10.0.0.5", INTEL_2), at("10.0.0.6", INTEL))
    assert ids(found) == [second, first]


def test_a_new_card_at_a_known_address_is_a_new_device_and_takes_the_address() -> None:
    site = Site()
    old = site.one(at("10.0.0.5", INTEL))
    found = site.see(at("10.0.0.5", INTEL_2))
    assert ids(found) != [old]
    assert found.lost == ((old, AttributeKind.ADDRESS, "10.0.0.5"),)
    assert found.conflicts == ()


def test_a_device_without_a_mac_is_found_by_its_address() -> None:
    site = Site()
    device = site.one(at("10.9.0.5"))
    found = site.see(at("10.9.0.5"))
    assert ids(found) == [device]
    assert found.placed[0].found_by is AttributeKind.ADDRESS


def test_a_device_known_by_its_address_alone_learns_its_mac() -> None:
    site = Site()
    device = site.one(at("10.0.0.5"))
    assert site.one(at("10.0.0.5", INTEL)) == device
    assert site.one(at("10.0.0.77", INTEL)) == device


def test_an_address_that_a_device_moved_away_from_no_longer_finds_it() -> None:
    site = Site()
    device = site.one(at("10.0.0.5", INTEL))
    site.see(at("10.0.0.9", INTEL))
    assert site.one(at("10.0.0.5")) != device


def test_a_device_seen_elsewhere_in_the_sweep_is_not_also_at_its_old_address() -> None:
    site = Site()
    device = site.one(at("10.0.0.5", INTEL))
    found = site.see(at("10.0.0.5"), at("10.0.0.9", INTEL))
    assert ids(found)[1] == device
    assert ids(found)[0] != device


def test_a_name_does_not_put_a_second_phone_on_the_first_one_in_the_sweep() -> None:
    site = Site()
    phone = site.one(at("10.0.0.5", RANDOM, name="phone"))
    found = site.see(at("10.0.0.6", RANDOM_2, name="phone"), at("10.0.0.5", RANDOM, name="phone"))
    assert ids(found)[1] == phone
    assert ids(found)[0] != phone


def test_one_card_with_two_addresses_is_one_device() -> None:
    site = Site()
    first, second = ids(site.see(at("10.0.0.5", INTEL), at("10.0.0.6", INTEL)))
    assert first == second


def test_a_phone_keeps_its_id_while_its_random_mac_stays() -> None:
    site = Site()
    phone = site.one(at("10.0.0.5", RANDOM))
    assert site.one(at("10.0.0.8", RANDOM)) == phone


def test_a_phone_with_its_next_random_mac_is_known_by_its_name_only() -> None:
    site = Site()
    phone = site.one(at("10.0.0.5", RANDOM, name="annas-phone"))
    assert site.one(at("10.0.0.8", RANDOM_2, name="annas-phone")) == phone
    assert site.one(at("10.0.0.8", "02:00:00:00:00:03", name="bens-phone")) != phone


def test_another_random_mac_at_the_address_is_another_device() -> None:
    site = Site()
    phone = site.one(at("10.0.0.5", RANDOM))
    assert site.one(at("10.0.0.5", RANDOM_2)) != phone


def test_a_name_that_two_devices_have_finds_neither() -> None:
    site = Site()
    devices = ids(site.see(at("10.9.0.5", name="pc"), at("10.9.0.6", name="pc")))
    assert site.one(at("10.9.0.7", name="pc")) not in devices


def test_a_name_never_moves_a_device_to_another_makers_card() -> None:
    site = Site()
    device = site.one(at("10.0.0.5", INTEL, name="emr"))
    assert site.one(at("10.0.0.6", INTEL_2, name="emr")) != device


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", ""])
def test_localhost_is_nobodys_name(name: str) -> None:
    site = Site()
    device = site.one(at("10.9.0.5", name=name))
    assert site.one(at("10.9.0.6", name=name)) != device


@pytest.mark.parametrize(
    "mac", ["00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "x"]
)
def test_a_mac_that_no_card_has_finds_nothing(mac: str) -> None:
    site = Site()
    device = site.one(at("10.9.0.5", mac))
    assert site.one(at("10.9.0.6", mac)) != device


def test_a_host_key_finds_its_device_behind_another_address() -> None:
    site = Site()
    device = site.one(at("10.9.0.5", host_key="ssh-ed25519 A"))
    assert site.one(at("10.9.0.6", host_key="ssh-ed25519 A")) == device


def test_another_host_key_at_the_address_is_another_device() -> None:
    site = Site()
    device = site.one(at("10.9.0.5", host_key="ssh-ed25519 A"))
    assert site.one(at("10.9.0.5", host_key="ssh-ed25519 B")) != device


def test_a_host_key_on_another_devices_card_is_a_conflict_and_merges_nothing() -> None:
    site = Site()
    first = site.one(at("10.0.0.5", INTEL, host_key="ssh-ed25519 A"))
    second = site.one(at("10.0.0.6", INTEL_2))
    found = site.see(at("10.0.0.6", INTEL_2, host_key="ssh-ed25519 A"))
    assert ids(found) == [second]
    assert found.conflicts == (Conflict(second, first, AttributeKind.HOST_KEY, "ssh-ed25519 A"),)
    assert AttributeKind.HOST_KEY not in found.placed[0].attributes


def test_a_host_key_on_a_new_makers_card_is_a_conflict_and_a_new_device() -> None:
    """A new network card and a cloned disk look the same from here."""
    site = Site()
    device = site.one(at("10.0.0.5", INTEL, host_key="ssh-ed25519 A"))
    found = site.see(at("10.0.0.7", INTEL_3, host_key="ssh-ed25519 A"))
    assert ids(found) != [device]
    assert [conflict.other for conflict in found.conflicts] == [device]


def test_a_host_key_outweighs_a_mac_made_by_software() -> None:
    site = Site()
    machine = site.one(at("10.0.0.5", RANDOM, host_key="ssh-ed25519 A"))
    other = site.one(at("10.0.0.6", RANDOM_2))
    found = site.see(at("10.0.0.6", RANDOM_2, host_key="ssh-ed25519 A"))
    assert ids(found) == [machine]
    assert found.conflicts == (Conflict(machine, other, AttributeKind.MAC, RANDOM_2),)


def test_a_target_known_by_host_key_and_address_only_is_not_robbed_of_its_address() -> None:
    site = Site()
    laptop = site.one(at("10.0.0.6", INTEL))
    target = site.one(at("10.0.0.5", host_key="ssh-ed25519 A"))
    found = site.see(at("10.0.0.5", INTEL))
    assert ids(found) == [laptop]
    assert found.lost == ()
    assert found.conflicts == (Conflict(laptop, target, AttributeKind.ADDRESS, "10.0.0.5"),)


@pytest.mark.parametrize(
    ("mac", "is_weak"),
    [(INTEL, False), (RANDOM, True), ("52:54:00:12:34:56", True), ("00:00:5e:00:01:07", True)],
)
def test_a_mac_made_by_software_is_weak(mac: str, *, is_weak: bool) -> None:
    assert is_weak_mac(mac) is is_weak


def macs() -> Iterable[str]:
    for n in range(12):
        yield f"00:1b:21:00:00:{n:02x}" if n % 3 else f"02:00:00:00:00:{n:02x}"


@given(
    sweeps=st.lists(
        st.tuples(st.permutations(range(20)), st.sets(st.integers(0, 11)), st.randoms()),
        max_size=8,
    )
)
def test_lease_shuffles_make_no_ghosts(
    sweeps: list[tuple[list[int], set[int], random.Random]],
) -> None:
    """Twelve machines draw addresses from one pool, come and go: twelve ids, each one's own."""
    site = Site()
    cards = list(macs())
    owner: dict[str, TargetId] = {}
    for leases, present, shuffler in sweeps:
        sightings = [at(f"10.0.0.{leases[n]}", cards[n]) for n in present]
        # Three more are beyond a router: no MAC is seen of them, and they keep their addresses.
        sightings += [at(f"10.9.0.{n}") for n in range(3)]
        shuffler.shuffle(sightings)
        for placed in site.see(*sightings).placed:
            who = placed.sighting.mac or placed.sighting.address
            assert owner.setdefault(who, placed.device) == placed.device
    assert len(set(owner.values())) == len(owner)
    holders = [key[2] for key in site.attributes if key[1] is AttributeKind.ADDRESS]
    assert len(holders) == len(set(holders))


@given(
    st.lists(
        st.lists(
            st.builds(
                Sighting,
                address=st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
                mac=st.sampled_from(["", INTEL, INTEL_2, RANDOM, RANDOM_2]),
                vendor=st.just(""),
                name=st.sampled_from(["", "emr", "pc"]),
                host_key=st.sampled_from(["", "ssh-ed25519 A", "ssh-ed25519 B"]),
            ),
            max_size=4,
            unique_by=lambda sighting: sighting.address,
        ),
        max_size=8,
    )
)
def test_whatever_is_seen_a_strong_attribute_has_one_owner(sweeps: list[list[Sighting]]) -> None:
    site = Site()
    for sweep in sweeps:
        site.see(*sweep)
        for kind in (AttributeKind.MAC, AttributeKind.HOST_KEY, AttributeKind.ADDRESS):
            values = [key[2] for key in site.attributes if key[1] is kind]
            assert len(values) == len(set(values))


def test_a_fingerprint_is_what_openssh_shows() -> None:
    """`ssh-keygen -lf` on this public key prints the same."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert fingerprint(key) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !", "SHA256:abc", "a b c"])
def test_what_is_no_host_key_has_no_fingerprint(text: str) -> None:
    with pytest.raises(MalformedError, match="host key"):
        fingerprint(text)
