"""The whole evidence log recomputed, believing no row of it: what `osiris evidence verify` says.

Rules, first failure is the answer:

- leaves lie in their order without a gap, and each has the hash that the tree was made of;
- each leaf that is here is evidence or a receipt that this appliance's own key signed, of this site
  and appliance, with its index as its number: whoever can write to the disk but has not the key
  cannot put a leaf in another's place;
- the key of a leaf is the one that the renewals before it named, each signed with the key before:
  what the table of keys says is borne out by a leaf, or by a co-signed head over one that was
  pruned, and ends with the key that this appliance signs with;
- only what the hub acknowledged may have been pruned to its hash;
- the head is what the leaves lead to;
- the head that the hub co-signed last is one that this log went through: a log that was cut or
  written anew is found even when it was signed anew.
"""

from collections.abc import Collection

import aiosqlite

from appliance.store import evidence, own_keys
from appliance.store.evidence import Head, Scribe
from proto import merkle
from proto.appliance_keys import KeyHistory
from proto.errors import IntegrityError, RejectedError
from proto.evidence import KeysLeaf
from proto.note import Checkpoint, NoteKey, open_checkpoint


async def verify(
    conn: aiosqlite.Connection, scribe: Scribe, *, cosigners: Collection[NoteKey]
) -> int:
    """Recompute the whole kept log and return its size.

    Args:
        conn: one consistent snapshot.
        scribe: whose log it is.
        cosigners: the hub's keys, by which its co-signature is known.

    Raises:
        IntegrityError: a rule of this module is broken; the message names the leaf.
    """
    head = await evidence.head(conn)
    keys = await own_keys.history(conn, scribe.key.public)
    if keys.current != scribe.key.public:
        msg = "the store names another key than the one that this appliance signs with"
        raise IntegrityError(msg)
    cosigned = _cosigned(head, scribe, keys, cosigners)
    tree = merkle.Tree()
    _follow(cosigned, tree)
    async with conn.execute("SELECT idx, leaf, hash FROM evidence ORDER BY idx") as rows:
        async for row in rows:
            if row["idx"] != tree.size:
                msg = f"evidence leaf {tree.size} is missing"
                raise IntegrityError(msg)
            _check(row, head, scribe, keys=keys)
            _check_turn(row, keys, cosigned)
            tree = tree.append(row["hash"])
            _follow(cosigned, tree)
    if tree != head.tree:
        msg = f"the evidence head (size {head.tree.size}) does not follow from {tree.size} leaves"
        raise IntegrityError(msg)
    if cosigned is not None and cosigned.size > tree.size:
        msg = f"the hub co-signed {cosigned.size} leaves of evidence, and {tree.size} are here"
        raise IntegrityError(msg)
    return tree.size


def _cosigned(
    head: Head, scribe: Scribe, keys: KeyHistory, cosigners: Collection[NoteKey]
) -> Checkpoint | None:
    """Return the head that the hub co-signed last, None when it has not yet."""
    if not head.cosigned:
        return None
    try:
        opened = open_checkpoint(
            head.cosigned.encode(),
            origin=scribe.origin,
            log_keys=keys.keys,
            cosigners=cosigners,
        )
    except RejectedError as error:
        msg = f"the kept co-signature of the hub does not verify: {error}"
        raise IntegrityError(msg) from error
    if not opened.cosigned:
        msg = "the kept co-signature is by no key of this hub"
        raise IntegrityError(msg)
    return opened.checkpoint


def _follow(cosigned: Checkpoint | None, tree: merkle.Tree) -> None:
    if cosigned is not None and tree.size == cosigned.size and tree.root != cosigned.root:
        msg = f"the first {tree.size} leaves of evidence are not those that the hub co-signed"
        raise IntegrityError(msg)


def _check(row: aiosqlite.Row, head: Head, scribe: Scribe, *, keys: KeyHistory) -> None:
    index, envelope = row["idx"], row["leaf"]
    if envelope is None:
        if index >= head.acked_size:
            msg = f"evidence leaf {index} is gone, and the hub does not hold it"
            raise IntegrityError(msg)
        return
    if merkle.leaf_hash(envelope) != row["hash"]:
        msg = f"evidence leaf {index} was changed"
        raise IntegrityError(msg)
    try:
        leaf = keys.open(envelope, index)
        is_told = keys.after(index, leaf) == keys
    except RejectedError as error:
        msg = f"evidence leaf {index} is not what this appliance signed: {error}"
        raise IntegrityError(msg) from error
    if (leaf.site, leaf.appliance, leaf.seq) != (scribe.site, scribe.appliance, index):
        msg = f"evidence leaf {index} is leaf {leaf.seq} of {leaf.site} {leaf.appliance}"
        raise IntegrityError(msg)
    if not is_told:
        msg = f"evidence leaf {index} names keys that this appliance does not go on with"
        raise IntegrityError(msg)


def _check_turn(row: aiosqlite.Row, keys: KeyHistory, cosigned: Checkpoint | None) -> None:
    """Hold that a leaf behind which another key is to count is a renewal.

    Where one is here, it was read: `KeyHistory.after` has held it against these keys.
    """
    index, envelope = row["idx"], row["leaf"]
    if index not in {turn.leaf for turn in keys.turns}:
        return
    if envelope is None:
        if cosigned is None or index >= cosigned.size:
            msg = f"evidence leaf {index} is gone, and no co-signed head stands for its keys"
            raise IntegrityError(msg)
    elif not isinstance(keys.open(envelope, index), KeysLeaf):
        msg = f"evidence leaf {index} names no keys, and this appliance goes on with others from it"
        raise IntegrityError(msg)
