"""The token that a session's forms carry: only our own pages can know it.

It is derived from the session's secret token, so nothing more is stored, and it tells nothing about
that token.
"""

import base64
import hmac

_CONTEXT = b"osiris csrf v1"


def csrf_token(session_token: str) -> str:
    """Return the form token of a session."""
    raw = hmac.digest(session_token.encode("ascii"), _CONTEXT, "sha256")
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
