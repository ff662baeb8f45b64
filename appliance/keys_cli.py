"""`osiris appliance keys`: the appliance's own keys, and how it goes on with others."""

from typing import Any

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, answered, operator
from runtime.terminal import Output, note, print_json, print_rows, say, when

keys = typer.Typer(
    help="""The appliance's own keys: one signs evidence and check-ins, one opens sealed logins.

    Renew them once a year, and when somebody else may have had them. The former signs the next
    into the evidence log, so the hub follows by itself, nothing is enrolled again and no order is
    lost. Afterwards back up the keys directory anew: a backup from before holds keys that no longer
    count.
    """,
    no_args_is_help=True,
)


@keys.command("list")
def list_keys(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List the keys that count now, say how they are kept, and whether they should be renewed."""
    _print(answered(config, lambda door: door.get("/api/keys")), output)


@keys.command("renew")
def renew(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Make the next keys and go on with them; the former open nothing new from then on.

    Logins that were sealed to the former key are still opened for two days.
    """
    body = {"account": operator()}
    _print(answered(config, lambda door: door.post("/api/keys/renew", body)), output)
    note("Next: back up the appliance's keys directory; operators compare the new fingerprints.")


def _print(found: Any, output: Output) -> None:  # noqa: ANN401 - JSON
    if output is Output.JSON:
        print_json(found)
        return
    since = when(found["since_s"] * 1000) if found["since_s"] is not None else "the enrollment"
    rows = [
        {"key": "signing", "fingerprint": found["fingerprint"], "since": since},
        {"key": "sealed logins", "fingerprint": found["sealing_fingerprint"], "since": since},
    ]
    print_rows(rows, {"key": "KEY", "fingerprint": "FINGERPRINT", "since": "SINCE"}, output=output)
    if found["kept_so"]:
        say(f"The private keys are {found['kept_so']}.")
    if not found["is_heard"]:
        note("The hub has not taken this renewal yet: until then both keys sign.")
    if found["is_due"]:
        note("A year is nearly over: osiris appliance keys renew")
