"""Where the signer's files lie below the hub's state directory; names only, nothing is opened."""

from typing import Final

KEYS: Final = "keys"
ORDER_KEY: Final = "order"
HEAD_KEY: Final = "head"
LOG_KEY: Final = "log"
SNAPSHOT_KEY: Final = "snapshot"
TIMESTAMP_KEY: Final = "timestamp"
PROMOTED_KEY: Final = "promoted"
SIGNER_KEYS: Final = (
    ORDER_KEY,
    HEAD_KEY,
    LOG_KEY,
    SNAPSHOT_KEY,
    TIMESTAMP_KEY,
    PROMOTED_KEY,
)
NEXT: Final = "next"
"""A key that is to follow lies beside the one that it follows."""

DIRECTORY: Final = "signer"
SOCKET: Final = f"{DIRECTORY}/signer.sock"
LEDGER: Final = f"{DIRECTORY}/signer.db"
AUTHORITY: Final = f"{DIRECTORY}/authority.json"
GRANTS: Final = f"{DIRECTORY}/grants.json"
"""The signer's own copies: what others put into the repository that is served changes nothing."""


def key_file(name: str, *, follows: bool = False) -> str:
    """Return the file of a key, or of the one that is to follow it."""
    return f"{KEYS}/{name}.{NEXT}.key" if follows else f"{KEYS}/{name}.key"
