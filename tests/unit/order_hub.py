"""A hub in memory that speaks the real messages of orders and evidence, honest or lying."""

from collections.abc import Callable
from dataclasses import dataclass, field

from proto import merkle, strict_json
from proto.envelope import Kind, open_envelope, sign
from proto.errors import UnreachableError
from proto.hub.check_in import NOTHING_ACKNOWLEDGED, Head
from proto.hub.evidence import EvidenceBack, EvidenceBatch, EvidenceReply, EvidenceWanted
from proto.hub.orders import OrdersBack, OrdersBackReply, OrdersReply, OrdersRequest
from proto.hub.outgoing import Outgoing, wire
from proto.keys import trust_one
from proto.order_log import BATCH_LEAVES_MAX
from tests.unit.order_site import Site
from tests.unit.order_world import key

BACK_AT_ONCE = 2
TRUST = trust_one("appliance", key("appliance").public)


@dataclass
class LogHub:
    """`ports.HubTransport` of a hub that logs orders and mirrors one appliance's evidence.

    Attributes:
        evidence: the appliance's leaves.
        opinions: what it passes on.
        lie: makes of an honest answer what is sent instead.
        withholds: it says that it has one more leaf of evidence than it gives.
        lost_from: the leaf from which on it wants its own log back; None while it is whole.
    """

    site: Site
    evidence: list[bytes] = field(default_factory=list)
    opinions: list[bytes] = field(default_factory=list)
    boxes: list[bytes] = field(default_factory=list)
    asked: list[OrdersRequest] = field(default_factory=list)
    given: list[bytes] = field(default_factory=list)
    lie: Callable[[OrdersReply], OrdersReply] = lambda reply: reply
    lost_from: int | None = None
    is_away: bool = False
    withholds: bool = False

    async def send(self, message: Outgoing, /) -> bytes:
        """Answer a message as a hub does; see `ports.HubTransport.send`."""
        if self.is_away:
            msg = "the hub is away"
            raise UnreachableError(msg)
        request = wire(message, signer=key("appliance"))
        match message:
            case OrdersRequest():
                opened = open_envelope(request.body, kind=Kind.ORDERS, trust=TRUST)
                asked = OrdersRequest.from_bytes(opened.body, "", size_bytes_max=10**6)
                self.asked.append(asked)
                return self.lie(self._orders(asked)).to_bytes()
            case OrdersBack():
                self.given += [leaf.encode() for leaf in message.leaves]
                self.lost_from = None
                have = message.first + len(message.leaves)
                return OrdersBackReply(have=have, wanted=None).to_bytes()
            case EvidenceBatch():
                new = message.leaves[len(self.evidence) - message.first :]
                self.evidence += [leaf.encode() for leaf in new]
                return EvidenceReply(have=len(self.evidence)).to_bytes()
            case EvidenceWanted():
                end = message.first + BACK_AT_ONCE
                leaves = tuple(one.decode() for one in self.evidence[message.first : end])
                have = len(self.evidence) + self.withholds
                back = EvidenceBack(first=message.first, leaves=leaves, have=have)
                return back.to_bytes()
        msg = f"a {type(message).__name__} is not for this hub"
        raise AssertionError(msg)

    def head(self, challenge: str, *, signer: str = "head", ahead_s: int = 0) -> str:
        """Return a head that answers a challenge."""
        head = Head(
            challenge=challenge,
            time=self.site.clock.now_ms() // 1000 + ahead_s,
            state=NOTHING_ACKNOWLEDGED,
            next_s=60,
        )
        return sign(Kind.HEAD, head.to_bytes(), key(signer)).decode()

    def _orders(self, asked: OrdersRequest) -> OrdersReply:
        size = len(self.site.log.leaves)
        end = min(asked.size + BATCH_LEAVES_MAX, size)
        nodes = merkle.nodes_over_leaves(self.site.log.hashes())
        proof = merkle.consistency_proof(end, size, nodes) if asked.size <= size else ()
        return OrdersReply(
            first=min(asked.size, size),
            leaves=tuple(one.decode() for one in self.site.log.leaves[asked.size : end]),
            checkpoint=self.site.checkpoint().decode() if size else None,
            proof=tuple(strict_json.b64_encode(one) for one in proof),
            head=self.head(asked.challenge),
            opinions=tuple(one.decode() for one in self.opinions),
            boxes=tuple(strict_json.b64_encode(one) for one in self.boxes),
            wanted=self.lost_from,
        )


def replace_in(reply: OrdersReply, **changes: object) -> OrdersReply:
    """Return an answer with some members changed."""
    return reply.model_copy(update=changes)
