"""The discovery loop: at once on start, then by interval, sooner when the bell rings."""

from appliance.handlers.discover import DiscoverySummary, discover_once
from appliance.handlers.wellness import clear_condition, raise_condition
from appliance.handlers.work import Work
from appliance.store.health import Condition
from proto.errors import MalformedError, UnreachableError
from runtime.log import logger

RETRY_S = 60.0
"""After a scan that failed, however long the interval is."""

log = logger("discover")


async def run(work: Work) -> None:
    """Discover for ever; an interval is counted from the end of the last discovery."""
    while True:
        interval_s = float(work.settings.discovery_s)
        found = await discover(work)
        await work.bells.discover.wait(interval_s if found else min(RETRY_S, interval_s))


async def discover(work: Work) -> DiscoverySummary | None:
    """Discover once; a scanner that fails makes the appliance unwell and not stop."""
    try:
        found = await discover_once(work)
    except (UnreachableError, MalformedError) as error:
        await raise_condition(work, Condition.SCANNER_FAILED, detail=str(error))
        return None
    await clear_condition(work, Condition.SCANNER_FAILED)
    if found.conflicts:
        detail = f"{found.conflicts} devices share what only one can have"
        await raise_condition(work, Condition.DEVICE_CONFLICT, detail=detail)
    else:
        await clear_condition(work, Condition.DEVICE_CONFLICT)
    work.bells.greet.ring()
    log.info(
        "discovered",
        seen=found.seen,
        new=found.new,
        off_limits=found.off_limits,
        left_out=found.left_out,
    )
    return found
