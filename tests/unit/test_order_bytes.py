"""Bytes that are no honest order: each is refused with its own code, and uses up nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance.core.order_gate import gate
from appliance.core.order_gate.values import Accepted, Delivery, Refused
from proto import envelope, strict_json
from proto.envelope import Kind
from proto.order import LogPlace
from proto.order_codes import Code
from proto.orders.kinds import OrderType
from tests.unit.core_values import SITE
from tests.unit.order_world import NOW, SITUATION, body, key, logged, refusal, signed, verdict_on

GOOD = signed(body())


def outer(leaf: bytes, change: Callable[[dict[str, object]], object]) -> bytes:
    """Change an envelope's JSON and write it compactly again."""
    document = json.loads(leaf)
    change(document)
    return json.dumps(document, separators=(",", ":")).encode()


def other_b64(leaf: bytes) -> bytes:
    """Return the envelope with a payload that decodes to the same bytes, written otherwise."""
    document = json.loads(leaf)
    text = document["payload"]
    assert text.endswith("=")
    place = len(text.rstrip("=")) - 1
    swapped = {"A": "B", "Q": "R", "g": "h", "w": "x"}.get(text[place])
    document["payload"] = text[:place] + (swapped or "B") + text[place + 1 :]
    return json.dumps(document, separators=(",", ":")).encode()


def padded_body() -> dict[str, object]:
    """Return a body whose base64 is padded, so that it could be written in two ways."""
    for length in range(1, 4):
        document = body(reason="x" * length)
        if len(strict_json.dumps(document)) % 3:
            return document
    raise AssertionError


def raw(text: str) -> bytes:
    """Sign a body that is given as text."""
    return signed(text.encode())


def text_of(**changes: Any) -> str:  # noqa: ANN401 - JSON
    return strict_json.dumps(body(**changes)).decode()


BYTES: list[tuple[str, bytes, Code]] = [
    ("larger than any", b"x" * 70_000, Code.ENVELOPE_SIZE),
    ("nothing", b"", Code.ENVELOPE_FORM),
    (
        "an outer member added",
        outer(GOOD, lambda one: one.update(target={"site": SITE})),
        Code.ENVELOPE_FORM,
    ),
    (
        "a member of a signature added",
        outer(GOOD, lambda one: one["signatures"][0].update(kid="x")),  # type: ignore[index]
        Code.ENVELOPE_FORM,
    ),
    ("spaces between members", json.dumps(json.loads(GOOD)).encode(), Code.ENVELOPE_FORM),
    ("base64 with other last bits", other_b64(signed(padded_body())), Code.ENVELOPE_FORM),
    (
        "base64 of the other alphabet",
        outer(GOOD, lambda one: one.update(payload="-_" + str(one["payload"])[2:])),
        Code.ENVELOPE_FORM,
    ),
    (
        "base64 with a newline",
        outer(GOOD, lambda one: one.update(payload=str(one["payload"]) + "\n")),
        Code.ENVELOPE_FORM,
    ),
    (
        "base64 without its padding",
        outer(signed(padded_body()), lambda one: one.update(payload=str(one["payload"])[:-1])),
        Code.ENVELOPE_FORM,
    ),
    (
        "a payload type of nobody's",
        outer(GOOD, lambda one: one.update(payloadType="application/json")),
        Code.ENVELOPE_KIND,
    ),
    (
        "the same body signed as an ask",
        envelope.sign(Kind.ASK, strict_json.dumps(body()), key("order")),
        Code.ENVELOPE_KIND,
    ),
    (
        "signed as an ask, relabelled as an order",
        outer(
            envelope.sign(Kind.ASK, strict_json.dumps(body()), key("order")),
            lambda one: one.update(payloadType=Kind.ORDER.payload_type),
        ),
        Code.SIGNATURE_BAD,
    ),
    (
        "signed by a stranger",
        envelope.sign(Kind.ORDER, strict_json.dumps(body()), key("stranger")),
        Code.SIGNATURE_THRESHOLD,
    ),
    (
        "signed by the head key",
        envelope.sign(Kind.ORDER, strict_json.dumps(body()), key("head")),
        Code.SIGNATURE_THRESHOLD,
    ),
    ("a duplicate member", raw(text_of()[:-1] + ',"exp":1}'), Code.BODY_JSON),
    ("a float", raw(text_of().replace(f'"exp":{NOW + 3000}', '"exp":1.8e9')), Code.BODY_JSON),
    ("an integer beyond 2^53", raw(text_of().replace(str(NOW + 3000), "9" * 17)), Code.BODY_JSON),
    ("a byte order mark", signed(b"\xef\xbb\xbf" + text_of().encode()), Code.BODY_JSON),
    ("a list", raw("[]"), Code.BODY_JSON),
    ("true for one", raw(text_of(v=True)), Code.BODY_SCHEMA),
    ("an unknown member", raw(text_of(script="id")), Code.BODY_SCHEMA),
    ("no expiry", raw(text_of(exp=...)), Code.BODY_SCHEMA),
    ("no nonce", raw(text_of(nonce=...)), Code.BODY_SCHEMA),
    ("a nonce with a newline", raw(text_of(nonce="0" * 31 + "\n")), Code.BODY_SCHEMA),
    ("a nonce of other digits", raw(text_of(nonce="\u0661" * 32)), Code.BODY_SCHEMA),
    ("a text for a time", raw(text_of(exp=str(NOW + 3000))), Code.BODY_SCHEMA),
    ("a size written with a nought", raw(text_of(prev="05:" + "A" * 43 + "=")), Code.BODY_SCHEMA),
    ("a reason on two lines", raw(text_of(reason="one\ntwo")), Code.BODY_SCHEMA),
    ("a reason that runs backwards", raw(text_of(reason="a\u202eb")), Code.BODY_SCHEMA),
    ("no target", raw(text_of(target=...)), Code.BODY_TARGET),
    ("a null target", raw(text_of(target=None)), Code.BODY_TARGET),
    ("an empty target", raw(text_of(target="")), Code.BODY_TARGET),
    ("a target of nothing", raw(text_of(target={})), Code.BODY_TARGET),
    ("a null site", raw(text_of(target={"site": None})), Code.BODY_TARGET),
    ("an empty site", raw(text_of(target={"site": ""})), Code.BODY_TARGET),
    ("a star for a site", raw(text_of(target={"site": "*"})), Code.BODY_TARGET),
    (
        "a null appliance",
        raw(text_of(target={"site": SITE, "appliance": None})),
        Code.BODY_TARGET,
    ),
    (
        "an empty appliance",
        raw(text_of(target={"site": SITE, "appliance": ""})),
        Code.BODY_TARGET,
    ),
    ("an unknown type", raw(text_of(type="run_script")), Code.TYPE_UNKNOWN),
    ("a type with a newline", raw(text_of(type="run_drift\n")), Code.TYPE_UNKNOWN),
]


