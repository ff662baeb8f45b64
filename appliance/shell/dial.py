"""TCP connections, each failure a `ShellError` with its own reason."""

import asyncio
import contextlib
import os
import socket

from appliance.ports import ShellError
from proto.findings import Reason


async def dial(address: str, port: int, *, timeout_s: float) -> socket.socket:
    """Return a connected, non-blocking TCP socket; the caller owns it.

    Raises:
        RefusedError: the host is there and nothing listens on this port.
        ShellError: unreachable; the host cannot be reached or did not answer in time.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(address, port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, at = found[0]
            sock = socket.socket(family, kind, protocol)
            with contextlib.ExitStack() as failed:
                failed.callback(sock.close)
                sock.setblocking(False)  # noqa: FBT003 - the socket module's signature
                await loop.sock_connect(sock, at)
                failed.pop_all()
            return sock
    except TimeoutError:
        msg = f"{address}:{port} did not answer within {timeout_s:g} s"
        raise ShellError(Reason.UNREACHABLE, msg) from None
    except ConnectionRefusedError as error:
        msg = f"{address}:{port} refused the connection: nothing listens there"
        raise RefusedError(msg) from error
    except OSError as error:
        msg = f"{address}:{port} cannot be connected to: {_why(error)}"
        raise ShellError(Reason.UNREACHABLE, msg) from error


def _why(error: OSError) -> str:
    """Return the reason in words; asyncio's own text only repeats the address."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return str(error.strerror or error)
    return os.strerror(error.errno)


class RefusedError(ShellError):
    """A host that is there refused a connection, which is itself an answer."""

    code = "refused"

    def __init__(self, message: str) -> None:
        """For a login it is as good as unreachable."""
        super().__init__(Reason.UNREACHABLE, message)
