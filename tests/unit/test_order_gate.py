"""The order gate: what an attacker can put before it, each refused with its own code."""

from dataclasses import replace

import pytest

from appliance.core.order_gate import gate
from appliance.core.order_gate.ledger import Entry, LedgerView, State
from appliance.core.order_gate.values import (
    Accepted,
    ApprovedPlan,
    Refused,
    Said,
    Situation,
    Waiting,
)
from proto import envelope, strict_json
from proto.catalog.model import Autonomy, Disruption
from proto.envelope import Kind
from proto.grants import Trust
from proto.incidents import State as IncidentState
from proto.keysets import DAY_S
from proto.order import LogPlace
from proto.order_codes import Code
from proto.orders.kinds import OrderType, Setting, Tier
from tests.unit import order_world as world
from tests.unit.core_values import CONTENT, SITE, THE_RULE, THE_RUNBOOK, incident
from tests.unit.order_world import (
    APPLIANCE,
    CHECK,
    FILE,
    INCIDENT,
    KNOWN,
    NOW,
    OTHER_APPLIANCE,
    OTHER_SITE,
    RUNBOOK,
    SITUATION,
    body,
    having,
    key,
    refusal,
    signed,
    verdict_on,
)
from tests.unit.test_order_bytes import BYTES
from tests.unit.test_order_waits import WAITS

GOOD = signed(body())


def with_grant(**changes: object) -> Situation:
    granted = world.grants(world.grant(**changes))
    return replace(SITUATION, trust=Trust(world.authority_set(), world.grant_set(granted)))


Row = tuple[str, bytes, Situation, Code]

SIGNERS: list[Row] = [
    (
        "people alone, without an order key",
        envelope.sign(Kind.ORDER, strict_json.dumps(body()), key("ada"), key("bea")),
        SITUATION,
        Code.GRANT_ABSENT,
    ),
    ("another type", GOOD, with_grant(types=["cancel"]), Code.GRANT_TYPE),
    ("another site", GOOD, with_grant(sites=[OTHER_SITE]), Code.GRANT_SITE),
    ("a longer life", GOOD, with_grant(ttl_s=60), Code.GRANT_TTL),
    (
        "a life of more than a day",
        signed(body(iat=NOW - 10, exp=NOW + DAY_S + 1)),
        SITUATION,
        Code.GRANT_TTL,
    ),
    ("drafted before the grant", GOOD, with_grant(not_before=NOW - 5), Code.GRANT_TIME),
    ("ends after the grant", GOOD, with_grant(not_after=NOW + 2999), Code.GRANT_TIME),
    ("nobody for a change", signed(body(OrderType.UPDATE_AGENT)), SITUATION, Code.PEOPLE_TOO_FEW),
    (
        "one person for less caution than the site's",
        signed(body(OrderType.SET_POLICY), "ada"),
        having("rules", site=Setting(Autonomy.OBSERVE)),
        Code.TIER_RAISED,
    ),
    (
        "one person for a dangerous order",
        signed(body(OrderType.DISABLE_HEALING), "ada"),
        SITUATION,
        Code.PEOPLE_TOO_FEW,
    ),
    (
        "a person of other sites",
        signed(body(OrderType.UPDATE_AGENT), "cyd"),
        SITUATION,
        Code.PERSON_SCOPE,
    ),
    (
        "two people, one of other sites",
        signed(body(OrderType.DISABLE_HEALING), "ada", "cyd"),
        SITUATION,
        Code.PERSON_SCOPE,
    ),
    (
        "a person whose key is over",
        signed(body(OrderType.UPDATE_AGENT), "dot"),
        SITUATION,
        Code.PERSON_KEY_EXPIRED,
    ),
    (
        "another site's order",
        signed(body(target={"site": OTHER_SITE, "appliance": APPLIANCE})),
        SITUATION,
        Code.SCOPE_SITE,
    ),
    (
        "another appliance's order",
        signed(body(target={"site": SITE, "appliance": OTHER_APPLIANCE})),
        SITUATION,
        Code.SCOPE_APPLIANCE,
    ),
    (
        "a healing for a whole site",
        signed(body(OrderType.HEALING, target={"site": SITE})),
        SITUATION,
        Code.SCOPE_TYPE,
    ),
]

