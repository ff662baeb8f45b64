"""Which device a sighting is of. Ids are random; dated attributes find them.

The rules, from the strongest attribute down:

- A MAC that a maker gave, or a pinned SSH host key, finds its device wherever it turns up.
- A locally administered MAC (a phone's random one, a virtual machine's) finds its device too, but
  proves nothing against another: when it is new, address and name may still speak.
- An address finds the device that had it last, unless that device has moved on, is seen elsewhere
  in the same sweep, or has a MAC or host key of its own that differs.
- A name finds a device when exactly one has it, under the same conditions.
- Otherwise the device is new.

What disagrees: a MAC of A at the address of B, and B's own MAC is another: a lease moved on, so B
loses the address. A maker's MAC of A with the host key of B, a made-up MAC of A with the host key
of B, or a MAC of A at the address of a B of which only host key and address are known: nothing is
merged or moved, the conflict is recorded, a person decides. Devices known by their MAC come first
in a sweep, so leases that change places make no ghosts.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from proto.errors import MalformedError
from proto.ids import TargetId
from proto.invariants import require

NAME_CHARS_MAX = 253
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_NAMELESS = frozenset({"", "localhost", "localhost.localdomain", "localhost6"})
_VIRTUAL_ROUTER = "00:00:5e:00:"  # RFC 9568: moves between the routers that share it
_HOST_KEY = re.compile(r"[a-z0-9@.-]{1,64} ([A-Za-z0-9+/]{16,8192}={0,2})")


class AttributeKind(StrEnum):
    """What a device is found by; a vendor finds nothing."""

    MAC = "mac"
    HOST_KEY = "host_key"
    ADDRESS = "address"
    NAME = "name"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something a device had, and from when to when it was seen to."""

    device: TargetId
    kind: AttributeKind
    value: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one host at one address; "" where a thing is not known."""

    address: str
    mac: str
    vendor: str
    name: str
    host_key: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that was seen at `device` but belongs to `other`."""

    device: TargetId
    other: TargetId
    kind: AttributeKind
    value: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A sighting and the device it is of.

    Attributes:
        found_by: what found the device; None for a new one.
        attributes: what the sighting tells about the device, without what is in conflict.
    """

    sighting: Sighting
    device: TargetId
    found_by: AttributeKind | None
    attributes: Mapping[AttributeKind, str]


@dataclass(frozen=True, slots=True)
class Identified:
    """The outcome of a sweep, in the order of its sightings.

    Attributes:
        lost: addresses that now belong to another device.
    """

    placed: tuple[Placed, ...]
    lost: tuple[tuple[TargetId, AttributeKind, str], ...]
    conflicts: tuple[Conflict, ...]


def is_weak_mac(mac: str) -> bool:
    """Tell whether a MAC was made up by software: locally administered, or a virtual router's."""
    return int(mac[:2], 16) & 0b10 != 0 or mac.startswith(_VIRTUAL_ROUTER)


def fingerprint(host_key: str) -> str:
    """Return a host key's fingerprint as OpenSSH shows it, `SHA256:` and unpadded base64.

    Raises:
        MalformedError: not `<type> <base64>`.
    """
    match = _HOST_KEY.fullmatch(host_key)
    try:
        blob = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        blob = b""
    if not blob:
        msg = "host key: not of the form `ssh-ed25519 AAAA...`"
        raise MalformedError(msg)
    digest = hashlib.sha256(blob).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def shown_value(kind: AttributeKind, value: str) -> str:
    """Return a value as people compare it: a host key by its fingerprint."""
    if kind is not AttributeKind.HOST_KEY:
        return value
    try:
        return fingerprint(value)
    except MalformedError:
        return value


def identify(
    known: Iterable[Attribute], sightings: Sequence[Sighting], *, new_id: Callable[[], TargetId]
) -> Identified:
    """Find the device of each sighting of one sweep; make ids for those that are new.

    Args:
        known: the attributes of all devices.
        sightings: what one sweep saw, each address once; all with one MAC are of one device.
        new_id: makes an id from fresh entropy.
    """
    addresses = {sighting.address for sighting in sightings}
    require(len(addresses) == len(sightings), "a sweep sees each address once")
    book = _Book(known)
    clean = [_clean(sighting) for sighting in sightings]
    for find in (_by_makers_mac, _by_host_key, _by_mac, _by_address, _by_name):
        for index, sighting in enumerate(clean):
            if index not in book.placed and (found := find(book, sighting)):
                book.place(index, sighting, *found)
    for index, sighting in enumerate(clean):
        if index not in book.placed:
            # A MAC that is new may stand at several addresses of this very sweep.
            found = _by_mac(book, sighting)
            book.place(index, sighting, *(found or (new_id(), None)))
    return Identified(
        placed=tuple(book.placed[index] for index in range(len(clean))),
        lost=tuple(book.lost),
        conflicts=tuple(book.conflicts),
    )


@dataclass(slots=True)
class _Traits:
    """What one device has."""

    macs: set[str] = field(default_factory=set)
    host_keys: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    address: str = ""  # the one it had last
    address_ms: int = -1
    is_claimed: bool = False  # seen in this sweep already


