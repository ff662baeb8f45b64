"""What appliances ask: the trust root, enrollment, check-ins and evidence. Bytes in, bytes out.

Every answer that promises something is given after it is durable. A refusal changes nothing but
the record of refusals and, where the appliance itself is shown to be at fault, its conditions.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from central.api.aside import admitted_of, keep_aside, note_aside
from central.core import check_in as check_ins
from central.core import enrollment, health, ingest
from central.core.check_in import Heard
from central.core.enrollment import Asked, Claim
from central.core.fold import touched
from central.core.health import Condition
from central.core.ingest import Accepted, Mirror, Shown
from central.core.receipts import Signers, receipt_rows, said_rows
from central.core.refusals import (
    ClaimRefusedError,
    KeyInUseError,
    SiteFullError,
    UnknownKeyError,
)
from central.core.settings import next_check_in_s
from central.core.signer_talk import APPLIANCES_MAX
from central.state import Hub
from central.store import (
    appliance_keys,
    appliances,
    conditions,
    evidence,
    folds,
    order_said,
    order_words,
    sites,
)
from central.store.appliances import CheckInRow
from central.store.registry import Known
from proto import envelope, ids
from proto.evidence import SaidBy, SaidLeaf
from proto.hub.enroll import EnrollReply
from proto.hub.evidence import EvidenceBatch, EvidenceReply
from proto.ids import ApplianceId, SiteId
from proto.merkle import Tree
from proto.phi.arrived import Arrived

FOLDED_AT_ONCE = 32
"""Leaves: between two such parts of a large upload others are served."""


@dataclass(slots=True)
class Sender:
    """Whom a request claims to be from, for the record if it is refused."""

    known: Known | None = None


async def root(hub: Hub, _body: bytes, _sender: Sender) -> bytes:
    """Answer with the trust root, byte for byte as claim codes pin it."""
    return hub.root


async def enroll(hub: Hub, body: bytes, _sender: Sender) -> bytes:
    """Make a new appliance by a claim, or answer a repeat as before.

    Raises:
        RejectedError: see `central.core.enrollment`.
    """
    asked = enrollment.read_request(body)
    now_ms = hub.now_ms
    async with hub.store.read() as connection:
        # Anybody can sign such a request with a key of their own: a guess costs no write.
        _claim(hub, await sites.find_claim(connection, asked.claim))
    async with hub.store.write() as connection:
        claim = _claim(hub, await sites.find_claim(connection, asked.claim))
        made = enrollment.decide(asked, claim, now_ms=now_ms)
        if made is None:
            made = await _add(hub, connection, asked=asked, site=claim.site, now_ms=now_ms)
        enrolled = await appliances.find_by_id(connection, made)
    known = hub.registry.add(enrolled)
    hub.log.info("enrolled", site=known.site, appliance=known.appliance)
    reply = EnrollReply(
        challenge=asked.challenge,
        site=known.site,
        appliance=known.appliance,
        log_origin=known.origin,
        time=now_ms // 1000,
    )
    return await hub.signer.enroll(reply.to_bytes())


def _claim(hub: Hub, row: sites.ClaimRow | None) -> Claim:
    if row is None:
        raise ClaimRefusedError(enrollment.REFUSED)
    secret = None if row.secret_sealed is None else hub.claims.open(row.secret_sealed)
    return Claim(row.site, row.claim, secret, row.expires_ms, row.used_by, row.proof_digest)


async def _add(
    hub: Hub, connection: AsyncConnection, *, asked: Asked, site: SiteId, now_ms: int
) -> ApplianceId:
    if (
        await appliances.find_by_key(connection, asked.ed25519.raw) is not None
        or hub.registry.holder_of(asked.ed25519) is not None
    ):
        msg = "enroll.ed25519: this key already belongs to an appliance"
        raise KeyInUseError(msg)
    if len(hub.registry.of_site(site)) >= APPLIANCES_MAX:
        msg = f"{site} has {APPLIANCES_MAX} appliances: no more fit into one site"
        raise SiteFullError(msg)
    appliance = ids.new_appliance_id(hub.entropy(ids.ENTROPY_BYTES))
    await appliances.add(
        site,
        connection,
        appliance=appliance,
        ed25519=asked.ed25519.raw,
        x25519=asked.x25519.raw,
        now_ms=now_ms,
    )
    await sites.use_claim(
        site,
        connection,
        claim=asked.claim,
        appliance=appliance,
        proof_digest=enrollment.proof_digest(asked.proof),
        now_ms=now_ms,
    )
    return appliance


async def check_in(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Take a heartbeat; the answer is given once it is durable.

    Raises:
        RejectedError: see `central.core.check_in`.
    """
    parsed = envelope.parse(body)
    known = sender.known = hub.registry.by_key_ids(parsed.key_ids)
    if known is None:
        msg = "check_in: signed by no key that an enrolled appliance has now"
        raise UnknownKeyError(msg)
    now_ms = hub.now_ms
    heard = check_ins.hear(
        parsed,
        trust=known.trust(),
        appliance=known.appliance,
        last_seq=known.seq,
        now_s=now_ms // 1000,
        settings=hub.settings,
    )
    next_s = next_check_in_s(hub.settings, appliances=len(hub.registry))
    # Nothing is awaited between the judgement and here, so no second one passes with the same seq.
    _note(known, heard, now_ms=now_ms)
    row = CheckInRow(
        known.site,
        known.appliance,
        heard.seq,
        now_ms,
        heard.as_of_s,
        known.state,
        next_s,
        heard.full,
        known.keys.current.raw,
    )
    await hub.check_ins.record(row)
    await _clear(hub, known, health.CLEARED_BY_CHECK_IN)
    return await hub.signer.head(
        check_ins.head_body(
            challenge=heard.challenge,
            now_s=now_ms // 1000,
            state=row.state,
            next_s=next_s,
            missing=check_ins.missing(
                heard.full,
                device_list=known.device_list,
                is_untold=known.site in hub.registry.untold,
            ),
            unwell=known.raised,
            orders=hub.registry.orders.get(known.site, 0),
        )
    )


