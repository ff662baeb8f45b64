"""What is current of a hub's signed content, in one file that a person carries to an appliance.

A hub keeps every version that it ever served. An appliance needs what its verifier walks over: all
roots, the timestamp, and what this leads to. Agents' files are large and are left out unless they
are asked for.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from proto.errors import ConfigError
from proto.keysets import Role
from proto.release_keys import AGENTS_PREFIX, TUF_NAMES
from runtime.repository.check import files_of
from runtime.repository.documents import signed_part
from runtime.repository.layout import CARRIED_BYTES_MAX, CARRIED_ENTRIES_MAX, Place

_LISTED = (Role.RELEASE, Role.GRANTS, Role.PROMOTED)
_MIB = 1024 * 1024


def pack(place: Place, to: Path, *, with_agents: bool) -> int:
    """Write the file, which must not be there yet; return how many files are in it.

    Raises:
        NotFoundError: the directory holds no repository that a hub keeps fresh, or not all of it.
        RejectedError: a document is malformed.
        IntegrityError: a file holds other bytes than its name says.
        ConfigError: it cannot be written, or is larger than an appliance loads.
    """
    timestamp = place.read(Role.TIMESTAMP, 0)
    paths = [*_paths(place, timestamp, with_agents=with_agents)]
    if len(paths) >= CARRIED_ENTRIES_MAX:
        msg = f"{place.directory}: {len(paths)} files, an appliance loads {CARRIED_ENTRIES_MAX}"
        raise ConfigError(msg)
    stamp = place.metadata(Role.TIMESTAMP, 0).relative_to(place.directory).as_posix()
    try:
        with zipfile.ZipFile(to, "x", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(stamp, timestamp)
            for path in paths:
                archive.write(path, path.relative_to(place.directory).as_posix())
        size_bytes = to.stat().st_size
    except OSError as error:
        msg = f"{to}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    if size_bytes > CARRIED_BYTES_MAX:
        to.unlink()
        msg = (
            f"{to}: {size_bytes / _MIB:.0f} MiB, an appliance loads at most "
            f"{CARRIED_BYTES_MAX // _MIB} MiB{'; leave the agents out' if with_agents else ''}"
        )
        raise ConfigError(msg)
    return len(paths) + 1


def _paths(place: Place, timestamp: bytes, *, with_agents: bool) -> Iterator[Path]:
    """Yield the files of all roots, and of what a timestamp leads to."""
    for version in place.versions(Role.ROOT):
        yield place.metadata(Role.ROOT, version)
    meta = signed_part(timestamp, Role.TIMESTAMP)["meta"]
    version = int(meta[f"{TUF_NAMES[Role.SNAPSHOT]}.json"]["version"])
    listed = signed_part(place.read(Role.SNAPSHOT, version), Role.SNAPSHOT)["meta"]
    yield place.metadata(Role.SNAPSHOT, version)
    for role in _LISTED:
        said = listed.get(f"{TUF_NAMES[role]}.json")
        if said is None:
            continue
        document = place.read(role, int(said["version"]))
        yield place.metadata(role, int(said["version"]))
        for path, digest in files_of(signed_part(document, role)).items():
            if with_agents or not path.startswith(AGENTS_PREFIX):
                place.require_target(path, digest)
                yield place.target(path, digest)
