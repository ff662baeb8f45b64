"""Enrollment decided: who may become an appliance of which site.

Rules:

- The envelope must be signed by the very key it names.
- The proof must be the HMAC of the claim's secret over the two public keys. A claim that is not
  there, is over or is not proved gives the same answer, so that a guesser learns nothing.
- A claim is used once. Asking again with the same keys gives the same answer until the claim's
  time is over, so a lost reply costs nothing; with other keys it is refused.
- A key belongs to one appliance for ever.
"""

import hashlib
import hmac
from dataclasses import dataclass

from central.core.refusals import ClaimRefusedError
from proto import claim, envelope
from proto.envelope import Kind
from proto.hub.enroll import EnrollRequest
from proto.ids import ApplianceId, SiteId
from proto.invariants import require
from proto.keys import PublicKey, SealingPublicKey, trust_one
from proto.strict_json import b64_decode

CLAIM_BYTES = 16
PROOF_BYTES = 32
REFUSED = "the claim code is not known, is over, or was not proved; ask for a new one"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it is kept.

    Attributes:
        secret: None once the claim was used.
        used_by: the appliance it made.
        proof_digest: SHA-256 of the proof that used it.
    """

    site: SiteId
    claim: bytes
    secret: bytes | None
    expires_ms: int
    used_by: ApplianceId | None
    proof_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A verified request: it is signed by the key it names; the claim is not looked at yet."""

    claim: bytes
    ed25519: PublicKey
    x25519: SealingPublicKey
    proof: bytes
    challenge: str


def claim_name(secret: bytes) -> bytes:
    """Return which claim a secret belongs to, without telling it."""
    return hashlib.sha256(secret).digest()[:CLAIM_BYTES]


def read_request(data: bytes) -> Asked:
    """Read a request and verify that the key it names signed it.

    That proves possession of the key and nothing else; the claim's proof is for `decide`.

    Raises:
        MalformedError: not an enrollment request.
        SignatureError: not signed by the key that it names.
    """
    # A statement that brings its own key: pinned by its own digest it may be read once, only to
    # learn that key. Everything that is used comes from the statement verified below.
    own = envelope.open_pinned(data, kind=Kind.ENROLL, digest=hashlib.sha256(data).digest())
    key = PublicKey.from_b64(_parse(own.body).ed25519, "enroll.ed25519")
    opened = envelope.open_envelope(data, kind=Kind.ENROLL, trust=trust_one("appliance", key))
    asked = _parse(opened.body)
    return Asked(
        b64_decode(asked.claim, "enroll.claim", length=CLAIM_BYTES),
        key,
        SealingPublicKey.from_b64(asked.x25519, "enroll.x25519"),
        b64_decode(asked.proof, "enroll.proof", length=PROOF_BYTES),
        asked.challenge,
    )


def _parse(body: bytes) -> EnrollRequest:
    return EnrollRequest.from_bytes(body, "enroll", size_bytes_max=envelope.BODY_BYTES_MAX)


def decide(asked: Asked, found: Claim, *, now_ms: int) -> ApplianceId | None:
    """Return the appliance this claim already made for these keys, or None to make a new one.

    Raises:
        ClaimRefusedError: the claim is over, was used with other keys, or is not
            proved.
    """
    if now_ms >= found.expires_ms:
        raise ClaimRefusedError(REFUSED)
    if found.secret is not None:
        if not claim.is_claim_proof(
            asked.proof, secret=found.secret, ed25519=asked.ed25519, x25519=asked.x25519
        ):
            raise ClaimRefusedError(REFUSED)
        return None
    # The proof covers both keys, so the same proof means the same keys.
    require(found.proof_digest is not None, "a used claim keeps its proof's digest")
    if not hmac.compare_digest(proof_digest(asked.proof), found.proof_digest or b""):
        raise ClaimRefusedError(REFUSED)
    return found.used_by


def proof_digest(proof: bytes) -> bytes:
    """Return what is kept of a proof once its claim was used."""
    return hashlib.sha256(proof).digest()