_Found = tuple[TargetId, AttributeKind | None]


class _Book:
    """Who has what, while one sweep is worked through."""

    def __init__(self, known: Iterable[Attribute]) -> None:
        self.holders: dict[tuple[AttributeKind, str], TargetId] = {}
        self.named: dict[str, set[TargetId]] = {}
        self.traits: dict[TargetId, _Traits] = {}
        self.placed: dict[int, Placed] = {}
        self.lost: list[tuple[TargetId, AttributeKind, str]] = []
        self.conflicts: list[Conflict] = []
        # The latest holder of a value is written last and stays.
        for attribute in sorted(known, key=lambda a: (a.last_ms, a.device)):
            self._learn(attribute.device, attribute.kind, attribute.value, at_ms=attribute.last_ms)

    def _learn(
        self, device: TargetId, kind: AttributeKind, value: str, *, at_ms: int | None
    ) -> None:
        traits = self.traits.setdefault(device, _Traits())
        self.holders[kind, value] = device
        if kind is AttributeKind.MAC:
            traits.macs.add(value)
        elif kind is AttributeKind.HOST_KEY:
            traits.host_keys.add(value)
        elif kind is AttributeKind.NAME:
            traits.names.add(value)
            self.named.setdefault(value, set()).add(device)
        elif kind is AttributeKind.ADDRESS and (at_ms is None or at_ms >= traits.address_ms):
            traits.address = value
            traits.address_ms = traits.address_ms if at_ms is None else at_ms

    def place(
        self, index: int, sighting: Sighting, device: TargetId, found_by: AttributeKind | None
    ) -> None:
        """Settle whose sighting this is, and who loses or disputes what."""
        attributes: dict[AttributeKind, str] = {}
        for kind in AttributeKind:
            value = getattr(sighting, kind.value)
            if value and self._may_have(device, kind, value):
                attributes[kind] = value
        self.traits.setdefault(device, _Traits()).is_claimed = True
        for kind, value in attributes.items():
            self._learn(device, kind, value, at_ms=None)
        self.placed[index] = Placed(sighting, device, found_by, attributes)

    def _may_have(self, device: TargetId, kind: AttributeKind, value: str) -> bool:
        other = self.holders.get((kind, value))
        if other is None or other == device or kind in {AttributeKind.NAME, AttributeKind.VENDOR}:
            return True
        traits = self.traits[other]
        if kind is AttributeKind.ADDRESS and (traits.macs or not traits.host_keys):
            self.lost.append((other, kind, value))
            return True
        self.conflicts.append(Conflict(device, other, kind, value))
        return False


def _by_makers_mac(book: _Book, sighting: Sighting) -> _Found | None:
    if not sighting.mac or is_weak_mac(sighting.mac):
        return None
    return _by_mac(book, sighting)


def _by_mac(book: _Book, sighting: Sighting) -> _Found | None:
    device = book.holders.get((AttributeKind.MAC, sighting.mac))
    return None if device is None else (device, AttributeKind.MAC)


def _by_host_key(book: _Book, sighting: Sighting) -> _Found | None:
    device = book.holders.get((AttributeKind.HOST_KEY, sighting.host_key))
    if device is None:
        return None
    # A maker's MAC that is new: a new network card, or a clone with a copied key. A person knows.
    macs = book.traits[device].macs
    if sighting.mac and not is_weak_mac(sighting.mac) and any(not is_weak_mac(m) for m in macs):
        return None
    return device, AttributeKind.HOST_KEY


def _by_address(book: _Book, sighting: Sighting) -> _Found | None:
    device = book.holders.get((AttributeKind.ADDRESS, sighting.address))
    if device is None or book.traits[device].address != sighting.address:
        return None
    if _is_another(book.traits[device], sighting):
        return None
    return device, AttributeKind.ADDRESS


def _by_name(book: _Book, sighting: Sighting) -> _Found | None:
    named = book.named.get(sighting.name, set())
    if len(named) != 1:
        return None
    (device,) = named
    if _is_another(book.traits[device], sighting):
        return None
    return device, AttributeKind.NAME


def _is_another(traits: _Traits, sighting: Sighting) -> bool:
    """Tell whether something stronger than address and name says that it is another device."""
    if traits.is_claimed:
        return True
    if sighting.host_key and traits.host_keys and sighting.host_key not in traits.host_keys:
        return True
    if not sighting.mac or not traits.macs or sighting.mac in traits.macs:
        return False
    # Both MACs are made up and the names agree: the same phone with its next random MAC.
    is_next_random = all(is_weak_mac(mac) for mac in (sighting.mac, *traits.macs))
    return not (is_next_random and sighting.name in traits.names)


def _clean(sighting: Sighting) -> Sighting:
    """Return the sighting without what can find nothing."""
    mac = sighting.mac.lower()
    is_usable = _MAC.fullmatch(mac) and mac.strip("0:") and not int(mac[:2], 16) & 1
    name = sighting.name.lower().rstrip(".")[:NAME_CHARS_MAX]
    return Sighting(
        address=sighting.address,
        mac=mac if is_usable else "",
        vendor=sighting.vendor,
        name="" if name in _NAMELESS else name,
        host_key=sighting.host_key,
    )
