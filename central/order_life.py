"""An order's life on the hub: drafted, its body fixed by the signer, approved, logged, served.

The signer decides; the store is the copy that pages and appliances are served from. Every step can
be cut off and taken again: a draft keeps its id, a body its sid, an order its place in the log, and
what the signer logged and the store lacks is fetched before anything else is done for the site.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from central.core import order_refusals
from central.core.order_refusals import SignerRefusal
from central.core.orders import Approval, Draft
from central.core.signer_talk import APPROVALS_MAX, fits_leaves
from central.state import Hub
from central.store import order_log, orders
from proto.asks import AskSignerError
from proto.envelope import Signature
from proto.errors import ConflictError, MalformedError, UnreachableError
from proto.ids import SiteId
from proto.order_log import BATCH_LEAVES_MAX

SYNC_BATCHES_MAX: Final = 10_000


async def draft(hub: Hub, drafts: Sequence[Draft]) -> list[Draft]:
    """Store drafts, have their bodies built, and log what needs nobody's signature.

    What is stored is drafted, whether the signer answers or not: it is taken up again by itself
    until the wish's life is over, and whoever asked is not sent to ask a second time.

    Returns:
        The drafts as they stand; one that the signer refused says so in `refused`, one that it has
        not answered has no body.

    Raises:
        TooManyDraftsError: a site has as many open drafts as it may have; none was stored.
    """
    async with hub.store.write() as connection:
        for one in drafts:
            await orders.add_draft(one.wish.site, connection, draft=one)
    sites = list(dict.fromkeys(one.wish.site for one in drafts))
    try:
        for site in sites:
            await advance(hub, site)
    except UnreachableError as error:
        hub.log.warning("signer_away", error=str(error))
        hub.registry.untold.update(sites)
    async with hub.store.read() as connection:
        return [
            await orders.find_draft(one.wish.site, connection, draft=one.draft) for one in drafts
        ]


async def approve(hub: Hub, site: SiteId, *, sid: bytes, signature: Signature, by: str) -> None:
    """Keep a person's signature over an order's bytes; log the order when it was the last.

    Raises:
        NotFoundError: there is no such order.
        ConflictError: it was withdrawn or refused, logged without this signature, or as many
            people signed it as an order has room for.
        AskSignerError: the signature is another person's than `by`.
        SignerRefusal: the signature does not count; the code says why.
        UnreachableError: the signer does not answer.
    """
    async with hub.store.read() as connection:
        found = await orders.find(site, connection, sid=sid)
    if found.ended_ms is not None or found.refused is not None:
        msg = f"the order {sid.hex()} was withdrawn or refused"
        raise ConflictError(msg)
    person = await hub.signer.person_of(sid, signature)
    if person != by:
        msg = f"approval: the signature is {person}'s, and {by} sent it"
        raise AskSignerError(msg)
    async with _turn(hub, site):
        await _keep_approval(hub, site, sid=sid, given=Approval(person, signature))
    await advance(hub, site)


async def _keep_approval(hub: Hub, site: SiteId, *, sid: bytes, given: Approval) -> None:
    """Keep a signature that counts, where it still can; hold the site's turn."""
    async with hub.store.write() as connection:
        kept = {one.person for one in await orders.approvals_of(site, connection, sid=sid)}
        is_logged = await order_log.leaf_of(site, connection, sid=sid) is not None
        if given.person in kept and is_logged:
            return
        if is_logged:
            msg = f"the order {sid.hex()} was logged already: this signature is not in it"
            raise ConflictError(msg)
        if len(kept | {given.person}) > APPROVALS_MAX:
            msg = f"the order {sid.hex()} has the signatures of {APPROVALS_MAX} people already"
            raise ConflictError(msg)
        await orders.add_approval(site, connection, sid=sid, approval=given, now_ms=hub.now_ms)


async def withdraw(hub: Hub, site: SiteId, *, draft_id: str, by: str) -> None:
    """End a draft that was not logged.

    Raises:
        ConflictError: it was logged, or is over.
    """
    async with _turn(hub, site):
        await sync(hub, site)
        async with hub.store.write() as connection:
            await orders.withdraw(site, connection, draft=draft_id, by=by, now_ms=hub.now_ms)


