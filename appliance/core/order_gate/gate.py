"""The order gate: may this order run here, now? The first failure wins, with one stable code.

size: at most 64 KiB, a body of at most 16 KiB
    envelope_size
envelope: the one exact form, and an order
    envelope_form, envelope_kind
signatures: known keys verify; unknown ones do not count
    signature_bad, signature_threshold
leaf: it stands in a log that goes on from the mirrored one
    log_signature, log_form, log_shrunk, log_gap, log_fork, leaf_absent
schema: strict JSON of the closed schema
    body_json, body_target, type_unknown, body_schema
grant: an order key signed, and its grant covers type, site, life and time
    grant_absent, grant_type, grant_site, grant_ttl, grant_time
people: none, one or two different people by tier, each for this site, type and tier
    person_key_expired, person_scope, people_too_few, tier_raised
scope: this site, this appliance, and a type that may be for a whole site
    scope_site, scope_appliance, scope_type
time: by the floor clock; a start that people put off, by the appliance's own too
    time_order, time_ttl, time_future, expired, not_before
window: drafted on this history, at most 4096 leaves ago, and logged after enrollment
    before_enrollment, prev_window, prev_fork
freshness: from tier 1 on content that is in force, from tier 2 on a head within 300 s
    metadata_expired, head_challenge, head_old
params: the type's own schema; a setting has an end
    params_form, params_end
content: everything that it names is current here
    content_absent, target_unknown, check_unknown, incident_not_open, runbook_unfit,
    params_unapproved, rule_not_promoted, rule_widens, rule_outranks, sealed_to_other,
    nothing_waits
limits: what the hub cannot lift
    not_on_this_appliance, security_hold, observe_only, protected_host, grant_rate,
    rate_hour, blast_radius, maintenance_window
wait: ring wait, time lock or consent; no veto and no cancel
    vetoed, cancelled, wait_past_exp, recovering, ring_wait, time_lock
ledger: the sid and the nonce were never used
    replay_sid, replay_nonce

Steps size to schema are `read`: of bytes alone. The rest is `judge`. Between the two the caller
asks its ledger about the sid, the nonce and the root that the order names. The codes of the log
come from `proto.order_log`, head_challenge from `proto.heads`.

Things end by the floor clock, which a signed time may move; they wait, are fresh, and are counted
by the appliance's own (`clock.py`).

A wait is no failure: a refusal of a later step wins over it, so what can never run is said at once.
Of several waits the one that ends last is told. An order that waits is judged again from its bytes,
in full, whenever something changed or its time came: the verdict at the moment of running counts.

An accepted order runs only after its ledger row and its intent receipt are durable, in one
transaction, which checks the sid and the nonce once more. A refused one uses up its sid and nonce
only when people stand behind it (`Refused.is_believed`): a failed verification ends nothing.
"""

from typing import Final

from appliance.core.order_gate import names
from appliance.core.order_gate.bench import Bench, Found, Wait, prepare, readable, tier_by_itself
from appliance.core.order_gate.ledger import Entry, State
from appliance.core.order_gate.limits import blast_problem
from appliance.core.order_gate.values import (
    Accepted,
    Delivery,
    LeafRef,
    ReadOrder,
    Refused,
    Situation,
    Verdict,
    Waiting,
)
from proto import envelope
from proto.envelope import Kind
from proto.errors import IntegrityError, MalformedError, RejectedError
from proto.grants import Trust
from proto.merkle import Shown, leaf_hash
from proto.order import LogPlace, SiteTarget, parse_order, place_text
from proto.order_codes import REASONS, Code, Step
from proto.orders.kinds import PEOPLE_BY_TIER, RING_STEP_S, UNTIL_S_MAX, Tier, Touches
from proto.orders.registry import kind_of

FUTURE_S_MAX: Final = 120
WINDOW_LEAVES: Final = 4096
FRESH_S: Final = 300
TIME_LOCK_S: Final = 4 * 3600
_ORDER: Final = tuple(Step)
PEOPLE_AT_ONCE: Final = 2
"""People whose signatures together need no wait by ring."""


