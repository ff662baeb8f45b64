"""`osiris appliance program`: the appliance's own program, and going back to the one before."""

from typing import Annotated

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, answered, operator
from runtime.terminal import Output, note, print_fields, say, when

program = typer.Typer(help="The appliance's own program.", invoke_without_command=True)


@program.callback()
def show(
    context: typer.Context, output: Format = Output.TABLE, config: ConfigFile = DEFAULT
) -> None:
    """Say which program runs, which ran before, and which was installed by hand.

    A newer one comes by an order (`update_agent`). One that does not become ready gives way to the
    one before by itself; one that became ready and turns out badly, a person here takes back.
    """
    if context.invoked_subcommand is not None:
        return
    found = answered(config, lambda door: door.get("/api/program"))
    if output is Output.TABLE:
        since_s = found.pop("since_s")
        found["since"] = when(since_s * 1000) if since_s else ""
    print_fields(found, output=output)


@program.command("back")
def back(
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays on this appliance.")],
    packaged: Annotated[
        bool, typer.Option("--packaged", help="To the one that was installed by hand.")
    ] = False,
    config: ConfigFile = DEFAULT,
) -> None:
    """Go back to the program that ran before; the appliance starts itself again.

    What the newer program wrote stays. Where it changed the store's form, the older one cannot open
    it, and nothing is done.
    """
    body = {"reason": reason, "packaged": packaged, "account": operator()}
    found = answered(config, lambda door: door.post("/api/program/back", body))
    say(f"version {found['version']} runs from now on")
    note("Next: osiris appliance program, in some seconds")
