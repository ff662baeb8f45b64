"""When the demo is done, and whether it came out well: pure functions of what daemons tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proto.incidents import Cause

UNDER_WAY = frozenset({"open", "planned", "executing", "verifying", "undoing"})
FOR_A_PERSON = frozenset(
    cause.value
    for cause in (
        Cause.RULE_ESCALATES,
        Cause.APPROVAL_NEEDED,
        Cause.ALERT_ONLY,
        Cause.WINDOW_NEEDED,
        Cause.NO_REVERT,
        Cause.REQUIREMENT_UNMET,
        Cause.NOT_MANAGED,
    )
)
"""Handed over because somebody decided so beforehand. Any other escalation is a failure."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the appliance tells at one moment.

    Attributes:
        names: a target's id -> the host's name.
        checks: how many checks each target is asked.
    """

    status: Row
    findings: Sequence[Row]
    incidents: Sequence[Row]
    names: Mapping[str, str]
    checks: int

    def asked(self, target: str) -> int:
        """Return how many checks of a target have a current answer."""
        return sum(
            1
            for row in self.findings
            if row["target"] == target and row["check"].startswith("lin.")
        )


def is_settled(picture: Picture) -> bool:
    """Tell whether nothing is left to happen by itself: all asked, nothing under way, all sent."""
    status = picture.status
    return (
        bool(picture.names)
        and status["last_discovery_ms"] > 0
        and all(picture.asked(target) >= picture.checks for target in picture.names)
        and not any(row["state"] in UNDER_WAY for row in picture.incidents)
        and status["evidence"] == status["hub_acknowledged"]
    )


def problems(picture: Picture, neglect: Mapping[str, Iterable[str]]) -> list[str]:
    """Return what did not come out as it must; empty means all that can heal is healed."""
    found = [
        f"{picture.names[row['target']]}: {row['check']} is unknown ({row['reason']})"
        for row in picture.findings
        if row["target"] in picture.names and row["verdict"] == "unknown"
    ]
    by_key: dict[tuple[str, str], list[Row]] = {}
    for row in picture.incidents:
        host = picture.names.get(row["target"], row["target"])
        by_key.setdefault((host, row["check"]), []).append(row)
        if row["state"] == "escalated" and row["cause"] not in FOR_A_PERSON:
            found.append(f"{host}: {row['check']} was escalated: {row['cause']}")
    for host, checks in neglect.items():
        for check in checks:
            rows = by_key.get((host, check), [])
            if not rows:
                found.append(f"{host}: {check} had drifted and was not found")
            elif not any(_is_dealt_with(row) for row in rows):
                found.append(f"{host}: {check} is {rows[0]['state']}, not healed")
    return found


def _is_dealt_with(row: Row) -> bool:
    if row["state"] == "escalated":
        return row["cause"] in FOR_A_PERSON
    return row["state"] in {"healed", "closed"}
