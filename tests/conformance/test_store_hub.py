"""The hub's store keeps one contract on SQLite and on PostgreSQL."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from central.core.fold import Fold, Touched
from central.core.ingest import Accepted, NewLeaf
from central.core.rows import FindingRow, HealRow, HealthRow, IncidentRow
from central.store import (
    appliances,
    conditions,
    evidence,
    folds,
    migrate,
    order_tables,
    sites,
    tables,
)
from central.store.appliances import CheckInRow
from central.store.check_ins import CheckInGroups
from central.store.conditions import Refusal
from central.store.engine import Store, open_store
from central.store.evidence import HeadMovedError
from central.store.migrate import SchemaAheadError
from proto.errors import ConfigError, NotFoundError
from proto.evidence import HealthLeaf
from proto.ids import ApplianceId, SiteId
from proto.merkle import Tree
from tests.conformance.conftest import BOX, NOW_MS, SITE

OTHER = SiteId("s-bbbbbbbbbb")
FINDING = FindingRow("t-aaaaaaaaaa", "c.one", "drifted", None, "ab", 5, 4, 3, "checks.0")


async def test_the_migrated_schema_is_what_the_tables_say(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, order_tables.order_leaves.metadata))

    async with store.read() as connection:
        assert await connection.run_sync(differences) == []


def test_every_fleet_tables_key_begins_with_the_site() -> None:
    not_of_the_fleet = {"refusals", "users", "sessions"}
    for table in tables.metadata.tables.values():
        if table.name not in not_of_the_fleet:
            assert next(iter(table.primary_key)).name == "site_id", table.name


async def test_a_store_is_at_head_after_migrating_and_migrating_again_changes_nothing(
    store: Store,
) -> None:
    assert await migrate.is_at_head(store)
    assert await migrate.migrate(store) == migrate.head_revision()


async def test_a_store_of_a_newer_program_is_left_alone(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not await migrate.is_at_head(store)
    with pytest.raises(SchemaAheadError):
        await migrate.migrate(store)


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def fails() -> None:
        async with store.write() as connection:
            await sites.add_site(OTHER, connection, label="Two", now_ms=NOW_MS)
            await sites.find_site(SiteId("s-cccccccccc"), connection)

    with pytest.raises(NotFoundError):
        await fails()
    async with store.read() as connection:
        assert [one.site for one in await sites.all_sites(connection)] == [SITE]


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"readonly database|read-only transaction"):
        async with store.read() as connection:
            await connection.execute(
                insert(tables.sites).values(site_id=OTHER, label="x", created_ms=1)
            )


async def test_a_claim_loses_its_secret_when_it_is_used(store: Store) -> None:
    async with store.write() as connection:
        await sites.add_claim(
            SITE,
            connection,
            claim=b"c" * 16,
            secret_sealed=b"sealed",
            now_ms=NOW_MS,
            expires_ms=NOW_MS + 1,
        )
        await sites.use_claim(
            SITE, connection, claim=b"c" * 16, appliance=BOX, proof_digest=b"p", now_ms=NOW_MS
        )
        found = await sites.find_claim(connection, b"c" * 16)
    assert found is not None
    assert (found.secret_sealed, found.used_by, found.proof_digest) == (None, BOX, b"p")


async def test_one_key_is_of_one_appliance(store: Store) -> None:
    with pytest.raises(IntegrityError):
        async with store.write() as connection:
            await appliances.add(
                SITE,
                connection,
                appliance=ApplianceId("a-bbbbbbbbbb"),
                ed25519=b"e" * 32,
                x25519=b"y" * 32,
                now_ms=NOW_MS,
            )


def check_in(seq: int, key: bytes = b"e" * 32) -> CheckInRow:
    return CheckInRow(SITE, BOX, seq, NOW_MS + seq, 7, bytes([seq % 256]) * 32, 60, None, key)


async def test_check_ins_never_go_back(store: Store) -> None:
    async with store.write() as connection:
        await appliances.record_check_ins(connection, [check_in(5), check_in(3)])
        found = await appliances.find_by_id(connection, BOX)
    assert (found.seq, found.last_seen_ms) == (5, NOW_MS + 5)


async def test_grouped_check_ins_are_durable_when_they_are_answered(store: Store) -> None:
    groups = CheckInGroups(store)
    waiting = [groups.record(check_in(seq)) for seq in range(3)]
    tasks = [asyncio.ensure_future(one) for one in waiting]
    await asyncio.sleep(0)
    await groups.flush()
    await asyncio.gather(*tasks)
    async with store.read() as connection:
        assert (await appliances.find_by_id(connection, BOX)).seq == 2


def part_of_a_log(first: int, count: int) -> Accepted:
    hashes = [bytes([n]) * 32 for n in range(first + count)]
    leaf = HealthLeaf(site=SITE, appliance=BOX, seq=0, at=1, code="x", ok=True)
    new = tuple(NewLeaf(n, b"envelope", hashes[n], leaf) for n in range(first, first + count))
    return Accepted(new, (), Tree().extend(hashes), complete=True)


async def test_the_head_moves_by_compare_and_set(store: Store) -> None:
    async with store.write() as connection:
        await evidence.add_leaves(
            SITE, connection, appliance=BOX, kept=(), accepted=part_of_a_log(0, 3), now_ms=NOW_MS
        )
        tree = await evidence.load_tree(SITE, connection, appliance=BOX)
    assert tree == part_of_a_log(0, 3).tree
    with pytest.raises(HeadMovedError):
        async with store.write() as connection:
            await evidence.add_leaves(
                SITE,
                connection,
                appliance=BOX,
                kept=(),
                accepted=part_of_a_log(1, 4),
                now_ms=NOW_MS,
            )
    async with store.read() as connection:
        assert (await evidence.load_tree(SITE, connection, appliance=BOX)).size == 3


async def test_there_is_never_a_second_root_at_one_size(store: Store) -> None:
    async def cosign(root: bytes) -> None:
        async with store.write() as connection:
            await evidence.add_checkpoint(
                SITE, connection, appliance=BOX, size=3, root=root, note="n", now_ms=NOW_MS
            )

    await cosign(b"a" * 32)
    with pytest.raises(IntegrityError):
        await cosign(b"b" * 32)


async def test_folded_rows_come_back_as_they_were_kept(store: Store) -> None:
    incident = IncidentRow(
        "i-aaaaaaaaaa", "t-aaaaaaaaaa", "c.one", "linux", "high", "healed", None, "engine",
        1, "rb.one", "l1.one", "healed", 1, 2, None, 3, 3,
    )  # fmt: skip
    fold = Fold()
    fold.findings[FINDING.target, FINDING.check_id] = FINDING
    fold.changed_findings.add((FINDING.target, FINDING.check_id))
    fold.incidents[incident.incident] = incident
    fold.changed_incidents.add(incident.incident)
    fold.health["disk_low"] = HealthRow("disk_low", ok=False, at_s=1, leaf=2)
    heal = HealRow(
        leaf=3,
        incident="i-aaaaaaaaaa",
        target="t-aaaaaaaaaa",
        check_id="c.one",
        attempt=1,
        rule="l1.one",
        runbook="rb.one",
        content="ab",
        before_verdict="drifted",
        before_reason=None,
        outcome="done",
        changed=True,
        after_verdict="compliant",
        after_reason=None,
        result="healed",
        at_s=2,
    )
    fold.heals.append(heal)
    fold.targets.add("t-aaaaaaaaaa")
    async with store.write() as connection:
        await folds.save(SITE, connection, appliance=BOX, fold=fold)
        await folds.save(SITE, connection, appliance=BOX, fold=fold)
    async with store.read() as connection:
        found = await folds.load(
            SITE,
            connection,
            appliance=BOX,
            touched=Touched(frozenset({"t-aaaaaaaaaa"}), frozenset({"i-aaaaaaaaaa"})),
        )
        heals = (await connection.execute(select(tables.heals))).all()
    assert found.findings == fold.findings
    assert found.incidents == fold.incidents
    assert len(heals) == 1


async def test_more_rows_than_one_statement_takes_are_all_kept(store: Store) -> None:
    fold = Fold()
    for n in range(1200):
        row = FindingRow(f"t-{n:010d}"[:12], f"c.{n}", "compliant", None, "ab", 1, 1, 0, "checks.0")
        fold.findings[row.target, row.check_id] = row
        fold.changed_findings.add((row.target, row.check_id))
    async with store.write() as connection:
        await folds.save(SITE, connection, appliance=BOX, fold=fold)
        assert len((await connection.execute(select(tables.findings))).all()) == 1200


async def test_a_condition_is_counted_cleared_and_begins_anew(store: Store) -> None:
    async def rows() -> list[tuple[int, int, int | None]]:
        async with store.read() as connection:
            found = await connection.execute(select(tables.conditions))
            return [(row.since_ms, row.times, row.cleared_ms) for row in found]

    async def raised(now_ms: int) -> None:
        async with store.write() as connection:
            await conditions.raise_condition(
                SITE, connection, appliance=BOX, code="c", message="m" * 900, now_ms=now_ms
            )

    await raised(1)
    await raised(2)
    assert await rows() == [(1, 2, None)]
    async with store.write() as connection:
        await conditions.clear_conditions(SITE, connection, appliance=BOX, codes=("c",), now_ms=3)
    assert await rows() == [(1, 2, 3)]
    await raised(4)
    assert await rows() == [(4, 1, None)]


async def test_only_the_newest_refusals_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "REFUSALS_KEPT", 3)
    async with store.write() as connection:
        for n in range(5):
            refusal = Refusal(None, None, "/p", f"c{n}", "m", 1, b"d" * 32, n, 0)
            await conditions.add_refusal(connection, refusal)
        kept = await conditions.newest_refusals(connection, 10)
    assert [one.code for one in kept] == ["c4", "c3", "c2"]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "not a url"])
def test_a_store_that_is_not_supported_is_refused_in_words(url: str) -> None:
    with pytest.raises(ConfigError, match=r"store\.url"):
        open_store(url)
