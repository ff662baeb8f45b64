"""`osiris device`: what is on the network, what is off limits, and whose a value is."""

import sys
from typing import Annotated, Any

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, answered, operator
from proto.errors import ConfigError, ConflictError
from runtime.terminal import Output, note, print_fields, print_json, print_rows, say, when

device = typer.Typer(
    help="What is on the network: what may be touched, and what is which.", no_args_is_help=True
)

Wanted = Annotated[str, typer.Argument(help="The device's id, label, name or address.")]
Reason = Annotated[
    str, typer.Option("--reason", "-r", help="Why, for whoever asks later; at most 400 characters.")
]
FOUND_BY = ("id", "label", "name", "address")


async def _id_of(door: Any, wanted: str) -> str:  # noqa: ANN401 - the lazily imported door
    rows = await door.get("/api/devices")
    found = [row["id"] for row in rows if wanted in {row[name] for name in FOUND_BY}]
    if len(found) != 1:
        msg = f"{wanted}: {len(found)} devices have this id, label, name or address"
        raise ConfigError(msg)
    return str(found[0])


@device.command("list")
def list_devices(
    only: Annotated[
        bool, typer.Option("--off-limits", help="Only those that nobody connects to.")
    ] = False,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """List every device that was seen, and why some are off limits."""
    rows = answered(config, lambda door: door.get("/api/devices"))
    rows = [row for row in rows if row["off_limits"] or not only]
    for row in rows:
        row["last_seen"] = when(row["last_ms"])
    columns = {
        "id": "ID",
        "label": "LABEL",
        "device_class": "CLASS",
        "address": "ADDRESS",
        "vendor": "MAKER",
        "last_seen": "LAST SEEN",
        "because": "OFF LIMITS",
    }
    print_rows(rows, columns, output=output)


@device.command("show")
def show(wanted: Wanted, output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Say what is known of a device, what makes it look medical, and what people decided of it."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        return await door.get(f"/api/devices/{await _id_of(door, wanted)}")

    found = answered(config, ask)
    if output is Output.JSON:
        print_json(found)
        return
    view = found["device"]
    fields = {
        "id": view["id"],
        "label": view["label"],
        "class": view["device_class"],
        "address": view["address"],
        "hardware_address": view["mac"],
        "maker": view["vendor"],
        "open_ports": found["ports"],
        "last_seen": when(view["last_ms"]),
        "looked_after": view["target"] is not None,
        "held_back": found["held"],
        "looks_medical": [sign["code"] for sign in found["signs"]],
        "conflicts": found["conflicts"],
    }
    print_fields(fields, output=output)
    for one in found["decisions"]:
        say(f"{when(one['at_ms'])}  {one['kind']} by {one['account']}: {one['reason']}")


@device.command("off-limits")
def put_off_limits(wanted: Wanted, reason: Reason, config: ConfigFile = DEFAULT) -> None:
    """Put a device off limits: from now on nothing connects to it, and nobody signs in to it.

    What was found on it is forgotten, and what was open on it is closed. It stays so until
    `osiris device release`.
    """

    async def ask(door: Any) -> Any:  # noqa: ANN401
        body = {"reason": reason, "account": operator()}
        return await door.post(f"/api/devices/{await _id_of(door, wanted)}/off-limits", body)

    say(f"{answered(config, ask)['device']} is off limits: nothing connects to it any more")


@device.command("release")
def release(
    wanted: Wanted,
    reason: Reason,
    sign: Annotated[
        list[str] | None,
        typer.Option(
            "--sign",
            help="A sign that it looks medical, as `osiris device show` says it; repeatable. With"
            " every sign given, nothing is asked.",
        ),
    ] = None,
    config: ConfigFile = DEFAULT,
) -> None:
    """Release a device that is off limits, because it is no medical device.

    Be sure: a scanner, a pump or a monitor may stop in the middle of its work when it is asked what
    it does not expect. Go and look at the machine itself.

    Your word holds for this device alone and for the signs that you were shown. The next discovery
    asks it for the three medical ports first; a sign that is new puts it off limits again.
    """

    async def look(door: Any) -> Any:  # noqa: ANN401
        return await door.get(f"/api/devices/{await _id_of(door, wanted)}")

    found = answered(config, look)
    shown = list(sign or ())
    if not sign:
        _warn(found)
        shown = [one["code"] for one in found["signs"]]
    target = found["device"]["id"]
    body = {"reason": reason, "account": operator(), "signs": shown}
    answered(config, lambda door: door.post(f"/api/devices/{target}/release", body))
    say(f"{target} is released: the next discovery asks it for the medical ports, then the rest")


def _warn(found: Any) -> None:  # noqa: ANN401 - JSON
    """Show why it is off limits and let a person say that it is none all the same."""
    view = found["device"]
    note(f"{view['label']} ({view['id']}) is off limits: {view['because'] or found['held']}")
    for one in found["signs"]:
        note(f"  {one['code']}: {one['words']}")
    note("If it is a medical device, connecting to it may stop it while a patient depends on it.")
    if not sys.stdin.isatty():
        msg = (
            "nobody is here to confirm: give every sign that `osiris device show` says with --sign"
        )
        raise ConfigError(msg)
    if not typer.confirm(
        "Did you look at the machine itself, and is it no medical device?", err=True
    ):
        msg = "not confirmed, nothing was changed"
        raise ConflictError(msg)


@device.command("conflicts")
def list_conflicts(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List what two devices claim and only one can have, and what each answer would do.

    Settle one with `osiris device settle NUMBER --to DEVICE --reason WHY`.
    """
    rows = answered(config, lambda door: door.get("/api/conflicts"))
    if output is Output.JSON or not rows:
        print_rows(rows, {}, output=output)
        return
    for row in rows:
        say(
            f"{row['id']}: {row['device_label']} ({row['device']}) showed the {row['what']} of"
            f" {row['other_label']} ({row['other']}): {row['shown']}, since {when(row['at_ms'])}"
        )
        for choice in row["choices"]:
            does = choice["refused"] or " ".join(choice["does"])
            say(f"   --to {choice['to']}{' (not now)' if choice['refused'] else ''}: {does}")


@device.command("settle")
def settle(
    number: Annotated[int, typer.Argument(help="As `osiris device conflicts` numbers it.")],
    to: Annotated[str, typer.Option("--to", help="Whose it is: id, label, name or address.")],
    reason: Reason,
    config: ConfigFile = DEFAULT,
) -> None:
    """Say to which of two devices a value belongs; nothing else of them changes hands."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        body = {"to": await _id_of(door, to), "reason": reason, "account": operator()}
        return await door.post(f"/api/conflicts/{number}/settle", body)

    say(f"settled {number}: it belongs to {answered(config, ask)['to']}")