async def advance(hub: Hub, site: SiteId) -> None:
    """Do for a site's open drafts what can be done now: fix their bodies, log what is complete.

    What the signer refuses for good is noted at the draft; what time or somebody's word lifts stays
    open, and is taken up again when the site next asks for its orders.

    Raises:
        UnreachableError: the signer does not answer.
    """
    async with _turn(hub, site):
        async with hub.store.read() as connection:
            waiting = await orders.open_of_site(site, connection, now_s=hub.now_ms // 1000)
        if not waiting:
            return
        try:
            await sync(hub, site)
            for one in waiting:
                await _try(hub, site, one)
        except UnreachableError:
            hub.registry.untold.add(site)
            raise


async def _try(hub: Hub, site: SiteId, one: Draft) -> None:
    try:
        await _advance_one(hub, site, one)
    except (SignerRefusal, MalformedError) as error:
        await _refused(hub, site, one, code=error.code)


async def _advance_one(hub: Hub, site: SiteId, one: Draft) -> None:
    fixed = one.fixed
    if fixed is None:
        fixed = await hub.signer.draft(one.wish)
        async with hub.store.write() as connection:
            await orders.fix_body(site, connection, draft=one.draft, fixed=fixed)
    async with hub.store.read() as connection:
        given = await orders.approvals_of(site, connection, sid=fixed.sid)
        there = await order_log.leaf_of(site, connection, sid=fixed.sid)
    if there is None and len(given) >= one.wish.people:
        leaf, checkpoint = await hub.signer.log(fixed.sid, given)
        async with hub.store.write() as connection:
            tree = await order_log.append(
                site, connection, new=[leaf], note=checkpoint, now_ms=hub.now_ms
            )
        hub.registry.orders[site] = tree.size
        hub.log.info("order_logged", site=site, sid=fixed.sid.hex(), leaf=leaf.index)


async def _refused(hub: Hub, site: SiteId, one: Draft, *, code: str) -> None:
    hub.log.warning("order_not_signed", site=site, draft=one.draft, code=code)
    if code in order_refusals.AGAIN:
        hub.registry.untold.add(site)
    if code in order_refusals.WAITS:
        return
    async with hub.store.write() as connection:
        await orders.refuse(site, connection, draft=one.draft, code=code)


def _turn(hub: Hub, site: SiteId) -> asyncio.Lock:
    """Return the lock that one step for a site's orders is taken under."""
    return hub.registry.order_turns.setdefault(site, asyncio.Lock())


async def bring_together(hub: Hub, site: SiteId) -> None:
    """Do `sync` in the site's turn, where the two may differ.

    Raises:
        UnreachableError: the signer does not answer.
    """
    async with _turn(hub, site):
        await sync(hub, site)


async def sync(hub: Hub, site: SiteId) -> None:
    """Bring the store's copy of a site's log to where the signer's is; hold the site's turn.

    A store that has more than the signer gives it back: whichever was put back to an old backup
    gets from the other what it lost.

    Raises:
        UnreachableError: the signer does not answer.
        IntegrityError: the two hold different logs.
    """
    for _ in range(SYNC_BATCHES_MAX):
        async with hub.store.read() as connection:
            held = (await order_log.load_tree(site, connection)).size
            kept = await order_log.newest_checkpoint(site, connection)
        new, checkpoint = await hub.signer.leaves(site, first=held)
        if new:
            async with hub.store.write() as connection:
                tree = await order_log.append(
                    site, connection, new=new, note=checkpoint, now_ms=hub.now_ms
                )
            hub.registry.orders[site] = tree.size
        elif kept is None or not await _give_back(hub, site, size=kept[0], checkpoint=kept[1]):
            return
    msg = f"the order log of {site} is still being brought together"
    raise UnreachableError(msg)


async def _give_back(hub: Hub, site: SiteId, *, size: int, checkpoint: str) -> bool:
    """Give the signer leaves that only the store has; tell whether there were any."""
    stand = await hub.signer.give_back(site, first=size, leaves=(), checkpoint=checkpoint)
    if stand.wanted is None or stand.wanted >= size:
        return False
    async with hub.store.read() as connection:
        found = await order_log.leaves_from(
            site, connection, first=stand.wanted, limit=BATCH_LEAVES_MAX
        )
    fits = fits_leaves([len(one.envelope) for one in found])
    texts = [one.envelope.decode("ascii") for one in found[:fits]]
    await hub.signer.give_back(site, first=stand.wanted, leaves=texts, checkpoint=checkpoint)
    hub.log.warning("signer_given_back", site=site, first=stand.wanted, leaves=len(texts))
    return True
