"""The hub's store of orders keeps one contract on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.orders import Approval, Draft, Fixed, OrderLeaf, ReceiptRow, WaitRow, Wish
from central.store import order_log, order_tables, order_words, orders
from central.store.engine import Store
from central.store.evidence import HeadMovedError
from central.store.order_log import SecondRootError
from central.store.order_words import PER_PERSON_MAX, Opinion, TooManyWordsError
from central.store.orders import BodyFixedError, TooManyDraftsError
from proto.envelope import Signature
from proto.errors import ConflictError, NotFoundError
from proto.hub.orders import BOXES_MAX, OPINIONS_MAX
from proto.ids import ApplianceId
from proto.merkle import Tree, leaf_hash
from proto.orders.kinds import OrderType, Tier
from tests.conformance.conftest import BOX, NOW_MS, SITE

NOW_S = NOW_MS // 1000
WEEK_MS = 7 * 86_400_000
WISH = Wish(
    site=SITE,
    appliance=BOX,
    type=OrderType.RUN_DRIFT,
    params={"on": "all", "checks": "all"},
    tier=Tier.OBSERVE,
    people=0,
    life_s=3600,
    not_before_s=0,
    reason="a test",
    by="ada",
)
DRAFT = Draft("d1", "b1", WISH, NOW_MS)
FIXED = Fixed(b"s" * 32, b"body", NOW_S, NOW_S + 3600)


def leaf(index: int, name: bytes | None = None) -> OrderLeaf:
    data = name or b"envelope %d" % index
    return OrderLeaf(index, bytes([index]) * 32, data, leaf_hash(data))


async def test_a_draft_asked_for_twice_is_one_draft(store: Store) -> None:
    async with store.write() as connection:
        assert await orders.add_draft(SITE, connection, draft=DRAFT) == DRAFT
        await orders.fix_body(SITE, connection, draft="d1", fixed=FIXED)
        again = await orders.add_draft(SITE, connection, draft=replace(DRAFT, asked_ms=NOW_MS + 9))
    assert again == replace(DRAFT, fixed=FIXED)
    async with store.read() as connection:
        assert await orders.of_batch(connection, "b1") == [again]
        assert await orders.find(SITE, connection, sid=FIXED.sid) == again


async def test_a_body_is_fixed_once(store: Store) -> None:
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=DRAFT)
        await orders.fix_body(SITE, connection, draft="d1", fixed=FIXED)
        with pytest.raises(BodyFixedError):
            await orders.fix_body(
                SITE, connection, draft="d1", fixed=replace(FIXED, body=b"another")
            )


async def test_what_was_logged_is_not_withdrawn(store: Store) -> None:
    async with store.write() as connection:
        for name in ("d1", "d2"):
            await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft=name))
        await orders.fix_body(SITE, connection, draft="d1", fixed=replace(FIXED, sid=leaf(0).sid))
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
        await orders.withdraw(SITE, connection, draft="d2", by="bea", now_ms=NOW_MS)
        for name in ("d1", "d2"):
            with pytest.raises(ConflictError):
                await orders.withdraw(SITE, connection, draft=name, by="bea", now_ms=NOW_MS)
        assert await orders.open_of_site(SITE, connection, now_s=NOW_S) == []


async def test_a_site_has_a_bounded_number_of_open_drafts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "OPEN_MAX", 2)
    async with store.write() as connection:
        for name in ("d1", "d2"):
            await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft=name))
        third = replace(DRAFT, draft="d3")
        with pytest.raises(TooManyDraftsError):
            await orders.add_draft(SITE, connection, draft=third)
        await orders.refuse(SITE, connection, draft="d1", code="grant_type")
        await orders.add_draft(SITE, connection, draft=third)


@pytest.mark.parametrize("fixed", [None, FIXED], ids=["without a body", "with a body"])
async def test_a_draft_whose_time_is_over_is_not_taken_up_and_takes_nobodys_place(
    store: Store, monkeypatch: pytest.MonkeyPatch, fixed: Fixed | None
) -> None:
    monkeypatch.setattr(orders, "OPEN_MAX", 1)
    end_s = NOW_S + WISH.life_s
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=DRAFT)
        if fixed is not None:
            await orders.fix_body(SITE, connection, draft="d1", fixed=fixed)
        for now_s, found in ((end_s - 1, 1), (end_s, 0)):
            left = await orders.open_of_site(SITE, connection, now_s=now_s)
            assert len(left) == len(await orders.sites_with_open(connection, now_s=now_s)) == found
        later = replace(DRAFT, draft="d2", asked_ms=end_s * 1000 - 1)
        with pytest.raises(TooManyDraftsError):
            await orders.add_draft(SITE, connection, draft=later)
        await orders.add_draft(SITE, connection, draft=replace(later, asked_ms=end_s * 1000))


async def test_what_never_got_a_body_goes_a_week_after_its_end(store: Store) -> None:
    late = NOW_MS + WEEK_MS + 3_600_001
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=DRAFT)
        await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft="d2", asked_ms=late))
        assert [one.draft for one in await orders.newest(connection, 9)] == ["d2"]


async def test_what_was_never_logged_goes_a_week_after_its_end(store: Store) -> None:
    late = NOW_MS + WEEK_MS + 3_600_001
    async with store.write() as connection:
        await orders.add_draft(SITE, connection, draft=DRAFT)
        await orders.fix_body(SITE, connection, draft="d1", fixed=FIXED)
        given = Approval("ada", Signature("ab" * 8, b"x" * 64))
        await orders.add_approval(SITE, connection, sid=FIXED.sid, approval=given, now_ms=NOW_MS)
        await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft="d2", asked_ms=late))
        assert [one.draft for one in await orders.newest(connection, 9)] == ["d2"]
        assert await orders.approvals_of(SITE, connection, sid=FIXED.sid) == []
        with pytest.raises(NotFoundError):
            await orders.find_anywhere(connection, FIXED.sid)


async def test_an_approval_given_again_with_a_new_key_takes_the_place_of_the_first(
    store: Store,
) -> None:
    """The first key may have ended meanwhile: then only the second signature counts."""
    first = Approval("ada", Signature("ab" * 8, b"x" * 64))
    second = Approval("ada", Signature("cd" * 8, b"y" * 64))
    async with store.write() as connection:
        for one in (first, second):
            await orders.add_approval(SITE, connection, sid=FIXED.sid, approval=one, now_ms=NOW_MS)
        assert await orders.approvals_of(SITE, connection, sid=FIXED.sid) == [second]


async def test_the_order_log_moves_by_compare_and_set(store: Store) -> None:
    async with store.write() as connection:
        tree = await order_log.append(
            SITE, connection, new=[leaf(0), leaf(1)], note="two", now_ms=NOW_MS
        )
        assert tree == Tree().extend([leaf(0).hash, leaf(1).hash])
        assert await order_log.load_tree(SITE, connection) == tree
    for wrong in (leaf(1), leaf(3)):
        with pytest.raises(HeadMovedError):
            async with store.write() as connection:
                await order_log.append(SITE, connection, new=[wrong], note="n", now_ms=NOW_MS)
    async with store.read() as connection:
        assert await order_log.sizes(connection) == {SITE: 2}
        assert await order_log.newest_checkpoint(SITE, connection) == (2, "two")
        assert await order_log.leaves_from(SITE, connection, first=1, limit=9) == [leaf(1)]
        assert await order_log.leaf_of(SITE, connection, sid=leaf(1).sid) == leaf(1)
        assert await order_log.hashes(SITE, connection) == [leaf(0).hash, leaf(1).hash]


async def test_one_order_stands_in_the_log_once(store: Store) -> None:
    async with store.write() as connection:
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
    again = replace(leaf(1), sid=leaf(0).sid)
    with pytest.raises(IntegrityError):
        async with store.write() as connection:
            await order_log.append(SITE, connection, new=[again], note="n", now_ms=NOW_MS)


async def test_no_size_of_the_order_log_has_a_second_root(store: Store) -> None:
    async with store.write() as connection:
        await order_log.append(SITE, connection, new=[leaf(0)], note="n", now_ms=NOW_MS)
        await order_log.append(SITE, connection, new=[], note="the same", now_ms=NOW_MS)
        await connection.execute(
            order_tables.order_checkpoints.update().values(
                root=b"another root of one leaf".ljust(32)
            )
        )
        with pytest.raises(SecondRootError):
            await order_log.append(SITE, connection, new=[], note="n", now_ms=NOW_MS)


async def test_older_news_of_a_mirror_does_not_replace_newer(store: Store) -> None:
    async def told(size: int, asked_s: int, *waiting: WaitRow) -> None:
        async with store.write() as connection:
            await order_log.note_fetch(
                SITE,
                connection,
                appliance=BOX,
                size=size,
                asked_s=asked_s,
                waiting=waiting,
                now_ms=NOW_MS,
            )

    await told(3, 20, WaitRow(2, "ring_wait", 99))
    await told(1, 10)
    async with store.read() as connection:
        rows = (await connection.execute(order_tables.order_fetches.select())).all()
        waits = (await connection.execute(order_tables.order_waits.select())).all()
    assert [(row.size, row.asked_s) for row in rows] == [(3, 20)]
    assert [(row.leaf, row.code, row.until_s) for row in waits] == [(2, "ring_wait", 99)]
    await told(3, 21)
    async with store.read() as connection:
        assert (await connection.execute(order_tables.order_waits.select())).all() == []


async def test_receipts_are_kept_once_each(store: Store) -> None:
    intent = ReceiptRow(4, "intent", 0, leaf(0).hash, b"s" * 32, None, 99, 5)
    result = ReceiptRow(6, "result", 0, leaf(0).hash, b"s" * 32, "done", None, 7)
    async with store.write() as connection:
        for rows in ([intent], [intent, result]):
            await order_words.add_receipts(SITE, connection, appliance=BOX, rows=rows)
        kept = await connection.execute(order_tables.order_receipts.select())
    assert [(row.appliance_id, row.seq, row.kind, row.code) for row in kept] == [
        (BOX, 4, "intent", None),
        (BOX, 6, "result", "done"),
    ]


async def test_an_appliance_hears_what_is_said_to_all_and_to_it(store: Store) -> None:
    veto = Opinion("veto", b"s" * 32, None, "ada", b"to all", NOW_MS)
    mine = Opinion("clear", None, BOX, "ada", b"to this one", NOW_MS + 1)
    other = replace(mine, appliance=ApplianceId("a-bbbbbbbbbb"), envelope=b"to another")
    async with store.write() as connection:
        for one in (veto, mine, other, veto):
            await order_words.add_opinion(SITE, connection, opinion=one)
        heard = await order_words.opinions_for(SITE, connection, appliance=BOX, now_s=NOW_S)
        assert heard == [b"to all", b"to this one"]


def vetoed(number: int, person: str = "ada", at_ms: int = NOW_MS) -> Opinion:
    """Return a person's veto of the order of a number."""
    sid = bytes([number]) * 32
    return Opinion("veto", sid, None, person, b"%d %b" % (number, person.encode()), at_ms)


