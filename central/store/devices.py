"""What devices are called: replaced page by page with what an appliance sent and was admitted."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.devices import DeviceRow, Page
from central.store.engine import upsert
from central.store.tables import device_lists, devices
from proto.hub.devices import list_digest
from proto.ids import ApplianceId, SiteId
from proto.phi.values import Scrubbed

NEVER_SENT_SEQ = -1


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device in words; text that was not told or not admitted is None."""

    appliance: ApplianceId
    device: str
    device_class: str
    off_limits: bool
    label: str | None
    name: str | None
    vendor: str | None

    @property
    def called(self) -> str:
        """What people call it: its label, else its name, else nothing."""
        return self.label or self.name or ""


async def last_seq(site: SiteId, connection: AsyncConnection, *, appliance: ApplianceId) -> int:
    """Return the number of the newest page of an appliance."""
    query = select(device_lists.c.seq).where(
        device_lists.c.site_id == site, device_lists.c.appliance_id == appliance
    )
    found = await connection.scalar(query)
    return NEVER_SENT_SEQ if found is None else int(found)


async def put_page(
    site: SiteId,
    connection: AsyncConnection,
    *,
    appliance: ApplianceId,
    page: Page,
    now_ms: int,
) -> str:
    """Replace a range of the list; return the digest of all that is held of it now."""
    its = (devices.c.site_id == site, devices.c.appliance_id == appliance)
    gone = delete(devices).where(*its)
    if page.after is not None:
        gone = gone.where(devices.c.device > page.after)
    if page.until is not None:
        gone = gone.where(devices.c.device <= page.until)
    await connection.execute(gone)
    await upsert(connection, devices, [_values(site, appliance, row) for row in page.rows])
    rows = await connection.execute(select(devices.c.device, devices.c.digest).where(*its))
    digest = list_digest(row.digest for row in sorted(rows, key=lambda one: one.device))
    await upsert(
        connection,
        device_lists,
        [
            {
                "site_id": site,
                "appliance_id": appliance,
                "seq": page.seq,
                "digest": digest,
                "received_ms": now_ms,
            }
        ],
    )
    return digest


def _values(site: SiteId, appliance: ApplianceId, row: DeviceRow) -> dict[str, object]:
    return {
        "site_id": site,
        "appliance_id": appliance,
        "device": row.device,
        "device_class": row.device_class.value,
        "off_limits": row.off_limits,
        "label": _text(row.label),
        "name": _text(row.name),
        "vendor": _text(row.vendor),
        "digest": row.digest,
    }


def _text(text: Scrubbed | None) -> str | None:
    return None if text is None else str(text)


async def all_digests(connection: AsyncConnection) -> list[tuple[ApplianceId, str]]:
    """Return the digest of what is held of every appliance's list, of any site."""
    query = select(device_lists.c.appliance_id, device_lists.c.digest)
    return [(ApplianceId(row.appliance_id), row.digest) for row in await connection.execute(query)]


async def of_site(site: SiteId, connection: AsyncConnection) -> tuple[DeviceView, ...]:
    """Return a site's devices, by appliance and id."""
    query = (
        select(devices)
        .where(devices.c.site_id == site)
        .order_by(devices.c.appliance_id, devices.c.device)
    )
    return tuple(
        DeviceView(
            ApplianceId(row.appliance_id),
            row.device,
            row.device_class,
            row.off_limits,
            row.label,
            row.name,
            row.vendor,
        )
        for row in await connection.execute(query)
    )


async def called(site: SiteId, connection: AsyncConnection) -> dict[str, str]:
    """Return what a site's devices are called, by id; those without a name are left out."""
    return {one.device: one.called for one in await of_site(site, connection) if one.called}
