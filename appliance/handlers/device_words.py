"""The list of devices in words, as it may leave: labels, names and makers, scrubbed.

A text is scrubbed when it is first seen, and again when it changes or when other names are known.
Text in which the last look saw
something all the same is barred: it is left out from then on, while the device stays in the list.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from appliance.core.identity import AttributeKind
from appliance.handlers.scrubber import Source
from appliance.store.devices import Device
from proto.hub.devices import TEXT_CHARS_MAX, DeviceEntry, entry_hash, list_digest
from proto.phi import Scrubbed

Scrub = Callable[[str, Source], Scrubbed]
Entry = DeviceEntry[Scrubbed]

BARRED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    raw: tuple[object, ...]
    entry: Entry
    hash: bytes


@dataclass(slots=True)
class DeviceWords:
    """What was scrubbed before, so that an unchanged list costs nothing."""

    _known: dict[str, _Known] = field(default_factory=dict)
    _names: object = None
    _barred: set[str] = field(default_factory=set)

    def entries(
        self, devices: Iterable[Device], scrub: Scrub, *, names: object = None
    ) -> tuple[list[Entry], str]:
        """Return the list by ascending id, and its digest.

        Args:
            devices: all of them.
            scrub: the scrubber.
            names: what it knows of names: another value than last time makes all text be looked at.
        """
        if names is not self._names:
            self._names = names
            self._known.clear()
        known: dict[str, _Known] = {}
        for device in sorted(devices, key=lambda one: one.id):
            raw = (device.device_class, device.is_off_limits, *_texts(device))
            before = self._known.get(device.id)
            if before is None or before.raw != raw:
                entry = self._entry(device, scrub)
                before = _Known(raw, entry, entry_hash(entry))
            known[device.id] = before
        self._known = known
        return [one.entry for one in known.values()], list_digest(
            one.hash for one in known.values()
        )

    def bar(self, text: str) -> None:
        """Leave this text, as it was scrubbed, out of the list from now on."""
        if len(self._barred) >= BARRED_MAX:
            self._barred.clear()  # what must not leave is seen again, and barred again
        self._barred.add(text)
        self._known.clear()

    def _entry(self, device: Device, scrub: Scrub) -> Entry:
        label, name, vendor = _texts(device)
        return DeviceEntry(
            id=device.id,
            device_class=device.device_class,
            off_limits=device.is_off_limits,
            label=self._fit(label, Source.LABELS, scrub),
            name=self._fit(name, Source.DEVICE_NAMES, scrub),
            vendor=self._fit(vendor, Source.DEVICE_NAMES, scrub),
        )

    def _fit(self, text: str, source: Source, scrub: Scrub) -> Scrubbed | None:
        if not text:
            return None
        found = scrub(text, source)
        return None if len(found) > TEXT_CHARS_MAX or str(found) in self._barred else found


def _texts(device: Device) -> tuple[str, str, str]:
    """Return a device's label, newest name and newest maker, each "" when it has none."""
    name = next(iter(device.values(AttributeKind.NAME)), "")
    vendor = next(iter(device.values(AttributeKind.VENDOR)), "")
    return device.label, name, vendor
