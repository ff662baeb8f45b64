"""Setting text aside that was not admitted, and saying so at both ends."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from central.core.admission import SetAside
from central.core.health import Condition
from central.state import Hub
from central.store import conditions, quarantine
from central.store.registry import Known


async def keep_aside(
    hub: Hub, connection: AsyncConnection, known: Known, aside: Collection[SetAside]
) -> None:
    """Note what was set aside and raise the condition, in the caller's transaction."""
    if not aside:
        return
    forms = sorted({form for one in aside for form in one.forms})
    await quarantine.add(
        known.site, connection, appliance=known.appliance, aside=aside, now_ms=hub.now_ms
    )
    await conditions.raise_condition(
        known.site,
        connection,
        appliance=known.appliance,
        code=Condition.TEXT_SET_ASIDE,
        message=f"{len(aside)} set aside: {', '.join(forms)}",
        now_ms=hub.now_ms,
    )


def note_aside(hub: Hub, known: Known, aside: Collection[SetAside]) -> None:
    """Make the next answer to its check-in tell the appliance; call it after the commit."""
    if aside:
        known.raised[Condition.TEXT_SET_ASIDE] = hub.now_ms
        hub.log.error("text_set_aside", appliance=known.appliance, texts=len(aside))
