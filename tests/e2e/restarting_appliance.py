"""The appliance's daemon with one loop more: it asks for the restart when a file appears.

An order asks for it by the same bell. The file is gone before the bell rings, so the program that
is started anew does not ask again.
"""

import asyncio
from functools import partial
from pathlib import Path

from appliance import main
from appliance.main import Daemon
from runtime.supervisor import Task

ASKS = "restart-now"
LOOK_EVERY_S = 0.05


async def ask(daemon: Daemon) -> None:
    """Ring when the file is there, for ever."""
    file = Path(daemon.config.state_dir, ASKS)
    while True:
        if await asyncio.to_thread(file.exists):
            await asyncio.to_thread(file.unlink)
            daemon.work.bells.restart.ring()
        await asyncio.sleep(LOOK_EVERY_S)


def loops(daemon: Daemon) -> dict[str, Task]:
    """Return the appliance's own loops, and this one."""
    return {**OWN(daemon), "asking": partial(ask, daemon)}


OWN = main.loops

if __name__ == "__main__":
    main.loops = loops
    main.main()
