"""view_logs: the appliance's own log lines, scrubbed, as the order's answer."""

from typing import Annotated, Literal

from pydantic import Field

from proto.orders.kinds import DAY_S, HOUR_S, Example, OrderKind, OrderType, Params, Tier, Touches

LINES_MAX = 500


class ViewLogs(Params):
    """Which part of the appliance, how far back in seconds, how many lines, and how grave."""

    part: Literal["appliance", "discovery", "uplink", "orders", "portal", "scrubbing", "health"]
    since_s: Annotated[int, Field(ge=1, le=DAY_S)]
    lines: Annotated[int, Field(ge=1, le=LINES_MAX)]
    level: Literal["debug", "info", "warning", "error"]


KIND = OrderKind(
    name=OrderType.VIEW_LOGS,
    title="Show scrubbed log lines of the appliance",
    params=ViewLogs,
    tier=Tier.OBSERVE,
    timeout_s=60,
    touches=Touches.NOTHING,
    life_s_max=HOUR_S,
    accepted=(
        Example(
            {"part": "uplink", "since_s": 3600, "lines": 100, "level": "warning"},
            "an hour of the uplink",
        ),
    ),
    refused=(
        Example(
            {"part": "/var/log/auth.log", "since_s": 3600, "lines": 100, "level": "info"},
            "a path is no part",
        ),
        Example(
            {"part": "discovery", "since_s": 3600, "lines": 501, "level": "info"}, "too many lines"
        ),
        Example({"part": "discovery", "since_s": 90000, "lines": 5, "level": "info"}, "over a day"),
        Example(
            {"part": "discovery", "since_s": True, "lines": 5, "level": "info"}, "true is no number"
        ),
        Example(
            {"part": "discovery", "since_s": 60, "lines": 5, "level": "info", "grep": "$(id)"},
            "an unknown member",
        ),
    ),
)
