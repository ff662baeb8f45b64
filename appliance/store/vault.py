"""The vault: what each token stands for, on this device only.

A token's six characters are random, because 45 CFR 164.514(c) wants codes that are not derived from
the person. The value lies sealed under the appliance's key. It is found again by an HMAC of its
class and its normalised form, under a key of the index's own, which lies sealed too: who has the
file alone can neither read a value nor try guesses.

Scrubbing waits for nothing, so a new token is known in memory at once and stored with the next
transaction, whatever that transaction is for (`Store.carry`): no committed row can hold a token
whose value is not committed. Who sends text that was never stored awaits `Vault.settle` first. So a
token that left can be revealed after a kill at any point.

The newest `TOKENS_MAX` values are kept, of at most `SEALED_BYTES_MAX` in all; the oldest go first.
"""

import hmac
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self
from unicodedata import normalize

import aiosqlite

from appliance.ports import Entropy, Sealer
from appliance.store.db import Store
from proto.errors import NotFoundError
from proto.phi import tokens
from proto.phi.values import Kind
from proto.secret import Secret

TOKENS_MAX = 200_000
SEALED_BYTES_MAX = 64 << 20
VALUE_CHARS_MAX = 1_024
"""Of a longer value its beginning is kept, and how long it was."""

WAITING_MAX = 10_000
"""Values that may wait to be stored; a disk that is full for hours does not fill the memory."""

PRUNED_MAX = 2_000
KEY_BYTES = 32
LOOKUP_BYTES = 16
_MEMORY_BYTES = 8
_BODY_BITS = 5 * tokens.BODY_CHARS
_KINDS = tuple(Kind)
_ORDINALS = {kind: place for place, kind in enumerate(_KINDS)}
_INDEX_CONTEXT = "vault index"


@dataclass(frozen=True, slots=True)
class _Row:
    """A value that waits to be stored."""

    kind: Kind
    body: str
    lookup: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored value, without the value."""

    seq: int
    lookup: bytes
    size_bytes: int


class _Known:
    """Which values have which token: sorted arrays, 20 bytes a value."""

    def __init__(self) -> None:
        self.lookups = array("Q")
        self.bodies = array("I")
        self.tokens = array("Q")

    def body(self, lookup: int) -> int | None:
        """Return the number of a value's body."""
        at = bisect_left(self.lookups, lookup)
        found = at < len(self.lookups) and self.lookups[at] == lookup
        return self.bodies[at] if found else None

    def has(self, kind: Kind, body: int) -> bool:
        """Whether this token was given."""
        return _holds(self.tokens, _packed(kind, body))

    def is_taken(self, body: int) -> bool:
        """Whether a token of any class has this body."""
        at = bisect_left(self.tokens, body << 5)
        return at < len(self.tokens) and self.tokens[at] >> 5 == body

    def add(self, kind: Kind, body: int, lookup: int) -> None:
        """Remember a new token."""
        at = bisect_left(self.lookups, lookup)
        self.lookups.insert(at, lookup)
        self.bodies.insert(at, body)
        token = _packed(kind, body)
        self.tokens.insert(bisect_left(self.tokens, token), token)

    def drop(self, lookups: set[int]) -> None:
        """Forget values."""
        kept = [at for at, lookup in enumerate(self.lookups) if lookup not in lookups]
        gone = {self.bodies[at] for at, one in enumerate(self.lookups) if one in lookups}
        self.lookups = array("Q", (self.lookups[at] for at in kept))
        self.bodies = array("I", (self.bodies[at] for at in kept))
        self.tokens = array("Q", (token for token in self.tokens if token >> 5 not in gone))


