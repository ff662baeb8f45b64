"""The site's order log as this appliance mirrors it: every leaf in order, and only forward.

`proto.order_log.follow` decides whether a batch goes on from the mirror; here it is stored, in the
transaction that checks that the mirror is still the one that was followed (compare-and-set). The
hashes of all complete subtrees are kept, so that a leaf's proof and an earlier root cost no reading
of the log.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import aiosqlite

from appliance.core.order_gate.values import Delivery
from proto import merkle
from proto.errors import ConflictError, IntegrityError
from proto.merkle import HASH_BYTES, NodeReader, Tree
from proto.note import Checkpoint
from proto.order import LogPlace
from proto.order_log import Mirror

LEAVES_KEPT = 4096
BYTES_KEPT = 64 * 1024 * 1024
"""Leaves of a hub that writes huge ones are dropped sooner: their hashes stay."""

ASKED_MAX = 1000
"""Nodes in one query."""

_ANY_HASH = bytes(HASH_BYTES)


class MirrorMovedError(ConflictError):
    """The mirror is not the one that the batch was followed from; nothing was stored."""

    code = "mirror_moved"


@dataclass(frozen=True, slots=True)
class Held:
    """The mirror as stored.

    Attributes:
        checkpoint: the newest verified checkpoint as the hub signed it; None before the first.
        enrolled_at: the log's size at the hub's first word of it, at most that of the first
            verified checkpoint; None before either.
        judged: the first leaf that was never judged.
    """

    mirror: Mirror
    checkpoint: bytes | None
    enrolled_at: int | None
    judged: int

    @property
    def place(self) -> LogPlace:
        """The mirrored log's size and root."""
        return LogPlace(self.mirror.tree.size, self.mirror.tree.root)


async def held(conn: aiosqlite.Connection, origin: str) -> Held:
    """Return the mirror of the log of that origin."""
    (row,) = await conn.execute_fetchall("SELECT * FROM order_log")
    peaks: bytes = row["peaks"]
    tree = Tree(
        row["size"],
        tuple(peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES)),
    )
    head = None
    if row["head_size"] is not None:
        head = Checkpoint(origin=origin, size=row["head_size"], root=row["head_root"])
    return Held(Mirror(origin, tree, head), row["checkpoint"], row["enrolled_at"], row["judged"])


async def size(conn: aiosqlite.Connection) -> int:
    """Return how many leaves are mirrored."""
    (row,) = await conn.execute_fetchall("SELECT size FROM order_log")
    return int(row["size"])


async def advance(
    conn: aiosqlite.Connection,
    before: Held,
    after: Mirror,
    *,
    leaves: Sequence[bytes],
    checkpoint: bytes,
    now_ms: int,
) -> None:
    """Store what `follow` made of a batch: `leaves` are those that the mirror lacked.

    Where no check-in came before, all leaves under the first checkpoint are history: they are
    mirrored and not judged. A check-in that told of a longer log than the hub then shows told of
    leaves that are not there: history ends where the log does, else no order would ever be judged.

    Raises:
        MirrorMovedError: the mirror is not `before` any more.
        IntegrityError: these leaves do not lead to `after`.
    """
    first = before.mirror.tree.size
    tree, nodes = before.mirror.tree.extend_listing(merkle.leaf_hash(leaf) for leaf in leaves)
    if tree != after.tree or after.head is None:
        msg = f"order log: {len(leaves)} leaves from {first} on do not lead to the followed mirror"
        raise IntegrityError(msg)
    is_newer = before.checkpoint is None or after.head != before.mirror.head
    await begin(conn, after.head.size)
    await conn.execute(
        "UPDATE order_log SET enrolled_at = min(enrolled_at, ?1), judged = min(judged, ?1)",
        (after.head.size,),
    )
    await _move(
        conn,
        before.mirror.tree,
        tree,
        head=after.head,
        checkpoint=checkpoint if is_newer else before.checkpoint,
    )
    rows = [(first + place, leaf, now_ms) for place, leaf in enumerate(leaves)]
    await conn.executemany("INSERT INTO order_leaves VALUES (?, ?, ?)", rows)
    await conn.executemany(
        "INSERT INTO order_nodes VALUES (?, ?, ?)",
        [(node.level, node.index, node.hash) for node in nodes],
    )


async def begin(conn: aiosqlite.Connection, size: int) -> None:
    """Remember the log's size at the hub's first word of it; leaves before that are never judged.

    That word is the signed head of the first check-in. Later would be too late: the signer waits
    with new orders until this appliance has asked for its log, so the first answer may hold some.
    """
    await conn.execute(
        "UPDATE order_log SET enrolled_at = ?1, judged = ?1 WHERE enrolled_at IS NULL", (size,)
    )


async def _move(
    conn: aiosqlite.Connection,
    before: Tree,
    after: Tree,
    *,
    head: Checkpoint,
    checkpoint: bytes | None,
) -> None:
    cursor = await conn.execute(
        "UPDATE order_log SET size = ?, peaks = ?, head_size = ?, head_root = ?, checkpoint = ?"
        " WHERE size = ? AND peaks = ?",
        (
            after.size,
            b"".join(after.peaks),
            head.size,
            head.root,
            checkpoint,
            before.size,
            b"".join(before.peaks),
        ),
    )
    if cursor.rowcount != 1:
        msg = f"order log: the mirror has moved on from {before.size} leaves"
        raise MirrorMovedError(msg)


