"""Passwords: kept as Argon2id, checked off the loop, and made for people who let us.

Parameters are OWASP's for Argon2id (19 MiB, 2 passes, 1 lane), so that a check fits beside an
appliance's other work; one check runs at a time, so that a flood of them cannot take its memory.
"""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from proto.errors import MalformedError
from proto.secret import Secret

LENGTH_MIN = 12
LENGTH_MAX = 256
MADE_ENTROPY_BYTES = 13
_GROUP_CHARS = 4

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "9fVsROfHeiDU5qCvQmJOzA$w7iqqqvU2unMkdMvbdJVFGaxhlxXJJrZ5lHvd3YxL2c"
)
"""Checked when a name is unknown, so that the answer takes as long as for a known one."""

_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")


def check_new(password: Secret) -> Secret:
    """Return a password that may be set, or raise `MalformedError`.

    Length is what is asked for (NIST SP 800-63B, 3.1.1); no classes of characters.
    """
    length = len(password.reveal())
    if not LENGTH_MIN <= length <= LENGTH_MAX:
        msg = f"password: must have {LENGTH_MIN} to {LENGTH_MAX} characters"
        raise MalformedError(msg)
    return password


def make_password(entropy: bytes) -> Secret:
    """Return a password of 20 letters and digits in groups, from `MADE_ENTROPY_BYTES` bytes."""
    letters = base64.b32encode(entropy[:MADE_ENTROPY_BYTES]).decode("ascii").rstrip("=").lower()
    letters = letters[:20]
    starts = range(0, len(letters), _GROUP_CHARS)
    return Secret("-".join(letters[start : start + _GROUP_CHARS] for start in starts))


async def hashed(password: Secret) -> str:
    """Return what is kept of a password."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_ONE_AT_A_TIME, _HASHER.hash, password.reveal_bytes())


async def matches(kept: str | None, password: Secret) -> bool:
    """Tell whether a password is the kept one; None stands for nobody and never matches."""
    loop = asyncio.get_running_loop()
    right = await loop.run_in_executor(_ONE_AT_A_TIME, _verify, kept or NOBODY, password)
    return right and kept is not None


def _verify(kept: str, password: Secret) -> bool:
    try:
        return _HASHER.verify(kept, password.reveal_bytes())
    except (VerificationError, InvalidHashError):
        return False
