"""The `osiris` command: one place where the verbs of both programs are mounted.

An error ends the command with its family's exit status and one line on standard error; see
`proto/errors.py`. 1 means "the answer is no", 2 a wrong usage.
"""

import sys

import typer

from appliance import cli as appliance_cli
from appliance import device_cli
from appliance import phi_cli as vault_cli
from central import cli as central_cli
from osiris import demo_cli, doctor, phi_cli, rules_cli
from proto.errors import OsirisError
from runtime.terminal import note

HELP = """Osiris: a HIPAA safeguard that heals itself.

\b
See it at work:            osiris demo
What is wrong here:        osiris doctor
Set up a hub:              osiris hub init, then osiris hub serve
Set up an appliance:       osiris appliance enroll CODE, then osiris appliance run
Give it something to do:   osiris target add ADDRESS --user NAME --key FILE
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo_cli.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(appliance_cli.target, name="target")
app.add_typer(device_cli.device, name="device")
app.add_typer(appliance_cli.waiver, name="waiver")
app.add_typer(appliance_cli.site, name="site")
app.add_typer(appliance_cli.appliance, name="appliance")
app.add_typer(appliance_cli.evidence, name="evidence")
app.add_typer(central_cli.hub, name="hub")
app.add_typer(rules_cli.rules, name="rules")
app.add_typer(phi_cli.phi, name="phi")
vault_cli.mount(phi_cli.phi)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except OsirisError as error:
        note(f"osiris: {error}")
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