TIMES: list[Row] = [
    ("ends before it begins", signed(body(exp=NOW - 11)), SITUATION, Code.TIME_ORDER),
    ("begins before it was drafted", signed(body(not_before=NOW - 11)), SITUATION, Code.TIME_ORDER),
    (
        "longer than its type lives",
        signed(body(OrderType.RESTART_AGENT, params={"drain_s": 0}, exp=NOW + 3600)),
        SITUATION,
        Code.TIME_TTL,
    ),
    (
        "drafted in the future",
        signed(body(iat=NOW + 121, not_before=NOW + 121)),
        SITUATION,
        Code.TIME_FUTURE,
    ),
    ("over", GOOD, having("moment", now_s=NOW + 3000), Code.EXPIRED),
    ("history", GOOD, having("place", enrolled_at=6), Code.BEFORE_ENROLLMENT),
    (
        "drafted after its leaf",
        signed(body(prev=LogPlace(6, bytes(32)).as_text())),
        SITUATION,
        Code.PREV_WINDOW,
    ),
    ("drafted on a fork", GOOD, having("ledger", root_then=bytes(32)), Code.PREV_FORK),
    ("drafted on a size nobody knows", GOOD, having("ledger", root_then=None), Code.PREV_FORK),
    (
        "expired content",
        signed(body(OrderType.HEALING)),
        having("known", expires_s=NOW),
        Code.METADATA_EXPIRED,
    ),
]


def params(order_type: OrderType, **changes: object) -> bytes:
    """Sign an order whose parameters were changed, by everybody who must."""
    document = world.PARAMS[order_type] | changes
    return signed(body(order_type, params=document), "ada", "bea")


def promoted(**changes: object) -> Situation:
    """Return a situation with one promoted rule, which would be taken up but for the changes."""
    rule = replace(THE_RULE, id="l1.p.root_login", is_promoted=True, priority=-1)
    return having("known", promoted={FILE: replace(rule, **changes)})  # type: ignore[arg-type]


HEAL = signed(body(OrderType.HEALING))
PROMOTED = params(OrderType.SYNC_PROMOTED_RULE)
OTHER_RUNBOOK = replace(THE_RUNBOOK, id="rb.lin.other", verify=("lin.other",))
WITH_OTHER = replace(CONTENT, runbooks={**CONTENT.runbooks, OTHER_RUNBOOK.id: OTHER_RUNBOOK})

WHAT: list[Row] = [
    (
        "a parameter with a newline",
        params(OrderType.HEALING, runbook=RUNBOOK + "\n"),
        SITUATION,
        Code.PARAMS_FORM,
    ),
    (
        "other digits in a parameter",
        params(OrderType.UPDATE_AGENT, version="1.0.\u0660"),
        SITUATION,
        Code.PARAMS_FORM,
    ),
    (
        "a path in a parameter",
        params(OrderType.UPDATE_AGENT, content_sha256="../" * 21 + "a"),
        SITUATION,
        Code.PARAMS_FORM,
    ),
    (
        "shell characters in a parameter",
        params(OrderType.ISOLATE_HOST, target="t-aaaaaaaa$("),
        SITUATION,
        Code.PARAMS_FORM,
    ),
    ("a setting that is over", params(OrderType.WAIVE, until=NOW), SITUATION, Code.PARAMS_END),
    (
        "a setting for years",
        params(OrderType.DISABLE_HEALING, until=NOW + 400 * DAY_S),
        SITUATION,
        Code.PARAMS_END,
    ),
    (
        "a file that is no target",
        params(OrderType.UPDATE_AGENT, content_sha256="12" * 32),
        SITUATION,
        Code.CONTENT_ABSENT,
    ),
    (
        "a box that did not arrive",
        params(OrderType.UPDATE_CREDENTIALS, sealed_sha256="12" * 32),
        SITUATION,
        Code.CONTENT_ABSENT,
    ),
    (
        "a login for another's key",
        params(OrderType.UPDATE_CREDENTIALS, sealed_to="12" * 32),
        SITUATION,
        Code.SEALED_TO_OTHER,
    ),
    (
        "a target of nobody's",
        params(OrderType.REMOVE_SENSOR, target="t-zzzzzzzzzz"),
        SITUATION,
        Code.TARGET_UNKNOWN,
    ),
    ("a check of nobody's", params(OrderType.WAIVE, check="x.y"), SITUATION, Code.CHECK_UNKNOWN),
    (
        "no such incident",
        params(OrderType.HEALING, incident="i-zzzzzzzzzz"),
        SITUATION,
        Code.INCIDENT_NOT_OPEN,
    ),
    (
        "an incident that is closed",
        HEAL,
        having("known", incidents={INCIDENT: incident(IncidentState.CLOSED)}),
        Code.INCIDENT_NOT_OPEN,
    ),
    (
        "an incident that is being repaired",
        HEAL,
        having("known", incidents={INCIDENT: incident(IncidentState.EXECUTING)}),
        Code.INCIDENT_NOT_OPEN,
    ),
    (
        "a runbook of another check",
        params(OrderType.HEALING, runbook=OTHER_RUNBOOK.id),
        having("known", catalog=WITH_OTHER),
        Code.RUNBOOK_UNFIT,
    ),
    (
        "parameters that no rule gives",
        params(OrderType.HEALING, params={"value": "yes"}),
        SITUATION,
        Code.PARAMS_UNAPPROVED,
    ),
    (
        "parameters other than the approved plan's",
        HEAL,
        having("known", plans={INCIDENT: ApprovedPlan(RUNBOOK, {"value": "no"})}),
        Code.PARAMS_UNAPPROVED,
    ),
    (
        "parameters that the runbook does not take",
        params(OrderType.HEALING, params={"value": "no"}),
        having("known", plans={INCIDENT: ApprovedPlan(RUNBOOK, {"value": "no"})}),
        Code.PARAMS_UNAPPROVED,
    ),
    ("a rule that nobody promoted", PROMOTED, SITUATION, Code.RULE_NOT_PROMOTED),
    ("another rule in the file", PROMOTED, promoted(id="l1.p.other"), Code.RULE_NOT_PROMOTED),
    ("a promoted guard", PROMOTED, promoted(is_guard=True), Code.RULE_WIDENS),
    (
        "a promoted runbook of another check",
        PROMOTED,
        promoted(runbook_id="rb.x"),
        Code.RULE_WIDENS,
    ),
    ("promoted with other parameters", PROMOTED, promoted(params={"a": 1}), Code.RULE_WIDENS),
    ("promoted to act first", PROMOTED, promoted(priority=1), Code.RULE_OUTRANKS),
    (
        "nothing waits",
        signed(body(OrderType.CANCEL)),
        having("ledger", waiting=frozenset({"12" * 32})),
        Code.NOTHING_WAITS,
    ),
]

