"""`ports.Sealer` in memory: what was sealed is kept here, and only a handle is given out."""

import hashlib

from proto.errors import IntegrityError
from proto.secret import Secret


class FakeSealer:
    """Gives out handles that say nothing of the secret; another sealer does not know them."""

    def __init__(self, name: str = "sealer") -> None:
        """Tell sealers apart by name, as real ones differ by key."""
        self._name = name
        self._kept: dict[bytes, tuple[str, Secret]] = {}

    def seal(self, secret: Secret, *, context: str) -> bytes:
        """Return a new handle; see `ports.Sealer.seal`."""
        counted = f"{self._name}:{len(self._kept)}"
        handle = hashlib.sha256(counted.encode()).digest()
        self._kept[handle] = (context, secret)
        return handle

    def open(self, sealed: bytes, *, context: str) -> Secret:
        """Return the secret; see `ports.Sealer.open`."""
        bound, secret = self._kept.get(sealed, ("", None))
        if secret is None or bound != context:
            msg = f"sealed secret of {context}: changed, of another key, or of another context"
            raise IntegrityError(msg)
        return secret
