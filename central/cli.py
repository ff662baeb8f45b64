"""The hub's verbs, mounted as `osiris hub`.

Each asks the running daemon through its socket; without a daemon it works on the store itself.
"""

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit

import typer

from central import config as configs
from central.keys_cli import mount as mount_keys
from proto.claim import check_hub_url
from proto.errors import ConfigError
from runtime.terminal import Output, note, print_fields, print_json, print_rows, when

T = TypeVar("T")


class Trust(StrEnum):
    """Who holds the keys that sign content, authority and grants."""

    DEVELOPMENT = "development"
    PEOPLE = "people"


ENV_CONFIG = "OSIRIS_HUB_CONFIG"

hub = typer.Typer(help="The central service of a fleet.", no_args_is_help=True)
site = typer.Typer(help="Customer places and their claim codes.", no_args_is_help=True)
appliance = typer.Typer(help="The appliances of the fleet.", no_args_is_help=True)
user = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True)
hub.add_typer(site, name="site")
hub.add_typer(appliance, name="appliance")
hub.add_typer(user, name="user")

ConfigFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar=ENV_CONFIG, help="The hub's configuration file."),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]
DEFAULT = configs.DEFAULT_PATH


def _ask(config: Path, question: Callable[[Any], Awaitable[T]]) -> T:
    """Put a question through the door to the hub."""
    from central.door import open_door  # noqa: PLC0415 - the daemon's wiring, not for --help

    async def asked() -> T:
        async with open_door(configs.read(config)) as door:
            return await question(door)

    return asyncio.run(asked())


mount_keys(hub, _ask)


