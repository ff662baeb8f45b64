"""TCP forwards between the machine and a world, without a route or a link between them.

A socket keeps the network it was made in, so a world hands out unconnected sockets as descriptors
and the caller binds or connects them itself.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

CHUNK_BYTES = 65_536
BACKLOG = 128

Address = tuple[str, int]
Dial = Callable[[], socket.socket]


class Forward:
    """A listening socket whose connections are carried on to wherever `dial` leads."""

    def __init__(self, listener: socket.socket, dial: Dial) -> None:
        """Serve a listening socket until `close`."""
        self._listener = listener
        self._dial = dial
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.address, self.port = listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name="forward", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, cut what is being carried and wait for it to end."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for carried in (self._listener, *self._open):
                _shut(carried, socket.SHUT_RDWR)
        self._acceptor.join()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(near,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            try:
                far = self._dial()
            except OSError:
                return
            with far:
                if not self._register(near, far):
                    return
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join()
                with self._lock:
                    self._open -= {near, far}

    def _register(self, near: socket.socket, far: socket.socket) -> bool:
        with self._lock:
            if self._closed:
                return False
            self._open |= {near, far}
            return True


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes until either end is done, then pass the end on."""
    try:
        while data := source.recv(CHUNK_BYTES):
            sink.sendall(data)
    except OSError:
        _shut(source, socket.SHUT_RD)  # the sink is gone: the source need not go on
    _shut(sink, socket.SHUT_WR)


def _shut(end: socket.socket, how: int) -> None:
    with suppress(OSError):  # closed by the other side already
        end.shutdown(how)