LIMITS: list[Row] = [
    (
        "no machinery for it",
        GOOD,
        having("place", abilities=frozenset()),
        Code.NOT_ON_THIS_APPLIANCE,
    ),
    ("held back", HEAL, having("history", held_since_s=NOW - 5), Code.SECURITY_HOLD),
    ("observe-only", HEAL, having("rules", is_observe_only=True), Code.OBSERVE_ONLY),
    (
        "a protected host",
        HEAL,
        having("rules", protected=frozenset({"t-aaaaaaaaaa"})),
        Code.PROTECTED_HOST,
    ),
    (
        "a protected host, and two people",
        params(OrderType.ISOLATE_HOST),
        having("rules", protected=frozenset({"t-aaaaaaaaaa"})),
        Code.PROTECTED_HOST,
    ),
    ("a grant that is used up", GOOD, having("history", grant_uses={"g1": 100}), Code.GRANT_RATE),
    ("changes enough", HEAL, having("history", by_orders=10), Code.RATE_HOUR),
    (
        "targets enough",
        HEAL,
        having("history", touched=frozenset({"t-bbbbbbbbbb", "t-cccccccccc", "t-dddddddddd"})),
        Code.BLAST_RADIUS,
    ),
    (
        "vetoed",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        replace(SITUATION, said=Said(vetoed_by="bea")),
        Code.VETOED,
    ),
    (
        "cancelled",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        replace(SITUATION, said=Said(cancelled_by="12" * 32)),
        Code.CANCELLED,
    ),
    (
        "over before its ring's turn",
        signed(body(OrderType.UPDATE_AGENT), "ada"),
        having("place", ring=2),
        Code.WAIT_PAST_EXP,
    ),
]

SID = world.read_ok(GOOD).sid
NONCE = str(body()["nonce"])


def used(index: int, *, sid: str = SID, nonce: str = NONCE, state: State = State.DONE) -> Situation:
    """Return a situation in which a leaf has used a sid and a nonce."""
    row = Entry(index, sid, nonce, state, NOW - 100)
    view = LedgerView(
        by_sid=row if sid == SID else None, by_nonce=row, root_then=SITUATION.ledger.root_then
    )
    return replace(SITUATION, ledger=view)


LEDGER: list[Row] = [
    ("replayed at a new index", GOOD, used(3), Code.REPLAY_SID),
    ("replayed while the first waits", GOOD, used(3, state=State.WAITING), Code.REPLAY_SID),
    ("run a second time at its own index", GOOD, used(5), Code.REPLAY_SID),
    ("while it runs", GOOD, used(5, state=State.RUNNING), Code.REPLAY_SID),
    ("the nonce of another order", GOOD, used(3, sid="12" * 32), Code.REPLAY_NONCE),
    (
        "the nonce of one that was vetoed",
        GOOD,
        used(3, sid="12" * 32, state=State.ENDED),
        Code.REPLAY_NONCE,
    ),
]

