"""Broken variants of how orders are handled: each breaks one promise, and must be seen through."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from appliance.core.order_gate import gate
from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import gating
from appliance.store import orders
from appliance.store.orders import Row
from central.core import desk_asks, order_signing
from proto.orders.kinds import Tier
from proto.receipts import Outcome

_NOBODY: Final = dict.fromkeys(Tier, 0)


def writes_the_ledger_late(patch: pytest.MonkeyPatch) -> None:
    """What runs stands in the ledger only when it has run."""
    late: dict[bytes, Row] = {}
    honest_put, honest_finish = orders.put, orders.finish

    async def put(conn: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 - passed through
        late.update({row.leaf_hash: row for row in rows if row.state is State.RUNNING})
        await honest_put(conn, [row for row in rows if row.state is not State.RUNNING])

    async def finish(conn: Any, index: int, **how: Any) -> None:  # noqa: ANN401 - passed through
        await honest_put(conn, [row for row in late.values() if row.index == index])
        await honest_finish(conn, index, **how)

    patch.setattr(orders, "put", put)
    patch.setattr(orders, "finish", finish)


def frees_the_nonce(patch: pytest.MonkeyPatch) -> None:
    """An order that did not end well may be tried again."""
    honest = orders.finish

    async def finish(conn: Any, index: int, *, outcome: Outcome, **how: Any) -> None:  # noqa: ANN401 - passed through
        await honest(conn, index, outcome=outcome, **how)
        if outcome is not Outcome.DONE:
            await conn.execute("DELETE FROM orders WHERE idx = ?", (index,))
            await conn.execute("UPDATE order_log SET judged = min(judged, ?)", (index,))

    patch.setattr(orders, "finish", finish)


def counts_no_people(patch: pytest.MonkeyPatch) -> None:
    """Nobody's signature is asked for: not at the desk, not by the signer, not by the gate."""
    for module in (gate, order_signing, desk_asks):
        patch.setattr(module, "PEOPLE_BY_TIER", _NOBODY)


def forgets_what_it_did(patch: pytest.MonkeyPatch) -> None:
    """An order that was done leaves the ledger at once, and its leaf is looked at again."""
    honest = orders.finish

    async def finish(conn: Any, index: int, **how: Any) -> None:  # noqa: ANN401 - passed through
        await honest(conn, index, **how)
        await conn.execute("DELETE FROM orders WHERE idx = ?", (index,))
        await conn.execute("UPDATE order_log SET judged = min(judged, ?)", (index,))

    patch.setattr(orders, "finish", finish)


def _skips(patch: pytest.MonkeyPatch, name: str) -> None:
    steps = gate._STEPS  # noqa: SLF001 - the table is what is to be broken
    left = tuple(step for step in steps if step.__name__ != name)
    assert len(left) == len(steps) - 1
    patch.setattr(gate, "_STEPS", left)


def hears_no_veto(patch: pytest.MonkeyPatch) -> None:
    """What people say of an order is kept, and not looked at."""
    _skips(patch, "_on_say")


def looks_at_no_clock(patch: pytest.MonkeyPatch) -> None:
    """An order runs before its time and after its end."""
    _skips(patch, "_on_time")


def runs_without_a_receipt(patch: pytest.MonkeyPatch) -> None:
    """What is accepted gets its row, and no intent receipt."""
    honest = gating._Batch._accept  # noqa: SLF001 - what is to be broken

    def accept(batch: Any, verdict: Accepted) -> None:  # noqa: ANN401 - as the batch has it
        honest(batch, verdict)
        batch.pen._drafts.pop()  # noqa: SLF001 - what is to be broken

    patch.setattr(gating._Batch, "_accept", accept)  # noqa: SLF001 - what is to be broken
