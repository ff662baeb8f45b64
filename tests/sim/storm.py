"""The storm: everything that goes wrong in a clinic, drawn from the seed."""

import asyncio
from collections.abc import Callable
from random import Random

from appliance.handlers.people import People
from appliance.handlers.work import Work
from appliance.store import incidents, waivers
from proto.errors import RejectedError
from tests.fakes.hub_link import Faults
from tests.fakes.shell import credential
from tests.fakes.target_world import Target, Weather
from tests.sim.build import ACCOUNT, CREDENTIAL, HOST_KEY, World
from tests.sim.disks import Disks
from tests.sim.nodes import ApplianceNode, HubNode
from tests.sim.order_storm import (
    BETWEEN_FORGERIES_S,
    BETWEEN_S,
    BETWEEN_WORDS_S,
    FORGED_SHARE,
    OrderStorm,
)
from tests.sim.signer_node import SignerNode

Node = ApplianceNode | HubNode | SignerNode

OTHER_CREDENTIAL = credential(key="a key that somebody changed")
CALLS_BEFORE_DEATH_MAX = 400
STRIKE = 0.12
"""How likely a crash is while a script of a repair runs, or an order begins."""

STRIKE_CALLS = 30
STRIKE_AT_END = 0.3
STRIKE_CALLS_AT_END = 12
"""While the receipt of an order is written, few calls are left in which to die."""


class Storm:
    """Makes trouble until it is told to end, then mends everything."""

    def __init__(self, seed: int) -> None:
        """Be ready to make the trouble of this seed."""
        self._seed = seed
        self._is_over = asyncio.Event()
        self._owners: dict[str, ApplianceNode] = {}
        self._strikes = self._chance("strikes")

    async def rage(self, world: World, orders: OrderStorm, disks: Disks) -> None:
        """Make trouble until `end`, and wait until people have done what they began."""
        self._owners = {one.id: node for node in world.appliances for one in node.targets}
        trouble = Trouble(world)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every("drift", (10, 180), trouble.drift))
            group.create_task(self._every("weather", (10, 180), trouble.weather))
            group.create_task(self._every("hosts", (120, 900), trouble.host))
            group.create_task(self._every("network", (30, 300), trouble.network))
            group.create_task(self._every("people", (60, 600), trouble.people))
            group.create_task(self._every("disks", (5, 15), lambda _: disks.look(_now_s())))
            group.create_task(self._every("orders", BETWEEN_S, orders.order))
            if self._chance("forger").random() < FORGED_SHARE:
                group.create_task(self._every("forge", BETWEEN_FORGERIES_S, orders.forge))
            group.create_task(self._every("words", BETWEEN_WORDS_S, orders.word))
            for node in world.nodes:
                group.create_task(self._every(f"kill {node.name}", (120, 1200), _doom(node)))
        await orders.end()

    def end(self, world: World) -> None:
        """Stop making trouble, mend what is broken, and let people end what they began."""
        self._is_over.set()
        for process in world.nodes:
            if process.life is not None:
                process.life.pardon()
        for target in world.targets:
            target.weather.calm()
            repair_host(target)
        for node in world.appliances:
            node.network.faults.mend()

    def strike(self, target: Target) -> None:
        """Hear that a repair touches a target: the moment at which a crash costs most."""
        node = self._owners.get(target.id)
        if node is not None:
            self.strike_at(node)

    def strike_at_the_end(self, node: ApplianceNode) -> None:
        """Hear that an order was carried out, and its receipt is to be written."""
        self.strike_at(node, share=STRIKE_AT_END, within=STRIKE_CALLS_AT_END)

    def strike_at(
        self, node: ApplianceNode, *, share: float = STRIKE, within: int = STRIKE_CALLS
    ) -> None:
        """Hear that an appliance is about to do what it must not do twice.

        It may die at once, in the next seconds, or at one of its next calls of the database.
        """
        if self._is_over.is_set() or node.life is None:
            return
        if self._strikes.random() < share:
            if self._strikes.random() < 0.5:
                calls = self._strikes.randrange(within)
                node.life.die_in(calls, done=self._strikes.random() < 0.5)
            else:
                loop = asyncio.get_running_loop()
                loop.call_later(self._strikes.uniform(0.0, 3.0), node.life.kill)

    def _chance(self, name: str) -> Random:
        return Random(f"{self._seed}:storm:{name}")  # noqa: S311 - a simulator is seeded

    async def _every(
        self, name: str, between_s: tuple[float, float], trouble: Callable[[Random], None]
    ) -> None:
        chance = self._chance(name)
        while not await self._over_within(chance.uniform(*between_s)):
            trouble(chance)

    async def _over_within(self, wait_s: float) -> bool:
        try:
            async with asyncio.timeout(wait_s):
                return await self._is_over.wait()
        except TimeoutError:
            return False

    async def keep(self, node: Node, disks: Disks) -> None:
        """Start a node whenever it ended, as a service manager does, for as long as a run goes."""
        chance = self._chance(f"keep {node.name}")
        while True:
            assert node.life is not None
            await node.life.killed.wait()
            await node.kill()
            disks.attend(node, _now_s())
            await self._over_within(chance.choice((0.0, 0.5, 5.0, 60.0, 300.0)))
            await node.start()
            if node.life is not None and self._is_over.is_set():
                node.life.pardon()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


