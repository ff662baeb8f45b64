"""Envelopes: every statement in Osiris is one DSSE envelope, and its bytes are exact.

```
PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body
sig  = Ed25519(PAE)      sid = SHA-256(PAE), the statement's name
{"payload":"<b64>","payloadType":"application/vnd.osiris.<kind>.v1+json",
 "signatures":[{"keyid":"..","sig":"<b64>"}]}                            (one line, no spaces)
```

Rules, in the order in which they refuse; each has its own code:

- `envelope_size`: the envelope is over 64 KiB, or its body over 16 KiB;
- `envelope_form`: not strict JSON, a member unknown, missing or twice, bad base64, no signature or
  more than 8, one key id twice, or bytes that are not the one form written above;
- `envelope_kind`: the payload type is another kind than the reader asked for;
- `signature_bad`: a signature by a known key does not verify;
- `signature_threshold`: too few different people of the ring signed.

Signatures by unknown keys are ignored and not counted. The body is handed out only by `open`,
after the signatures over its exact bytes were verified; parse it once, from there.
"""

import binascii
import hashlib
import re
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from proto import strict_json
from proto.errors import MalformedError, SignatureError
from proto.invariants import require
from proto.keys import (
    KEY_ID_CHARS,
    SIGNATURE_BYTES,
    Holder,
    SigningKey,
    Threshold,
)

ENVELOPE_BYTES_MAX: Final = 64 * 1024
BODY_BYTES_MAX: Final = 16 * 1024
SIGNATURES_MAX: Final = 8

_MEMBERS = ("payload", "payloadType", "signatures")
_SIGNATURE_MEMBERS = ("keyid", "sig")
_DIGEST_BYTES_MIN = 16


class Kind(StrEnum):
    """What a statement is; it is signed with the body, so one kind never passes for another."""

    ORDER = "order"
    RECEIPT = "receipt"
    EVIDENCE = "evidence"
    CHECKIN = "checkin"
    DEVICES = "devices"
    ORDERS = "orders"
    RECALL = "recall"
    HEAD = "head"
    ENROLL = "enroll"
    ASK = "ask"
    CONSENT = "consent"
    VETO = "veto"
    ROOT = "root"

    payload_type: str
    """The media type that names this kind in an envelope and in the signed bytes."""

    media: bytes
    """The same as the bytes that stand in an envelope."""

    signed_first: bytes
    """What the signed bytes begin with, up to the length of the body."""

    def __init__(self, name: str) -> None:
        """Write down once what every envelope and signature of this kind says."""
        self.payload_type = f"application/vnd.osiris.{name}.v1+json"
        self.media = self.payload_type.encode("ascii")
        self.signed_first = b"DSSEv1 %d %b " % (len(self.media), self.media)


_KIND_BY_TYPE = {kind.media: kind for kind in Kind}
_KEY_ID = re.compile(rb"[0-9a-f]{%d}" % KEY_ID_CHARS)

_PAYLOAD, _TYPE, _HINT, _SIG = 3, 7, 13, 17
_PIECES, _PIECES_EACH = 11, 8
"""The one form, cut at its quotes: pieces without signatures, pieces of each signature, and where
the values stand, those of further signatures at the same distance."""


class EnvelopeSizeError(MalformedError):
    """An envelope or its body is larger than any statement may be."""

    code = "envelope_size"


class EnvelopeFormError(MalformedError):
    """Bytes that are not an envelope in its one exact form."""

    code = "envelope_form"


class EnvelopeKindError(MalformedError):
    """An envelope of another kind than the reader asked for, or of no kind we know."""

    code = "envelope_kind"


class BadSignatureError(SignatureError):
    """A signature that claims a known key does not verify with it."""

    code = "signature_bad"