def read(
    delivery: Delivery, *, head: LogPlace, trust: Trust, shown: Shown | None = None
) -> ReadOrder | Refused:
    """Believe a leaf's bytes, or say why not: steps size, envelope, signatures, leaf and schema.

    Args:
        delivery: the leaf and its proof.
        head: the mirrored order log, verified by `proto.order_log.follow`.
        trust: whose signatures count.
        shown: what was shown to be in that log, among several leaves that are read under one head.
    """
    index, hashed = delivery.index, leaf_hash(delivery.leaf)
    if trust.anyone is None:
        code, detail = Code.SIGNATURE_THRESHOLD, "nobody may sign anything here"
        return Refused(code, detail, LeafRef(index, hashed))
    try:
        opened = envelope.open_envelope(delivery.leaf, kind=Kind.ORDER, trust=trust.anyone)
        if shown is None:
            shown = Shown(head.size, head.root)
        shown.verify(hashed, delivery.proof, index=index)
        order = parse_order(opened.body)
    except IntegrityError as error:
        return Refused(Code.LEAF_ABSENT, str(error), LeafRef(index, hashed))
    except RejectedError as error:
        return Refused(Code(error.code), str(error), LeafRef(index, hashed))
    ref = LeafRef(index, hashed, opened.sid.hex(), order.nonce)
    return ReadOrder(ref, order, opened.signers, kind_of(order.type))


def judge(found: ReadOrder, situation: Situation) -> Verdict:
    """Decide about an order that was read: steps grant to ledger."""
    bench = prepare(found, situation)
    waits: list[Wait] = []
    for step in _STEPS:
        said = step(bench)
        if said is None:
            continue
        if isinstance(said, Wait):
            waits.append(said)
        else:
            code, detail = said
            return Refused(code, detail, found.ref, is_believed=_is_believed(bench, code))
    if waits:
        return _waiting(bench, waits)
    return _accepted(bench)


def decide(delivery: Delivery, *, head: LogPlace, trust: Trust, situation: Situation) -> Verdict:
    """Read and judge in one go, where the ledger was asked beforehand."""
    found = read(delivery, head=head, trust=trust)
    return found if isinstance(found, Refused) else judge(found, situation)


def _is_believed(bench: Bench, code: Code) -> bool:
    """Tell whether a refusal uses up the sid and the nonce.

    It does for a leaf that waited under them already, and for an order that passed the checks of
    its signers, was refused for what an honest hub may cause, and is no other leaf's.
    """
    ledger, index = bench.situation.ledger, bench.read.ref.index
    if ledger.by_sid is not None and ledger.by_sid.index == index:
        return True
    is_free = ledger.by_sid is None and ledger.by_nonce is None
    reason = REASONS[code]
    is_vouched = _ORDER.index(reason.step) > _ORDER.index(Step.PEOPLE)
    return is_free and is_vouched and not reason.is_security


def _on_grant(bench: Bench) -> Found:
    if bench.signers.grant is not None:
        return None
    order = bench.read.order
    return bench.signers.grant_code, f"{order.type} at {order.target.site}"


def _on_people(bench: Bench) -> Found:
    signers, needed = bench.signers, PEOPLE_BY_TIER[bench.tier]
    if len(signers.allowed) >= needed:
        return None
    told = f"tier {bench.tier.value} needs {needed}, {len(signers.allowed)} count"
    if len(signers.signed) < needed:
        # A hub cannot know what is set here: an honest one may be refused for it.
        is_raised = len(signers.signed) >= PEOPLE_BY_TIER[tier_by_itself(bench)]
        return Code.TIER_RAISED if is_raised else Code.PEOPLE_TOO_FEW, told
    if len(signers.current) < needed:
        return Code.PERSON_KEY_EXPIRED, told
    return Code.PERSON_SCOPE, told


def _on_scope(bench: Bench) -> Found:
    target, place = bench.read.order.target, bench.situation.place
    if target.site != place.site:
        return Code.SCOPE_SITE, target.site
    if isinstance(target, SiteTarget):
        is_let = bench.read.kind.is_for_sites
        return None if is_let else (Code.SCOPE_TYPE, bench.read.order.type.value)
    if target.appliance != place.appliance:
        return Code.SCOPE_APPLIANCE, target.appliance
    return None


