"""The appliance's settings, as values. `appliance/config.py` reads them from TOML."""

from dataclasses import dataclass

from proto.catalog.model import Autonomy


@dataclass(frozen=True, slots=True)
class Site:
    """What the site says of itself, for facts and for people.

    Attributes:
        autonomy: how far repairs may go by themselves on this site.
        time_zone: an IANA name; times for people are shown in it.
    """

    admin_networks: tuple[str, ...]
    ntp_servers: tuple[str, ...]
    time_zone: str
    autonomy: Autonomy


@dataclass(frozen=True, slots=True)
class Budgets:
    """How many changes of this site may begin within an hour: by orders, and by rules and plans.

    Each has its own, so that neither can starve the other; no order lifts them.
    """

    orders_per_hour: int = 30
    rules_per_hour: int = 600


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an operator can set.

    Attributes:
        networks: IPv4 networks (CIDR) to discover; none means no discovery.
        address: the appliance's own address on the LAN.
        discovery_s: seconds between two discoveries.
        scan_tick_s: the longest sleep of the scan loop.
        scans_at_once: targets probed at the same time.
        repairs_at_once: targets repaired at the same time.
        check_in_s: seconds between two check-ins; the hub may lengthen them.
    """

    site: Site
    networks: tuple[str, ...]
    address: str
    discovery_s: int
    scan_tick_s: int
    scans_at_once: int
    repairs_at_once: int
    check_in_s: int
    budgets: Budgets = Budgets()
