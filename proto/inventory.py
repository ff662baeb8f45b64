"""The inventory: devices, the facts about them, and the closed list of facts scripts may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proto.ids import ApplianceId, TargetId


class DeviceClass(StrEnum):
    """What kind of thing a device is, as far as gentle observation tells."""

    SERVER = "server"
    WORKSTATION = "workstation"
    NETWORK = "network"
    PRINTER = "printer"
    MEDICAL = "medical"
    UNKNOWN = "unknown"


class Platform(StrEnum):
    """Which catalogue of checks applies to a target."""

    LINUX = "linux"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Facts:
    """The closed list of facts that conditions and scripts may read.

    A condition names them `target.login`, `site.ntp_servers`; a shell script reads the same values
    as `$fact_target_login`, lists joined by single spaces.
    """

    target_id: TargetId
    target_platform: Platform
    target_os: str
    target_os_version: str
    target_class: DeviceClass
    target_login: str
    target_address: str
    appliance_id: ApplianceId
    appliance_address: str
    site_admin_networks: tuple[str, ...]
    site_ntp_servers: tuple[str, ...]
    site_time_zone: str


FACT_NAMES = (
    "target.id",
    "target.platform",
    "target.os",
    "target.os_version",
    "target.class",
    "target.login",
    "target.address",
    "appliance.id",
    "appliance.address",
    "site.admin_networks",
    "site.ntp_servers",
    "site.time_zone",
)
"""Every fact, by the name that a condition uses."""


def as_fields(facts: Facts) -> dict[str, str]:
    """Return the facts by their condition names; lists are joined by single spaces."""
    found: dict[str, str] = {}
    for name in FACT_NAMES:
        value = getattr(facts, name.replace(".", "_", 1))
        found[name] = " ".join(value) if isinstance(value, tuple) else str(value)
    return found


def as_variables(facts: Facts) -> Mapping[str, str]:
    """Return the facts by their shell names: `target.login` becomes `fact_target_login`."""
    return {f"fact_{name.replace('.', '_')}": value for name, value in as_fields(facts).items()}
