"""Ids: a one-letter prefix, a dash and ten random base32 characters.

An id is made by whoever needs one first (the hub makes sites and appliances, the appliance makes
targets and incidents) and is never derived from a name, a MAC or an address.
"""

import base64
import re
from typing import NewType

from proto.errors import MalformedError

SiteId = NewType("SiteId", str)
ApplianceId = NewType("ApplianceId", str)
TargetId = NewType("TargetId", str)
IncidentId = NewType("IncidentId", str)

ENTROPY_BYTES = 7
"""Random bytes consumed by one id: 56 bits, of which 50 are used."""

BODY_CHARS = 10
_BODY = r"[a-z2-7]{10}"
_BY_PREFIX = {prefix: re.compile(f"{prefix}-{_BODY}") for prefix in "aist"}


def pattern_of(prefix: str) -> str:
    """Return the pattern that an id with this prefix matches in full."""
    return _BY_PREFIX[prefix].pattern


def _make(prefix: str, entropy: bytes) -> str:
    if len(entropy) < ENTROPY_BYTES:
        msg = f"an id needs {ENTROPY_BYTES} random bytes, got {len(entropy)}"
        raise ValueError(msg)
    body = base64.b32encode(entropy[:ENTROPY_BYTES]).decode("ascii").lower()[:BODY_CHARS]
    return f"{prefix}-{body}"


def new_site_id(entropy: bytes) -> SiteId:
    """Make a site id from `ENTROPY_BYTES` random bytes."""
    return SiteId(_make("s", entropy))


def new_appliance_id(entropy: bytes) -> ApplianceId:
    """Make an appliance id from `ENTROPY_BYTES` random bytes."""
    return ApplianceId(_make("a", entropy))


def new_target_id(entropy: bytes) -> TargetId:
    """Make a device or target id (one id serves for both) from `ENTROPY_BYTES` random bytes."""
    return TargetId(_make("t", entropy))


def new_incident_id(entropy: bytes) -> IncidentId:
    """Make an incident id from `ENTROPY_BYTES` random bytes."""
    return IncidentId(_make("i", entropy))


def is_id(text: object, prefix: str) -> bool:
    """Tell whether `text` is a well-formed id with this prefix ("s", "a", "t" or "i")."""
    return isinstance(text, str) and _BY_PREFIX[prefix].fullmatch(text) is not None


def _parse(text: object, prefix: str, where: str) -> str:
    if not isinstance(text, str) or not is_id(text, prefix):
        msg = f"{where}: not an id of the form {prefix}-xxxxxxxxxx: {text!r:.40}"
        raise MalformedError(msg)
    return text


def parse_site_id(text: object, where: str = "site") -> SiteId:
    """Return `text` as a site id, or raise `MalformedError` naming `where`."""
    return SiteId(_parse(text, "s", where))


def parse_appliance_id(text: object, where: str = "appliance") -> ApplianceId:
    """Return `text` as an appliance id, or raise `MalformedError` naming `where`."""
    return ApplianceId(_parse(text, "a", where))


def parse_target_id(text: object, where: str = "target") -> TargetId:
    """Return `text` as a target id, or raise `MalformedError` naming `where`."""
    return TargetId(_parse(text, "t", where))


def parse_incident_id(text: object, where: str = "incident") -> IncidentId:
    """Return `text` as an incident id, or raise `MalformedError` naming `where`."""
    return IncidentId(_parse(text, "i", where))
