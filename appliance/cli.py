"""The appliance's verbs: target, waiver, site, appliance, evidence.

Each asks the running daemon through its socket; without a daemon it works on the store itself.
"""

import asyncio
import getpass
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from appliance import clock_cli, keys_cli, limits_cli, program_cli
from appliance import config as configs
from appliance.content_cli import content
from appliance.verbs import DEFAULT, ConfigFile, Format, answered, operator
from proto.errors import ConfigError, ConflictError, MalformedError
from proto.ids import parse_incident_id
from runtime import memory
from runtime.service_lock import ServiceLock
from runtime.terminal import Output, note, print_fields, print_json, print_rows, say, when

DAY_S = 86_400

target = typer.Typer(help="The machines this appliance looks after.", no_args_is_help=True)
waiver = typer.Typer(help="Dated departures from a check.", no_args_is_help=True)
site = typer.Typer(help="What holds for the whole site.", no_args_is_help=True)
appliance = typer.Typer(help="The appliance itself.", no_args_is_help=True)
appliance.add_typer(keys_cli.keys, name="keys")
appliance.add_typer(program_cli.program, name="program")
site.add_typer(clock_cli.clock, name="clock")
evidence = typer.Typer(
    help="What happened, as a log that cannot be rewritten.", no_args_is_help=True
)


@target.command("add")
def add_target(
    address: Annotated[str, typer.Argument(help="IPv4 address, as 192.0.2.10.")],
    user: Annotated[str, typer.Option("--user", "-u", help="Whom to log in as.")],
    key: Annotated[Path | None, typer.Option("--key", help="An OpenSSH private key file.")] = None,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for the login's password.")
    ] = False,
    sudo: Annotated[
        str, typer.Option(help="How to become root: none, nopasswd or ask.")
    ] = "nopasswd",
    host_key: Annotated[
        str | None,
        typer.Option(
            "--host-key", help="SHA256:... as the host's console shows it; not asked then."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="What people call this machine.")] = "",
    port: Annotated[int, typer.Option(help="The SSH port.")] = 22,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Add a machine: shows its host key, pins what you confirm, tries the login.

    Compare the fingerprint with what the machine itself says:
    ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
    """
    credential = _credential(key, ask_password=ask_password, sudo=sudo)
    shown = answered(
        config, lambda door: door.post("/api/targets/look", {"address": address, "port": port})
    )
    if host_key is None:
        _confirm(address, shown["fingerprint"])
    body = {
        "address": address,
        "port": port,
        "user": user,
        "sudo": sudo,
        "host_key": host_key or shown["host_key"],
        "label": label,
        **credential,
    }
    found = answered(config, lambda door: door.post("/api/targets", body))
    if output is Output.JSON:
        print_json(found)
        return
    say(f"added {found['target']}: {found['sentence']}")


def _credential(key: Path | None, *, ask_password: bool, sudo: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if key is None and not ask_password:
        msg = "give --key FILE or --ask-password"
        raise ConfigError(msg)
    if key is not None:
        try:
            found["private_key"] = key.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"--key {key}: cannot be read: {error}"
            raise ConfigError(msg) from error
    if ask_password:
        found["password"] = _password("password of the login: ")
    if sudo == "ask":
        found["sudo_password"] = _password("password for sudo: ")
    return found


def _password(prompt: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass(prompt)


def _confirm(address: str, fingerprint: str) -> None:
    note(f"{address} shows the host key {fingerprint}")
    if not sys.stdin.isatty():
        msg = "nobody is here to confirm the host key: give it with --host-key"
        raise ConfigError(msg)
    if not typer.confirm("Is this the key that the machine itself shows?", err=True):
        msg = "not confirmed, nothing was added"
        raise ConflictError(msg)


@target.command("list")
def list_targets(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the machines with how many findings of each verdict they have."""
    rows = answered(config, lambda door: door.get("/api/targets"))
    columns = {
        "id": "ID",
        "label": "LABEL",
        "address": "ADDRESS",
        "login": "LOGIN",
        "os": "SYSTEM",
        "findings": "FINDINGS",
        "held": "HELD BACK",
    }
    print_rows(rows, columns, output=output)