def _on_time(bench: Bench) -> Found:
    order, moment = bench.read.order, bench.situation.moment
    iat, exp, now_s = order.iat, order.exp, moment.now_s
    starts_by_s = moment.clock_s if order.not_before > iat else now_s
    if not iat <= order.not_before < exp:
        return Code.TIME_ORDER, "not iat <= not_before < exp"
    if exp - iat > bench.read.kind.life_s_max:
        return Code.TIME_TTL, f"{exp - iat} s, at most {bench.read.kind.life_s_max}"
    if iat > now_s + FUTURE_S_MAX:
        return Code.TIME_FUTURE, f"drafted {iat - now_s} s ahead"
    if now_s >= exp:
        return Code.EXPIRED, f"over since {now_s - exp} s"
    return Wait(Code.NOT_BEFORE, order.not_before) if starts_by_s < order.not_before else None


def _on_window(bench: Bench) -> Found:
    index, order = bench.read.ref.index, bench.read.order
    size, root_then = order.drafted_size(), bench.situation.ledger.root_then
    if index < bench.situation.place.enrolled_at:
        return Code.BEFORE_ENROLLMENT, f"leaf {index}"
    if not size <= index < size + WINDOW_LEAVES:
        return Code.PREV_WINDOW, f"leaf {index}, drafted at {size}"
    if root_then is None or place_text(size, root_then) != order.prev:
        return Code.PREV_FORK, f"another root at size {size}"
    return None


def _on_freshness(bench: Bench) -> Found:
    if bench.tier is Tier.OBSERVE:
        return None
    moment = bench.situation.moment
    expires_s = min(bench.situation.trust.expires, bench.situation.known.expires_s)
    if moment.now_s >= expires_s:
        return Code.METADATA_EXPIRED, f"since {moment.now_s - expires_s} s"
    answered_s = moment.answered_s
    is_fresh = answered_s is not None and 0 <= moment.clock_s - answered_s <= FRESH_S
    if bench.tier >= Tier.CHANGE and not is_fresh:
        return Wait(Code.HEAD_OLD, bench.read.order.exp, is_open_ended=True)
    return None


def _on_params(bench: Bench) -> Found:
    if isinstance(bench.params, MalformedError):
        return Code.PARAMS_FORM, str(bench.params)
    ends_s, now_s = bench.params.ends_s(), bench.situation.moment.now_s
    if ends_s is not None and not now_s < ends_s <= now_s + UNTIL_S_MAX:
        return Code.PARAMS_END, f"ends {ends_s - now_s} s from now"
    return None


def _on_content(bench: Bench) -> Found:
    return names.problem_in(bench.read.order.type, readable(bench), bench.situation)


def _on_limits(bench: Bench) -> Found:
    touched = names.targets_touched(readable(bench), bench.situation.known)
    problem = _barred(bench, touched) or _spent(bench, touched)
    window = bench.situation.rules.window
    if problem is None and window is not None and not window.is_open and _waits_for_window(bench):
        return Wait(Code.MAINTENANCE_WINDOW, window.opens_s)
    return problem


def _barred(bench: Bench, touched: frozenset[str]) -> names.Problem | None:
    """Return what stands against it on the LAN, whatever happened before."""
    order_type, situation = bench.read.order.type, bench.situation
    rules, held_since_s = situation.rules, situation.history.held_since_s
    if order_type not in situation.place.abilities:
        return Code.NOT_ON_THIS_APPLIANCE, order_type.value
    if held_since_s is not None and bench.tier > Tier.OBSERVE:
        return Code.SECURITY_HOLD, f"since {held_since_s}"
    if rules.is_observe_only and bench.read.kind.touches is Touches.TARGETS:
        return Code.OBSERVE_ONLY, order_type.value
    if touched & rules.protected:
        return Code.PROTECTED_HOST, ", ".join(sorted(touched & rules.protected))
    return None


def _spent(bench: Bench, touched: frozenset[str]) -> names.Problem | None:
    """Return which budget of the hour does not hold it any more."""
    history, grant = bench.situation.history, bench.signers.grant
    if grant is not None and history.grant_uses.get(grant.id, 0) >= grant.per_hour:
        return Code.GRANT_RATE, f"{grant.id}: {grant.per_hour} an hour"
    is_change = bench.read.kind.touches is not Touches.NOTHING
    if is_change and history.by_orders >= bench.situation.rules.orders_per_hour:
        return Code.RATE_HOUR, f"{history.by_orders} changes by orders within the hour"
    blast = blast_problem(touched, history, known=len(bench.situation.known.targets))
    return None if blast is None else (Code.BLAST_RADIUS, blast)


