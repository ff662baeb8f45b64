"""An evidence batch judged against the hub's mirror of that log. Nothing is stored by halves.

Rules, first failure refuses the whole batch:

- the checkpoint is signed by the appliance's own key, for its own log, and covers the leaves sent;
- it is not smaller than the mirror (`evidence_rollback`), and at a size the hub knows its root is
  the hub's (`evidence_fork`): there is never a second root at one size;
- leaves that the hub holds already are byte for byte the same (`evidence_fork`);
- each new leaf is evidence or a receipt, signed by the appliance, of this site and appliance, whose
  `seq` is its index (`leaf_refused`);
- when the leaves reach the checkpoint's size, they lead to its root (`checkpoint_refused`);
- a renewal of the appliance's keys is signed with the former and vouched for by the next
  (`leaf_refused`); leaves behind it are signed with the next alone;
- each detail is committed to by a leaf of the batch (`detail_mismatch`).

A batch that begins beyond what the hub holds is answered, not refused: "I have this many".
"""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from central.core.refusals import (
    CheckpointRefusedError,
    DetailMismatchError,
    ForkError,
    LeafRefusedError,
    RollbackError,
)
from proto import merkle, note, strict_json
from proto.appliance_keys import KeyHistory
from proto.errors import MalformedError, RejectedError
from proto.evidence import (
    DETAIL_BYTES_MAX,
    SALT_BYTES,
    KeysLeaf,
    Leaf,
    check_of,
    commit,
    commits_of,
)
from proto.hub.evidence import BATCH_BYTES_MAX, Detail, EvidenceBatch
from proto.ids import ApplianceId, SiteId
from proto.keys import PublicKey, SealingPublicKey
from proto.merkle import Tree
from proto.note import Checkpoint
from proto.phi.arrived import Arrived
from proto.strict_json import b64_decode, b64_encode

LEAVES_A_STEP = 8
DETAILS_A_STEP = 64


@dataclass(frozen=True, slots=True)
class Mirror:
    """What the hub holds of an appliance's log.

    Attributes:
        keys: which of its keys signed which leaf.
        origin: the origin line of its checkpoints.
        tree: the verified leaves' compact tree.
    """

    site: SiteId
    appliance: ApplianceId
    keys: KeyHistory
    origin: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Shown:
    """A batch whose checkpoint the appliance signed; its leaves are not looked at yet."""

    batch: EvidenceBatch[Arrived]
    checkpoint: Checkpoint

    @property
    def end(self) -> int:
        """The index after the last leaf sent."""
        return self.batch.first + len(self.batch.leaves)


@dataclass(frozen=True, slots=True)
class Held:
    """What the store knows that a batch is held against.

    Attributes:
        hashes: leaf hashes from the batch's first leaf on, as far as the mirror has them.
        root: the root at the checkpoint's size, when the hub cosigned one there.
    """

    hashes: Sequence[bytes]
    root: bytes | None


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A verified leaf."""

    index: int
    envelope: bytes
    hash: bytes
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class KeyTurn:
    """A renewal: from behind leaf `index` on these keys count."""

    index: int
    ed25519: PublicKey
    x25519: SealingPublicKey


@dataclass(frozen=True, slots=True)
class OpenedDetail:
    """A detail that its leaf commits to; nobody has looked at its text.

    Attributes:
        check: whose answer it tells of, None for a repair's own words.
    """

    leaf: int
    part: str
    check: str | None
    salt: bytes
    detail: Arrived


@dataclass(frozen=True, slots=True)
class Accepted:
    """What to store: all of it, in one transaction.

    Attributes:
        leaves: the new ones, contiguous from the mirror's size.
        tree: the mirror's tree after them.
        complete: the tree is what the checkpoint says, so it may be cosigned.
        turns: renewals of the appliance's keys among the new leaves.
    """

    leaves: tuple[NewLeaf, ...]
    details: tuple[OpenedDetail, ...]
    tree: Tree
    complete: bool
    turns: tuple[KeyTurn, ...] = ()


def read_batch(body: bytes) -> EvidenceBatch[Arrived]:
    """Read a request's body, or raise `MalformedError` naming the member."""
    return EvidenceBatch[Arrived].from_bytes(body, "evidence", size_bytes_max=BATCH_BYTES_MAX)


def open_shown(mirror: Mirror, batch: EvidenceBatch[Arrived]) -> Shown:
    """Verify the checkpoint: from here on the batch is known to come from the appliance.

    Raises:
        SignatureError: the appliance has not signed it.
        MalformedError: it is no checkpoint of this log.
        CheckpointRefusedError: it is smaller than the leaves sent with it.
    """
    opened = note.open_checkpoint(
        batch.checkpoint.encode("utf-8"), origin=mirror.origin, log_keys=(mirror.keys.current,)
    )
    shown = Shown(batch, opened.checkpoint)
    if shown.checkpoint.extensions:
        msg = "evidence.checkpoint: has extension lines; ours has none"
        raise CheckpointRefusedError(msg)
    if shown.end > shown.checkpoint.size:
        msg = f"evidence.checkpoint: of {shown.checkpoint.size} leaves, but {shown.end} are sent"
        raise CheckpointRefusedError(msg)
    return shown


def accept(mirror: Mirror, shown: Shown, held: Held) -> Accepted:
    """Return what a batch adds to the mirror; nothing, for what is there already or has a gap.

    Raises:
        RejectedError: one of the rules of this module is broken; its code says which.
    """
    judging = accept_in_steps(mirror, shown, held)
    while True:
        try:
            next(judging)
        except StopIteration as ended:
            accepted: Accepted = ended.value
            return accepted


