"""What the views share: how a device is called, and reading what the store keeps as JSON."""

import json
from collections.abc import Mapping

from proto.findings import Scalar

NEWEST = """
(SELECT value FROM device_attributes a WHERE a.device = {device}.id AND a.kind = '{kind}'
 ORDER BY a.last_ms DESC, a.value LIMIT 1)
"""


def label(device: str) -> str:
    """Return SQL for how a device is called: by a person, else its name, its address or its id.

    `device` is the alias of the devices table: program text, never input.
    """
    name = NEWEST.format(device=device, kind="name")
    address = NEWEST.format(device=device, kind="address")
    return f"coalesce(nullif({device}.label, ''), {name}, {address}, {device}.id)"


def fields(text: str | None) -> Mapping[str, Scalar]:
    """Return a JSON object of closed values; nothing stored is an empty one."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
