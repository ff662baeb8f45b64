"""What an order is judged by here, read in the transaction that acts on the verdict."""

from collections.abc import Iterable
from dataclasses import dataclass

import aiosqlite

from appliance.core.order_gate.ledger import LedgerView
from appliance.core.order_gate.values import (
    Footing,
    Known,
    Moment,
    Place,
    ReadOrder,
    Said,
    Situation,
)
from appliance.core.trusted import Part
from appliance.handlers.run_time import run_ms
from appliance.handlers.site_rules import lan_rules_of
from appliance.handlers.work import Work
from appliance.store import incidents, opinions, orders, targets
from appliance.store.order_log import Held
from appliance.store.order_state import OrderState
from proto.ids import IncidentId, is_id
from proto.incidents import Incident
from proto.orders.kinds import OrderType
from runtime.clock import seconds


@dataclass(frozen=True, slots=True)
class Here:
    """What the store says, read once for a batch.

    Attributes:
        abilities: the types whose machinery is on this appliance.
    """

    footing: Footing
    held: Held
    state: OrderState
    abilities: frozenset[OrderType]


def footing_of(work: Work) -> Footing | None:
    """Return what orders stand on here; None before the first signed set, or without any grants.

    A promoted rule counts as long as the people's word on promoted rules does, by the floor clock:
    one on the wall that was set back gives that word no new life.
    """
    trusted = work.trusted()
    if trusted is None or trusted.trust is None:
        return None
    promoted_s = trusted.ends.get(Part.PROMOTED, 0)
    now_s = max(seconds(work.clock), work.word.floor_s)
    return Footing(
        trust=trusted.trust,
        files=frozenset(trusted.files),
        expires_s=trusted.expires_s,
        ring=trusted.policy.ring_of(work.scribe.site),
        promoted=trusted.promoted if now_s < promoted_s else {},
    )


async def situation_of(
    conn: aiosqlite.Connection, work: Work, here: Here, found: Iterable[ReadOrder]
) -> Situation:
    """Return the situation of a batch, without what the ledger and people say of each order."""
    footing, state = here.footing, here.state
    now_ms = work.clock.now_ms()
    now_s = state.floor.now_s(now_ms // 1000)
    return Situation(
        place=Place(
            site=work.scribe.site,
            appliance=work.scribe.appliance,
            enrolled_at=here.held.enrolled_at or 0,
            ring=footing.ring,
            sealing_keys=frozenset(work.box_keys_now),
            abilities=here.abilities,
        ),
        trust=footing.trust,
        moment=Moment(now_s, work.own_s, work.word.answered_s),
        ledger=LedgerView(),
        known=Known(
            files=footing.files,
            expires_s=footing.expires_s,
            catalog=work.content(),
            promoted=footing.promoted,
            incidents=await _incidents(conn, work, found),
            targets=frozenset(await targets.ids(conn)),
            boxes=await opinions.boxes(conn),
        ),
        rules=await lan_rules_of(conn, work),
        history=await orders.history(
            conn,
            clock_s=work.own_s,
            now_ms=await run_ms(conn, work),
            held_since_s=state.watch.held_since_s,
        ),
        said=Said(),
    )


async def _incidents(
    conn: aiosqlite.Connection, work: Work, found: Iterable[ReadOrder]
) -> dict[str, Incident]:
    """Return the incidents that these orders name, as far as they are here."""
    named = {
        str(one.order.params.get("incident"))
        for one in found
        if one.order.type is OrderType.HEALING
    }
    known: dict[str, Incident] = {}
    for name in sorted(named):
        if is_id(name, "i"):
            incident = await incidents.get(conn, work.scribe.site, IncidentId(name))
            if incident is not None:
                known[name] = incident
    return known
