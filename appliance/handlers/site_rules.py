"""What holds repairs back here now, read in the transaction that acts on it."""

import aiosqlite

from appliance.core.order_gate.values import LanRules
from appliance.core.settings import Site
from appliance.core.site_rules import SiteRules, window_at
from appliance.handlers.work import Work
from appliance.store import devices, lan_rules, meta, ordered, waivers
from proto.catalog.model import Autonomy
from runtime.web.people import zone


async def site_rules(conn: aiosqlite.Connection, work: Work) -> SiteRules:
    """Return everything that is in force now."""
    return await site_rules_at(conn, work.settings.site, now_ms=work.clock.now_ms())


async def site_rules_at(conn: aiosqlite.Connection, site: Site, *, now_ms: int) -> SiteRules:
    """Return everything that is in force at a time: that of the clock on the wall.

    All of it holds repairs back, a waiver too: no time that a hub signs ends any of it sooner.
    """
    spans = [one.span for one in await lan_rules.windows(conn)]
    where = site.time_zone
    return SiteRules(
        lan=await _lan(conn, site),
        ordered=await ordered.in_force(conn, now_ms=now_ms),
        waived=frozenset(await waivers.active(conn, now_ms=now_ms)),
        protected=frozenset(await lan_rules.protected(conn)),
        window=window_at(spans, zone(where), now_s=now_ms // 1000) if spans else None,
    )


async def _lan(conn: aiosqlite.Connection, site: Site) -> Autonomy:
    """Return how far the LAN lets repairs go by themselves."""
    observe_only = await meta.get(conn, meta.Key.OBSERVE_ONLY) == "1"
    return Autonomy.OBSERVE if observe_only else site.autonomy


async def lan_rules_of(conn: aiosqlite.Connection, work: Work) -> LanRules:
    """Return what the order gate holds an order against: see `LanRules`.

    A device that nobody may log in on is protected from orders too.
    """
    rules, limits = await site_rules(conn, work), work.settings.budgets
    return LanRules(
        site=rules.dial("").setting,
        checks=rules.settings(),
        waived_until_s=rules.waivers_until_s(work.content().checks),
        is_observe_only=rules.lan is Autonomy.OBSERVE,
        protected=rules.protected | (await devices.held(conn)).keys(),
        orders_per_hour=limits.orders_per_hour,
        window=rules.window,
    )
