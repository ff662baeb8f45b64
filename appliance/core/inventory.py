"""Judging what a connect said: inventory checks, answered from ports that were asked before.

An answer's field is true when one of its ports was open. It is false only when every one of them
was asked within the check's freshness and none was open; a port that was never asked, or too long
ago, makes the finding unknown (stale) and not a guess.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.core.classify import MEDICAL_PORTS, PORTS_MAX, SSH_PORT
from proto.catalog.model import Check, ProbeKind
from proto.errors import ConfigError
from proto.findings import Reason
from proto.inventory import Facts
from proto.judge import Judgement, judge_answer, unknown


@dataclass(frozen=True, slots=True)
class PortSeen:
    """What the last connect to a port said, and when."""

    is_open: bool
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A check's judgement of a device; `at_ms`: when the oldest port it rests on was asked."""

    judgement: Judgement
    at_ms: int


def inventory_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks that a connect answers, by id."""
    found = (check for check in checks if check.probe.kind is ProbeKind.INVENTORY)
    return tuple(sorted(found, key=lambda check: check.id))


def wanted_ports(checks: Iterable[Check]) -> tuple[int, ...]:
    """Return the ports to ask of a device that may be asked: those of the checks, and SSH.

    SSH only helps to tell what a device is, so it is left out when the checks need all the room.

    Raises:
        ConfigError: with the medical ports they are more than `PORTS_MAX`.
    """
    wanted = {
        port
        for check in inventory_checks(checks)
        for ports in check.probe.ports.values()
        for port in ports
    }
    asked = wanted | set(MEDICAL_PORTS)
    if len(asked) > PORTS_MAX:
        msg = (
            f"the content's inventory checks and the medical ports are {len(asked)} ports;"
            f" at most {PORTS_MAX} of a device are ever asked"
        )
        raise ConfigError(msg)
    if len(asked) < PORTS_MAX:
        wanted.add(SSH_PORT)
    return tuple(sorted(wanted))


def judge_ports(
    check: Check, ports: Mapping[int, PortSeen], *, facts: Facts, now_ms: int
) -> Judged:
    """Judge one inventory check on one device from what is known of its ports."""
    oldest_ms = now_ms - check.freshness_s * 1000
    answer: dict[str, bool] = {}
    at_ms = now_ms
    for name, asked in check.probe.ports.items():
        fresh = [
            ports[port] for port in asked if port in ports and ports[port].seen_ms >= oldest_ms
        ]
        is_open = any(seen.is_open for seen in fresh)
        if not is_open and len(fresh) < len(asked):
            stale = unknown(Reason.STALE, f"{name}: not every port was asked lately")
            return Judged(stale, now_ms)
        answer[name] = is_open
        at_ms = min([at_ms, *(seen.seen_ms for seen in fresh)])
    return Judged(judge_answer(check, answer, facts=facts), at_ms)
