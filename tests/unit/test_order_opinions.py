"""Vetoes, consents, ends of holds, asks and heads: verified first, by whom they count."""

from collections.abc import Callable
from typing import Any

import pytest

from proto import envelope, strict_json
from proto.asks import Ask, open_ask
from proto.envelope import Kind
from proto.errors import OsirisError
from proto.heads import open_head
from proto.hub.check_in import Head
from proto.keys import Holder, trust_one
from proto.opinions import (
    Clear,
    Consent,
    LanVeto,
    OperatorVeto,
    open_clear,
    open_consent,
    open_operators_clear,
    open_veto,
)
from proto.orders.kinds import OrderType
from tests.unit import order_world as world
from tests.unit.core_values import SITE
from tests.unit.order_world import (
    APPLIANCE,
    NOW,
    OTHER_APPLIANCE,
    OTHER_SITE,
    key,
)

AUTHORITY = world.authority_set()
HOLDER = Holder(APPLIANCE, key("appliance").public)
ORDER = "12" * 32

VETO: dict[str, Any] = {
    "v": 1,
    "type": "operator",
    "site": SITE,
    "order": ORDER,
    "reason": "not now",
    "by": "ada",
    "iat": NOW,
}
LAN_VETO: dict[str, Any] = {
    "v": 1,
    "type": "lan",
    "site": SITE,
    "appliance": APPLIANCE,
    "order": ORDER,
    "commit": strict_json.b64_encode(bytes(32)),
    "by": "eva",
    "iat": NOW,
}
CONSENT: dict[str, Any] = {
    "v": 1,
    "type": "order",
    "site": SITE,
    "appliance": APPLIANCE,
    "order": ORDER,
    "by": "eva",
    "iat": NOW,
}
CLEAR: dict[str, Any] = {
    "v": 1,
    "type": "clear",
    "site": SITE,
    "appliance": APPLIANCE,
    "since": NOW - 60,
    "by": "eva",
    "iat": NOW,
}


def sealed(kind: Kind, document: dict[str, Any], *signers: str) -> bytes:
    return envelope.sign(kind, strict_json.dumps(document), *(key(name) for name in signers))


def veto(document: dict[str, Any], *signers: str) -> OperatorVeto | LanVeto:
    data = sealed(Kind.VETO, document, *signers)
    return open_veto(data, authority=AUTHORITY, site=SITE, appliance=HOLDER, now_s=NOW)


def consent(document: dict[str, Any], *signers: str) -> Consent:
    data = sealed(Kind.CONSENT, document, *signers)
    return open_consent(data, site=SITE, appliance=HOLDER, now_s=NOW)


def clear(document: dict[str, Any], *signers: str) -> Clear:
    data = sealed(Kind.CONSENT, document, *signers)
    return open_clear(data, authority=AUTHORITY, site=SITE, appliance=HOLDER, now_s=NOW)


def hubs_clear(document: dict[str, Any], *signers: str, people: int = 2) -> Clear:
    data = sealed(Kind.CONSENT, document, *signers)
    return open_operators_clear(data, authority=AUTHORITY, now_s=NOW, people=people)


def test_any_operator_may_veto_even_of_other_sites_and_so_may_the_lan() -> None:
    assert veto(VETO, "ada").order == ORDER
    assert veto(VETO | {"by": "cyd"}, "cyd").by == "cyd"
    assert isinstance(veto(LAN_VETO, "appliance"), LanVeto)


def test_a_person_on_the_lan_consents_through_the_appliance() -> None:
    assert consent(CONSENT, "appliance").by == "eva"


def test_two_operators_or_a_person_on_the_lan_end_a_hold() -> None:
    assert clear(CLEAR, "appliance").since == NOW - 60
    assert clear(CLEAR | {"by": "ada"}, "ada", "bea").by == "ada"
    # A third signature, by an operator of another site, adds nothing and takes nothing away.
    assert clear(CLEAR | {"by": "ada"}, "ada", "bea", "cyd").by == "ada"
    assert hubs_clear(CLEAR | {"by": "ada"}, "ada", "bea").by == "ada"
    assert hubs_clear(CLEAR | {"by": "cyd", "site": OTHER_SITE}, "ada", "cyd").by == "cyd"