Target = Annotated[str, typer.Argument(metavar="TARGET", help="The target's id, label or address.")]


async def _id_of(door: Any, wanted: str) -> str:  # noqa: ANN401 - the lazily imported door
    rows = await door.get("/api/targets")
    found = [row["id"] for row in rows if wanted in {row["id"], row["label"], row["address"]}]
    if len(found) != 1:
        msg = f"{wanted}: {len(found)} targets have this id, label or address"
        raise ConfigError(msg)
    return str(found[0])


@target.command("test")
def try_target(wanted: Target, config: ConfigFile = DEFAULT) -> None:
    """Log in on a machine anew and say what was found."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        return await door.post(f"/api/targets/{await _id_of(door, wanted)}/test", {})

    say(answered(config, ask)["sentence"])


@target.command("check")
def check_target(
    wanted: Target, output: Format = Output.TABLE, config: ConfigFile = DEFAULT
) -> None:
    """Ask a machine every check now. Exit status 1 when something is drifted or unknown."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        note("asking every check ...")
        return await door.post(f"/api/targets/{await _id_of(door, wanted)}/check", {})

    rows = answered(config, ask)
    columns = {"check": "CHECK", "verdict": "VERDICT", "reason": "REASON", "seen": "SEEN"}
    print_rows(rows, columns, output=output)
    if any(row["verdict"] in {"drifted", "unknown"} for row in rows):
        raise typer.Exit(1)


@target.command("heal")
def heal_target(
    wanted: Target, output: Format = Output.TABLE, config: ConfigFile = DEFAULT
) -> None:
    """Judge a machine, repair what may be repaired, prove it, and say how it ended.

    Exit status 1 when something is left that is not healed.
    """

    async def ask(door: Any) -> Any:  # noqa: ANN401
        note("judging, healing and proving ...")
        return await door.post(f"/api/targets/{await _id_of(door, wanted)}/heal", {})

    rows = answered(config, ask, healing=True)
    columns = {"check": "CHECK", "state": "STATE", "cause": "WHY", "leaf": "EVIDENCE"}
    print_rows(rows, columns, output=output)
    if any(row["state"] not in {"healed", "waived"} for row in rows):
        raise typer.Exit(1)


@target.command("remove")
def remove_target(wanted: Target, config: ConfigFile = DEFAULT) -> None:
    """Stop looking after a machine: its credential goes, its history stays."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        return await door.post(f"/api/targets/{await _id_of(door, wanted)}/remove", {})

    say(f"removed {answered(config, ask)['removed']}")


@waiver.command("add")
def add_waiver(
    wanted: Target,
    check: Annotated[str, typer.Argument(help="The check's id, as lin.ssh.root_login.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for the auditor.")],
    days: Annotated[int, typer.Option(help="Days until it ends, at most 90.", min=1, max=90)] = 30,
    config: ConfigFile = DEFAULT,
) -> None:
    """Accept a departure from a check on one machine for a while."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        body = {
            "target": await _id_of(door, wanted),
            "check": check,
            "reason": reason,
            "until_ms": (int(time.time()) + days * DAY_S) * 1000,
            "account": operator(),
        }
        return await door.post("/api/waivers", body)

    answered(config, ask)
    say(f"waived {check} on {wanted} for {days} days")


