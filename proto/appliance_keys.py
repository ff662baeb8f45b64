"""Which key signed which leaf of an appliance's log, from its enrollment on.

An appliance goes on with other keys by a leaf of its own log: `KeysLeaf`, signed with the former
key and vouched for by the next. So the log itself says which key counts where, for ever:

- up to and with that leaf the former key counts, behind it the next one alone: a former key that
  somebody copied appends nothing, and what it signed once goes on to verify;
- a leaf counts in its own place only, so an older renewal that is shown again changes nothing;
- the next key signs who takes it and where, so nobody names a key that another holds;
- no key ever comes back, nor another one of its id.

Requests that are no leaves (check-ins, questions) count under the key of now alone, from when the
hub has the leaf: a former key that somebody copied reads no order and no sealed login. Until it has
heard that the hub took the leaf an appliance signs them with both keys, so that no order of lost
answers shuts it out. How far its check-ins and pages had counted ends with the key: else whoever
had it may have counted so far ahead that none would ever follow.

The X25519 key that logins are sealed to turns with it; the former opens what was sealed to it for
`OVERLAP_S`, twice as long as any order lives.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from proto import strict_json
from proto.errors import RejectedError
from proto.evidence import KeysLeaf, Leaf, open_leaf
from proto.ids import ApplianceId, SiteId
from proto.invariants import require
from proto.keys import (
    SIGNATURE_BYTES,
    PublicKey,
    SealingPublicKey,
    SigningKey,
    Threshold,
    trust_one,
)
from proto.keysets import DAY_S

OVERLAP_S: Final = 2 * DAY_S
LIFE_S: Final = 365 * DAY_S
"""How long an appliance's keys should sign before they are renewed; nothing stops after it."""

TURNS_MAX: Final = 1024
"""Keys that an appliance may have one after the other: each is kept, and held in memory."""

DUE_BEFORE_S: Final = LIFE_S // 12
"""How long before the end of their life people are told to renew them."""

ENROLLED: Final = -1
"""The leaf that stands for the enrollment, before the first of the log."""

_CONTEXT: Final = b"osiris appliance keys v1\n"


class KeyTurnError(RejectedError):
    """A renewal of an appliance's keys that does not count."""

    code = "key_turn"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a next key signs: who takes which keys, at which leaf, after which."""

    site: str
    appliance: str
    seq: int
    former: PublicKey
    ed25519: PublicKey
    x25519: SealingPublicKey

    def claimed(self) -> bytes:
        """Return the exact bytes that the next key signs."""
        place = f"{self.site}\n{self.appliance}\n{self.seq}\n".encode("ascii")
        return _CONTEXT + place + self.former.raw + self.ed25519.raw + self.x25519.raw


@dataclass(frozen=True, slots=True)
class Turn:
    """From behind a leaf on this key counts; `ENROLLED` is before all."""

    leaf: int
    key: PublicKey


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """Every key of an appliance and where it counts, oldest first."""

    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        """Hold that each place has one key."""
        places = [turn.leaf for turn in self.turns]
        is_ordered = all(before < after for before, after in pairwise(places))
        require(bool(places) and is_ordered, "an appliance's keys follow one another")

    @classmethod
    def of(cls, key: PublicKey) -> Self:
        """Return the history of an appliance that has its first key."""
        return cls((Turn(ENROLLED, key),))

    @property
    def current(self) -> PublicKey:
        """The key that signs now."""
        return self.turns[-1].key

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Every key, oldest first."""
        return tuple(turn.key for turn in self.turns)

    def at(self, index: int) -> PublicKey:
        """Return the key that signs the leaf of this index."""
        place = bisect_left(self.turns, index, key=lambda turn: turn.leaf) - 1
        return self.turns[max(place, 0)].key

    def lately(self, index: int) -> tuple[PublicKey, ...]:
        """Return who may have signed what a leaf carries: its own key, or the one before that."""
        place = self.keys.index(self.at(index))
        return self.keys[max(place - 1, 0) : place + 1]

    def named(self, key_ids: Collection[str]) -> PublicKey | None:
        """Return the newest key that one of these key ids hints at."""
        return next((key for key in reversed(self.keys) if key.key_id in key_ids), None)

    def trust(self, index: int) -> Threshold:
        """Return whose signature counts on the leaf of this index."""
        return trust_one("appliance", self.at(index))

    def open(self, data: bytes, index: int) -> Leaf:
        """Return the leaf of this index from its envelope, verified with the key of that place.

        Raises:
            RejectedError: see `proto.evidence.open_leaf`.
        """
        return open_leaf(data, self.trust(index))

    def after(self, index: int, leaf: Leaf) -> Self:
        """Return the history after a verified leaf: another one only after a renewal.

        Raises:
            KeyTurnError: the leaf names keys that it may not name.
        """
        if not isinstance(leaf, KeysLeaf):
            return self
        key = next_key(leaf, former=self.at(index))
        if index <= self.turns[-1].leaf:
            if Turn(index, key) not in self.turns:
                msg = f"leaf {index}: names another next key than the one that followed it"
                raise KeyTurnError(msg)
            return self
        if len(self.turns) >= TURNS_MAX:
            msg = f"leaf {index}: keys are renewed more often than {TURNS_MAX} times"
            raise KeyTurnError(msg)
        if key.key_id in {one.key_id for one in self.keys}:
            msg = f"leaf {index}: names a key that this appliance had before"
            raise KeyTurnError(msg)
        return type(self)((*self.turns, Turn(index, key)))


