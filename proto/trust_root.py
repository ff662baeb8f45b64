"""The hub's trust root: the one document from which an appliance learns whose keys count.

The body of a `root` statement, signed by the root key, which is kept offline:

```
{"v":1,"version":1,"hub_origin":"https://hub.example:8443","root_key":"<b64>","head_keys":["<b64>"],
 "log_keys":["<b64>"],"tls_ca_pem":"..","content_root":"<hex>","created":<s>,"expires":<s>}
```

`content_root` is the SHA-256 of the first root of the hub's content repository (TUF), so that a
claim code pins that root too: whose keys count for content, authority and orders is what that root
and its followers say, and nothing else. A hub without one has no repository and gives no orders.

The first one is believed because a claim code pins the SHA-256 of its bytes. Version N + 1 is
believed when root N's key and its own key both signed it. Keys are never taken from anywhere else.
An expired root still verifies what runs; `is_expired` is for whoever would load something new.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from proto import envelope, strict_json
from proto.claim import FINGERPRINT_BYTES, check_hub_url
from proto.envelope import Kind
from proto.errors import ConflictError, MalformedError
from proto.keys import Holder, KeyRing, PublicKey, SigningKey, Threshold, trust_one

KEYS_MAX: Final = 8
PEM_LENGTH_MAX: Final = 8192
LIFE_S_MAX: Final = 400 * 86400
DIGEST_BYTES: Final = 32

_SCHEMA = 1
_REQUIRED = (
    "v",
    "version",
    "hub_origin",
    "root_key",
    "head_keys",
    "log_keys",
    "created",
    "expires",
)
_OPTIONAL = ("tls_ca_pem", "content_root")
_TOLD = re.compile(r"[0-9a-f]{64}")
_PEM = re.compile(
    r"(?:-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END CERTIFICATE-----\n)+"
)


class RootSuccessionError(ConflictError):
    """A trust root that does not follow the one that is held: a rollback or a gap."""

    code = "root_succession"


class OtherFirstRootError(ConflictError):
    """A trust root that pins another first root of content than the one that people said."""

    code = "other_first_root"


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """Whose keys count for one hub.

    Attributes:
        version: counts up from 1; an older one is never taken back.
        hub_origin: the hub's address, https://host[:port].
        root_key: signs this document and shares in signing the next.
        head_keys: sign heads.
        log_keys: sign checkpoints of the logs that the hub writes, and cosign the others.
        created: seconds since the epoch.
        expires: seconds since the epoch, at most 400 days after `created`.
        tls_ca_pem: the certificate authority of the hub's TLS, when it is not a public one.
        content_root: SHA-256 of the first root of the hub's content repository, 32 bytes.
    """

    version: int
    hub_origin: str
    root_key: PublicKey
    head_keys: tuple[PublicKey, ...]
    log_keys: tuple[PublicKey, ...]
    created: int
    expires: int
    tls_ca_pem: str | None = None
    content_root: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse a document that no reader would take."""
        check_hub_url(self.hub_origin, "root.hub_origin")
        if not self.created < self.expires <= self.created + LIFE_S_MAX:
            msg = f"root.expires: not within {LIFE_S_MAX} s after root.created"
            raise MalformedError(msg)
        for name, keys in (("head_keys", self.head_keys), ("log_keys", self.log_keys)):
            if not 1 <= len(keys) <= KEYS_MAX or len(set(keys)) != len(keys):
                msg = f"root.{name}: must list 1 to {KEYS_MAX} different keys"
                raise MalformedError(msg)
        if self.content_root is not None and len(self.content_root) != DIGEST_BYTES:
            msg = f"root.content_root: must have {DIGEST_BYTES} bytes"
            raise MalformedError(msg)

    def is_expired(self, *, now_s: int) -> bool:
        """Tell whether nothing new may be loaded on this root's word any more."""
        return now_s >= self.expires

    @property
    def is_development(self) -> bool:
        """Whether one person made every key, as far as this root knows.

        So it is wherever a single key signs for everything; where a content root is pinned, that
        root says it.
        """
        return self.content_root is None

    def heads(self) -> Threshold:
        """Return whose signature makes a head count."""
        return Threshold(KeyRing.of("hub", *self.head_keys))

    def body(self) -> bytes:
        """Return the bytes of the statement's body, for signing."""
        document: dict[str, object] = {
            "v": _SCHEMA,
            "version": self.version,
            "hub_origin": self.hub_origin,
            "root_key": self.root_key.b64(),
            "head_keys": [key.b64() for key in self.head_keys],
            "log_keys": [key.b64() for key in self.log_keys],
            "created": self.created,
            "expires": self.expires,
        }
        if self.tls_ca_pem is not None:
            document["tls_ca_pem"] = self.tls_ca_pem
        if self.content_root is not None:
            document["content_root"] = self.content_root.hex()
        return strict_json.dumps(document, where="root")