CASES = [*SIGNERS, *TIMES, *WHAT, *LIMITS, *LEDGER]


@pytest.mark.parametrize(
    ("what", "leaf", "situation", "code"), CASES, ids=[row[0] for row in CASES]
)
def test_every_step_refuses_with_its_own_code(
    what: str, leaf: bytes, situation: Situation, code: Code
) -> None:
    refused = refusal(leaf, situation)
    assert refused.code is code, (what, refused.detail)
    assert refused.detail


def test_the_far_end_of_the_window_is_4096_leaves() -> None:
    """The last leaf within the window is judged further, the next one never is."""
    found = world.read_ok(GOOD)
    drafted = found.order.drafted_on().size
    last = replace(found, ref=replace(found.ref, index=drafted + 4095))
    after = replace(found, ref=replace(found.ref, index=drafted + 4096))
    assert isinstance(gate.judge(last, SITUATION), Accepted)
    refused = gate.judge(after, SITUATION)
    assert isinstance(refused, Refused)
    assert refused.code is Code.PREV_WINDOW


ACCEPTED: list[tuple[str, bytes, Situation, Tier]] = [
    ("observe", GOOD, SITUATION, Tier.OBSERVE),
    ("observe, for the whole site", signed(body(target={"site": SITE})), SITUATION, Tier.OBSERVE),
    (
        "observe with expired content, held back and the hub silent",
        GOOD,
        replace(
            having("known", expires_s=NOW),
            history=replace(SITUATION.history, held_since_s=NOW),
            moment=replace(SITUATION.moment, answered_s=None),
        ),
        Tier.OBSERVE,
    ),
    ("a reversible heal", HEAL, SITUATION, Tier.HEAL),
    (
        "a heal by an approved plan",
        HEAL,
        having("known", plans={INCIDENT: ApprovedPlan(RUNBOOK, {})}),
        Tier.HEAL,
    ),
    ("a change at a canary", signed(body(OrderType.UPDATE_AGENT), "ada"), SITUATION, Tier.CHANGE),
    (
        "a change by two, at once in any ring",
        signed(body(OrderType.UPDATE_AGENT), "ada", "bea"),
        having("place", ring=3),
        Tier.CHANGE,
    ),
    (
        "a dangerous order with the site's consent",
        signed(body(OrderType.DISABLE_HEALING), "ada", "bea"),
        replace(SITUATION, said=Said(consented_by="eva")),
        Tier.DANGEROUS,
    ),
    ("a promoted rule that repeats one", PROMOTED, promoted(), Tier.CHANGE),
    ("a waiver of a month", signed(body(OrderType.WAIVE), "ada"), SITUATION, Tier.CHANGE),
    (
        "a cancel of what waits",
        signed(body(OrderType.CANCEL)),
        having("ledger", waiting=frozenset({"0f" * 32})),
        Tier.OBSERVE,
    ),
    ("a login", params(OrderType.UPDATE_CREDENTIALS), SITUATION, Tier.CHANGE),
    (
        "a fourth time the same target",
        HEAL,
        having("history", touched=frozenset({"t-aaaaaaaaaa", "t-bbbbbbbbbb", "t-cccccccccc"})),
        Tier.HEAL,
    ),
]


@pytest.mark.parametrize(
    ("what", "leaf", "situation", "tier"), ACCEPTED, ids=[row[0] for row in ACCEPTED]
)
def test_honest_orders_are_accepted(
    what: str, leaf: bytes, situation: Situation, tier: Tier
) -> None:
    accepted = verdict_on(leaf, situation)
    assert isinstance(accepted, Accepted), (what, accepted)
    assert accepted.tier is tier
    assert accepted.entry.state is State.RUNNING
    assert accepted.grant == "g1"
    assert accepted.deadline_s > situation.moment.now_s


def test_one_person_with_two_keys_is_one_person() -> None:
    people = [world.person("ada", keys=[world.use("ada"), world.use("ada2")]), world.person("bea")]
    trust = Trust(world.authority_set(world.authority(people=people)), world.grant_set())
    situation = replace(SITUATION, trust=trust)
    twice = signed(body(OrderType.DISABLE_HEALING), "ada", "ada2")
    assert refusal(twice, situation).code is Code.PEOPLE_TOO_FEW
    alone = signed(body(OrderType.UPDATE_AGENT, exp=NOW + 20 * 3600), "ada", "ada2")
    ringed = replace(situation, place=replace(situation.place, ring=1))
    waiting = verdict_on(alone, ringed)
    assert isinstance(waiting, Waiting)
    assert waiting.code is Code.RING_WAIT


