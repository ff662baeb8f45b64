"""Run the real scanner inside a world: a request as JSON on stdin, the answer on stdout."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from appliance.ports import SeenHost, SeenPorts
from appliance.shell.nmap import NmapScanner
from appliance.shell.world_guard import WorldGuard
from osiris.demo.world import World
from proto import errors

SCAN_S = 60


class WorldScanner:
    """`ports.Scanner` by a real `NmapScanner` in a process of its own inside a world."""

    def __init__(self, world: World, *, netns: str | None = None) -> None:
        """Scan in `world`; `netns` is what the process is told it belongs into."""
        self._world = world
        self._netns = netns or world.netns_id

    async def sweep(self, networks: Sequence[str]) -> list[SeenHost]:
        """Sweep in the world."""
        return [SeenHost(**host) for host in self._ask("sweep", networks)]

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Connect in the world."""
        return [
            SeenPorts(seen["address"], tuple(seen["asked"]), tuple(seen["open"]))
            for seen in self._ask("connect", addresses, ports)
        ]

    def _ask(self, method: str, *arguments: object) -> list[dict[str, Any]]:
        process = self._world.popen(
            [sys.executable, "-m", "tests.lab.scan_in_world"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        request = {"netns": self._netns, "method": method, "arguments": arguments}
        out, _ = process.communicate(json.dumps(request).encode(), timeout=SCAN_S)
        answer = json.loads(out)
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["message"])
        found: list[dict[str, Any]] = answer["found"]
        return found


async def _answer(request: dict[str, Any]) -> dict[str, Any]:
    scanner = NmapScanner(WorldGuard(request["netns"]))
    try:
        found = await getattr(scanner, request["method"])(*request["arguments"])
    except errors.OsirisError as error:
        return {"error": type(error).__name__, "message": str(error)}
    return {"found": [asdict(seen) for seen in found]}


if __name__ == "__main__":
    json.dump(asyncio.run(_answer(json.load(sys.stdin))), sys.stdout)
