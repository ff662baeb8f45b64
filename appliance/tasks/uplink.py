"""The uplink: the evidence log is sent until the hub has all of it, and the hub's word is kept.

The log is its own outbox: what lies beyond the acknowledged size is sent, in order, however often;
the hub answers with how much it holds. Nothing is deleted on a refusal. A detail that the last look
stops is held back here for people; its leaf, and everything behind it, goes without it.

Nothing is sent before the hub said, in this process, that it holds no more of this log than is
here (`appliance/tasks/recovery.py`): what an appliance whose disk was put back writes meanwhile
stands at places that other leaves have, and sent from there it would be a fork.

A hub that was put back to an older copy of itself gets back what it lost, byte for byte. It is
asked what it holds on start, once an hour, and when a check-in shows that it forgot: without that
nothing would be sent before there is new evidence. The largest head that it ever cosigned is kept.
"""

import asyncio

import aiosqlite

from appliance.handlers.held_back import Stopped, hold_back, hold_back_in
from appliance.handlers.wellness import clear_condition, raise_condition, raise_in
from appliance.handlers.work import Work
from appliance.ports import HeldBackError
from appliance.store import evidence, own_keys
from appliance.store.evidence import StoredLeaf
from appliance.store.health import Condition
from appliance.tasks.check_in import backoff_s, jittered
from proto import strict_json
from proto.appliance_keys import KeyHistory
from proto.errors import IntegrityError, RejectedError, UnreachableError
from proto.hub.evidence import (
    BATCH_BYTES_MAX,
    LEAVES_MAX,
    Detail,
    EvidenceBatch,
    EvidenceReply,
)
from proto.note import OpenedCheckpoint, open_checkpoint
from proto.phi import Scrubbed
from runtime.log import logger

log = logger("uplink")

IDLE_S = 60.0
REFUSED_S = 300.0
LEAF_BYTES_MAX = BATCH_BYTES_MAX // 8
"""Leaves and details of one batch, well below the bound: the hub reads a body in one go, and others
wait for it meanwhile."""

REPLY_BYTES_MAX = 16 * 1024
GATHER_S = 0.2
"""How long the first new leaf waits for company."""

ASK_EVERY_MS = 3_600_000


async def run(work: Work) -> None:
    """Send what the hub lacks, for ever; an absent hub only lengthens the wait."""
    failures, asked_ms, asks = 0, 0, True
    while True:
        if not work.word.is_level:
            # This disk may be one that was put back: its log would go on beside what the hub holds.
            await work.bells.uplink.wait(IDLE_S)
            continue
        try:
            await send_all(work, asks=asks)
            failures = 0
            asked_ms = work.clock.now_ms() if asks else asked_ms
            await clear_condition(work, Condition.EVIDENCE_REFUSED)
            await clear_condition(work, Condition.HUB_WENT_BACK)
            wait_s = IDLE_S
        except UnreachableError as error:
            failures += 1
            wait_s = float(error.retry_after_s or backoff_s(failures))
        except (RejectedError, IntegrityError) as error:
            log.warning("evidence refused", error=str(error), code=error.code)
            await raise_condition(work, Condition.EVIDENCE_REFUSED, detail=str(error))
            wait_s = REFUSED_S
        if failures:
            # New evidence must not turn an absent hub into a busy loop.
            await asyncio.sleep(jittered(work, wait_s))
        elif await work.bells.uplink.wait(wait_s):
            await asyncio.sleep(GATHER_S)
        is_due = not 0 <= work.clock.now_ms() - asked_ms < ASK_EVERY_MS
        asks = await work.bells.ask.wait(0) or is_due


async def send_all(work: Work, *, asks: bool = False) -> int:
    """Send batches until the hub holds the whole log; return how many leaves it holds.

    With `asks` the hub is asked what it holds even when it acknowledged everything.

    Raises:
        UnreachableError: no answer; what was acknowledged before stays acknowledged.
        RejectedError: the hub refuses the batch.
        HeldBackError: something that must not leave stands where nothing can be left out.
        IntegrityError: the hub claims leaves that were never written.
    """
    async with work.store.read() as conn:
        have = (await evidence.head(conn)).acked_size
    if asks and 0 < have == await _size(work):
        have = await _send(work, have)  # a batch of no leaves is the question
    rewound = False
    while have < await _size(work):
        answered = await _send(work, have)
        # A hub that lost leaves says so once, and gets them back byte for byte.
        if answered == have or (answered < have and rewound):
            msg = f"the hub took nothing: it holds {answered} leaves and more were sent"
            raise RejectedError(msg)
        rewound = rewound or answered < have
        have = answered
    return have