def test_an_irreversible_or_rebooting_runbook_needs_a_person() -> None:
    for grave in (
        replace(THE_RUNBOOK, irreversible="nothing to go back to"),
        replace(THE_RUNBOOK, disruption=Disruption.REBOOT),
        replace(THE_RUNBOOK, disruption=Disruption.LOCKOUT),
    ):
        catalog = replace(CONTENT, runbooks={**CONTENT.runbooks, RUNBOOK: grave})
        situation = replace(SITUATION, known=replace(KNOWN, catalog=catalog))
        assert refusal(HEAL, situation).code is Code.PEOPLE_TOO_FEW
        signed_by_one = verdict_on(signed(body(OrderType.HEALING), "ada"), situation)
        assert isinstance(signed_by_one, Accepted)
        assert signed_by_one.tier is Tier.CHANGE


LESS_CAUTIOUS: list[tuple[str, OrderType, dict[str, object], dict[str, object]]] = [
    ("a whole site", OrderType.SET_POLICY, {"check": "all"}, {}),
    ("a waiver of everything", OrderType.WAIVE, {"check": "all"}, {}),
    ("more than 90 days", OrderType.WAIVE, {"until": NOW + 91 * DAY_S}, {}),
    ("the end of a waiver", OrderType.WAIVE, {"until": 0}, {}),
    (
        "a shorter waiver than there is",
        OrderType.WAIVE,
        {"until": NOW + DAY_S},
        {"waived_until_s": {CHECK: NOW + 2 * DAY_S}},
    ),
    (
        "further than the check may go now",
        OrderType.SET_POLICY,
        {"autonomy": "auto"},
        {"checks": {CHECK: Setting(Autonomy.ALERT)}},
    ),
    (
        "as far as now, for a shorter time",
        OrderType.SET_POLICY,
        {"autonomy": "alert", "until": NOW + DAY_S},
        {"checks": {CHECK: Setting(Autonomy.ALERT, NOW + 2 * DAY_S)}},
    ),
    (
        "further than the whole site",
        OrderType.SET_POLICY,
        {"autonomy": "approve"},
        {"site": Setting(Autonomy.ALERT)},
    ),
]


@pytest.mark.parametrize(
    ("what", "order_type", "changes", "rules"), LESS_CAUTIOUS, ids=[row[0] for row in LESS_CAUTIOUS]
)
def test_what_is_less_cautious_or_whole_site_needs_two_people(
    what: str, order_type: OrderType, changes: dict[str, object], rules: dict[str, object]
) -> None:
    document = body(order_type, params=world.PARAMS[order_type] | changes)
    situation = having("rules", **rules)
    refused = refusal(signed(document, "ada"), situation)
    assert refused.code is (Code.TIER_RAISED if rules else Code.PEOPLE_TOO_FEW), what
    assert refused.reason.is_security is not bool(rules), "a hub cannot know what is set here"
    stripped = refusal(signed(document), situation)
    assert stripped.code is Code.PEOPLE_TOO_FEW, "every hub knows that somebody must sign"
    waiting = verdict_on(signed(document, "ada", "bea"), replace(situation, said=Said()))
    assert not isinstance(waiting, Refused) or waiting.code is Code.WAIT_PAST_EXP


def test_a_failed_verification_uses_up_nothing_and_a_real_refusal_does() -> None:
    """Neither a stripped copy nor a spoilt signature can end an order that people signed."""
    stripped = refusal(signed(body(OrderType.UPDATE_AGENT)))
    over = refusal(GOOD, having("moment", now_s=NOW + 3000))
    spent = refusal(HEAL, having("history", by_orders=10))
    assert not stripped.is_believed
    assert over.is_believed
    assert spent.is_believed
    assert over.reason.answer.value == "expired"


def test_every_code_of_the_gate_has_its_case() -> None:
    """Codes of the log, of heads and of candidates are shown where their modules are tested."""
    elsewhere = {code for code in Code if code.startswith("log_")}
    elsewhere |= {Code.HEAD_CHALLENGE, Code.LEAF_ABSENT}
    shown = {row[-1] for row in (*CASES, *BYTES)} | {row[3] for row in WAITS}
    assert set(Code) - shown == elsewhere


def test_the_gates_docstring_names_every_code_once_and_in_order() -> None:
    assert gate.__doc__ is not None
    words = gate.__doc__.partition("Steps size to schema")[0].replace(",", " ").split()
    assert [word for word in words if word in set(Code)] == list(Code)
