"""What must hold while a run goes on: looked at whenever something touches a target or the wire."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from proto.envelope import Kind as StatementKind
from proto.envelope import open_envelope
from proto.hub.check_in import BODY_BYTES_MAX, PATH, CheckIn
from proto.ids import ApplianceId
from proto.keys import trust_one
from tests.fakes.target_world import Kind, Op, Target
from tests.sim.nodes import ApplianceNode

IN_HAND = "('planned', 'executing', 'verifying', 'undoing')"

_UNDER_WAY = f"""
SELECT i.id, i.check_id, r.run, c.kind, c.step, c.started_ms FROM incidents i
JOIN repairs r ON r.incident = i.id
  AND r.run = (SELECT max(run) FROM repairs WHERE incident = i.id)
LEFT JOIN commands c ON c.incident = i.id AND c.run = r.run AND c.done_ms IS NULL
WHERE i.target = ? AND i.state IN {IN_HAND}
"""  # noqa: S608 - a constant


def rows_of(path: str, query: str, *values: object) -> list[sqlite3.Row]:
    """Return what a query finds in a store's committed rows, beside the process that owns it."""
    raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    raw.row_factory = sqlite3.Row
    try:
        return raw.execute(query, values).fetchall()
    finally:
        raw.close()


@dataclass(frozen=True, slots=True)
class Expected:
    """The one command that may touch a target now."""

    run: str
    op: Op


class Watch:
    """Holds what happens against what may happen; `fail` is told of the first breach."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        """Start with nothing seen."""
        self._fail = fail
        self._why_not: Callable[[ApplianceNode, str], str | None] = lambda _node, _incident: None
        self._owners: dict[str, ApplianceNode] = {}
        self._starts: Counter[tuple[str, str, Kind, int]] = Counter()
        self._by_orders: set[str] = set()
        self._seqs: dict[ApplianceId, int] = {}

    def know(
        self, nodes: list[ApplianceNode], why_not: Callable[[ApplianceNode, str], str | None]
    ) -> None:
        """Learn whose target is whose, and what judges who decided; before the appliances start."""
        self._why_not = why_not
        for node in nodes:
            for target in node.targets:
                self._owners[target.id] = node

    def forget(self, name: str) -> None:
        """Know that an appliance's disk was put back: what rules began since may begin again.

        What orders began may not.
        """
        for node in {id(one): one for one in self._owners.values() if one.name == name}.values():
            self._seqs.pop(node.identity.appliance, None)
            mine = {target.id for target in node.targets}
            for key in [one for one in self._starts if one[0] in mine]:
                if key[1] not in self._by_orders:
                    del self._starts[key]

    def on_change(self, target: Target, op: Op) -> str:
        """Judge a capture, step or undo that is about to start; return its repair's name."""
        expected = self._expected(target)
        if expected is None or expected.op != op:
            self._fail(f"{target.id}: {op} runs, the journal has {expected}")
            return ""
        node, incident = self._owners[target.id], expected.run.partition("/")[0]
        problem = self._why_not(node, incident)
        query = "SELECT 1 FROM incidents WHERE id = ? AND decided_by = 'order'"
        if rows_of(str(node.path), query, incident):
            self._by_orders.add(expected.run)
        if problem is not None:
            self._fail(f"{target.id}: {op} of {expected.run} {problem}")
        if op.kind is Kind.CAPTURE:
            return expected.run
        self._starts[target.id, expected.run, op.kind, op.step] += 1
        if self._starts[target.id, expected.run, op.kind, op.step] > 1:
            self._fail(f"{target.id}: {op} of {expected.run} runs a second time")
        if target.changing:
            self._fail(f"{target.id}: {op} of {expected.run} runs beside another change")
        return expected.run

    def _expected(self, target: Target) -> Expected | None:
        rows = rows_of(str(self._owners[target.id].path), _UNDER_WAY, target.id)
        if len(rows) > 1:
            self._fail(f"{target.id}: {len(rows)} repairs at once")
        for row in rows:
            if row["started_ms"] is None:
                continue
            kind = Kind(row["kind"]) if row["kind"] != "verify" else Kind.PROBE
            step = row["step"] if kind is Kind.STEP else 0
            return Expected(f"{row['id']}/{row['run']}", Op(kind, row["check_id"], step))
        return None

    def on_sent(self, appliance: ApplianceId, path: str, body: bytes) -> None:
        """Judge a request that an appliance is about to send."""
        if path != PATH:
            return
        node = next(one for one in self._owners.values() if one.identity.appliance == appliance)
        trust = trust_one("appliance", node.identity.key.public)
        opened = open_envelope(body, kind=StatementKind.CHECKIN, trust=trust)
        seq = CheckIn.from_bytes(opened.body, "check_in", size_bytes_max=BODY_BYTES_MAX).seq
        if seq <= self._seqs.get(appliance, -1):
            self._fail(f"{appliance}: check-in {seq} after {self._seqs[appliance]}")
        self._seqs[appliance] = seq
