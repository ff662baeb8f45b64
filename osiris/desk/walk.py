"""Walking a hub's repository from the pinned root, as an appliance does.

```
content/metadata content/targets    what the desk verified last, in the repository's own layout
content/tuf                         what python-tuf's client remembers: nothing goes back
```

TUF's detailed client workflow is `tuf.ngclient`'s: it refuses rollback, freeze, mix-and-match,
endless data, and a root that the one before did not sign. It counts key ids and knows no people;
what it found is then read by the rules of `runtime.repository.check`, from the pinned root on. All
of it is done aside, on a copy: what does not hold to the end changes nothing at the desk.

This module imports tuf: import it only when there is something to verify.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from tuf.api import exceptions as tuf_errors
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from osiris.desk import first_root
from osiris.desk.first_root import CONTENT_DIRECTORY, FirstRoot
from osiris.desk.hub_files import Files
from osiris.desk.place import Desk
from osiris.desk.take_trust import Checked, check, keep_checked, require_grants
from proto.errors import ConfigError, NotFoundError, RejectedError
from proto.keysets import Role
from proto.release_keys import AGENTS_PREFIX, TUF_NAMES
from runtime.repository.check import files_of
from runtime.repository.documents import signed_part, version_of
from runtime.repository.layout import Place, digest_of, target_file

METADATA: Final = "metadata/"
TARGETS: Final = "targets/"
WALK_PREFIX: Final = ".walk-"
ROOT_BYTES_MAX: Final = 256 * 1024
FILE_BYTES_MAX: Final = 1024 * 1024
"""Of a check, a rule or a runbook, of authority, policy or grants."""

_LIMITS: Final = UpdaterConfig(
    max_root_rotations=256,
    max_delegations=4,
    root_max_length=ROOT_BYTES_MAX,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=4 * 1024 * 1024,
)
_ONLINE: Final = ("timestamp", "snapshot")
_BY_PEOPLE: Final = (Role.RELEASE, Role.GRANTS)


class HubContentError(RejectedError):
    """What a hub serves does not hold under the root that the desk pinned."""

    code: ClassVar[str] = "hub_content"


class _Fetcher(FetcherInterface):
    """tuf's way to a hub's files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield from self._files.chunks(url)
        except NotFoundError as error:
            raise tuf_errors.DownloadHTTPError(str(error), 404) from error


def take_from_hub(
    files: Files, desk: Desk, *, told: str | None = None, now_s: int
) -> Mapping[str, Any]:
    """Walk a hub's repository and keep its authority, grants and content; return what they are.

    Args:
        files: what the hub serves.
        desk: the person's.
        told: the digest of the first root that the person was read out; None where they said none.
        now_s: seconds since the epoch.

    Raises:
        ConfigError: the desk pinned no root, and the person said no digest.
        FirstRootError: it is another trust's than the desk's.
        RejectedError: something of it does not hold, goes back, or ended.
        UnreachableError: the hub does not answer.
    """
    first_root.go_on(desk, told)
    if told is None and first_root.pinned(desk) is None:
        msg = (
            f"{desk.directory}: pinned no first root yet, and no hub is believed which it is: give"
            " --first-root DIGEST, as your root people read it out, or take the release folder"
        )
        raise ConfigError(msg)
    found = _first_of(files)
    first = first_root.chosen(desk, found, where=files.where, told=told)
    desk.make()
    _remove_abandoned(desk)
    with tempfile.TemporaryDirectory(prefix=WALK_PREFIX, dir=desk.directory) as name:
        aside = Path(name)
        kept = None if first.is_new else Place(desk.directory / CONTENT_DIRECTORY)
        place = _walked(files, first, aside, kept=kept, now_s=now_s)
        require_grants(place, files.where)
        checked = check(place, desk, first, now_s=now_s, with_agents=False)
        first_root.go_by(desk, first)
        _keep(desk, checked, aside)
        return keep_checked(desk, first, checked)


def content_of(desk: Desk) -> Place:
    """Return the repository that the desk verified last.

    Raises:
        ConfigError: it never walked one.
    """
    place = Place(desk.directory / CONTENT_DIRECTORY)
    if not place.newest(Role.RELEASE):
        msg = f"{desk.directory}: holds no content yet: osiris content trust --from-hub"
        raise ConfigError(msg)
    return place


