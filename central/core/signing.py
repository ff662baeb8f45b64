"""The hub's online keys and what they sign: heads and enrollment answers, and cosignatures."""

from dataclasses import dataclass, field

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from proto import envelope, note
from proto.envelope import Kind
from proto.errors import IntegrityError
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.note import Checkpoint

_SCHEME = "https://"
CLAIM_NONCE_BYTES = SecretBox.NONCE_SIZE


@dataclass(frozen=True, slots=True)
class HubKeys:
    """One key for each use: `head` signs heads, `log` logs and cosignatures; `claims` seals.

    `claims` is 32 random bytes; with it the secrets of unused claims lie sealed in the store, so
    that a copy of the store enrolls nothing.
    """

    head: SigningKey
    log: SigningKey
    claims: bytes = field(repr=False)

    def seal_claim(self, secret: bytes, *, nonce: bytes) -> bytes:
        """Return a claim's secret sealed; `nonce` is `CLAIM_NONCE_BYTES` random bytes."""
        return bytes(SecretBox(self.claims).encrypt(secret, nonce))

    def open_claim(self, sealed: bytes) -> bytes:
        """Return a sealed secret.

        Raises:
            IntegrityError: it was changed, or sealed with another key.
        """
        try:
            return SecretBox(self.claims).decrypt(sealed)
        except CryptoError:
            msg = "a stored claim does not open with this hub's key"
            raise IntegrityError(msg) from None

    def head_statement(self, body: bytes) -> bytes:
        """Return a signed head."""
        return envelope.sign(Kind.HEAD, body, self.head)

    def enroll_statement(self, body: bytes) -> bytes:
        """Return a signed answer to an enrollment."""
        return envelope.sign(Kind.ENROLL, body, self.head)

    def cosigned(self, data: bytes, checkpoint: Checkpoint, *, name: str, time_s: int) -> bytes:
        """Return a checkpoint's note with the hub's cosignature added."""
        signature = note.cosign(checkpoint, name=name, signer=self.log, time_s=time_s)
        return note.parse(data).with_signature(signature)


def log_name(hub_origin: str) -> str:
    """Return the name under which the hub cosigns and its logs begin: its host and port."""
    return hub_origin.removeprefix(_SCHEME)


def evidence_origin(hub_origin: str, site: SiteId, appliance: ApplianceId) -> str:
    """Return the origin line of an appliance's evidence log."""
    return f"{log_name(hub_origin)}/site/{site}/evidence/{appliance}"
