"""What must hold at the end of a run: read from the stores' files, held against the world."""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from central.core.fold import Fold, fold
from central.core.rows import FindingRow, HealRow, HealthRow, IncidentRow
from proto.evidence import Leaf, open_leaf
from proto.keys import trust_one
from proto.merkle import Tree, leaf_hash
from tests.fakes.target_world import Act, Kind, Safeguard, Target
from tests.sim.build import World
from tests.sim.clock import START_MS
from tests.sim.nodes import ApplianceNode
from tests.sim.watch import IN_HAND, rows_of

LOGINS_REFUSED_MAX = 4
"""Accounts are often locked at the fifth refusal within `LOCKOUT_S`."""

LOCKOUT_S = 900.0
WAITING = frozenset(
    {
        "cooldown",
        "daily_limit",
        "hourly_budget",
        "blast_radius",
        "breaker_open",
        "observe_only",
        "rule_ignores",
        "stale_finding",
    }
)
Row = FindingRow | IncidentRow | HealRow | HealthRow

_STUCK = f"SELECT id, state FROM incidents WHERE state IN {IN_HAND}"  # noqa: S608 - a constant

SHORT_MS = 1000
"""Evidence keeps whole seconds."""


def breaches(world: World) -> Iterator[str]:
    """Yield every promise that the run broke, but those about orders.

    An appliance whose disk was put back has its log again, and forgot which repairs it made.
    """
    for node in world.appliances:
        yield from _log(world, node)
        if node.name in world.put_back:
            continue
        yield from _repairs(node)
        yield from _rest(node)
        yield from _incidents_at_hub(world, node)
    for target in world.targets:
        yield from _refusals(target)
    yield from _conditions(world)


def _rows(path: Path, query: str, *values: object) -> list[sqlite3.Row]:
    return rows_of(str(path), query, *values)


def is_at_rest(node: ApplianceNode) -> bool:
    """Tell whether nothing is under way: no repair, and no evidence that the hub lacks."""
    head = _rows(node.path, "SELECT size, acked_size FROM evidence_head")[0]
    return head["size"] == head["acked_size"] and not _rows(node.path, _STUCK)


def mirror(world: World, node: ApplianceNode) -> Iterator[str]:
    """Yield where the hub's copy of an appliance's log is no prefix of it; holds at any moment."""
    mine = [
        bytes(row["leaf"]) for row in _rows(node.path, "SELECT leaf FROM evidence ORDER BY idx")
    ]
    theirs = _leaves_at_hub(world, node)
    if theirs != mine[: len(theirs)]:
        yield f"{node.name}: the hub's {len(theirs)} leaves are not the first of {len(mine)}"


def _leaves_at_hub(world: World, node: ApplianceNode) -> list[bytes]:
    query = "SELECT leaf, envelope FROM leaves WHERE appliance_id = ? ORDER BY leaf"
    rows = _rows(world.hub.path, query, node.identity.appliance)
    assert [row["leaf"] for row in rows] == list(range(len(rows)))
    return [bytes(row["envelope"]) for row in rows]


def _log(world: World, node: ApplianceNode) -> Iterator[str]:
    mine = [
        bytes(row["leaf"]) for row in _rows(node.path, "SELECT leaf FROM evidence ORDER BY idx")
    ]
    theirs = _leaves_at_hub(world, node)
    if theirs != mine:
        yield f"{node.name}: the hub has {len(theirs)} leaves of {len(mine)}, or others"
        return
    tree = Tree().extend(leaf_hash(one) for one in mine)
    head = _rows(node.path, "SELECT * FROM evidence_head")[0]
    if (head["size"], head["peaks"], head["acked_size"]) != (
        tree.size,
        b"".join(tree.peaks),
        tree.size,
    ):
        yield f"{node.name}: the head does not follow from the leaves, or is not acknowledged"
    query = "SELECT size, peaks FROM heads WHERE appliance_id = ?"
    at_hub = _rows(world.hub.path, query, node.identity.appliance)[0]
    if (at_hub["size"], at_hub["peaks"]) != (tree.size, b"".join(tree.peaks)):
        yield f"{node.name}: the hub's head does not follow from the leaves"
    if not head["cosigned"]:
        yield f"{node.name}: the hub never cosigned"
    if node.name not in world.put_back:
        yield from _details(world, node)
    yield from _fold(world, node, mine)


def _details(world: World, node: ApplianceNode) -> Iterator[str]:
    mine = _rows(
        node.path, "SELECT idx, part, salt, detail FROM evidence_details ORDER BY idx, part"
    )
    query = (
        "SELECT leaf, part, salt, detail FROM details WHERE appliance_id = ? ORDER BY leaf, part"
    )
    theirs = _rows(world.hub.path, query, node.identity.appliance)
    if [(r[0], r[1], r[2], r[3].decode()) for r in mine] != [tuple(row) for row in theirs]:
        yield f"{node.name}: {len(theirs)} details at the hub, {len(mine)} here, or others"


def _fold(world: World, node: ApplianceNode, envelopes: list[bytes]) -> Iterator[str]:
    """The hub's rows must be what the whole log folds to, however it arrived."""
    whole = fold(dict(enumerate(_leaf(node, one) for one in envelopes)))
    if whole.contradictions:
        yield f"{node.name}: leaves {whole.contradictions} claim a heal that nothing proves"
    for table, wanted in _tables(whole):
        query = f"SELECT * FROM {table} WHERE appliance_id = ?"  # noqa: S608 - a constant
        stored = _rows(world.hub.path, query, node.identity.appliance)
        names = [one.name for one in fields(wanted[0])] if wanted else []
        found = {tuple(row[name] for name in names) for row in stored}
        if len(stored) != len(wanted) or found != {astuple(one) for one in wanted}:
            yield f"{node.name}: the hub's {table} are not what the log folds to"


