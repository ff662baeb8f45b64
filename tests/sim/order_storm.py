"""Orders in the storm: people want them, sign enough or too few, think again, at any moment."""

import asyncio
from random import Random

from appliance.handlers import order_opinions
from appliance.handlers.work import Work
from appliance.store import order_state
from central.signer.ledger import Ledger
from proto.errors import RejectedError
from proto.hub.desk import OrderLine
from tests.sim.build import ACCOUNT, World
from tests.sim.clock import SimClock
from tests.sim.desk import Desk, Wanted
from tests.sim.order_watch import signed_leaves
from tests.sim.people import NAMES
from tests.sim.watch import rows_of
from tests.sim.wishes import wish

BETWEEN_S = (8, 60)
BETWEEN_WORDS_S = (30, 300)
BETWEEN_FORGERIES_S = (60, 400)
FORGED_SHARE = 0.34
"""How many runs have somebody in the signer's place who logs what they like."""

CLEARS_EVERY_S = 120.0
CLEARS = 8
THINKS_S = 240.0
"""How long somebody who is to sign may take."""


class OrderStorm:
    """The people's half of the storm; whoever ends it waits until they have left their desks."""

    def __init__(self, world: World, desk: Desk) -> None:
        """Let these people want things in this world."""
        self._world = world
        self._desk = desk
        self._busy: list[asyncio.Task[None]] = []

    def order(self, chance: Random) -> None:
        """Let somebody want something, and the others sign it or not."""
        wanted = wish(self._world, chance)
        if wanted is not None:
            life = self._life_of(wanted, Random(chance.getrandbits(63)))  # noqa: S311 - seeded
            task = asyncio.ensure_future(life)
            self._busy.append(task)
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._busy.remove(task)
        if not task.cancelled() and task.exception() is not None:
            self._world.common.on_crash(f"a desk: {task.exception()!r}")

    def word(self, chance: Random) -> None:
        """Let somebody at a portal veto an order that waits there, or consent to it."""
        node = chance.choice(self._world.appliances)
        if node.work is None or node.life is None or not node.life.is_alive:
            return
        found = rows_of(str(node.path), "SELECT sid FROM orders WHERE state = 'waiting'")
        if found:
            sid, is_veto = chance.choice(found)["sid"], chance.random() < 0.4
            self._note(f"somebody at {node.name} {'vetoes' if is_veto else 'lets'} {sid[:8]}")
            node.life.spawn(_say(node.work, sid, is_veto=is_veto), is_service=False)

    def forge(self, chance: Random) -> None:
        """Let whoever took the signer log an order once more, or what is none at all."""
        site, signer = chance.choice(self._world.sites), self._world.signer
        life, ledger = signer.life, signer.ledger
        if life is None or ledger is None or not life.is_alive:
            return
        logged = signed_leaves(self._world, site)
        leaf = chance.choice(logged)[1] if logged and chance.random() < 0.7 else b"no envelope"
        self._note(f"a leaf of {site} is forged")
        life.spawn(_forge(ledger, site, leaf, chance.randbytes(32)), is_service=False)

    async def clear_holds(self) -> None:
        """Let people at the portals end the holds that forgeries led to, once these are over."""
        for _ in range(CLEARS):
            for node in self._world.appliances:
                if node.work is not None and node.life is not None and node.life.is_alive:
                    node.life.spawn(_clear(node.work), is_service=False)
            await asyncio.sleep(CLEARS_EVERY_S)

    async def end(self) -> None:
        """Wait until everybody has done what they began."""
        await asyncio.gather(*self._busy, return_exceptions=True)

    def _note(self, what: str) -> None:
        self._world.common.trace.note("storm", what)

    async def _life_of(self, wanted: Wanted, chance: Random) -> None:
        asker, *others = chance.sample(NAMES, len(NAMES))
        self._note(f"{asker} wants {wanted}")
        for line in await self._desk.draft(asker, wanted):
            if line.sid is not None:
                await self._sign(line, wanted, [asker, *others], chance)
                await self._think_again(line.sid, wanted, chance.choice(NAMES), chance)

    async def _sign(
        self, line: OrderLine, wanted: Wanted, people: list[str], chance: Random
    ) -> None:
        if not line.people or line.sid is None:
            return
        missing = 1 if chance.random() < 0.15 else 0
        more = 1 if chance.random() < 0.1 else 0
        signing = chance.sample(people, min(line.people - missing + more, len(people)))
        if len(signing) > 1 and chance.random() < 0.5:
            sid = line.sid
            await asyncio.gather(*(self._desk.approve(one, sid, wanted) for one in signing))
            return
        for one in signing:
            await asyncio.sleep(chance.uniform(0.0, THINKS_S))
            await self._desk.approve(one, line.sid, wanted)

    async def _think_again(self, sid: str, wanted: Wanted, person: str, chance: Random) -> None:
        drawn = chance.random()
        if drawn < 0.25:
            await asyncio.sleep(chance.uniform(0.0, 2 * THINKS_S))
            await self._desk.veto(person, sid, wanted.site)
        elif drawn < 0.35:
            await self._desk.withdraw(person, sid)


async def _forge(ledger: Ledger, site: str, leaf: bytes, name: bytes) -> None:
    ledger.append(site, sid=name, envelope=leaf, now_s=SimClock().now_ms() // 1000)


async def _clear(work: Work) -> None:
    async with work.store.read() as conn:
        since_s = (await order_state.load(conn)).watch.held_since_s
    if since_s is not None:
        await order_opinions.end_hold(work, since_s, account=ACCOUNT)


async def _say(work: Work, sid: str, *, is_veto: bool) -> None:
    """Say it on the portal; a refusal is an answer too."""
    try:
        if is_veto:
            await order_opinions.veto(work, sid, reason="not now", account=ACCOUNT)
        else:
            await order_opinions.consent(work, sid, account=ACCOUNT)
    except RejectedError:
        return
