"""A port for a service that starts in a moment.

It lies below the ports that Linux gives to clients (ip_local_port_range, from 32768): one of those
may be taken by any connection before the service listens, and whoever waits there for the service
by connecting again and again may meet themselves (a TCP simultaneous open, RFC 9293, 3.5).
"""

import errno
import secrets
import socket

FIRST, END = 20_000, 32_768
TRIES = 200


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now.

    Raises:
        OSError: none of many that were tried is free.
    """
    for _ in range(TRIES):
        port = FIRST + secrets.randbelow(END - FIRST)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    msg = f"no port of 127.0.0.1 from {FIRST} to {END - 1} is free"
    raise OSError(errno.EADDRINUSE, msg)
