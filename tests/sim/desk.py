"""Three people at their desks: they ask, read the bytes they are to sign, sign, veto, take back.

What they did is kept in a book of their own. It knows nothing of what hub and appliances say.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from proto.asks import Ask
from proto.envelope import Kind, sign, signature_of
from proto.errors import RejectedError, UnreachableError
from proto.hub.desk import (
    LIST_MAX,
    PATH_ASK,
    PATH_DRAFT,
    PATH_OPINION,
    REPLY_BYTES_MAX,
    Approve,
    ListOrders,
    OneApproval,
    OrderLine,
    OrderShown,
    OrdersListed,
    ShowOrder,
    Taken,
    Withdraw,
)
from proto.ids import SiteId
from proto.keys import SigningKey
from proto.message import Message
from proto.opinions import OperatorVeto
from proto.order import parse_order, sid_of
from proto.orders.kinds import OrderType
from proto.strict_json import b64_decode, b64_encode
from runtime.clock import Entropy
from tests.fakes.hub_link import Network
from tests.sim.clock import SimClock

TRIES = 3
PAUSE_S = 20.0
NONCE_BYTES = 16
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants ordered.

    Attributes:
        appliance: None for every appliance of the site.
        people: how many are to sign, where that is more than the tier needs.
    """

    type: OrderType
    site: SiteId
    appliance: str | None
    params: Mapping[str, Any]
    life_s: int
    not_before_s: int
    people: int

    @property
    def target(self) -> dict[str, str]:
        """Where, as an order says it."""
        whole = {"site": str(self.site)}
        return whole if self.appliance is None else {**whole, "appliance": self.appliance}


@dataclass(slots=True)
class Book:
    """What people did, as they know it.

    Attributes:
        signed: an order's sid -> whose signatures over it there are in the world.
        vetoed: an order's sid -> when the hub said that it keeps the veto, virtual seconds.
    """

    signed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    vetoed: dict[str, float] = field(default_factory=dict)

    def forget_vetoes(self, *, since_s: float) -> None:
        """Know that the hub no longer has what it was told since then."""
        self.vetoed = {sid: at_s for sid, at_s in self.vetoed.items() if at_s < since_s}


class Desk:
    """The desks of all operators, and their way to the hub."""

    def __init__(
        self, keys: Mapping[str, SigningKey], network: Network, entropy: Entropy, book: Book
    ) -> None:
        """Begin with nothing asked."""
        self.book = book
        self.network = network
        self._keys = keys
        self._entropy = entropy

    async def draft(self, person: str, wanted: Wanted) -> tuple[OrderLine, ...]:
        """Ask for an order; return it as the hub says that it stands, or nothing."""
        ask = Ask.from_value(
            {
                "v": 1,
                "type": wanted.type.value,
                "targets": [wanted.target],
                "params": dict(wanted.params),
                "life_s": wanted.life_s,
                "not_before": wanted.not_before_s,
                "people": wanted.people,
                "reason": "it is time",
                **self._stamp(person),
            },
            "ask",
        )
        answer = await self._say(PATH_DRAFT, Kind.ASK, ask, OrdersListed, by=person)
        return () if answer is None else answer.orders

    async def approve(self, person: str, sid: str, wanted: Wanted) -> bool:
        """Read the order's exact bytes and sign them if they say what was wanted."""
        asked = ShowOrder(order=sid, **self._stamp(person))
        shown = await self._say(PATH_ASK, Kind.ASK, asked, OrderShown, by=person)
        if shown is None or shown.order.body is None:
            return False
        body = b64_decode(shown.order.body, "body", size_bytes_max=REPLY_BYTES_MAX)
        order = parse_order(body)
        said = (order.type, dict(order.params), order.target.to_value())
        assert sid_of(body).hex() == sid
        assert said == (wanted.type, dict(wanted.params), wanted.target), said
        self.book.signed[sid].add(person)
        made = signature_of(Kind.ORDER, body, signer=self._keys[person])
        one = OneApproval(order=sid, keyid=made.key_id, sig=b64_encode(made.raw))
        given = Approve(approvals=(one,), **self._stamp(person))
        return await self._say(PATH_ASK, Kind.ASK, given, Taken, by=person) is not None

    async def withdraw(self, person: str, sid: str) -> bool:
        """Take an order back that is not logged yet."""
        asked = Withdraw(order=sid, **self._stamp(person))
        return await self._say(PATH_ASK, Kind.ASK, asked, Taken, by=person) is not None

    async def veto(self, person: str, sid: str, site: SiteId) -> None:
        """Stop an order at every appliance of its site."""
        said = OperatorVeto.from_value(
            {
                "v": 1,
                "type": "operator",
                "site": str(site),
                "order": sid,
                "reason": "not now",
                "by": person,
                "iat": _now_s(),
            },
            "veto",
        )
        if await self._say(PATH_OPINION, Kind.VETO, said, Taken, by=person) is not None:
            self.book.vetoed.setdefault(sid, asyncio.get_running_loop().time())

    async def listed(self, person: str) -> tuple[OrderLine, ...]:
        """Return the newest orders of all sites; nothing when the hub does not answer."""
        asked = ListOrders(site=None, limit=LIST_MAX, **self._stamp(person))
        answer = await self._say(PATH_ASK, Kind.ASK, asked, OrdersListed, by=person)
        return () if answer is None else answer.orders

    def _stamp(self, person: str) -> dict[str, Any]:
        return {"by": person, "iat": _now_s(), "nonce": self._entropy(NONCE_BYTES).hex()}

    async def _say(
        self, path: str, kind: Kind, said: Message, answer: type[M], *, by: str
    ) -> M | None:
        """Send what a person signed, a few times; None when it was refused or never answered."""
        envelope = sign(kind, said.to_bytes(), self._keys[by])
        for _ in range(TRIES):
            try:
                reply = await self.network.exchange(path, envelope)
                return answer.from_bytes(reply, "reply", size_bytes_max=REPLY_BYTES_MAX)
            except UnreachableError:
                await asyncio.sleep(PAUSE_S)
            except RejectedError:
                return None
        return None


def _now_s() -> int:
    return SimClock().now_ms() // 1000
