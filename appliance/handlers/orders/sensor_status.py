"""sensor_status: which targets an agent of ours speaks for, and how old its word is.

An agent's word is a finding that came from it (`Vantage.AGENT`); a target without one has no
sensor that ever said anything.
"""

from typing import cast

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.store import findings, targets
from proto.findings import Vantage
from proto.orders.sensor_status import SensorStatus
from proto.receipts import Outcome

BY_US = frozenset({Vantage.SSH, Vantage.SCAN})
"""From where the appliance looks by itself: what comes from elsewhere, an agent said."""


async def run(work: Work, accepted: Accepted) -> Done:
    """Count the targets with a sensor, and say how long ago the most silent one spoke."""
    wanted = cast("SensorStatus", accepted.params)
    now_ms = work.clock.now_ms()
    spoke_ms: list[int] = []
    async with work.store.read() as conn:
        every = await targets.every(conn)
        named = [one for one in every if wanted.on == "all" or one.id in wanted.on]
        for target in named:
            kept = await findings.of_target(conn, work.scribe.site, target.id)
            said = [f.finding.at_ms for f in kept.values() if f.finding.vantage not in BY_US]
            spoke_ms += [max(said)] if said else []
    told = {"targets": len(named), "with_sensor": len(spoke_ms)}
    oldest = {"oldest_s": (now_ms - min(spoke_ms)) // 1000} if spoke_ms else {}
    return Done(Outcome.DONE, {**told, **oldest})
