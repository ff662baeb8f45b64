"""`osiris content`: what release people and operators draft, read, sign and publish."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from osiris.desk import asking
from osiris.desk.folder import Folder
from osiris.desk.place import ENV_DESK, Desk, default_directory
from proto.errors import ConfigError, NotFoundError
from proto.keysets import Role
from proto.orders.kinds import HOUR_S
from runtime import keyfile
from runtime.clock import SystemClock, seconds
from runtime.content import read_directory, read_installed
from runtime.repository.layout import TARGET_BYTES_MAX, Place, read_bounded
from runtime.terminal import Output, note, plain, print_fields, say

ENV_FOLDER: Final = "OSIRIS_RELEASE"
SIGN_WORD: Final = "sign"

content = typer.Typer(
    help="""Signed content: what may run at every site, and whose signatures count.

    Two of three release people sign a release; two operators sign what the hub's order key may do.
    Each works on a machine of their own; a folder passes between them, with no private key in it.

    \b
    osiris content build      draft a release: checks, rules, runbooks, authority, policy
    osiris content grant      draft what the hub's order key may do, for at most 7 days
    osiris content sign       read in words what is drafted, and sign it with your key
    osiris content status     what ends when, who must sign, which sites run what
    osiris content publish    carry what is complete to the hub
    osiris content rollout    halt a rollout by rings, or let it go on
    osiris content promote    make a rule of what healed an incident; one operator signs it
    osiris content trust      take authority and grants to your desk, for signing orders
    osiris content pack       put what is current into a file for an appliance without its hub
    """,
    no_args_is_help=True,
)

FolderOption = Annotated[
    Path,
    typer.Option(
        "--folder",
        envvar=ENV_FOLDER,
        help="The release folder that people pass to one another.",
    ),
]
DeskOption = Annotated[
    Path,
    typer.Option(
        "--desk",
        envvar=ENV_DESK,
        default_factory=default_directory,
        show_default="~/.config/osiris",
        help="The directory with your keys.",
    ),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]
HERE = Path("release")


def now_s() -> int:
    """Return the time in seconds."""
    return seconds(SystemClock())


@content.command("build")
def build(
    folder: FolderOption = HERE,
    rules: Annotated[
        Path | None,
        typer.Option(help="A directory of checks, rules and runbooks; else what is installed."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the content of the release before.")
    ] = False,
    agents: Annotated[
        Path | None, typer.Option(help="A directory of agent files; else those of before.")
    ] = None,
    lost: Annotated[
        list[str] | None,
        typer.Option("--lost", help="An operator whose former key was lost: it ends at once."),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Draft the next release from content, agent files and what release.toml decides.

    A release lives 90 days, and so does what it says of people: build one in time even when nothing
    changed, with --keep. An operator's former key goes on for a day beside the next one.
    """
    from osiris.desk.drafting import draft_release  # noqa: PLC0415 - loads python-tuf

    if keep and rules is not None:
        msg = "--keep and --rules contradict each other"
        raise ConfigError(msg)
    files = None if keep else read_installed() if rules is None else read_directory(rules)
    place = Folder.there(folder)
    version = draft_release(
        place,
        files,
        agents=None if agents is None else _files(agents),
        lost=lost or (),
        now_s=now_s(),
    )
    print_fields({"release": version, "folder": str(folder)}, output=output)
    note("Next: two release people each run: osiris content sign")


def _files(directory: Path) -> Mapping[str, bytes]:
    """Return the plain files of a directory by name."""
    if not directory.is_dir():
        msg = f"{directory}: not a directory of agent files"
        raise ConfigError(msg)
    return {
        path.name: read_bounded(path, size_bytes_max=TARGET_BYTES_MAX)
        for path in sorted(directory.iterdir())
        if path.is_file() and not path.is_symlink()
    }


@content.command("grant")
def grant(
    folder: FolderOption = HERE,
    days: Annotated[int, typer.Option(min=1, max=7, help="How many days it holds.")] = 7,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="An order type, again for more; else all.")
    ] = None,
    sites: Annotated[
        list[str] | None, typer.Option("--site", help="A site's id, again for more; else all.")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=24, help="How long an order may live.")] = 24,
    per_hour: Annotated[
        int, typer.Option(min=1, max=1000, help="Orders an hour for each appliance.")
    ] = 60,
    output: Format = Output.TABLE,
) -> None:
    """Draft what the hub's order key may do: which orders, where, how long, how many.

    It replaces the grants before. Two different operators sign it.
    """
    from osiris.desk.drafting import Granted, draft_grants  # noqa: PLC0415 - loads python-tuf

    granted = Granted(
        days=days,
        types=tuple(types) if types else "all",
        sites=tuple(sites) if sites else "all",
        ttl_s=hours * HOUR_S,
        per_hour=per_hour,
    )
    version = draft_grants(Folder.there(folder), granted, now_s=now_s())
    print_fields({"grants": version, "folder": str(folder)}, output=output)
    note("Next: two operators each run: osiris content sign")


@content.command("sign")
def sign(
    desk: DeskOption,
    folder: FolderOption = HERE,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="A key file, again for more; else those of your desk."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Sign without being asked; the words are shown.")
    ] = False,
) -> None:
    """Show in words what is drafted, ask, and sign what your keys are listed for.

    Compare what is shown with what you agreed to: nothing else is signed. The passphrase of each
    key is asked for after the word.
    """
    from osiris.desk import draft_words, signing  # noqa: PLC0415 - loads python-tuf

    place = Folder.there(folder)
    wanted = {file: signing.signable(place, file.public) for file in _keys(desk, key)}
    roles = sorted({role for found in wanted.values() for role in found}, key=signing.DRAFTED.index)
    if not roles:
        msg = f"{folder}: nothing is drafted that your keys are listed for and have not signed"
        raise ConfigError(msg)
    drafts = {role: signing.read_draft(place, role) for role in roles}
    for draft in drafts.values():
        for line in draft_words.in_words(place, draft, now_s=now_s()):
            say(plain(line))
    if not yes and not asking.agrees(
        f"Type {SIGN_WORD} to sign {', '.join(roles)}; anything else signs nothing.",
        word=SIGN_WORD,
    ):
        msg = "nothing was signed"
        raise ConfigError(msg)
    for file, found in wanted.items():
        if found:
            signing.sign(place, [drafts[role] for role in found], _open(file))
            note(f"signed as {file.person}: {', '.join(found)}")
    tell_next(place)


