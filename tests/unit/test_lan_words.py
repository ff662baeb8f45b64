"""What people on the LAN say and set stands in evidence, as it was signed, once, and in codes."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.limits import SecurityWatch
from appliance.core.site_rules import Span
from appliance.handlers.order_opinions import consent, end_hold, veto
from appliance.handlers.orders.opinions import take_neighbours, take_opinion
from appliance.handlers.people import People
from appliance.handlers.work import Work
from appliance.store import accounts, opinions, order_state
from appliance.store.opinions import OpinionKind
from central.core.fold import fold
from central.core.ingest import NewLeaf
from central.core.orders import SaidRow
from central.core.receipts import Signers, said_rows
from central.operators import NoAuthorityYetError
from proto import strict_json
from proto.appliance_keys import KeyHistory
from proto.authority import AuthoritySet
from proto.envelope import Kind, sign
from proto.errors import ConflictError, MalformedError, NotFoundError, RejectedError
from proto.evidence import (
    COMMAND_LINE,
    LanAct,
    LanLeaf,
    Leaf,
    SaidBy,
    SaidLeaf,
    SaidWhat,
    WaivedCheck,
    commit,
)
from proto.hub.orders import NeighbourVeto
from proto.ids import TargetId
from proto.keys import Holder, PublicKey
from proto.keysets import DAY_S
from proto.opinions import Clear, LanVeto, open_lan_veto
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from tests.e2e.order_portal import TRUSTED
from tests.unit.core_values import SITE
from tests.unit.known_target import know
from tests.unit.order_site import Site, alive, enrolled_site, gate, leaves, mirror, row, take
from tests.unit.order_world import (
    APPLIANCE,
    NOW,
    OTHER_APPLIANCE,
    OTHER_SITE,
    TRUST,
    authority,
    authority_set,
    key,
    person,
)

HERE = Holder(APPLIANCE, key("appliance").public)
THERE = Holder(OTHER_APPLIANCE, key("other").public)
LONG = NOW + 20 * 3600
PLACE = {"site": SITE}


async def work_of(site: Site, work: Work) -> Work:
    """Return the appliance with one account and a signed set of people."""
    async with work.store.write() as conn:
        if "eva" not in await accounts.names(conn):
            await accounts.add(conn, "eva", "no hash", now_ms=site.clock.now_ms())
    return replace(work, trusted=lambda: TRUSTED)


async def code(work: Work) -> str:
    async with work.store.read() as conn:
        return await accounts.code_of(conn, "eva")


async def words(work: Work) -> list[SaidLeaf]:
    return [one for one in await leaves(work) if isinstance(one, SaidLeaf)]


async def settings(work: Work) -> list[LanLeaf]:
    return [one for one in await leaves(work) if isinstance(one, LanLeaf)]


async def waits(site: Site, work: Work, **changes: Any) -> str:  # noqa: ANN401 - JSON
    """Log an order that two people signed and that waits; return its sid."""
    leaf = site.order(OrderType.DISABLE_HEALING, "ada", "bea", exp=LONG, **changes)
    await take(site, work)
    held = await row(work, leaf)
    assert held.state is State.WAITING
    return held.sid or ""


async def test_a_veto_stands_in_evidence_as_it_was_signed_and_its_reason_stays_here(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        sid = await waits(site, work)
        await veto(work, sid, reason="Mrs Jansen's pump hangs there", account="eva")
        (leaf,) = await words(work)
        said = (leaf.what, leaf.by, leaf.actor, leaf.order)
        assert said == (SaidWhat.VETO, SaidBy.LAN, await code(work), sid)
        signed = open_lan_veto(leaf.envelope(), site=SITE, appliance=HERE, now_s=NOW)
        assert signed.by == leaf.actor
        async with work.store.read() as conn:
            (kept,) = await conn.execute_fetchall("SELECT reason, salt FROM order_opinions")
            assert await opinions.reasons_of(conn, sid) == {OpinionKind.VETO: kept["reason"]}
            everything = await conn.execute_fetchall("SELECT leaf FROM evidence")
        detail = strict_json.dumps({"reason": kept["reason"]})
        assert strict_json.b64_encode(commit(kept["salt"], detail)) == signed.commit
        assert all(b"Jansen" not in leaf.envelope() for leaf in await words(work))
        assert all(b"SmFuc2Vu" not in bytes(one["leaf"]) for one in everything)
        await gate(work)
        assert (await row(work, len(site.log.leaves) - 1)).code == Code.VETOED
        with pytest.raises(ConflictError):
            await veto(work, sid, reason="once more", account="eva")
        assert len(await words(work)) == 1


async def test_a_consent_and_the_end_of_a_hold_stand_in_evidence_too(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        sid = await waits(site, work)
        await consent(work, sid, account="eva")
        await hold(work, NOW)
        await end_hold(work, NOW, account="eva")
        first, second = await words(work)
        assert (first.what, first.order, first.since) == (SaidWhat.CONSENT, sid, None)
        assert (second.what, second.order, second.since) == (SaidWhat.CLEAR, None, NOW)
        assert {first.by, second.by} == {SaidBy.LAN}


async def hold(work: Work, since_s: int) -> None:
    async with work.store.write() as conn:
        state = await order_state.load(conn)
        watch = SecurityWatch((), since_s, state.watch.cleared_s)
        await order_state.save(conn, replace(state, watch=watch))


async def held_since(work: Work) -> int | None:
    async with work.store.read() as conn:
        return (await order_state.load(conn)).watch.held_since_s


def clear_by(*people: str, since: int, blanks: int = 0) -> bytes:
    said = Clear(
        v=1, type="clear", site=SITE, appliance=APPLIANCE, by=people[0], iat=NOW, since=since
    )
    body = said.to_bytes() + b" " * blanks
    return sign(Kind.CONSENT, body, *(key(name) for name in people))


async def test_two_operators_end_a_hold_once_and_the_same_statement_ends_no_later_one(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await hold(work, NOW)
        data = clear_by("ada", "bea", since=NOW)
        for bad in (clear_by("ada", since=NOW), clear_by("ada", "order", since=NOW)):
            with pytest.raises(RejectedError):
                await take_opinion(work, TRUST.authority, bad)
        await take_opinion(work, TRUST.authority, clear_by("ada", "bea", since=NOW - 1))
        assert await held_since(work) == NOW
        assert await words(work) == []
        await take_opinion(work, TRUST.authority, data)
        assert await held_since(work) is None
        (leaf,) = await words(work)
        assert (leaf.by, leaf.actor, leaf.since) == (SaidBy.OPERATORS, "ada", NOW)
        assert leaf.envelope() == data
        # Three more refusals within the same second, as after a clock was set back.
        for number in range(3):
            site.log.append(b"no envelope %d" % number)
        await mirror(site, work)
        await gate(work)
        assert await held_since(work) == NOW + 1
        await take_opinion(work, TRUST.authority, data)
        assert await held_since(work) == NOW + 1, "the end of an earlier hold"
        await take_opinion(work, TRUST.authority, clear_by("bea", "ada", since=NOW + 1))
        assert await held_since(work) is None


def neighbours(
    order: str,
    *,
    signer: str = "other",
    named: Holder = THERE,
    blanks: int = 0,
    **changes: Any,  # noqa: ANN401 - JSON
) -> NeighbourVeto:
    said = {
        "v": 1,
        "type": "lan",
        "site": SITE,
        "appliance": named.person,
        "order": order,
        "commit": strict_json.b64_encode(bytes(32)),
        "by": "p-7",
        "iat": NOW,
    } | changes
    body = LanVeto.from_value(said, "veto").to_bytes() + b" " * blanks
    data = sign(Kind.VETO, body, key(signer))
    return NeighbourVeto(
        appliance=named.person, key=named.key.b64(), statement=data.decode("ascii")
    )


async def test_a_veto_at_a_neighbour_stops_an_order_for_the_site_here(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        sid = await waits(site, work, target=PLACE)
        assert await take_neighbours(work, (neighbours(sid),)) == 1
        assert await take_neighbours(work, (neighbours(sid),)) == 0, "heard again: nothing is new"
        await gate(work)
        held = await row(work, len(site.log.leaves) - 1)
        assert (held.code, held.detail) == (Code.VETOED, f"p-7 at {OTHER_APPLIANCE}")
        (leaf,) = await words(work)
        assert (leaf.by, leaf.actor, leaf.order) == (SaidBy.NEIGHBOUR, "p-7", sid)
        assert open_lan_veto(leaf.envelope(), site=SITE, appliance=THERE, now_s=NOW).order == sid


FORGED: list[tuple[str, Callable[[str], NeighbourVeto]]] = [
    ("signed by another key", lambda sid: neighbours(sid, signer="eve")),
    ("in this appliance's own name", lambda sid: neighbours(sid, signer="eve", named=Holder(APPLIANCE, key("eve").public))),  # noqa: E501 - one row
    ("of another site", lambda sid: neighbours(sid, site="s-zzzzzzzzzz")),
    ("of tomorrow", lambda sid: neighbours(sid, iat=NOW + 86_400)),
    ("with more blanks than a leaf has room for", lambda sid: neighbours(sid, blanks=9000)),
    ("naming another appliance", lambda sid: neighbours(sid, appliance="a-zzzzzzzzzz")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make"), FORGED, ids=[row[0] for row in FORGED])
async def test_a_neighbours_veto_that_does_not_hold_changes_nothing(
    tmp_path: Path, what: str, make: Callable[[str], NeighbourVeto]
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        sid = await waits(site, work, target=PLACE)
        assert await take_neighbours(work, (make(sid),)) == 0, what
        await gate(work)
        assert (await row(work, len(site.log.leaves) - 1)).state is State.WAITING
        assert await words(work) == []


async def test_a_neighbours_veto_of_what_does_not_wait_for_the_site_leaves_no_trace(
    tmp_path: Path,
) -> None:
    """Else a hub that was taken could have evidence written without end."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        own = await waits(site, work)
        made = [neighbours(f"{number:064x}") for number in range(3)]
        assert await take_neighbours(work, (*made, neighbours(own))) == 0
        sid = await waits(site, work, target=PLACE)
        assert await take_neighbours(work, (neighbours(sid),)) == 1
        await gate(work)
        assert (await row(work, len(site.log.leaves) - 1)).code == Code.VETOED
        async with work.store.write() as conn:
            await conn.execute("DELETE FROM order_opinions")
        assert await take_neighbours(work, (neighbours(sid),)) == 0, "it is over"
        assert [one.order for one in await words(work)] == [sid]
        async with work.store.read() as conn:
            assert await opinions.said_of(conn, (own, sid)) == {}


