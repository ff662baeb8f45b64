"""Verifying the evidence log: whoever changes the store, with or without keys, is found."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from appliance.core.records import Author, health_draft
from appliance.store import evidence
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from appliance.store.proof import verify
from proto import merkle, note
from proto.envelope import Kind, sign
from proto.errors import IntegrityError
from proto.ids import ApplianceId
from proto.keys import SEED_BYTES, SigningKey
from proto.note import Algorithm, NoteKey
from tests.fakes.clock import SeededEntropy
from tests.unit.core_values import NOW_MS, SITE

ENTROPY = SeededEntropy(5)
KEY, HUB, THIEF = (SigningKey(ENTROPY(SEED_BYTES)) for _ in range(3))
HUB_NAME = "hub.example"
SCRIBE = Scribe(SITE, ApplianceId("a-aaaaaaaaaa"), "hub.example/log", KEY)
AUTHOR = Author(SITE, SCRIBE.appliance, NOW_MS, salts=ENTROPY)
COSIGNERS = (NoteKey(HUB_NAME, HUB.public, Algorithm.COSIGNATURE),)
LEAVES = 6


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A log of six leaves, of which the hub acknowledged and co-signed the first four."""
    opened = await Store.open(tmp_path / "appliance.db", now_ms=1)
    async with opened.write() as conn:
        await append(conn, 4)
        signed = evidence.Cosigned(await cosigned(conn), 4)
        await evidence.acknowledge(conn, 4, cosigned=signed)
        await append(conn, 2)
    yield opened
    await opened.close()


async def append(conn: aiosqlite.Connection, count: int, *, scribe: Scribe = SCRIBE) -> None:
    drafts = [health_draft(AUTHOR, "disk_low", ok=bool(number % 2)) for number in range(count)]
    await evidence.append(conn, scribe, drafts)