def test_a_person_on_the_lan_ends_a_hold_that_began_before_the_clock_was_set_back() -> None:
    assert clear(CLEAR | {"since": NOW + 9000}, "appliance").since == NOW + 9000


Bad = tuple[str, Callable[[], object], str]

BAD: list[Bad] = [
    ("a veto by an online key", lambda: veto(VETO, "order"), "signature_threshold"),
    ("a veto by a stranger", lambda: veto(VETO, "eve"), "signature_threshold"),
    ("a veto by a key that is over", lambda: veto(VETO | {"by": "dot"}, "dot"), "signature_threshold"),  # noqa: E501 - one row
    ("a veto in another's name", lambda: veto(VETO | {"by": "bea"}, "ada"), "opinion_scope"),
    ("a veto of another site", lambda: veto(VETO | {"site": OTHER_SITE}, "ada"), "opinion_scope"),
    ("an operator's veto for the LAN", lambda: veto(LAN_VETO, "ada"), "opinion_scope"),
    ("a veto of another appliance", lambda: veto(LAN_VETO | {"appliance": OTHER_APPLIANCE}, "appliance"), "opinion_scope"),  # noqa: E501 - one row
    ("a veto of tomorrow", lambda: veto(VETO | {"iat": NOW + 121}, "ada"), "opinion_future"),
    ("a veto with more", lambda: veto(VETO | {"more": 1}, "ada"), "malformed"),
    ("a veto of everything", lambda: veto(VETO | {"order": "all"}, "ada"), "malformed"),
    ("a veto as an order", lambda: open_veto(sealed(Kind.ORDER, VETO, "ada"), authority=AUTHORITY, site=SITE, appliance=HOLDER, now_s=NOW), "envelope_kind"),  # noqa: E501 - one row
    ("a consent by an operator", lambda: consent(CONSENT, "ada", "bea"), "signature_threshold"),
    ("a consent by the hub", lambda: consent(CONSENT, "order", "head"), "signature_threshold"),
    ("a consent of another site", lambda: consent(CONSENT | {"site": OTHER_SITE}, "appliance"), "opinion_scope"),  # noqa: E501 - one row
    ("a consent of another appliance", lambda: consent(CONSENT | {"appliance": OTHER_APPLIANCE}, "appliance"), "opinion_scope"),  # noqa: E501 - one row
    ("a consent of tomorrow", lambda: consent(CONSENT | {"iat": NOW + 121}, "appliance"), "opinion_future"),  # noqa: E501 - one row
    ("an end of a hold as a consent", lambda: consent(CLEAR, "appliance"), "malformed"),
    ("a consent by nobody", lambda: consent(CONSENT | {"by": ""}, "appliance"), "malformed"),
    ("an end of a hold by one", lambda: clear(CLEAR, "ada"), "signature_threshold"),
    ("an end of a hold by the hub", lambda: clear(CLEAR, "order", "head", "log"), "signature_threshold"),  # noqa: E501 - one row
    ("an end of a hold by one and an old key", lambda: clear(CLEAR, "ada", "dot"), "signature_threshold"),  # noqa: E501 - one row
    ("an end of a hold by one and one of another site", lambda: clear(CLEAR | {"by": "ada"}, "ada", "cyd"), "signature_threshold"),  # noqa: E501 - one row
    ("the same at the hub", lambda: hubs_clear(CLEAR | {"by": "ada"}, "ada", "cyd"), "signature_threshold"),  # noqa: E501 - one row
    ("half an end of a hold by one of another site", lambda: hubs_clear(CLEAR | {"by": "cyd"}, "cyd", people=1), "signature_threshold"),  # noqa: E501 - one row
    ("an end of a hold in the name of one of another site", lambda: clear(CLEAR | {"by": "cyd"}, "ada", "bea", "cyd"), "opinion_scope"),  # noqa: E501 - one row
    ("an end of a hold that has not begun", lambda: clear(CLEAR | {"by": "ada", "since": NOW + 121}, "ada", "bea"), "opinion_future"),  # noqa: E501 - one row
    ("half an end of a hold that has not begun", lambda: hubs_clear(CLEAR | {"by": "ada", "since": NOW + 121}, "ada", people=1), "opinion_future"),  # noqa: E501 - one row
    ("a consent as an end of a hold", lambda: clear(CONSENT, "appliance"), "malformed"),
    ("an end of another site's hold", lambda: clear(CLEAR | {"site": OTHER_SITE}, "ada", "bea"), "opinion_scope"),  # noqa: E501 - one row
]  # fmt: skip