class Vault:
    """`proto.phi.TokenVault` over the store's table; see the module for what it promises."""

    def __init__(self, store: Store, sealer: Sealer, entropy: Entropy, *, key: Secret) -> None:
        """Begin empty; `Vault.open` reads what is stored."""
        self._store = store
        self._sealer = sealer
        self._entropy = entropy
        self._key = key
        self._known = _Known()
        self._waiting: list[_Row] = []
        self._bytes = 0
        self._lock = threading.Lock()

    @classmethod
    async def open(cls, store: Store, sealer: Sealer, entropy: Entropy) -> Self:
        """Read the index into memory, making its key on first use, and ride with every write.

        Raises:
            IntegrityError: the index's key does not open with the appliance's key.
        """
        vault = cls(store, sealer, entropy, key=await _index_key(store, sealer, entropy))
        async with store.read() as conn:
            await vault._load(conn)
        store.carry(vault)
        return vault

    def body(self, kind: Kind, value: str, /) -> str:
        """Return the six characters that stand for a value, new ones for a new value."""
        lookup = self._lookup(kind, value)
        short = int.from_bytes(lookup[:_MEMORY_BYTES], "big")
        with self._lock:
            found = self._known.body(short)
            if found is not None:
                return _text(found)
            body = self._new_body()
            text = _text(body)
            sealed = self._sealer.seal(Secret(_bounded(value)), context=_context(kind, text))
            self._known.add(kind, body, short)
            self._waiting.append(_Row(kind, text, lookup, sealed))
            return text

    def knows(self, token: str, /) -> bool:
        """Whether a whole token, brackets and all, was given out here and is still kept."""
        if not tokens.is_token(token):
            return False
        kind, body = tokens.kind_of(token), token[-2 - tokens.BODY_CHARS : -2]
        with self._lock:
            return self._known.has(kind, _number(body))

    def __len__(self) -> int:
        """Count the values kept, those that wait included."""
        return len(self._known.lookups)

    @property
    def is_full(self) -> bool:
        """Whether so much waits to be stored that nothing more may."""
        return len(self._waiting) >= WAITING_MAX

    @property
    def is_settled(self) -> bool:
        """Whether every token given is stored."""
        return not self._waiting

    def derived_key(self, purpose: str) -> Secret:
        """Return a key for something else that is to last as long as the vault, 32 bytes."""
        return Secret(hmac.digest(self._key.reveal_bytes(), f"key {purpose}".encode(), "sha256"))

    async def settle(self) -> None:
        """Store what waits: afterwards every token given before the call survives a kill.

        Raises:
            NoRoomError: the disk is full; the text must wait.
        """
        if self._waiting:
            async with self._store.write():
                pass  # what waits rides along

    async def board(self, conn: aiosqlite.Connection) -> Callable[[], None]:
        """Write what waits in this transaction; see `store.db.Rider`."""
        with self._lock:
            rows = list(self._waiting)
        if not rows:
            return _nothing
        # A value that an earlier try stored without hearing so is there already.
        await conn.executemany(
            "INSERT OR IGNORE INTO vault (kind, body, lookup, sealed) VALUES (?, ?, ?, ?)",
            [(row.kind, row.body, row.lookup, row.sealed) for row in rows],
        )
        added = sum(len(row.sealed) for row in rows)
        gone, freed = await self._make_room(conn, added)

        def landed() -> None:
            with self._lock:
                del self._waiting[: len(rows)]
                self._bytes += added - freed
                if gone:
                    self._known.drop(gone)

        return landed

    async def reveal(self, token: str) -> Secret:
        """Return what a token stands for; who asks must have logged it.

        Raises:
            NotFoundError: it is no token, or this vault never gave it, or has forgotten it.
            IntegrityError: the stored value does not open.
        """
        await self.settle()
        if self.knows(token):
            kind, body = tokens.kind_of(token), token[-2 - tokens.BODY_CHARS : -2]
            async with self._store.read() as conn:
                rows = await conn.execute_fetchall(
                    "SELECT sealed FROM vault WHERE body = ? AND kind = ?", (body, kind)
                )
            for row in rows:
                return self._sealer.open(row["sealed"], context=_context(kind, body))
        msg = f"{token!a:.40}: this appliance gave no such token, or has forgotten it"
        raise NotFoundError(msg)

    async def belonging(self, belongs: Callable[[Kind, str], bool]) -> list[Stored]:
        """Return the stored values for which this holds; the writer is not kept waiting meanwhile.

        What waits to be stored is stored first.

        Raises:
            IntegrityError: a stored value does not open.
        """
        await self.settle()
        found: list[Stored] = []
        query = "SELECT seq, kind, body, lookup, sealed FROM vault"
        async with self._store.read() as conn, conn.execute(query) as rows:
            async for row in rows:
                kind = Kind(row["kind"])
                value = self._sealer.open(row["sealed"], context=_context(kind, row["body"]))
                if belongs(kind, value.reveal()):
                    found.append(Stored(row["seq"], row["lookup"], len(row["sealed"])))
        return found

    async def forget(
        self, conn: aiosqlite.Connection, gone: Sequence[Stored]
    ) -> Callable[[], None]:
        """Delete stored values in the caller's transaction; return what to call once committed."""
        # What is deleted is overwritten, not only left to be used again.
        await conn.execute("PRAGMA secure_delete = ON")
        await conn.executemany("DELETE FROM vault WHERE seq = ?", [(one.seq,) for one in gone])

        def landed() -> None:
            with self._lock:
                self._known.drop({_short(one.lookup) for one in gone})
                self._bytes -= sum(one.size_bytes for one in gone)

        return landed

    async def _load(self, conn: aiosqlite.Connection) -> None:
        known = self._known
        query = "SELECT kind, body, lookup, length(sealed) AS size FROM vault ORDER BY lookup"
        packed: list[int] = []
        async with conn.execute(query) as rows:
            async for row in rows:
                body = _number(row["body"])
                known.lookups.append(_short(row["lookup"]))
                known.bodies.append(body)
                packed.append(_packed(Kind(row["kind"]), body))
                self._bytes += row["size"]
        known.tokens = array("Q", sorted(packed))

    async def _make_room(self, conn: aiosqlite.Connection, added: int) -> tuple[set[int], int]:
        """Delete the oldest values when there are too many; return which, and their bytes."""
        if len(self) <= TOKENS_MAX and self._bytes + added <= SEALED_BYTES_MAX:
            return set(), 0
        rows = list(
            await conn.execute_fetchall(
                "DELETE FROM vault WHERE seq IN (SELECT seq FROM vault ORDER BY seq LIMIT ?)"
                " RETURNING lookup, length(sealed) AS size",
                (max(PRUNED_MAX, len(self) - TOKENS_MAX),),
            )
        )
        return {_short(row["lookup"]) for row in rows}, sum(row["size"] for row in rows)

    def _lookup(self, kind: Kind, value: str) -> bytes:
        said = f"{kind.value}\0{normalised(value)}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key.reveal_bytes(), said, "sha256")[:LOOKUP_BYTES]

    def _new_body(self) -> int:
        while True:  # at most TOKENS_MAX of 2^30 are taken
            body = int.from_bytes(self._entropy(4), "big") >> (32 - _BODY_BITS)
            if not self._known.is_taken(body):
                return body


