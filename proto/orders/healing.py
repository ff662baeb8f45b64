"""healing: repair one open incident with a runbook whose verify is the incident's check.

The parameters are those that the matching rule or an approved plan gives: the order says them so
that people can read what they sign, and the gate compares them. A runbook that cannot be undone, or
reboots or locks out, makes it an order of tier 2.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from proto.message import INT_MAX, IncidentIdField
from proto.orders.kinds import (
    Circumstances,
    Example,
    OrderKind,
    OrderType,
    Params,
    RunbookId,
    Tier,
    Touches,
    is_grave,
)

_Name = Annotated[str, StringConstraints(pattern=r"\A[a-z][a-z0-9_]{0,30}\z")]
_Value = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-INT_MAX, le=INT_MAX)]
    | Annotated[str, StringConstraints(pattern=r"\A[^\x00-\x1f\x7f]{0,1024}\z")]
)


class Healing(Params):
    """The incident, the runbook and its parameters."""

    incident: IncidentIdField
    runbook: RunbookId
    params: Annotated[dict[_Name, _Value], Field(max_length=32)]

    def tier_in(self, circumstances: Circumstances, *, least: Tier) -> Tier:
        """Return tier 2 for a grave runbook, or one that is not known here."""
        runbook = circumstances.runbooks.get(self.runbook)
        return Tier.CHANGE if runbook is None or is_grave(runbook) else least


KIND = OrderKind(
    name=OrderType.HEALING,
    title="Repair an open incident",
    params=Healing,
    tier=Tier.HEAL,
    timeout_s=1800,
    touches=Touches.TARGETS,
    accepted=(
        Example(
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.lin.ssh.root_login", "params": {}},
            "a runbook without parameters",
        ),
        Example(
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.lin.time.sync", "params": {"port": 123}},
            "with one",
        ),
    ),
    refused=(
        Example({"incident": "i-aaaaaaaaaa", "runbook": "rb.x"}, "params are said, even if none"),
        Example({"incident": "", "runbook": "rb.x", "params": {}}, "no incident"),
        Example(
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {"a": "x\ny"}}, "a newline"
        ),
        Example(
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {"a;id": "x"}},
            "shell characters in a name",
        ),
        Example(
            {"incident": "i-aaaaaaaaaa", "runbook": "../rb.x", "params": {}}, "a path is no runbook"
        ),
        Example({"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {"a": None}}, "null"),
        Example({"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {}, "script": "id"}, "x"),
    ),
)
