"""What kind of device something is, and what it may be asked next.

The rules, which a property test holds for every sequence of results:

- What is known without a packet to the device itself comes first: the vendor that its MAC tells.
  A device of a vendor on the medical list is never connected to.
- Every other device is first asked for the three medical ports and nothing else: 104 and 11112
  (DICOM), 2575 (HL7). One of them open, and it is never connected to again.
- Both are for ever: once marked, a device stays off limits, whatever later looks say, until a
  person decides. Only the sweep, which connects to nothing, still sees it.
- A person may release it: what made it look medical then does not mark it again. A sign that was
  not there then does, and so does a hardware address that it did not have: the word was given for
  one device, and whatever else turns up under its id is not that device.
- Only a device that answered for all three is asked for the ports that the content's checks are
  about, and for SSH. Never more than 20 ports in total, each at most once a round.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from appliance.core.medical_vendors import MEDICAL_VENDORS
from proto.inventory import DeviceClass

MEDICAL_PORTS = (104, 2575, 11112)
"""DICOM, HL7 over MLLP, and DICOM's registered port."""

SSH_PORT = 22

PORTS_MAX = 20
"""How many ports of a device are asked in a round, the medical ones counted."""


HL7_PORT = 2575


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that makes a device look medical: `code` is the same each time, `words` say it."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Release:
    """A person's word that a device is not medical.

    Attributes:
        signs: codes of the signs that the person knew of.
        macs: the hardware addresses that the device had then; the word holds for no other.
        because: why it was off limits until then.
        at_ms: when it was given.
    """

    signs: frozenset[str]
    macs: frozenset[str]
    because: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a device before it is asked for more.

    Attributes:
        vendors: every vendor that one of its MACs told, newest first.
        names: every name it had.
        asked: TCP ports that it answered for in this round, open or not.
        open: TCP ports seen open, in this round or before.
        marked: why it was put off limits before; "" when it was not.
        macs: every MAC that it had; "" stands for a look that saw none.
        release: what a person last said of it, None when nobody released it.
    """

    vendors: tuple[str, ...]
    names: tuple[str, ...]
    asked: frozenset[int]
    open: frozenset[int]
    marked: str
    macs: frozenset[str] = frozenset()
    release: Release | None = None


def signs(device: Observed) -> tuple[Sign, ...]:
    """Return everything that makes a device look medical, whatever a person said of it."""
    vendors = {
        f"vendor {_plain(vendor)}": f"vendor {vendor}: {reason}"
        for vendor in device.vendors
        if (reason := medical_vendor(vendor))
    }
    ports = {
        f"port {port}": f"port {port} is open: {'HL7' if port == HL7_PORT else 'DICOM'}"
        for port in MEDICAL_PORTS
        if port in device.open
    }
    return tuple(Sign(code, words) for code, words in (vendors | ports).items())


def off_limits(device: Observed) -> str | None:
    """Say why a device may not be connected to, or None when it may."""
    if device.marked:
        return device.marked
    release = device.release
    if release is not None and release.signs and not device.macs <= release.macs:
        return f"{release.because}; it was released at another hardware address than it has now"
    known = release.signs if release else frozenset()
    return next((sign.words for sign in signs(device) if sign.code not in known), None)


def waits_for_a_look(release: Release | None, asked_ms: Mapping[int, int]) -> bool:
    """Tell whether a released device must be asked for its medical ports before anybody logs in.

    `asked_ms` is when each port was asked last.
    """
    if release is None:
        return False
    return any(asked_ms.get(port, -1) < release.at_ms for port in MEDICAL_PORTS)


def next_ports(device: Observed, wanted: Collection[int]) -> tuple[int, ...]:
    """Say which ports may be asked now: none, the medical ones, or the rest.

    Args:
        device: what is known so far, this round's answers included.
        wanted: the ports that the content's checks are about, and SSH.
    """
    if off_limits(device) is not None:
        return ()
    medical = tuple(port for port in MEDICAL_PORTS if port not in device.asked)
    if medical:
        return medical
    room = max(0, PORTS_MAX - len(device.asked))
    return tuple(sorted(set(wanted) - device.asked))[:room]


@lru_cache(maxsize=4096)
def medical_vendor(vendor: str) -> str | None:
    """Say why a vendor's name is on the medical list, or None when it is not."""
    plain = _plain(vendor)
    for reason, pattern in _MEDICAL:
        if pattern.search(plain):
            return reason
    return None


