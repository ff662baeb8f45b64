"""Which TLS ports of a device may be greeted, and what their answers come to.

Only a port that a discovery has just found open is ever greeted, of a device that the same look did
not find to be off limits: an address can belong to another device by the next hour. A check that
names several ports gets one finding, that of its worst port; a port that gave no answer makes it
unknown unless another one has drifted.
"""

from collections.abc import Iterable, Mapping

from appliance.core.classify import MEDICAL_PORTS
from appliance.core.inventory import PortSeen
from proto.catalog.model import Check, ProbeKind
from proto.findings import Scalar, Verdict
from proto.inventory import Facts
from proto.judge import Judgement, judge_answer

RECENT_MS = 300_000
"""For so long what a discovery heard of a device's ports still speaks of that device."""

PORTS = "tls"
PORT = "port"
"""The field of an answer that the greeting adds: which port it is about, 0 for none."""

_WORST_FIRST = (Verdict.DRIFTED, Verdict.UNKNOWN, Verdict.COMPLIANT, Verdict.NOT_APPLICABLE)


def greeting_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks that a greeting answers, by id."""
    found = (check for check in checks if check.probe.kind is ProbeKind.TLS)
    return tuple(sorted(found, key=lambda check: check.id))


def open_ports(
    check: Check, ports: Mapping[int, PortSeen], *, now_ms: int
) -> tuple[int, ...] | None:
    """Return the check's ports that were just found open, or None when not all were just asked."""
    wanted = check.probe.ports[PORTS]
    asked = [ports.get(port) for port in (*MEDICAL_PORTS, *wanted)]
    if any(seen is None or not 0 <= now_ms - seen.seen_ms <= RECENT_MS for seen in asked):
        return None
    return tuple(port for port in sorted(wanted) if ports[port].is_open)


def judge_greeting(
    check: Check, answer: Mapping[str, Scalar], *, port: int, facts: Facts
) -> Judgement:
    """Judge what one port said; the check sees the fields that it declares."""
    told = {**answer, PORT: port}
    return judge_answer(
        check, {name: told[name] for name in check.answer if name in told}, facts=facts
    )


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the judgement that stands for all ports of a check; there must be one."""
    return min(judgements, key=lambda one: _WORST_FIRST.index(one.verdict))
