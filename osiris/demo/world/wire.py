"""Whole messages, with file descriptors beside them, between a world and its caller.

A message is one JSON object in one packet of a SOCK_SEQPACKET pair, so descriptors can never be
taken for those of another message, and several processes of the world may answer on one end.
"""

import array
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from osiris.demo.world.values import WorldError

MESSAGE_BYTES_MAX = 160 * 1024
DESCRIPTORS_MAX = 8

Message = dict[str, Any]


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, message: Mapping[str, object], fds: Sequence[int] = ()) -> None:
    """Send one message.

    Raises:
        WorldError: it is larger than `MESSAGE_BYTES_MAX`.
        OSError: the other end has gone.
    """
    data = json.dumps(message).encode()
    if len(data) > MESSAGE_BYTES_MAX:
        msg = f"a message of {len(data)} bytes is too large for a world ({MESSAGE_BYTES_MAX})"
        raise WorldError(msg)
    if fds:
        socket.send_fds(end, [data], list(fds))
    else:
        end.sendall(data)


def receive(end: socket.socket) -> tuple[Message, list[int]] | None:
    """Wait for one message and its descriptors; None when the other end has gone."""
    room = socket.CMSG_SPACE(DESCRIPTORS_MAX * array.array("i").itemsize)
    data, ancillary, flags, _ = end.recvmsg(MESSAGE_BYTES_MAX + 1, room, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    if not data:
        return None
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for fd in fds:
            os.close(fd)
        msg = "a message to or from a world was cut short"
        raise WorldError(msg)
    return json.loads(data), fds.tolist()
