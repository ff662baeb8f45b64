"""The last look at a message: at its bytes, and at what its bytes wrap.

An envelope carries its body in base64, and a detail is JSON inside JSON: a look at the outermost
bytes would see neither. Every string of a JSON document is looked at on its own, and what it holds
in turn, JSON or base64, at most `DEPTH_MAX` deep. This knows nothing of our messages: it unwraps
whatever looks wrapped, so that a new message needs no new rule here.

Everything that was unwrapped is looked at in one go, each piece on a line of its own: a line feed
begins and ends every form that the sentry knows.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator

from proto.phi.sentry import Alarm, look

DEPTH_MAX = 5
UNWRAPPED_BYTES_MAX = 16 << 20
"""Of a message and everything that is unwrapped from it together; more is an alarm."""

WRAPPED_CHARS_MIN = 16
"""Eleven characters, the shortest form, are sixteen of base64, and more with JSON's escapes."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_STANDARD = str.maketrans("-_", "+/")
_JSON = ("{", "[", '"')


def look_inside(data: bytes, canaries: Collection[bytes] = ()) -> tuple[Alarm, ...]:
    """Return everything that must not leave in these bytes, or in what they wrap.

    Args:
        data: exactly what would be sent.
        canaries: the synthetic patients' values of this site, in lower case.

    Returns:
        Alarms by offsets of all layers, one after another; empty means that the bytes may leave.
    """
    unwrapped = _Unwrapped()
    if not unwrapped.take(data, DEPTH_MAX):
        return (Alarm("oversize", 0, len(data)),)
    alarms = look(b"\n".join(unwrapped.layers), canaries)
    return (*alarms, Alarm("wrapped", 0, len(data))) if unwrapped.is_too_deep else alarms


class _Unwrapped:
    """The layers of one message, outermost first."""

    def __init__(self) -> None:
        self.layers: list[bytes] = []
        self.is_too_deep = False
        self._size = 0

    def take(self, data: bytes, depth: int) -> bool:
        """Add a layer and all inside it; return False when it is too much."""
        self._size += len(data)
        if self._size > UNWRAPPED_BYTES_MAX:
            return False
        self.layers.append(data)
        strings = set(_strings(data))
        if not strings:
            return True
        if depth == 0:
            self.is_too_deep = True
            return True
        joined = "\n".join(strings).encode("utf-8", "replace")
        self._size += len(joined)
        self.layers.append(joined)
        # A shorter one hides nothing: whatever form it has stands in the layer just added.
        return all(self._inside(one, depth - 1) for one in strings if len(one) >= WRAPPED_CHARS_MIN)

    def _inside(self, text: str, depth: int) -> bool:
        if text.lstrip()[:1] in _JSON:
            return self.take(text.encode("utf-8", "replace"), depth)
        for run in _BASE64.findall(text):
            raw = _decoded(run)
            if raw and not self.take(raw, depth):
                return False
        return True


def _strings(data: bytes) -> Iterator[str]:
    """Yield the strings of a JSON document, names of members too; none of anything else."""
    if data.lstrip()[:1] not in {b"{", b"[", b'"'}:
        return
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            yield from one
            waiting.extend(one.values())


def _decoded(text: str) -> bytes:
    bare = text.rstrip("=").translate(_STANDARD)
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return b""
