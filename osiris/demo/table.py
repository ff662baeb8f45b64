"""The demo's live table: what was found, what drifted, what was healed, what needs a person."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from osiris.demo.goal import UNDER_WAY, Picture
from runtime.web import words
from runtime.web.people import count

ROWS_MAX = 40
_STYLES = {
    "healed": "green",
    "closed": "green",
    "escalated": "yellow",
    "waived": "cyan",
    "undoing": "red",
}


def render(
    picture: Picture, devices: Sequence[Mapping[str, Any]], titles: Mapping[str, str]
) -> Group:
    """Return the table of one moment."""
    return Group(_hosts(picture, devices), Text(), _incidents(picture, titles), _footer(picture))


def _hosts(picture: Picture, devices: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("DEVICE", "ADDRESS", "CLASS", "CHECKED", "OK", "DRIFTED", "UNKNOWN"):
        table.add_column(heading)
    for device in devices:
        counts = Counter(
            row["verdict"] for row in picture.findings if row["target"] == device["id"]
        )
        total = sum(counts.values())
        name = picture.names.get(device["id"], device.get("label") or device.get("vendor") or "-")
        if device.get("off_limits"):
            table.add_row(name, _address(device), "medical, never touched", "-", "-", "-", "-")
            continue
        table.add_row(
            name,
            _address(device),
            str(device.get("device_class", "")),
            str(total),
            str(counts["compliant"]),
            str(counts["drifted"]),
            str(counts["unknown"]),
        )
    return table


def _address(device: Mapping[str, Any]) -> str:
    return str(device.get("address") or "-")


def _incidents(picture: Picture, titles: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("HOST", "WHAT DRIFTED", "STATE", "WHY"):
        table.add_column(heading, overflow="fold")
    order = sorted(
        picture.incidents, key=lambda row: (row["state"] not in UNDER_WAY, -row["updated_ms"])
    )
    for row in order[:ROWS_MAX]:
        host = picture.names.get(row["target"], "")
        why = words.CAUSES[row["cause"]].label if row["cause"] else ""
        table.add_row(
            host,
            titles.get(row["check"], row["check"]),
            Text(row["state"], style=_STYLES.get(row["state"], "bold")),
            why,
        )
    if len(order) > ROWS_MAX:
        table.add_row("", f"... and {len(order) - ROWS_MAX} more", "", "")
    return table


def _footer(picture: Picture) -> Text:
    states = Counter(row["state"] for row in picture.incidents)
    healed = sum(_is_proved(row) for row in picture.incidents)
    passed = states["healed"] + states["closed"] - healed
    later = f" {passed} passed a later check," if passed else ""
    status = picture.status
    return Text(
        f"\n{count(len(picture.incidents), 'drift')} found, {healed} healed and verified,{later}"
        f" {states['escalated']} handed to a person;"
        f" evidence: {status['hub_acknowledged']} of {status['evidence']} leaves at the hub"
    )


def _is_proved(row: Mapping[str, Any]) -> bool:
    """Tell whether a repair of its own ended an incident; a later check that passes closes both."""
    return row["state"] in {"healed", "closed"} and row["result"] == "healed"
