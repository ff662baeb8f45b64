"""Real SSH from the test's own process to hosts that only a world reaches."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from appliance.ports import Login, Session
from appliance.shell.ssh import SshShell
from appliance.shell.world_guard import WorldGuard
from osiris.demo.world import World
from runtime.clock import system_entropy


class ForwardedShell:
    """`ports.Shell` over real SSH: an address in the world is reached by a forward into it."""

    def __init__(self, world: World) -> None:
        """Forward into this world."""
        self._world = world
        self._shell = SshShell(WorldGuard(None), system_entropy)
        self._forwarded: dict[tuple[str, int], int] = {}

    def _port(self, address: str, port: int) -> int:
        place = (address, port)
        if place not in self._forwarded:
            made = self._world.forward(("127.0.0.1", 0), place, inward=False)
            self._forwarded[place] = made.port
        return self._forwarded[place]

    def session(self, login: Login) -> AbstractAsyncContextManager[Session]:
        """Open a session; see `ports.Shell.session`."""
        port = self._port(login.address, login.port)
        return self._shell.session(replace(login, address="127.0.0.1", port=port))

    async def host_key(self, address: str, port: int) -> str:
        """Return a host's key; see `ports.Shell.host_key`."""
        return await self._shell.host_key("127.0.0.1", self._port(address, port))