def next_key(leaf: KeysLeaf, *, former: PublicKey) -> PublicKey:
    """Return the key that a renewal names.

    Raises:
        KeyTurnError: that key has not signed for it.
        RejectedError: one of the two is no key that may be trusted.
    """
    claim = Claim(
        leaf.site,
        leaf.appliance,
        leaf.seq,
        former,
        PublicKey.from_b64(leaf.ed25519, "keys.ed25519"),
        SealingPublicKey.from_b64(leaf.x25519, "keys.x25519"),
    )
    proof = strict_json.b64_decode(leaf.proof, "keys.proof", length=SIGNATURE_BYTES)
    if not claim.ed25519.accepts(proof, claim.claimed()):
        msg = f"leaf {leaf.seq}: the next key has not signed for {leaf.appliance}"
        raise KeyTurnError(msg)
    return claim.ed25519


@dataclass(frozen=True, slots=True)
class Place:
    """Whose renewal it is, and the leaf it becomes."""

    site: SiteId
    appliance: ApplianceId
    seq: int
    at: int


def keys_leaf(
    place: Place, *, former: PublicKey, signing: SigningKey, sealing: SealingPublicKey
) -> KeysLeaf:
    """Return the leaf by which an appliance goes on with other keys; the former key signs it."""
    claim = Claim(place.site, place.appliance, place.seq, former, signing.public, sealing)
    return KeysLeaf(
        site=place.site,
        appliance=place.appliance,
        seq=place.seq,
        at=place.at,
        ed25519=signing.public.b64(),
        x25519=sealing.b64(),
        proof=strict_json.b64_encode(signing.sign(claim.claimed())),
    )


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A renewal as somebody shows it: its leaf, and the key that is said to have signed it."""

    former: PublicKey
    envelope: bytes


@dataclass(frozen=True, slots=True)
class _Link:
    """A renewal that both its keys have signed."""

    seq: int
    former: PublicKey
    key: PublicKey


def history_of(appliance: str, known: PublicKey, shown: Iterable[ShownTurn]) -> KeyHistory:
    """Return an appliance's keys, from one that is known and the renewals that lead to and from it.

    The former key signs the leaf, and the next signs which key it follows: so whoever knows either
    knows the other. Renewals that lead nowhere near the known key are left out.

    Raises:
        KeyTurnError: one is no renewal of this appliance, or they contradict each other.
        RejectedError: one is not signed by the key that it is shown with.
    """
    links = list(dict.fromkeys(_link(appliance, one) for one in shown))
    turns: list[Turn] = []
    first, last = known, known
    while (before := _only([one for one in links if one.key == first])) is not None:
        turns.insert(0, Turn(before.seq, first))
        first = before.former
        _require_line(turns, links)
    while (behind := _only([one for one in links if one.former == last])) is not None:
        last = behind.key
        turns.append(Turn(behind.seq, last))
        _require_line(turns, links)
    return KeyHistory((Turn(ENROLLED, first), *turns))


def _link(appliance: str, shown: ShownTurn) -> _Link:
    leaf = open_leaf(shown.envelope, trust_one("appliance", shown.former))
    if not isinstance(leaf, KeysLeaf) or leaf.appliance != appliance:
        msg = f"leaf {leaf.seq} of {leaf.appliance} renews no keys of {appliance}"
        raise KeyTurnError(msg)
    return _Link(leaf.seq, shown.former, next_key(leaf, former=shown.former))


def _only(links: Sequence[_Link]) -> _Link | None:
    if len(links) > 1:
        msg = f"leaves {links[0].seq} and {links[1].seq} renew one key"
        raise KeyTurnError(msg)
    return links[0] if links else None


def _require_line(turns: Sequence[Turn], links: Sequence[_Link]) -> None:
    places = [turn.leaf for turn in turns]
    is_ordered = all(before < after for before, after in pairwise(places))
    if not is_ordered or len(turns) > len(links):
        msg = "renewals do not stand in the order in which they name each other"
        raise KeyTurnError(msg)