async def test_an_end_of_a_hold_for_which_a_leaf_has_no_room_is_refused(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        await hold(work, NOW)
        with pytest.raises(RejectedError):
            await take_opinion(
                work, TRUST.authority, clear_by("ada", "bea", since=NOW, blanks=9000)
            )
        assert await held_since(work) == NOW
        await take_opinion(work, TRUST.authority, clear_by("ada", "bea", since=NOW))
        assert await held_since(work) is None


async def test_a_neighbours_consent_counts_nowhere_else(tmp_path: Path) -> None:
    """Its key is the hub's word: a hub that was taken could consent to its own orders."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        sid = await waits(site, work, target=PLACE)
        said = {"v": 1, "type": "order", "site": SITE, "appliance": OTHER_APPLIANCE}
        said |= {"order": sid, "by": "p-7", "iat": NOW}
        data = sign(Kind.CONSENT, strict_json.dumps(said), key("other"))
        told = NeighbourVeto(
            appliance=OTHER_APPLIANCE, key=THERE.key.b64(), statement=data.decode("ascii")
        )
        assert await take_neighbours(work, (told,)) == 0
        with pytest.raises(RejectedError):
            await take_opinion(work, TRUST.authority, data)
        await gate(work)
        assert (await row(work, len(site.log.leaves) - 1)).state is State.WAITING


async def test_a_waiver_is_told_by_whom_until_when_and_when_it_ends(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    target = TargetId("t-aaaaaaaaaa")
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        await know(work, target, address="10.0.1.1", host_key="SHA256:x", added_ms=NOW * 1000)
        people = People(work)
        check = min(work.content().checks)
        until_ms = (NOW + 7 * DAY_S) * 1000
        why = "Dr Vos wants it so"
        await people.add_waiver(target, check, reason=why, until_ms=until_ms, account="eva")
        with pytest.raises(MalformedError):
            await people.add_waiver(target, check, reason=why, until_ms=1, account="eva")
        await people.end_waiver(1, account="root")
        with pytest.raises(NotFoundError):
            await people.end_waiver(1, account="root")
        told = WaivedCheck(check=check, until=until_ms // 1000)
        assert [(one.act, one.actor, one.target, one.waiver) for one in await settings(work)] == [
            (LanAct.WAIVED, await code(work), target, told),
            (LanAct.WAIVER_ENDED, COMMAND_LINE, target, told),
        ]
        assert b"Vos" not in b"".join(one.to_bytes() for one in await leaves(work))


async def test_each_limit_that_a_person_sets_or_takes_back_is_told_once(tmp_path: Path) -> None:
    site = await enrolled_site(tmp_path)
    target = TargetId("t-aaaaaaaaaa")
    span = Span(frozenset({5, 6}), 22 * 60, 120)
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        await know(work, target, address="10.0.1.1", host_key="SHA256:x", added_ms=NOW * 1000)
        people = People(work)
        await people.protect(target, reason="the X-ray of Dr Vos", account="eva")
        await people.add_window(span, account="root")
        await people.unprotect(target, account="eva")
        await people.remove_window(1, account="eva")
        await people.set_observe_only(on=True, account="eva")
        await people.set_observe_only(on=True, account="eva")
        await people.set_observe_only(on=False, account="root")
        await people.protect(target, reason="x", account="eva")
        with pytest.raises(ConflictError):
            await people.protect(target, reason="x", account="eva")
        found = [(one.act, one.actor, one.target) for one in await settings(work)]
        eva = await code(work)
        assert found == [
            (LanAct.PROTECTED, eva, target),
            (LanAct.WINDOW_ADDED, COMMAND_LINE, None),
            (LanAct.UNPROTECTED, eva, target),
            (LanAct.WINDOW_REMOVED, eva, None),
            (LanAct.OBSERVE_ONLY, eva, None),
            (LanAct.REPAIRS_ON, COMMAND_LINE, None),
            (LanAct.PROTECTED, eva, target),
        ]
        windows = [one.window for one in await settings(work) if one.window is not None]
        assert [one.to_value() for one in windows] == [
            {"days": [5, 6], "start_min": 1320, "length_min": 120}
        ] * 2
        every = dict(enumerate(await leaves(work)))
        assert b"Vos" not in b"".join(one.to_bytes() for one in every.values())
    # The hub folds them without making anything of them that they do not say.
    told = fold(every)
    assert (told.findings, told.incidents, told.heals, told.contradictions) == ({}, {}, [], [])


def new(leaf: Leaf) -> NewLeaf:
    return NewLeaf(leaf.seq, b"", b"", leaf)


def at_hub(
    leaf: Leaf,
    *,
    own: PublicKey = HERE.key,
    other: PublicKey = THERE.key,
    now_s: int = NOW,
    authority_at: Callable[[int], AuthoritySet] = lambda _: TRUST.authority,
    passed_on: Collection[bytes] = (),
) -> tuple[list[SaidRow], list[int]]:
    """Return what the hub makes of one leaf, and whether it is unproved."""
    others = {OTHER_APPLIANCE: KeyHistory.of(other)}
    signers = Signers(HERE.person, KeyHistory.of(own), others, authority_at, passed_on)
    return said_rows([new(leaf)], signers=signers, now_s=now_s)


async def test_the_hub_keeps_a_word_of_the_lan_only_with_a_statement_that_bears_it_out(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        sid = await waits(site, work)
        await veto(work, sid, reason="not now", account="eva")
        (leaf,) = await words(work)
    rows, unproved = at_hub(leaf)
    assert [(one.what, one.actor, one.sid) for one in rows] == [
        ("veto", leaf.actor, bytes.fromhex(sid))
    ]
    assert unproved == []
    for wrong in (
        {"actor": "p-9"},
        {"order": "ab" * 32},
        {"what": SaidWhat.CONSENT},
        {"statement": strict_json.b64_encode(neighbours(sid).statement.encode())},
        {"statement": "bm90aGluZw=="},
        {"by": SaidBy.NEIGHBOUR},
        {"by": SaidBy.OPERATORS},
    ):
        assert at_hub(leaf.model_copy(update=wrong)) == ([], [leaf.seq]), wrong
    assert at_hub(leaf, own=key("eve").public) == ([], [leaf.seq])


def cleared(*people: str, **changes: Any) -> SaidLeaf:  # noqa: ANN401 - JSON
    """Return a leaf that says operators ended the hold, with what they signed, or did not."""
    said = {"statement": strict_json.b64_encode(clear_by(*people, since=NOW))}
    return SaidLeaf(
        site=SITE,
        appliance=APPLIANCE,
        seq=4,
        at=NOW,
        what=SaidWhat.CLEAR,
        by=SaidBy.OPERATORS,
        actor="ada",
        order=None,
        since=NOW,
        statement=said["statement"],
    ).model_copy(update=changes)


@pytest.mark.parametrize(
    "people",
    [("ada",), ("ada", "cyd"), ("ada", "dot"), ("ada", "order"), ("eve", "mal")],
    ids=" and ".join,
)
def test_operators_ended_a_hold_at_the_hub_only_where_two_of_the_site_signed_it(
    people: tuple[str, ...],
) -> None:
    """Alone, one of another site, one whose key ended, the hub's own key, nobody it knows."""
    assert at_hub(cleared(*people)) == ([], [4])
    ((row,), unproved) = at_hub(cleared("ada", "bea"))
    assert (row.what, row.actor, row.since_s, unproved) == ("clear", "ada", NOW, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"actor": "bea"},
        {"since": NOW - 1},
        {"since": None},
        {"what": SaidWhat.VETO},
        {"order": "ab" * 32},
        {"site": OTHER_SITE},
    ],
)
def test_a_leaf_that_says_something_else_than_operators_signed_is_named(
    wrong: dict[str, Any],
) -> None:
    assert at_hub(cleared("ada", "bea", **wrong)) == ([], [4])


