"""Planting the day's canaries: one patient who never was for each source of text.

| source | planted how |
|---|---|
| the log | a line of the real log, through its last processor |
| the portal's export | a row of the devices' file, marked as planted |
| names of devices | a device that is in no inventory, taken through scrubbing, page and envelope |
| answers of targets | an answer that no target gave, taken through scrubbing, detail and batch |

The last two are rehearsed up to the bytes that would be sent, which the last look then reads, and
are not sent: a device that is none would be counted, shown and asked for. From planting on, every
look at the socket knows the values of the last days, and every look anywhere, the hub's too, knows
a canary by its form.
"""

from collections.abc import Collection

from appliance.core.identity import Attribute, AttributeKind
from appliance.handlers.device_list import scrub_of
from appliance.handlers.device_words import DeviceWords
from appliance.handlers.held_back import Stopped, hold_back
from appliance.handlers.telling import leaving
from appliance.handlers.work import Work
from appliance.store import evidence
from appliance.store.devices import Device
from proto.evidence import SALT_BYTES, detail_of
from proto.hub.devices import DevicePage
from proto.hub.evidence import Detail, EvidenceBatch
from proto.hub.outgoing import Outgoing, wire
from proto.ids import ENTROPY_BYTES, new_target_id
from proto.inventory import DeviceClass
from proto.phi.canary import Canary, canary
from proto.phi.sentry import Alarm
from proto.strict_json import b64_encode
from runtime.log import logger

DAY_MS = 86_400_000
DAYS_WATCHED = 7
"""A canary's number is looked for so long; its name is known by its form for ever."""

LOG, EXPORT, DEVICES, ANSWERS = "log", "export", "names of devices", "answers of targets"
SOURCES = (LOG, EXPORT, DEVICES, ANSWERS)

log = logger("scrubbing")


class Canaries:
    """The canaries of one appliance, all made from its key and the day."""

    def __init__(self, key: bytes) -> None:
        """Make them from this key."""
        self._key = key
        self.planted_ms = 0

    def of_day(self, source: str, *, now_ms: int) -> Canary:
        """Return today's canary of a source."""
        return canary(self._key, now_ms // DAY_MS, source)

    def values(self, *, now_ms: int) -> Collection[bytes]:
        """Return what no bytes that leave may hold: the canaries of the last days."""
        today = now_ms // DAY_MS
        return frozenset(
            value
            for day in range(today - DAYS_WATCHED + 1, today + 1)
            for source in SOURCES
            for value in canary(self._key, day, source).values
        )

    async def plant(self, work: Work) -> int:
        """Plant the day's canaries; return how many came through to where they must not.

        What came through is held back, sealed, with the alarm that everything held back raises.
        """
        now_ms = work.clock.now_ms()
        work.sentry.canaries = self.values(now_ms=now_ms)
        log.info("canary_planted", note=self.of_day(LOG, now_ms=now_ms).line())
        through = 0
        for source, message in (
            (DEVICES, await self._device_page(work)),
            (ANSWERS, await self._answer(work)),
        ):
            request = wire(message, signer=work.scribe.key)
            if alarms := _canaries_in(work, request.body):
                through += 1
                await hold_back(work, Stopped(f"canary in {source}", request.body, alarms))
        self.planted_ms = now_ms
        return through

    async def _device_page(self, work: Work) -> Outgoing:
        now_ms = work.clock.now_ms()
        one = self.of_day(DEVICES, now_ms=now_ms)
        nobody = new_target_id(work.entropy(ENTROPY_BYTES))
        device = Device(
            id=nobody,
            device_class=DeviceClass.UNKNOWN,
            is_off_limits=False,
            because="",
            label=one.label(),
            first_ms=now_ms,
            last_ms=now_ms,
            attributes=(
                Attribute(nobody, AttributeKind.NAME, one.line(), now_ms, now_ms),
                Attribute(nobody, AttributeKind.VENDOR, f"MRN: {one.mrn}", now_ms, now_ms),
            ),
            ports={},
            release=None,
        )
        entries, digest = DeviceWords().entries([device], scrub_of(work))
        return DevicePage(
            appliance=work.scribe.appliance,
            seq=0,
            iat=now_ms // 1000,
            digest=digest,
            after=None,
            until=None,
            entries=tuple(entries),
        )

    async def _answer(self, work: Work) -> Outgoing:
        one = self.of_day(ANSWERS, now_ms=work.clock.now_ms())
        seen = leaving(work, "canary", {"text": one.line(), "patient": one.name(), "mrn": one.mrn})
        detail = Detail(
            leaf=0,
            part="checks.0",
            salt=b64_encode(work.entropy(SALT_BYTES)),
            detail=detail_of(seen),
        )
        async with work.store.read() as conn:
            checkpoint = await evidence.signed_checkpoint(conn, work.scribe)
        return EvidenceBatch(
            appliance=work.scribe.appliance,
            first=0,
            leaves=(),
            details=(detail,),
            checkpoint=checkpoint,
        )


def _canaries_in(work: Work, body: bytes) -> tuple[Alarm, ...]:
    return tuple(alarm for alarm in work.sentry.look(body) if alarm.form == "canary")
