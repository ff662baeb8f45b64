"""A page of the list of devices judged: whose it is, whether it is new, and what of it is admitted.

Rules, first failure wins:

- the envelope is signed by the key of an enrolled appliance, and the body names that appliance;
- `seq` is above every page before it (`replayed`);
- entries stand by ascending id, within the range that the page speaks for (`malformed`).

A device whose text is not admitted stays in the list, without that text.
"""

import hashlib
from dataclasses import dataclass

from central.core.admission import SetAside, set_aside
from central.core.refusals import OtherApplianceError, ReplayedError
from proto import strict_json
from proto.envelope import Envelope, Kind
from proto.errors import MalformedError
from proto.hub.devices import BODY_BYTES_MAX, DeviceEntry, DevicePage
from proto.ids import ApplianceId
from proto.inventory import DeviceClass
from proto.keys import Threshold
from proto.phi.admission import Looker, Refused
from proto.phi.arrived import Arrived
from proto.phi.values import Scrubbed


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in words; text that was not told or not admitted is None.

    Attributes:
        digest: SHA-256 of the entry as it came, so that both sides can compare lists.
    """

    device: str
    device_class: DeviceClass
    off_limits: bool
    label: Scrubbed | None
    name: Scrubbed | None
    vendor: Scrubbed | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was believed: it replaces the ids above `after` up to `until`."""

    seq: int
    after: str | None
    until: str | None
    rows: tuple[DeviceRow, ...]
    aside: tuple[SetAside, ...]


def read_page(
    parsed: Envelope, *, trust: Threshold, appliance: ApplianceId, last_seq: int, looker: Looker
) -> Page:
    """Return what a page says, or raise the error that its first broken rule has."""
    opened = parsed.open(kind=Kind.DEVICES, trust=trust)
    said = DevicePage[Arrived].from_bytes(opened.body, "devices", size_bytes_max=BODY_BYTES_MAX)
    if said.appliance != appliance:
        msg = f"devices.appliance: {said.appliance} is not {appliance}, whose key signed it"
        raise OtherApplianceError(msg)
    if said.seq <= last_seq:
        msg = f"devices.seq: {said.seq} does not follow {last_seq}"
        raise ReplayedError(msg)
    _hold_in_range(said)
    aside: list[SetAside] = []
    rows = tuple(
        _row(entry, digest, looker=looker, aside=aside)
        for entry, digest in zip(said.entries, _digests(opened.body), strict=True)
    )
    return Page(said.seq, said.after, said.until, rows, tuple(aside))


def _hold_in_range(said: DevicePage[Arrived]) -> None:
    named = [entry.id for entry in said.entries]
    ordered = named == sorted(set(named))
    above = not named or said.after is None or said.after < named[0]
    below = not named or said.until is None or named[-1] <= said.until
    if not (ordered and above and below):
        msg = "devices.entries: not by ascending id within the page's range"
        raise MalformedError(msg)


def _digests(body: bytes) -> list[bytes]:
    """Return the SHA-256 of each entry as it travelled."""
    value = strict_json.loads(body, size_bytes_max=BODY_BYTES_MAX)
    entries = value.get("entries") if isinstance(value, dict) else None
    if not isinstance(entries, list):
        return []
    return [hashlib.sha256(strict_json.dumps(one)).digest() for one in entries]


def _row(
    entry: DeviceEntry[Arrived], digest: bytes, *, looker: Looker, aside: list[SetAside]
) -> DeviceRow:
    def admitted(text: Arrived | None, what: str) -> Scrubbed | None:
        if text is None:
            return None
        found = looker.admit(text)
        if isinstance(found, Refused):
            aside.append(set_aside(text, found, what=what, place=f"device {entry.id}"))
            return None
        return found

    return DeviceRow(
        device=entry.id,
        device_class=entry.device_class,
        off_limits=entry.off_limits,
        label=admitted(entry.label, "label of a device"),
        name=admitted(entry.name, "name of a device"),
        vendor=admitted(entry.vendor, "maker of a device"),
        digest=digest,
    )
