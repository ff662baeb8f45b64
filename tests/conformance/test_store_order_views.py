"""An order's life is read alike from SQLite and from PostgreSQL."""

from dataclasses import replace

from central.core.order_stage import AtAppliance, Stage
from central.core.orders import Approval, ReceiptRow, WaitRow
from central.store import appliances, order_log, order_words, orders
from central.store.engine import Store
from central.store.order_words import Opinion
from central.store.views.orders import views_of
from proto.envelope import Signature
from proto.ids import ApplianceId
from tests.conformance.conftest import BOX, NOW_MS, SITE
from tests.conformance.test_store_orders import DRAFT, FIXED, NOW_S, leaf

FIRST = replace(FIXED, sid=leaf(0).sid)
SECOND = replace(FIXED, sid=leaf(1).sid)


async def test_each_step_of_a_life_is_seen(store: Store) -> None:
    async with store.write() as connection:
        for name, fixed in (("d1", FIRST), ("d2", SECOND)):
            await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft=name))
            await orders.fix_body(SITE, connection, draft=name, fixed=fixed)
        given = Approval("ada", Signature("0" * 16, b"s" * 64))
        await orders.add_approval(SITE, connection, sid=SECOND.sid, approval=given, now_ms=NOW_MS)
        await order_log.append(SITE, connection, new=[leaf(0), leaf(1)], note="n", now_ms=NOW_MS)
        await order_log.note_fetch(
            SITE,
            connection,
            appliance=BOX,
            size=2,
            asked_s=NOW_S,
            waiting=[WaitRow(1, "ring_wait", NOW_S + 60)],
            now_ms=NOW_MS,
        )
        row = ReceiptRow(0, "refused", 0, leaf(0).hash, FIRST.sid, "policy", None, NOW_S)
        await order_words.add_receipts(SITE, connection, appliance=BOX, rows=[row])
        veto = Opinion("veto", SECOND.sid, None, "bea", b"envelope", NOW_MS)
        await order_words.add_opinion(SITE, connection, opinion=veto)
    async with store.read() as connection:
        drafts = await orders.of_batch(connection, "b1")
        first, second = await views_of(connection, drafts, now_s=NOW_S)
    assert (first.leaf, first.logged_ms, first.approved) == (0, NOW_MS, ())
    assert (first.stage, first.code) == (Stage.REFUSED, "policy")
    assert (second.approved, second.vetoed) == (("ada",), ("bea",))
    assert second.answers == (
        AtAppliance(BOX, Stage.WAITING, code="ring_wait", until_s=NOW_S + 60),
    )


async def test_an_order_for_a_whole_site_has_an_answer_for_each_appliance(store: Store) -> None:
    wish = replace(DRAFT.wish, appliance=None)
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=replace(DRAFT, wish=wish))
        await orders.fix_body(SITE, connection, draft=DRAFT.draft, fixed=FIRST)
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
        drafts = await orders.newest(connection, 5)
        (view,) = await views_of(connection, drafts, now_s=NOW_S)
    assert view.answers == (AtAppliance(BOX, Stage.LOGGED),)


async def test_an_appliance_that_enrolled_later_owes_no_answer(store: Store) -> None:
    """It judges no order from before its own first, so it would stay "Fetched" for ever."""
    wish = replace(DRAFT.wish, appliance=None)
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=replace(DRAFT, wish=wish))
        await orders.fix_body(SITE, connection, draft=DRAFT.draft, fixed=FIRST)
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
        row = ReceiptRow(0, "result", 0, leaf(0).hash, FIRST.sid, "done", None, NOW_S)
        await order_words.add_receipts(SITE, connection, appliance=BOX, rows=[row])
        await appliances.add(
            SITE,
            connection,
            appliance=ApplianceId("a-bbbbbbbbbb"),
            ed25519=b"f" * 32,
            x25519=b"y" * 32,
            now_ms=NOW_MS + 1,
        )
        (view,) = await views_of(connection, await orders.newest(connection, 5), now_s=NOW_S)
    assert (view.stage, [one.appliance for one in view.answers]) == (Stage.DONE, [BOX])


async def test_a_receipt_for_something_else_at_an_orders_place_says_nothing_of_it(
    store: Store,
) -> None:
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=DRAFT)
        await orders.fix_body(SITE, connection, draft=DRAFT.draft, fixed=FIRST)
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
        other = ReceiptRow(0, "result", 0, leaf(1).hash, FIRST.sid, "done", None, NOW_S)
        ahead = replace(other, seq=1, leaf=7)
        found = await order_words.add_receipts(SITE, connection, appliance=BOX, rows=[other, ahead])
        (view,) = await views_of(connection, await orders.newest(connection, 5), now_s=NOW_S)
        own = replace(other, seq=2, leaf_hash=leaf(0).hash)
        assert await order_words.add_receipts(SITE, connection, appliance=BOX, rows=[own]) == []
        (after,) = await views_of(connection, await orders.newest(connection, 5), now_s=NOW_S)
    assert found == [other]
    assert (view.stage, after.stage) == (Stage.LOGGED, Stage.DONE)


async def test_no_order_is_no_view(store: Store) -> None:
    async with store.read() as connection:
        assert await views_of(connection, [], now_s=NOW_S) == []
