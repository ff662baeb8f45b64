"""A hub that was taken over answers a desk: with another order, or under another order's name."""

import json
from pathlib import Path

import httpx
import pytest

from osiris.desk.hub_link import HubLink
from osiris.desk.place import Desk, Hub
from osiris.desk.reading import BytesChangedError, NotReadyError, order_in
from osiris.desk.session import Session
from proto import strict_json
from proto.hub.desk import OrderLine, OrderShown, OrderToSign
from proto.order import sid_of
from proto.orders.kinds import OrderType, Tier
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.unit.core_values import SITE
from tests.unit.order_world import NOW, OTHER_SITE, body, key

ASKED = strict_json.dumps(body(OrderType.ISOLATE_HOST))
OTHER = strict_json.dumps(body(OrderType.CANCEL))


class TakenHub(httpx.BaseTransport):
    """Answers whatever is asked with one order, and keeps what was asked."""

    def __init__(self, answer: OrderToSign) -> None:
        """Answer with this."""
        self.answer = answer
        self.asked: list[dict[str, object]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        envelope = json.loads(request.read())
        self.asked.append(json.loads(strict_json.b64_decode(envelope["payload"], "payload")))
        answer = OrderShown(order=self.answer, file=None).to_bytes()
        return httpx.Response(200, stream=httpx.ByteStream(answer))


def order_to_sign(raw: bytes | None, *, sid: str, site: str = SITE) -> OrderToSign:
    """Return an order as a hub gives it, under the name and site that it says."""
    line = OrderLine(
        draft="d1",
        batch="b-1",
        site=site,
        appliance=None,
        type=OrderType.ISOLATE_HOST,
        tier=Tier.DANGEROUS,
        reason="as the hub tells it",
        by="ada",
        asked=NOW,
        people=2,
        approved=(),
        vetoed=(),
        sid=sid,
        exp=NOW + 60,
        leaf=3,
        stage="logged",
        code=None,
        answers=(),
    )
    return OrderToSign(line=line, body=strict_json.b64_encode(raw) if raw else None, ask=None)


def session(hub: TakenHub, directory: Path) -> Session:
    """Return a person at their desk, whose hub this is."""
    link = HubLink(
        Hub("https://hub.example", None),
        httpx.Client(transport=hub),
        person="ada",
        key=key("ada"),
        clock=ManualClock(NOW * 1000),
        entropy=SeededEntropy(),
    )
    return Session(Desk(directory), link, key("ada"))


def test_another_order_than_the_one_that_was_named_is_not_read(tmp_path: Path) -> None:
    """Its bytes hold under their own name; the person named another."""
    name = sid_of(ASKED).hex()
    hub = TakenHub(order_to_sign(OTHER, sid=sid_of(OTHER).hex()))
    with pytest.raises(BytesChangedError, match="the hub answered with order"):
        session(hub, tmp_path).to_sign(name)
    assert [one["order"] for one in hub.asked] == [name]


def test_other_bytes_under_the_name_that_was_asked_for_are_not_read(tmp_path: Path) -> None:
    name = sid_of(ASKED).hex()
    (given,) = session(TakenHub(order_to_sign(OTHER, sid=name)), tmp_path).to_sign(name)
    with pytest.raises(BytesChangedError, match="other bytes under this name"):
        order_in(given)


def test_where_an_order_goes_is_what_its_own_bytes_say(tmp_path: Path) -> None:
    name = sid_of(ASKED).hex()
    hub = TakenHub(order_to_sign(ASKED, sid=name, site=OTHER_SITE))
    (given,) = session(hub, tmp_path).to_sign(name)
    order, raw = order_in(given)
    assert (order.target.site, raw) == (SITE, ASKED)


def test_an_order_without_bytes_says_nothing(tmp_path: Path) -> None:
    name = sid_of(ASKED).hex()
    (given,) = session(TakenHub(order_to_sign(None, sid=name)), tmp_path).to_sign(name)
    with pytest.raises(NotReadyError):
        order_in(given)
