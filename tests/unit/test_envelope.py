"""Envelopes: exact bytes, one form, and a stable reason for every refusal."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import envelope
from proto.envelope import Kind
from proto.errors import OsirisError
from proto.invariants import InvariantError
from proto.keys import Holder, KeyRing, SigningKey, Threshold, trust_one

HUB = SigningKey(b"\x01" * 32)
ANN = SigningKey(b"\x02" * 32)
BOB = SigningKey(b"\x03" * 32)
EVE = SigningKey(b"\x04" * 32)
BODY = b'{"v":1,"type":"run_drift"}'
ORDER = envelope.sign(Kind.ORDER, BODY, HUB)
TRUST = trust_one("hub", HUB.public)
TWO_PEOPLE = Threshold(KeyRing((Holder("ann", ANN.public), Holder("bob", BOB.public))), people=2)


def rewritten(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON value may stand in a hostile member
    """Return the order with members replaced, compact and in the right order."""
    return json.dumps(json.loads(ORDER) | changes, separators=(",", ":")).encode()


def signature(**changes: object) -> list[dict[str, object]]:
    """Return the order's signature list with members of its one signature replaced."""
    return [json.loads(ORDER)["signatures"][0] | changes]


def code_of(data: bytes, *, kind: Kind = Kind.ORDER, trust: Threshold = TRUST) -> str:
    """Return the reason code with which an envelope is refused."""
    with pytest.raises(OsirisError) as caught:
        envelope.open_envelope(data, kind=kind, trust=trust)
    return caught.value.code


def test_the_bytes_are_those_of_the_contract() -> None:
    """Worked out here by hand, from TRUST.md and the DSSE specification."""
    signed = b"DSSEv1 36 application/vnd.osiris.order.v1+json 26 " + BODY
    assert envelope.pae(Kind.ORDER, BODY) == signed
    assert (
        b'{"payload":"' + base64.b64encode(BODY) + b'",'
        b'"payloadType":"application/vnd.osiris.order.v1+json",'
        b'"signatures":[{"keyid":"'
        + hashlib.sha256(HUB.public.raw).hexdigest()[:16].encode()
        + b'","sig":"'
        + base64.b64encode(HUB.sign(signed))
        + b'"}]}'
    ) == ORDER
    opened = envelope.open_envelope(ORDER, kind=Kind.ORDER, trust=TRUST)
    assert opened.body == BODY
    assert opened.sid == hashlib.sha256(signed).digest() == envelope.sid(Kind.ORDER, BODY)
    assert opened.signers == (Holder("hub", HUB.public),)
    assert opened.json() == {"v": 1, "type": "run_drift"}


def test_lengths_in_the_signed_bytes_count_bytes() -> None:
    """Not characters; and an empty body has length 0."""
    assert envelope.pae(Kind.VETO, "é".encode()).endswith(b"veto.v1+json 2 \xc3\xa9")
    assert envelope.pae(Kind.VETO, b"").endswith(b"veto.v1+json 0 ")


