"""`osiris hub ceremony`: how several people make the trust that a hub cannot change."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from osiris.desk import asking
from osiris.desk.content_cli import HERE, DeskOption, FolderOption, Format, now_s
from osiris.desk.folder import CARD_ROLES, Card, Folder
from osiris.desk.place import Desk
from proto.errors import ConfigError, IntegrityError, RejectedError
from proto.keysets import ROLES, Role
from proto.secret import Secret
from runtime import keyfile
from runtime.clock import system_entropy
from runtime.durable import sync_directory
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import read_bounded
from runtime.terminal import Output, note, print_fields, print_rows

KEYS_FILE_BYTES_MAX: Final = 8192
PEOPLE_AT_LEAST: Final = {
    Role.ROOT: ROLES[Role.ROOT].people + 1,
    Role.RELEASE: ROLES[Role.RELEASE].people + 1,
    Role.OPERATOR: ROLES[Role.GRANTS].people,
}

ceremony = typer.Typer(
    help="""Make a hub's trust with several people, so that taking the hub takes nothing else.

    \b
    root      3 people or more; 2 sign. They say whose keys count. Keys are used once a year.
    release   3 people or more; 2 sign every release of content, and who the operators are.
    operator  2 people or more; they sign orders, and what the hub's own order key may do.

    Each person makes each key on a machine of their own, sealed with a passphrase; only cards with
    public keys go into the folder that they pass on. It can be stopped and gone on with at any
    step: run `osiris hub ceremony status` to see the next one.

    \b
    1 on the hub:    osiris hub init --origin https://HUB:8443 --trust people
    2 in the folder: osiris hub ceremony begin --hub-keys STATE_DIR/trust/hub-keys.json
    3 each person:   osiris hub ceremony key NAME --role root   (and release, and operator)
    4 one person:    osiris hub ceremony root, then osiris content build, osiris content grant
    5 each person:   osiris content sign
    6 one person:    osiris content publish --to STATE_DIR/incoming
    7 on the hub:    osiris hub init --trust people, then osiris hub serve

    Later: a new root, with other people or before a year is over, is drafted, signed by two people
    of the old and two of the new one, and published the same way.
    """,
    no_args_is_help=True,
)


def mount(hub: typer.Typer) -> None:
    """Put the ceremony among the verbs of the hub."""
    hub.add_typer(ceremony, name="ceremony")


@ceremony.command("begin")
def begin(
    hub_keys: Annotated[
        Path, typer.Option("--hub-keys", help="The file that `osiris hub init` told of.")
    ],
    folder: FolderOption = HERE,
    unvouched: Annotated[
        bool,
        typer.Option(
            "--unvouched", help="Take new keys that the hub's former keys did not sign for."
        ),
    ] = False,
    output: Format = Output.TABLE,
) -> None:
    """Begin the folder with the hub's public keys, or give it the hub's new ones.

    A new key that comes after a published one is taken only if that one signed for it. Where the
    signer's keys were lost, no former key can: on the hub's own machine `osiris hub init` writes
    the file from the keys themselves; compare the fingerprints with those, and add --unvouched.
    """
    from osiris.desk import vouching  # noqa: PLC0415 - loads python-tuf

    data = read_bounded(hub_keys, size_bytes_max=KEYS_FILE_BYTES_MAX)
    try:
        found = HubKeys.from_bytes(data.strip())
    except RejectedError as error:
        msg = f"{hub_keys}: is not the file that `osiris hub init` writes: {error}"
        raise ConfigError(msg) from None
    place = Folder(folder)
    fresh = vouching.new_keys(place.repository, found)
    strange = [one for one in fresh if not one.is_vouched]
    if strange and not unvouched:
        told = "; ".join(one.sentence() for one in strange)
        msg = f"{hub_keys}: {told}. Nothing was taken; if you compared it: --unvouched"
        raise IntegrityError(msg)
    place.make()
    place.hub_keys_file.write_bytes(data)  # what was looked at, whatever lies there by now
    shown = {"folder": str(folder), "hub": found.origin}
    shown |= {f"new {one.kind} key": one.key.fingerprint() for one in fresh}
    print_fields(shown, output=output)
    _tell_next(place)


@ceremony.command("key")
def key(
    person: Annotated[str, typer.Argument(help="Your name, as everybody will read it: ada.")],
    role: Annotated[str, typer.Option(help="root, release or operator.")],
    desk: DeskOption,
    folder: FolderOption = HERE,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make another; the one of before is kept as former.")
    ] = False,
    output: Format = Output.TABLE,
) -> None:
    """Make your key for a role on this machine, and put a card with its public half in the folder.

    A key that is there already is not made again: its card is written anew. One key is for one
    role. Read its fingerprint out to the others: they see it again in what they sign.

    With --renew the next key takes its place and its card, and the former one is kept as
    ROLE.former.key: beside the next it signs the root and the release that come with the change,
    and orders until your desk's authority lists the next. Delete it then. What was cut short goes
    on when asked for again; to begin anew, delete ROLE.next.key while ROLE.key is there.
    """
    wanted = _role(role)
    place, home = Folder(folder), Desk(desk)
    place.make()
    home.make()
    path, following = home.key_of(wanted), home.next_of(wanted)
    is_cut = following.exists() and not path.exists()
    if renew and not is_cut:
        _require_renewable(home, person, wanted)
    renews = renew or is_cut
    found, passphrase = _kept_or_made(following if renews else path, person, wanted)
    card = place.put_card(Card.of(person, wanted, found.open(passphrase), created_s=found.created))
    if renews:
        _put_in_place(home, wanted)
    fields = {
        "person": found.person,
        "role": found.role.value,
        "fingerprint": found.public.fingerprint(),
        "key": str(path),
        "card": str(card),
    }
    print_fields(fields, output=output)
    _tell_next(place)


def _require_renewable(desk: Desk, person: str, role: Role) -> None:
    """Raise `ConfigError` unless the key is there, theirs, and no former one's time goes on."""
    path, former = desk.key_of(role), desk.former_of(role)
    if not path.exists():
        msg = f"{path}: there is no key yet that could be renewed"
        raise ConfigError(msg)
    _require_theirs(keyfile.read(path), person, role)
    if former.exists():
        msg = f"{former}: delete it first, once what it had to sign was published"
        raise ConfigError(msg)