def device_class(device: Observed) -> DeviceClass:
    """Say what kind of thing a device is, as far as its vendor, names and open ports tell."""
    if off_limits(device) is not None:
        return DeviceClass.MEDICAL
    words = {word for name in device.names for word in _name_words(name)}
    vendors = [_plain(vendor) for vendor in device.vendors]
    for kind, clues in _CLUES:
        if (
            clues.ports & device.open
            or clues.words & words
            or any(clues.vendors.search(vendor) for vendor in vendors)
        ):
            return kind
    if SSH_PORT in device.open and device.open & _SERVICES:
        return DeviceClass.SERVER
    return DeviceClass.UNKNOWN


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return " ".join(re.findall(r"[a-z0-9]+", letters.lower()))


def _name_words(name: str) -> list[str]:
    # The host part only: a domain "server.example" says nothing about each of its hosts. Numbers
    # at the end of a word count the hosts ("ws12").
    return [word.rstrip("0123456789") for word in _plain(name.split(".", 1)[0]).split()]


def _pattern(text: str) -> str:
    body = re.escape(text.strip("^$")).replace(r"\*", "[a-z0-9]*").replace(r"\ ", " ")
    start = "^" if text.startswith("^") else r"(?<![a-z0-9])"
    end = "$" if text.endswith("$") else r"(?![a-z0-9])"
    return start + body + end


def _one_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(map(_pattern, patterns)))


_MEDICAL = tuple((reason, _one_of(*patterns)) for reason, patterns in MEDICAL_VENDORS)


@dataclass(frozen=True, slots=True)
class _Clues:
    ports: frozenset[int]
    words: frozenset[str]
    vendors: re.Pattern[str]


_SERVICES = frozenset({25, 53, 80, 88, 389, 443, 636, 1433, 3306, 5432, 6379, 8080, 8443})

# Tried in this order. A vendor stands here only when nearly all that it sells is of the kind.
_CLUES = (
    (
        DeviceClass.PRINTER,
        _Clues(
            ports=frozenset({515, 9100}),
            words=frozenset({"printer", "print", "prn", "mfp", "copier", "labelprinter"}),
            vendors=_one_of(
                "brother industries",
                "kyocera display",
                "kyocera document",
                "lexmark*",
                "konica minolta",
                "oki electric",
                "ricoh",
                "riso kagaku",
                "seiko epson",
                "xerox",
                "zebra technologies",
            ),
        ),
    ),
    (
        DeviceClass.NETWORK,
        _Clues(
            ports=frozenset(),
            words=frozenset(
                {"switch", "sw", "router", "rtr", "gw", "gateway", "firewall", "fw", "ap", "wlc"}
            ),
            vendors=_one_of(
                "aruba",
                "^cisco systems",
                "cisco meraki",
                "d link",
                "extreme networks",
                "fortinet",
                "juniper networks",
                "mikrotik",
                "routerboard*",
                "netgear",
                "palo alto networks",
                "ruckus",
                "ruckus wireless",
                "sonicwall",
                "tp link",
                "ubiquiti*",
                "watchguard*",
                "zyxel*",
            ),
        ),
    ),
    (
        DeviceClass.WORKSTATION,
        _Clues(
            ports=frozenset({3389}),
            words=frozenset({"ws", "pc", "desktop", "laptop", "nb", "workstation", "frontdesk"}),
            vendors=re.compile(r"(?!)"),
        ),
    ),
    (
        DeviceClass.SERVER,
        _Clues(
            ports=frozenset({88, 389, 636, 1433, 3306, 5432}),
            words=frozenset(
                {"server", "srv", "db", "web", "mail", "files", "file", "nas", "dc", "emr", "ehr"}
            ),
            vendors=_one_of("super micro computer", "synology", "qnap systems"),
        ),
    ),
)