def test_what_operators_signed_for_another_appliance_ends_no_hold_here() -> None:
    said = Clear(
        v=1, type="clear", site=SITE, appliance=OTHER_APPLIANCE, since=NOW, by="ada", iat=NOW
    )
    data = sign(Kind.CONSENT, said.to_bytes(), key("ada"), key("bea"))
    assert at_hub(cleared("ada", "bea", statement=strict_json.b64_encode(data))) == ([], [4])


def test_late_evidence_of_operators_is_read_by_the_authority_of_its_own_time() -> None:
    """Keys ended since, or one of them left; what the hub passed on itself it has verified."""
    late_s = NOW + 200 * DAY_S
    leaf = cleared("ada", "bea")
    assert at_hub(leaf, now_s=late_s)[1] == []

    def gone(_: int) -> AuthoritySet:
        return authority_set(authority(people=[person("ada"), person("cyd")]))

    assert at_hub(leaf, now_s=late_s, authority_at=gone)[1] == [4]
    digest = hashlib.sha256(leaf.envelope()).digest()
    assert at_hub(leaf, now_s=late_s, authority_at=gone, passed_on={digest})[1] == []
    other = cleared("ada", "bea", since=NOW - 1)
    assert at_hub(other, now_s=late_s, authority_at=gone, passed_on={digest})[1] == [4]


