"""The evidence log: leaves, their details, the tree over them, and what the hub acknowledged.

A leaf is signed and appended in the transaction that stores what it tells of, so neither can exist
without the other. The sequence number is the leaf's index. The log itself is the outbox: the uplink
sends what lies beyond `acked_size`, so nothing is lost or doubled however often it is sent.

Leaves are kept until the hub acknowledged them, and 90 days; everything else is shed first. What is
left of a pruned leaf is its hash, so that the log still adds up.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosqlite

from appliance.core.records import Draft, Opening
from appliance.store import own_keys
from appliance.store.db import Store
from proto import merkle, note
from proto.appliance_keys import ENROLLED
from proto.envelope import Kind, sign
from proto.errors import ConfigError, IntegrityError
from proto.evidence import Leaf, LeafText, commits_of, leaf_text
from proto.ids import ApplianceId, SiteId
from proto.keys import PublicKey, SigningKey
from proto.phi.leaving import reopened
from proto.receipts import Receipt
from proto.strict_json import b64_decode

KEPT_S = 90 * 86_400
PRUNED_MAX = 2_000
"""Rows dropped in one transaction; more wait for the next."""


@dataclass(slots=True)
class Scribe:
    """Who writes the log: the ids and the key that every leaf carries; `origin` names the log.

    Every part of the program shares one, which goes on with another key in the transaction that
    says so in the log (`handlers/own_keys.py`): what is appended behind it is signed with that key.

    Attributes:
        key: signs now.
        others: further keys of this appliance: former ones, and one that a renewal was to name,
            which was cut off: a hub may have heard of it before this disk was put back.
        named_at: the leaf that named `key`.
        hub_holds: how many leaves the hub said that it holds.
    """

    site: SiteId
    appliance: ApplianceId
    origin: str
    key: SigningKey
    others: tuple[SigningKey, ...] = ()
    named_at: int = ENROLLED
    hub_holds: int = 0

    @property
    def signers(self) -> tuple[SigningKey, ...]:
        """Who signs a request: the others too while the hub may not have heard of `key`."""
        return (self.key,) if self.hub_holds > self.named_at else self.every

    @property
    def every(self) -> tuple[SigningKey, ...]:
        """All keys, the one that signs now first."""
        return (self.key, *self.others)

    def introduce(self) -> bool:
        """Sign with the others too until the hub is heard again; False where nothing changes."""
        before, self.hub_holds = self.signers, ENROLLED
        return len(self.signers) > len(before)

    @asynccontextmanager
    async def turning(self, store: Store) -> AsyncIterator[aiosqlite.Connection]:
        """Give the writer in a transaction that may name another key; undo that when it fails.

        What was before is looked at within the transaction: who waits for one meanwhile, and then
        changes nothing, must not bring back the key that another has just given up.
        """
        before: tuple[SigningKey, tuple[SigningKey, ...], int] | None = None
        try:
            async with store.write() as conn:
                before = (self.key, self.others, self.named_at)
                yield conn
            before = None
        finally:
            if before is not None:
                self.key, self.others, self.named_at = before

    def go_on_with(self, public: PublicKey, *, named_at: int) -> None:
        """Sign with this one of the keys from now on.

        Raises:
            ConfigError: it is none of them.
        """
        found = [one for one in self.every if one.public == public]
        if not found:
            msg = (
                f"the signing key {public.fingerprint()} is not here: put the appliance's keys/"
                " back from the backup that its store is from, or from a later one"
            )
            raise ConfigError(msg)
        self.others = tuple(one for one in self.every if one.public != public)
        self.key, self.named_at = found[0], named_at


@dataclass(frozen=True, slots=True)
class Head:
    """The log's head, how much of it the hub acknowledged, and the head that it co-signed last.

    `cosigned` is the hub's note over the first `cosigned_size` leaves, "" before the first.
    """

    tree: merkle.Tree
    acked_size: int
    cosigned: str
    cosigned_size: int

    @property
    def signed_for(self) -> int:
        """How many leaves the hub holds and has signed for: no other is ever given up here."""
        return min(self.acked_size, self.cosigned_size)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A head that the hub co-signed, verified."""

    note: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf as it may leave, with what opens its commitments."""

    index: int
    envelope: LeafText
    openings: Mapping[str, Opening]


async def head(conn: aiosqlite.Connection) -> Head:
    """Return the log's head."""
    rows = list(await conn.execute_fetchall("SELECT * FROM evidence_head"))
    row = rows[0]
    packed: bytes = row["peaks"]
    size = merkle.HASH_BYTES
    peaks = tuple(packed[start : start + size] for start in range(0, len(packed), size))
    tree = merkle.Tree(row["size"], peaks)
    return Head(tree, row["acked_size"], row["cosigned"], row["cosigned_size"])


