"""The fleet: one sentence, and one line a site."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from central import renewals
from central.console import site_list
from central.console.frame import PRESENCES, Counts, believed, page, slices
from central.console.site_list import PER_PAGE, WORDS_CHARS_MAX, Wanted
from central.core.fleet import Presence
from central.state import ConsoleVisit
from central.store.views.fleet import FleetRow, fleet
from central.store.views.orders import objectionable
from runtime.web import csv, people
from runtime.web.people import count, plural
from runtime.web.words import Tone, Words


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site in the list."""

    view: FleetRow
    presence: Words
    counts: Counts


async def show(visit: ConsoleVisit) -> Response:
    """Show the fleet."""
    views = await _views(visit)
    async with visit.app.hub.store.read() as connection:
        orders_waiting = await objectionable(connection, now_s=visit.now_ms // 1000)
    wanted = Wanted.of(visit.request.query_params)
    total = _total([_row(view).counts for view in views])
    listed = site_list.listed(views, wanted)
    values = {
        "rows": [_row(view) for view in listed.rows],
        "listed": listed,
        "wanted": wanted,
        "kinds": site_list.kinds(views, wanted),
        "is_long": len(views) > PER_PAGE,
        "words_chars_max": WORDS_CHARS_MAX,
        "total": total,
        "slices": slices(total),
        "sentence": sentence(views),
        "tone": tone(views),
        "sites": len(views),
        "online": sum(view.presence is Presence.ONLINE for view in views),
        "healed": sum(view.healed_lately for view in views),
        "escalated": sum(view.escalated for view in views),
        "open_incidents": sum(view.open_incidents for view in views),
        "unconfirmed": sum(view.unconfirmed for view in views),
        "targets": sum(view.targets for view in views),
        "orders_waiting": orders_waiting,
        "origin": visit.app.hub.origin,
        "renew": await renewals.notices(visit.app.hub),
    }
    return page(visit, "fleet.html", values)


def _total(counts: Sequence[Counts]) -> Counts:
    return Counts(
        compliant=sum(one.compliant for one in counts),
        drifted=sum(one.drifted for one in counts),
        unknown=sum(one.unknown for one in counts),
        not_applicable=sum(one.not_applicable for one in counts),
        was="",
    )


def sentence(views: Sequence[FleetRow]) -> str:
    """Return the fleet in one plain sentence."""
    if not views:
        return "There is no site yet; the first one is added with `osiris hub site add`."
    healed = sum(view.healed_lately for view in views)
    waiting = sum(view.escalated for view in views)
    repaired = f"{count(healed, 'repair was', 'repairs were')} proved in the last 24 hours"
    people_part = (
        f"{count(waiting, 'incident needs', 'incidents need')} a person"
        if waiting
        else "nothing needs a person"
    )
    return f"{_heard(views)}; {repaired}; {people_part}."


def _heard(views: Sequence[FleetRow]) -> str:
    online, total = sum(view.presence is Presence.ONLINE for view in views), len(views)
    if total == 1:
        return f"The one site is {'' if online else 'not '}online"
    if online == total:
        return f"All {total:,} sites are online"
    if online == 0:
        return f"None of the {total:,} sites is online"
    return f"{online:,} of {total:,} sites {plural(online, 'is', 'are')} online"


def tone(views: Sequence[FleetRow]) -> Tone:
    """Return the tone of the sentence: the worst of what it says."""
    if any(view.escalated or view.conditions for view in views):
        return Tone.WARN
    if not views or any(view.presence is not Presence.ONLINE for view in views):
        return Tone.UNKNOWN
    return Tone.INFO if any(view.open_incidents for view in views) else Tone.GOOD


async def _views(visit: ConsoleVisit) -> list[FleetRow]:
    hub = visit.app.hub
    async with hub.store.read() as connection:
        return await fleet(connection, settings=hub.settings, now_ms=visit.now_ms)


def _row(view: FleetRow) -> SiteRow:
    return SiteRow(view, PRESENCES[view.presence], believed(view.verdicts, view.presence))


_COLUMNS = (
    "site",
    "label",
    "state",
    "last check-in",
    "appliances",
    "not confirmed",
    "targets",
    "compliant",
    "drifted",
    "unknown",
    "not applicable",
    "open incidents",
    "need a person",
    "proved repairs in 24 h",
)


async def fleet_csv(visit: ConsoleVisit) -> Response:
    """Give the fleet as a file."""
    where = visit.app.pages.where
    table = [
        (
            row.view.site,
            row.view.label,
            row.view.presence,
            people.local_rfc3339(row.view.last_seen_ms, where) if row.view.last_seen_ms else "",
            row.view.appliances,
            row.view.unconfirmed,
            row.view.targets,
            row.counts.compliant,
            row.counts.drifted,
            row.counts.unknown,
            row.counts.not_applicable,
            row.view.open_incidents,
            row.view.escalated,
            row.view.healed_lately,
        )
        for row in map(_row, await _views(visit))
    ]
    return csv.download("osiris-fleet.csv", _COLUMNS, table)