def normalised(value: str) -> str:
    """Return the form in which equal values are equal: case, width and blanks do not count."""
    return " ".join(normalize("NFKC", value).casefold().split())


def _letters(number: int) -> Iterator[str]:
    """Yield the base32 characters of a body's number."""
    for place in reversed(range(tokens.BODY_CHARS)):
        yield tokens.ALPHABET[number >> (5 * place) & 31]


def _text(number: int) -> str:
    return "".join(_letters(number))


def _number(body: str) -> int:
    number = 0
    for character in body:
        number = number << 5 | tokens.ALPHABET.index(character)
    return number


def _packed(kind: Kind, body: int) -> int:
    return body << 5 | _ORDINALS[kind]


def _short(lookup: bytes) -> int:
    return int.from_bytes(lookup[:_MEMORY_BYTES], "big")


def _holds(ordered: "array[int]", wanted: int) -> bool:
    at = bisect_left(ordered, wanted)
    return at < len(ordered) and ordered[at] == wanted


def _context(kind: Kind, body: str) -> str:
    return f"vault {kind.value} {body}"


def _bounded(value: str) -> bytes:
    if len(value) > VALUE_CHARS_MAX:
        value = f"{value[:VALUE_CHARS_MAX]}... ({len(value)} characters)"
    return value.encode("utf-8", "replace")


def _nothing() -> None:
    """Nothing was written."""


async def _index_key(store: Store, sealer: Sealer, entropy: Entropy) -> Secret:
    async with store.read() as conn:
        rows = await conn.execute_fetchall("SELECT sealed FROM vault_key")
    for row in rows:
        return sealer.open(row["sealed"], context=_INDEX_CONTEXT)
    key = Secret(entropy(KEY_BYTES))
    async with store.write() as conn:
        await conn.execute(
            "INSERT INTO vault_key VALUES (1, ?)", (sealer.seal(key, context=_INDEX_CONTEXT),)
        )
    return key