async def append(conn: aiosqlite.Connection, scribe: Scribe, drafts: Sequence[Draft]) -> list[int]:
    """Sign drafts, append them in order, and return their indexes."""
    tree = (await head(conn)).tree
    first = tree.size
    rows: list[tuple[object, ...]] = []
    details: list[tuple[object, ...]] = []
    hashes: list[bytes] = []
    for index, draft in enumerate(drafts, first):
        leaf = draft.leaf(index)
        is_receipt = isinstance(leaf, Receipt)
        kind = Kind.RECEIPT if is_receipt else Kind.EVIDENCE
        body = leaf.to_bytes()
        draft.written(body)
        envelope = sign(kind, body, scribe.key)
        target = None if is_receipt else getattr(leaf, "target", None)
        incident = None if is_receipt else getattr(leaf, "incident", None)
        hashes.append(merkle.leaf_hash(envelope))
        rows.append((index, envelope, hashes[-1], leaf.type, leaf.at, target, incident))
        details += [
            (index, part, opening.salt, str(opening.detail).encode())
            for part, opening in draft.openings.items()
        ]
    tree = tree.extend(hashes)
    await conn.executemany("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    if details:
        await conn.executemany("INSERT INTO evidence_details VALUES (?, ?, ?, ?)", details)
    await conn.execute(
        "UPDATE evidence_head SET size = ?, peaks = ?", (tree.size, b"".join(tree.peaks))
    )
    return list(range(first, tree.size))


async def batch(
    conn: aiosqlite.Connection, scribe: Scribe, first: int, *, leaves_max: int, bytes_max: int
) -> list[StoredLeaf]:
    """Return leaves from `first` on, as many as the bounds allow, but at least one if there is.

    None when the leaf `first` itself was pruned.

    Raises:
        IntegrityError: a stored detail is not what its leaf commits to.
        SignatureError: a stored leaf was not signed by this appliance.
    """
    keys = await own_keys.history(conn, scribe.key.public)
    rows = list(
        await conn.execute_fetchall(
            "SELECT idx, leaf FROM evidence WHERE idx >= ? AND leaf IS NOT NULL"
            " ORDER BY idx LIMIT ?",
            (first, leaves_max),
        )
    )
    if rows and rows[0]["idx"] != first:
        return []
    found: list[StoredLeaf] = []
    total = 0
    for row in rows:
        envelope, leaf = leaf_text(row["leaf"], keys.trust(row["idx"]))
        openings = await openings_of(conn, row["idx"], leaf)
        total += len(envelope) + sum(len(o.detail) + 120 for o in openings.values())
        if found and total > bytes_max:
            break
        found.append(StoredLeaf(row["idx"], envelope, openings))
    return found


async def openings_of(conn: aiosqlite.Connection, index: int, leaf: Leaf) -> dict[str, Opening]:
    """Return what opens a leaf's commitments, by part; empty when it was erased.

    Raises:
        IntegrityError: what is stored is not what the leaf commits to.
    """
    rows = await conn.execute_fetchall(
        "SELECT part, salt, detail FROM evidence_details WHERE idx = ? ORDER BY part", (index,)
    )
    commits = commits_of(leaf)
    return {
        row["part"]: Opening(
            row["salt"],
            reopened(
                row["detail"],
                salt=row["salt"],
                commit=b64_decode(commits.get(row["part"], ""), "commit"),
            ),
        )
        for row in rows
    }


async def began_s(conn: aiosqlite.Connection) -> int | None:
    """Return the time of the first leaf, None before there is one."""
    rows = list(await conn.execute_fetchall("SELECT at FROM evidence WHERE idx = 0"))
    return rows[0]["at"] if rows else None


async def newest(conn: aiosqlite.Connection) -> bytes | None:
    """Return the newest leaf that is here as it was signed, None before there is one."""
    rows = await conn.execute_fetchall(
        "SELECT leaf FROM evidence WHERE leaf IS NOT NULL ORDER BY idx DESC LIMIT 1"
    )
    return next((bytes(row["leaf"]) for row in rows), None)


async def withhold_detail(conn: aiosqlite.Connection, index: int, part: str) -> None:
    """Drop a detail that may not leave: its leaf stays, and every proof over it."""
    await conn.execute("DELETE FROM evidence_details WHERE idx = ? AND part = ?", (index, part))


async def root_at(conn: aiosqlite.Connection, size: int) -> bytes:
    """Return the root the log had at an earlier size.

    Raises:
        IntegrityError: the log is smaller.
    """
    rows = list(
        await conn.execute_fetchall("SELECT hash FROM evidence WHERE idx < ? ORDER BY idx", (size,))
    )
    if len(rows) != size:
        msg = f"evidence: {len(rows)} of the first {size} leaves are here"
        raise IntegrityError(msg)
    return merkle.Tree().extend(row["hash"] for row in rows).root


async def signed_checkpoint(conn: aiosqlite.Connection, scribe: Scribe) -> str:
    """Return the log's head as a note that the appliance signed.

    Its former key signs too: the hub may hold less than the leaf that names the present one.
    """
    tree = (await head(conn)).tree
    checkpoint = note.Checkpoint(origin=scribe.origin, size=tree.size, root=tree.root)
    name, text = scribe.origin, checkpoint.as_text()
    lines = tuple(note.sign_text(text, name=name, signer=one) for one in scribe.every)
    return note.assemble(text, lines).decode()


async def acknowledge(conn: aiosqlite.Connection, size: int, *, cosigned: Cosigned | None) -> None:
    """Remember that the hub holds the first `size` leaves, and its signature when it gave one.

    A hub that was restored holds fewer than before. It is believed: what it does not hold now is
    neither pruned nor given up for room here.

    Raises:
        IntegrityError: the hub says it holds leaves that were never written.
    """
    known = (await head(conn)).tree.size
    if size > known:
        msg = f"the hub says it holds {size} leaves of {known}"
        raise IntegrityError(msg)
    await conn.execute("UPDATE evidence_head SET acked_size = ?", (size,))
    if cosigned is not None:
        await conn.execute(
            "UPDATE evidence_head SET cosigned = ?, cosigned_size = ?",
            (cosigned.note, cosigned.size),
        )


async def prune(conn: aiosqlite.Connection, *, now_s: int) -> None:
    """Drop leaves and details that the hub signed for and that are older than 90 days."""
    await forget_details(conn, before_s=now_s - KEPT_S, rows_max=PRUNED_MAX)
    await forget_leaves(conn, before_s=now_s - KEPT_S, rows_max=PRUNED_MAX)


async def forget_details(conn: aiosqlite.Connection, *, before_s: int, rows_max: int) -> int:
    """Drop the oldest details of leaves that the hub signed for; return how many."""
    cursor = await conn.execute(
        "DELETE FROM evidence_details WHERE (idx, part) IN (SELECT d.idx, d.part"
        " FROM evidence_details d JOIN evidence e USING (idx)"
        " WHERE d.idx < ? AND e.at < ? ORDER BY d.idx LIMIT ?)",
        ((await head(conn)).signed_for, before_s, rows_max),
    )
    return cursor.rowcount


async def forget_leaves(conn: aiosqlite.Connection, *, before_s: int, rows_max: int) -> int:
    """Drop the oldest leaves that the hub signed for but for their hashes; return how many.

    The rows are written anew: a row that only shrinks leaves its page half empty for good.
    """
    rows = [
        tuple(row)
        for row in await conn.execute_fetchall(
            "SELECT idx, NULL, hash, type, at, target, incident FROM evidence"
            " WHERE leaf IS NOT NULL AND idx < ? AND at < ? ORDER BY idx LIMIT ?",
            ((await head(conn)).signed_for, before_s, rows_max),
        )
    ]
    await conn.executemany("DELETE FROM evidence WHERE idx = ?", [row[:1] for row in rows])
    await conn.executemany("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return len(rows)