@pytest.mark.parametrize(("what", "speak", "code"), BAD, ids=[row[0] for row in BAD])
def test_what_does_not_count_is_refused_with_its_code(
    what: str, speak: Callable[[], object], code: str
) -> None:
    with pytest.raises(OsirisError) as caught:
        speak()
    assert caught.value.code == code, what


ASK: dict[str, Any] = {
    "v": 1,
    "type": "run_drift",
    "targets": [{"site": SITE}, {"site": SITE, "appliance": APPLIANCE}],
    "params": {"on": "all", "checks": "all"},
    "life_s": 3600,
    "not_before": NOW,
    "people": 0,
    "reason": "after the update",
    "by": "ada",
    "iat": NOW,
    "nonce": "0" * 32,
}


def ask(document: dict[str, Any], *signers: str, now_s: int = NOW) -> Ask:
    return open_ask(sealed(Kind.ASK, document, *signers), authority=AUTHORITY, now_s=now_s)


def test_an_operator_asks_for_several_targets_at_once() -> None:
    found = ask(ASK, "ada")
    assert found.type is OrderType.RUN_DRIFT
    assert [target.site for target in found.targets] == [SITE, SITE]


ASKS: list[tuple[str, dict[str, Any], str, str]] = [
    ("an online key asks", {}, "order", "signature_threshold"),
    ("in another's name", {"by": "bea"}, "ada", "ask_signer"),
    ("of an hour ago", {"iat": NOW - 601}, "ada", "ask_time"),
    ("of tomorrow", {"iat": NOW + 121}, "ada", "ask_time"),
    ("for nobody", {"targets": []}, "ada", "malformed"),
    ("for null", {"targets": None}, "ada", "malformed"),
    ("for the fleet", {"targets": "all"}, "ada", "malformed"),
    ("for an empty appliance", {"targets": [{"site": SITE, "appliance": ""}]}, "ada", "malformed"),
    ("for one site twice", {"targets": [{"site": SITE}] * 2}, "ada", "malformed"),
    ("with odd parameters", {"params": {"on": "*", "checks": "all"}}, "ada", "malformed"),
    ("for two days", {"life_s": 2 * 86_400}, "ada", "malformed"),
    ("of no type", {"type": "shell"}, "ada", "malformed"),
    ("for more people than can sign", {"people": 8}, "ada", "malformed"),
    ("with more", {"more": 1}, "ada", "malformed"),
]


@pytest.mark.parametrize(("what", "changes", "signer", "code"), ASKS, ids=[row[0] for row in ASKS])
def test_an_ask_that_nobody_may_ask_is_refused(
    what: str, changes: dict[str, Any], signer: str, code: str
) -> None:
    with pytest.raises(OsirisError) as caught:
        ask(ASK | changes, signer)
    assert caught.value.code == code, what


CHALLENGE = strict_json.b64_encode(bytes(range(16)))
HEAD = Head(challenge=CHALLENGE, time=NOW, state=strict_json.b64_encode(bytes(32)), next_s=60)


def test_a_head_counts_when_it_answers_our_own_challenge() -> None:
    data = envelope.sign(Kind.HEAD, HEAD.to_bytes(), key("head"))
    heads = AUTHORITY.heads(now_s=NOW)
    assert open_head(data, challenge=CHALLENGE, heads=heads).time == NOW
    for wanted, trust, code in (
        (strict_json.b64_encode(bytes(16)), heads, "head_challenge"),
        (CHALLENGE, trust_one("other", key("order").public), "signature_threshold"),
    ):
        with pytest.raises(OsirisError) as caught:
            open_head(data, challenge=wanted, heads=trust)
        assert caught.value.code == code


def test_no_head_key_counts_after_its_time() -> None:
    with pytest.raises(OsirisError):
        AUTHORITY.heads(now_s=NOW + 400 * 86_400)