def _note(known: Known, heard: Heard, *, now_ms: int) -> None:
    known.seq = heard.seq
    known.last_seen_ms = now_ms
    known.as_of_s = heard.as_of_s
    if heard.full is not None:
        known.state = heard.state


async def take_evidence(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Mirror leaves of an appliance's log; the answer says what is held, and cosigns its head.

    Raises:
        RejectedError: see `central.core.ingest`.
    """
    batch = ingest.read_batch(body)
    known = sender.known = hub.registry.by_id(batch.appliance)
    if known is None:
        msg = f"evidence.appliance: {batch.appliance} is not enrolled here"
        raise UnknownKeyError(msg)
    async with known.evidence:
        shown, accepted, mirror = await _judge(hub, known, batch)
        if batch.first > mirror.tree.size:
            await _lost(hub, known, told=batch.first, held=mirror.tree.size)
        reply = await _keep(hub, known, shown=shown, accepted=accepted, tree=mirror.tree)
    await _clear(hub, known, health.CLEARED_BY_EVIDENCE)
    if reply.have >= known.told_size:
        await _clear(hub, known, health.CLEARED_BY_ALL_EVIDENCE)
    return reply.to_bytes()


async def _lost(hub: Hub, known: Known, *, told: int, held: int) -> None:
    """Note that the appliance was told of more leaves than are here: only an older hub forgets."""
    known.told_size = max(known.told_size, told)
    if Condition.EVIDENCE_LOST in known.raised:
        return
    known.raised[Condition.EVIDENCE_LOST] = hub.now_ms
    hub.log.error("evidence_lost", appliance=known.appliance, told=told, held=held)
    async with hub.store.write() as connection:
        await conditions.raise_condition(
            known.site,
            connection,
            appliance=known.appliance,
            code=Condition.EVIDENCE_LOST,
            message=f"{told} leaves were acknowledged, {held} are here",
            now_ms=hub.now_ms,
        )


async def _judge(
    hub: Hub, known: Known, batch: EvidenceBatch[Arrived]
) -> tuple[Shown, Accepted, Mirror]:
    site, appliance = known.site, known.appliance
    async with hub.store.read() as connection:
        tree = await evidence.load_tree(site, connection, appliance=appliance)
        turns = await appliance_keys.turns_of(site, connection, appliance=appliance)
        hub.registry.know(known, turns)
        mirror = Mirror(site, appliance, known.keys, known.origin, tree)
        shown = ingest.open_shown(mirror, batch)
        held = await evidence.load_held(
            site,
            connection,
            appliance=appliance,
            first=batch.first,
            end=shown.end,
            checkpoint_size=shown.checkpoint.size,
        )
    # Nobody else writes this appliance's log meanwhile, and no connection is held.
    judging = ingest.accept_in_steps(mirror, shown, held)
    while True:
        try:
            next(judging)
        except StopIteration as ended:
            accepted: Accepted = ended.value
            _require_free(hub, known, accepted)
            return shown, accepted, mirror
        await asyncio.sleep(0)


def _require_free(hub: Hub, known: Known, accepted: Accepted) -> None:
    """Refuse a renewal that names a key which another appliance has or had.

    Raises:
        KeyInUseError: it does.
    """
    for turn in accepted.turns:
        if hub.registry.holder_of(turn.ed25519) not in (None, known):
            msg = f"leaf {turn.index}: names a key that belongs to another appliance"
            raise KeyInUseError(msg)


async def _keep(
    hub: Hub, known: Known, *, shown: Shown, accepted: Accepted, tree: Tree
) -> EvidenceReply:
    """Store what a batch added and return the answer.

    Leaves and fold are one transaction, the head is another: the signer is asked between them, and
    nobody else's writing waits for it. What is cut off there is a head that lacks its cosignature;
    the appliance sends the batch again and gets it.
    """
    site, appliance, size = known.site, known.appliance, accepted.tree.size
    async with hub.store.read() as connection:
        cosigned = await evidence.cosigned_note(site, connection, appliance=appliance, size=size)
    # A hub that forgot has signed heads that it does not know of: first it gets its leaves back.
    new_head = accepted.complete and cosigned is None and size >= known.told_size
    if not (accepted.leaves or accepted.details or new_head):
        return EvidenceReply(have=tree.size, cosigned=cosigned)
    admitted = await admitted_of(hub, accepted.details)
    async with hub.store.write() as connection:
        await evidence.add_leaves(
            site,
            connection,
            appliance=appliance,
            accepted=accepted,
            kept=admitted.details,
            now_ms=hub.now_ms,
        )
        await keep_aside(hub, connection, known, admitted.aside)
        await _fold(hub, connection, known=known, accepted=accepted)
        for turn in accepted.turns:
            await appliance_keys.turn(
                site, connection, appliance=appliance, turn=turn, now_ms=hub.now_ms
            )
    hub.registry.turn(known, accepted.turns, now_ms=hub.now_ms)
    for turn in accepted.turns:
        said = turn.ed25519.fingerprint()
        hub.log.warning("keys_renewed", appliance=appliance, leaf=turn.index, fingerprint=said)
    note_aside(hub, known, admitted.aside)
    if new_head:
        cosigned = await _cosign(hub, known=known, shown=shown)
    return EvidenceReply(have=size, cosigned=cosigned)


async def _fold(hub: Hub, connection: AsyncConnection, *, known: Known, accepted: Accepted) -> None:
    if not accepted.leaves:
        return
    site, appliance = known.site, known.appliance
    fold = await folds.load(
        site,
        connection,
        appliance=appliance,
        touched=touched(one.leaf for one in accepted.leaves),
    )
    for place, one in enumerate(accepted.leaves):
        fold.take(one.index, one.leaf)
        if place % FOLDED_AT_ONCE == FOLDED_AT_ONCE - 1:
            await asyncio.sleep(0)
    await folds.save(site, connection, appliance=appliance, fold=fold)
    receipts = list(receipt_rows(accepted.leaves))
    others = await order_words.add_receipts(site, connection, appliance=appliance, rows=receipts)
    found: list[tuple[Condition, str]] = []
    if fold.contradictions:
        said = f"leaf {fold.contradictions[0]} says healed without a passing re-check"
        found.append((Condition.UNPROVED_HEAL, said))
    if others:
        said = f"leaf {others[0].seq} answers another order than {others[0].leaf} of this hub's log"
        found.append((Condition.RECEIPT_OF_OTHER, said))
    signers = await _signers(hub, connection, known, accepted)
    words, unproved = said_rows(accepted.leaves, signers=signers, now_s=hub.now_ms // 1000)
    await order_said.add_words(site, connection, appliance=appliance, rows=words)
    if unproved:
        said = f"leaf {unproved[0]} tells of a word that its own statement does not bear out"
        found.append((Condition.WORD_UNPROVED, said))
    for code, message in found:
        await conditions.raise_condition(
            site, connection, appliance=appliance, code=code, message=message, now_ms=hub.now_ms
        )


async def _signers(
    hub: Hub, connection: AsyncConnection, known: Known, accepted: Accepted
) -> Signers:
    """Return whose statements count in a batch; the site's others, where it tells of any."""
    by = {one.leaf.by for one in accepted.leaves if isinstance(one.leaf, SaidLeaf)}
    others = hub.registry.of_site(known.site) if SaidBy.NEIGHBOUR in by else []
    passed_on: set[bytes] = set()
    if SaidBy.OPERATORS in by:
        passed_on = await order_words.clears_of(known.site, connection, appliance=known.appliance)
    return Signers(
        known.appliance,
        known.keys_after(accepted.turns),
        {one.appliance: one.keys for one in others if one is not known},
        operators=hub.desk.authority,
        passed_on=passed_on,
    )


async def _cosign(hub: Hub, *, known: Known, shown: Shown) -> str:
    """Have a head cosigned whose tree the hub holds whole, and store it."""
    now_ms, checkpoint = hub.now_ms, shown.checkpoint
    data = shown.batch.checkpoint.encode("utf-8")
    signed = await hub.signer.cosigned(data, checkpoint, time_s=now_ms // 1000)
    note = signed.decode("utf-8")
    async with hub.store.write() as connection:
        await evidence.add_checkpoint(
            known.site,
            connection,
            appliance=known.appliance,
            size=checkpoint.size,
            root=checkpoint.root,
            note=note,
            now_ms=now_ms,
        )
    return note


async def _clear(hub: Hub, known: Known, ended: Collection[Condition]) -> None:
    """Clear the conditions that a good message ends; nothing is written when none stands."""
    standing = [one for one in ended if one in known.raised]
    if not standing:
        return
    async with hub.store.write() as connection:
        await conditions.clear_conditions(
            known.site,
            connection,
            appliance=known.appliance,
            codes=standing,
            now_ms=hub.now_ms,
        )
    for one in standing:
        known.raised.pop(one, None)
