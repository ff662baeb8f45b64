"""`osiris site clock`: the time below which nothing signed counts any more, and its way back."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, account_password, answered
from proto.errors import MalformedError
from runtime.terminal import Output, print_fields, print_json, print_rows, when

clock = typer.Typer(
    help="""The floor clock: the highest signed time that this appliance verified.

    Orders, keys and content end by it where it is ahead of the clock on the wall. After a clock ran
    ahead it may stand in the future; the hub cannot lower it, a person on the LAN can.
    """,
    no_args_is_help=True,
)


@clock.command("show")
def show(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Show the clocks, and who set the floor and why."""
    _print(answered(config, lambda door: door.get("/api/clock")), output)


@clock.command("set")
def set_clock(
    to: Annotated[str, typer.Argument(help="now, or a time in UTC as 2026-12-31T08:00.")],
    account: Annotated[str, typer.Option("--account", help="Your account of the portal.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for whoever asks later.")],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Set the floor clock, higher or lower; evidence says which account did it.

    Asks for the password of the account, which `osiris appliance user add` makes.
    Set the machine's own clock right first: what is later of the two counts.
    """
    to_s = _time(to)
    asker = {"account": account, "password": account_password(account), "reason": reason}
    body = {"to_s": to_s, **asker}
    _print(answered(config, lambda door: door.post("/api/clock", body)), output)


def _time(text: str) -> int:
    if text == "now":
        return int(time.time())
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        msg = f"{text!a:.40}: not a time as 2026-12-31T08:00, nor now"
        raise MalformedError(msg) from error


def _print(found: Any, output: Output) -> None:  # noqa: ANN401 - JSON
    if output is Output.JSON:
        print_json(found)
        return
    names = {"clock_s": "clock on the wall", "floor_s": "floor clock", "now_s": "what counts"}
    print_fields({label: when(found[name] * 1000) for name, label in names.items()}, output=output)
    rows = [
        {
            **row,
            "at": when(row["at_ms"]),
            "from": when(row["was_s"] * 1000),
            "to": when(row["to_s"] * 1000),
        }
        for row in found["changes"]
    ]
    columns = {"at": "SET", "from": "FROM", "to": "TO", "account": "BY", "reason": "REASON"}
    print_rows(rows, columns, output=output)
