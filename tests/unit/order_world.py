"""A small hub, its people and one appliance, for tests of orders: real keys, logs and content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from appliance.core.order_gate import gate
from appliance.core.order_gate.ledger import LedgerView
from appliance.core.order_gate.values import (
    Delivery,
    History,
    Known,
    LanRules,
    Moment,
    Place,
    ReadOrder,
    Refused,
    Said,
    Situation,
    Verdict,
)
from proto import envelope, merkle, strict_json
from proto.authority import AuthoritySet
from proto.catalog.model import Autonomy
from proto.envelope import Kind
from proto.grants import GrantSet, Trust
from proto.keys import SigningKey
from proto.keysets import DAY_S
from proto.order import LogPlace
from proto.orders.kinds import OrderType, Setting
from tests.unit.core_values import CONTENT, SITE, TARGET, incident

APPLIANCE = "a-aaaaaaaaaa"
OTHER_APPLIANCE = "a-bbbbbbbbbb"
OTHER_SITE = "s-bbbbbbbbbb"
NOW = 1_767_225_600
FILE = "ab" * 32
BOX = "cd" * 32
SEALING_KEY = "ef" * 32
INCIDENT = "i-aaaaaaaaaa"
RUNBOOK = "rb.lin.ssh.root_login"
CHECK = "lin.ssh.root_login"
ENROLLED_AT = 2
EARLIER_LEAVES = 5


@cache
def key(name: str) -> SigningKey:
    """Return the key that belongs to a name, always the same."""
    return SigningKey(hashlib.sha256(f"test key of {name}".encode()).digest())


def use(name: str, *, start: int = NOW - DAY_S, end: int = NOW + 30 * DAY_S) -> dict[str, Any]:
    """Return a key and its times, as authority lists it."""
    return {"key": key(name).public.b64(), "not_before": start, "not_after": end}


def person(name: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a person as authority lists them: any site, any type, tiers 2 and 3."""
    made = {"person": name, "tiers": [2, 3], "sites": "all", "types": "all", "keys": [use(name)]}
    return made | changes