async def test_a_site_hears_a_bounded_number_of_opinions_and_none_from_last_week(
    store: Store,
) -> None:
    people = [f"p{number}" for number in range(OPINIONS_MAX)]
    async with store.write() as connection:
        for person in people:
            await order_words.add_opinion(SITE, connection, opinion=vetoed(1, person))
        with pytest.raises(TooManyWordsError):
            await order_words.add_opinion(SITE, connection, opinion=vetoed(1, "one more"))
        await order_words.add_opinion(SITE, connection, opinion=vetoed(1, people[0]))
        late = vetoed(2, at_ms=NOW_MS + WEEK_MS + 1)
        await order_words.add_opinion(SITE, connection, opinion=late)
        heard = await order_words.opinions_for(SITE, connection, appliance=BOX, now_s=NOW_S)
        assert heard == [late.envelope]


async def test_nobody_alone_takes_the_places_of_all_others(store: Store) -> None:
    async with store.write() as connection:
        for number in range(PER_PERSON_MAX):
            await order_words.add_opinion(SITE, connection, opinion=vetoed(number))
        with pytest.raises(TooManyWordsError, match="ada"):
            await order_words.add_opinion(SITE, connection, opinion=vetoed(PER_PERSON_MAX))
        await order_words.add_opinion(SITE, connection, opinion=vetoed(PER_PERSON_MAX, "bea"))


