"""Our envelopes are DSSE: another project's reader takes them, and counts as it counts."""

import json

import pytest
from securesystemslib import dsse, exceptions, signer

from proto import envelope, strict_json
from proto.envelope import Kind
from tests.unit.order_world import body, key, signed

LEAF = signed(body(), "ada")


def their_key(name: str, *, as_id: str | None = None) -> signer.Key:
    """Return one of our keys in their form."""
    public = key(name).public
    return signer.SSlibKey(
        as_id or public.key_id, "ed25519", "ed25519", {"public": public.raw.hex()}
    )


def test_the_signed_bytes_are_theirs() -> None:
    theirs = dsse.Envelope.from_dict(json.loads(LEAF))
    assert theirs.pae() == envelope.pae(Kind.ORDER, strict_json.dumps(body()))
    assert theirs.payload == strict_json.dumps(body())


def test_both_signatures_verify_there() -> None:
    theirs = dsse.Envelope.from_dict(json.loads(LEAF))
    found = theirs.verify([their_key("order"), their_key("ada")], 2)
    assert set(found) == {key("order").public.key_id, key("ada").public.key_id}


def test_a_changed_payload_is_refused_there_too() -> None:
    document = json.loads(LEAF)
    document["payload"] = strict_json.b64_encode(strict_json.dumps(body(reason="another")))
    theirs = dsse.Envelope.from_dict(document)
    with pytest.raises(exceptions.VerificationError):
        theirs.verify([their_key("order"), their_key("ada")], 1)
