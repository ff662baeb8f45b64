"""A repair's plan: everything it may do, frozen before its first step.

The plan is journaled as JSON in the transaction that starts the repair, so that an undo after a
restart uses the scripts that the steps belonged to, even if the content set was swapped meanwhile.
What could not be read again after a restart is never journaled: `fits` is asked while planning.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from proto import strict_json
from proto.findings import Scalar
from proto.invariants import require

PLAN_BYTES_MAX = 512 * 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One script of a repair; it prints {"changed": bool}."""

    id: str
    script: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a repair will do.

    Attributes:
        rule: what asked for it: a rule's id, or an order's short name.
        variables: params and facts, which reach every script as quoted assignments.
        capture: a script whose answer is journaled before the first step and given to undo.
        undo: None when the runbook is irreversible.
        timeout_s: for capture and undo, each.
        verify: the check that must pass afterwards, in a new session.
        order: the sid of the order that asked for it, "" for a rule.
    """

    rule: str
    runbook: str
    content: str
    as_root: bool
    variables: Mapping[str, Scalar]
    capture: str | None
    steps: tuple[Step, ...]
    undo: str | None
    timeout_s: int
    verify: str
    order: str = ""


def fits(plan: Plan) -> bool:
    """Tell whether the journal takes this plan: as JSON it has at most `PLAN_BYTES_MAX` bytes."""
    return len(_json(plan)) <= PLAN_BYTES_MAX


def dump(plan: Plan) -> str:
    """Return the plan as JSON text for the journal.

    Raises:
        InvariantError: it does not fit, and was planned nevertheless.
    """
    found = _json(plan)
    require(len(found) <= PLAN_BYTES_MAX, f"{plan.runbook}: a plan of {len(found)} bytes")
    return found.decode()


def load(text: str) -> Plan:
    """Read a journaled plan; the text is the appliance's own."""
    value = cast("dict[str, Any]", strict_json.loads(text.encode(), size_bytes_max=PLAN_BYTES_MAX))
    steps = tuple(Step(**step) for step in value.pop("steps"))
    return Plan(steps=steps, **value)


def _json(plan: Plan) -> bytes:
    return strict_json.dumps(asdict(plan))
