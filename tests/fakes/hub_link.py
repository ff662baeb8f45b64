"""A network between appliances and their hub that loses, delays, repeats and reorders.

What is posted travels as bytes. A request that was sent is on its way whatever becomes of its
sender, and the hub's work on it is the hub's; a lost reply is lost after the hub committed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from proto.errors import RejectedError, UnreachableError
from proto.hub.outgoing import Outgoing, wire
from proto.keys import SigningKey

Serve = Callable[[str, bytes], asyncio.Task[tuple[int, bytes]] | None]
"""Hands a request to the hub; None when nobody listens there."""

TIMEOUT_S = 10.0
OK = 200
SERVER_ERROR = 500


@dataclass(slots=True)
class Faults:
    """Chances per message, and whether the line is cut."""

    lose_request: float = 0.0
    lose_reply: float = 0.0
    repeat: float = 0.0
    slow: float = 0.0
    is_cut: bool = False

    def mend(self) -> None:
        """Make it a good network."""
        self.lose_request = self.lose_reply = self.repeat = self.slow = 0.0
        self.is_cut = False


@dataclass(slots=True)
class Network:
    """Carries requests to the hub, and its answers back."""

    chance: Random
    serve: Serve
    faults: Faults

    async def exchange(self, path: str, body: bytes) -> bytes:
        """Send a request and wait for its answer; the errors of `ports.HubTransport.send`."""
        reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._send(path, body, reply)
        if self.chance.random() < self.faults.repeat:
            self._send(path, body, None)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, answer = await reply
        except TimeoutError:
            msg = f"{path}: no answer"
            raise UnreachableError(msg) from None
        return _judged(path, status, answer)

    def _send(
        self, path: str, body: bytes, reply: asyncio.Future[tuple[int, bytes]] | None
    ) -> None:
        if self.faults.is_cut or self.chance.random() < self.faults.lose_request:
            return
        asyncio.get_running_loop().call_later(self._delay_s(), self._arrive, path, body, reply)

    def _arrive(
        self, path: str, body: bytes, reply: asyncio.Future[tuple[int, bytes]] | None
    ) -> None:
        work = self.serve(path, body)
        if work is not None:
            work.add_done_callback(lambda done: self._answer(done, reply))

    def _answer(
        self,
        done: asyncio.Task[tuple[int, bytes]],
        reply: asyncio.Future[tuple[int, bytes]] | None,
    ) -> None:
        if done.cancelled() or done.exception() is not None or reply is None:
            return
        if self.faults.is_cut or self.chance.random() < self.faults.lose_reply:
            return
        asyncio.get_running_loop().call_later(self._delay_s(), _give, reply, done.result())

    def _delay_s(self) -> float:
        if self.chance.random() < self.faults.slow:
            return self.chance.uniform(0.5, 2.0 * TIMEOUT_S)
        return self.chance.uniform(0.005, 0.2)


def _give(reply: asyncio.Future[tuple[int, bytes]], answer: tuple[int, bytes]) -> None:
    if not reply.done():
        reply.set_result(answer)


def _judged(path: str, status: int, answer: bytes) -> bytes:
    if status == OK:
        return answer
    said = f"{path}: status {status}: {answer[:200]!r}"
    if status >= SERVER_ERROR:
        raise UnreachableError(said)
    raise RejectedError(said)


@dataclass(frozen=True, slots=True)
class HubLink:
    """`ports.HubTransport` of one start of one appliance.

    Attributes:
        signer: the appliance's own key.
        sent: told of every request before it leaves.
        require_alive: raises once the appliance is no more.
    """

    network: Network
    signer: SigningKey
    sent: Callable[[str, bytes], None]
    require_alive: Callable[[], None]

    async def send(self, message: Outgoing) -> bytes:
        """Send a message; see `ports.HubTransport.send`."""
        self.require_alive()
        request = wire(message, signer=self.signer)
        self.sent(request.path, request.body)
        answer = await self.network.exchange(request.path, request.body)
        self.require_alive()
        return answer
