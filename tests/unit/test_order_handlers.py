"""What each order does on the appliance: a real store, the real heal loop, a host in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.core.box_keys import BoxKeys
from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.orders.healing import IncidentGoneError
from appliance.handlers.orders.table import NOT_HERE, RESUMES, RUNS
from appliance.handlers.orders.update_credentials import OtherTargetError
from appliance.handlers.orders.waive import WiderWaiverError
from appliance.handlers.people import People
from appliance.handlers.site_rules import lan_rules_of, site_rules
from appliance.handlers.work import Work
from appliance.store import (
    devices,
    findings,
    incidents,
    lan_rules,
    meta,
    opinions,
    ordered,
    targets,
)
from appliance.tasks import heal
from proto.catalog.load import load
from proto.catalog.model import Autonomy
from proto.errors import NotFoundError
from proto.evidence import HealLeaf
from proto.findings import Reason, Verdict
from proto.ids import IncidentId, TargetId
from proto.incidents import Cause, Incident, Severity, State
from proto.keys import SEED_BYTES, SealError, SealingKey
from proto.orders.kinds import OrderType, Tier
from proto.orders.registry import kind_of
from proto.phi.leaving import document
from proto.receipts import Intent, Outcome
from proto.sealed_login import SealedLogin, digest_of, seal
from proto.secret import Secret
from tests.e2e import clinic_scene_content as lamps
from tests.fakes.shell import credential, ran
from tests.unit.cut_process import virtual
from tests.unit.order_site import leaves
from tests.unit.order_world import NOW, body, read_ok, signed
from tests.unit.reference_set import as_files
from tests.unit.test_restart_every_point import (
    LAMP,
    TARGET,
    Box,
    Bulb,
    alive,
    box_with,
)

DAY_S = 86_400
OTHER = TargetId("t-bbbbbbbbbb")
RUNBOOK = f"rb.{LAMP.check}"
BOX_KEY = SealingKey(bytes(range(SEED_BYTES)))


def accepted(
    order_type: OrderType,
    params: Mapping[str, Any],
    *,
    tier: Tier | None = None,
    people: tuple[str, ...] = (),
    nonce: int = 1,
) -> Accepted:
    """Return an order as the gate accepts it."""
    found = read_ok(signed(body(order_type, params=dict(params), nonce=f"{nonce:032x}"), *people))
    kind = kind_of(order_type)
    return Accepted(
        read=found,
        params=kind.params.from_value(dict(params), "params"),
        tier=kind.tier if tier is None else tier,
        people=people,
        grant="g",
        entry=None,  # type: ignore[arg-type]
        deadline_s=NOW + kind.timeout_s,
    )


async def ordered_run(
    work: Work,
    order_type: OrderType,
    params: Mapping[str, Any],
    **how: Any,  # noqa: ANN401 - as `accepted`
) -> Done:
    """Carry an order out as the appliance does; what it tells may always leave."""
    done = await RUNS[order_type](work, accepted(order_type, params, **how))
    document(done.told)
    return done


@asynccontextmanager
async def healing(box: Box) -> AsyncIterator[Work]:
    """Run one process with its heal loop."""
    async with alive(box) as made:
        work = replace(made, box_keys=BoxKeys(BOX_KEY))
        loop = asyncio.create_task(heal.run(work))
        try:
            yield work
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)


async def only_incident(work: Work) -> Incident:
    async with work.store.read() as conn:
        rows = await conn.execute_fetchall("SELECT id FROM incidents ORDER BY opened_ms DESC")
        found = await incidents.get(conn, work.scribe.site, next(iter(rows))["id"])
    assert found is not None
    return found


def until(work: Work, days: int = 1) -> int:
    return work.clock.now_ms() // 1000 + days * DAY_S


async def hold_local_healing(work: Work, autonomy: Autonomy = Autonomy.ALERT) -> None:
    """Let rules hand everything to a person, as a site does that only wants to be told."""
    done = await ordered_run(
        work,
        OrderType.SET_POLICY,
        {"check": "all", "autonomy": autonomy.value, "until": until(work, 30)},
        tier=Tier.DANGEROUS,
    )
    assert done.outcome is Outcome.DONE


def healing_order(incident: Incident) -> dict[str, Any]:
    return {"incident": incident.id, "runbook": RUNBOOK, "params": {}}


def test_every_type_is_carried_out_or_not_here() -> None:
    assert RUNS.keys() | NOT_HERE == set(OrderType)
    assert not RUNS.keys() & NOT_HERE
    assert set(RESUMES) == {OrderType.RESTART_AGENT, OrderType.UPDATE_AGENT}


@virtual
async def test_an_ordered_repair_is_proved_and_its_evidence_names_the_order(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await hold_local_healing(work)
    async with healing(box) as work:
        await asyncio.sleep(1)
        escalated = await only_incident(work)
        assert (escalated.state, escalated.cause) == (State.ESCALATED, Cause.ALERT_ONLY)
        order = accepted(OrderType.HEALING, healing_order(escalated), people=("ada",))
        done = await RUNS[OrderType.HEALING](work, order)
        after = await only_incident(work)
        (leaf,) = [one for one in await leaves(work) if isinstance(one, HealLeaf)]
    assert done.outcome is Outcome.DONE
    assert str(done.told["result"]) == "healed"
    assert after.state is State.HEALED
    assert after.decided is not None
    assert (after.decided.by, after.decided.id) == ("order", order.read.sid)
    assert leaf.to_value()["cause"] == {"order": order.read.sid}
    assert box.bulb.is_lit


@virtual
async def test_what_waits_for_a_person_is_not_begun_by_the_hub_alone(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await hold_local_healing(work)
    async with healing(box) as work:
        await asyncio.sleep(1)
        order = healing_order(await only_incident(work))
        done = await ordered_run(work, OrderType.HEALING, order)
    assert done.outcome is Outcome.FAILED
    assert str(done.told["why"]) == Cause.ALERT_ONLY
    assert box.bulb.did == []


@virtual
async def test_an_ordered_repair_that_did_not_work_is_undone_and_failed(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb(works=False))
    async with alive(box) as work:
        await hold_local_healing(work)
    async with healing(box) as work:
        await asyncio.sleep(1)
        order = healing_order(await only_incident(work))
        done = await ordered_run(work, OrderType.HEALING, order, people=("ada",))
        first = await only_incident(work)
    assert done.outcome is Outcome.FAILED
    assert str(done.told["result"]) == "undone"
    assert box.bulb.counts()["undo"] == 1
    assert first.state in {State.OPEN, State.ESCALATED}


@virtual
async def test_a_protected_host_is_not_repaired_whoever_signed(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work, work.store.write() as conn:
        await lan_rules.protect(conn, TARGET, reason="the server", account="ana", now_ms=1)
    async with healing(box) as work:
        await asyncio.sleep(1)
        held = await only_incident(work)
        done = await ordered_run(
            work, OrderType.HEALING, healing_order(held), people=("ada", "ben")
        )
        async with work.store.read() as conn:
            told = await lan_rules_of(conn, work)
    assert held.cause is Cause.PROTECTED_HOST
    assert str(done.told["why"]) == Cause.PROTECTED_HOST
    assert told.protected == {TARGET}
    assert box.bulb.did == []


@virtual
async def test_a_finding_that_is_too_old_is_asked_again_before_anything_changes(
    tmp_path: Path,
) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await hold_local_healing(work)
        await asyncio.sleep(5 * DAY_S)
    async with healing(box) as work:
        box.bulb.is_lit = True  # somebody put it right by hand
        before = await only_incident(work)
        done = await ordered_run(work, OrderType.HEALING, healing_order(before), people=("ada",))
        after = await only_incident(work)
    assert done.outcome is Outcome.DONE
    assert str(done.told["result"]) == "passed"
    assert after.state is State.CLOSED
    assert [what for what, _ in box.bulb.did] == ["verify"]


@virtual
async def test_what_no_longer_applies_has_not_passed(tmp_path: Path) -> None:
    """The incident is over, and nothing was repaired or proved: that is no done order."""
    box = await box_with(tmp_path, Bulb())
    path = f"checks/linux/{LAMP.check}.yaml"
    files = lamps.texts((LAMP,))
    files[path] = (
        files[path]
        .replace("judge:", 'applies: [{field: value, operator: ne, value: "gone"}]\njudge:')
        .replace('"dark"]', '"dark", "gone"]')
        + '  - {answer: {value: "gone"}, verdict: not_applicable}\n'
    )
    box.content = load(as_files(files))
    async with alive(box) as work:
        await hold_local_healing(work)
        await asyncio.sleep(5 * DAY_S)
    async with healing(box) as work:
        box.bulb.is_gone = True
        before = await only_incident(work)
        with pytest.raises(IncidentGoneError):
            await ordered_run(work, OrderType.HEALING, healing_order(before), people=("ada",))
        after = await only_incident(work)
    assert (after.state, after.cause) == (State.CLOSED, Cause.NOT_APPLICABLE)
    assert box.bulb.counts() == {"verify": 1}


@virtual
async def test_an_incident_that_is_over_is_not_repaired(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with healing(box) as work:
        await asyncio.sleep(60)
        healed = await only_incident(work)
        assert healed.state is State.HEALED
        with pytest.raises(IncidentGoneError):
            await ordered_run(work, OrderType.HEALING, healing_order(healed))


@virtual
async def test_healing_is_stopped_and_begins_again_by_order_or_by_itself(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        stop = {"check": LAMP.check, "until": until(work)}
        await ordered_run(work, OrderType.DISABLE_HEALING, stop)
    async with healing(box) as work:
        await asyncio.sleep(60)
        held = await only_incident(work)
        assert (held.state, held.cause) == (State.OPEN, Cause.HELD_BY_ORDER)
        assert box.bulb.did == []
        done = await ordered_run(work, OrderType.ENABLE_HEALING, {"check": LAMP.check})
        assert (done.outcome, done.told["ended"]) == (Outcome.DONE, 1)
        async with work.store.read() as conn:
            assert (await site_rules(conn, work)).dial(LAMP.check).autonomy is Autonomy.AUTO


@virtual
async def test_healing_that_stays_stopped_for_every_check_is_said(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await ordered_run(work, OrderType.DISABLE_HEALING, {"check": "all", "until": until(work)})
        done = await ordered_run(work, OrderType.ENABLE_HEALING, {"check": LAMP.check})
        assert (done.outcome, done.told["still_stopped"]) == (Outcome.FAILED, True)
        done = await ordered_run(work, OrderType.ENABLE_HEALING, {"check": "all"})
        assert (done.outcome, done.told["ended"]) == (Outcome.DONE, 1)


@virtual
async def test_the_answer_says_what_holds_when_the_lan_is_more_cautious(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await People(work).set_observe_only(on=True, account="ana")
        wish = {"check": LAMP.check, "autonomy": "auto", "until": until(work)}
        done = await ordered_run(work, OrderType.SET_POLICY, wish, tier=Tier.DANGEROUS)
        await ordered_run(work, OrderType.ENABLE_HEALING, {"check": "all"})
        async with work.store.read() as conn:
            dial = (await site_rules(conn, work)).dial(LAMP.check)
    assert str(done.told["holds"]) == "observe"
    assert dial.autonomy is Autonomy.OBSERVE
    assert not dial.is_ordered


@virtual
async def test_one_person_only_adds_caution_and_two_take_the_place_of_it(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        for level, days in (("alert", 60), ("observe", 30)):
            wish = {"check": LAMP.check, "autonomy": level, "until": until(work, days)}
            await ordered_run(work, OrderType.SET_POLICY, wish)
        await asyncio.sleep(40 * DAY_S)
        async with work.store.read() as conn:
            assert (await site_rules(conn, work)).dial(LAMP.check).autonomy is Autonomy.ALERT
        wish = {"check": LAMP.check, "autonomy": "auto", "until": until(work, 1)}
        done = await ordered_run(work, OrderType.SET_POLICY, wish, tier=Tier.DANGEROUS)
    assert (str(done.told["holds"]), done.told["ended"]) == ("auto", 1)


@virtual
async def test_a_waiver_holds_the_incident_and_ends_by_itself(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        wish = {"check": LAMP.check, "on": "all", "until": until(work)}
        done = await ordered_run(work, OrderType.WAIVE, wish)
        assert done.told["incidents"] == 1
        await asyncio.sleep(DAY_S - 60)
    async with healing(box) as work:
        await asyncio.sleep(30)
        assert (await only_incident(work)).state is State.WAIVED
        assert box.bulb.did == []
        await asyncio.sleep(120)
        assert (await only_incident(work)).state is not State.WAIVED


@virtual
async def test_a_waiver_holds_incidents_behind_many_that_are_worse(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        mild = await only_incident(work)
        async with work.store.write() as conn:
            for number in range(incidents.DUE_MAX):
                worse = replace(
                    mild,
                    id=IncidentId(f"i-{b32(number)}"),
                    check=f"lin.other.{number}",
                    severity=Severity.CRITICAL,
                    opened_ms=0,
                )
                await incidents.put(conn, worse)
        wish = {"check": LAMP.check, "on": "all", "until": until(work)}
        done = await ordered_run(work, OrderType.WAIVE, wish, people=("ada",))
        async with work.store.read() as conn:
            after = await incidents.get(conn, work.scribe.site, mild.id)
            other = await incidents.get(conn, work.scribe.site, IncidentId(f"i-{b32(0)}"))
    assert done.told["incidents"] == 1
    assert after is not None
    assert other is not None
    assert (after.state, other.state) == (State.WAIVED, State.OPEN)


def b32(number: int) -> str:
    return "".join("abcdefghijklmnop"[number >> shift & 15] for shift in range(36, -1, -4))


@virtual
async def test_two_people_end_what_orders_waived_and_not_what_the_lan_did(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await People(work).add_waiver(
            TARGET, LAMP.check, reason="agreed", until_ms=until(work) * 1000, account="ana"
        )
        await ordered_run(
            work, OrderType.WAIVE, {"check": LAMP.check, "on": [TARGET], "until": until(work)}
        )
        over = {"check": LAMP.check, "on": [TARGET], "until": 0}
        done = await ordered_run(work, OrderType.WAIVE, over, tier=Tier.DANGEROUS)
        assert done.told["ended"] == 1
        async with work.store.read() as conn:
            rules = await site_rules(conn, work)
        assert rules.ordered == ()
        assert rules.is_waived(TARGET, LAMP.check)
        with pytest.raises(NotFoundError):
            await ordered_run(work, OrderType.WAIVE, over, tier=Tier.DANGEROUS)


@virtual
async def test_a_wider_waiver_is_not_cut_to_pieces(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        wide = {"check": LAMP.check, "on": "all", "until": until(work)}
        await ordered_run(work, OrderType.WAIVE, wide)
        narrow = {"check": LAMP.check, "on": [TARGET], "until": 0}
        with pytest.raises(WiderWaiverError):
            await ordered_run(work, OrderType.WAIVE, narrow, tier=Tier.DANGEROUS)
        everything = {"check": "all", "on": "all", "until": 0}
        done = await ordered_run(work, OrderType.WAIVE, everything, tier=Tier.DANGEROUS)
        async with work.store.read() as conn:
            left = await ordered.in_force(conn, now_ms=work.clock.now_ms())
    assert done.told["ended"] == 1
    assert left == ()


@virtual
async def test_named_checks_of_named_targets_are_asked_again(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb(is_lit=True))
    async with alive(box) as work:
        wish = {"on": [TARGET], "checks": [LAMP.check]}
        done = await ordered_run(work, OrderType.RUN_DRIFT, wish)
        async with work.store.read() as conn:
            kept = await findings.of_target(conn, work.scribe.site, TARGET)
    assert done.outcome is Outcome.DONE
    assert (done.told["looked_at"], done.told["compliant"]) == (1, 1)
    assert kept[LAMP.check].finding.verdict is Verdict.COMPLIANT


@virtual
async def test_a_target_that_refused_a_login_is_left_alone_by_orders(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        box.host.users = {}
        first = await ordered_run(work, OrderType.RUN_DRIFT, {"on": "all", "checks": "all"})
        tried = box.host.logins
        again = await ordered_run(work, OrderType.RUN_DRIFT, {"on": "all", "checks": "all"})
        async with work.store.read() as conn:
            kept = await findings.of_target(conn, work.scribe.site, TARGET)
    assert first.told["unknown"] == 1
    assert (again.outcome, again.told["held_back"]) == (Outcome.FAILED, 1)
    assert box.host.logins == tried
    assert kept[LAMP.check].finding.reason is Reason.AUTH_REFUSED


@virtual
async def test_a_device_that_is_off_limits_is_not_looked_at_by_order(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await People(work).put_off_limits(TARGET, reason="an analyser", account="ana")
        done = await ordered_run(work, OrderType.RUN_DRIFT, {"on": "all", "checks": "all"})
        async with work.store.read() as conn:
            told = await lan_rules_of(conn, work)
            device = await devices.get(conn, TARGET)
    assert device.is_off_limits
    assert (done.outcome, done.told["off_limits"]) == (Outcome.FAILED, 1)
    assert box.bulb.did == []
    assert told.protected == {TARGET}


@virtual
async def test_a_cancel_is_said_of_the_order_and_wakes_the_gate(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        order = accepted(OrderType.CANCEL, {"order": "0f" * 32})
        done = await RUNS[OrderType.CANCEL](work, order)
        async with work.store.read() as conn:
            said = await opinions.said(conn, "0f" * 32)
        assert await work.bells.orders.wait(0)
    assert done.outcome is Outcome.DONE
    assert said.cancelled_by == order.read.sid


@virtual
async def test_no_agent_has_spoken_where_there_is_none(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as work:
        await ordered_run(work, OrderType.RUN_DRIFT, {"on": "all", "checks": "all"})
        done = await ordered_run(work, OrderType.SENSOR_STATUS, {"on": "all"})
    assert done.told == {"targets": 1, "with_sensor": 0}


NEW_LOGIN = SealedLogin(TARGET, "backup", "nopasswd", None, Secret("new password"), None)


async def sent(work: Work, login: SealedLogin, to: SealingKey = BOX_KEY) -> dict[str, Any]:
    """Put a sealed login where the hub's box lands, and return the order's parameters."""
    box = seal(login, to.public)
    async with work.store.write() as conn:
        await opinions.keep_box(conn, box, now_ms=work.clock.now_ms())
    return {"target": TARGET, "sealed_sha256": digest_of(box), "sealed_to": to.public.digest()}


async def login_now(work: Work) -> tuple[str, str | None]:
    async with work.store.read() as conn:
        login = await targets.login_of(conn, work.sealer, TARGET)
    password = login.credential.password
    return login.user, password.reveal_bytes().decode() if password else None


def answer_facts(box: Box) -> None:
    """Let the host answer what it is, too."""
    lamp = box.host.behaviour
    facts = '{"kernel":"Linux","os":"debian","os_version":"13","name":"lamp","uid":1000}'

    def answer(script: Any, variables: Any) -> Any:  # noqa: ANN401 - a behaviour
        if "uname" in script.text:
            return ran(facts)
        return ran('{"uid":0}') if "id -u" in script.text else lamp(script, variables)

    box.host.behaviour = answer


@virtual
async def test_a_sealed_login_is_tried_and_then_replaces_the_old_one(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    answer_facts(box)
    async with alive(box) as made:
        work = replace(made, box_keys=BoxKeys(BOX_KEY))
        box.host.users["backup"] = credential(password="new password")  # noqa: S106
        box.host.sudo["backup"] = box.host.sudo["osiris"]
        done = await ordered_run(work, OrderType.UPDATE_CREDENTIALS, await sent(work, NEW_LOGIN))
        assert await login_now(work) == ("backup", "new password")
        async with work.store.read() as conn:
            assert await opinions.boxes(conn) == frozenset()
    assert (done.outcome, done.told) == (Outcome.DONE, {"is_root": True})


@virtual
async def test_a_login_that_does_not_open_the_target_changes_nothing(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    answer_facts(box)
    async with alive(box) as made:
        work = replace(made, box_keys=BoxKeys(BOX_KEY))
        done = await ordered_run(work, OrderType.UPDATE_CREDENTIALS, await sent(work, NEW_LOGIN))
        assert await login_now(work) == ("osiris", None)
    assert (done.outcome, str(done.told["why"])) == (Outcome.FAILED, "auth_refused")


@virtual
async def test_a_box_for_another_key_or_target_is_refused_untried(tmp_path: Path) -> None:
    box = await box_with(tmp_path, Bulb())
    async with alive(box) as made:
        work = replace(made, box_keys=BoxKeys(BOX_KEY))
        foreign = await sent(work, NEW_LOGIN, SealingKey(bytes(SEED_BYTES)))
        with pytest.raises(SealError):
            await ordered_run(work, OrderType.UPDATE_CREDENTIALS, foreign)
        elsewhere = await sent(work, replace(NEW_LOGIN, target=OTHER))
        with pytest.raises(OtherTargetError):
            await ordered_run(work, OrderType.UPDATE_CREDENTIALS, elsewhere)
        gone = {**elsewhere, "sealed_sha256": "00" * 32}
        with pytest.raises(NotFoundError):
            await ordered_run(work, OrderType.UPDATE_CREDENTIALS, gone)
    assert box.host.logins == 0


@virtual
async def test_a_restart_waits_for_repairs_marks_itself_and_is_done_after_the_start(
    tmp_path: Path,
) -> None:
    box = await box_with(tmp_path, Bulb())
    order = accepted(OrderType.RESTART_AGENT, {"drain_s": 300})
    async with healing(box) as work:
        await asyncio.sleep(0.5)
        running = asyncio.ensure_future(RUNS[OrderType.RESTART_AGENT](work, order))
        assert await work.bells.restart.wait(400)
        after = await only_incident(work)
        assert after.state is State.HEALED  # the repair in hand was brought to its end
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    async with alive(box) as work:
        done = await RESUMES[OrderType.RESTART_AGENT](work, intent_of(order))
        other = await RESUMES[OrderType.RESTART_AGENT](
            work, intent_of(accepted(OrderType.RESTART_AGENT, {"drain_s": 0}, nonce=2))
        )
        async with work.store.read() as conn:
            assert await meta.get(conn, meta.Key.RESTART_ORDER) == order.read.sid
    assert (done.outcome, str(done.told["version"])) == (Outcome.DONE, "0")
    assert other.outcome is Outcome.UNKNOWN


def intent_of(order: Accepted) -> Intent:
    return Intent(
        v=1,
        type="intent",
        site="s-aaaaaaaaaa",
        appliance="a-aaaaaaaaaa",
        seq=0,
        fleet="0:" + "A" * 43 + "=",
        at=NOW,
        floor=NOW,
        prev="00" * 32,
        leaf=order.read.ref.index,
        leaf_hash=order.read.ref.leaf_hash.hex(),
        order=order.read.sid,
        nonce=order.read.order.nonce,
        order_type=OrderType.RESTART_AGENT,
        tier=Tier.HEAL,
        people=(),
        deadline=NOW,
    )


LOOKS = ["disk", "memory", "clock", "network", "store", "services"]


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_the_appliance_gives_numbers_of_this_machine(tmp_path: Path, look: str) -> None:
    @virtual
    async def seen() -> None:
        box = await box_with(tmp_path, Bulb())
        async with alive(box) as work:
            done = await ordered_run(work, OrderType.DIAGNOSTIC, {"look": look})
        assert done.told
        assert all(isinstance(value, int) for value in done.told.values())
        if look in {"disk", "memory", "clock", "store", "services"}:
            assert done.outcome is Outcome.DONE

    seen()
