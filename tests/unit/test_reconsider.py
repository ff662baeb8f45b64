"""What a person was given is looked at again when its ground changed, and nothing heals twice."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.gates import Candidate, Escalate, History, Proceed, plan_of, rule_on
from appliance.core.plan import PLAN_BYTES_MAX, Plan
from appliance.core.reconsider import DECIDED_BEFOREHAND, NOT_WORKED, reconsidered
from appliance.handlers.reconsider import Looked
from appliance.handlers.work import Work
from appliance.ports import Sudo
from appliance.store import devices, findings, incidents, journal
from appliance.store import targets as target_rows
from appliance.store.devices import Seen
from appliance.store.targets import Target
from appliance.tasks.heal import consider
from proto.catalog.model import Action, Autonomy, Content, Rule, Runbook
from proto.findings import Verdict
from proto.incidents import Cause, Incident, State
from proto.inventory import DeviceClass, Platform
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell, credential
from tests.unit.core_values import (
    CONTENT,
    NOW_MS,
    SITE,
    TARGET,
    THE_CHECK,
    THE_RULE,
    THE_RUNBOOK,
    facts,
    finding,
    incident,
)
from tests.unit.discovery_site import small_site

LATER_MS = NOW_MS + 1000
NEVER = frozenset(Cause) - DECIDED_BEFOREHAND - NOT_WORKED


def escalated(cause: Cause, *, attempt: int = 2) -> Incident:
    return replace(incident(State.ESCALATED), cause=cause, attempt=attempt)


FREE = Candidate(
    incident=escalated(Cause.NO_RULE),
    finding=finding(),
    check=THE_CHECK,
    is_waived=False,
    rule=THE_RULE,
    runbook=THE_RUNBOOK,
    facts=facts(),
    site_autonomy=Autonomy.AUTO,
    history=History(fires_ms=(), breaker_until_ms=0, is_busy=False, is_refused=False),
    content=CONTENT.digest,
)


def planned(runbook: Runbook = THE_RUNBOOK, rule: Rule = THE_RULE) -> Plan:
    return plan_of(rule, runbook, facts(), content="another set")


@pytest.mark.parametrize("cause", sorted(DECIDED_BEFOREHAND))
def test_what_the_gates_would_now_repair_is_opened_again(cause: Cause) -> None:
    after = reconsidered(replace(FREE, incident=escalated(cause)), None, now_ms=LATER_MS)
    assert after is not None
    assert (after.state, after.cause, after.attempt) == (State.OPEN, None, 2)
    assert isinstance(rule_on(replace(FREE, incident=after), now_ms=NOW_MS), Proceed)


@pytest.mark.parametrize("cause", sorted(DECIDED_BEFOREHAND))
def test_what_still_needs_a_person_stays_and_a_new_reason_is_told_once(cause: Cause) -> None:
    unmatched = replace(FREE, rule=None, runbook=None, incident=escalated(cause))
    after = reconsidered(unmatched, None, now_ms=LATER_MS)
    if cause is Cause.NO_RULE:
        assert after is None
        return
    assert after is not None
    assert (after.state, after.cause) == (State.ESCALATED, Cause.NO_RULE)
    assert reconsidered(replace(unmatched, incident=after), None, now_ms=LATER_MS) is None


def test_switching_repairs_off_takes_nothing_out_of_a_persons_hands() -> None:
    waiting = replace(FREE, incident=escalated(Cause.APPROVAL_NEEDED))
    observed = replace(waiting, site_autonomy=Autonomy.OBSERVE)
    assert reconsidered(observed, None, now_ms=LATER_MS) is None


@pytest.mark.parametrize("cause", sorted(NEVER))
def test_what_was_left_in_an_unknown_state_stays_a_persons(cause: Cause) -> None:
    other = replace(THE_RUNBOOK, capture="echo {}")
    given = replace(FREE, incident=escalated(cause), runbook=other)
    assert reconsidered(given, planned(), now_ms=LATER_MS) is None


@pytest.mark.parametrize("cause", sorted(NOT_WORKED))
def test_a_repair_that_was_undone_is_not_tried_again_as_it_was(cause: Cause) -> None:
    spent = replace(FREE, incident=escalated(cause))
    assert reconsidered(spent, planned(), now_ms=LATER_MS) is None
    renamed = replace(THE_RUNBOOK, id="rb.lin.ssh.renamed", title="Another title")
    moved = replace(facts(), target_address="10.9.9.9")
    same = replace(spent, runbook=renamed, facts=moved)
    assert reconsidered(same, planned(), now_ms=LATER_MS) is None, "the same scripts"
    assert reconsidered(spent, None, now_ms=LATER_MS) is None, "nobody knows what was tried"


@pytest.mark.parametrize("cause", sorted(NOT_WORKED))
def test_other_scripts_get_one_attempt_more(cause: Cause) -> None:
    other = replace(THE_RUNBOOK, undo=THE_RUNBOOK.undo + "\n:")
    spent = replace(FREE, incident=escalated(cause), runbook=other)
    after = reconsidered(spent, planned(), now_ms=LATER_MS)
    assert after is not None
    assert after.attempt == (3 if cause is Cause.ATTEMPTS_SPENT else 2)
    assert reconsidered(spent, planned(other), now_ms=LATER_MS) is None, "tried by now"
    cautious = replace(spent, site_autonomy=Autonomy.APPROVE)
    assert reconsidered(cautious, planned(), now_ms=LATER_MS) is None


class Site:
    """A real store with one drifted target, whose content and dial a test may change."""

    def __init__(self, work: Work) -> None:
        """Begin with the content and the dial that `work` has."""
        self.now = work.content()
        self.looked: Looked = {}
        self.work = replace(work, content=lambda: self.now)

    async def drift(self) -> None:
        """Record that the check of the reference set drifted, as the content in force says."""
        at_ms = self.work.clock.now_ms()
        drifted = finding(Verdict.DRIFTED, content=self.now.digest, at_ms=at_ms)
        async with self.work.store.write() as conn:
            await findings.put(conn, drifted, since_ms=at_ms)

    async def swap(self, content: Content, name: str) -> None:
        """Put other content in force, under which the check drifts as before."""
        self.now = replace(content, digest=hashlib.sha256(name.encode()).hexdigest())
        await self.drift()

    def dial(self, autonomy: Autonomy) -> None:
        settings = self.work.settings
        site = replace(settings.site, autonomy=autonomy)
        self.work = replace(self.work, settings=replace(settings, site=site))

    async def consider(self) -> Incident:
        await consider(self.work, self.looked)
        async with self.work.store.read() as conn:
            found = await incidents.get(conn, SITE, incident().id)
        assert found is not None
        return found

    async def turns(self) -> list[tuple[str, str | None]]:
        async with self.work.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT state, cause FROM turns ORDER BY n")
        return [(row["state"], row["cause"]) for row in rows]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as small:
        target = Target(
            id=TARGET,
            platform=Platform.LINUX,
            device_class=DeviceClass.SERVER,
            address="10.0.0.5",
            port=22,
            login="osiris",
            sudo=Sudo.NOPASSWD,
            host_key="ssh-ed25519 AAAA",
            os="debian",
            os_version="12",
            label="",
            added_ms=1,
        )
        async with small.work.store.write() as conn:
            await devices.upsert(conn, [Seen(TARGET, DeviceClass.SERVER, "", {})], at_ms=1)
            await target_rows.add(conn, small.work.sealer, target, credential=credential())
            await incidents.put(conn, incident())
        found = Site(small.work)
        await found.drift()
        yield found


def without_rule(content: Content) -> Content:
    return replace(content, rules={})


def escalating(content: Content) -> Content:
    rule = replace(THE_RULE, action=Action.ESCALATE, runbook_id=None)
    return replace(content, rules={rule.id: rule})


async def test_a_new_rule_heals_what_was_handed_to_a_person(site: Site) -> None:
    whole = site.now
    await site.swap(without_rule(whole), "no rule")
    assert (await site.consider()).cause is Cause.NO_RULE
    await site.swap(escalating(whole), "escalating rule")
    told = await site.consider()
    assert (told.state, told.cause) == (State.ESCALATED, Cause.RULE_ESCALATES)
    assert told.decided is not None
    assert told.decided.id == THE_RULE.id
    await site.swap(whole, "whole")
    assert (await site.consider()).state is State.PLANNED
    assert await site.turns() == [
        ("escalated", "no_rule"),
        ("escalated", "rule_escalates"),
        ("open", None),
        ("planned", None),
    ]


async def test_the_dial_of_the_site_is_looked_at_again(site: Site) -> None:
    site.dial(Autonomy.APPROVE)
    assert (await site.consider()).cause is Cause.APPROVAL_NEEDED
    site.dial(Autonomy.AUTO)
    assert (await site.consider()).state is State.PLANNED


async def test_while_nothing_changes_nothing_is_written(site: Site) -> None:
    await site.swap(without_rule(site.now), "no rule")
    before = await site.consider()
    for looked in (site.looked, {}, {}):
        site.looked = dict(looked)
        assert await site.consider() == before
    assert await site.turns() == [("escalated", "no_rule")]


async def test_after_new_content_a_repair_waits_for_a_finding_by_that_content(site: Site) -> None:
    """A judge that changed may not call it drift any more: the old answer starts nothing."""
    whole = site.now
    await site.swap(without_rule(whole), "no rule")
    await site.consider()
    site.now = whole
    held = await site.consider()
    assert (held.state, held.cause) == (State.OPEN, Cause.STALE_FINDING)


async def test_an_escalated_incident_whose_check_is_gone_is_closed(site: Site) -> None:
    await site.swap(without_rule(site.now), "no rule")
    await site.consider()
    site.now = replace(site.now, checks={}, digest="0" * 64)
    gone = await site.consider()
    assert (gone.state, gone.cause) == (State.CLOSED, Cause.CHECK_GONE)


async def test_a_repair_too_large_for_the_journal_goes_to_a_person_and_stores_nothing(
    site: Site,
) -> None:
    huge = replace(site.now.runbooks[THE_RUNBOOK.id], capture="#" * PLAN_BYTES_MAX)
    await site.swap(replace(site.now, runbooks={huge.id: huge}), "huge")
    found = await site.consider()
    assert (found.state, found.cause) == (State.ESCALATED, Cause.PLAN_TOO_LARGE)
    async with site.work.store.read() as conn:
        assert await journal.current_repair(conn, found.id) is None
        assert await journal.unfinished(conn, found.id) is None


def test_an_unfit_plan_is_escalated_by_the_gates_themselves() -> None:
    huge = replace(THE_RUNBOOK, capture="#" * PLAN_BYTES_MAX)
    ruling = rule_on(replace(FREE, runbook=huge), now_ms=NOW_MS)
    assert ruling == Escalate(Cause.PLAN_TOO_LARGE)
