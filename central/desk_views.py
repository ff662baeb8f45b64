"""What the hub tells operators' machines beside orders: an incident's repair, and who runs what.

It is the hub's word, folded from what appliances signed: whoever decides by it says so to people.
"""

from typing import Final

from central.core.fleet import presence
from central.state import Hub
from central.store.views.incident import incident_view
from central.store.views.running import running
from proto.errors import ConflictError
from proto.hub.desk import APPLIANCES_TOLD_MAX, ApplianceTold, IncidentTold, SitesTold
from proto.ids import IncidentId, SiteId

LABEL_CHARS_MAX: Final = 400


async def incident(hub: Hub, site: SiteId, *, incident: IncidentId) -> IncidentTold:
    """Return an incident's last repair.

    Raises:
        NotFoundError: the site has no such incident.
        ConflictError: nothing was repaired for it.
    """
    async with hub.store.read() as connection:
        view = await incident_view(site, connection, incident=incident)
    if not view.heals:
        msg = f"{incident}: nothing was repaired for it, it is {view.line.state}"
        raise ConflictError(msg)
    line, last = view.line, view.heals[-1]
    said = {
        "v": 1,
        "site": site,
        "appliance": line.appliance,
        "incident": incident,
        "target": line.target,
        "check": line.check,
        "state": line.state.value,
        "rule": last.rule,
        "runbook": last.runbook,
        "seen": None if last.before.seen is None else dict(last.before.seen),
        "result": last.result.value,
        "proved": last.proved,
        "leaf": last.leaf,
        "at": last.at_s,
    }
    return IncidentTold.from_value(said, f"incident {incident}")


async def sites(hub: Hub) -> SitesTold:
    """Return what every appliance said last that it runs, by site."""
    async with hub.store.read() as connection:
        rows = await running(connection)
    now_ms = hub.now_ms
    told = [
        {
            "site": row.site,
            "label": row.label[:LABEL_CHARS_MAX],
            "appliance": row.appliance,
            "presence": presence(
                last_seen_ms=row.last_seen_ms,
                as_of_s=row.as_of_s,
                now_ms=now_ms,
                settings=hub.settings,
            ).value,
            "version": row.full.version if row.full else None,
            "content": row.full.content if row.full else None,
            "health": row.unwell,
            "seen": None if row.last_seen_ms is None else row.last_seen_ms // 1000,
        }
        for row in rows[:APPLIANCES_TOLD_MAX]
    ]
    appliances = tuple(ApplianceTold.from_value(one, "sites") for one in told)
    return SitesTold(appliances=appliances, total=len(rows))
