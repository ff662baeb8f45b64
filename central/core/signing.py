"""The one key that the serving process holds, which signs nothing; and the names of the logs."""

from dataclasses import dataclass, field

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from proto.errors import IntegrityError
from proto.ids import ApplianceId, SiteId

_SCHEME = "https://"
CLAIM_NONCE_BYTES = SecretBox.NONCE_SIZE


@dataclass(frozen=True, slots=True)
class ClaimKey:
    """32 random bytes: with them the secrets of unused claims lie sealed in the store.

    So a copy of the store enrolls nothing.
    """

    raw: bytes = field(repr=False)

    def seal(self, secret: bytes, *, nonce: bytes) -> bytes:
        """Return a claim's secret sealed; `nonce` is `CLAIM_NONCE_BYTES` random bytes."""
        return bytes(SecretBox(self.raw).encrypt(secret, nonce))

    def open(self, sealed: bytes) -> bytes:
        """Return a sealed secret.

        Raises:
            IntegrityError: it was changed, or sealed with another key.
        """
        try:
            return SecretBox(self.raw).decrypt(sealed)
        except CryptoError:
            msg = "a stored claim does not open with this hub's key"
            raise IntegrityError(msg) from None


def log_name(hub_origin: str) -> str:
    """Return the name under which the hub cosigns and its logs begin: its host and port."""
    return hub_origin.removeprefix(_SCHEME)


def evidence_origin(hub_origin: str, site: SiteId, appliance: ApplianceId) -> str:
    """Return the origin line of an appliance's evidence log."""
    return f"{log_name(hub_origin)}/site/{site}/evidence/{appliance}"
