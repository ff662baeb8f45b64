"""What the steps of one judgement share: the order, the situation, and what was made of both."""

from dataclasses import dataclass

from appliance.core.order_gate.signers import Signers, look_at
from appliance.core.order_gate.values import ReadOrder, Situation
from proto.catalog.model import Autonomy
from proto.errors import MalformedError
from proto.order_codes import Code
from proto.orders.kinds import Circumstances, Params, Setting, Tier


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait; an open-ended one may be over at any time, or never."""

    code: Code
    until_s: int
    is_open_ended: bool = False


@dataclass(slots=True)
class Bench:
    """What the steps of one judgement share."""

    read: ReadOrder
    situation: Situation
    params: Params | MalformedError
    tier: Tier
    signers: Signers


Found = tuple[Code, str] | Wait | None
"""What a step found: a refusal, a wait, or nothing against the order."""


def prepare(found: ReadOrder, situation: Situation) -> Bench:
    """Read the parameters and work out the tier, once."""
    params = _params(found)
    tier = _tier(found, params, situation)
    return Bench(found, situation, params, tier, look_at(found, situation, tier=tier))


def _params(found: ReadOrder) -> Params | MalformedError:
    try:
        return found.kind.params.from_value(found.order.params, "params")
    except MalformedError as error:
        return error


def _tier(found: ReadOrder, params: Params | MalformedError, situation: Situation) -> Tier:
    """Return the order's tier; with parameters that cannot be read it is refused anyway."""
    if isinstance(params, MalformedError):
        return found.kind.tier
    if found.kind.params.tier_in is Params.tier_in:
        return found.kind.tier
    rules = situation.rules
    circumstances = Circumstances(
        site=rules.site,
        now_s=situation.moment.now_s,
        checks=rules.checks,
        waived_until_s=rules.waived_until_s,
        runbooks=situation.known.catalog.runbooks,
    )
    return params.tier_in(circumstances, least=found.kind.tier)


def tier_by_itself(bench: Bench) -> Tier:
    """Return the tier by the order and the content alone, which is what a hub can work out."""
    if isinstance(bench.params, MalformedError):
        return bench.tier
    nothing_set = Circumstances(
        site=Setting(Autonomy.AUTO),
        now_s=bench.situation.moment.now_s,
        runbooks=bench.situation.known.catalog.runbooks,
    )
    return bench.params.tier_in(nothing_set, least=bench.read.kind.tier)


def readable(bench: Bench) -> Params:
    """Return the parameters, in a step after the one that refuses unreadable ones."""
    if isinstance(bench.params, MalformedError):
        raise bench.params
    return bench.params
