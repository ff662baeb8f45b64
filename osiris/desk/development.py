"""A desk of a development trust: one person's, whose keys lie beside the hub on one machine.

It is made from the hub's own files, so it is for trying things out: what it takes over is checked
from the first root on like any trust, but whoever can read these files can sign as anybody.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from osiris.desk.place import TLS_BYTES_MAX, Desk, read_file
from osiris.desk.take_trust import take_trust
from proto.errors import ConfigError, ConflictError
from proto.keysets import Role
from runtime import keyfile
from runtime.repository.layout import Place
from runtime.tls import write_private

KEYS_DIRECTORY: Final = "development"
CONTENT_DIRECTORY: Final = "content"
TLS_AUTHORITY: Final = "tls/ca.pem"


def make_desk(
    desk: Desk, state_dir: Path, *, person: str, hub: str, now_s: int
) -> Mapping[str, Any]:
    """Make a desk for one of a development trust's people; return what it is.

    Args:
        desk: the person's.
        state_dir: the hub's state directory.
        person: whose key is taken: dev-1, dev-2 or dev-3.
        hub: how the hub is reached from here, https://host[:port].
        now_s: seconds since the epoch.

    Raises:
        ConfigError: the hub has no development trust, or its files cannot be read.
        ConflictError: the desk has somebody's key already.
    """
    source = state_dir / KEYS_DIRECTORY / f"{person}.{Role.OPERATOR.value}.key"
    if not (state_dir / KEYS_DIRECTORY).is_dir():
        msg = f"{state_dir}: not the state directory of a hub with a development trust"
        raise ConfigError(msg)
    key = read_file(source, keyfile.FILE_BYTES_MAX)
    read_file(state_dir / TLS_AUTHORITY, TLS_BYTES_MAX)
    if desk.key_path.exists() and read_file(desk.key_path, keyfile.FILE_BYTES_MAX) != key:
        msg = f"{desk.key_path}: somebody's key lies there already; give another --desk"
        raise ConflictError(msg)
    desk.make()
    trust = take_trust(Place(state_dir / CONTENT_DIRECTORY), desk, now_s=now_s)
    desk.set_hub(hub, tls_ca=state_dir / TLS_AUTHORITY)
    write_private(desk.key_path, key)
    found = keyfile.read(desk.key_path)
    return {"person": found.person, "hub": hub, **trust}
