"""diagnostic: one look from a fixed list; no order brings its own command."""

from typing import Literal

from proto.orders.kinds import HOUR_S, Example, OrderKind, OrderType, Params, Tier, Touches


class Diagnostic(Params):
    """Which look: disk, memory, clock, network, names, the way to the hub, TLS, store, services."""

    look: Literal[
        "disk", "memory", "clock", "network", "names", "hub_route", "tls", "store", "services"
    ]


KIND = OrderKind(
    name=OrderType.DIAGNOSTIC,
    title="Look at the appliance itself",
    params=Diagnostic,
    tier=Tier.OBSERVE,
    timeout_s=60,
    touches=Touches.NOTHING,
    is_for_sites=True,
    life_s_max=HOUR_S,
    accepted=(
        Example({"look": "disk"}, "one of the list"),
        Example({"look": "hub_route"}, "one of the list"),
    ),
    refused=(
        Example({"look": "shell"}, "not of the list"),
        Example({"look": "disk; id"}, "a command after it"),
        Example({"look": "disk", "command": "df -h"}, "an unknown member"),
        Example({"look": "Disk"}, "another spelling"),
    ),
)
