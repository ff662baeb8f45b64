"""What a person on the LAN says of orders: this appliance signs it, and names the account's code.

Who calls this has asked for the password again. A statement goes the way of every other: it is
verified as one from the hub would be, and the gate looks again at once.
"""

import aiosqlite

from appliance.core.order_gate.ledger import State
from appliance.core.reasons import plain_reason
from appliance.core.saying import Why
from appliance.handlers.orders.opinions import take_opinion
from appliance.handlers.work import Work
from appliance.store import accounts, order_state, orders
from appliance.store.orders import Row
from proto.authority import AuthoritySet
from proto.envelope import Kind, sign
from proto.errors import ConflictError, NotFoundError
from proto.opinions import Clear, Consent, LanVeto
from proto.order_codes import Code
from proto.orders.kinds import Tier
from proto.orders.registry import kind_of

_NOT_HERE = "This order does not wait for such a word, or does not wait any more."


class NotWaitingError(ConflictError):
    """The order does not wait, or needs no such word: nothing was said."""

    code = "order_not_waiting"


async def veto(work: Work, order: str, *, reason: str, account: str) -> None:
    """Stop an order that waits, at this appliance.

    Raises:
        NotWaitingError: it does not wait for people.
        MalformedError: no reason, or one that is not plain text.
        RejectedError: the statement does not count.
    """
    authority = _authority(work)
    why = Why.of(plain_reason(reason, "veto.reason"), work.entropy)
    async with work.store.read() as conn:
        by, now_s = await _speaker(conn, work, account)
        if not may_be_vetoed(await _waiting(conn, order)):
            raise NotWaitingError(_NOT_HERE)
    value = {
        "v": 1,
        "type": "lan",
        "site": work.scribe.site,
        "appliance": work.scribe.appliance,
        "order": order,
        "by": by,
        "iat": now_s,
        "commit": why.sealed(),
    }
    said = LanVeto.from_value(value, "veto")
    signed = sign(Kind.VETO, said.to_bytes(), work.scribe.key)
    await take_opinion(work, authority, signed, why=why)


async def consent(work: Work, order: str, *, account: str) -> None:
    """Let an order of tier 3 run without its time lock.

    Raises:
        NotWaitingError: it does not wait, or no consent is asked for.
        RejectedError: the statement does not count.
    """
    authority = _authority(work)
    async with work.store.read() as conn:
        by, now_s = await _speaker(conn, work, account)
        if not waits_for_consent(await _waiting(conn, order)):
            raise NotWaitingError(_NOT_HERE)
    said = Consent(
        v=1,
        type="order",
        site=work.scribe.site,
        appliance=work.scribe.appliance,
        order=order,
        by=by,
        iat=now_s,
    )
    await take_opinion(work, authority, sign(Kind.CONSENT, said.to_bytes(), work.scribe.key))


async def end_hold(work: Work, since_s: int, *, account: str) -> None:
    """End the hold that began then; it ends no other.

    Raises:
        ConflictError: no such hold is in force.
        RejectedError: the statement does not count.
    """
    authority = _authority(work)
    async with work.store.read() as conn:
        by, now_s = await _speaker(conn, work, account)
        held_s = (await order_state.load(conn)).watch.held_since_s
    if held_s != since_s:
        msg = "This hold is no longer in force: look at the page again."
        raise ConflictError(msg)
    said = Clear(
        v=1,
        type="clear",
        site=work.scribe.site,
        appliance=work.scribe.appliance,
        by=by,
        iat=now_s,
        since=since_s,
    )
    await take_opinion(work, authority, sign(Kind.CONSENT, said.to_bytes(), work.scribe.key))


def _authority(work: Work) -> AuthoritySet:
    trusted = work.trusted()
    if trusted is None:
        msg = "This appliance has no signed set of people yet, so it takes no orders."
        raise ConflictError(msg)
    return trusted.authority


async def _speaker(conn: aiosqlite.Connection, work: Work, account: str) -> tuple[str, int]:
    """Return an account's code, and the time that orders are judged by."""
    floor = (await order_state.load(conn)).floor
    return await accounts.code_of(conn, account), floor.now_s(work.clock.now_ms() // 1000)


async def _waiting(conn: aiosqlite.Connection, order: str) -> Row:
    row = await orders.by_sid(conn, order)
    if row is None:
        msg = "There is no such order."
        raise NotFoundError(msg)
    return row


def may_be_vetoed(row: Row) -> bool:
    """Tell whether a veto stops this order: it waits, and changes something."""
    is_change = row.type is not None and kind_of(row.type).tier > Tier.OBSERVE
    return row.state is State.WAITING and is_change


def waits_for_consent(row: Row) -> bool:
    """Tell whether the site's consent shortens the wait of this order."""
    waits_for = {row.code, *row.detail.split(", ")}
    return row.state is State.WAITING and Code.TIME_LOCK.value in waits_for
