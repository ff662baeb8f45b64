"""The loop of the canaries: planted at the start, and on every new day."""

import asyncio

from appliance.handlers.canaries import DAY_MS, Canaries
from appliance.handlers.work import Work
from runtime.log import logger

LOOK_EVERY_S = 600.0

log = logger("scrubbing")


async def run(work: Work, canaries: Canaries) -> None:
    """Plant canaries once a day, for ever."""
    while True:
        if canaries.planted_ms // DAY_MS != work.clock.now_ms() // DAY_MS:
            through = await canaries.plant(work)
            if through:
                log.error("canaries_came_through", sources=through)
        await asyncio.sleep(LOOK_EVERY_S)