class ThresholdError(SignatureError):
    """Too few of the people who must sign have signed."""

    code = "signature_threshold"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over a statement: a key id, which is a hint, and 64 bytes."""

    key_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A statement whose signatures were verified over exactly these bytes.

    Attributes:
        kind: what the statement is.
        body: the verified bytes; parse them once with `strict_json.loads`.
        sid: 32 bytes, the statement's name.
        signers: whose signatures verified, in the envelope's order.
    """

    kind: Kind
    body: bytes
    sid: bytes
    signers: tuple[Holder, ...]

    def json(self, where: str = "body") -> strict_json.Json:
        """Parse the verified body as strict JSON, or raise `MalformedError` naming `where`."""
        return strict_json.loads(self.body, size_bytes_max=BODY_BYTES_MAX, where=where)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope that was taken apart and not verified.

    It says of which kind it claims to be and whose keys may verify it, and gives its body to
    nobody: `open` does, after verifying.
    """

    kind: Kind
    key_ids: tuple[str, ...]
    _body: bytes = field(repr=False)
    _signatures: tuple[Signature, ...] = field(repr=False)

    def open(self, *, kind: Kind, trust: Threshold) -> Opened:
        """Return the statement if enough trusted people signed exactly these bytes.

        Raises:
            EnvelopeKindError: it is of another kind.
            BadSignatureError: a signature by a key of the ring does not verify.
            ThresholdError: fewer than `trust.people` people of the ring signed.
        """
        if self.kind is not kind:
            msg = f"envelope: is of kind {self.kind.value}, {kind.value} is wanted"
            raise EnvelopeKindError(msg)
        signed = pae(kind, self._body)
        signers: list[Holder] = []
        for signature in self._signatures:
            holder = trust.ring.find(signature.key_id)
            if holder is None:
                continue
            if not holder.key.accepts(signature.raw, signed):
                msg = f"envelope: the signature by {holder.person} ({signature.key_id}) is bad"
                raise BadSignatureError(msg)
            signers.append(holder)
        found = len({signer.person for signer in signers})
        if found < trust.people:
            msg = f"envelope: signed by {found} of the people who count, {trust.people} must"
            raise ThresholdError(msg)
        return Opened(kind, self._body, hashlib.sha256(signed).digest(), tuple(signers))

    def with_signature(self, signature: Signature) -> bytes:
        """Return the envelope's bytes with one more signature, for co-signing."""
        return assemble(self.kind, self._body, signatures=(*self._signatures, signature))


def pae(kind: Kind, body: bytes) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding, version 1."""
    return b"%b%d %b" % (kind.signed_first, len(body), body)


def sid(kind: Kind, body: bytes) -> bytes:
    """Return a statement's 32-byte name, which is fixed before anybody signs."""
    return hashlib.sha256(pae(kind, body)).digest()


def signature_of(kind: Kind, body: bytes, *, signer: SigningKey) -> Signature:
    """Return one signer's signature, made apart from the envelope it will be part of."""
    return Signature(signer.public.key_id, signer.sign(pae(kind, body)))


def sign(kind: Kind, body: bytes, *signers: SigningKey) -> bytes:
    """Return the bytes of an envelope around `body`, signed by each of `signers` in turn.

    Raises:
        EnvelopeSizeError: the body is over 16 KiB.
        EnvelopeFormError: no signer, more than eight, or one twice.
    """
    made = tuple(signature_of(kind, body, signer=signer) for signer in signers)
    return assemble(kind, body, signatures=made)


def assemble(kind: Kind, body: bytes, *, signatures: tuple[Signature, ...]) -> bytes:
    """Return the bytes of an envelope with signatures that were made elsewhere."""
    _check_body_size(body)
    _check_signatures(signatures)
    return _form(kind, body, signatures)


