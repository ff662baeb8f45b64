"""The last look at a message: at its bytes, and at what its bytes wrap.

An envelope carries its body in base64, and a detail is JSON inside JSON: a look at the outermost
bytes would see neither. Every string of a JSON document is looked at on its own, and what it holds
in turn, JSON or base64, at most `DEPTH_MAX` deep. This knows nothing of our messages: it unwraps
whatever looks wrapped, so that a new message needs no new rule here.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator

from proto.phi.sentry import BYTES_MAX, Alarm, look

DEPTH_MAX = 5
UNWRAPPED_BYTES_MAX = 16 << 20
"""Of everything that is unwrapped from one message together; more is an alarm."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_TOO_DEEP = Alarm("wrapped", 0, 0)


def look_inside(data: bytes, canaries: Collection[bytes] = ()) -> tuple[Alarm, ...]:
    """Return everything that must not leave in these bytes, or in what they wrap.

    Args:
        data: exactly what would be sent.
        canaries: the synthetic patients' values of this site, in lower case.

    Returns:
        Alarms by offsets of the layer they stand in; empty means that the bytes may leave.
    """
    if len(data) > BYTES_MAX:
        return (Alarm("oversize", 0, len(data)),)
    alarms: list[Alarm] = []
    spent = 0
    for layer in _layers(data, DEPTH_MAX):
        if layer is None:
            alarms.append(_TOO_DEEP)
            continue
        spent += len(layer)
        if spent > UNWRAPPED_BYTES_MAX:
            alarms.append(Alarm("oversize", 0, len(data)))
            break
        alarms.extend(look(layer, canaries))
    return tuple(alarms)


def _layers(data: bytes, depth: int) -> Iterator[bytes | None]:
    """Yield the bytes and every layer inside; None where something is wrapped too deep."""
    yield data
    inner = list(_strings(data))
    if not inner:
        return
    if depth == 0:
        yield None
        return
    # Short strings are looked at together: a line feed between them begins and ends every form.
    yield "\n".join(inner).encode("utf-8", "replace")
    for text in inner:
        yield from _wrapped(text, depth - 1)


def _wrapped(text: str, depth: int) -> Iterator[bytes | None]:
    stripped = text.lstrip()
    if stripped[:1] in {"{", "[", '"'}:
        yield from _layers(text.encode("utf-8", "replace"), depth)
        return
    for match in _BASE64.finditer(text):
        raw = _decoded(match[0])
        if raw:
            yield from _layers(raw, depth)


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


_STANDARD = str.maketrans("-_", "+/")