async def cosigned(
    conn: aiosqlite.Connection, *, key: SigningKey = KEY, hub: SigningKey = HUB
) -> str:
    """The log's head as the hub co-signs it."""
    tree = (await evidence.head(conn)).tree
    checkpoint = note.Checkpoint(origin=SCRIBE.origin, size=tree.size, root=tree.root)
    signed = note.parse(note.sign_checkpoint(checkpoint, signer=key))
    return signed.with_signature(
        note.cosign(checkpoint, name=HUB_NAME, signer=hub, time_s=NOW_MS // 1000)
    ).decode()


async def rewrite(conn: aiosqlite.Connection, index: int, leaf: bytes) -> None:
    """Put a leaf in another's place and make hashes and head agree with it, as a thief would."""
    await conn.execute(
        "UPDATE evidence SET leaf = ?, hash = ? WHERE idx = ?",
        (leaf, merkle.leaf_hash(leaf), index),
    )
    await recompute(conn)


async def recompute(conn: aiosqlite.Connection) -> None:
    rows = await conn.execute_fetchall("SELECT hash FROM evidence ORDER BY idx")
    tree = merkle.Tree().extend(row["hash"] for row in rows)
    await conn.execute(
        "UPDATE evidence_head SET size = ?, acked_size = min(acked_size, ?), peaks = ?",
        (tree.size, tree.size, b"".join(tree.peaks)),
    )


async def stored(conn: aiosqlite.Connection, index: int) -> bytes:
    rows = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE idx = ?", (index,))
    return next(bytes(row["leaf"]) for row in rows)


def statement(index: int, key: SigningKey, *, author: Author = AUTHOR) -> bytes:
    leaf = health_draft(author, "disk_full", ok=True).leaf(index)
    return sign(Kind.EVIDENCE, leaf.to_bytes(), key)


async def found_out(store: Store, says: str, *, cosigners: tuple[NoteKey, ...] = COSIGNERS) -> None:
    async with store.read() as conn:
        with pytest.raises(IntegrityError, match=says):
            await verify(conn, SCRIBE, cosigners=cosigners)


async def test_a_log_as_it_was_written_adds_up(store: Store) -> None:
    async with store.read() as conn:
        assert await verify(conn, SCRIBE, cosigners=COSIGNERS) == LEAVES


async def test_a_log_without_a_leaf_or_a_hub_adds_up(tmp_path: Path) -> None:
    opened = await Store.open(tmp_path / "new.db", now_ms=1)
    async with opened.read() as conn:
        assert await verify(conn, SCRIBE, cosigners=COSIGNERS) == 0
    await opened.close()


async def test_a_leaf_of_another_key_is_found_though_every_hash_agrees(store: Store) -> None:
    async with store.write() as conn:
        await rewrite(conn, 5, statement(5, THIEF))
    await found_out(store, "leaf 5 is not what this appliance signed")


async def test_a_leaf_in_anothers_place_is_found_though_every_hash_agrees(store: Store) -> None:
    async with store.write() as conn:
        await rewrite(conn, 5, await stored(conn, 4))
    await found_out(store, "leaf 5 is leaf 4 of")


async def test_a_leaf_of_another_appliance_is_found(store: Store) -> None:
    other = Author(SITE, ApplianceId("a-bbbbbbbbbb"), NOW_MS, salts=ENTROPY)
    async with store.write() as conn:
        await rewrite(conn, 5, statement(5, KEY, author=other))
    await found_out(store, "a-bbbbbbbbbb")


async def test_bytes_that_are_no_statement_are_found(store: Store) -> None:
    async with store.write() as conn:
        await rewrite(conn, 5, b"{}")
    await found_out(store, "leaf 5 is not what")


async def test_a_past_that_was_signed_anew_is_not_the_one_that_the_hub_cosigned(
    store: Store,
) -> None:
    async with store.write() as conn:
        await rewrite(conn, 2, statement(2, KEY))
    await found_out(store, "first 4 leaves of evidence are not those")


async def test_a_log_that_was_cut_is_shorter_than_what_the_hub_cosigned(store: Store) -> None:
    async with store.write() as conn:
        await conn.execute("DELETE FROM evidence WHERE idx >= 3")
        await recompute(conn)
    await found_out(store, "co-signed 4 leaves of evidence, and 3 are here")


async def test_what_the_hub_does_not_hold_may_not_be_gone(store: Store) -> None:
    async with store.write() as conn:
        await conn.execute("UPDATE evidence SET leaf = NULL WHERE idx = 1")
    async with store.read() as conn:
        assert await verify(conn, SCRIBE, cosigners=COSIGNERS) == LEAVES
    async with store.write() as conn:
        await conn.execute("UPDATE evidence SET leaf = NULL WHERE idx = 4")
    await found_out(store, "leaf 4 is gone, and the hub does not hold it")


async def test_a_cosignature_of_somebody_else_is_none(store: Store) -> None:
    async with store.write() as conn:
        text = await cosigned(conn, hub=THIEF)
        await conn.execute("UPDATE evidence_head SET cosigned = ?", (text,))
    await found_out(store, "does not verify|by no key of this hub")
    async with store.write() as conn:
        text = await cosigned(conn, key=THIEF)
        await conn.execute("UPDATE evidence_head SET cosigned = ?", (text,))
    await found_out(store, "does not verify")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE evidence SET leaf = x'00' WHERE idx = 2", "leaf 2 was changed"),
        ("DELETE FROM evidence WHERE idx = 1", "leaf 1 is missing"),
        ("UPDATE evidence SET hash = zeroblob(32), leaf = NULL WHERE idx = 0", "first 4 leaves"),
        ("DELETE FROM evidence WHERE idx = 5", "head"),
        ("UPDATE evidence_head SET size = 5, acked_size = 4", "head"),
        ("UPDATE evidence_head SET cosigned = 'hub.example/log'", "does not verify"),
    ],
)
async def test_damage_is_found_and_named(store: Store, damage: str, says: str) -> None:
    async with store.write() as conn:
        await conn.execute(damage)
    await found_out(store, says)
