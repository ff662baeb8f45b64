"""Enrollment: first trust, by a claim code that a person carried.

The appliance makes its keys, fetches the hub's trust root, compares it with the code's fingerprint,
and only then proves the code's secret with an HMAC over its own public keys. Asking again with the
same keys and the same code gives the same answer, so a lost reply costs nothing.
"""

from proto.message import (
    ApplianceIdField,
    B64Of16,
    B64Of32,
    Message,
    Seconds,
    SiteIdField,
    VersionOne,
)

PATH_ROOT = "/api/agent/root"
PATH_ENROLL = "/api/agent/enroll"


class EnrollRequest(Message):
    """Body of the request: an envelope of kind enroll, signed by the key that it names.

    Attributes:
        claim: the first 16 bytes of SHA-256(secret): which claim is meant, without telling it.
        proof: HMAC-SHA256(secret, ed25519 || x25519), see `proto.keys.claim_proof`.
    """

    v: VersionOne = 1
    claim: B64Of16
    ed25519: B64Of32
    x25519: B64Of32
    proof: B64Of32
    iat: Seconds
    challenge: B64Of16


class EnrollReply(Message):
    """Body of the answer: an envelope of kind enroll, signed by one of the root's head keys.

    Attributes:
        log_origin: the origin line of this appliance's evidence checkpoints.
    """

    v: VersionOne = 1
    challenge: B64Of16
    site: SiteIdField
    appliance: ApplianceIdField
    log_origin: str
    time: Seconds
