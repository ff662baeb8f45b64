"""Keys: what may be trusted, what never leaves, and how people are counted."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PublicKey as NaclPublicKey
from nacl.public import SealedBox

from proto.errors import MalformedError
from proto.keys import (
    Holder,
    KeyRing,
    PublicKey,
    SealError,
    SealingKey,
    SealingPublicKey,
    SigningKey,
    Threshold,
    UntrustworthyKeyError,
    trust_one,
)

ANN = SigningKey(b"\x01" * 32)
ANN_TOO = SigningKey(b"\x02" * 32)
BOB = SigningKey(b"\x03" * 32)
CARL = SigningKey(b"\x04" * 32)

ED25519_PRIME = 2**255 - 19
UNTRUSTWORTHY = {
    "too short": b"\x01" * 31,
    "too long": ANN.public.raw + b"\x00",
    "empty": b"",
    "the neutral element": b"\x01" + b"\x00" * 31,
    "a point of order 2": (ED25519_PRIME - 1).to_bytes(32, "little"),
    "a point of order 4": b"\x00" * 32,
    "a point of order 8": bytes.fromhex(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    ),
    "the neutral element, not canonical": (ED25519_PRIME + 1).to_bytes(32, "little"),
    "no point of the curve": b"\x02" + b"\x00" * 31,
}


@pytest.mark.parametrize("raw", UNTRUSTWORTHY.values(), ids=UNTRUSTWORTHY)
def test_a_key_with_which_more_than_its_holder_could_sign_is_never_trusted(raw: bytes) -> None:
    """Points of small order accept signatures over any message; the check is made once, here."""
    with pytest.raises(UntrustworthyKeyError):
        PublicKey(raw)


def test_a_key_id_is_a_hint_from_the_key_bytes() -> None:
    """First 16 hex digits of SHA-256, worked out and never taken from anyone."""
    assert ANN.public.raw.hex().startswith("8a88e3dd7409f195")
    assert ANN.public.key_id == "34750f98bd59fcfc"
    assert ANN.public.fingerprint().replace(" ", "").startswith(ANN.public.key_id)
    assert PublicKey.from_b64(ANN.public.b64()) == ANN.public
    with pytest.raises(MalformedError, match=r"root\.head_keys\[0\]: is 3 bytes long"):
        PublicKey.from_b64("QUJD", "root.head_keys[0]")


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_a_signature_holds_for_its_own_message_and_key_only(message: bytes, other: bytes) -> None:
    """And no cut, lengthened or empty signature passes."""
    signature = ANN.sign(message)
    assert ANN.public.accepts(signature, message)
    assert not BOB.public.accepts(signature, message)
    assert ANN.public.accepts(signature, other) == (other == message)
    for wrong in (b"", signature[:-1], signature + b"\x00", b"\x00" * 64):
        assert not ANN.public.accepts(wrong, message)


def test_a_signature_moved_by_the_group_order_is_refused() -> None:
    """S + L would verify with a lax library: the same statement under two texts."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = ANN.sign(b"m")
    moved = int.from_bytes(signature[32:], "little") + order
    assert not ANN.public.accepts(signature[:32] + moved.to_bytes(32, "little"), b"m")


@pytest.mark.parametrize("key", [ANN, SealingKey(b"\x05" * 32)], ids=["signing", "sealing"])
def test_a_private_key_is_not_printed_copied_pickled_or_put_in_json(
    key: SigningKey | SealingKey,
) -> None:
    """Every way out that is not asked for by name is shut."""
    seed = key.reveal_seed()
    for shown in (repr(key), str(key), f"{key}", f"{[key]}", f"{key!a}", "%s" % key):  # noqa: UP031 - each way
        assert "withheld" in shown
        assert seed.hex() not in shown
        assert repr(seed) not in shown
    for taken in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            taken(key)
    with pytest.raises(TypeError):
        json.dumps({"key": key})
    with pytest.raises(TypeError):
        vars(key)


