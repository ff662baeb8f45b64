"""The greeting loop: after each discovery, and now and then, the TLS services that are due."""

from appliance.handlers.greet import greet_due
from appliance.handlers.work import Work

TICK_S = 120.0
"""What a discovery heard counts for five minutes: within this every device has its turn."""


async def run(work: Work) -> None:
    """Greet what is due, for ever."""
    while True:
        await greet_due(work)
        await work.bells.greet.wait(TICK_S)