async def _size(work: Work) -> int:
    async with work.store.read() as conn:
        return (await evidence.head(conn)).tree.size


async def _send(work: Work, first: int) -> int:
    """Send one batch and return how many leaves the hub now says it holds."""
    batch = await _batch(work, first)
    try:
        answer = await work.hub.send(batch)
    except HeldBackError as held:
        await _withhold(work, batch, held)
        answer = await work.hub.send(await _batch(work, first))
    reply = EvidenceReply.from_bytes(answer, "evidence reply", size_bytes_max=REPLY_BYTES_MAX)
    await _acknowledge(work, reply)
    return reply.have


async def _batch(work: Work, first: int) -> EvidenceBatch[Scrubbed]:
    async with work.store.read() as conn:
        leaves = await evidence.batch(
            conn, work.scribe, first, leaves_max=LEAVES_MAX, bytes_max=LEAF_BYTES_MAX
        )
        checkpoint = await evidence.signed_checkpoint(conn, work.scribe)
    return EvidenceBatch(
        appliance=work.scribe.appliance,
        first=first,
        leaves=tuple(leaf.envelope for leaf in leaves),
        details=tuple(detail for leaf in leaves for detail in _details(leaf)),
        checkpoint=checkpoint,
    )


def _details(leaf: StoredLeaf) -> list[Detail[Scrubbed]]:
    return [
        Detail(
            leaf=leaf.index,
            part=part,
            salt=strict_json.b64_encode(opening.salt),
            detail=opening.detail,
        )
        for part, opening in leaf.openings.items()
    ]


async def _withhold(work: Work, batch: EvidenceBatch[Scrubbed], held: HeldBackError) -> None:
    """Hold back the details in which something was seen; all of them where no single one shows it.

    Raises:
        HeldBackError: it is in no detail at all, so the batch cannot go without it.
    """
    seen = [(one, work.sentry.look(str(one.detail).encode())) for one in batch.details]
    stopped = [(one, alarms) for one, alarms in seen if alarms]
    stopped = stopped or [(one, held.alarms) for one in batch.details]
    if not stopped:
        await hold_back(work, Stopped("evidence", held.body, held.alarms))
        raise held
    async with work.store.write() as conn:
        for one, alarms in stopped:
            piece = Stopped("evidence detail", str(one.detail).encode(), alarms)
            await hold_back_in(conn, work, piece)
            await evidence.withhold_detail(conn, one.leaf, one.part)


async def _acknowledge(work: Work, reply: EvidenceReply) -> None:
    """Believe the hub's count, and its signature only after verifying it against our own root."""
    async with work.store.write() as conn:
        before = await evidence.head(conn)
        work.scribe.hub_holds = reply.have
        cosigned = None
        if reply.cosigned is not None:
            size = await _cosigned_size(conn, work, reply.cosigned)
            # A smaller one is from before the hub went back; what it signed since is kept.
            if size >= before.cosigned_size:
                cosigned = evidence.Cosigned(reply.cosigned, size)
        await evidence.acknowledge(conn, reply.have, cosigned=cosigned)
        if reply.have < before.acked_size:
            detail = f"it held {before.acked_size} leaves and now holds {reply.have}"
            await raise_in(conn, work, Condition.HUB_WENT_BACK, detail=detail)


async def _cosigned_size(conn: aiosqlite.Connection, work: Work, cosigned: str) -> int:
    """Verify a cosigned head and return its size.

    Raises:
        IntegrityError: it is not over this appliance's own log, or not the hub's.
    """
    opened = _opened(work, cosigned, await own_keys.history(conn, work.scribe.key.public))
    ours = await evidence.root_at(conn, opened.checkpoint.size)
    if not opened.cosigned or opened.checkpoint.root != ours:
        msg = "the hub's cosignature is not over this appliance's own log"
        raise IntegrityError(msg)
    return opened.checkpoint.size


def _opened(work: Work, cosigned: str, keys: KeyHistory) -> OpenedCheckpoint:
    return open_checkpoint(
        cosigned.encode(),
        origin=work.scribe.origin,
        log_keys=keys.keys,
        cosigners=work.trust.cosigners,
    )
