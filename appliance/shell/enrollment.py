"""Enrollment: the one conversation in which a hub is trusted for the first time.

The trust root is fetched over a connection that is not trusted yet, compared with the fingerprint
in the claim code, and pinned; only then, over TLS that the root's authority vouches for, is the
code's secret proved. A second run with the same keys and code gets the same answer.

A hub that was taken before prints claim codes too, which pin a root of its own: whoever enrolls can
say the digest of the first root that the root people read out, and then no other counts.
"""

import hashlib
import ssl

from appliance.core.sentry import Sentry
from appliance.ports import Clock, Entropy
from appliance.shell.hub_client import HubClient, OneKey
from appliance.shell.identity import Enrolled, Keys, Place
from proto import strict_json
from proto.claim import ClaimCode, claim_proof
from proto.envelope import Kind, open_envelope
from proto.errors import ConflictError, MalformedError
from proto.hub.enroll import EnrollReply, EnrollRequest
from proto.trust_root import TrustRoot, open_first, require_content_root
from runtime import tls
from runtime.tls import write_private

REPLY_BYTES_MAX = 16 * 1024
CHALLENGE_BYTES = 16
CLAIM_NAME_BYTES = 16


async def enroll(
    place: Place,
    keys: Keys,
    code: ClaimCode,
    *,
    clock: Clock,
    entropy: Entropy,
    first_root: str | None = None,
) -> Enrolled:
    """Enroll this appliance and keep the answer.

    Args:
        place: where it is kept.
        keys: this appliance's own.
        code: what a person carried here.
        clock: the clock on the wall.
        entropy: gives the challenge.
        first_root: the digest that the root people read out, hex; None where nobody was asked.

    Raises:
        ConflictError: it is enrolled already, its keys are those of one that was, or the hub's
            trust begins with another first root than people say.
        MalformedError: the hub's trust root is not the one the code names, or its answer is bad.
        RejectedError: the hub refuses the code.
        UnreachableError: the hub does not answer.
    """
    if place.enrolled.exists():
        msg = f"{place.enrolled}: this appliance is enrolled already"
        raise ConflictError(msg)
    if any(place.keys.glob("*.former.key")):
        # Of these and the present ones, those of the enrollment would count once the store is new.
        msg = (
            f"{place.keys}: holds keys of an appliance that was enrolled and renewed them: enroll"
            " with an empty state directory"
        )
        raise ConflictError(msg)
    raw = await _fetch_root(code, keys)
    root = open_first(raw, pinned=code.root_fingerprint)
    if first_root is not None:
        require_content_root(root, first_root)
    reply = await _prove(code, keys, root, clock=clock, entropy=entropy)
    enrolled = Enrolled(site=reply.site, appliance=reply.appliance, log_origin=reply.log_origin)
    write_private(place.root, raw)
    write_private(place.enrolled, enrolled.to_bytes())
    return enrolled


async def _fetch_root(code: ClaimCode, keys: Keys) -> bytes:
    untrusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing secret is sent and what comes back is compared with the claim code, byte for byte.
    untrusted.check_hostname = False
    untrusted.verify_mode = ssl.CERT_NONE
    client = HubClient(code.hub_url, tls=untrusted, signer=OneKey(keys.signing), sentry=Sentry())
    try:
        return await client.root()
    finally:
        await client.close()


async def _prove(
    code: ClaimCode, keys: Keys, root: TrustRoot, *, clock: Clock, entropy: Entropy
) -> EnrollReply:
    challenge = strict_json.b64_encode(entropy(CHALLENGE_BYTES))
    ed25519, x25519 = keys.signing.public, keys.sealing.public
    request = EnrollRequest(
        claim=strict_json.b64_encode(hashlib.sha256(code.secret).digest()[:CLAIM_NAME_BYTES]),
        ed25519=ed25519.b64(),
        x25519=x25519.b64(),
        proof=strict_json.b64_encode(claim_proof(code.secret, ed25519=ed25519, x25519=x25519)),
        iat=clock.now_ms() // 1000,
        challenge=challenge,
    )
    client = HubClient(
        code.hub_url, tls=hub_context(root), signer=OneKey(keys.signing), sentry=Sentry()
    )
    try:
        answer = await client.send(request)
    finally:
        await client.close()
    opened = open_envelope(answer, kind=Kind.ENROLL, trust=root.heads())
    reply = EnrollReply.from_bytes(opened.body, "enrollment", size_bytes_max=REPLY_BYTES_MAX)
    if reply.challenge != challenge:
        msg = "enrollment.challenge: answers another request"
        raise MalformedError(msg)
    return reply


def hub_context(root: TrustRoot) -> ssl.SSLContext:
    """Return a context that trusts what the root names, else the machine's authorities."""
    if root.tls_ca_pem is None:
        return ssl.create_default_context()
    return tls.client_context(root.tls_ca_pem)
