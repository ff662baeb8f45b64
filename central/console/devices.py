"""A site's devices, by the names that their appliance let out."""

from dataclasses import dataclass

from starlette.responses import Response

from central.console.frame import page
from central.console.site import site_of
from central.state import ConsoleVisit
from central.store import devices
from central.store.devices import DeviceView
from central.store.sites import find_site
from proto.inventory import DeviceClass
from runtime.web import words


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in words."""

    view: DeviceView
    device_class: str


async def show(visit: ConsoleVisit) -> Response:
    """Show one site's devices."""
    site = site_of(visit)
    async with visit.app.hub.store.read() as connection:
        place = await find_site(site, connection)
        found = await devices.of_site(site, connection)
    rows = [DeviceRow(one, words.CLASSES[DeviceClass(one.device_class)].label) for one in found]
    rows.sort(key=lambda row: (not row.view.called, row.view.called.lower(), row.view.device))
    return page(visit, "hub_devices.html", {"site": site, "place": place, "rows": rows})
