"""The appliance's configuration file: strict TOML into `core/settings.py`.

An unknown key, a wrong type or a value out of bounds is one clear error that names file and key.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from appliance.core.keeping import AUTO, SETTING
from appliance.core.settings import Budgets, Settings, Site
from proto.catalog.model import Autonomy
from proto.message import Message
from proto.phi.policy import DEFAULT as DEFAULT_POLICY
from runtime import toml_file

DEFAULT_PATH = Path("/etc/osiris/appliance.toml")
STATE_DIR = Path("/var/lib/osiris")
PORTAL_PORT = 8443
NETWORKS_MAX = 16


def _network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError as error:
        msg = f"not an IPv4 network such as 192.0.2.0/24: {error}"
        raise ValueError(msg) from error


def _address(text: str) -> str:
    return str(ipaddress.IPv4Address(text))


def _tpm(text: str) -> str:
    if SETTING.fullmatch(text) is None:
        msg = "auto, off, a device as /dev/tpmrm0, or a way to a TPM as swtpm:host=127.0.0.1"
        raise ValueError(msg)
    return text


Networks = Annotated[
    tuple[Annotated[str, AfterValidator(_network)], ...],
    Field(strict=False, max_length=NETWORKS_MAX),
]
Port = Annotated[int, Field(ge=0, le=65_535)]


class SiteTable(Message):
    """`[site]`."""

    time_zone: Annotated[str, AfterValidator(toml_file.time_zone)] = "UTC"
    autonomy: Annotated[Autonomy, Field(strict=False)] = Autonomy.AUTO
    admin_networks: Networks = ()
    ntp_servers: Annotated[tuple[str, ...], Field(strict=False, max_length=8)] = ()
    label: Annotated[str, Field(max_length=80)] = ""


class DiscoveryTable(Message):
    """`[discovery]`."""

    networks: Networks = ()
    interval_s: Annotated[int, Field(ge=10, le=86_400)] = 900


class PortalTable(Message):
    """`[portal]`: port 0 lets the kernel choose."""

    host: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    port: Port = PORTAL_PORT
    names: Annotated[tuple[str, ...], Field(strict=False, max_length=8)] = ()


class LimitsTable(Message):
    """`[limits]`."""

    scans_at_once: Annotated[int, Field(ge=1, le=64)] = 8
    repairs_at_once: Annotated[int, Field(ge=1, le=64)] = 4
    scan_tick_s: Annotated[int, Field(ge=1, le=3600)] = 60
    check_in_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    orders_per_hour: Annotated[int, Field(ge=0, le=1000)] = Budgets().orders_per_hour
    rules_per_hour: Annotated[int, Field(ge=0, le=100_000)] = Budgets().rules_per_hour


class PhiTable(Message):
    """`[phi]`: what is scrubbed, and the list of the site's known people (CSV, mode 0600)."""

    policy: str = DEFAULT_POLICY
    known_people: str | None = None


class WorldTable(Message):
    """`[world]`: the network namespace, "device:inode", outside which this appliance is mute."""

    netns: Annotated[str, Field(pattern=r"\A[0-9]+:[0-9]+\z")]


class File(Message):
    """The whole file."""

    state_dir: str = str(STATE_DIR)
    address: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    content_dir: str | None = None
    tpm: Annotated[str, AfterValidator(_tpm)] = AUTO
    site: SiteTable = SiteTable()
    discovery: DiscoveryTable = DiscoveryTable()
    portal: PortalTable = PortalTable()
    limits: LimitsTable = LimitsTable()
    phi: PhiTable = PhiTable()
    world: WorldTable | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says, and what the core's settings are from it.

    Attributes:
        path: the file itself; None for a configuration that lies in none.
    """

    file: File
    settings: Settings
    path: Path | None = None

    @property
    def state_dir(self) -> Path:
        """Where everything is kept."""
        return Path(self.file.state_dir)


def read(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something it may not say.
    """
    file = toml_file.read(path, File, made_by="osiris appliance init")
    return Config(file, settings_of(file), path)


def parse(text: str, *, where: str) -> Config:
    """Return what a configuration says; `where` names it in errors (`ConfigError`)."""
    file = toml_file.parse(text, File, where=where)
    return Config(file, settings_of(file))


def settings_of(file: File) -> Settings:
    """Return the core's settings from a file's values."""
    return Settings(
        site=Site(
            admin_networks=file.site.admin_networks,
            ntp_servers=file.site.ntp_servers,
            time_zone=file.site.time_zone,
            autonomy=file.site.autonomy,
        ),
        networks=file.discovery.networks,
        address=file.address,
        discovery_s=file.discovery.interval_s,
        scan_tick_s=file.limits.scan_tick_s,
        scans_at_once=file.limits.scans_at_once,
        repairs_at_once=file.limits.repairs_at_once,
        check_in_s=file.limits.check_in_s,
        budgets=Budgets(file.limits.orders_per_hour, file.limits.rules_per_hour),
    )


def as_toml(
    *, address: str, networks: tuple[str, ...], time_zone: str, state_dir: Path, label: str
) -> str:
    """Return a configuration file; `read` accepts it or says what is wrong with a value."""
    quoted = toml_file.quoted
    listed = ", ".join(quoted(network) for network in networks)
    return (
        "# The appliance's configuration. Every key: docs/operations.md\n"
        f"state_dir = {quoted(str(state_dir))}\naddress = {quoted(address)}\n\n"
        f"[site]\nlabel = {quoted(label)}\ntime_zone = {quoted(time_zone)}\n"
        f"admin_networks = [{listed}]\n"
        "# observe, alert, approve, window or auto: how far repairs may go by themselves\n"
        'autonomy = "auto"\n\n'
        "[discovery]\n# IPv4 networks that may be looked at; none means no discovery\n"
        f"networks = [{listed}]\n\n"
        f"[portal]\nhost = {quoted(address)}\nport = {PORTAL_PORT}\n"
    )