def _form(kind: Kind, body: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """Write the one form that these parts have; no member holds a character JSON escapes."""
    signed = b",".join(
        [
            b'{"keyid":"%b","sig":"%b"}'
            % (one.key_id.encode("ascii"), b2a_base64(one.raw, newline=False))
            for one in signatures
        ]
    )
    form = b'{"payload":"%b","payloadType":"%b","signatures":[%b]}'
    return form % (b2a_base64(body, newline=False), kind.media, signed)


def parse(data: bytes) -> Envelope:
    """Take an envelope apart without verifying it: to see its kind and whose keys to look up.

    Raises:
        EnvelopeSizeError: the envelope or its body is too large.
        EnvelopeFormError: the bytes are not an envelope in its one exact form.
        EnvelopeKindError: the payload type names no kind of ours.
    """
    if len(data) > ENVELOPE_BYTES_MAX:
        msg = f"envelope: {len(data)} bytes, at most {ENVELOPE_BYTES_MAX} are allowed"
        raise EnvelopeSizeError(msg)
    return _parse_exact(data) or _parse_to_refuse(data)


def _parse_exact(data: bytes) -> Envelope | None:
    """Take apart what is in its one form; None for everything else, which is to be refused.

    The values are looked for where that form has them, and written in that form again: only what
    gives the same bytes was in it.
    """
    pieces = data.split(b'"', _PIECES + _PIECES_EACH * SIGNATURES_MAX)
    if len(pieces) < _PIECES + _PIECES_EACH:
        return None
    kind = _KIND_BY_TYPE.get(pieces[_TYPE])
    try:
        body = a2b_base64(pieces[_PAYLOAD], strict_mode=True)
        raws = [a2b_base64(one, strict_mode=True) for one in pieces[_SIG::_PIECES_EACH]]
    except binascii.Error:
        return None
    hints = pieces[_HINT::_PIECES_EACH]
    is_whole = (
        len(body) <= BODY_BYTES_MAX
        and len(set(hints)) == len(raws)
        and all(map(_KEY_ID.fullmatch, hints))
        and {*map(len, raws)} == {SIGNATURE_BYTES}
    )
    if kind is None or not is_whole:
        return None
    key_ids = tuple([hint.decode("ascii") for hint in hints])
    signatures = tuple(map(Signature, key_ids, raws))
    if _form(kind, body, signatures) != data:
        return None
    return Envelope(kind, key_ids, body, signatures)


def _parse_to_refuse(data: bytes) -> Envelope:
    """Read with care what is not in the one form, to say what is wrong with it."""
    try:
        payload_type, body, signatures = _take_apart(data)
    except MalformedError as error:
        raise EnvelopeFormError(*error.args) from None
    _check_body_size(body)
    _check_signatures(signatures)
    kind = _KIND_BY_TYPE.get(payload_type.encode())
    if kind is None:
        msg = f"envelope.payloadType: {payload_type!a:.60} is none of ours"
        raise EnvelopeKindError(msg)
    if _form(kind, body, signatures) != data:
        msg = "envelope: not in its one form (spaces, escapes or members in another order)"
        raise EnvelopeFormError(msg)
    return Envelope(kind, tuple(one.key_id for one in signatures), body, signatures)


def open_envelope(data: bytes, *, kind: Kind, trust: Threshold) -> Opened:
    """Verify an envelope's exact bytes and return its statement; see `Envelope.open`."""
    return parse(data).open(kind=kind, trust=trust)


def open_pinned(data: bytes, *, kind: Kind, digest: bytes) -> Opened:
    """Return a statement whose envelope's own SHA-256 begins with a digest learned elsewhere.

    First trust: a claim code or an installed file pins the exact bytes, so no key is needed to
    believe them; `signers` is empty. The digest must be at least 16 bytes.

    Raises:
        BadSignatureError: these are other bytes than the pinned ones.
        MalformedError: they are the pinned bytes, but no envelope of this kind.
    """
    require(_DIGEST_BYTES_MIN <= len(digest) <= hashlib.sha256().digest_size, "a digest to pin by")
    if hashlib.sha256(data).digest()[: len(digest)] != digest:
        msg = "envelope: not the bytes that were pinned"
        raise BadSignatureError(msg)
    envelope = parse(data)
    if envelope.kind is not kind:
        msg = f"envelope: is of kind {envelope.kind.value}, {kind.value} is wanted"
        raise EnvelopeKindError(msg)
    # The module that made the value may look inside it: the digest is the verification.
    body = envelope._body  # noqa: SLF001
    return Opened(kind, body, sid(kind, body), ())


def _take_apart(data: bytes) -> tuple[str, bytes, tuple[Signature, ...]]:
    outer = strict_json.members(
        strict_json.loads(data, size_bytes_max=ENVELOPE_BYTES_MAX, depth_max=3, where="envelope"),
        "envelope",
        required=_MEMBERS,
    )
    payload_type = strict_json.text(
        outer["payloadType"], "envelope.payloadType", length_max=ENVELOPE_BYTES_MAX
    )
    body = strict_json.b64_decode(
        outer["payload"], "envelope.payload", size_bytes_max=ENVELOPE_BYTES_MAX
    )
    signatures = strict_json.items(
        outer["signatures"],
        "envelope.signatures",
        each=_signature,
        low=1,
        high=SIGNATURES_MAX,
    )
    return payload_type, body, signatures


def _signature(value: strict_json.Json, where: str) -> Signature:
    found = strict_json.members(value, where, required=_SIGNATURE_MEMBERS)
    hint = strict_json.hex_decode(found["keyid"], f"{where}.keyid", length=KEY_ID_CHARS // 2)
    raw = strict_json.b64_decode(found["sig"], f"{where}.sig", length=SIGNATURE_BYTES)
    return Signature(hint.hex(), raw)


def _check_body_size(body: bytes) -> None:
    if len(body) > BODY_BYTES_MAX:
        msg = f"envelope.payload: {len(body)} bytes, at most {BODY_BYTES_MAX} are allowed"
        raise EnvelopeSizeError(msg)


def _check_signatures(signatures: tuple[Signature, ...]) -> None:
    if not 1 <= len(signatures) <= SIGNATURES_MAX:
        msg = f"envelope.signatures: {len(signatures)}, between 1 and {SIGNATURES_MAX} are allowed"
        raise EnvelopeFormError(msg)
    if len({one.key_id for one in signatures}) != len(signatures):
        msg = "envelope.signatures: one key id appears twice"
        raise EnvelopeFormError(msg)
