"""Unix sockets that only their owner can reach."""

import os
import socket
from pathlib import Path

from proto.errors import ConfigError

BACKLOG = 2048


def listen_unix(path: Path) -> socket.socket:
    """Open a Unix listener of mode 0600; a socket left by a crash is replaced.

    Call it while holding the service's lock: nobody else can then be serving there.

    Raises:
        ConfigError: the path is too long for a socket or cannot be created.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        msg = f"listen: cannot serve on {path}: {error}"
        raise ConfigError(msg) from None
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    listener.settimeout(0)
    return listener