def authority(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the authority file of four operators: one of another site, one with an old key."""
    made = {
        "v": 1,
        "version": 1,
        "created": NOW - DAY_S,
        "expires": NOW + 60 * DAY_S,
        "people": [
            person("ada"),
            person("bea"),
            person("cyd", sites=[OTHER_SITE]),
            person("dot", keys=[use("dot", start=NOW - 80 * DAY_S, end=NOW - DAY_S)]),
        ],
        "head_keys": [use("head", end=NOW + 300 * DAY_S)],
        "log_keys": [use("log", end=NOW + 300 * DAY_S)],
    }
    return made | changes


def grant(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a grant for everything, everywhere."""
    made = {
        "id": "g1",
        "key": key("order").public.b64(),
        "types": "all",
        "sites": "all",
        "ttl_s": DAY_S,
        "per_hour": 100,
        "not_before": NOW - DAY_S,
        "not_after": NOW + 5 * DAY_S,
    }
    return made | changes


def grants(*some: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a grants file."""
    made = {
        "v": 1,
        "version": 1,
        "created": NOW - DAY_S,
        "expires": NOW + 10 * DAY_S,
        "grants": list(some or (grant(),)),
    }
    return made | changes


def authority_set(document: Mapping[str, Any] | None = None) -> AuthoritySet:
    """Read an authority file."""
    return AuthoritySet.from_bytes(strict_json.dumps(document or authority()))


def grant_set(document: Mapping[str, Any] | None = None) -> GrantSet:
    """Read a grants file."""
    return GrantSet.from_bytes(strict_json.dumps(document or grants()))


TRUST = Trust(authority_set(), grant_set())

PARAMS: Mapping[OrderType, dict[str, Any]] = {
    OrderType.RUN_DRIFT: {"on": "all", "checks": "all"},
    OrderType.CANCEL: {"order": "0f" * 32},
    OrderType.HEALING: {"incident": INCIDENT, "runbook": RUNBOOK, "params": {}},
    OrderType.UPDATE_AGENT: {"version": "1.0.0", "content_sha256": FILE},
    OrderType.DISABLE_HEALING: {"check": CHECK, "until": NOW + DAY_S},
    OrderType.ENABLE_HEALING: {"check": CHECK},
    OrderType.WAIVE: {"check": CHECK, "on": "all", "until": NOW + 30 * DAY_S},
    OrderType.SET_POLICY: {"check": CHECK, "autonomy": "alert", "until": NOW + 30 * DAY_S},
    OrderType.ISOLATE_HOST: {"target": TARGET, "action": "isolate", "minutes": 10},
    OrderType.UPDATE_CREDENTIALS: {
        "target": TARGET,
        "sealed_sha256": BOX,
        "sealed_to": SEALING_KEY,
    },
    OrderType.SYNC_PROMOTED_RULE: {"rule": "l1.p.root_login", "content_sha256": FILE},
    OrderType.REMOVE_SENSOR: {"target": TARGET},
    OrderType.SYNC_RULES: {"content_sha256": FILE},
}
"""Parameters that fit the world below."""


@dataclass
class OrderLog:
    """A hub's order log: leaves, and what proofs are made from."""

    leaves: list[bytes] = field(
        default_factory=lambda: [b"earlier %d" % n for n in range(EARLIER_LEAVES)]
    )

    def hashes(self) -> list[bytes]:
        """Return the hash of every leaf."""
        return [merkle.leaf_hash(leaf) for leaf in self.leaves]

    def place(self, size: int | None = None) -> LogPlace:
        """Return the log's size and root, now or as it was."""
        hashes = self.hashes()
        at = len(hashes) if size is None else size
        return LogPlace(at, merkle.root_of(at, merkle.nodes_over_leaves(hashes)))

    def append(self, leaf: bytes) -> int:
        """Log a leaf and return its index."""
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def delivery(self, index: int) -> Delivery:
        """Return a leaf with its proof to the newest head."""
        nodes = merkle.nodes_over_leaves(self.hashes())
        proof = merkle.inclusion_proof(index, len(self.leaves), nodes)
        return Delivery(self.leaves[index], index, proof)


def body(
    order_type: OrderType = OrderType.RUN_DRIFT,
    **changes: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Return an order's body as JSON values; `changes` replace members, ... removes one."""
    place = OrderLog().place()
    made: dict[str, Any] = {
        "v": 1,
        "type": order_type.value,
        "target": {"site": SITE, "appliance": APPLIANCE},
        "params": PARAMS.get(order_type, {}),
        "iat": NOW - 10,
        "not_before": NOW - 10,
        "exp": NOW + 3000,
        "nonce": "00112233445566778899aabbccddeeff",
        "prev": place.as_text(),
        "reason": "asked for in a test",
        "by": "ada",
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not ...}


def signed(document: Mapping[str, Any] | bytes, *signers: str) -> bytes:
    """Return an order's envelope, signed by the order key and then by `signers`."""
    raw = document if isinstance(document, bytes) else strict_json.dumps(document)
    return envelope.sign(Kind.ORDER, raw, key("order"), *(key(name) for name in signers))


PLACE = Place(
    site=SITE,
    appliance=APPLIANCE,
    enrolled_at=ENROLLED_AT,
    ring=0,
    sealing_keys=frozenset({SEALING_KEY}),
    abilities=frozenset(OrderType),
)
RULES = LanRules(
    site=Setting(Autonomy.AUTO),
    checks={},
    waived_until_s={},
    is_observe_only=False,
    protected=frozenset(),
    orders_per_hour=10,
    window=None,
)
KNOWN = Known(
    files=frozenset({FILE}),
    expires_s=NOW + 20 * DAY_S,
    catalog=CONTENT,
    incidents={INCIDENT: incident()},
    targets=frozenset({TARGET, *(f"t-{letter * 10}" for letter in "bcdef")}),
    boxes=frozenset({BOX}),
)
SITUATION = Situation(
    place=PLACE,
    trust=TRUST,
    moment=Moment(now_s=NOW, clock_s=NOW, answered_s=NOW - 5),
    ledger=LedgerView(root_then=OrderLog().place().root),
    known=KNOWN,
    rules=RULES,
    history=History(),
    said=Said(),
)


def having(part: str, **changes: Any) -> Situation:  # noqa: ANN401 - any member of any part
    """Return the usual situation with changes in one of its parts."""
    return replace(SITUATION, **{part: replace(getattr(SITUATION, part), **changes)})


def logged(leaf: bytes, *, log: OrderLog | None = None) -> tuple[Delivery, LogPlace]:
    """Log a leaf after the earlier ones; return its delivery and the head."""
    log = log or OrderLog()
    index = log.append(leaf)
    return log.delivery(index), log.place()


def verdict_on(leaf: bytes, situation: Situation = SITUATION) -> Verdict:
    """Log a leaf and put it through the whole gate."""
    delivery, head = logged(leaf)
    return gate.decide(delivery, head=head, trust=situation.trust, situation=situation)


def read_ok(leaf: bytes) -> ReadOrder:
    """Log a leaf and read it; it must be readable."""
    delivery, head = logged(leaf)
    found = gate.read(delivery, head=head, trust=TRUST)
    assert not isinstance(found, Refused), found
    return found


def refusal(leaf: bytes, situation: Situation = SITUATION) -> Refused:
    """Log a leaf that must be refused and return the refusal."""
    verdict = verdict_on(leaf, situation)
    assert isinstance(verdict, Refused), verdict
    return verdict


BY_TWO: Mapping[str, tuple[OrderType, dict[str, Any]]] = {
    "waives every check": (OrderType.WAIVE, {"check": "all"}),
    "ends a waiver": (OrderType.WAIVE, {"until": 0}),
    "waives for long": (OrderType.WAIVE, {"until": NOW + 200 * DAY_S}),
    "sets the whole site": (OrderType.SET_POLICY, {"check": "all"}),
    "sets for long": (OrderType.SET_POLICY, {"until": NOW + 200 * DAY_S}),
}
"""What is tier 3 by its own bytes, though its type asks for one person: changes of `PARAMS`."""
