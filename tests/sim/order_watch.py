"""What must hold whenever an order begins to run, by the world's own count of who did what.

Nothing of the gate's is believed here: the leaf is read from the signer's log, the signatures are
verified one person at a time, times are the world's.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from appliance.core.order_gate.values import Accepted
from proto.envelope import Kind, open_envelope
from proto.errors import SignatureError
from proto.keys import PublicKey, trust_one
from proto.merkle import Tree, leaf_hash
from proto.order import parse_order
from proto.orders.kinds import HOUR_S, OrderType, Tier, Touches
from proto.orders.registry import kind_of
from proto.strict_json import dumps
from tests.sim.build import SKEW_MAX_MS, World
from tests.sim.clock import START_MS
from tests.sim.desk import Book
from tests.sim.nodes import ORDERS_PER_HOUR, ApplianceNode
from tests.sim.watch import rows_of

PEOPLE_BY_TIER: Final = {Tier.OBSERVE: 0, Tier.HEAL: 0, Tier.CHANGE: 1, Tier.DANGEROUS: 2}
FRESH_S: Final = 300.0
SKEW_S: Final = SKEW_MAX_MS / 1000
SLACK_S: Final = 2 * SKEW_S + 5.0
"""How far an appliance's count of time may be from the world's: its clock is off, and a time that
was signed moves its floor."""


class OrderWatch:
    """Holds what runs against what may run; `fail` is told of a breach.

    Attributes:
        ran: which orders began to run, by appliance.
    """

    def __init__(self, fail: Callable[[str], None], book: Book) -> None:
        """Start with nothing seen; the world is made known by `know`."""
        self.ran: defaultdict[str, list[str]] = defaultdict(list)
        self._fail = fail
        self._book = book
        self._nonces: defaultdict[str, set[str]] = defaultdict(set)
        self._changes: defaultdict[str, list[float]] = defaultdict(list)
        self._world: World | None = None

    def know(self, world: World) -> None:
        """Learn where everything is."""
        self._world = world

    def on_order(self, node: ApplianceNode, accepted: Accepted) -> None:
        """Judge an order that is about to be carried out."""
        sid, nonce = accepted.read.sid, accepted.read.order.nonce
        where = f"{node.name}: {accepted.read.order.type} {sid[:8]}"
        if sid in self.ran[node.name]:
            self._fail(f"{where} runs a second time")
        if nonce in self._nonces[node.name]:
            self._fail(f"{where}: its nonce {nonce} ran before")
        self.ran[node.name].append(sid)
        self._nonces[node.name].add(nonce)
        for problem in (
            self._ledger(node, sid),
            self._log(node, accepted),
            self._people(node, accepted),
            self._words(node, accepted),
            self._time(accepted),
            self._budget(node, accepted),
        ):
            if problem is not None:
                self._fail(f"{where} {problem}")

    def _ledger(self, node: ApplianceNode, sid: str) -> str | None:
        """Its row and its intent receipt are on the disk."""
        query = (
            "SELECT o.state FROM orders o JOIN evidence e ON e.idx = o.intent"
            " WHERE o.sid = ? AND e.type = 'intent'"
        )
        found = [row["state"] for row in rows_of(str(node.path), query, sid)]
        return None if found == ["running"] else f"runs, and its ledger has {found}"

    def _log(self, node: ApplianceNode, accepted: Accepted) -> str | None:
        """It stands in the signer's log, under the checkpoint that the appliance holds."""
        assert self._world is not None
        (log,) = rows_of(str(node.path), "SELECT head_size, head_root FROM order_log")
        leaves = signed_leaves(self._world, node.identity.site)[: log["head_size"] or 0]
        index = accepted.entry.index
        if index >= len(leaves) or leaves[index][0] != accepted.read.sid:
            return f"runs, and leaf {index} of {len(leaves)} is another"
        if Tree().extend(leaf_hash(leaf) for _, leaf in leaves).root != log["head_root"]:
            return "runs under a checkpoint of another log"
        return None

    def _people(self, node: ApplianceNode, accepted: Accepted) -> str | None:
        """As many people as its type needs at the least signed exactly what runs."""
        assert self._world is not None
        leaves = signed_leaves(self._world, node.identity.site)
        leaf = leaves[accepted.entry.index][1]
        order_key = order_key_of(self._world)
        body = open_envelope(leaf, kind=Kind.ORDER, trust=trust_one("hub", order_key)).body
        if parse_order(body) != accepted.read.order:
            return "runs, and other bytes were signed"
        signed = {name for name in self._book.signed[accepted.read.sid] if self._by(name, leaf)}
        needed = PEOPLE_BY_TIER[max(accepted.tier, kind_of(accepted.read.order.type).tier)]
        if len(signed) < needed:
            return f"runs with {sorted(signed)}, and needs {needed} people"
        return None

    def _by(self, name: str, leaf: bytes) -> bool:
        assert self._world is not None
        try:
            key = self._world.people.keys[name].public
            open_envelope(leaf, kind=Kind.ORDER, trust=trust_one(name, key))
        except SignatureError:
            return False
        return True

    def _words(self, node: ApplianceNode, accepted: Accepted) -> str | None:
        """Nobody had stopped it: neither where it runs, nor at the hub in good time."""
        sid = accepted.read.sid
        query = (
            "SELECT kind FROM order_opinions JOIN orders ON sid = order_sid"
            " WHERE sid = ? AND kind IN ('veto', 'cancel') AND at_s < accepted_s"
        )
        said = [row["kind"] for row in rows_of(str(node.path), query, sid)]
        if "cancel" in said or (said and accepted.tier > Tier.OBSERVE):
            return f"runs after a {said[0]}"
        vetoed_s = self._book.vetoed.get(sid)
        if vetoed_s is None or accepted.tier is Tier.OBSERVE:
            return None
        since_s = _now_s() - vetoed_s
        is_fresh = accepted.tier < Tier.CHANGE or since_s <= FRESH_S + SLACK_S
        if not is_fresh or vetoed_s < _heard_s(node) - SKEW_S:
            return f"runs {since_s:.0f} s after it was vetoed"
        return None

    def _time(self, accepted: Accepted) -> str | None:
        order, now_s = accepted.read.order, START_MS / 1000 + _now_s()
        if not order.not_before - SLACK_S <= now_s <= order.exp + SLACK_S:
            return f"runs at {now_s:.0f}, is for {order.not_before} to {order.exp}"
        return None

    def _budget(self, node: ApplianceNode, accepted: Accepted) -> str | None:
        if kind_of(accepted.read.order.type).touches is Touches.NOTHING:
            return None
        self._changes[node.name].append(_now_s())
        after_s = _now_s() - HOUR_S + SLACK_S
        within = sum(at_s > after_s for at_s in self._changes[node.name])
        if within > ORDERS_PER_HOUR:
            return f"is change {within} within an hour, {ORDERS_PER_HOUR} may be"
        return None

    def on_repair(self, node: ApplianceNode, incident: str) -> str | None:
        """Return why a repair may not touch its target, by what decided it: a rule or an order."""
        assert self._world is not None
        query = "SELECT decided_by, decided_id FROM incidents WHERE id = ?"
        (row,) = rows_of(str(node.path), query, incident)
        by, name = row["decided_by"], row["decided_id"]
        if by == "rule":
            return None if name in self._world.common.content.rules else f"by no rule: {name}"
        if by != "order" or name not in self.ran[node.name]:
            return f"by {by} {name}, which never ran"
        leaves = dict(signed_leaves(self._world, node.identity.site))
        trust = trust_one("hub", order_key_of(self._world))
        order = parse_order(open_envelope(leaves[name], kind=Kind.ORDER, trust=trust).body)
        if order.type is not OrderType.HEALING or order.params["incident"] != incident:
            return f"by an order of something else: {dumps(dict(order.params)).decode()}"
        return None


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _heard_s(node: ApplianceNode) -> float:
    """Return when the appliance last asked the hub and was answered, by its own word.

    Whatever the hub had by then was in the answer.
    """
    answered_s = node.work.word.answered_s if node.work is not None else None
    return 0.0 if answered_s is None else answered_s - START_MS / 1000


def order_key_of(world: World) -> PublicKey:
    """Return the key that signs every order of a run."""
    return world.signer.secrets.keys.of("order")[0].public


def signed_leaves(world: World, site: str) -> list[tuple[str, bytes]]:
    """Return the signer's log of a site: each order's sid and its envelope."""
    query = "SELECT sid, envelope FROM leaves WHERE site = ? ORDER BY leaf"
    rows = rows_of(str(world.signer.path), query, site)
    return [(bytes(row["sid"]).hex(), bytes(row["envelope"])) for row in rows]