@waiver.command("list")
def list_waivers(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the waivers, newest first: people's here, and then what orders waive.

    One by an order has no id: an order ends it, or its own date.
    """
    rows = answered(config, lambda door: door.get("/api/waivers"))
    for row in rows:
        row["until"] = when(row["until_ms"])
    columns = {
        "id": "ID",
        "target": "TARGET",
        "check": "CHECK",
        "until": "UNTIL",
        "active": "ACTIVE",
        "account": "BY",
        "reason": "REASON",
    }
    print_rows(rows, columns, output=output)


@waiver.command("end")
def end_waiver(
    number: Annotated[int, typer.Argument(help="The waiver's id.")], config: ConfigFile = DEFAULT
) -> None:
    """End a waiver now; what it held is repaired or handed to a person again."""
    answered(config, lambda door: door.post(f"/api/waivers/{number}/end", {}))
    say(f"ended waiver {number}")


@site.command("status")
def site_status(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Say how the site is."""
    appliance_status(output=output, config=config)


@site.command("observe-only")
def observe_only(
    switch: Annotated[str, typer.Argument(help="on or off.")], config: ConfigFile = DEFAULT
) -> None:
    """Stop all repairs of this site (on), or let them run again (off)."""
    if switch not in {"on", "off"}:
        msg = f"{switch}: on or off"
        raise MalformedError(msg)
    answered(config, lambda door: door.post("/api/observe-only", {"on": switch == "on"}))
    say("repairs are stopped" if switch == "on" else "repairs may run")


site.command("protect")(limits_cli.protect)
site.command("unprotect")(limits_cli.unprotect)
site.command("limits")(limits_cli.limits)
site.add_typer(limits_cli.window, name="window")


@site.command("incidents")
def list_incidents(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the incidents that turned last."""
    rows = answered(config, lambda door: door.get("/api/incidents"))
    columns = {
        "id": "ID",
        "target": "TARGET",
        "check": "CHECK",
        "severity": "SEVERITY",
        "state": "STATE",
        "result": "LAST REPAIR",
        "cause": "WHY",
    }
    print_rows(rows, columns, output=output)


@site.command("approve")
def approve(
    incident: Annotated[str, typer.Argument(help="ID of `osiris site incidents`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Let the repair of an incident run now that waits for approval or a maintenance window."""
    path = f"/api/incidents/{parse_incident_id(incident)}"
    offer = answered(config, lambda door: door.get(path))["offer"]
    if offer is None:
        msg = f"{incident}: no repair waits for an approval"
        raise ConflictError(msg)
    cost = offer["cost"]
    say(f"{offer['title']}\n{offer['description']}".rstrip())
    say(f"{cost['label']}: {cost['sentence']}\n{offer['undo']}")
    if not yes and not typer.confirm("Repair now?"):
        raise typer.Exit(1)
    answered(config, lambda door: door.post(f"{path}/approve", {"shown": offer["shown"]}))
    say(f"the repair of {incident} runs; `osiris site incidents` shows how it ends")


@appliance.command("init")
def init(
    address: Annotated[str, typer.Option(help="This appliance's own address on the LAN.")],
    network: Annotated[
        list[str] | None,
        typer.Option("--network", help="An IPv4 network to discover, as 192.0.2.0/24; repeatable."),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="The site's time zone.")] = "UTC",
    label: Annotated[str, typer.Option(help="What pages call this site.")] = "",
    state_dir: Annotated[
        Path, typer.Option(readable=False, help="Where keys, store and evidence are kept.")
    ] = configs.STATE_DIR,
    config: ConfigFile = DEFAULT,
) -> None:
    """Write a configuration file, checked; an existing one is never touched."""
    if not label.isprintable():
        msg = "--label: printable characters only"
        raise MalformedError(msg)
    text = configs.as_toml(
        address=address,
        networks=tuple(network or ()),
        time_zone=time_zone,
        state_dir=state_dir.absolute(),
        label=label,
    )
    configs.parse(text, where="the new configuration")
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        msg = f"{config}: is there already; edit it, or give another --config"
        raise ConflictError(msg) from error
    except OSError as error:
        msg = f"{config}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    say(f"wrote {config}")
    say("next: get a claim code with `osiris hub site add`, then `osiris appliance enroll CODE`")


@appliance.command("run")
def run(config: ConfigFile = DEFAULT) -> None:
    """Run the appliance in the foreground; a service manager does the same."""
    argv = [sys.executable, "-m", "appliance", "--config", str(config)]
    if sys.stderr.isatty():
        argv += ["--log", "text"]
    # A process of its own without the command line's libraries: the daemon stays small.
    os.execv(sys.executable, argv)  # noqa: S606 - our own program, no shell


@appliance.command("enroll")
def enroll(
    code: Annotated[str, typer.Argument(help="The claim code from `osiris hub site add`.")],
    first_root: Annotated[
        str | None,
        typer.Option(
            "--first-root",
            help="The digest of the first root, as your root people read it out: no other counts.",
        ),
    ] = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Enroll this appliance at its hub with a claim code.

    The code vouches for the hub that printed it. Whose hub that is only your root people know: with
    --first-root a hub that somebody took over enrolls nothing under a root of their own.
    """
    from appliance.shell import enrollment, identity, key_files, tpm  # noqa: PLC0415 - not for --help
    from proto.claim import parse_claim_code  # noqa: PLC0415
    from runtime.clock import SystemClock, system_entropy  # noqa: PLC0415

    settings = configs.read(config)
    place = identity.Place(settings.state_dir)
    place.prepare()
    memory.leave_no_core()
    with ServiceLock(place.directory):
        found = tpm.find_tpm(settings.file.tpm)
        files = key_files.open_keys(place.keys, found, system_entropy)
        keys = identity.make_keys(files, system_entropy)
        enrolled = asyncio.run(
            enrollment.enroll(
                place,
                keys,
                parse_claim_code(code),
                clock=SystemClock(),
                entropy=system_entropy,
                first_root=first_root,
            )
        )
    say(f"enrolled as {enrolled.appliance} of site {enrolled.site}")
    say(f"fingerprint {keys.signing.public.fingerprint()}")
    say("Compare the fingerprint with what the hub's console shows, and confirm it there.")
    say(f"private keys: {files.keeping.sentence}")
    pinned = identity.load_root(place).content_root
    if first_root is None and pinned is not None:
        say(f"first root {pinned.hex()}")
        say("Compare it with what your root people read out: it says who may ever order here.")


@appliance.command("status")
def appliance_status(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Say how the appliance is. Exit status 1 when it is unwell, or no daemon runs."""

    async def ask(door: Any) -> dict[str, Any]:  # noqa: ANN401 - the lazily imported door
        return {"runs": door.to_daemon, **await door.get("/api/status")}

    found = answered(config, ask)
    if output is Output.TABLE:
        for name in ("hub_seen", "last_discovery", "last_scan"):
            found[name] = when(found.pop(f"{name}_ms"))
    print_fields(found, output=output)
    if not found["runs"]:
        note("No daemon looks after this site now: osiris appliance run")
    if found["health"] or not found["runs"]:
        raise typer.Exit(1)


appliance.add_typer(content, name="content")
user = typer.Typer(help="Accounts of the portal.", no_args_is_help=True)
appliance.add_typer(user, name="user")


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Set a new password if the account is there.")
    ] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Make an account of the portal. Accounts are made here and nowhere else.

    The password is asked for, or read from standard input.
    """
    password = _password(f"password for {name}: ")
    if sys.stdin.isatty() and getpass.getpass("again: ") != password:
        msg = "the two passwords differ, nothing was made"
        raise ConflictError(msg)
    body = {"name": name, "password": password, "replace": replace}
    made = answered(config, lambda door: door.post("/api/accounts", body))
    say(f"{'made' if made['made'] else 'changed'} the account {name}")


@user.command("shut")
def shut_user(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Shut an account out now and end its sessions; what it did keeps its name.

    `osiris appliance user add NAME --replace` opens it again with a new password.
    """
    path = f"/api/accounts/{quote(name, safe='')}/shut"
    print_fields(answered(config, lambda door: door.post(path, {})), output=output)


@user.command("list")
def list_users(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the portal's accounts; evidence names a person by the code."""
    rows = answered(config, lambda door: door.get("/api/accounts"))
    shown = [
        {**row, "since": when(row["created_ms"]), "shut": when(row["disabled_ms"])} for row in rows
    ]
    columns = {"name": "name", "code": "code", "since": "since", "shut": "shut out"}
    print_rows(shown, columns, output=output)


@evidence.command("verify")
def verify(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Recompute this appliance's whole evidence log. Exit status 7 when it does not add up."""
    print_fields(
        answered(config, lambda door: door.post("/api/evidence/verify", {})), output=output
    )