def _keys(desk: Path, given: list[Path] | None) -> list[keyfile.KeyFile]:
    paths = given or [path for path in map(desk.joinpath, KEY_FILES) if path.exists()]
    if not paths:
        msg = (
            f"{desk}: no key lies there; --key FILE or --desk names another place, and"
            " `osiris hub ceremony key NAME --role ROLE` makes one"
        )
        raise ConfigError(msg)
    return [keyfile.read(path) for path in paths]


KEY_FILES: Final = tuple(
    f"{role.value}{former}.key"
    for role in (Role.ROOT, Role.RELEASE, Role.OPERATOR)
    for former in ("", ".former")
)
"""The keys of a desk, one for each role that its person has, and those of before: a new root and
what comes with it is signed by both."""


def _open(file: keyfile.KeyFile) -> Any:  # noqa: ANN401 - a SigningKey
    if not file.is_sealed:
        return file.open(None)
    return file.open(asking.passphrase(f"passphrase of {os.fspath(file.path)}: "))


def tell_next(place: Folder) -> None:
    """Say who must sign still, or that it can be published."""
    from osiris.desk.signing import standings  # noqa: PLC0415 - loads python-tuf

    waiting = [one for one in standings(place) if not one.is_complete]
    for one in waiting:
        note(
            f"{one.role} {one.version}: {one.needs} more must sign; "
            f"who may: {', '.join(one.missing) or 'nobody'}"
        )
    if not waiting:
        note("Next: osiris content publish --to HUB_STATE_DIR/incoming")


@content.command("publish")
def publish(
    to: Annotated[Path, typer.Option("--to", help="The hub's directory for it: .../incoming.")],
    folder: FolderOption = HERE,
    output: Format = Output.TABLE,
) -> None:
    """Check every draft as the hub does, and carry them to the directory the hub looks into.

    The hub checks again, takes in what holds as a whole, and signs that it is current: within a
    minute, when it runs. Until then its appliances see what was there before. On another machine
    than the hub's, publish into a directory and copy it: documents last.
    """
    from osiris.desk.publishing import publish as carry  # noqa: PLC0415 - loads python-tuf

    found = carry(Folder.there(folder), Place(to), now_s=now_s())
    _give(to)
    print_fields({role.value: version for role, version in found.items()}, output=output)
    note(f"A hub that looks into {to} takes it in within a minute; its log says so, or why not.")


@content.command("trust")
def trust(
    desk: DeskOption,
    folder: FolderOption = HERE,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A hub's served directory instead: STATE_DIR/content."),
    ] = None,
    from_hub: Annotated[
        bool,
        typer.Option("--from-hub", help="Fetch it from your desk's hub instead, over the network."),
    ] = False,
    told: Annotated[
        str | None,
        typer.Option(
            "--first-root",
            metavar="DIGEST",
            help="The first root's SHA-256, as the root people read it out: no other is taken.",
        ),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Take authority and grants to your desk, checked from the first root on.

    `osiris order` goes by them. The first root that you take is pinned in your desk, as appliances
    pin theirs: compare it with what the root people read out. Another is refused from then on; if
    they began anew, --first-root with what they read out takes the place of the one you have.
    """
    from osiris.desk.hub_files import served_by  # noqa: PLC0415 - loads an HTTP client
    from osiris.desk.take_trust import take_trust  # noqa: PLC0415 - loads python-tuf
    from osiris.desk.walk import take_from_hub  # noqa: PLC0415 - as above

    if from_hub and source is not None:
        msg = "--from and --from-hub contradict each other"
        raise ConfigError(msg)
    home = Desk(desk)
    if from_hub:
        with served_by(home.hub()) as files:
            taken = take_from_hub(files, home, told=told, now_s=now_s())
    else:
        place = Folder.there(folder).repository if source is None else Place(source)
        taken = take_trust(place, home, told=told, now_s=now_s())
    print_fields(taken, output=output)


def _give(directory: Path) -> None:
    """Make the files those of whom the hub's directory belongs to, where root published them."""
    owner = directory.parent.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@content.command("pack")
def pack(
    source: Annotated[
        Path, typer.Option("--from", help="A hub's served directory: STATE_DIR/content.")
    ],
    to: Annotated[Path, typer.Option("--to", help="The file to write: content.zip.")],
    agents: Annotated[
        bool, typer.Option("--agents", help="Put agents' files in too; they are large.")
    ] = False,
) -> None:
    """Put a hub's signed content into one file that a person can carry to an appliance.

    What is current goes in, of whatever age the hub keeps more. The appliance verifies it as it
    verifies the hub: osiris appliance content load FILE.
    """
    from osiris.desk import packing  # noqa: PLC0415 - loads python-tuf

    try:
        files = packing.pack(Place(source), to, with_agents=agents)
    except NotFoundError as error:
        msg = f"{source}: no repository that a hub keeps fresh: {error}"
        raise ConfigError(msg) from None
    print_fields({"file": str(to), "files": files}, output=Output.TABLE)
    note("Next, on the appliance: osiris appliance content load FILE, within a day")
