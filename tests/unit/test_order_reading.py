"""Nobody signs bytes that say anything else than what was asked for and shown."""

from typing import Any

import pytest

from osiris.desk import reading
from osiris.desk.reading import BatchDiffersError, BytesChangedError, NotReadyError, Read
from proto import strict_json
from proto.authority import AuthoritySet
from proto.envelope import Kind, sign
from proto.errors import OsirisError
from proto.hub.desk import OrderLine, OrderToSign, batch_name
from proto.order import sid_of
from proto.orders.kinds import OrderType
from tests.unit import order_world as world
from tests.unit.core_values import SITE, TARGET

HOUR = 3600
AUTHORITY = world.authority_set()
BODY = world.body(OrderType.ISOLATE_HOST, iat=world.NOW - 10, exp=world.NOW - 10 + HOUR)
ASK: dict[str, Any] = {
    "v": 1,
    "type": "isolate_host",
    "targets": [BODY["target"]],
    "params": BODY["params"],
    "life_s": HOUR,
    "not_before": 0,
    "people": 0,
    "reason": BODY["reason"],
    "by": "ada",
    "iat": world.NOW - 20,
    "nonce": "0" * 32,
}


def envelope(document: dict[str, Any], signer: str = "ada") -> bytes:
    return sign(Kind.ASK, strict_json.dumps(document), world.key(signer))


def given(body: dict[str, Any], *, ask: bytes | None = None, sid: str = "") -> OrderToSign:
    """Return what a hub gives for a body; `sid` is what it claims the name to be."""
    raw = strict_json.dumps(body)
    line = OrderLine(
        draft="d1",
        batch=batch_name(strict_json.dumps(ASK)),
        site=SITE,
        appliance=world.APPLIANCE,
        type=OrderType.ISOLATE_HOST,
        tier=3,  # type: ignore[arg-type]  # as JSON gives it
        reason="as the hub tells it",
        by="ada",
        asked=world.NOW,
        people=2,
        approved=(),
        vetoed=(),
        sid=sid or sid_of(raw).hex(),
        exp=body["exp"],
        leaf=None,
        stage="waits_for_people",
        code=None,
        answers=(),
    )
    shown = strict_json.b64_encode(ask) if ask else None
    return OrderToSign(line=line, body=strict_json.b64_encode(raw), ask=shown)


def read(
    one: OrderToSign, *, kept: bytes | None = None, authority: AuthoritySet | None = AUTHORITY
) -> Read:
    return reading.read_bytes(one, kept=kept, authority=authority, now_s=world.NOW)


def test_bytes_that_say_what_was_asked_are_shown_with_whose_word_stands_behind_them() -> None:
    own = envelope(ASK)
    assert read(given(BODY), kept=own).origin.startswith("you, at this desk")
    assert read(given(BODY, ask=own)).origin.startswith("ada, who signed")
    assert "nobody signed the wish" in read(given(BODY)).origin
    assert "no authority file" in read(given(BODY, ask=own), authority=None).origin


CHANGES: dict[str, dict[str, Any]] = {
    "another target": {"target": {"site": SITE, "appliance": world.OTHER_APPLIANCE}},
    "every appliance": {"target": {"site": SITE}},
    "another site": {"target": {"site": world.OTHER_SITE, "appliance": world.APPLIANCE}},
    "other parameters": {"params": {"target": TARGET, "action": "isolate", "minutes": 11}},
    "another type": {"type": "remove_sensor", "params": {"target": TARGET}},
    "another reason": {"reason": "because"},
    "another name": {"by": "bea"},
    "a longer life": {"exp": world.NOW - 10 + HOUR + 1},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("how", ["kept", "shown", "unknown"])
def test_bytes_changed_between_draft_and_approve_are_refused(
    changes: dict[str, Any], how: str
) -> None:
    own = envelope(ASK)
    kept = own if how == "kept" else None
    authority = None if how == "unknown" else AUTHORITY
    with pytest.raises(BytesChangedError):
        read(given(BODY | changes, ask=own), kept=kept, authority=authority)


def test_an_earlier_start_than_asked_for_is_refused() -> None:
    later = envelope(ASK | {"not_before": world.NOW + 600})
    with pytest.raises(BytesChangedError, match="start"):
        read(given(BODY), kept=later)


def test_a_true_is_not_a_one() -> None:
    params = {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {"a": True}}
    body = world.body(OrderType.HEALING, params=params, exp=world.NOW - 10 + HOUR)
    ask = ASK | {"type": "healing", "params": {**params, "params": {"a": 1}}}
    with pytest.raises(BytesChangedError, match="parameters"):
        read(given(body), kept=envelope(ask))


def test_the_desks_own_ask_counts_and_not_the_one_that_the_hub_shows() -> None:
    changed = BODY | {"reason": "because"}
    shown = envelope(ASK | {"reason": "because"})
    assert read(given(changed, ask=shown)).order.reason == "because"
    with pytest.raises(BytesChangedError):
        read(given(changed, ask=shown), kept=envelope(ASK))


@pytest.mark.parametrize("signer", ["mallory", "order", "bea", "dot"])
def test_an_ask_that_the_person_it_names_did_not_sign_is_refused(signer: str) -> None:
    with pytest.raises(BytesChangedError, match="ask"):
        read(given(BODY, ask=envelope(ASK, signer)))


def test_other_bytes_under_the_same_name_are_refused() -> None:
    with pytest.raises(BytesChangedError, match="other bytes under this name"):
        read(given(BODY | {"reason": "because"}, sid=sid_of(strict_json.dumps(BODY)).hex()))


def test_what_is_no_order_is_refused() -> None:
    with pytest.raises(OsirisError):
        read(given(BODY | {"more": 1}))


def test_an_order_that_is_over_or_has_no_body_is_not_signed() -> None:
    late = BODY | {"iat": world.NOW - HOUR, "not_before": world.NOW - HOUR, "exp": world.NOW}
    with pytest.raises(NotReadyError, match="its time was over"):
        reading.require_in_time([read(given(late))], now_s=world.NOW)
    with pytest.raises(NotReadyError, match="has no body"):
        read(given(BODY).model_copy(update={"body": None}))


def other(appliance: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    target = {"site": SITE, "appliance": appliance}
    return BODY | {"target": target, "nonce": f"{len(changes) + 1:032x}"} | changes


def test_a_batch_is_shown_once_with_every_place_it_goes_to() -> None:
    orders = [read(given(BODY)), read(given(other(world.OTHER_APPLIANCE)))]
    reading.require_alike(orders)
    said = {line.label: line.text for line in reading.in_words(orders)}
    assert world.APPLIANCE in said["Where (1)"]
    assert world.OTHER_APPLIANCE in said["Where (2)"]
    assert "Where" not in said
    assert said["Minutes"] == "10"


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "because"},
        {"params": {"target": TARGET, "action": "release", "minutes": 10}},
        {"exp": world.NOW + 2 * HOUR},
        {"not_before": world.NOW + 60},
        {"by": "bea"},
    ],
)
def test_orders_that_differ_in_more_than_their_place_are_not_shown_as_one(
    changes: dict[str, Any],
) -> None:
    orders = [read(given(BODY)), read(given(other(world.OTHER_APPLIANCE, **changes)))]
    with pytest.raises(BatchDiffersError):
        reading.require_alike(orders)


def test_one_place_does_not_stand_in_a_batch_twice() -> None:
    orders = [read(given(BODY)), read(given(other(world.APPLIANCE)))]
    with pytest.raises(BatchDiffersError):
        reading.require_alike(orders)
