"""The `osiris` command: one place where the verbs of both programs are mounted.

A verb's program is imported when the verb is asked for: the first page of help needs none of them,
and a verb of the appliance nothing of the hub.

An error ends the command with its family's exit status and one line on standard error; see
`proto/errors.py`. 1 means "the answer is no", 2 a wrong usage, 70 a fault of the program itself.
"""

import sys
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer._click import Command, Context, HelpFormatter
from typer.core import TyperGroup
from typer.main import get_group

from proto.errors import OsirisError
from proto.invariants import InvariantError
from runtime.terminal import note

CRASHED = 70
"""EX_SOFTWARE of sysexits(3), as the daemons end with."""

HELP = """Osiris: a HIPAA safeguard that heals itself.

\b
See it at work:            osiris demo
What is wrong here:        osiris doctor
Set up a hub:              osiris hub init, then osiris hub serve
Set up an appliance:       osiris appliance enroll CODE, then osiris appliance run
Give it something to do:   osiris target add ADDRESS --user NAME --key FILE
"""


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb, or a group of verbs, is written.

    Attributes:
        name: of the Typer or of the function in the module.
        help: its first line of help, so that the list of verbs imports none.
        mounted: a module whose `mount` adds verbs of another program to the group.
    """

    module: str
    name: str
    help: str
    mounted: str = ""


VERBS: dict[str, Verb] = {
    "demo": Verb(
        "osiris.demo_cli",
        "demo",
        "Watch Osiris find, judge, heal and prove, on real machines inside a private network.",
    ),
    "doctor": Verb("osiris.doctor", "doctor", "Look at everything Osiris needs here."),
    "target": Verb("appliance.cli", "target", "The machines this appliance looks after."),
    "device": Verb(
        "appliance.device_cli",
        "device",
        "What is on the network: what may be touched, and what is which.",
    ),
    "waiver": Verb("appliance.cli", "waiver", "Dated departures from a check."),
    "site": Verb("appliance.cli", "site", "What holds for the whole site."),
    "appliance": Verb("appliance.cli", "appliance", "The appliance itself."),
    "evidence": Verb(
        "appliance.cli", "evidence", "What happened, as a log that cannot be rewritten."
    ),
    "hub": Verb(
        "central.cli",
        "hub",
        "The central service of a fleet.",
        mounted="osiris.desk.ceremony_cli",
    ),
    "content": Verb(
        "osiris.desk.content_cli",
        "content",
        "Signed content: what may run at every site, and whose signatures count.",
        mounted="osiris.desk.content_verbs",
    ),
    "order": Verb(
        "osiris.desk.order_cli",
        "order",
        "Orders: drafted, read and signed by people on their own machines.",
    ),
    "rules": Verb("osiris.rules_cli", "rules", "Check, try out and explain content."),
    "phi": Verb(
        "osiris.phi_cli",
        "phi",
        "Scrubbing: what goes, why, and how well.",
        mounted="appliance.phi_cli",
    ),
}


@cache
def load(name: str) -> Command:
    """Import a verb's program and return the verb."""
    verb = VERBS[name]
    found = getattr(import_module(verb.module), verb.name)
    if verb.mounted:
        import_module(verb.mounted).mount(found)
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    return get_group(holder).commands[name]


class Programs(MutableMapping[str, Command]):
    """The verbs by name, each imported when it is taken; none is added or removed."""

    def __getitem__(self, name: str) -> Command:
        """Return a verb, imported."""
        return load(name)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a verb without importing it."""
        return name in VERBS

    def __iter__(self) -> Iterator[str]:
        """Yield the names in the order in which help lists them."""
        return iter(VERBS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(VERBS)

    def __setitem__(self, name: str, verb: Command) -> None:
        """Refuse: `VERBS` is the one table."""
        raise TypeError(name)

    def __delitem__(self, name: str) -> None:
        """Refuse: `VERBS` is the one table."""
        raise TypeError(name)


class Lazy(TyperGroup):
    """The root of all verbs."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - Typer's own arguments
        """Make the group; what Typer mounted, which is nothing, is replaced by the table."""
        super().__init__(**settings)
        self.commands = Programs()

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names, importing nothing."""
        del ctx
        return list(VERBS)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the list of verbs, importing nothing."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


app = typer.Typer(
    cls=Lazy,
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Nothing is common to all verbs."""


def told(command: Callable[[], object]) -> None:
    """Run a command; an error ends the process with one line and its status."""
    try:
        command()
    except OsirisError as error:
        note(f"osiris: {error}")
        sys.exit(error.exit_status)
    except InvariantError as error:
        note(f"osiris: this should not happen, please report it: {error}")
        sys.exit(CRASHED)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> None:
    """Run the command line."""
    told(app)


if __name__ == "__main__":
    main()
