"""The content loop: after each try of a check-in, ask whether there is newer content.

A repository that is refused is asked less and less often, up to an hour: an attack makes no work.
Between two check-ins the clock is looked at, so that what ends is told in time.
"""

from appliance.handlers.content import look, settle
from appliance.handlers.library import Library
from appliance.handlers.work import Work
from proto.errors import UnreachableError

AGE_S = 300.0
"""How often it is looked whether something ended, at the least."""

WAIT_FIRST_S = 60
WAIT_MAX_S = 3600


async def run(work: Work, library: Library) -> None:
    """Look for ever; what runs never waits for it."""
    await settle(work, library, changed=False)
    refusals, not_before_ms = 0, 0
    while True:
        rang = await work.bells.content.wait(AGE_S)
        if not rang or work.clock.now_ms() < not_before_ms:
            await settle(work, library, changed=False)
            continue
        before = library.trusted
        try:
            await look(work, library)
        except UnreachableError:
            continue  # the check-in says so
        if library.trusted is not before:
            work.bells.orders.ring()  # orders stand on it
        refusals = refusals + 1 if library.refusal is not None else 0
        not_before_ms = work.clock.now_ms() + 1000 * wait_s(refusals)


def wait_s(refusals: int) -> int:
    """Return the wait after this many refusals in a row: none, then doubling up to an hour."""
    return min(WAIT_FIRST_S * 2 ** min(refusals - 1, 10), WAIT_MAX_S) if refusals else 0
