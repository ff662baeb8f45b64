"""The signer as a process of its own: the real one over its real file, which can be killed.

The hub reaches it by frames that take a while each way. A frame that arrived is answered whatever
becomes of the hub; one whose signer dies is not answered at all.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

from central.signer.fresh import Repository
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer_link import SignerLink
from proto.errors import UnreachableError
from runtime import sqlite
from tests.fakes.hub import ORIGIN, HubSecrets
from tests.sim.clock import Common, SimClock, entropy_of
from tests.sim.life import Life
from tests.sim.people import OperatorsKeys


class Conducted:
    """A connection whose every statement can be the last one of its process."""

    def __init__(self, raw: sqlite3.Connection, life: Life) -> None:
        """Carry the statements of a life out."""
        self._raw = raw
        self._life = life

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; none is in a process that is no more."""
        return self._life.is_alive and self._raw.in_transaction

    def execute(self, *statement: Any) -> Any:  # noqa: ANN401 - as sqlite3 has it
        """Carry one out."""
        return self._life.conduct(lambda: self._raw.execute(*statement))

    def executemany(self, *statement: Any) -> Any:  # noqa: ANN401 - as sqlite3 has it
        """Carry one out for many rows."""
        return self._life.conduct(lambda: self._raw.executemany(*statement))


@dataclass(slots=True)
class SignerNode:
    """The signer."""

    common: Common
    path: Path
    secrets: HubSecrets
    people: OperatorsKeys
    name: str = "signer"
    lives: int = 0
    life: Life | None = None
    signer: Signer | None = None
    ledger: Ledger | None = None

    async def start(self) -> None:
        """Begin a new life."""
        self.lives += 1
        life = Life(self.name, self.common.trace, on_crash=self.common.on_crash)
        self.life = life
        raw = life.conduct(lambda: sqlite.plain(self.path, read_only=False))
        self.ledger = Ledger(cast("sqlite3.Connection", Conducted(raw, life)))
        self.signer = Signer(
            self.secrets.keys,
            self.ledger,
            hub_origin=ORIGIN,
            trust=self.people.trust_at,
            repository=Repository.of(self.path.parent, pinned=None),
            clock=SimClock(),
            entropy=entropy_of(self.common, self.name, self.lives),
        )

    async def kill(self) -> None:
        """End the present life."""
        if self.life is not None:
            self.life.kill()
            self.signer = self.ledger = None
            await self.life.bury()

    def link(self) -> SignerLink:
        """Return a hub's way here, for as long as that hub lives."""
        turn = asyncio.Lock()
        chance = Random(f"{self.common.seed}:frames:{self.lives}")  # noqa: S311 - a simulator is seeded

        async def talk(frame: bytes) -> bytes:
            async with turn:
                await asyncio.sleep(chance.uniform(0.0, 0.02))
                answer = await self._answered(frame)
                await asyncio.sleep(chance.uniform(0.0, 0.02))
            return answer

        return SignerLink(talk)

    async def _answered(self, frame: bytes) -> bytes:
        life, signer = self.life, self.signer
        if life is None or signer is None or not life.is_alive:
            msg = "the signer is away"
            raise UnreachableError(msg)
        work = life.spawn(_answer(signer.answer, frame), is_service=False)
        await asyncio.wait({work})
        if work.cancelled():
            msg = "the signer went away"
            raise UnreachableError(msg)
        answer: bytes = work.result()
        return answer


async def _answer(answer: Callable[[bytes], bytes], frame: bytes) -> bytes:
    return answer(frame)
