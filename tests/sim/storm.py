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
from tests.sim.build import CREDENTIAL, HOST_KEY, World
from tests.sim.nodes import ApplianceNode, HubNode

Node = ApplianceNode | HubNode

OTHER_CREDENTIAL = credential(key="a key that somebody changed")
CALLS_BEFORE_DEATH_MAX = 400


class Storm:
    """Makes trouble until it is told to end, then mends everything."""

    def __init__(self, world: World, *, kills: bool) -> None:
        """Be ready to make trouble in this world; with `kills`, processes die too."""
        self._world = world
        self._kills = kills
        self._is_over = asyncio.Event()

    async def rage(self) -> None:
        """Make trouble until `end`."""
        world = self._world
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every("drift", (20, 240), self._drift))
            group.create_task(self._every("weather", (60, 600), self._weather))
            group.create_task(self._every("hosts", (300, 1500), self._host))
            group.create_task(self._every("network", (60, 600), self._network))
            group.create_task(self._every("people", (60, 900), self._people))
            for node in world.nodes:
                group.create_task(self._keep(node))
                if self._kills:
                    name = "hub" if isinstance(node, HubNode) else node.name
                    group.create_task(self._every(f"kill {name}", (120, 1500), _doom(node)))

    async def end(self) -> None:
        """Stop making trouble, mend what is broken, and let people end what they began."""
        self._is_over.set()
        for target in self._world.targets:
            target.weather.calm()
            self._repair_host(target)
        for node in self._world.appliances:
            node.network.faults.mend()

    def _chance(self, name: str) -> Random:
        return Random(f"{self._world.common.seed}:storm:{name}")  # noqa: S311 - a simulator is seeded

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

    async def _keep(self, node: Node) -> None:
        """Start a node whenever it was killed, as a service manager does."""
        name = "hub" if isinstance(node, HubNode) else node.name
        chance = self._chance(f"keep {name}")
        over = asyncio.ensure_future(self._is_over.wait())
        while not over.done():
            assert node.life is not None
            killed = asyncio.ensure_future(node.life.killed.wait())
            await asyncio.wait({killed, over}, return_when=asyncio.FIRST_COMPLETED)
            killed.cancel()
            if not node.life.is_alive:
                await node.kill()
                await self._over_within(chance.choice((0.5, 5.0, 60.0, 300.0)))
                await node.start()
        while node.life is None or not node.life.is_alive:
            await node.kill()
            await node.start()
        node.life.pardon()

    def _note(self, what: str) -> None:
        self._world.common.trace.note("storm", what)

    def _drift(self, chance: Random) -> None:
        target = chance.choice(self._world.targets)
        name = chance.choice(sorted(target.guards))
        guard = target.guards[name]
        if guard.is_good:
            guard.drift = chance.randrange(len(guard.drifted))
            guard.moves += 1
            self._note(f"{name} drifts on {target.id}")

    def _weather(self, chance: Random) -> None:
        target = chance.choice(self._world.targets)
        bad = chance.choice((0.0, 0.02, 0.1, 0.3))
        target.weather = Weather(
            lost=bad,
            fails=bad * chance.random(),
            hangs=bad / 3,
            garbles=bad * chance.random(),
            refuses=bad,
        )
        self._note(f"weather of {target.id} is {bad}")

    def _host(self, chance: Random) -> None:
        target = chance.choice(self._world.targets)
        match chance.randrange(5):
            case 0:
                target.host.is_up = False
            case 1:
                target.host.host_key = HOST_KEY.format("another")
            case 2:
                target.host.users["osiris"] = OTHER_CREDENTIAL
            case _:
                self._repair_host(target)
        self._note(f"host {target.id} changes")

    def _repair_host(self, target: Target) -> None:
        target.host.is_up = True
        target.host.host_key = HOST_KEY.format(target.address)
        target.host.users["osiris"] = CREDENTIAL

    def _network(self, chance: Random) -> None:
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

    def _people(self, chance: Random) -> None:
        node = chance.choice(self._world.appliances)
        if node.work is None or node.life is None or not node.life.is_alive:
            return
        target, check = chance.choice(node.targets), chance.choice(sorted(node.targets[0].guards))
        wish = chance.choice(("waive", "unwaive", "observe", "act", "close", "recheck"))
        self._note(f"somebody at {node.name} wants to {wish} {check} on {target.id}")
        node.life.spawn(
            _asked(wish, node.work, target, check, hours=chance.randint(1, 3)), is_service=False
        )


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
                    account="ana",
                )
            case "unwaive":
                async with work.store.read() as conn:
                    every = await waivers.every(conn)
                for waiver in every[:1]:
                    await people.end_waiver(waiver.id, account="ana")
            case "observe" | "act":
                await people.set_observe_only(on=wish == "observe", account="ana")
            case "close":
                async with work.store.read() as conn:
                    live = await incidents.live_of_target(conn, work.scribe.site, target.id)
                for incident in live.values():
                    await people.close_incident(incident.id, reason="seen to", account="ana")
            case _:
                await people.recheck(target.id, account="ana")
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
