"""`osiris order key`: a person's own key, made and kept on their own machine."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from osiris.desk import asking
from osiris.desk.place import ENV_DESK, Desk, default_directory
from osiris.desk.words import moment
from proto.keysets import DAY_S, ROLES, Role
from runtime import keyfile
from runtime.clock import SystemClock, seconds, system_entropy
from runtime.keyfile import KeyFile
from runtime.terminal import Output, note, print_fields

key = typer.Typer(help="Your own key, made and kept on this machine.", no_args_is_help=True)

Directory = Annotated[
    Path,
    typer.Option(
        "--desk",
        envvar=ENV_DESK,
        default_factory=default_directory,
        show_default="~/.config/osiris",
        help="The directory with your key and what you trust.",
    ),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


@key.command("new")
def new(
    person: Annotated[str, typer.Argument(help="Your name as authority will list it: ada.")],
    desk: Directory,
    output: Format = Output.TABLE,
) -> None:
    """Make your operator key, sealed with a passphrase that is asked for.

    The private key never leaves this machine. Hand the public key and its fingerprint to the
    release people: your signature counts once the authority file lists it, for at most 90 days.
    """
    place = Desk(desk)
    place.make()
    made = keyfile.make(
        place.key_path,
        person=person,
        role=Role.OPERATOR,
        passphrase=asking.new_passphrase(),
        now_s=seconds(SystemClock()),
        entropy=system_entropy,
    )
    print_fields(_fields(made), output=output)
    note("Next: give person, public key and fingerprint to the people who sign releases.")


@key.command("show")
def show(desk: Directory, output: Format = Output.TABLE) -> None:
    """Show your public key and its fingerprint; the private key is not opened."""
    place = Desk(desk)
    found = keyfile.read(place.key_path)
    fields = _fields(found)
    authority = place.authority()
    if authority is not None:
        listed = authority.by_key.get(found.public.raw)
        until = f"until {moment(listed.not_after)}" if listed else "no: authority does not list it"
        is_mine = listed is None or listed.holder.person == found.person
        fields["counts"] = until if is_mine else "no: authority lists it for somebody else"
    print_fields(fields, output=output)


def _fields(found: KeyFile) -> dict[str, Any]:
    days = ROLES[found.role].life_s // DAY_S
    return {
        "person": found.person,
        "role": found.role.value,
        "public": found.public.b64(),
        "key_id": found.public.key_id,
        "fingerprint": found.public.fingerprint(),
        "file": os.fspath(found.path),
        "sealed": found.is_sealed,
        "made": moment(found.created),
        "lives": f"{days} days from when authority lists it",
    }
