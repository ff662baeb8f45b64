"""The evidence log: leaf and story in one transaction, a tree that adds up, nothing lost early."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.core.records import Author, health_draft, scan_drafts
from appliance.store import evidence
from appliance.store.db import Store
from appliance.store.evidence import KEPT_S, Scribe
from appliance.store.proof import verify
from proto import merkle, note
from proto.envelope import Kind, open_envelope
from proto.errors import IntegrityError
from proto.evidence import parse_leaf
from proto.ids import ApplianceId
from proto.keys import SEED_BYTES, SigningKey, trust_one
from tests.fakes.clock import SeededEntropy
from tests.unit.core_values import NOW_MS, SITE, TARGET, finding, told

ENTROPY = SeededEntropy(3)
KEY = SigningKey(ENTROPY(SEED_BYTES))
SCRIBE = Scribe(SITE, ApplianceId("a-aaaaaaaaaa"), "hub.example/log", KEY)
AUTHOR = Author(SITE, SCRIBE.appliance, NOW_MS, salts=ENTROPY)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "appliance.db", now_ms=1)
    yield opened
    await opened.close()


async def append(store: Store, count: int, *, author: Author = AUTHOR) -> list[int]:
    """Append a scan and health leaves in turn, one transaction each."""
    found = []
    for number in range(count):
        drafts = (
            scan_drafts(author, TARGET, [told(finding())], since_ms=NOW_MS, full=True)
            if number % 2
            else [health_draft(author, "disk_low", ok=False)]
        )
        async with store.write() as conn:
            found += await evidence.append(conn, SCRIBE, drafts)
    return found


async def leaves(store: Store) -> list[bytes]:
    async with store.read() as conn:
        batch = await evidence.batch(conn, SCRIBE, 0, leaves_max=1000, bytes_max=10**9)
    return [leaf.envelope.encode() for leaf in batch]


async def test_leaves_are_signed_numbered_and_lead_to_the_head(store: Store) -> None:
    assert await append(store, 9) == list(range(9))
    tree = merkle.Tree()
    for index, envelope in enumerate(await leaves(store)):
        opened = open_envelope(
            envelope, kind=Kind.EVIDENCE, trust=trust_one("appliance", KEY.public)
        )
        assert parse_leaf(opened.body).seq == index
        tree = tree.append(merkle.leaf_hash(envelope))
    async with store.read() as conn:
        head = await evidence.head(conn)
        signed = await evidence.signed_checkpoint(conn, SCRIBE)
        assert await verify(conn, SCRIBE, cosigners=()) == 9
        assert (
            await evidence.root_at(conn, 5)
            == merkle.Tree().extend(merkle.leaf_hash(one) for one in (await leaves(store))[:5]).root
        )
    assert (head.tree, head.acked_size, head.cosigned) == (tree, 0, "")
    checkpoint = note.open_checkpoint(
        signed.encode(), origin=SCRIBE.origin, log_keys=(KEY.public,)
    ).checkpoint
    assert (checkpoint.size, checkpoint.root) == (9, tree.root)


async def test_a_transaction_that_fails_leaves_no_leaf_and_no_number_behind(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as conn:
            await evidence.append(conn, SCRIBE, [health_draft(AUTHOR, "disk_low", ok=True)])
            raise ZeroDivisionError

    await append(store, 1)
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await append(store, 1) == [1]
    async with store.read() as conn:
        assert await verify(conn, SCRIBE, cosigners=()) == 2


async def test_a_batch_holds_as_much_as_its_bounds_allow_and_never_nothing(store: Store) -> None:
    await append(store, 6)
    async with store.read() as conn:
        by_count = await evidence.batch(conn, SCRIBE, 1, leaves_max=3, bytes_max=10**9)
        by_size = await evidence.batch(conn, SCRIBE, 2, leaves_max=10, bytes_max=1)
        beyond = await evidence.batch(conn, SCRIBE, 6, leaves_max=10, bytes_max=10**9)
    assert [leaf.index for leaf in by_count] == [1, 2, 3]
    assert [leaf.index for leaf in by_size] == [2]
    assert beyond == []
    assert set(by_count[0].openings) == {"checks.0"}


async def test_what_a_hub_says_it_holds_now_counts_and_its_signature_stays(store: Store) -> None:
    """A restored hub holds fewer than before: the rest must not be given up here meanwhile."""
    await append(store, 4)
    for size, cosigned in ((3, evidence.Cosigned("note", 3)), (1, None)):
        async with store.write() as conn:
            await evidence.acknowledge(conn, size, cosigned=cosigned)
    async with store.read() as conn:
        head = await evidence.head(conn)
    assert (head.acked_size, head.cosigned, head.signed_for) == (1, "note", 1)


async def test_a_hub_cannot_acknowledge_what_was_never_written(store: Store) -> None:
    await append(store, 2)
    with pytest.raises(IntegrityError, match="3 leaves of 2"):
        async with store.write() as conn:
            await evidence.acknowledge(conn, 3, cosigned=None)


async def test_a_leaf_cannot_take_the_place_of_another(store: Store) -> None:
    await append(store, 2)
    with pytest.raises(sqlite3.IntegrityError):
        async with store.write() as conn:
            await conn.execute(
                "INSERT INTO evidence SELECT 1, leaf, hash, type, at, target, incident"
                " FROM evidence WHERE idx = 0"
            )


async def test_nothing_is_shed_while_no_hub_has_signed_for_anything(store: Store) -> None:
    await append(store, 2)
    async with store.write() as conn:
        await evidence.acknowledge(conn, 2, cosigned=None)
        assert await evidence.forget_leaves(conn, before_s=2**53, rows_max=9) == 0
        assert await evidence.forget_details(conn, before_s=2**53, rows_max=9) == 0


async def test_only_old_leaves_that_the_hub_signed_for_are_shed_and_the_log_still_adds_up(
    store: Store,
) -> None:
    now_s = NOW_MS // 1000
    old = Author(SITE, SCRIBE.appliance, NOW_MS - (KEPT_S + 10) * 1000, salts=ENTROPY)
    await append(store, 4, author=old)
    await append(store, 2)
    async with store.write() as conn:
        await evidence.acknowledge(conn, 2, cosigned=evidence.Cosigned("", 2))
        await evidence.acknowledge(conn, 3, cosigned=None)  # held, and nothing proves it
        await evidence.prune(conn, now_s=now_s)
    async with store.read() as conn:
        left = await evidence.batch(conn, SCRIBE, 2, leaves_max=10, bytes_max=10**9)
        gone = await evidence.batch(conn, SCRIBE, 0, leaves_max=10, bytes_max=10**9)
        assert [leaf.index for leaf in left] == [2, 3, 4, 5]
        assert gone == []
        rows = await conn.execute_fetchall("SELECT DISTINCT idx FROM evidence_details")
        assert [row["idx"] for row in rows] == [3, 5]
        assert await verify(conn, SCRIBE, cosigners=()) == 6
