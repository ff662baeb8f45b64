"""What a taken hub can do with words: vetoes, consents and ends of holds, its own or old ones."""

import tempfile
from dataclasses import replace
from pathlib import Path

from appliance.core.order_gate.gate import TIME_LOCK_S
from appliance.core.order_gate.limits import REFUSALS_MAX, SecurityWatch
from appliance.core.order_gate.values import Accepted, Refused, Said
from appliance.handlers.orders.opinions import take_neighbours
from proto import strict_json
from proto.envelope import Kind, sign
from proto.errors import OsirisError
from proto.hub.orders import NeighbourVeto
from proto.keys import Holder
from proto.opinions import Clear, LanVeto, open_clear, open_consent, open_veto
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from tests.sim.loop import run
from tests.unit.core_values import SITE
from tests.unit.order_site import alive, enrolled_site, gate, row, take
from tests.unit.order_world import APPLIANCE, NOW, OTHER_APPLIANCE, TRUST, key, verdict_on
from tests.unit.test_order_waits import BY_TWO, held

OWN = Holder(APPLIANCE, key("appliance").public)
ONLINE = (key("order"), key("head"), key("log"))
CONSENT = {
    "v": 1,
    "type": "order",
    "site": SITE,
    "appliance": APPLIANCE,
    "order": "12" * 32,
    "by": "eva",
    "iat": NOW,
}


def consents() -> str:
    """Consent to an order as if a person at the site had."""
    data = sign(Kind.CONSENT, strict_json.dumps(CONSENT), *ONLINE)
    try:
        open_consent(data, site=SITE, appliance=OWN, now_s=NOW)
    except OsirisError as error:
        return error.code
    return "done"


def hands_on_a_consent() -> str:
    """Pass on what an appliance signed that the hub made up, or another appliance's real one."""
    said = strict_json.dumps(CONSENT | {"appliance": OTHER_APPLIANCE})
    try:
        open_consent(sign(Kind.CONSENT, said, key("other")), site=SITE, appliance=OWN, now_s=NOW)
    except OsirisError as error:
        return error.code
    return "done"


def vetoes_here() -> str:
    """Veto in the name of this appliance's people, to have them blamed for it."""
    said = {name: value for name, value in CONSENT.items() if name != "type"}
    said |= {"type": "lan", "commit": strict_json.b64_encode(bytes(32))}
    data = sign(Kind.VETO, strict_json.dumps(said), *ONLINE)
    try:
        open_veto(data, authority=TRUST.authority, site=SITE, appliance=OWN, now_s=NOW)
    except OsirisError as error:
        return error.code
    return "done"


def _clear(since: int) -> Clear:
    return Clear(v=1, type="clear", site=SITE, appliance=APPLIANCE, since=since, by="ada", iat=NOW)


def ends_a_hold() -> str:
    """End the hold that its own forged orders brought about."""
    data = sign(Kind.CONSENT, _clear(NOW).to_bytes(), *ONLINE)
    try:
        open_clear(data, authority=TRUST.authority, site=SITE, appliance=OWN, now_s=NOW)
    except OsirisError as error:
        return error.code
    return "done"


def ends_it_again() -> str:
    """Send what two operators signed for an earlier hold again, the clock standing still."""
    data = sign(Kind.CONSENT, _clear(NOW).to_bytes(), key("ada"), key("bea"))
    old = open_clear(data, authority=TRUST.authority, site=SITE, appliance=OWN, now_s=NOW)
    watch = _held(_held(SecurityWatch()).cleared(old))
    return Code.SECURITY_HOLD if watch.cleared(old).held_since_s is not None else "done"


def _held(watch: SecurityWatch) -> SecurityWatch:
    for _ in range(REFUSALS_MAX):
        watch = watch.after(Code.SIGNATURE_BAD, now_s=NOW)
    return watch


def makes_up_a_neighbour() -> str:
    """Tell of a veto at another appliance of the site, with a key of its own for that appliance."""
    return run(_neighbour())


async def _neighbour() -> str:
    with tempfile.TemporaryDirectory() as folder:
        site = await enrolled_site(Path(folder))
        async with alive(site) as (work, _):
            made = {"target": {"site": SITE}, "exp": NOW + 20 * 3600}
            leaf = site.order(OrderType.DISABLE_HEALING, "ada", "bea", **made)
            await take(site, work)
            said = LanVeto.from_value(
                {
                    "v": 1,
                    "type": "lan",
                    "site": SITE,
                    "appliance": OTHER_APPLIANCE,
                    "order": (await row(work, leaf)).sid,
                    "commit": strict_json.b64_encode(bytes(32)),
                    "by": "p-1",
                    "iat": NOW,
                },
                "veto",
            )
            told = NeighbourVeto(
                appliance=OTHER_APPLIANCE,
                key=key("head").public.b64(),
                statement=sign(Kind.VETO, said.to_bytes(), key("head")).decode("ascii"),
            )
            await take_neighbours(work, (told,))
            await gate(work)
            return (await row(work, leaf)).code


def keeps_an_operators_veto() -> str:
    """Answer challenges until a time lock is over, and tell nothing of the veto that came."""
    waited = held(BY_TWO, since_s=NOW - TIME_LOCK_S)
    told = replace(waited, said=Said(vetoed_by="cyd"))
    assert isinstance(verdict_on(BY_TWO, told), Refused), "had it been told, nothing would run"
    verdict = verdict_on(BY_TWO, waited)
    return "done" if isinstance(verdict, Accepted) else str(getattr(verdict, "code", verdict))