SIG = json.loads(ORDER)["signatures"][0]
B64 = json.loads(ORDER)["payload"]
FORMS = {
    "nothing": b"",
    "not JSON": b"order",
    "an array": b"[]",
    "null": b"null",
    "outer member added": rewritten(note="run it now"),
    "target added outside": rewritten(target={"site": "s-aaaaaaaaaa"}),
    "payload missing": b'{"payloadType":"x","signatures":[]}',
    "payload null": rewritten(payload=None),
    "payload a number": rewritten(payload=1),
    "payload an object": rewritten(payload={"v": 1}),
    "payload twice": ORDER.replace(b'{"payload"', b'{"payload":"e30=","payload"', 1),
    "payload twice, escaped": ORDER.replace(b'{"payload"', b'{"p\\u0061yload":"e30=","payload"', 1),
    "payload not padded": rewritten(payload=B64.rstrip("=")),
    "payload with a newline": rewritten(payload=B64 + "\n"),
    "payload with a space": rewritten(payload=" " + B64),
    "payload in the URL alphabet": rewritten(payload="-_-_"),
    "payload with other trailing bits": rewritten(payload="e31="),
    "payload type null": rewritten(payloadType=None),
    "no signatures": rewritten(signatures=[]),
    "signatures an object": rewritten(signatures=SIG),
    "signatures missing": rewritten(signatures=None),
    "nine signatures": rewritten(
        signatures=[{"keyid": f"{i:016x}", "sig": SIG["sig"]} for i in range(9)]
    ),
    "the same signature twice": rewritten(signatures=[SIG, SIG]),
    "one key id twice": rewritten(signatures=[SIG, SIG | {"sig": "A" * 86 + "=="}]),
    "signature member added": rewritten(signatures=signature(alg="none")),
    "signature without a key id": rewritten(signatures=[{"sig": SIG["sig"]}]),
    "signature without bytes": rewritten(signatures=[{"keyid": SIG["keyid"]}]),
    "signature null": rewritten(signatures=[None]),
    "key id in capitals": rewritten(signatures=signature(keyid=SIG["keyid"].upper())),
    "key id too short": rewritten(signatures=signature(keyid=SIG["keyid"][:15])),
    "key id too long": rewritten(signatures=signature(keyid=SIG["keyid"] + "0")),
    "key id with a newline": rewritten(signatures=signature(keyid=SIG["keyid"] + "\n")),
    "key id with Arabic digits": rewritten(signatures=signature(keyid="\u0661" * 16)),
    "key id a number": rewritten(signatures=signature(keyid=1)),
    "signature cut": rewritten(signatures=signature(sig=SIG["sig"][:84])),
    "signature of 65 bytes": rewritten(
        signatures=signature(sig=base64.b64encode(b"0" * 65).decode())
    ),
    "signature empty": rewritten(signatures=signature(sig="")),
    "signature in hexadecimal": rewritten(signatures=signature(sig="00" * 64)),
    "space after a colon": ORDER.replace(b":", b": ", 1),
    "newline at the end": ORDER + b"\n",
    "space at the beginning": b" " + ORDER,
    "an escaped letter": ORDER.replace(b"payloadType", b"payload\\u0054ype", 1),
    "an escaped slash": ORDER.replace(b"application/", b"application\\/", 1),
    "members in another order": json.dumps(
        dict(reversed(json.loads(ORDER).items())), separators=(",", ":")
    ).encode(),
    "signature members in another order": rewritten(signatures=[dict(reversed(SIG.items()))]),
    "byte order mark": b"\xef\xbb\xbf" + ORDER,
    "UTF-16": ORDER.decode().encode("utf-16"),
    "two envelopes": ORDER + ORDER,
    "cut off": ORDER[:-1],
    "deeply nested": rewritten(payload=[[[[[[]]]]]]),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_any_other_form_is_refused_as_such(data: bytes) -> None:
    """Nothing is read leniently: bytes in another form are another party's interpretation."""
    assert code_of(data) == "envelope_form"


def test_other_kinds_are_refused_as_such() -> None:
    """Neither another kind of ours nor a foreign media type passes, however well signed."""
    receipt = envelope.sign(Kind.RECEIPT, BODY, HUB)
    assert code_of(receipt) == "envelope_kind"
    for foreign in (
        "",
        "application/json",
        "application/vnd.osiris.order.v2+json",
        "application/vnd.osiris.order.v1+json ",
        "Application/vnd.osiris.order.v1+json",
        "order",
    ):
        assert code_of(rewritten(payloadType=foreign)) == "envelope_kind"
    relabelled = receipt.replace(b".receipt.", b".order.")
    assert code_of(relabelled) == "signature_bad"


def test_sizes_are_bounded_on_both_sides() -> None:
    """16 KiB of body pass, a byte more is neither written nor read; nor are 64 KiB of envelope."""
    body = b"1" * envelope.BODY_BYTES_MAX
    data = envelope.sign(Kind.ORDER, body, HUB)
    assert envelope.open_envelope(data, kind=Kind.ORDER, trust=TRUST).body == body
    with pytest.raises(envelope.EnvelopeSizeError):
        envelope.sign(Kind.ORDER, body + b"1", HUB)
    longer = base64.b64encode(body + b"1").decode()
    assert code_of(rewritten(payload=longer)) == "envelope_size"
    assert code_of(b" " * (envelope.ENVELOPE_BYTES_MAX + 1)) == "envelope_size"


@given(st.integers(0, len(ORDER) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(position: int, flip: int) -> None:
    """Any single byte, changed to any other, refuses the envelope."""
    changed = bytearray(ORDER)
    changed[position] ^= flip
    assert code_of(bytes(changed)) in {
        "envelope_form",
        "envelope_kind",
        "signature_bad",
        "signature_threshold",
    }


@given(st.integers(0, len(ORDER)), st.integers(0, 255))
def test_no_byte_can_be_added(position: int, value: int) -> None:
    """Nor can one be put in, anywhere."""
    code_of(ORDER[:position] + bytes([value]) + ORDER[position:])


@given(st.integers(0, len(ORDER) - 1), st.integers(1, len(ORDER)))
def test_nothing_can_be_cut_out(position: int, length: int) -> None:
    """Nor taken away."""
    code_of(ORDER[:position] + ORDER[position + length :])


@given(st.binary(max_size=300), st.sampled_from(Kind), st.integers(1, 8))
def test_what_is_signed_opens_again(body: bytes, kind: Kind, count: int) -> None:
    """Any bytes, any kind, up to eight signers, in their order."""
    signers = [SigningKey(bytes([n + 1]) * 32) for n in range(count)]
    ring = KeyRing(tuple(Holder(f"p{n}", key.public) for n, key in enumerate(signers)))
    data = envelope.sign(kind, body, *signers)
    opened = envelope.open_envelope(data, kind=kind, trust=Threshold(ring, people=count))
    assert (opened.body, opened.signers) == (body, ring.holders)


class TestSigners:
    """Who counts, and what a signature that does not count may do."""

    def test_a_signature_by_an_unknown_key_is_ignored_and_not_counted(self) -> None:
        """Eve's good signature neither helps nor harms."""
        data = envelope.sign(Kind.ORDER, BODY, EVE, HUB)
        assert envelope.open_envelope(data, kind=Kind.ORDER, trust=TRUST).signers == (
            Holder("hub", HUB.public),
        )
        assert code_of(envelope.sign(Kind.ORDER, BODY, EVE)) == "signature_threshold"

    def test_a_bad_signature_by_a_known_key_refuses_all(self) -> None:
        """Even when enough good ones stand beside it."""
        bad = envelope.Signature(ANN.public.key_id, BOB.sign(envelope.pae(Kind.ORDER, BODY)))
        good = envelope.signature_of(Kind.ORDER, BODY, signer=BOB)
        data = envelope.assemble(Kind.ORDER, BODY, signatures=(good, bad))
        assert code_of(data, trust=Threshold(TWO_PEOPLE.ring)) == "signature_bad"

    def test_one_key_under_two_ids_is_one(self) -> None:
        """The second id is unknown, whatever its bytes say: ids are worked out from keys."""
        ann = envelope.signature_of(Kind.ORDER, BODY, signer=ANN)
        alias = envelope.Signature("0123456789abcdef", ann.raw)
        data = envelope.assemble(Kind.ORDER, BODY, signatures=(ann, alias))
        assert code_of(data, trust=TWO_PEOPLE) == "signature_threshold"

    def test_ann_cannot_sign_for_bob(self) -> None:
        """Her signature under his key id is a bad signature by a known key."""
        ann = envelope.signature_of(Kind.ORDER, BODY, signer=ANN)
        data = envelope.assemble(
            Kind.ORDER, BODY, signatures=(ann, envelope.Signature(BOB.public.key_id, ann.raw))
        )
        assert code_of(data, trust=TWO_PEOPLE) == "signature_bad"

    def test_one_person_with_two_keys_is_not_two_people(self) -> None:
        """Thresholds count people."""
        ring = KeyRing(
            (Holder("ann", ANN.public), Holder("ann", EVE.public), Holder("bob", BOB.public))
        )
        data = envelope.sign(Kind.ORDER, BODY, ANN, EVE)
        assert code_of(data, trust=Threshold(ring, people=2)) == "signature_threshold"

    def test_people_sign_the_same_bytes_apart_and_the_hub_joins_them(self) -> None:
        """The statement's name is fixed before anybody signs, and stays."""
        data = envelope.sign(Kind.ORDER, BODY, ANN)
        bob = envelope.signature_of(Kind.ORDER, BODY, signer=BOB)
        joined = envelope.parse(data).with_signature(bob)
        assert joined == envelope.sign(Kind.ORDER, BODY, ANN, BOB)
        opened = envelope.open_envelope(joined, kind=Kind.ORDER, trust=TWO_PEOPLE)
        assert opened.sid == envelope.sid(Kind.ORDER, BODY)

    def test_a_signature_of_one_kind_or_body_is_none_of_another(self) -> None:
        """A consent cannot be made into a veto, nor one order's signature into another's."""
        consent = envelope.signature_of(Kind.CONSENT, BODY, signer=HUB)
        assert code_of(envelope.assemble(Kind.ORDER, BODY, signatures=(consent,))) == (
            "signature_bad"
        )
        order = envelope.signature_of(Kind.ORDER, BODY + b" ", signer=HUB)
        assert code_of(envelope.assemble(Kind.ORDER, BODY, signatures=(order,))) == "signature_bad"

    def test_signing_refuses_what_no_reader_takes(self) -> None:
        """Nobody, nine people, or one person twice."""
        nine = [SigningKey(bytes([n]) * 32) for n in range(9)]
        for signers in ([], nine, [HUB, HUB]):
            with pytest.raises(envelope.EnvelopeFormError):
                envelope.sign(Kind.ORDER, BODY, *signers)


class TestUnverified:
    """A parsed envelope says who may verify it, and nothing more."""

    def test_the_body_is_not_handed_out_before_verifying(self) -> None:
        """No public attribute holds it, and printing does not show it."""
        parsed = envelope.parse(ORDER)
        assert parsed.kind is Kind.ORDER
        assert parsed.key_ids == (HUB.public.key_id,)
        public = [name for name in dir(parsed) if not name.startswith("_")]
        assert public == ["key_ids", "kind", "open", "with_signature"]
        assert "run_drift" not in repr(parsed)
        assert parsed.open(kind=Kind.ORDER, trust=TRUST).body == BODY

    def test_pinned_bytes_are_believed_without_a_key_and_no_others(self) -> None:
        """First trust: the digest came by another way."""
        digest = hashlib.sha256(ORDER).digest()
        for pin in (digest, digest[:16]):
            opened = envelope.open_pinned(ORDER, kind=Kind.ORDER, digest=pin)
            assert (opened.body, opened.signers) == (BODY, ())
        other = envelope.sign(Kind.ORDER, BODY, EVE)
        for data, code in ((other, "signature_bad"), (ORDER + b" ", "signature_bad")):
            with pytest.raises(OsirisError) as caught:
                envelope.open_pinned(data, kind=Kind.ORDER, digest=digest)
            assert caught.value.code == code
        with pytest.raises(envelope.EnvelopeKindError):
            envelope.open_pinned(ORDER, kind=Kind.ROOT, digest=digest)
        for pin in (b"", digest[:15], digest + b"\x00"):
            with pytest.raises(InvariantError):
                envelope.open_pinned(ORDER, kind=Kind.ORDER, digest=pin)