def _remove_abandoned(desk: Desk) -> None:
    """Remove what walks left that were killed; one that runs beside this one ends with an error."""
    for path in desk.directory.glob(f"{WALK_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


def _first_of(files: Files) -> bytes:
    try:
        return _bounded(files, f"{METADATA}1.root.json", ROOT_BYTES_MAX)
    except NotFoundError:
        msg = f"{files.where}: serves no repository: it has no first root"
        raise HubContentError(msg) from None


def _bounded(files: Files, name: str, size_bytes_max: int) -> bytes:
    received = bytearray()
    for chunk in files.chunks(name):
        received += chunk
        if len(received) > size_bytes_max:
            msg = f"{files.where}: {name}: longer than {size_bytes_max} bytes"
            raise HubContentError(msg)
    return bytes(received)


def _walked(
    files: Files, first: FirstRoot, aside: Path, *, kept: Place | None, now_s: int
) -> Place:
    """Return what tuf's client finds now, in the repository's layout, over what the desk has."""
    home = aside / "tuf"
    if kept is not None and (kept.directory / "tuf").is_dir():
        shutil.copytree(kept.directory / "tuf", home, symlinks=True)
    home.mkdir(exist_ok=True)
    with _translated(files.where):
        updater = Updater(
            str(home),
            METADATA,
            target_base_url=TARGETS,
            fetcher=_Fetcher(files),
            config=_LIMITS,
            bootstrap=first.data,
        )
        # tuf's client has no argument for the time.
        updater._trusted_set.reference_time = datetime.fromtimestamp(now_s, UTC)  # noqa: SLF001
        updater.refresh()
        _load_grants(updater, home)
    place = Place(aside / "found", beneath=kept, is_durable=False)
    _lay_out(place, home)
    for role in _BY_PEOPLE:
        if kept is not None and place.versions(role)[-1:] < kept.versions(role)[-1:]:
            msg = f"{files.where}: {role}: older than what this desk has verified"
            raise HubContentError(msg)
    _fetch_files(files, place)
    return place


def _load_grants(updater: Updater, home: Path) -> None:
    """Load what operators granted, where the snapshot lists it: nobody may have signed it yet."""
    name = TUF_NAMES[Role.GRANTS]
    snapshot = signed_part((home / "snapshot.json").read_bytes(), Role.SNAPSHOT)
    if f"{name}.json" in snapshot["meta"]:
        updater.get_targetinfo(f"{name}/-")


def _lay_out(place: Place, home: Path) -> None:
    for path in (home / "root_history").glob("*.root.json"):
        place.write(Role.ROOT, version_of(path.read_bytes()), path.read_bytes())
    for role in _BY_PEOPLE:
        path = home / f"{TUF_NAMES[role]}.json"
        if path.exists():
            place.write(role, version_of(path.read_bytes()), path.read_bytes())


def _fetch_files(files: Files, place: Place) -> None:
    """Fetch what the documents name and is not here; agents' files are no matter of a desk's."""
    for role in _BY_PEOPLE:
        for version in place.versions(role)[-1:]:
            named = files_of(signed_part(place.read(role, version), role))
            for path, digest in named.items():
                if not path.startswith(AGENTS_PREFIX):
                    _fetch_one(files, place, path, digest)


def _fetch_one(files: Files, place: Place, path: str, digest: str) -> None:
    try:
        place.require_target(path, digest)
    except NotFoundError:
        try:
            data = _bounded(files, f"{TARGETS}{target_file(path, digest)}", FILE_BYTES_MAX)
        except NotFoundError:
            msg = f"{files.where}: does not give {path}, which its documents name"
            raise HubContentError(msg) from None
        if digest_of(data) != digest:
            msg = f"{files.where}: {path}: other bytes than were signed"
            raise HubContentError(msg) from None
        place.write_target(path, data)


def _keep(desk: Desk, checked: Checked, aside: Path) -> None:
    """Keep what was verified: files before documents, what tuf remembers last.

    A cut in between leaves what verifies and is not older: the next walk goes on from there.
    """
    to, source = Place(desk.directory / CONTENT_DIRECTORY), checked.place
    for role in _BY_PEOPLE:
        for version in source.versions(role)[-1:]:
            document = source.read(role, version)
            for path, digest in files_of(signed_part(document, role)).items():
                if not path.startswith(AGENTS_PREFIX) and not to.target(path, digest).exists():
                    to.write_target(path, source.read_target(path, digest))
            to.settle()
            to.write(role, version, document)
    for version in source.versions(Role.ROOT):
        to.write(Role.ROOT, version, source.read(Role.ROOT, version))
    _replace(aside / "tuf", to.directory / "tuf")


def _replace(new: Path, old: Path) -> None:
    try:
        if old.exists():
            shutil.rmtree(old)
        shutil.move(new, old)
    except OSError as error:
        msg = f"{old}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Say in our words what tuf refused."""
    try:
        yield
    except tuf_errors.ExpiredMetadataError as error:
        is_online = any(name in str(error) for name in _ONLINE)
        why = "the hub, or whoever stands before it, holds back what is newer" if is_online else ""
        msg = f"{where}: {error}{f': {why}' if why else ''}"
        raise HubContentError(msg) from error
    except tuf_errors.UnsignedMetadataError as error:
        msg = (
            f"{where}: {error}: what it serves was not signed by the people whom this desk's first"
            " root carries"
        )
        raise HubContentError(msg) from error
    except tuf_errors.BadVersionNumberError as error:
        msg = f"{where}: older than what this desk has seen: {error}"
        raise HubContentError(msg) from error
    except (tuf_errors.RepositoryError, tuf_errors.DownloadError) as error:
        msg = f"{where}: {error}"
        raise HubContentError(msg) from error
