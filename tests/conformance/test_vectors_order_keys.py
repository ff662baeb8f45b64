"""Public Ed25519 vectors against what trusts keys: none of their tricks gets a key or an order in.

The vectors' messages are not our signed bytes, so whatever signature they bring must be refused
over an order; and a key that is not a canonical point of prime order must not even be listed.
"""

from dataclasses import replace

import pytest

from appliance.core.order_gate import gate
from appliance.core.order_gate.values import Refused
from proto import envelope, strict_json
from proto.envelope import Kind, Signature
from proto.errors import MalformedError
from proto.grants import GrantSet, Trust
from proto.keys import PublicKey, UntrustworthyKeyError, key_id
from proto.order_codes import Code
from tests.conformance import vectors
from tests.unit import order_world as world
from tests.unit.order_world import SITUATION, TRUST, body, key, logged

WYCHEPROOF = vectors.need("wycheproof") / "ed25519_test.json"
CCTV = vectors.need("cctv-ed25519") / "ed25519vectors.json"
SPECCHECK = vectors.need("ed25519-speccheck") / "cases.json"
BODY = strict_json.dumps(body())


def public_keys() -> dict[bytes, str]:
    """Return every public key of the three sets, and from which it is."""
    found = {bytes.fromhex(case["key"]): "cctv" for case in vectors.read_json(CCTV)}
    found |= {bytes.fromhex(one["pub_key"]): "speccheck" for one in vectors.read_json(SPECCHECK)}
    for group in vectors.read_json(WYCHEPROOF)["testGroups"]:
        found[bytes.fromhex(group["publicKey"]["pk"])] = "wycheproof"
    return found


def is_trustworthy(raw: bytes) -> bool:
    try:
        PublicKey(raw)
    except UntrustworthyKeyError:
        return False
    return True


def test_grants_and_authority_list_no_key_that_a_trick_works_with() -> None:
    keys = public_keys()
    refused = 0
    for raw in keys:
        text = strict_json.b64_encode(raw)
        listed = world.authority(
            people=[world.person("eve", keys=[world.use("eve") | {"key": text}])]
        )
        if is_trustworthy(raw):
            GrantSet.from_bytes(strict_json.dumps(world.grants(world.grant(key=text))))
            world.authority_set(listed)
            continue
        refused += 1
        for read in (
            lambda text=text: world.grant_set(world.grants(world.grant(key=text))),
            lambda listed=listed: world.authority_set(listed),
        ):
            with pytest.raises((UntrustworthyKeyError, MalformedError)):
                read()
    assert refused >= 14, "small-order, mixed and non-canonical points are among the vectors"
    assert len(keys) - refused >= 5


def test_no_signature_of_the_vectors_signs_an_order() -> None:
    """Every signature of 64 bytes, under its own key as a granted order key."""
    tried = 0
    for group in vectors.read_json(WYCHEPROOF)["testGroups"]:
        raw = bytes.fromhex(group["publicKey"]["pk"])
        if not is_trustworthy(raw):
            continue
        text = strict_json.b64_encode(raw)
        trust = Trust(TRUST.authority, world.grant_set(world.grants(world.grant(key=text))))
        for case in group["tests"]:
            signature = bytes.fromhex(case["sig"])
            if len(signature) != 64:
                continue
            tried += 1
            made = (Signature(key_id(raw), signature),)
            leaf = envelope.assemble(Kind.ORDER, BODY, signatures=made)
            delivery, head = logged(leaf)
            found = gate.read(delivery, head=head, trust=trust)
            assert isinstance(found, Refused)
            assert found.code is Code.SIGNATURE_BAD, case["comment"]
    assert tried > 100


def test_a_signature_made_longer_or_shorter_is_no_envelope() -> None:
    good = envelope.signature_of(Kind.ORDER, BODY, signer=key("order"))
    for raw in (good.raw + b"\x00", good.raw[:-1], b""):
        leaf = envelope.assemble(Kind.ORDER, BODY, signatures=(replace(good, raw=raw),))
        delivery, head = logged(leaf)
        found = gate.read(delivery, head=head, trust=SITUATION.trust)
        assert isinstance(found, Refused)
        assert found.code is Code.ENVELOPE_FORM
