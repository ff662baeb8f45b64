"""Sending the list of devices in words: page by page, until the hub holds it as it is now."""

from appliance.handlers.device_words import Entry, Scrub
from appliance.handlers.held_back import Stopped, hold_back
from appliance.handlers.scrubber import Source
from appliance.handlers.work import Work
from appliance.ports import HeldBackError
from appliance.store import devices, meta
from proto.hub.devices import BODY_BYTES_MAX, DevicePage, DevicesReply, pages
from proto.phi import Scrubbed
from runtime.log import logger

log = logger("devices")


def scrub_of(work: Work) -> Scrub:
    """Return how the words of devices are scrubbed."""

    def scrub(text: str, source: Source) -> Scrubbed:
        return work.scrubber.scrub(text, source=source)

    return scrub


async def lacks_devices(work: Work, digest: str) -> bool:
    """Tell whether the hub has not said that it holds the list as it is now."""
    async with work.store.read() as conn:
        return await meta.get(conn, meta.Key.HUB_DEVICES) != digest


async def send_devices(work: Work) -> None:
    """Send the whole list; what it holds afterwards is the hub's own word.

    Raises:
        UnreachableError: no answer; the next check-in begins anew.
        RejectedError: the hub refuses a page.
        HeldBackError: something that must not leave stands where nothing can be left out.
    """
    async with work.store.read() as conn:
        known = (await devices.every(conn)).values()
    entries, digest = work.device_words.entries(known, scrub_of(work), names=work.scrubber.names)
    await work.scrubber.settle()
    held = ""
    for after, until, page in pages(entries):
        try:
            held = await _send(work, page, digest=digest, after=after, until=until)
        except HeldBackError as error:
            await _bar(work, page, error)
            return  # the list is another one now: the next check-in sends it
    if held != digest:
        log.warning("device_list_differs", devices=len(entries))
        return
    async with work.store.write() as conn:
        await meta.put(conn, meta.Key.HUB_DEVICES, digest)


async def _send(
    work: Work,
    page: tuple[Entry, ...],
    *,
    digest: str,
    after: str | None,
    until: str | None,
) -> str:
    async with work.store.write() as conn:
        seq = await meta.get_int(conn, meta.Key.DEVICE_PAGE_SEQ) + 1
        await meta.put(conn, meta.Key.DEVICE_PAGE_SEQ, str(seq))
    message = DevicePage(
        appliance=work.scribe.appliance,
        seq=seq,
        iat=work.clock.now_ms() // 1000,
        digest=digest,
        after=after,
        until=until,
        entries=page,
    )
    answer = await work.hub.send(message)
    return DevicesReply.from_bytes(answer, "devices", size_bytes_max=BODY_BYTES_MAX).held


async def _bar(work: Work, page: tuple[Entry, ...], held: HeldBackError) -> None:
    """Hold back the words in which something was seen; all of the page's where none shows it.

    Raises:
        HeldBackError: the page has no words at all.
    """
    words = {str(one) for entry in page for one in (entry.label, entry.name, entry.vendor) if one}
    seen = [(one, work.sentry.look(one.encode())) for one in sorted(words)]
    stopped = [(one, alarms) for one, alarms in seen if alarms]
    stopped = stopped or [(one, held.alarms) for one in sorted(words)]
    if not stopped:
        raise held
    for one, alarms in stopped:
        work.device_words.bar(one)
        await hold_back(work, Stopped("name of a device", one.encode(), alarms))
