"""What appliances say of their devices in words: pages in, what is held out."""

from central.api.agent import Sender
from central.api.aside import keep_aside, note_aside
from central.core.devices import read_page
from central.core.refusals import UnknownKeyError
from central.state import Hub
from central.store import devices
from proto import envelope
from proto.hub.devices import DevicesReply


async def take_devices(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Replace a range of an appliance's list; the answer says what is held of all of it.

    Raises:
        RejectedError: see `central.core.devices`.
    """
    parsed = envelope.parse(body)
    known = sender.known = hub.registry.by_key_ids(parsed.key_ids)
    if known is None:
        msg = "devices: signed by no key that an enrolled appliance has now"
        raise UnknownKeyError(msg)
    async with known.evidence:
        async with hub.store.read() as connection:
            last = await devices.last_seq(known.site, connection, appliance=known.appliance)
        page = read_page(
            parsed,
            trust=known.trust(),
            appliance=known.appliance,
            last_seq=last,
            looker=hub.looker,
        )
        async with hub.store.write() as connection:
            held = await devices.put_page(
                known.site,
                connection,
                appliance=known.appliance,
                page=page,
                now_ms=hub.now_ms,
            )
            await keep_aside(hub, connection, known, page.aside)
        known.device_list = held
        note_aside(hub, known, page.aside)
    return DevicesReply(held=held).to_bytes()