def sign_root(root: TrustRoot, *signers: SigningKey) -> bytes:
    """Return the root's envelope: signed by its own key, and by the former one if there was one."""
    return envelope.sign(Kind.ROOT, root.body(), *signers)


def fingerprint(root_bytes: bytes) -> bytes:
    """Return what a claim code pins: the first 16 bytes of SHA-256 of the envelope's bytes."""
    return hashlib.sha256(root_bytes).digest()[:FINGERPRINT_BYTES]


def open_first(root_bytes: bytes, *, pinned: bytes) -> TrustRoot:
    """Return the root whose exact bytes a claim code pinned; its own key must have signed it.

    Raises:
        BadSignatureError: other bytes than the pinned ones, or a bad signature.
        MalformedError: not a trust root.
    """
    root = _read(envelope.open_pinned(root_bytes, kind=Kind.ROOT, digest=pinned))
    trust = trust_one("root", root.root_key)
    envelope.open_envelope(root_bytes, kind=Kind.ROOT, trust=trust)
    return root


def require_content_root(root: TrustRoot, told: str) -> None:
    """Return if a root pins the first root of content that the root people read out.

    A claim code vouches for the hub that printed it, and for no more: a hub that was taken prints
    one that pins a root of its own. What the root people say is the one thing that tells it apart.

    Args:
        root: the root that a claim code pinned.
        told: the SHA-256 of their first root, in hex; how its digits are grouped is no matter.

    Raises:
        MalformedError: what was told is no digest.
        OtherFirstRootError: the root pins another, or none.
    """
    digits = told.replace(" ", "").lower()
    if _TOLD.fullmatch(digits) is None:
        msg = "the first root is told as the 64 digits of a SHA-256"
        raise MalformedError(msg)
    if root.content_root is None or root.content_root.hex() != digits:
        pinned = root.content_root.hex() if root.content_root is not None else "none"
        msg = (
            f"this hub's trust begins with the first root {pinned}, and your root people say"
            f" {digits}: whoever made the claim code is not their hub, or is not theirs any more"
        )
        raise OtherFirstRootError(msg)


def open_next(root_bytes: bytes, *, held: TrustRoot) -> TrustRoot:
    """Return the root that follows the one that is held: version + 1, signed by both root keys.

    Raises:
        SignatureError: the held root's key, or its own, has not signed it.
        RootSuccessionError: it is another version or of another hub.
        MalformedError: not a trust root.
    """
    opened = envelope.open_envelope(
        root_bytes, kind=Kind.ROOT, trust=trust_one("root", held.root_key)
    )
    root = _read(opened)
    if root.root_key != held.root_key:
        both = KeyRing((Holder("held root", held.root_key), Holder("next root", root.root_key)))
        envelope.open_envelope(root_bytes, kind=Kind.ROOT, trust=Threshold(both, people=2))
    if root.version != held.version + 1 or root.created < held.created:
        msg = f"root: version {root.version} does not follow version {held.version}"
        raise RootSuccessionError(msg)
    return root


def _read(opened: envelope.Opened) -> TrustRoot:
    found = strict_json.members(opened.json("root"), "root", required=_REQUIRED, optional=_OPTIONAL)
    strict_json.integer(found["v"], "root.v", low=_SCHEMA, high=_SCHEMA)
    pem: str | None = None
    if "tls_ca_pem" in found:
        pem = strict_json.text(
            found["tls_ca_pem"], "root.tls_ca_pem", length_max=PEM_LENGTH_MAX, pattern=_PEM
        )
    content_root: bytes | None = None
    if "content_root" in found:
        content_root = strict_json.hex_decode(
            found["content_root"], "root.content_root", length=DIGEST_BYTES
        )
    return TrustRoot(
        version=strict_json.integer(found["version"], "root.version", low=1),
        hub_origin=strict_json.text(found["hub_origin"], "root.hub_origin"),
        root_key=PublicKey.from_b64(found["root_key"], "root.root_key"),
        head_keys=_keys(found["head_keys"], "root.head_keys"),
        log_keys=_keys(found["log_keys"], "root.log_keys"),
        created=strict_json.integer(found["created"], "root.created"),
        expires=strict_json.integer(found["expires"], "root.expires"),
        tls_ca_pem=pem,
        content_root=content_root,
    )


def _keys(value: strict_json.Json, where: str) -> tuple[PublicKey, ...]:
    return strict_json.items(value, where, each=PublicKey.from_b64, low=1, high=KEYS_MAX)
