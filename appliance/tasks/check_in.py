"""The check-in loop: tell the hub that this appliance lives, and what it is when that changed."""

from collections import Counter

from appliance.handlers.device_list import lacks_devices, scrub_of, send_devices
from appliance.handlers.held_back import Stopped, hold_back
from appliance.handlers.wellness import clear_condition, raise_condition
from appliance.handlers.work import Work
from appliance.ports import HeldBackError
from appliance.store import (
    devices,
    evidence,
    findings,
    health,
    meta,
    order_log,
    order_state,
    orders,
    targets,
)
from appliance.store.health import Condition
from proto import strict_json
from proto.envelope import Kind, open_envelope
from proto.errors import MalformedError, RejectedError, UnreachableError
from proto.hub.check_in import (
    BODY_BYTES_MAX,
    TARGETS_MAX,
    TEXT_SET_ASIDE,
    CheckIn,
    DeviceCount,
    FullState,
    Head,
    Missing,
    TargetGroup,
    state_of,
)
from proto.inventory import DeviceClass, Platform
from runtime.log import logger

log = logger("check_in")

CHALLENGE_BYTES = 16
BACKOFF_FIRST_S = 2.0
BACKOFF_MAX_S = 300.0
JITTER = 0.2
"""A poll comes up to this share early, so that a fleet does not knock as one."""


async def run(work: Work) -> None:
    """Check in for ever; an absent hub only lengthens the wait."""
    failures = 0
    await tell_of_names(work)
    while True:
        try:
            wait_s = await check_in(work)
            failures = 0
            await clear_condition(work, Condition.HUB_UNREACHABLE)
            await clear_condition(work, Condition.HUB_REFUSED)
        except UnreachableError as error:
            failures += 1
            wait_s = float(error.retry_after_s or backoff_s(failures))
            work.contact.lost()
            await raise_condition(work, Condition.HUB_UNREACHABLE, detail=str(error))
        except RejectedError as error:
            failures += 1
            wait_s = backoff_s(failures)
            await raise_condition(work, Condition.HUB_REFUSED, detail=str(error))
        except HeldBackError as held:
            failures += 1
            wait_s = backoff_s(failures)
            await hold_back(work, Stopped(held.path, held.body, held.alarms))
        # Also when the hub was refused: its next keys may be in the content.
        work.bells.content.ring()
        await work.bells.check_in.wait(jittered(work, wait_s))


def backoff_s(failures: int) -> float:
    """Return the wait after this many failures in a row: doubling up to five minutes."""
    return float(min(BACKOFF_FIRST_S * 2 ** min(failures - 1, 20), BACKOFF_MAX_S))


def jittered(work: Work, wait_s: float) -> float:
    """Return the wait, up to a fifth shorter."""
    share = int.from_bytes(work.entropy(2), "big") / 65_536
    return wait_s * (1 - JITTER * share)