async def judged_until(conn: aiosqlite.Connection, index: int) -> None:
    """Remember that every leaf before `index` was judged."""
    await conn.execute("UPDATE order_log SET judged = max(judged, ?)", (index,))


async def leaf_at(conn: aiosqlite.Connection, index: int) -> bytes | None:
    """Return a mirrored leaf; None when its bytes are not kept."""
    rows = await conn.execute_fetchall("SELECT leaf FROM order_leaves WHERE idx = ?", (index,))
    return next((bytes(row["leaf"]) for row in rows), None)


async def leaves_from(
    conn: aiosqlite.Connection, first: int, *, leaves_max: int, bytes_max: int
) -> tuple[bytes, ...]:
    """Return leaves from `first` on without a gap, as many as the bounds allow, to give back."""
    rows = await conn.execute_fetchall(
        "SELECT idx, leaf FROM order_leaves WHERE idx >= ? ORDER BY idx LIMIT ?",
        (first, leaves_max),
    )
    found: list[bytes] = []
    total = 0
    for row in rows:
        total += len(row["leaf"])
        if row["idx"] != first + len(found) or (found and total > bytes_max):
            break
        found.append(bytes(row["leaf"]))
    return tuple(found)


async def deliveries(
    conn: aiosqlite.Connection, indexes: Iterable[int], *, size: int
) -> list[Delivery]:
    """Return these leaves, each with its proof to the mirrored log of `size` leaves, in order.

    A leaf whose bytes are not kept is left out.
    """
    wanted = sorted(set(indexes))
    rows = await conn.execute_fetchall(
        f"SELECT idx, leaf FROM order_leaves WHERE idx IN ({_marks(wanted)}) ORDER BY idx",  # noqa: S608 - question marks
        wanted,
    )
    leaves = {row["idx"]: bytes(row["leaf"]) for row in rows}
    paths = {index: merkle.inclusion_path(index, size) for index in leaves}
    spans = {span for path in paths.values() for span in path}
    nodes = await _nodes(conn, [partial(merkle.span_hash, span) for span in spans])
    hashes = {span: merkle.span_hash(span, nodes) for span in spans}
    return [
        Delivery(leaf, index, tuple(hashes[span] for span in paths[index]))
        for index, leaf in leaves.items()
    ]


async def roots_at(conn: aiosqlite.Connection, sizes: Iterable[int]) -> dict[int, bytes]:
    """Return the roots that the mirrored log had at these sizes, as far as it reached them."""
    (row,) = await conn.execute_fetchall("SELECT size FROM order_log")
    known = sorted({size for size in sizes if size <= row["size"]})
    nodes = await _nodes(conn, [partial(merkle.root_of, size) for size in known])
    return {size: merkle.root_of(size, nodes) for size in known}


async def _nodes(
    conn: aiosqlite.Connection, uses: Iterable[Callable[[NodeReader], object]]
) -> NodeReader:
    """Return a reader of every node that these computations ask for, read in as few queries."""
    asked: set[tuple[int, int]] = set()

    def ask(level: int, index: int) -> bytes:
        asked.add((level, index))
        return _ANY_HASH

    for use in uses:
        use(ask)
    known: dict[tuple[int, int], bytes] = {}
    wanted = sorted(asked)
    for start in range(0, len(wanted), ASKED_MAX):
        some = wanted[start : start + ASKED_MAX]
        rows = await conn.execute_fetchall(
            "SELECT level, idx, hash FROM order_nodes"  # noqa: S608 - question marks
            f" WHERE (level, idx) IN (VALUES {_marks(some, each='(?, ?)')})",
            [one for place in some for one in place],
        )
        known.update({(row["level"], row["idx"]): bytes(row["hash"]) for row in rows})

    def read(level: int, index: int) -> bytes:
        found = known.get((level, index))
        if found is None:
            msg = f"order log: the hash of subtree {index} of level {level} is missing"
            raise IntegrityError(msg)
        return found

    return read


def _marks(values: Sequence[object], *, each: str = "?") -> str:
    return ",".join([each] * len(values))


async def prune(conn: aiosqlite.Connection) -> None:
    """Drop the bytes of old leaves that came to their end; the log's hashes stay."""
    settled = (
        "idx < (SELECT judged FROM order_log) AND idx NOT IN ("
        "SELECT idx FROM orders WHERE state IN ('waiting', 'running'))"
    )
    await conn.execute(
        f"DELETE FROM order_leaves WHERE {settled}"  # noqa: S608 - a constant
        " AND idx < (SELECT size FROM order_log) - ?",
        (LEAVES_KEPT,),
    )
    await conn.execute(
        f"DELETE FROM order_leaves WHERE {settled} AND idx IN (SELECT idx FROM (SELECT idx,"  # noqa: S608 - a constant
        " sum(length(leaf)) OVER (ORDER BY idx DESC) AS total FROM order_leaves) WHERE total > ?)",
        (BYTES_KEPT,),
    )