class Trouble:
    """The kinds of trouble, each drawn from the chance that it is given."""

    def __init__(self, world: World) -> None:
        """Make trouble in this world."""
        self._world = world

    def _note(self, what: str) -> None:
        self._world.common.trace.note("storm", what)

    def drift(self, chance: Random) -> None:
        """Let a safeguard drift."""
        target = chance.choice(self._world.targets)
        name = chance.choice(sorted(target.guards))
        guard = target.guards[name]
        if guard.is_good:
            guard.drift = chance.randrange(len(guard.drifted))
            guard.moves += 1
            self._note(f"{name} drifts on {target.id}")

    def weather(self, chance: Random) -> None:
        """Change how a target's scripts and connections fare."""
        target = chance.choice(self._world.targets)
        bad = chance.choice((0.0, 0.05, 0.2, 0.4))
        target.weather = Weather(
            lost=bad,
            fails=bad,
            hangs=bad / 3,
            garbles=bad * chance.random(),
            refuses=bad,
        )
        self._note(f"weather of {target.id} is {bad}")

    def host(self, chance: Random) -> None:
        """Take a host down, change its key or its password, or repair it."""
        target = chance.choice(self._world.targets)
        match chance.randrange(5):
            case 0:
                target.host.is_up = False
            case 1:
                target.host.host_key = HOST_KEY.format("another")
            case 2:
                target.host.users["osiris"] = OTHER_CREDENTIAL
            case _:
                repair_host(target)
        self._note(f"host {target.id} changes")

    def network(self, chance: Random) -> None:
        """Change how an appliance's network fares."""
        node = chance.choice(self._world.appliances)
        bad = chance.choice((0.0, 0.1, 0.4))
        node.network.faults = Faults(
            lose_request=bad,
            lose_reply=bad,
            repeat=bad,
            slow=bad / 2,
            is_cut=chance.random() < 0.15,
        )
        self._note(f"network of {node.name}: {node.network.faults}")

    def people(self, chance: Random) -> None:
        """Let somebody at a portal ask for something."""
        node = chance.choice(self._world.appliances)
        if node.work is None or node.life is None or not node.life.is_alive:
            return
        target, check = chance.choice(node.targets), chance.choice(sorted(node.targets[0].guards))
        wish = chance.choice(("waive", "unwaive", "observe", "act", "close", "recheck"))
        self._note(f"somebody at {node.name} wants to {wish} {check} on {target.id}")
        node.life.spawn(
            _asked(wish, node.work, target, check, hours=chance.randint(1, 3)), is_service=False
        )


def repair_host(target: Target) -> None:
    """Make a host reachable again, with the key and the login that its appliance knows."""
    target.host.is_up = True
    target.host.host_key = HOST_KEY.format(target.address)
    target.host.users["osiris"] = CREDENTIAL


async def _asked(wish: str, work: Work, target: Target, check: str, *, hours: int) -> None:
    """Carry out what a person at the portal wants; a refusal is an answer too."""
    people = People(work)
    try:
        match wish:
            case "waive":
                await people.add_waiver(
                    target.id,
                    check,
                    reason="agreed",
                    until_ms=work.clock.now_ms() + hours * 1_800_000,
                    account=ACCOUNT,
                )
            case "unwaive":
                async with work.store.read() as conn:
                    every = await waivers.every(conn)
                for waiver in every[:1]:
                    await people.end_waiver(waiver.id, account=ACCOUNT)
            case "observe" | "act":
                await people.set_observe_only(on=wish == "observe", account=ACCOUNT)
            case "close":
                async with work.store.read() as conn:
                    live = await incidents.live_of_target(conn, work.scribe.site, target.id)
                for incident in live.values():
                    await people.close_incident(incident.id, reason="seen to", account=ACCOUNT)
            case _:
                await people.recheck(target.id, account=ACCOUNT)
    except RejectedError:
        return


def _doom(node: Node) -> Callable[[Random], None]:
    def doom(chance: Random) -> None:
        if node.life is None or not node.life.is_alive:
            return
        if chance.random() < 0.3:
            node.life.kill()
        else:
            calls = chance.randrange(CALLS_BEFORE_DEATH_MAX)
            node.life.die_in(calls, done=chance.random() < 0.5)

    return doom
