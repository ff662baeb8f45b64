"""All order types: one module each, and none can be forgotten.

`OrderType` is the closed list of names; a name without its module, or a module under another name,
ends the program at import.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from proto.invariants import require
from proto.orders import (
    cancel,
    deploy_linux_sensor,
    deploy_sensor,
    diagnostic,
    disable_healing,
    enable_healing,
    force_checkin,
    healing,
    isolate_host,
    nixos_rebuild,
    remove_linux_sensor,
    remove_sensor,
    restart_agent,
    run_drift,
    sensor_status,
    set_policy,
    sync_promoted_rule,
    sync_rules,
    update_agent,
    update_credentials,
    update_iso,
    view_logs,
    waive,
)
from proto.orders.kinds import LIFE_S_MAX, OrderKind, OrderType, Tier

_MODULES = (
    run_drift,
    force_checkin,
    sync_rules,
    view_logs,
    sensor_status,
    diagnostic,
    cancel,
    healing,
    restart_agent,
    update_agent,
    deploy_sensor,
    remove_sensor,
    deploy_linux_sensor,
    remove_linux_sensor,
    update_credentials,
    sync_promoted_rule,
    enable_healing,
    waive,
    set_policy,
    nixos_rebuild,
    update_iso,
    isolate_host,
    disable_healing,
)

KINDS: Mapping[OrderType, OrderKind] = MappingProxyType(
    {module.KIND.name: module.KIND for module in _MODULES}
)
"""Every order type by its name, in the order of the tier table."""

require(tuple(KINDS) == tuple(OrderType), "every order type has its module")
for _module in _MODULES:
    require(_module.__name__ == f"proto.orders.{_module.KIND.name}", "a type is named as its file")
    require(0 < _module.KIND.life_s_max <= LIFE_S_MAX, "no order lives longer than a day")


def kind_of(order_type: OrderType) -> OrderKind:
    """Return one order type."""
    return KINDS[order_type]


def least_tier(order_type: OrderType, params: Mapping[str, Any], *, at_s: int) -> Tier:
    """Return the least tier that an order with these parameters has, wherever it goes.

    What holds at a site can raise it there.

    Args:
        order_type: its type.
        params: as they stand in its body.
        at_s: when it is judged, in seconds; later asks for no more.

    Raises:
        MalformedError: the parameters do not fit the type.
    """
    kind = kind_of(order_type)
    found = kind.params.from_value(dict(params), "params")
    return found.tier_alone(at_s=at_s, least=kind.tier)