@pytest.mark.parametrize(("what", "leaf", "code"), BYTES, ids=[row[0] for row in BYTES])
def test_bytes_that_are_no_honest_order_are_refused(what: str, leaf: bytes, code: Code) -> None:
    refused = refusal(leaf)
    assert refused.code is code, (what, refused.detail)
    assert refused.reason.is_security
    assert not refused.is_believed


def test_a_signature_that_was_changed_refuses_whatever_else_was_signed() -> None:
    def spoil(document: dict[str, object]) -> None:
        signature = document["signatures"][1]  # type: ignore[index]
        raw_bytes = bytearray(strict_json.b64_decode(signature["sig"], "sig"))
        raw_bytes[40] ^= 1
        signature["sig"] = strict_json.b64_encode(bytes(raw_bytes))

    assert refusal(outer(signed(body(), "ada"), spoil)).code is Code.SIGNATURE_BAD


def test_an_order_that_is_not_in_the_log_is_refused() -> None:
    delivery, head = logged(GOOD)
    stranger = replace(delivery, leaf=signed(body(reason="never logged")))
    elsewhere = replace(delivery, index=delivery.index - 1)
    for one, at in ((stranger, head), (elsewhere, head), (delivery, LogPlace(6, bytes(32)))):
        found = gate.read(one, head=at, trust=SITUATION.trust)
        assert isinstance(found, Refused)
        assert found.code is Code.LEAF_ABSENT
    beyond = gate.read(Delivery(GOOD, 6, ()), head=head, trust=SITUATION.trust)
    assert isinstance(beyond, Refused)
    assert beyond.code is Code.LEAF_ABSENT


def test_one_key_under_two_ids_is_one_key() -> None:
    """The second copy is by no known key: it is ignored, and counts for nobody."""

    def repeat(document: dict[str, object]) -> None:
        signatures = document["signatures"]
        signatures.append({"keyid": "00" * 8, "sig": signatures[1]["sig"]})  # type: ignore[attr-defined,index]

    dangerous = outer(signed(body(OrderType.DISABLE_HEALING), "ada"), repeat)
    assert refusal(dangerous).code is Code.PEOPLE_TOO_FEW
    change = outer(signed(body(OrderType.UPDATE_AGENT), "ada"), repeat)
    accepted = verdict_on(change)
    assert isinstance(accepted, Accepted)
    assert accepted.people == ("ada",)
