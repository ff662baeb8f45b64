"""The caller's end of a world: requests with numbers, answered in any order."""

import itertools
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from osiris.demo.world import wire
from osiris.demo.world.values import WorldError
from osiris.demo.world.wire import Message


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and the descriptors that came with it, which the receiver closes."""

    message: Message
    fds: tuple[int, ...] = ()


class Link:
    """Sends requests from any thread; one reading thread hands out the answers."""

    def __init__(self, end: socket.socket) -> None:
        """Take over one end of a `wire.pair`."""
        self._end = end
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Reply]] = {}
        self._reader: threading.Thread | None = None

    def receive(self) -> Message:
        """Wait for one message before `begin`: how the world says that it is being made.

        Raises:
            WorldError: the world ended, or it says what went wrong.
        """
        received = wire.receive(self._end)
        if received is None:
            msg = "the world ended while it was being made"
            raise WorldError(msg)
        message, _ = received
        if "error" in message:
            raise WorldError(message["error"])
        return message

    def begin(self) -> None:
        """Start handing out answers."""
        self._reader = threading.Thread(target=self._read, name="world-link", daemon=True)
        self._reader.start()

    def ask(self, request: Mapping[str, object], fds: Sequence[int] = ()) -> "Asked":
        """Send a request; its answer is waited for with `Asked.reply`."""
        number = next(self._numbers)
        future: Future[Reply] = Future()
        with self._lock:
            self._waiting[number] = future
            try:
                wire.send(self._end, {"request": number, **request}, fds)
            except OSError as error:
                del self._waiting[number]
                msg = "the world has ended"
                raise WorldError(msg) from error
        return Asked(number, future)

    def close(self) -> None:
        """Cut the lifeline: the world ends, and whoever still waits is told."""
        with suppress(OSError):  # the world was faster
            self._end.shutdown(socket.SHUT_RDWR)
        if self._reader is not None:
            self._reader.join()
        self._end.close()

    def _read(self) -> None:
        while (received := self._next()) is not None:
            message, fds = received
            with self._lock:
                future = self._waiting.pop(int(message.pop("request", 0)), None)
            if future is not None:
                future.set_result(Reply(message, tuple(fds)))
                continue
            for fd in fds:
                os.close(fd)
        with self._lock:
            left, self._waiting = list(self._waiting.values()), {}
        for future in left:
            future.set_result(Reply({"error": "the world has ended"}))

    def _next(self) -> tuple[Message, list[int]] | None:
        try:
            return wire.receive(self._end)
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way."""

    number: int
    _future: Future[Reply]

    def reply(self, timeout_s: float | None = None) -> Reply:
        """Wait for the answer.

        Raises:
            WorldError: the world refused; the message says why.
            TimeoutError: no answer within `timeout_s` seconds; it may still come.
        """
        reply = self._future.result(timeout_s)
        if "error" in reply.message:
            raise WorldError(reply.message["error"])
        return reply
