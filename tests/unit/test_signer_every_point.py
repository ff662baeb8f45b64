"""The signer ends at every point of its file's use, before it or after, and forks nothing."""

import sqlite3
from pathlib import Path
from typing import Any, cast

import pytest

from central.core.orders import OrderLeaf
from central.signer_link import SignerLink
from proto.order_log import Batch, Mirror, follow
from proto.orders.kinds import OrderType
from runtime import sqlite
from tests.unit.signer_world import LOG_KEYS, ORIGIN, SITE, SignerWorld, approval, wish


class PowerLossError(BaseException):
    """The process is no more: nothing in it may catch this and go on."""


class Failing:
    """A connection that ends the process at one of its calls, before it is carried out or after."""

    def __init__(self, path: Path, *, at: int, done: bool) -> None:
        """Open the file, to fail at call `at`; a negative one is never reached."""
        self._raw = sqlite.plain(path, read_only=False)
        self._left = at
        self._done = done
        self.calls = 0

    def close(self) -> None:
        """Let go of the file; a cursor that is still referred to would keep its lock."""
        self._raw.rollback()
        self._raw.close()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a connection has
        """Give what the connection has, with its calls counted."""
        found = getattr(self._raw, name)
        return self._counted(found) if name in {"execute", "executemany"} else found

    def _counted(self, call: Any) -> Any:  # noqa: ANN401 - as above
        def carried_out(*arguments: Any) -> Any:  # noqa: ANN401 - as above
            is_last = self.calls == self._left
            self.calls += 1
            if self.calls > self._left + 1 >= 1 or (is_last and not self._done):
                raise PowerLossError
            result = call(*arguments)
            if is_last:
                raise PowerLossError
            return result

        return carried_out


class Story:
    """Orders are drafted and logged; what was told outside is kept."""

    def __init__(self) -> None:
        """Begin before anything was asked for."""
        self.sids: list[tuple[bytes, bytes]] = []
        self.leaves: dict[int, OrderLeaf] = {}
        self.heads: list[tuple[int, str]] = []

    async def live(self, link: SignerLink) -> None:
        """Log one order that needs nobody and one that two people sign, asked for twice."""
        for order_type, people in (
            (OrderType.RUN_DRIFT, ()),
            (OrderType.DISABLE_HEALING, ("ada", "bea")),
        ):
            fixed = await link.draft(wish(order_type))
            self.sids.append((fixed.sid, fixed.body))
            for _ in range(2):
                given = [approval(name, fixed.body) for name in people]
                self._keep(*await link.log(fixed.sid, given))

    async def ask_again(self, link: SignerLink) -> None:
        """Ask for everything that was drafted once more, with the same signatures."""
        for sid, body in self.sids:
            given = [approval(name, body) for name in ("ada", "bea")]
            self._keep(*await link.log(sid, given))

    def _keep(self, leaf: OrderLeaf, checkpoint: str) -> None:
        known = self.leaves.setdefault(leaf.index, leaf)
        assert known == leaf, "one place of the log was told in two ways"
        self.heads.append((leaf.index + 1, checkpoint))

    def check(self, logged: list[OrderLeaf]) -> None:
        """All that was ever told is one log, each order once."""
        assert {leaf.index: leaf for leaf in logged} == self.leaves
        assert len({leaf.sid for leaf in logged}) == len(logged)
        for size, checkpoint in self.heads:
            envelopes = tuple(leaf.envelope for leaf in logged[:size])
            batch = Batch(0, envelopes, checkpoint.encode())
            assert follow(Mirror(ORIGIN), batch, log_keys=LOG_KEYS).tree.size == size


async def points(path: Path) -> int:
    """Return how many calls a whole life makes."""
    failing = Failing(path, at=-2, done=False)
    world = SignerWorld(path, open=lambda _path: cast("sqlite3.Connection", failing))
    await Story().live(world.start())
    world.end()
    return failing.calls


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
async def test_whenever_the_signer_ends_there_is_one_log_and_each_order_once(
    tmp_path: Path, *, done: bool
) -> None:
    for at in range(await points(tmp_path / "whole.db")):
        path = tmp_path / f"{at}.db"
        failing = Failing(path, at=at, done=done)
        world, story = SignerWorld(path), Story()
        world.open = lambda _path, one=failing: cast("sqlite3.Connection", one)  # type: ignore[misc]
        with pytest.raises(PowerLossError):
            await story.live(world.start())
        world.end()
        again = SignerWorld(path, clock=world.clock, entropy=world.entropy)
        link = again.start()
        await story.ask_again(link)
        story.check((await link.leaves(SITE, first=0))[0])
        again.end()