@pytest.mark.parametrize("seed", [b"", b"\x00" * 31, b"\x00" * 33, "x" * 32])
def test_a_private_key_needs_exactly_32_random_bytes(seed: bytes) -> None:
    """A short read of the random source makes no key, and the message does not show the seed."""
    with pytest.raises(MalformedError, match="made from 32 random bytes"):
        SigningKey(seed)


class TestSealing:
    """X25519 keys that credentials are sealed to."""

    def test_what_is_sealed_to_a_key_is_opened_by_it_alone(self) -> None:
        """Another key, or a changed box, gives nothing."""
        key, other = SealingKey(b"\x05" * 32), SealingKey(b"\x06" * 32)
        box = SealedBox(NaclPublicKey(key.public.raw)).encrypt(b"secret")
        assert key.open_sealed(box) == b"secret"
        for wrong, opener in ((box, other), (box[:-1] + bytes([box[-1] ^ 1]), key), (b"", key)):
            with pytest.raises(SealError):
                opener.open_sealed(wrong)

    @pytest.mark.parametrize(
        "raw",
        [
            b"\x00" * 32,
            b"\x01" + b"\x00" * 31,
            bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            (2**255 - 19).to_bytes(32, "little"),
            (2**255 - 20).to_bytes(32, "little"),
            b"\xff" * 32,
            b"\x09",
        ],
    )
    def test_a_point_that_anyone_could_open_for_is_refused(self, raw: bytes) -> None:
        """Low order and second encodings: a box sealed to them is open to all."""
        with pytest.raises(UntrustworthyKeyError):
            SealingPublicKey(raw)

    def test_it_reads_back(self) -> None:
        """One value, one text."""
        public = SealingKey(b"\x05" * 32).public
        assert SealingPublicKey.from_b64(public.b64()) == public
        assert len(public.fingerprint().replace(" ", "")) == 32


class TestCounting:
    """Thresholds count people, and keys by their bytes."""

    ring = KeyRing(
        (
            Holder("ann", ANN.public),
            Holder("ann", ANN_TOO.public),
            Holder("bob", BOB.public),
        )
    )

    def test_two_keys_of_one_person_are_one_person(self) -> None:
        """Ann cannot be two of two."""
        two = Threshold(self.ring, people=2)
        ann, ann_too, bob = self.ring.holders
        assert not two.is_met_by([ann, ann_too])
        assert two.is_met_by([ann_too, bob])
        assert two.people_in([ann, ann_too]) == {"ann"}

    def test_a_signer_of_another_ring_does_not_count(self) -> None:
        """Nor does a known key under another person's name."""
        one = Threshold(self.ring)
        assert not one.is_met_by([Holder("carl", CARL.public)])
        assert not one.is_met_by([Holder("carl", ANN.public)])
        assert not one.is_met_by([Holder("bob", ANN.public)])
        assert not one.is_met_by([])

    @pytest.mark.parametrize("second", ["ann", "bob"])
    def test_one_key_stands_in_a_ring_once(self, second: str) -> None:
        """The same bytes for two people, or twice for one, would count twice."""
        with pytest.raises(MalformedError, match="one key is listed for 'ann' and again"):
            KeyRing((Holder("ann", ANN.public), Holder(second, PublicKey(ANN.public.raw))))

    def test_a_threshold_can_be_met_and_is_never_zero(self) -> None:
        """Two people's ring cannot ask for three, and nobody's signature is not enough."""
        for people in (-1, 0, 3):
            with pytest.raises(MalformedError, match="over a ring of 2 people"):
                Threshold(self.ring, people=people)
        with pytest.raises(MalformedError, match="over a ring of 0 people"):
            Threshold(KeyRing(()))

    def test_finding_by_hint(self) -> None:
        """An unknown hint finds nobody."""
        assert self.ring.find(BOB.public.key_id) == Holder("bob", BOB.public)
        assert self.ring.find(CARL.public.key_id) is None
        assert trust_one("bob", BOB.public).ring.holders == (Holder("bob", BOB.public),)
