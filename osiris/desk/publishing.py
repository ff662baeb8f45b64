"""Publishing: complete drafts are checked as a hub checks them, and carried to where it looks.

The files go first and the documents last, the release before the rest. A hub takes in what holds as
a whole, so a copy that was cut off changes nothing: publish again, as often as you like.
"""

from collections.abc import Mapping
from pathlib import Path

from osiris.desk.folder import Folder
from osiris.desk.signing import DRAFTED, standings
from proto.errors import ConfigError
from proto.keysets import Role
from runtime.repository.check import check_roots, files_of
from runtime.repository.documents import parse, signed_part
from runtime.repository.layout import Place
from runtime.repository.promoting import says_the_same
from runtime.repository.saying import checked_documents, versions_of


def check_drafts(folder: Folder, *, now_s: int) -> Mapping[Role, int]:
    """Return the versions that would be current once the drafts are published.

    With no draft left it is what was published last that is looked at, and may be carried again.

    Raises:
        ConfigError: nothing is drafted and nothing was published, or a draft lacks signatures.
        RejectedError: something does not hold.
    """
    found = standings(folder)
    if not found and not folder.repository.newest(Role.RELEASE):
        msg = f"{folder.directory}: nothing is drafted and nothing was published"
        raise ConfigError(msg)
    for one in found:
        if not one.is_complete:
            msg = (
                f"{one.role} {one.version}: {one.needs} more must sign it; "
                f"who may: {', '.join(one.missing) or 'nobody who has not signed'}"
            )
            raise ConfigError(msg)
    root = check_roots(folder.draft, now_s=now_s)
    newest: dict[Role, int] = {
        role: folder.repository.newest(role) for role in DRAFTED if role is not Role.ROOT
    }
    held = {role: version for role, version in newest.items() if version}
    documents = checked_documents(folder.draft, root, held=held, now_s=now_s, by_hub=False)
    return {Role.ROOT: root.keys.life.version, **versions_of(documents)}


def publish(folder: Folder, hub: Place, *, now_s: int) -> Mapping[Role, int]:
    """Carry the drafts to a hub's `incoming` directory; return what will be current there.

    All that is published is carried, not only what is new: a hub that was made anew gets it whole.

    Raises:
        ConfigError: a draft lacks signatures, or the directory cannot be written.
        RejectedError: something does not hold, or the hub's directory has another document of the
            same version.
    """
    current = check_drafts(folder, now_s=now_s)
    for role in (Role.RELEASE, Role.GRANTS, Role.PROMOTED):
        if role in current:
            _carry_files(folder.draft, hub, role, current[role])
    for version in range(1, current[Role.ROOT] + 1):
        hub.write(Role.ROOT, version, folder.draft.read(Role.ROOT, version))
    for role, version in current.items():
        data = b"" if role is Role.ROOT else folder.draft.read(role, version)
        if data and not _is_countersigned(hub, role, version, data=data):
            hub.write(role, version, data)
    _keep(folder)
    return current


def _is_countersigned(hub: Place, role: Role, version: int, *, data: bytes) -> bool:
    """Tell whether the hub has these promoted rules, and has put its signature to ours."""
    if role is not Role.PROMOTED or not hub.metadata(role, version).exists():
        return False
    there = hub.read(role, version)
    theirs, ours = (parse(one, "promoted").signatures for one in (there, data))
    has_ours = all(theirs.get(key) == signature for key, signature in ours.items())
    return has_ours and says_the_same(there, data)


def _carry_files(source: Place, to: Place, role: Role, version: int) -> None:
    for path, digest in files_of(signed_part(source.read(role, version), role)).items():
        if not to.target(path, digest).exists():
            to.write_target(path, source.read_target(path, digest))
    to.settle()


def _keep(folder: Folder) -> None:
    """Move the drafts to what is published; again after a crash it goes on where it was."""
    draft, published = Place(folder.draft.directory), folder.repository
    for role in DRAFTED:
        for version in draft.versions(role):
            data = draft.read(role, version)
            if role is not Role.ROOT:
                _carry_files(folder.draft, published, role, version)
            published.write(role, version, data)
            draft.metadata(role, version).unlink()
    _empty(draft.directory / "targets")


def _empty(directory: Path) -> None:
    for path in sorted(directory.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