def _tables(whole: Fold) -> Iterator[tuple[str, Sequence[Row]]]:
    yield "findings", list(whole.findings.values())
    yield "incidents", list(whole.incidents.values())
    yield "heals", whole.heals
    yield "reported_health", list(whole.health.values())


def _leaf(node: ApplianceNode, envelope: bytes) -> Leaf:
    trust = trust_one("appliance", node.identity.key.public)
    return open_leaf(envelope, trust)


def _repairs(node: ApplianceNode) -> Iterator[str]:
    """What each repair says of itself must be what its target saw."""
    query = (
        "SELECT r.*, i.target FROM repairs r JOIN incidents i ON i.id = r.incident"
        " WHERE r.result IS NOT NULL ORDER BY r.incident, r.run"
    )
    targets = {target.id: target for target in node.targets}
    for row in _rows(node.path, query):
        run = f"{row['incident']}/{row['run']}"
        acts = targets[row["target"]].acts
        mine = [act for act in acts if act.run == run]
        begun_s = max((act.at_s for act in mine if act.op.kind is Kind.STEP), default=0.0)
        if row["leaf"] is None:
            yield f"{run}: ended {row['result']} without evidence"
        if row["result"] == "healed":
            ended_s = (row["done_ms"] + SHORT_MS - node.skew_ms - START_MS) / 1000
            if not any(_proves(act, row["check_id"], begun_s, ended_s) for act in acts):
                yield f"{run}: healed without a passing re-check in a session of its own"
            if any(act.op.kind is Kind.UNDO for act in mine):
                yield f"{run}: healed and undone"
        if row["result"] == "undone" and not any(_undoes(act, begun_s) for act in mine):
            yield f"{run}: said to be undone, and was not"


def _proves(act: Act, check: str, after_s: float, before_s: float) -> bool:
    return (
        (act.op.kind, act.op.check, act.begun, act.good) == (Kind.PROBE, check, False, True)
        and after_s <= act.opened_s
        and act.at_s <= before_s
    )


def _undoes(act: Act, after_s: float) -> bool:
    return act.op.kind is Kind.UNDO and not act.begun and act.at_s >= after_s


def restored(target: Target) -> Iterator[str]:
    """Yield undone repairs that did not leave a safeguard as their capture had found it."""
    for run, acts in itertools.groupby(
        sorted((a for a in target.acts if a.run), key=lambda a: a.run), key=lambda a: a.run
    ):
        told = list(acts)
        captured = [act for act in told if act.op.kind is Kind.CAPTURE and not act.begun]
        undone = [act for act in told if act.op.kind is Kind.UNDO and not act.begun]
        if captured and undone and captured[-1].state != undone[-1].state:
            yield f"{target.id}: {run} was undone to {undone[-1].state}, not {captured[-1].state}"


def _rest(node: ApplianceNode) -> Iterator[str]:
    """Once quiet, what an appliance believes of its targets is so, and nothing is stuck."""
    for row in _rows(node.path, _STUCK):
        yield f"{node.name}: {row['id']} is still {row['state']}"
    for target in node.targets:
        yield from restored(target)
        for check, guard in target.guards.items():
            yield from _belief(node, target, check, guard)


def _belief(node: ApplianceNode, target: Target, check: str, guard: Safeguard) -> Iterator[str]:
    where = f"{node.name}: {target.id} {check}"
    key = "target = ? AND check_id = ?"
    found = _rows(node.path, f"SELECT * FROM findings WHERE {key}", target.id, check)  # noqa: S608
    truth = "compliant" if guard.is_good else "drifted"
    if [row["verdict"] for row in found] != [truth]:
        yield f"{where}: is {truth}, found {[tuple(row) for row in found]}"
    live = _rows(
        node.path,
        f"SELECT * FROM incidents WHERE {key} AND state <> 'closed'",  # noqa: S608 - a constant
        target.id,
        check,
    )
    said = [(row["state"], row["cause"]) for row in live]
    if guard.is_good and any(state != "healed" for state, _ in said):
        yield f"{where}: is good, and has the incident {said}"
    if not guard.is_good and not any(_is_watched(*one) for one in said):
        yield f"{where}: is drifted, and has the incident {said}"


def _is_watched(state: str, cause: str | None) -> bool:
    return state in {"escalated", "waived"} or (state == "open" and cause in WAITING)


def _incidents_at_hub(world: World, node: ApplianceNode) -> Iterator[str]:
    mine = {row["id"]: row["state"] for row in _rows(node.path, "SELECT id, state FROM incidents")}
    query = "SELECT incident, state FROM incidents WHERE appliance_id = ?"
    theirs = {
        row["incident"]: row["state"]
        for row in _rows(world.hub.path, query, node.identity.appliance)
    }
    for incident in mine.keys() | theirs.keys():
        if mine.get(incident) != theirs.get(incident):
            here, there = mine.get(incident), theirs.get(incident)
            yield f"{node.name}: {incident} is {here} here and {there} at the hub"


def _refusals(target: Target) -> Iterator[str]:
    times = target.refused_s
    for first, last in zip(times, times[LOGINS_REFUSED_MAX:], strict=False):
        if last - first < LOCKOUT_S:
            yield f"{target.id}: {LOGINS_REFUSED_MAX + 1} refused logins from {first} to {last}"


def _conditions(world: World) -> Iterator[str]:
    query = "SELECT appliance_id, code, message FROM conditions WHERE cleared_ms IS NULL"
    for row in _rows(world.hub.path, query):
        yield f"hub: {row['code']} stands for {row['appliance_id']}: {row['message']}"