def _waits_for_window(bench: Bench) -> bool:
    """Tell whether it may only run inside a window: its type, or a healing that is grave."""
    is_healing = bench.read.kind.touches is Touches.TARGETS and bench.read.kind.tier is Tier.HEAL
    return bench.read.kind.waits_for_window or (is_healing and bench.tier > Tier.HEAL)


def _on_say(bench: Bench) -> Found:
    said = bench.situation.said
    if said.vetoed_by is not None and bench.tier > Tier.OBSERVE:
        return Code.VETOED, said.vetoed_by
    if said.cancelled_by is not None:
        return Code.CANCELLED, said.cancelled_by
    return None


def _on_recovery(bench: Bench) -> Found:
    if not bench.situation.ledger.is_rebuilding:
        return None
    return Wait(Code.RECOVERING, bench.read.order.exp, is_open_ended=True)


def _on_notice(bench: Bench) -> Found:
    if bench.tier < Tier.CHANGE:
        return None
    moment, exp = bench.situation.moment, bench.read.order.exp
    until_s = _since(bench) + _lock_s(bench)
    left_s = until_s - moment.clock_s
    if left_s <= 0:
        return None
    if bench.tier is Tier.CHANGE:
        if moment.now_s + left_s >= exp:
            return Code.WAIT_PAST_EXP, f"over in {left_s} s, expires in {exp - moment.now_s} s"
        return Wait(Code.RING_WAIT, until_s)
    is_let = bench.situation.said.consented_by is not None
    return None if is_let else Wait(Code.TIME_LOCK, min(until_s, exp))


def _lock_s(bench: Bench) -> int:
    if bench.tier is Tier.DANGEROUS:
        return TIME_LOCK_S
    is_one = len(bench.signers.allowed) < PEOPLE_AT_ONCE
    return bench.situation.place.ring * RING_STEP_S if is_one else 0


def _since(bench: Bench) -> int:
    """Return since when this leaf waits here: notice counts from where people could see it."""
    held, clock_s = bench.situation.ledger.by_sid, bench.situation.moment.clock_s
    if held is None or held.state is not State.WAITING or held.index != bench.read.ref.index:
        return clock_s
    return min(held.since_s, clock_s)


def _on_ledger(bench: Bench) -> Found:
    ledger, ref = bench.situation.ledger, bench.read.ref
    by_sid, by_nonce = ledger.by_sid, ledger.by_nonce
    if by_sid is not None and (by_sid.index != ref.index or by_sid.state is not State.WAITING):
        return Code.REPLAY_SID, f"leaf {by_sid.index}"
    if by_nonce is not None and by_nonce.sid != ref.sid:
        return Code.REPLAY_NONCE, f"leaf {by_nonce.index}"
    return None


_STEPS: Final = (
    _on_grant,
    _on_people,
    _on_scope,
    _on_time,
    _on_window,
    _on_freshness,
    _on_params,
    _on_content,
    _on_limits,
    _on_say,
    _on_recovery,
    _on_notice,
    _on_ledger,
)


def _entry(bench: Bench, state: State) -> Entry:
    ref = bench.read.ref
    since_s = _since(bench) if state is State.WAITING else bench.situation.moment.now_s
    return Entry(ref.index, ref.sid, ref.nonce, state, since_s)


def _waiting(bench: Bench, waits: list[Wait]) -> Waiting:
    dated = [one for one in waits if not one.is_open_ended] or waits
    last = max(dated, key=lambda one: one.until_s)
    entry = None if bench.situation.ledger.is_rebuilding else _entry(bench, State.WAITING)
    told = ", ".join(one.code for one in waits)
    return Waiting(last.code, min(last.until_s, bench.read.order.exp), entry, told)


def _accepted(bench: Bench) -> Accepted:
    grant = bench.signers.grant
    now_s = bench.situation.moment.now_s
    return Accepted(
        read=bench.read,
        params=readable(bench),
        tier=bench.tier,
        people=tuple(sorted(bench.signers.allowed)),
        grant=grant.id if grant else "",
        entry=_entry(bench, State.RUNNING),
        deadline_s=now_s + bench.read.kind.timeout_s,
    )
