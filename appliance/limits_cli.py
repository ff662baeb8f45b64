"""`osiris site protect|unprotect|limits|window`: what no rule, no order and no hub lifts."""

import re
from typing import Annotated, Any

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, answered, operator
from proto.errors import ConfigError, MalformedError
from runtime.terminal import Output, print_json, print_rows, say, when

window = typer.Typer(help="Maintenance windows of the site.", no_args_is_help=True)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORDER_SHOWN = 16
FOUND_BY = ("id", "label", "name", "address")
_START = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")

Device = Annotated[str, typer.Argument(help="The device's id, label, name or address.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for whoever asks later.")]


async def _id_of(door: Any, wanted: str) -> str:  # noqa: ANN401 - the lazily imported door
    rows = await door.get("/api/devices")
    found = [row["id"] for row in rows if wanted in {row[name] for name in FOUND_BY}]
    if len(found) != 1:
        msg = f"{wanted}: {len(found)} devices have this id, label, name or address"
        raise ConfigError(msg)
    return str(found[0])


def protect(wanted: Device, reason: Reason, config: ConfigFile = DEFAULT) -> None:
    """Protect a host: nothing changes it any more, no rule and no order; looking goes on."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        body = {
            "target": await _id_of(door, wanted),
            "reason": reason,
            "account": operator(),
        }
        return await door.post("/api/limits/protected", body)

    say(f"{answered(config, ask)['protected']} is protected: nothing changes it")


def unprotect(wanted: Device, config: ConfigFile = DEFAULT) -> None:
    """Let a protected host be changed again."""

    async def ask(door: Any) -> Any:  # noqa: ANN401
        path = f"/api/limits/protected/{await _id_of(door, wanted)}/end"
        return await door.post(path, {"account": operator()})

    say(f"{answered(config, ask)['unprotected']} may be changed again")


def limits(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the protected hosts, the maintenance windows, and what orders set until a date."""
    found = answered(config, lambda door: door.get("/api/limits"))
    if output is Output.JSON:
        print_json(found)
        return
    for row in found["protected"]:
        row["since"] = when(row["created_ms"])
    columns = {"target": "PROTECTED", "since": "SINCE", "account": "BY", "reason": "REASON"}
    print_rows(found["protected"], columns, output=output)
    _print_windows(found, output)
    for row in found["ordered"]:
        row["until"], row["name"] = when(row["until_ms"]), row["order"][:ORDER_SHOWN]
    ordered = {"sentence": "SET BY AN ORDER", "until": "UNTIL", "name": "ORDER"}
    print_rows(found["ordered"], ordered, output=output)


@window.command("list")
def list_windows(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the maintenance windows, and say whether one is open."""
    found = answered(config, lambda door: door.get("/api/limits"))
    if output is Output.JSON:
        print_json(found["windows"])
        return
    _print_windows(found, output)


def _print_windows(found: Any, output: Output) -> None:  # noqa: ANN401 - JSON
    columns = {"id": "WINDOW", "days": "DAYS", "times": "TIME", "account": "BY"}
    print_rows(found["windows"], columns, output=output)
    if found["window_open"] is not None:
        now = "open now" if found["window_open"] else "closed now"
        say(f"{now}; the next one begins {when(found['next_window_ms'])}")


@window.command("add")
def add_window(
    days: Annotated[
        str, typer.Option("--days", help="Days on which it begins, as sat,sun; or all.")
    ],
    start: Annotated[str, typer.Option("--start", help="Begins at, as 22:00, the site's time.")],
    hours: Annotated[int, typer.Option("--hours", help="How long it lasts.", min=1, max=24)],
    config: ConfigFile = DEFAULT,
) -> None:
    """Add a maintenance window, which comes back every week."""
    begin = _START.fullmatch(start)
    if begin is None:
        msg = f"--start {start}: a time as 22:00"
        raise MalformedError(msg)
    body = {
        "days": _numbers(days),
        "start_min": int(begin[1]) * 60 + int(begin[2]),
        "length_min": hours * 60,
        "account": operator(),
    }
    answered(config, lambda door: door.post("/api/limits/windows", body))
    say(f"added a maintenance window: {days} from {start} for {hours} h")


def _numbers(days: str) -> list[int]:
    named = DAYS if days == "all" else tuple(days.split(","))
    wrong = [day for day in named if day not in DAYS]
    if wrong:
        msg = f"--days {wrong[0]}: {', '.join(DAYS)} with commas between, or all"
        raise MalformedError(msg)
    return sorted({DAYS.index(day) for day in named})


@window.command("remove")
def remove_window(
    number: Annotated[int, typer.Argument(help="As `osiris site window list` numbers it.")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Remove a maintenance window."""
    path = f"/api/limits/windows/{number}/remove"
    answered(config, lambda door: door.post(path, {"account": operator()}))
    say(f"removed window {number}")
