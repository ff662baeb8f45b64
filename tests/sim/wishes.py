"""What people want ordered: types that are possible in a run, of what is there at that moment."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from proto.catalog.model import Action, Content
from proto.orders.kinds import OrderType, Tier
from proto.orders.registry import kind_of
from tests.sim.build import World
from tests.sim.clock import SimClock
from tests.sim.desk import Wanted
from tests.sim.nodes import ApplianceNode
from tests.sim.watch import rows_of

Params = dict[str, Any]
LIVES_S: Final = (120, 900, 1800, 3600)
HOLDS_S: Final = (120, 1500)
"""For how long a setting is ordered: it ends well before the run does, so that all is mended."""

AUTONOMIES: Final = ("observe", "alert", "approve", "auto")


def wish(world: World, chance: Random) -> Wanted | None:
    """Return an order that somebody wants now; None when there is nothing to be wanted."""
    node = chance.choice(world.appliances)
    name = chance.choice(_OFTEN)
    params = _PARAMS[name](world, node, chance)
    if params is None:
        return None
    kind = kind_of(name)
    is_for_site = kind.is_for_sites and chance.random() < 0.4
    is_later = chance.random() < 0.3
    more_people = chance.choice((0, 0, 1, 2)) if kind.tier is Tier.CHANGE else 0
    return Wanted(
        type=name,
        site=node.identity.site,
        appliance=None if is_for_site else str(node.identity.appliance),
        params=params,
        life_s=min(chance.choice(LIVES_S), kind.life_s_max),
        not_before_s=_now_s() + chance.randint(30, 600) if is_later else 0,
        people=more_people,
    )


def _now_s() -> int:
    return SimClock().now_ms() // 1000


def _check(world: World, chance: Random) -> str:
    return chance.choice(sorted(world.common.content.checks))


def _until(chance: Random) -> int:
    return _now_s() + chance.randint(*HOLDS_S)


def _run_drift(world: World, node: ApplianceNode, chance: Random) -> Params:
    on = "all" if chance.random() < 0.5 else [chance.choice(node.targets).id]
    checks = "all" if chance.random() < 0.5 else [_check(world, chance)]
    return {"on": on, "checks": checks}


def _nothing(_world: World, _node: ApplianceNode, _chance: Random) -> Params:
    return {}


def _diagnostic(_world: World, _node: ApplianceNode, chance: Random) -> Params:
    return {"look": chance.choice(("disk", "store"))}


def _restart(_world: World, _node: ApplianceNode, chance: Random) -> Params:
    return {"drain_s": chance.choice((0, 5, 60))}


def _healing(world: World, node: ApplianceNode, chance: Random) -> Params | None:
    """Name an incident that is not over, and the repair that its rule gives; now and then not."""
    query = "SELECT id, check_id FROM incidents WHERE state IN ('open', 'escalated')"
    found = rows_of(str(node.path), query)
    if not found:
        return None
    incident = chance.choice(found)
    given = _repair_of(world.common.content, incident["check_id"])
    if given is None:
        return None
    runbook, params = given
    if chance.random() < 0.1:
        params = {**params, "more": 1}
    return {"incident": incident["id"], "runbook": runbook, "params": params}


def _repair_of(content: Content, check: str) -> tuple[str, Mapping[str, Any]] | None:
    for rule in content.rules.values():
        if rule.check == check and rule.action is Action.EXECUTE_RUNBOOK and rule.runbook_id:
            return rule.runbook_id, dict(rule.params)
    return None


def _enable(world: World, _node: ApplianceNode, chance: Random) -> Params:
    return {"check": chance.choice(("all", _check(world, chance)))}


def _disable(world: World, node: ApplianceNode, chance: Random) -> Params:
    return {**_enable(world, node, chance), "until": _until(chance)}


def _waive(world: World, node: ApplianceNode, chance: Random) -> Params:
    on = "all" if chance.random() < 0.4 else [chance.choice(node.targets).id]
    until = 0 if chance.random() < 0.2 else _until(chance)
    return {"check": _check(world, chance), "on": on, "until": until}


def _policy(world: World, node: ApplianceNode, chance: Random) -> Params:
    return {**_disable(world, node, chance), "autonomy": chance.choice(AUTONOMIES)}


def _cancel(_world: World, node: ApplianceNode, chance: Random) -> Params | None:
    found = rows_of(str(node.path), "SELECT sid FROM orders WHERE sid IS NOT NULL ORDER BY idx")
    waiting = rows_of(str(node.path), "SELECT sid FROM orders WHERE state = 'waiting'")
    some = waiting or found
    return {"order": chance.choice(some)["sid"]} if some else None


def _not_here(_world: World, node: ApplianceNode, chance: Random) -> Params:
    return {"target": chance.choice(node.targets).id}


_PARAMS: Final[Mapping[OrderType, Callable[[World, ApplianceNode, Random], Params | None]]] = {
    OrderType.RUN_DRIFT: _run_drift,
    OrderType.FORCE_CHECKIN: _nothing,
    OrderType.SENSOR_STATUS: _nothing,
    OrderType.DIAGNOSTIC: _diagnostic,
    OrderType.RESTART_AGENT: _restart,
    OrderType.HEALING: _healing,
    OrderType.ENABLE_HEALING: _enable,
    OrderType.DISABLE_HEALING: _disable,
    OrderType.WAIVE: _waive,
    OrderType.SET_POLICY: _policy,
    OrderType.CANCEL: _cancel,
    OrderType.REMOVE_SENSOR: _not_here,
}
_OFTEN: Final = (
    *_PARAMS,
    OrderType.HEALING,
    OrderType.HEALING,
    OrderType.WAIVE,
    OrderType.SET_POLICY,
    OrderType.CANCEL,
)
