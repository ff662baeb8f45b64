"""Promoted rules: what an order takes up acts while it fits and is listed, and never first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from appliance.core.promoted import with_promoted
from appliance.core.trusted import Part, Trusted
from appliance.handlers.content import fetch
from appliance.handlers.library import Library
from appliance.handlers.orders.situation import footing_of
from appliance.handlers.orders.table import RUNS
from appliance.handlers.promoted import Promoted, promoted_of
from appliance.handlers.work import Work
from appliance.store import promoted_rules
from appliance.store.promoted_rules import ROWS_MAX
from proto.catalog.model import Content, Rule
from proto.errors import ConflictError, NotFoundError, UnreachableError
from proto.orders.kinds import OrderType
from proto.receipts import Outcome
from runtime.clock import seconds
from tests.e2e.order_portal import TRUSTED
from tests.fakes.clock import ManualClock
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.core_values import CONTENT, THE_RULE
from tests.unit.discovery_site import small_site
from tests.unit.order_world import FILE, NOW
from tests.unit.test_content_library import at_hub, library_at, published
from tests.unit.test_order_handlers import accepted

RULE = replace(THE_RULE, id="l1.p.root_login", is_promoted=True, priority=-1)
OTHER_FILE = "ba" * 32
WISH = {"rule": RULE.id, "content_sha256": FILE}


@dataclass
class Shelf:
    """What is in force and listed, as a test sets it."""

    base: Content = CONTENT
    signed: Trusted = field(default_factory=lambda: replace(TRUSTED, promoted={FILE: RULE}))

    def trusted(self) -> Trusted | None:
        return self.signed

    def withdraw(self) -> None:
        """List no promoted rule any more."""
        self.signed = replace(TRUSTED, promoted={})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def work(tmp_path: Path, shelf: Shelf) -> AsyncIterator[Work]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        promoted = Promoted(lambda: shelf.base, shelf.trusted)
        yield replace(site.work, content=promoted.content, promoted=promoted)


def test_a_set_with_a_promoted_rule_has_a_name_of_its_own_and_tries_it_last() -> None:
    found = with_promoted(CONTENT, {FILE: RULE})
    again = with_promoted(CONTENT, {FILE: RULE})
    of_the_check = [rule.id for rule in found.rules.values() if rule.check == RULE.check]
    assert of_the_check == [THE_RULE.id, RULE.id]
    assert found.digest == again.digest != CONTENT.digest
    assert found.checks is CONTENT.checks


@pytest.mark.parametrize(
    "rule",
    [
        replace(RULE, id=THE_RULE.id),
        replace(RULE, is_promoted=False),
        replace(RULE, priority=99),
        replace(RULE, runbook_id="rb.x"),
        replace(RULE, params={"a": 1}),
    ],
    ids=["a release rule's id", "not promoted", "acts first", "another runbook", "other params"],
)
def test_a_rule_that_does_not_fit_is_left_out(rule: Rule) -> None:
    assert with_promoted(CONTENT, {FILE: rule}) is CONTENT


async def test_an_order_takes_a_rule_up_and_it_acts_after_a_restart_too(
    work: Work, shelf: Shelf
) -> None:
    assert RULE.id not in work.content().rules
    order = accepted(OrderType.SYNC_PROMOTED_RULE, WISH)
    done = await RUNS[OrderType.SYNC_PROMOTED_RULE](work, order)
    again = await promoted_of(work.store, lambda: shelf.base, shelf.trusted)
    assert (done.outcome, done.told) == (Outcome.DONE, {"active": True})
    assert RULE.id in work.content().rules
    assert again.content().digest == work.content().digest
    assert work.content() is work.content()


async def test_a_rule_that_is_no_longer_listed_or_no_longer_fits_stops_acting(
    work: Work, shelf: Shelf
) -> None:
    await RUNS[OrderType.SYNC_PROMOTED_RULE](work, accepted(OrderType.SYNC_PROMOTED_RULE, WISH))
    without = {name: one for name, one in CONTENT.rules.items() if name != THE_RULE.id}
    shelf.base = replace(CONTENT, rules=without)
    assert work.content() is shelf.base
    shelf.base = CONTENT
    assert RULE.id in work.content().rules
    shelf.withdraw()
    assert work.content() is CONTENT


async def test_a_rule_that_was_withdrawn_meanwhile_is_not_said_to_act(
    work: Work, shelf: Shelf
) -> None:
    shelf.withdraw()
    order = accepted(OrderType.SYNC_PROMOTED_RULE, WISH)
    done = await RUNS[OrderType.SYNC_PROMOTED_RULE](work, order)
    assert (done.outcome, done.told) == (Outcome.FAILED, {"active": False})


async def test_a_newer_file_of_a_rule_takes_the_place_of_the_one_before(work: Work) -> None:
    async with work.store.write() as conn:
        for digest in (FILE, OTHER_FILE):
            await promoted_rules.take(conn, RULE.id, sha256=digest, order="ab" * 32, now_ms=1)
        assert await promoted_rules.taken(conn) == {OTHER_FILE}


async def test_promoted_rules_are_bounded(work: Work) -> None:
    async with work.store.write() as conn:
        await conn.executemany(
            "INSERT INTO promoted_rules VALUES (?, ?, ?, 1)",
            [(f"l1.p.{number}", f"{number:064x}", "ab" * 32) for number in range(ROWS_MAX)],
        )
        with pytest.raises(ConflictError):
            await promoted_rules.take(conn, "l1.p.x", sha256=FILE, order="ab" * 32, now_ms=1)
        await promoted_rules.take(conn, "l1.p.0", sha256=FILE, order="ab" * 32, now_ms=1)


async def test_without_signed_content_there_is_nothing_to_sync(work: Work) -> None:
    bare = replace(work, promoted=None)
    for order_type, wish in (
        (OrderType.SYNC_PROMOTED_RULE, WISH),
        (OrderType.SYNC_RULES, {"content_sha256": FILE}),
    ):
        with pytest.raises(NotFoundError):
            await RUNS[order_type](bare, accepted(order_type, wish))


def fetching(work: Work, library: Library) -> Work:
    """Return the appliance over a library of signed content."""
    made = replace(work, content=lambda: library.content, trusted=lambda: library.trusted)

    async def ask() -> None:
        await fetch(made, library)

    return replace(made, fetch_content=ask)


async def test_new_content_is_in_force_at_once_and_the_answer_names_it(
    work: Work, tmp_path: Path
) -> None:
    async with at_hub(tmp_path / "content", published()) as (library, _):
        site = replace(work, clock=ManualClock(NOW * 1000))
        here, before = fetching(site, library), library.content.digest
        absent = {"content_sha256": FILE}
        done = await RUNS[OrderType.SYNC_RULES](here, accepted(OrderType.SYNC_RULES, absent))
        assert library.trusted is not None
        listed = {"content_sha256": next(iter(library.trusted.files))}
        same = await RUNS[OrderType.SYNC_RULES](here, accepted(OrderType.SYNC_RULES, listed))
        after = library.content.digest
    assert (done.outcome, done.told["current"], done.told["changed"]) == (
        Outcome.FAILED,
        False,
        True,
    )
    assert str(done.told["content"]) == after != before
    assert (same.outcome, same.told["changed"]) == (Outcome.DONE, False)


async def test_a_hub_that_does_not_answer_gives_no_answer(work: Work, tmp_path: Path) -> None:
    here = fetching(work, library_at(tmp_path / "content", published()))
    order = accepted(OrderType.SYNC_RULES, {"content_sha256": FILE})
    with pytest.raises(UnreachableError):
        await RUNS[OrderType.SYNC_RULES](here, order)


async def test_a_clock_set_back_gives_the_peoples_word_on_promoted_rules_no_new_life(
    work: Work, shelf: Shelf
) -> None:
    ends_s = seconds(work.clock) + 1
    shelf.signed = replace(shelf.signed, ends={**TRUSTED.ends, Part.PROMOTED: ends_s})
    here = replace(work, trusted=shelf.trusted)
    footing = footing_of(here)
    assert footing is not None
    assert set(footing.promoted) == {FILE}
    here.word.floor_s = ends_s
    footing = footing_of(here)
    assert footing is not None
    assert not footing.promoted