async def check_in(work: Work) -> float:
    """Check in once, with the full state when the hub does not hold it; return the next wait in s.

    Raises:
        UnreachableError: no answer.
        RejectedError: a refusal, or an answer that is not this hub's answer to this request.
    """
    full = await full_state(work)
    state = strict_json.b64_encode(state_of(full))
    async with work.store.read() as conn:
        known = await meta.get(conn, meta.Key.HUB_STATE)
    head = await _exchange(work, state, full=None)
    if known and head.state not in {state, known}:
        # It names neither what it has now nor what it said last: it may have lost evidence too.
        work.bells.ask.ring()
        work.bells.uplink.ring()
    if head.state != state or work.contact.wants_full:
        work.contact.wants_full = False
        head = await _exchange(work, state, full=full)
        work.contact.told_full += 1
        work.bells.told.ring()
    async with work.store.write() as conn:
        await meta.put(conn, meta.Key.HUB_STATE, head.state)
        await meta.put(conn, meta.Key.HUB_SEEN_MS, str(work.clock.now_ms()))
        await order_state.pass_online(conn, head.time, clock_s=work.clock.now_ms() // 1000)
        # What was logged before the hub's first word is history; what is logged after it is ours.
        await order_log.begin(conn, head.orders)
    work.contact.met(work.clock.now_ms())
    await _heed(work, head)
    if Missing.DEVICES in head.missing or await lacks_devices(work, full.device_list):
        await send_devices(work)
    return float(max(head.next_s, work.settings.check_in_s))


async def _exchange(work: Work, state: str, *, full: FullState | None) -> Head:
    now_ms = work.clock.now_ms()
    async with work.store.write() as conn:
        seq = await meta.get_int(conn, meta.Key.CHECK_IN_SEQ) + 1
        await meta.put(conn, meta.Key.CHECK_IN_SEQ, str(seq))
        as_of_ms = await findings.oldest_ms(conn)
    challenge = strict_json.b64_encode(work.entropy(CHALLENGE_BYTES))
    message = CheckIn(
        appliance=work.scribe.appliance,
        seq=seq,
        iat=now_ms // 1000,
        challenge=challenge,
        as_of=as_of_ms // 1000,
        state=state,
        full=full,
    )
    reply = await work.hub.send(message)
    opened = open_envelope(reply, kind=Kind.HEAD, trust=work.trust.heads)
    head = Head.from_bytes(opened.body, "head", size_bytes_max=BODY_BYTES_MAX)
    if head.challenge != challenge:
        msg = "head.challenge: answers another request"
        raise MalformedError(msg)
    return head


async def _heed(work: Work, head: Head) -> None:
    """Show here, too, what the hub found in what this appliance sent."""
    if TEXT_SET_ASIDE in head.unwell:
        await raise_condition(work, Condition.TEXT_AT_HUB, detail="")
    else:
        await clear_condition(work, Condition.TEXT_AT_HUB)
    async with work.store.read() as conn:
        mirrored = await order_log.size(conn)
        is_held = (await order_state.load(conn)).watch.held_since_s is not None
        waits = is_held or bool(await orders.waiting(conn))
    if waits or head.orders != mirrored or Missing.ORDERS in head.missing:
        # What waits needs fresh word from the hub, and is how a veto reaches it in time; so does a
        # hold, and the word that ends it.
        work.bells.ask_orders.ring()
        work.bells.orders.ring()


async def tell_of_names(work: Work) -> None:
    """Say that text is withheld for want of names, or that it no longer is."""
    if work.scrubber.names is None:
        await raise_condition(work, Condition.NAMES_MISSING, detail="")
    else:
        await clear_condition(work, Condition.NAMES_MISSING)


async def full_state(work: Work) -> FullState:
    """Return everything the hub keeps of this appliance beside its evidence."""
    async with work.store.read() as conn:
        log_head = await evidence.head(conn)
        conditions = await health.raised(conn)
        every = await targets.every(conn)
        known = (await devices.every(conn)).values()
        observe_only = await meta.get(conn, meta.Key.OBSERVE_ONLY) == "1"
    classes = Counter(device.device_class for device in known)
    _, device_list = work.device_words.entries(known, scrub_of(work), names=work.scrubber.names)
    groups: dict[tuple[Platform, DeviceClass], list[str]] = {}
    for target in sorted(every, key=lambda one: one.id)[:TARGETS_MAX]:
        groups.setdefault((target.platform, target.device_class), []).append(target.id)
    return FullState(
        version=work.version,
        content=work.content().digest,
        evidence_size=log_head.tree.size,
        evidence_root=strict_json.b64_encode(log_head.tree.root),
        health=tuple(sorted(condition.value for condition in conditions)),
        devices=tuple(
            DeviceCount(device_class=name, count=count) for name, count in sorted(classes.items())
        ),
        targets=tuple(
            TargetGroup(platform=platform, device_class=name, ids=tuple(ids))
            for (platform, name), ids in sorted(groups.items())
        ),
        targets_total=len(every),
        device_list=device_list,
        observe_only=observe_only,
    )
