"""Reading what the store keeps as JSON."""

import json
from collections.abc import Mapping

from proto.findings import Scalar


def fields(text: str | None) -> Mapping[str, Scalar]:
    """Return a JSON object of closed values; nothing stored is an empty one."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
