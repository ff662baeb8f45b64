"""What the signer keeps: the bodies it built and the order log of every site, in one SQLite file.

A leaf and the tree that has it are one transaction, and a checkpoint is signed only of what was
committed: what was signed and not committed never left the process. The file has one user.

| table | who bounds it |
|---|---|
| drafts | dropped when their time is over |
| logs, leaves | the order log: kept as long as the site |
| said | what the repository was said to hold; the last, and those of the last hour |
| owed, pending | what a site is known to hold and this file lacks; dropped when it is back |
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from typing import Final

from central.core.order_refusals import OrderLogForkError
from central.core.order_signing import logged_body
from central.core.orders import Fixed, OrderLeaf
from proto.errors import IntegrityError
from proto.merkle import HASH_BYTES, Tree, leaf_hash
from proto.order import LogPlace, parse_order
from proto.orders.kinds import Tier

SCHEMA_VERSION: Final = 2
_SAID: Final = """CREATE TABLE said (number INTEGER PRIMARY KEY, at_s INTEGER NOT NULL,
    root INTEGER NOT NULL, snapshot INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    release INTEGER NOT NULL, grants INTEGER NOT NULL, promoted INTEGER NOT NULL) STRICT"""
_SCHEMA: Final = (
    _SAID,
    """CREATE TABLE drafts (sid BLOB PRIMARY KEY, site TEXT NOT NULL, body BLOB NOT NULL,
    tier INTEGER NOT NULL, people INTEGER NOT NULL, iat_s INTEGER NOT NULL,
    exp_s INTEGER NOT NULL) STRICT""",
    """CREATE TABLE logs (site TEXT PRIMARY KEY, size INTEGER NOT NULL,
    peaks BLOB NOT NULL) STRICT""",
    """CREATE TABLE leaves (site TEXT NOT NULL, leaf INTEGER NOT NULL, sid BLOB NOT NULL,
    envelope BLOB NOT NULL, hash BLOB NOT NULL, at_s INTEGER NOT NULL,
    PRIMARY KEY (site, leaf), UNIQUE (site, sid)) STRICT""",
    "CREATE INDEX leaves_at ON leaves (at_s)",
    """CREATE TABLE owed (site TEXT PRIMARY KEY, size INTEGER NOT NULL,
    root BLOB NOT NULL) STRICT""",
    """CREATE TABLE pending (site TEXT NOT NULL, leaf INTEGER NOT NULL, sid BLOB NOT NULL,
    envelope BLOB NOT NULL, PRIMARY KEY (site, leaf)) STRICT""",
)


class LedgerVersionError(IntegrityError):
    """The file was written by a newer signer; an older one must not touch it."""

    code = "schema_ahead"


@dataclass(frozen=True, slots=True)
class Built:
    """A body that the signer built, and whose signatures it waits for."""

    site: str
    fixed: Fixed
    tier: Tier
    people: int


@dataclass(frozen=True, slots=True)
class Current:
    """What the repository was said to hold: versions, 0 for a document that there is not."""

    root: int
    snapshot: int
    timestamp: int
    release: int
    grants: int
    promoted: int


class Ledger:
    """The file. Whoever has it is its only user, and does one thing at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an open connection in autocommit mode and make the tables.

        Raises:
            LedgerVersionError: a newer signer's file.
        """
        self._db = connection
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > SCHEMA_VERSION:
            msg = f"signer.db: is at version {found}, this signer knows {SCHEMA_VERSION}"
            raise LedgerVersionError(msg)
        if found < SCHEMA_VERSION:
            with self._transaction():
                for statement in _SCHEMA if found == 0 else (_SAID,):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with ExitStack() as undo:
            self._db.execute("BEGIN IMMEDIATE")
            undo.callback(self._roll_back)
            yield
            self._db.execute("COMMIT")
            undo.pop_all()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def tree(self, site: str) -> Tree:
        """Return a site's log as it is; empty before the first order."""
        row = self._db.execute("SELECT size, peaks FROM logs WHERE site = ?", (site,)).fetchone()
        if row is None:
            return Tree()
        size, packed = row
        return Tree(
            size,
            tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)),
        )

    def place(self, site: str) -> LogPlace:
        """Return a site's log's size and root."""
        tree = self.tree(site)
        return LogPlace(tree.size, tree.root)

    def hashes(self, site: str, *, upto: int) -> list[bytes]:
        """Return the hashes of a log's first leaves."""
        rows = self._db.execute(
            "SELECT hash FROM leaves WHERE site = ? AND leaf < ? ORDER BY leaf", (site, upto)
        )
        return [digest for (digest,) in rows]

    def leaves(self, site: str, *, first: int, limit: int) -> list[OrderLeaf]:
        """Return leaves in order, from `first` on."""
        rows = self._db.execute(
            "SELECT leaf, sid, envelope, hash FROM leaves WHERE site = ? AND leaf >= ?"
            " ORDER BY leaf LIMIT ?",
            (site, first, limit),
        )
        return [OrderLeaf(*row) for row in rows]

    def leaf_of(self, sid: bytes) -> tuple[str, OrderLeaf] | None:
        """Return where an order stands: the site and the leaf."""
        row = self._db.execute(
            "SELECT site, leaf, sid, envelope, hash FROM leaves WHERE sid = ?", (sid,)
        ).fetchone()
        return None if row is None else (row[0], OrderLeaf(*tuple(row)[1:]))

    def keep_draft(self, built: Built, *, now_s: int) -> None:
        """Keep a body; those whose time is over go."""
        fixed = built.fixed
        with self._transaction():
            self._db.execute("DELETE FROM drafts WHERE exp_s <= ?", (now_s,))
            self._db.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    fixed.sid,
                    built.site,
                    fixed.body,
                    int(built.tier),
                    built.people,
                    fixed.iat_s,
                    fixed.exp_s,
                ),
            )

    def draft(self, sid: bytes) -> Built | None:
        """Return a body that was built here."""
        row = self._db.execute(
            "SELECT site, sid, body, iat_s, exp_s, tier, people FROM drafts WHERE sid = ?", (sid,)
        ).fetchone()
        if row is None:
            return None
        site, name, body, iat_s, exp_s, tier, people = row
        return Built(site, Fixed(name, body, iat_s, exp_s), Tier(tier), people)

    def drafts_since(self, site: str, since_s: int) -> int:
        """Return how many bodies were built for a site since a time."""
        query = "SELECT count(*) FROM drafts WHERE site = ? AND iat_s > ?"
        return int(self._db.execute(query, (site, since_s)).fetchone()[0])

    def logged_since(self, since_s: int, site: str | None = None) -> int:
        """Return how many orders were logged since a time, for one site or in all."""
        query = "SELECT count(*) FROM leaves WHERE at_s > ? AND (? IS NULL OR site = ?)"
        return int(self._db.execute(query, (since_s, site, site)).fetchone()[0])

    def append(self, site: str, *, sid: bytes, envelope: bytes, now_s: int) -> OrderLeaf:
        """Log an order: durable when this returns."""
        with self._transaction():
            tree = self.tree(site)
            leaf = OrderLeaf(tree.size, sid, envelope, leaf_hash(envelope))
            self._extend(site, tree, [(leaf, now_s)])
        return leaf

    def _extend(self, site: str, tree: Tree, new: Sequence[tuple[OrderLeaf, int]]) -> None:
        """Add leaves, each with when it was logged."""
        self._db.executemany(
            "INSERT INTO leaves VALUES (?, ?, ?, ?, ?, ?)",
            [(site, one.index, one.sid, one.envelope, one.hash, at_s) for one, at_s in new],
        )
        after = tree.extend(one.hash for one, _ in new)
        self._db.execute(
            "INSERT OR REPLACE INTO logs VALUES (?, ?, ?)",
            (site, after.size, b"".join(after.peaks)),
        )

    def owed(self, site: str) -> LogPlace | None:
        """Return what the site's log is known to have been, where that is more than is here."""
        row = self._db.execute("SELECT size, root FROM owed WHERE site = ?", (site,)).fetchone()
        return None if row is None else LogPlace(*row)

    def owe(self, site: str, place: LogPlace) -> None:
        """Note that a signed log is longer than what is here; the longest counts."""
        held = self.owed(site)
        if held is None or held.size < place.size:
            with self._transaction():
                self._db.execute(
                    "INSERT OR REPLACE INTO owed VALUES (?, ?, ?)", (site, place.size, place.root)
                )

    def pending(self, site: str) -> int:
        """Return how many lost leaves are back and wait for the rest."""
        query = "SELECT count(*) FROM pending WHERE site = ?"
        return int(self._db.execute(query, (site,)).fetchone()[0])

    def take_back(self, site: str, leaves: Sequence[tuple[bytes, bytes]], *, now_s: int) -> None:
        """Keep leaves (sid, envelope) that follow what is here; all of them make the log again.

        They stand apart until they lead to the root that is owed, and are dropped when they do not.

        Raises:
            OrderLogForkError: they lead elsewhere.
        """
        owed = self.owed(site)
        if owed is None:
            return
        tree = self.tree(site)
        first = tree.size + self.pending(site)
        room = owed.size - first
        with self._transaction():
            self._db.executemany(
                "INSERT INTO pending VALUES (?, ?, ?, ?)",
                [
                    (site, first + place, sid, envelope)
                    for place, (sid, envelope) in enumerate(leaves[:room])
                ],
            )
            if first + len(leaves) < owed.size:
                return
            rows = self._db.execute(
                "SELECT leaf, sid, envelope FROM pending WHERE site = ? ORDER BY leaf", (site,)
            ).fetchall()
            back = [OrderLeaf(at, sid, raw, leaf_hash(raw)) for at, sid, raw in rows]
            self._db.execute("DELETE FROM pending WHERE site = ?", (site,))
            is_same = tree.extend(one.hash for one in back).root == owed.root
            if is_same:
                # When each was logged is lost, but not before it was drafted: of those that come
                # back, the hour's rate counts what is of this hour.
                drafted_s = [parse_order(logged_body(one.envelope)).iat for one in back]
                times = [min(iat_s, now_s) for iat_s in drafted_s]
                self._extend(site, tree, list(zip(back, times, strict=True)))
                self._db.execute("DELETE FROM owed WHERE site = ?", (site,))
        if not is_same:
            msg = f"the leaves given back for {site} do not lead to the signed root of {owed.size}"
            raise OrderLogForkError(msg)

    def said(self) -> Current | None:
        """Return what the repository was last said to hold."""
        row = self._db.execute(
            "SELECT root, snapshot, timestamp, release, grants, promoted FROM said"
            " ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if row is None else Current(*row)

    def said_since(self, since_s: int) -> int:
        """Return how often it was said since a time."""
        query = "SELECT count(*) FROM said WHERE at_s > ?"
        return int(self._db.execute(query, (since_s,)).fetchone()[0])

    def keep_said(self, new: Current, *, now_s: int, drop_upto_s: int) -> None:
        """Note what it is said to hold: durable when this returns, before it is told to anybody."""
        with self._transaction():
            self._db.execute("DELETE FROM said WHERE at_s <= ?", (drop_upto_s,))
            self._db.execute(
                "INSERT INTO said (at_s, root, snapshot, timestamp, release, grants, promoted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (now_s, *astuple(new)),
            )
