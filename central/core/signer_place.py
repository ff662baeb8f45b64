"""Where the signer's files lie below the hub's state directory; names only, nothing is opened."""

from typing import Final

KEYS: Final = "keys"
ORDER_KEY: Final = "order"
HEAD_KEY: Final = "head"
LOG_KEY: Final = "log"
SIGNER_KEYS: Final = (ORDER_KEY, HEAD_KEY, LOG_KEY)

DIRECTORY: Final = "signer"
SOCKET: Final = f"{DIRECTORY}/signer.sock"
LEDGER: Final = f"{DIRECTORY}/signer.db"
AUTHORITY: Final = f"{DIRECTORY}/authority.json"
GRANTS: Final = f"{DIRECTORY}/grants.json"
"""The signer's own copies: what others put into the repository that is served changes nothing."""
