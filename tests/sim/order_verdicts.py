"""What must hold of orders at the end of a run: log, ledgers, receipts and the hub's view."""

from collections.abc import Iterable, Iterator

from appliance.core.order_gate.ledger import SETTLED
from central.core.order_stage import OVER, Stage
from proto.envelope import Kind, open_envelope
from proto.errors import IntegrityError
from proto.evidence import ByOrder, HealLeaf, open_leaf
from proto.hub.desk import OrderLine
from proto.keys import trust_one
from proto.merkle import leaf_hash
from proto.receipts import Chain, Outcome, Receipt, Refusal, Result, orphans
from tests.sim.build import World
from tests.sim.nodes import ApplianceNode
from tests.sim.order_watch import OrderWatch, signed_leaves
from tests.sim.watch import rows_of

_OPEN = "SELECT idx FROM orders WHERE state IN ('waiting', 'running')"


def is_settled(world: World, node: ApplianceNode) -> bool:
    """Tell whether an appliance answered every order of its site."""
    (log,) = rows_of(str(node.path), "SELECT size, judged FROM order_log")
    logged = len(signed_leaves(world, node.identity.site))
    return logged == log["size"] == log["judged"] and not rows_of(str(node.path), _OPEN)


def order_breaches(world: World, watch: OrderWatch, lines: Iterable[OrderLine]) -> Iterator[str]:
    """Yield every promise about orders that the run broke; `lines` is what the hub tells."""
    for site in world.sites:
        yield from _logs(world, site)
    for node in world.appliances:
        yield from _receipts(world, node, watch)
    by_name = {str(one.identity.appliance): one for one in world.appliances}
    for line in lines:
        yield from _told(line, by_name)


def _logs(world: World, site: str) -> Iterator[str]:
    """Signer, hub and every appliance of a site hold one log."""
    signed = [leaf for _, leaf in signed_leaves(world, site)]
    query = "SELECT envelope FROM order_leaves WHERE site_id = ? ORDER BY leaf"
    at_hub = [bytes(row["envelope"]) for row in rows_of(str(world.hub.path), query, site)]
    if at_hub != signed:
        yield f"hub: {len(at_hub)} leaves of {site}, {len(signed)} were signed, or others"
    for node in world.of_site(site):
        rows = rows_of(str(node.path), "SELECT leaf FROM order_leaves ORDER BY idx")
        mirrored = [bytes(row["leaf"]) for row in rows]
        if mirrored != signed:
            yield f"{node.name}: {len(mirrored)} leaves, {len(signed)} were signed, or others"


def _receipts(world: World, node: ApplianceNode, watch: OrderWatch) -> Iterator[str]:
    """Each leaf has one final receipt, and what is said of runs is what ran."""
    trust = trust_one("appliance", node.identity.key.public)
    chain, said, changes = Chain(), [], []
    for row in rows_of(str(node.path), "SELECT leaf FROM evidence ORDER BY idx"):
        leaf = open_leaf(row["leaf"], trust)
        if isinstance(leaf, HealLeaf) and isinstance(leaf.cause, ByOrder):
            changes.append(leaf.cause.order)
        if not isinstance(leaf, Receipt):
            continue
        try:
            said.append(
                chain.follow(open_envelope(row["leaf"], kind=Kind.RECEIPT, trust=trust).body)
            )
        except IntegrityError as error:
            yield f"{node.name}: {error}"
            return
    hashes = [leaf_hash(leaf) for _, leaf in signed_leaves(world, node.identity.site)]
    (log,) = rows_of(str(node.path), "SELECT enrolled_at FROM order_log")
    since = log["enrolled_at"] or 0
    found = orphans(dict(list(enumerate(hashes))[since:]), said, changes=changes)
    if not found.is_complete:
        yield f"{node.name}: log and receipts do not explain each other: {found}"
    yield from _ran(node, said, watch.ran[node.name])
    yield from _rows(node, said)


def _ran(node: ApplianceNode, said: list[Receipt], ran: list[str]) -> Iterator[str]:
    results = {one.order: one.outcome for one in said if isinstance(one, Result)}
    refused = {one.order for one in said if isinstance(one, Refusal) and one.order is not None}
    for sid in ran:
        if sid not in results:
            yield f"{node.name}: {sid[:8]} ran and has no result"
        if sid in refused:
            yield f"{node.name}: {sid[:8]} ran and was refused"
    for sid, outcome in results.items():
        if outcome is not Outcome.UNKNOWN and sid not in ran:
            yield f"{node.name}: {sid[:8]} is said to be {outcome} and never ran"


def _rows(node: ApplianceNode, said: list[Receipt]) -> Iterator[str]:
    """The ledger agrees with the receipts."""
    final = {one.leaf: one for one in said if isinstance(one, Result | Refusal)}
    for row in rows_of(str(node.path), "SELECT * FROM orders ORDER BY idx"):
        where = f"{node.name}: leaf {row['idx']} is {row['state']}"
        if row["state"] not in SETTLED:
            yield f"{where}, and waits: {row['code']} {row['detail']} until {row['until_s']}"
            continue
        one = final.get(row["idx"])
        if one is None or one.seq != row["final"] or one.order != row["sid"]:
            yield f"{where}, its receipt says {one}"
        elif isinstance(one, Result) and one.outcome != row["outcome"]:
            yield f"{where} as {row['outcome']}, its receipt says {one.outcome}"


def _told(line: OrderLine, nodes: dict[str, ApplianceNode]) -> Iterator[str]:
    """The hub tells of an order what its appliances did, and nothing hangs for ever."""
    where = f"hub: {line.type} {(line.sid or line.draft)[:8]}"
    if Stage(line.stage) not in OVER:
        yield f"{where} is still {line.stage}: {line.code}"
    if line.leaf is None:
        return
    for answer in line.answers:
        wanted = _stage(nodes[answer.appliance], line.leaf)
        if answer.stage != wanted:
            yield f"{where} is {answer.stage} at {answer.appliance}, which says {wanted}"


def _stage(node: ApplianceNode, leaf: int) -> str | None:
    query = (
        "SELECT outcome, evidence.type AS kind FROM orders"
        " LEFT JOIN evidence ON evidence.idx = orders.final WHERE orders.idx = ?"
    )
    for row in rows_of(str(node.path), query, leaf):
        return str(row["outcome"] or row["kind"])
    return None
