"""A login as it travels to an appliance: sealed to its X25519 key, outside the order log.

```
{"v":1,"target":"t-..","user":"osiris","sudo":"none|nopasswd|ask",
 "private_key":"<PEM>"|null,"password":".."|null,"sudo_password":".."|null}
```

The bytes are strict JSON in a PyNaCl SealedBox; the order names the box by its SHA-256. The target
stands inside the box too: whoever can only send boxes about cannot give one to another target.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from proto import strict_json
from proto.errors import MalformedError
from proto.ids import TargetId, parse_target_id
from proto.keys import SealingKey, SealingPublicKey
from proto.secret import Secret

LOGIN_BYTES_MAX: Final = 32 * 1024
BOX_BYTES_MAX: Final = 48 * 1024
SUDO: Final = ("none", "nopasswd", "ask")
SECRETS: Final = ("private_key", "password", "sudo_password")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_MEMBERS = ("v", "target", "user", "sudo", *SECRETS)


@dataclass(frozen=True, slots=True)
class SealedLogin:
    """How one target is to be logged into.

    Attributes:
        sudo: how the user becomes root: none, nopasswd or ask.

    Raises:
        MalformedError: no such user, no such way to be root, or nothing that opens the login.
    """

    target: TargetId
    user: str
    sudo: str
    private_key: Secret | None
    password: Secret | None
    sudo_password: Secret | None

    def __post_init__(self) -> None:
        """Hold what every login must be."""
        if _USER.fullmatch(self.user) is None:
            msg = "login.user: letters, digits, dot, dash and underscore, at most 32"
            raise MalformedError(msg)
        if self.sudo not in SUDO:
            msg = f"login.sudo: one of {', '.join(SUDO)}"
            raise MalformedError(msg)
        if self.private_key is None and self.password is None:
            msg = "login: neither a private key nor a password"
            raise MalformedError(msg)


def seal(login: SealedLogin, to: SealingPublicKey) -> bytes:
    """Return the box that only the holder of this key opens."""
    value = {
        "v": 1,
        "target": login.target,
        "user": login.user,
        "sudo": login.sudo,
        **{name: _plain(getattr(login, name)) for name in SECRETS},
    }
    return to.seal(strict_json.dumps(value))


def _plain(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal_bytes().decode()


def open_box(box: bytes, key: SealingKey) -> SealedLogin:
    """Return the login in a box.

    Raises:
        SealError: it was not made for this key, or was changed.
        MalformedError: what is in it is no login; the message shows nothing of it.
    """
    raw = key.open_sealed(box)
    value = strict_json.loads(raw, size_bytes_max=LOGIN_BYTES_MAX, where="login")
    found = strict_json.members(value, "login", required=_MEMBERS)
    strict_json.integer(found["v"], "login.v", low=1, high=1)
    return SealedLogin(
        target=parse_target_id(found["target"], "login.target"),
        user=strict_json.text(found["user"], "login.user", length_max=32),
        sudo=strict_json.text(found["sudo"], "login.sudo", length_max=16),
        private_key=_secret(found, "private_key"),
        password=_secret(found, "password"),
        sudo_password=_secret(found, "sudo_password"),
    )


def _secret(value: dict[str, strict_json.Json], name: str) -> Secret | None:
    said = value[name]
    if said is None:
        return None
    return Secret(strict_json.text(said, f"login.{name}", length_max=LOGIN_BYTES_MAX))


def digest_of(box: bytes) -> str:
    """Return the name by which an order knows a box: hex SHA-256."""
    return hashlib.sha256(box).hexdigest()