async def test_a_veto_takes_the_place_of_the_same_persons_earlier_one(store: Store) -> None:
    again = replace(vetoed(1), envelope=b"signed with a new key")
    async with store.write() as connection:
        for one in (vetoed(1), vetoed(1, "bea"), again):
            await order_words.add_opinion(SITE, connection, opinion=one)
        heard = await order_words.opinions_for(SITE, connection, appliance=BOX, now_s=NOW_S)
    assert sorted(heard) == sorted([vetoed(1, "bea").envelope, again.envelope])


async def test_a_veto_of_an_order_whose_time_is_over_takes_nobodys_place(store: Store) -> None:
    end_ms = FIXED.exp_s * 1000
    async with store.write() as connection:
        for number in range(PER_PERSON_MAX):
            name = f"d{number}"
            fixed = replace(FIXED, sid=bytes([number]) * 32)
            await orders.add_draft(SITE, connection, draft=replace(DRAFT, draft=name))
            await orders.fix_body(SITE, connection, draft=name, fixed=fixed)
            await order_words.add_opinion(SITE, connection, opinion=vetoed(number))
        late = vetoed(99, at_ms=end_ms)
        early = replace(late, said_ms=end_ms - 1000)
        with pytest.raises(TooManyWordsError):
            await order_words.add_opinion(SITE, connection, opinion=early)
        await order_words.add_opinion(SITE, connection, opinion=late)
        heard = await order_words.opinions_for(SITE, connection, appliance=BOX, now_s=FIXED.exp_s)
    assert heard == [late.envelope]


async def test_a_sealed_login_is_found_by_its_digest_and_goes_after_a_week(store: Store) -> None:
    async with store.write() as connection:
        one = await order_words.add_box(SITE, connection, appliance=BOX, box=b"box", now_ms=NOW_MS)
        assert one == await order_words.add_box(
            SITE, connection, appliance=BOX, box=b"box", now_ms=NOW_MS
        )
        assert await order_words.boxes_for(SITE, connection, appliance=BOX) == [b"box"]
        for number in range(BOXES_MAX - 1):
            box = b"box %d" % number
            await order_words.add_box(SITE, connection, appliance=BOX, box=box, now_ms=NOW_MS)
        with pytest.raises(TooManyWordsError):
            await order_words.add_box(SITE, connection, appliance=BOX, box=b"new", now_ms=NOW_MS)
        # Sent again, because the answer was lost: it is there.
        assert one == await order_words.add_box(
            SITE, connection, appliance=BOX, box=b"box", now_ms=NOW_MS
        )
        late = NOW_MS + WEEK_MS + 1
        await order_words.add_box(SITE, connection, appliance=BOX, box=b"new", now_ms=late)
        assert await order_words.boxes_for(SITE, connection, appliance=BOX) == [b"new"]
