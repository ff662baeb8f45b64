"""The scrubber's upkeep: what waits is stored, a changed list of known people is read."""

import asyncio
from itertools import count

from appliance.handlers.known_people import KnownPeopleFile
from appliance.handlers.scrubber import Scrubber
from appliance.handlers.wellness import clear_condition
from appliance.handlers.work import Work
from appliance.store.health import Condition
from proto.errors import NoRoomError
from runtime.log import logger

EVERY_S = 1.0
"""No token of a log line waits longer to be stored."""

FILE_EVERY_S = 10.0

log = logger("scrubbing")


async def run(work: Work, scrubber: Scrubber, people: KnownPeopleFile | None) -> None:
    """Keep the scrubber up, for ever."""
    if people is None:
        await clear_condition(work, Condition.KNOWN_PEOPLE)  # of a list that was configured once
    is_full = False
    for turn in count():
        try:
            await scrubber.settle()
            if people is not None and turn % int(FILE_EVERY_S / EVERY_S) == 0:
                await people.refresh()
                await people.tell(work)
            is_full = False
        except NoRoomError as error:  # what waits goes on waiting, and is bounded
            if not is_full:
                log.warning("tokens wait for room", error=str(error))
            is_full = True
        await asyncio.sleep(EVERY_S)
