"""Keys: who is trusted to sign, and with what.

Rules kept here (TRUST.md, "Envelope" and "Keys"):

- A public key is checked once, when it becomes a value: 32 bytes, the canonical encoding of a
  point of prime order. After that only PyNaCl verifies with it.
- A key id is the first 16 hex digits of SHA-256(public key): a hint, never an identity. Keys are
  the same when their bytes are the same.
- In a key ring each key belongs to one person, and no key stands in it twice. A threshold counts
  people: two keys of one person are one person.
- A private key refuses to be printed, copied, pickled or put in JSON. Randomness is an argument.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn, Self

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.public import PublicKey as RawSealingKey

from proto import strict_json
from proto.errors import MalformedError, RejectedError

KEY_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_CHARS = 16
RING_SIZE_MAX = 4096

_X25519_PRIME = 2**255 - 19
_ANY_SCALAR = b"\x40" * KEY_BYTES
"""Any scalar shows a point of low order: clamping makes it a multiple of the cofactor."""


class UntrustworthyKeyError(RejectedError):
    """A public key that must not be trusted: not a canonical point of prime order."""

    code = "key"


class SealError(RejectedError):
    """A sealed box that this key does not open."""

    code = "sealed"


def key_id(public: bytes) -> str:
    """Return the key id of a public key's bytes: the first 16 hex digits of their SHA-256."""
    return hashlib.sha256(public).hexdigest()[:KEY_ID_CHARS]


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """An Ed25519 public key that may be trusted.

    Attributes:
        raw: its 32 bytes, which are its identity.
        key_id: 16 hex digits, a hint for looking it up.

    Raises:
        UntrustworthyKeyError: when made from bytes that are not a canonical point of prime order.
    """

    raw: bytes
    key_id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Check the point once; a value that exists may be verified with."""
        if len(self.raw) != KEY_BYTES:
            msg = f"an Ed25519 public key has {KEY_BYTES} bytes, not {len(self.raw)}"
            raise UntrustworthyKeyError(msg)
        if not bindings.crypto_core_ed25519_is_valid_point(self.raw):
            msg = f"Ed25519 public key {self.raw.hex()} is not a point of prime order"
            raise UntrustworthyKeyError(msg)
        object.__setattr__(self, "key_id", key_id(self.raw))

    @classmethod
    def from_b64(cls, value: object, where: str = "public key") -> Self:
        """Read a key from strict base64, or raise `MalformedError` naming `where`."""
        return cls(strict_json.b64_decode(value, where, length=KEY_BYTES))

    def b64(self) -> str:
        """Return the key as base64."""
        return strict_json.b64_encode(self.raw)

    def fingerprint(self) -> str:
        """Return what people compare: 32 hex digits of SHA-256 in groups of four."""
        return _in_groups(hashlib.sha256(self.raw).hexdigest()[:32])

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` is this key's signature over exactly `message`."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            bindings.crypto_sign_open(signature + message, self.raw)
        except CryptoError:
            return False
        return True


@dataclass(frozen=True, slots=True, order=True)
class SealingPublicKey:
    """An X25519 public key that secrets may be sealed to.

    Raises:
        UntrustworthyKeyError: when the bytes are not canonical or are a point of low order, to
            which a sealed box would be readable by anyone.
    """

    raw: bytes

    def __post_init__(self) -> None:
        """Check the point once."""
        if len(self.raw) != KEY_BYTES:
            msg = f"an X25519 public key has {KEY_BYTES} bytes, not {len(self.raw)}"
            raise UntrustworthyKeyError(msg)
        if int.from_bytes(self.raw, "little") >= _X25519_PRIME:
            msg = f"X25519 public key {self.raw.hex()} is not canonical"
            raise UntrustworthyKeyError(msg)
        try:
            bindings.crypto_scalarmult(_ANY_SCALAR, self.raw)
        except CryptoError:
            msg = f"X25519 public key {self.raw.hex()} is a point of low order"
            raise UntrustworthyKeyError(msg) from None

    @classmethod
    def from_b64(cls, value: object, where: str = "sealing key") -> Self:
        """Read a key from strict base64, or raise `MalformedError` naming `where`."""
        return cls(strict_json.b64_decode(value, where, length=KEY_BYTES))

    def b64(self) -> str:
        """Return the key as base64."""
        return strict_json.b64_encode(self.raw)

    def fingerprint(self) -> str:
        """Return what people compare: 32 hex digits of SHA-256 in groups of four."""
        return _in_groups(hashlib.sha256(self.raw).hexdigest()[:32])

    def digest(self) -> str:
        """Return what an order names the key by: hex SHA-256 of its bytes."""
        return hashlib.sha256(self.raw).hexdigest()

    def seal(self, plain: bytes) -> bytes:
        """Return a box that only the holder of this key opens."""
        return SealedBox(RawSealingKey(self.raw)).encrypt(plain)


def _in_groups(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


class _Private:
    """A private key: it stays in this object, and every way out that is not asked for is shut."""

    __slots__ = ("_seed",)

    def __init__(self, seed: bytes) -> None:
        """Keep the seed, which must be `SEED_BYTES` random bytes."""
        if type(seed) is not bytes or len(seed) != SEED_BYTES:
            msg = f"a private key is made from {SEED_BYTES} random bytes"
            raise MalformedError(msg)
        self._seed = seed

    def reveal_seed(self) -> bytes:
        """Return the seed, for the one caller that stores it sealed or with mode 0600."""
        return self._seed

    def __repr__(self) -> str:
        """Say what this is and not what it holds."""
        return f"<{type(self).__name__} withheld>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse pickle and copy alike: both would make a second, unguarded instance."""
        msg = f"a {type(self).__name__} is neither copied nor pickled"
        raise TypeError(msg)


