"""Putting `Scrubbed` text together and taking it apart, so that it is scrubbed once and never raw.

What leaves as the detail of a finding is one JSON object: some of its values are of closed types,
some are text that was scrubbed. Each function here gives `Scrubbed` only for what it can vouch for:

- `closed`: a value of a list that people signed offline with the content is no free text;
- `members`: a JSON object that was scrubbed whole has members that were scrubbed;
- `document`: a JSON object of closed values and scrubbed text is scrubbed;
- `reopened`: bytes from the appliance's own store that open a commitment which the appliance made
  when it had scrubbed them: the store cannot make text scrubbed that was not.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping

from proto import strict_json
from proto.errors import IntegrityError, MalformedError
from proto.phi.values import Scrubbed, seal

Leaving = bool | int | Scrubbed
"""A value that may leave: closed, or scrubbed."""

DOCUMENT_BYTES_MAX = 256 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


def closed(value: str, among: Collection[str]) -> Scrubbed:
    """Return a value of a closed list as what it is: no free text.

    Raises:
        MalformedError: it is not in the list; the message does not show it.
    """
    if value not in among:
        msg = "a value that is none of its closed list is free text, and goes through the scrubber"
        raise MalformedError(msg)
    return seal(value)


def members(document: Scrubbed) -> dict[str, Leaving] | None:
    """Return the members of a scrubbed JSON object; None when it is none of flat values."""
    try:
        value = strict_json.loads(
            str(document).encode(), size_bytes_max=DOCUMENT_BYTES_MAX, depth_max=1
        )
    except MalformedError:
        return None
    if not isinstance(value, dict):
        return None
    found: dict[str, Leaving] = {}
    for name, one in value.items():
        if isinstance(one, bool | int):
            found[name] = one
        elif isinstance(one, str):
            found[name] = seal(one)
        else:
            return None
    return found


def document(fields: Mapping[str, Leaving]) -> Scrubbed:
    """Return a JSON object of closed values and scrubbed text, members sorted.

    Raises:
        MalformedError: a name is not of the form of a field's.
    """
    plain: dict[str, bool | int | str] = {}
    for name, one in sorted(fields.items()):
        if _NAME.fullmatch(name) is None:
            msg = "the name of a field that leaves is [a-z][a-z0-9_]*"
            raise MalformedError(msg)
        plain[name] = str(one) if isinstance(one, Scrubbed) else one
    return seal(strict_json.dumps(plain).decode())


def reopened(text: bytes, *, salt: bytes, commit: bytes) -> Scrubbed:
    """Return text from the appliance's own store, held against the commitment to it.

    Args:
        text: UTF-8.
        salt: the commitment's.
        commit: SHA-256(salt || text), from a leaf that the appliance signed.

    Raises:
        IntegrityError: these are not the bytes that were committed to.
    """
    if not hmac.compare_digest(hashlib.sha256(salt + text).digest(), commit):
        msg = "a stored detail is not what its leaf commits to"
        raise IntegrityError(msg)
    return seal(text.decode())
