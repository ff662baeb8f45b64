"""The hub's online keys and what they sign: heads and enrollment answers, and cosignatures."""

from dataclasses import dataclass

from proto import envelope, note
from proto.envelope import Kind
from proto.ids import ApplianceId, SiteId
from proto.keys import SigningKey
from proto.note import Checkpoint

_SCHEME = "https://"


@dataclass(frozen=True, slots=True)
class HubKeys:
    """One key for each thing that is signed: `head` for heads, `log` for logs and cosignatures."""

    head: SigningKey
    log: SigningKey

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
