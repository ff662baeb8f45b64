"""The order log of a site, as each of its appliances mirrors it: whole, and only forward.

The hub appends and signs checkpoints; an appliance takes every leaf in order, hashes them itself
and compares. So nothing can be left out, put in before, or shown to one appliance and not to
another without the two roots differing. Refusals, each with its code:

- `log_form`: no batch, or no checkpoint of this log;
- `log_signature`: no log key that counts signed the checkpoint;
- `log_shrunk`: the checkpoint is of fewer leaves than were seen;
- `log_gap`: leaves before the batch are missing, or the batch passes its own checkpoint;
- `log_fork`: the leaves do not lead to the signed root.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

from proto import note
from proto.errors import IntegrityError, MalformedError, SignatureError
from proto.keys import PublicKey
from proto.merkle import ProofError, Tree, leaf_hash, verify_consistency
from proto.note import Checkpoint

BATCH_LEAVES_MAX: Final = 256
EMPTY: Final = Tree()


class OrderLogError(IntegrityError):
    """The hub's order log does not go on from what this appliance holds."""

    code: ClassVar[str] = "log_form"


class LogSignatureError(OrderLogError):
    """The checkpoint is not signed by a log key that counts."""

    code = "log_signature"


class LogShrunkError(OrderLogError):
    """Shorter than it was: the hub lost leaves, and must get them back from its sites."""

    code = "log_shrunk"


class LogGapError(OrderLogError):
    """Leaves are missing, or there are more than the checkpoint covers."""

    code = "log_gap"


class LogForkError(OrderLogError):
    """Another history than the one that was seen."""

    code = "log_fork"


@dataclass(frozen=True, slots=True)
class Batch:
    """Leaves `first` and on, a checkpoint, and the proof from the last of them to it.

    Attributes:
        leaves: envelopes exactly as logged.
        checkpoint: a signed note of at least `first + len(leaves)` leaves.
        proof: the consistency proof from `first + len(leaves)` to the checkpoint; empty when equal.
    """

    first: int
    leaves: tuple[bytes, ...]
    checkpoint: bytes
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Mirror:
    """A site's order log as an appliance holds it.

    Attributes:
        tree: over all its leaves; its root is under a signed head.
        head: a verified head of the log; one that is ahead of the leaves binds what must follow.
    """

    origin: str
    tree: Tree = EMPTY
    head: Checkpoint | None = None


def origin_of(hub: str, site: str) -> str:
    """Return the origin line of a site's order log, `<hub>/site/<id>/orders`; `hub` is its host."""
    return f"{hub}/site/{site}/orders"


def follow(mirror: Mirror, batch: Batch, *, log_keys: Collection[PublicKey]) -> Mirror:
    """Return the mirror with the batch's new leaves, all of which lead to the signed root.

    Leaves that the mirror has are passed over, so a batch may be sent twice.

    Raises:
        OrderLogError: one of this module's refusals; `code` says which.
    """
    checkpoint = _open(batch.checkpoint, mirror.origin, log_keys)
    _check_sizes(mirror, batch, checkpoint)
    new = batch.leaves[mirror.tree.size - batch.first :]
    hashes = [leaf_hash(leaf) for leaf in new]
    tree = mirror.tree.extend(hashes)
    try:
        verify_consistency(
            batch.proof,
            old=tree.size,
            new=checkpoint.size,
            old_root=tree.root,
            new_root=checkpoint.root,
        )
    except ProofError as error:
        raise LogForkError(*error.args) from None
    head = _head_after(mirror, hashes, checkpoint)
    return Mirror(mirror.origin, tree, head)


def _head_after(mirror: Mirror, hashes: list[bytes], checkpoint: Checkpoint) -> Checkpoint:
    """Return the head to hold: one that is ahead of the leaves stays until they reach it."""
    held = mirror.head
    if held is None or held.size < mirror.tree.size:
        return checkpoint
    to_held = held.size - mirror.tree.size
    is_reached = to_held <= len(hashes)
    is_same = held.size != checkpoint.size or held.root == checkpoint.root
    if is_reached:
        is_same = is_same and mirror.tree.extend(hashes[:to_held]).root == held.root
    if not is_same:
        msg = f"two roots for one order log of {held.size} leaves"
        raise LogForkError(msg)
    return checkpoint if is_reached else held


def _open(data: bytes, origin: str, log_keys: Collection[PublicKey]) -> Checkpoint:
    try:
        return note.open_checkpoint(data, origin=origin, log_keys=log_keys).checkpoint
    except MalformedError as error:
        raise OrderLogError(*error.args) from None
    except SignatureError as error:
        raise LogSignatureError(*error.args) from None


def _check_sizes(mirror: Mirror, batch: Batch, checkpoint: Checkpoint) -> None:
    held, end = mirror.tree.size, batch.first + len(batch.leaves)
    seen = max(held, mirror.head.size if mirror.head else 0)
    if len(batch.leaves) > BATCH_LEAVES_MAX or batch.first < 0:
        msg = f"a batch of {len(batch.leaves)} leaves, at most {BATCH_LEAVES_MAX} are allowed"
        raise OrderLogError(msg)
    if checkpoint.size < seen:
        msg = f"the order log has {checkpoint.size} leaves, {seen} were seen"
        raise LogShrunkError(msg)
    if batch.first > held or end < held:
        msg = f"leaves {batch.first} to {end} do not go on from leaf {held}"
        raise LogGapError(msg)
    if end > checkpoint.size:
        msg = f"leaves up to {end}, the checkpoint covers {checkpoint.size}"
        raise LogGapError(msg)
