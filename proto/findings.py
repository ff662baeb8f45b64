"""Findings: what a probe's answer meant.

A verdict is earned. Compliant, drifted and not_applicable come only from an answer that was read;
everything else (no answer, no credential, a bad answer, an answer that is too old) is unknown, with
its reason. Unknown opens no incident and counts in no denominator as passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proto.ids import SiteId, TargetId
from proto.invariants import require


class Verdict(StrEnum):
    """What a check concluded about a target."""

    COMPLIANT = "compliant"
    DRIFTED = "drifted"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a verdict is unknown."""

    UNREACHABLE = "unreachable"
    HOST_KEY_CHANGED = "host_key_changed"
    AUTH_REFUSED = "auth_refused"
    SUDO_REFUSED = "sudo_refused"
    NO_CREDENTIAL = "no_credential"
    TIMEOUT = "timeout"
    PROBE_FAILED = "probe_failed"
    BAD_ANSWER = "bad_answer"
    STALE = "stale"


class Vantage(StrEnum):
    """From where a target was looked at."""

    SSH = "ssh"
    SCAN = "scan"


Scalar = bool | int | str
"""A value of an answer's field: closed types only, never a float, a list or null."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict on one target at one time.

    Attributes:
        seen: the answer's fields that may leave the site (`report: true`).
        at_ms: when the answer was read, milliseconds since the epoch.
        content: hex SHA-256 of the content set that judged it.
        reason: why the verdict is unknown; None for every other verdict.
    """

    site: SiteId
    target: TargetId
    check: str
    verdict: Verdict
    reason: Reason | None
    seen: Mapping[str, Scalar]
    at_ms: int
    vantage: Vantage
    content: str

    def __post_init__(self) -> None:
        """Hold the one invariant: unknown and only unknown has a reason."""
        require(
            (self.verdict is Verdict.UNKNOWN) == (self.reason is not None),
            f"{self.check}: verdict {self.verdict} with reason {self.reason}",
        )


def is_fresh(finding: Finding, *, now_ms: int, freshness_s: int) -> bool:
    """Tell whether a finding may still be believed: no older than the check's freshness."""
    return now_ms - finding.at_ms <= freshness_s * 1000