def _kept_or_made(path: Path, person: str, role: Role) -> tuple[keyfile.KeyFile, Secret | None]:
    """Return a person's key file with what opens it; it is made where there is none.

    Raises:
        ConfigError: the key is somebody else's, or for another role.
        PassphraseError: the passphrase for a new key is too short.
    """
    if path.exists():
        found = keyfile.read(path)
        _require_theirs(found, person, role)
        sealed = found.is_sealed
        return found, asking.passphrase(f"passphrase of {path}: ") if sealed else None
    passphrase = asking.new_passphrase()
    made = keyfile.make(
        path,
        person=person,
        role=role,
        passphrase=passphrase,
        now_s=now_s(),
        entropy=system_entropy,
    )
    return made, passphrase


def _put_in_place(desk: Desk, role: Role) -> None:
    """Keep a key as the former and put the next in its place, or the rest of it after a cut."""
    path = desk.key_of(role)
    if path.exists():
        path.rename(desk.former_of(role))
        # What comes next would write over the former key if the disk did only that.
        sync_directory(desk.directory)
    desk.next_of(role).rename(path)
    sync_directory(desk.directory)


def _require_theirs(file: keyfile.KeyFile, person: str, role: Role) -> None:
    if (file.person, file.role) != (person, role):
        msg = f"{file.path}: is {file.person}'s key for {file.role}, not {person}'s for {role}"
        raise ConfigError(msg)


def _role(text: str) -> Role:
    found = next((role for role in CARD_ROLES if role.value == text), None)
    if found is None:
        msg = f"--role: {text!a}: root, release or operator"
        raise ConfigError(msg)
    return found


@ceremony.command("root")
def root(folder: FolderOption = HERE, output: Format = Output.TABLE) -> None:
    """Draft the next root from the cards in the folder: whose keys count from then on.

    The first one is signed by two of its own people. Each later one is signed by two of the root
    before and two of its own; to leave somebody out, take their card out of the folder first. When
    other release people are named, build a release too: both sets of them sign it.
    """
    from osiris.desk.drafting import draft_root  # noqa: PLC0415 - loads python-tuf

    version = draft_root(Folder.there(folder), now_s=now_s())
    print_fields({"root": version, "folder": str(folder)}, output=output)
    note("Next: osiris content build, osiris content grant; then each person: osiris content sign")


@ceremony.command("status")
def status(folder: FolderOption = HERE, output: Format = Output.TABLE) -> None:
    """Show who has a card for what, and what to do next."""
    place = Folder(folder)
    rows = [
        {
            "role": role.value,
            "person": holder.person,
            "fingerprint": holder.key.fingerprint(),
        }
        for role in CARD_ROLES
        for holder in place.holders(role)
    ]
    columns = {"role": "role", "person": "person", "fingerprint": "fingerprint"}
    print_rows(rows, columns, output=output)
    if output is Output.TABLE:
        _tell_next(place)


def _tell_next(place: Folder) -> None:
    note(f"Next: {next_step(place)}")


def next_step(place: Folder) -> str:
    """Return what is to be done next, as one sentence or command."""
    if not place.hub_keys_file.exists():
        return "osiris hub ceremony begin --hub-keys FILE, with the file of the hub's public keys"
    for role, least in PEOPLE_AT_LEAST.items():
        there = len(place.holders(role))
        if there < least:
            more = least - there
            makers = "1 more person makes" if more == 1 else f"{more} more people make"
            return f"{makers} a key: osiris hub ceremony key NAME --role {role.value}"
    drafts = _drafted(place)
    wanted = {
        Role.ROOT: "osiris hub ceremony root",
        Role.RELEASE: "osiris content build",
        Role.GRANTS: "osiris content grant",
    }
    for role, command in wanted.items():
        if not place.draft.newest(role):
            return command
    waiting = [one for one in drafts if not one.is_complete]
    if waiting:
        who = sorted({name for one in waiting for name in one.missing})
        return f"osiris content sign, by more of: {', '.join(who)}"
    if drafts:
        return "osiris content publish --to HUB_STATE_DIR/incoming"
    return "nothing: everything was published; on the hub: osiris hub init --trust people"


def _drafted(place: Folder) -> tuple[Any, ...]:
    from osiris.desk.signing import standings  # noqa: PLC0415 - loads python-tuf

    return standings(place) if place.draft.newest(Role.ROOT) else ()
