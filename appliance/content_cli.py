"""The verbs `osiris appliance content status` and `load`."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from appliance import config as configs
from appliance.verbs import DEFAULT, ConfigFile, Format, answered
from proto.errors import ConfigError
from runtime.repository.layout import CARRIED_BYTES_MAX
from runtime.terminal import Output, note, print_fields, print_json, say, when

PARTS = ("metadata", "targets")
CONTENT, CARRIED = "content", "carried.zip"
"""The directory within the daemon's own, and the file in it that the daemon looks at."""

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW

content = typer.Typer(
    help="Which checks and repairs run here, who signed them, and until when.",
    no_args_is_help=True,
)


@content.command("status")
def status(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """Say which content runs, since when, and what has ended. Exit status 1 on trouble."""
    found = answered(config, lambda door: door.get("/api/content"))
    _print(found, output)
    if found["troubles"]:
        raise typer.Exit(1)


@content.command("load")
def load(
    file: Annotated[
        Path,
        typer.Argument(
            help="The hub's repository, metadata/ and targets/: a directory, or a zip file of it."
        ),
    ],
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Take content that you carried in, for when the hub is gone.

    What you carry is the directory `content` of the hub's state directory, as it is. It is verified
    exactly as what the hub offers: the same pinned root, the same signatures, nothing older than
    what runs, nothing that has expired. What is refused changes nothing.
    """
    with carried_in(configs.read(config).state_dir, file):
        found = answered(config, lambda door: door.post("/api/content/load", {}))
    if output is Output.TABLE:
        say(
            "other content runs now" if found["changed"] else "the content that runs stays the same"
        )
    _print(found, output)


@contextmanager
def carried_in(state_dir: Path, file: Path) -> Iterator[None]:
    """Lay a file where the daemon looks at it, and take it away afterwards.

    Whoever calls this may be root, and the directory is the daemon's, which has no rights: so no
    link in there is followed, nothing is overwritten, and what is made belongs to the daemon.

    Raises:
        ConfigError: it cannot be read, or cannot be laid there.
    """
    try:
        try:
            with _daemons_own(state_dir) as (place, owner):
                _unlink(place)
                made = os.open(CARRIED, _NEW, 0o600, dir_fd=place)
                with os.fdopen(made, "wb") as outlet:
                    _give(made, owner)
                    _copy(file, outlet)
        except OSError as error:
            msg = f"{file}: cannot be carried in: {error.strerror}"
            raise ConfigError(msg) from error
        yield
    finally:
        with suppress(OSError), _daemons_own(state_dir) as (place, _):
            _unlink(place)


@contextmanager
def _daemons_own(state_dir: Path) -> Iterator[tuple[int, os.stat_result]]:
    """Open the daemon's directory of content, made if need be; give whom it must belong to too."""
    with ExitStack() as opened:
        home = os.open(state_dir, os.O_DIRECTORY)
        opened.callback(os.close, home)
        owner = os.fstat(home)
        is_new = True
        try:
            os.mkdir(CONTENT, 0o700, dir_fd=home)
        except FileExistsError:
            is_new = False
        place = os.open(CONTENT, os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=home)
        opened.callback(os.close, place)
        if is_new:
            _give(place, owner)
        yield place, owner


def _give(made: int, owner: os.stat_result) -> None:
    mine = os.fstat(made)
    if (mine.st_uid, mine.st_gid) != (owner.st_uid, owner.st_gid):
        os.fchown(made, owner.st_uid, owner.st_gid)


def _unlink(place: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(CARRIED, dir_fd=place)


def _copy(file: Path, outlet: BinaryIO) -> None:
    """Write what was carried in as one zip file; raises `ConfigError` and `OSError`."""
    parts = [path for name in PARTS for path in (file / name).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in (parts if file.is_dir() else [file]))
    if size > CARRIED_BYTES_MAX:
        msg = f"{file}: more than {CARRIED_BYTES_MAX} bytes"
        raise ConfigError(msg)
    if not file.is_dir():
        with file.open("rb") as inlet:
            shutil.copyfileobj(inlet, outlet)
        return
    with zipfile.ZipFile(outlet, "w") as packed:
        for path in parts:
            packed.write(path, path.relative_to(file))


def _print(found: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    nested = ("ends", "troubles")
    shown = {name: value for name, value in found.items() if name not in nested}
    for name in ("since_s", "verified_s", "looked_s"):
        if name in shown:
            shown[name.removesuffix("_s")] = when(shown.pop(name) * 1000)
    ends = found.get("ends", {})
    shown |= {f"{part} ends": when(end * 1000) for part, end in ends.items()}
    print_fields(shown, output=output)
    for code, why in found["troubles"].items():
        note(f"{code}: {why}")