def accept_in_steps(mirror: Mirror, shown: Shown, held: Held) -> Generator[None, None, Accepted]:
    """Do what `accept` does, yielding after every few leaves and details.

    Verifying a whole batch takes a fifth of a second: whoever has others to serve does so between
    two steps. Nothing is told before the end, so nothing can be taken by halves.
    """
    _hold_against(mirror, shown, held)
    batch, size = shown.batch, mirror.tree.size
    if batch.first > size:
        return Accepted((), (), mirror.tree, complete=False)
    there = _same_as_held(batch, held.hashes[: size - batch.first])
    keys = mirror.keys
    sent: dict[int, Leaf] = {}
    new: list[NewLeaf] = []
    for place, text in enumerate(batch.leaves):
        index = batch.first + place
        if place % LEAVES_A_STEP == LEAVES_A_STEP - 1:
            yield
        if place < there and not batch.details:
            continue
        taken = _open_leaf(mirror, keys, index=index, text=text)
        keys = _after(keys, taken)
        sent[index] = taken.leaf
        if place >= there:
            new.append(taken)
    tree = mirror.tree.extend(one.hash for one in new)
    complete = tree.size == shown.checkpoint.size
    if complete and tree.root != shown.checkpoint.root:
        msg = f"evidence.checkpoint: the {tree.size} leaves lead to another root"
        raise (CheckpointRefusedError if new else ForkError)(msg)
    details: list[OpenedDetail] = []
    for place, one in enumerate(batch.details):
        if place % DETAILS_A_STEP == DETAILS_A_STEP - 1:
            yield
        details.append(_open_detail(one, sent, place))
    return Accepted(tuple(new), tuple(details), tree, complete=complete, turns=_turns(new))


def _hold_against(mirror: Mirror, shown: Shown, held: Held) -> None:
    size = shown.checkpoint.size
    if held.root is not None and held.root != shown.checkpoint.root:
        msg = f"evidence.checkpoint: a second root at {size} leaves"
        raise ForkError(msg)
    if size < mirror.tree.size:
        msg = f"evidence.checkpoint: {size} leaves, the hub holds {mirror.tree.size}"
        raise RollbackError(msg)


def _same_as_held(batch: EvidenceBatch[Arrived], hashes: Sequence[bytes]) -> int:
    """Return how many of the batch's leaves the hub holds; they must be the same ones."""
    for place, (text, known) in enumerate(zip(batch.leaves, hashes, strict=False)):
        if merkle.leaf_hash(text.encode("utf-8")) != known:
            msg = f"evidence.leaves.{place}: leaf {batch.first + place} is held with other bytes"
            raise ForkError(msg)
    return min(len(batch.leaves), len(hashes))


def _open_leaf(mirror: Mirror, keys: KeyHistory, *, index: int, text: str) -> NewLeaf:
    data = text.encode("utf-8")
    where = f"leaf {index}"
    try:
        leaf = keys.open(data, index)
    except RejectedError as error:
        msg = f"{where}: {error}"
        raise LeafRefusedError(msg) from error
    if (leaf.site, leaf.appliance) != (mirror.site, mirror.appliance):
        msg = f"{where}: of {leaf.site} {leaf.appliance}, in {mirror.appliance}'s log"
        raise LeafRefusedError(msg)
    if leaf.seq != index:
        msg = f"{where}: says that it is leaf {leaf.seq}"
        raise LeafRefusedError(msg)
    return NewLeaf(index, data, merkle.leaf_hash(data), leaf)


def _after(keys: KeyHistory, taken: NewLeaf) -> KeyHistory:
    """Return who signs what follows a leaf, or raise `LeafRefusedError`."""
    try:
        return keys.after(taken.index, taken.leaf)
    except RejectedError as error:
        msg = f"leaf {taken.index}: {error}"
        raise LeafRefusedError(msg) from error


def _turns(new: Sequence[NewLeaf]) -> tuple[KeyTurn, ...]:
    return tuple(
        KeyTurn(
            one.index,
            PublicKey.from_b64(one.leaf.ed25519),
            SealingPublicKey.from_b64(one.leaf.x25519),
        )
        for one in new
        if isinstance(one.leaf, KeysLeaf)
    )


def _open_detail(detail: Detail[Arrived], sent: Mapping[int, Leaf], place: int) -> OpenedDetail:
    where = f"evidence.details.{place}"
    leaf = sent.get(detail.leaf)
    wanted = commits_of(leaf).get(detail.part) if leaf is not None else None
    if leaf is None or wanted is None:
        msg = f"{where}: no leaf sent commits to {detail.part} of leaf {detail.leaf}"
        raise DetailMismatchError(msg)
    salt = b64_decode(detail.salt, f"{where}.salt", length=SALT_BYTES)
    raw = detail.detail.unlooked().encode("utf-8")
    if b64_encode(commit(salt, raw)) != wanted:
        msg = f"{where}: is not what leaf {detail.leaf} commits to as {detail.part}"
        raise DetailMismatchError(msg)
    _check_closed(raw, where)
    check = check_of(leaf, detail.part)
    return OpenedDetail(detail.leaf, detail.part, check, salt, detail.detail)


def _check_closed(raw: bytes, where: str) -> None:
    """Refuse a detail that is not one flat object of bool, integer or text."""
    value = strict_json.loads(raw, size_bytes_max=DETAIL_BYTES_MAX, depth_max=1, where=where)
    if not isinstance(value, dict) or any(one is None for one in value.values()):
        msg = f"{where}: must be an object of bool, integer or text"
        raise MalformedError(msg)


def digest(body: bytes) -> bytes:
    """Return the SHA-256 by which a refused body is recognised."""
    return hashlib.sha256(body).digest()