@hub.command("init")
def init(
    origin: Annotated[
        str | None,
        typer.Option(help="How appliances reach this hub: https://host[:port], lower case."),
    ] = None,
    state_dir: Annotated[
        Path,
        typer.Option(readable=False, help="Where keys, trust root, TLS and the store are kept."),
    ] = configs.STATE_DIR,
    host: Annotated[str, typer.Option(help="The address to serve on.")] = "0.0.0.0",  # noqa: S104 - a hub is there to be reached
    trust: Annotated[
        Trust,
        typer.Option(help="Whose keys count: one person's, here; or several people's."),
    ] = Trust.DEVELOPMENT,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Make a hub: configuration, keys, trust root, TLS, signed content and an empty store.

    By default the trust is a development trust: one person, all keys in software on this machine.
    With --trust people the hub makes its own keys only and waits for what several people sign, each
    on a machine of their own: osiris hub ceremony --help.

    Asking again makes only what is missing and changes nothing that is there; a development trust's
    content and grants are renewed before they end.
    """
    from central import setup  # noqa: PLC0415 - the daemon's wiring, not for --help
    from runtime.clock import SystemClock, system_entropy  # noqa: PLC0415 - as above

    if not config.exists():
        _write_config(config, origin=origin, state_dir=state_dir, host=host)
    found = configs.read(config)
    _require_same(config, found, origin=origin, state_dir=state_dir)
    way = setup.init if trust is Trust.DEVELOPMENT else setup.init_with_people
    made = asyncio.run(way(found, clock=SystemClock(), entropy=system_entropy))
    if isinstance(made, Path):
        print_fields({"origin": found.file.origin, "hub_keys": str(made)}, output=output)
        note(f"Next: carry {made} to the people: osiris hub ceremony begin --hub-keys FILE")
        note("When they have published: osiris hub init --trust people")
        return
    if output is Output.JSON:
        print_json(_fields(made))
        return
    print_fields(_fields(made), output=output)
    if made.trust == "development":
        note(setup.DEVELOPMENT_TRUST)
    note("Next: osiris hub user add NAME, osiris hub site add LABEL, osiris hub serve")


def _require_same(
    config: Path, found: configs.Config, *, origin: str | None, state_dir: Path
) -> None:
    """Refuse to be told of another hub than the one that the file makes."""
    said = found.state_dir.absolute()
    if origin is not None and origin != found.file.origin:
        wrong = f"--origin: {config} is there already and says {found.file.origin}"
    elif state_dir != configs.STATE_DIR and state_dir.absolute() != said:
        wrong = f"--state-dir: {config} is there already and says {said}"
    else:
        return
    msg = f"{wrong}; for another hub give another --config and --state-dir"
    raise ConfigError(msg)


def _fields(made: object) -> dict[str, object]:
    return {name: getattr(made, name) for name in type(made).__dataclass_fields__}  # type: ignore[attr-defined]


def _write_config(config: Path, *, origin: str | None, state_dir: Path, host: str) -> None:
    if origin is None:
        msg = f"{config}: there is no such file yet; give --origin https://host[:port]"
        raise ConfigError(msg)
    port = urlsplit(check_hub_url(origin, "--origin")).port or 443
    text = configs.as_toml(origin=origin, state_dir=state_dir.absolute(), host=host, port=port)
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(text, "utf-8")
    except OSError as error:
        msg = f"{config}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    # What cannot be read back is refused now, not at the next start.
    configs.read(config)


@hub.command("serve")
def serve(config: ConfigFile = DEFAULT) -> None:
    """Serve appliances and operators until stopped; migrations are applied first."""
    from central.main import serve_forever  # noqa: PLC0415 - the daemon's wiring, not for --help

    sys.exit(serve_forever(configs.read(config)))


@hub.command("signer")
def signer(config: ConfigFile = DEFAULT) -> None:
    """Run the signer as a service of its own: with `[signer] embedded = false` for the hub.

    It holds the keys that sign, and serves nothing but its socket.
    """
    found = configs.read(config)
    command = [sys.executable, "-m", "central.signer", "--state-dir", str(found.state_dir)]
    if not found.file.log_json:
        command.append("--plain-log")
    os.execv(sys.executable, command)  # noqa: S606 - this very program, as another module


@hub.command("status")
def status(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Show how the hub does: its fleet, what is open, what was refused last, whether it serves."""

    async def ask(door: Any) -> dict[str, Any]:  # noqa: ANN401 - a LocalDoor, not loaded here
        return {"serves": door.to_daemon, **await door.get("/local/status")}

    found = _ask(config, ask)
    print_fields(found, output=output)
    if not found["serves"]:
        note("No daemon serves this hub now: osiris hub serve")


@hub.command("refusals")
def refusals(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List what the hub refused, newest first; the senders still have it."""
    rows = _ask(config, lambda door: door.get("/local/refusals"))
    shown = [{**row, "at": when(row["at_ms"])} for row in rows]
    columns = {"at": "when", "appliance": "appliance", "path": "path", "code": "code"}
    print_rows(shown, {**columns, "message": "why"}, output=output)


@site.command("add")
def add_site(
    label: Annotated[str, typer.Argument(help="What people call this place.")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Add a site and print the claim code for its appliance: shown once, good for a day."""
    made = _ask(config, lambda door: door.post("/local/sites", {"label": label}))
    print_fields(made, output=output)
    note("On the appliance: osiris appliance enroll CLAIM_CODE")


@site.command("claim")
def add_claim(
    site_id: Annotated[str, typer.Argument(help="The site's id, s-....")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Print another claim code for a site: one code enrolls one appliance."""
    made = _ask(config, lambda door: door.post(f"/local/sites/{site_id}/claims", {}))
    print_fields(made, output=output)


@site.command("list")
def list_sites(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List every site and how it stands."""
    rows = _ask(config, lambda door: door.get("/local/sites"))
    columns = {
        "site": "site",
        "label": "label",
        "presence": "appliances are",
        "seen": "last heard of",
        "targets": "targets",
        "open_incidents": "open",
        "escalated": "for a person",
        "healed_lately": "healed in 24 h",
    }
    shown = [{**row, "seen": when(row["last_seen_ms"])} for row in rows]
    print_rows(shown, columns, output=output)


@site.command("show")
def show_site(
    site_id: Annotated[str, typer.Argument(help="The site's id, s-....")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Print everything the hub knows of one site, as JSON."""
    print_json(_ask(config, lambda door: door.get(f"/local/sites/{site_id}")))


@appliance.command("list")
def list_appliances(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List every appliance with the fingerprint to compare before confirming it."""

    async def every(door: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a LocalDoor, not loaded here
        sites = await door.get("/local/sites")
        found: list[dict[str, Any]] = []
        for one in sites:
            found += await door.get(f"/local/sites/{one['site']}/appliances")
        return found

    columns = {
        "appliance": "appliance",
        "site": "site",
        "presence": "is",
        "seen": "last heard of",
        "confirmed": "confirmed",
        "fingerprint": "fingerprint",
    }
    rows = _ask(config, every)
    shown = [
        {**row, "seen": when(row["last_seen_ms"]), "confirmed": when(row["confirmed_ms"])}
        for row in rows
    ]
    print_rows(shown, columns, output=output)


@appliance.command("confirm")
def confirm(
    appliance_id: Annotated[str, typer.Argument(help="The appliance's id, a-....")],
    fingerprint: Annotated[
        str, typer.Argument(help="As the appliance's own portal shows it, in quotes.")
    ],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Confirm an appliance by the fingerprint that its own portal shows, under Health.

    It is compared with the key that enrolled here: another one means that somebody else used the
    claim code, or that the appliance renewed its keys meanwhile.
    """
    path, body = f"/local/appliances/{appliance_id}/confirm", {"fingerprint": fingerprint}
    print_fields(_ask(config, lambda door: door.post(path, body)), output=output)


@appliance.command("clear")
def clear(
    appliance_id: Annotated[str, typer.Argument(help="The appliance's id, a-....")],
    code: Annotated[str, typer.Argument(help="The condition, as evidence_fork.")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say that you dealt with a condition the hub found at an appliance."""
    path = f"/local/appliances/{appliance_id}/conditions/{code}/clear"
    print_fields(_ask(config, lambda door: door.post(path, {})), output=output)


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and . _ @ -")],
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a password and print it, once.")
    ] = False,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Make an account for the console, or give it another password and end its sessions.

    This is the only way to make one: no page can.
    """
    body = {"name": name} if generate else {"name": name, "password": _new_password()}
    print_fields(_ask(config, lambda door: door.post("/local/users", body)), output=output)


def _new_password() -> str:
    """Ask twice on a terminal; read one line from a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("password, at least 12 characters: ")
    if getpass.getpass("once more: ") != first:
        msg = "the two passwords differ"
        raise ConfigError(msg)
    return first


@user.command("shut")
def shut_user(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Shut an account out now and end its sessions; what it did keeps its name.

    `osiris hub user add NAME` opens it again with a new password.
    """
    path = f"/local/users/{quote(name, safe='')}/shut"
    print_fields(_ask(config, lambda door: door.post(path, {})), output=output)


@user.command("list")
def list_users(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the console's accounts."""
    rows = _ask(config, lambda door: door.get("/local/users"))
    shown = [
        {**row, "since": when(row["created_ms"]), "shut": when(row["disabled_ms"])} for row in rows
    ]
    print_rows(shown, {"name": "name", "since": "since", "shut": "shut out"}, output=output)