class SigningKey(_Private):
    """An Ed25519 private key."""

    __slots__ = ("_pair", "public")

    def __init__(self, seed: bytes) -> None:
        """Make the key from `SEED_BYTES` random bytes."""
        super().__init__(seed)
        public, self._pair = bindings.crypto_sign_seed_keypair(seed)
        self.public = PublicKey(public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over exactly `message`."""
        return bindings.crypto_sign(message, self._pair)[:SIGNATURE_BYTES]


class SealingKey(_Private):
    """An X25519 private key, for what is sealed to this holder alone."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """Make the key from `SEED_BYTES` random bytes."""
        super().__init__(seed)
        self._key = PrivateKey(seed)
        self.public = SealingPublicKey(bytes(self._key.public_key))

    def open_sealed(self, box: bytes) -> bytes:
        """Return what was sealed to this key, or raise `SealError`."""
        try:
            return SealedBox(self._key).decrypt(box)
        except CryptoError:
            msg = "the sealed box was not made for this key, or was changed"
            raise SealError(msg) from None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key: a person's or a daemon's stable name, and the key."""

    person: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that count for one purpose.

    Raises:
        MalformedError: a key stands in it twice (under one person or two), or two different keys
            share one key id.
    """

    holders: tuple[Holder, ...]
    _by_id: dict[str, Holder] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the keys by id; ids are unique or the ring is refused."""
        if len(self.holders) > RING_SIZE_MAX:
            msg = f"a key ring holds at most {RING_SIZE_MAX} keys, not {len(self.holders)}"
            raise MalformedError(msg)
        by_id: dict[str, Holder] = {}
        for holder in self.holders:
            other = by_id.setdefault(holder.key.key_id, holder)
            if other is not holder:
                what = "key" if other.key == holder.key else "key id"
                people = f"{other.person!r} and again for {holder.person!r}"
                msg = f"one {what} is listed for {people}: {holder.key.key_id}"
                raise MalformedError(msg)
        object.__setattr__(self, "_by_id", by_id)

    @classmethod
    def of(cls, person: str, *keys: PublicKey) -> Self:
        """Make the ring of one person's keys."""
        return cls(tuple(Holder(person, key) for key in keys))

    def find(self, wanted: str) -> Holder | None:
        """Return the holder whose key has this key id, or None for an unknown key."""
        return self._by_id.get(wanted)

    def __contains__(self, holder: Holder) -> bool:
        """Tell whether exactly this key of exactly this person is in the ring."""
        return self._by_id.get(holder.key.key_id) == holder


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many different people of a ring must have signed.

    Raises:
        MalformedError: the number is below one, or the ring has fewer people.
    """

    ring: KeyRing
    people: int = 1

    def __post_init__(self) -> None:
        """Refuse a threshold that nobody or nothing could meet."""
        there = len({holder.person for holder in self.ring.holders})
        if not 1 <= self.people <= there:
            msg = f"a threshold of {self.people} over a ring of {there} people"
            raise MalformedError(msg)

    def people_in(self, signers: Iterable[Holder]) -> frozenset[str]:
        """Return the different people of the ring among verified signers."""
        return frozenset(holder.person for holder in signers if holder in self.ring)

    def is_met_by(self, signers: Iterable[Holder]) -> bool:
        """Tell whether enough different people of the ring are among verified signers."""
        return len(self.people_in(signers)) >= self.people


def trust_one(person: str, key: PublicKey) -> Threshold:
    """Return the threshold that one person's one key meets alone."""
    return Threshold(KeyRing.of(person, key))