def test_where_the_hub_has_no_authority_no_word_of_operators_is_kept() -> None:
    def none(_: int) -> AuthoritySet:
        msg = "nobody published one"
        raise NoAuthorityYetError(msg)

    assert at_hub(cleared("ada", "bea"), authority_at=none) == ([], [4])


@pytest.mark.parametrize("by", SaidBy)
@pytest.mark.parametrize("what", SaidWhat)
async def test_a_word_whose_statement_is_no_base64_is_unproved_and_the_rest_of_a_batch_is_kept(
    by: SaidBy, what: SaidWhat
) -> None:
    leaf = SaidLeaf(
        site=SITE,
        appliance=APPLIANCE,
        seq=4,
        at=NOW,
        what=what,
        by=by,
        actor="p-1",
        order=None,
        since=None,
        statement="AAAAA",
    )
    assert at_hub(leaf) == ([], [4])


async def test_the_hub_keeps_a_veto_that_was_heard_of_only_as_the_neighbour_signed_it(
    tmp_path: Path,
) -> None:
    site = await enrolled_site(tmp_path)
    async with alive(site) as (work, _):
        sid = await waits(site, work, target=PLACE)
        await take_neighbours(work, (neighbours(sid),))
        (leaf,) = await words(work)
    rows, unproved = at_hub(leaf)
    assert [(one.by_whom, one.actor) for one in rows] == [("neighbour", "p-7")]
    assert unproved == []
    assert at_hub(leaf, other=key("eve").public) == ([], [leaf.seq])
    assert at_hub(leaf.model_copy(update={"actor": "p-9"})) == ([], [leaf.seq])
    consent = leaf.model_copy(update={"what": SaidWhat.CONSENT})
    assert at_hub(consent) == ([], [leaf.seq])


async def test_the_hub_keeps_a_veto_of_an_appliance_whose_clock_is_slow(tmp_path: Path) -> None:
    """It dates its leaf by that clock, and signs by the time that people's signatures prove."""
    site = await enrolled_site(tmp_path)
    async with alive(site) as (bare, _):
        work = await work_of(site, bare)
        sid = await waits(site, work)
        async with work.store.write() as conn:
            await order_state.pass_people(conn, NOW + 600)
        await veto(work, sid, reason="not now", account="eva")
        (leaf,) = await words(work)
    assert leaf.at < NOW + 600
    rows, unproved = at_hub(leaf, now_s=NOW + 600)
    assert ([one.what for one in rows], unproved) == (["veto"], [])
    assert at_hub(leaf, now_s=NOW) == ([], [leaf.seq]), "of the future by the hub's clock too"
