"""The hub's configuration file: strict TOML into `core/settings.py`.

An unknown key, a wrong type or a value out of bounds is one clear error that names file and key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from central.core.settings import NEXT_S_MAX, HubSettings
from proto.claim import check_hub_url
from proto.errors import ConfigError, MalformedError
from proto.message import Message
from runtime import toml_file

DEFAULT_PATH = Path("/etc/osiris/hub.toml")
STATE_DIR = Path("/var/lib/osiris-hub")
PORT = 8443


def _origin(text: str) -> str:
    try:
        return check_hub_url(text)
    except MalformedError as error:
        raise ValueError(*error.args) from error


Port = Annotated[int, Field(ge=0, le=65_535)]
DaySeconds = Annotated[int, Field(ge=1, le=86_400)]


class ListenTable(Message):
    """`[listen]`: where HTTPS is served."""

    host: str = "0.0.0.0"  # noqa: S104 - a hub is there to be reached
    port: Port = PORT


class StoreTable(Message):
    """`[store]`: url "" is the embedded SQLite file in the state directory."""

    url: Annotated[str, Field(max_length=512)] = ""


class ConsoleTable(Message):
    """`[console]`: what the pages call this hub, and the time zone they show."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "Osiris hub"
    time_zone: Annotated[str, AfterValidator(toml_file.time_zone)] = "UTC"


class SignerTable(Message):
    """`[signer]`: embedded is a child of the hub's; else it is a service of its own."""

    embedded: bool = True


class FleetTable(Message):
    """`[fleet]`: see `central.core.settings.HubSettings`."""

    check_in_s: Annotated[int, Field(ge=1, le=NEXT_S_MAX)] = 60
    check_ins_per_s_max: Annotated[int, Field(ge=1, le=100_000)] = 200
    late_after_s: DaySeconds = 300
    silent_after_s: DaySeconds = 1800
    findings_old_after_s: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    claim_life_s: DaySeconds = 86_400
    clock_skew_s: DaySeconds = 900


class File(Message):
    """The whole file. `origin` is how appliances reach this hub; it stands in the trust root."""

    origin: Annotated[str, AfterValidator(_origin)]
    state_dir: str = str(STATE_DIR)
    log_json: bool = True
    listen: ListenTable = ListenTable()
    store: StoreTable = StoreTable()
    console: ConsoleTable = ConsoleTable()
    signer: SignerTable = SignerTable()
    fleet: FleetTable = FleetTable()


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says, and what the core's settings are from it."""

    file: File
    settings: HubSettings

    @property
    def state_dir(self) -> Path:
        """Where everything is kept."""
        return Path(self.file.state_dir)

    @property
    def store_url(self) -> str:
        """The database."""
        return self.file.store.url or f"sqlite:///{self.state_dir.absolute() / 'hub.db'}"


def read(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something it may not say.
    """
    return of(toml_file.read(path, File, made_by="osiris hub init"))


def of(file: File) -> Config:
    """Return the configuration that a file's values are.

    Raises:
        ConfigError: two of them contradict each other.
    """
    if file.fleet.silent_after_s <= file.fleet.late_after_s:
        msg = "fleet.silent_after_s: must be longer than fleet.late_after_s"
        raise ConfigError(msg)
    return Config(file, HubSettings(**file.fleet.model_dump()))


def as_toml(*, origin: str, state_dir: Path, host: str, port: int) -> str:
    """Return the file that `osiris hub init` writes."""
    quoted = toml_file.quoted
    return (
        "# The hub's configuration. Every key: docs/operations.md\n"
        f"origin = {quoted(origin)}\n"
        f"state_dir = {quoted(str(state_dir))}\n\n"
        f"[listen]\nhost = {quoted(host)}\nport = {port}\n"
    )
