"""The schedule: which checks are due, by age alone.

An interval is measured from the last answer, never from a minute of the clock, so a daemon that
was down catches up at once and no check waits for an exact moment. A check whose last answer was
unknown is asked again sooner, doubling from `RETRY_MS` up to its own interval. A target that
refused a login is left alone for `REFUSED_WAIT_MS` whatever is due on it, because accounts are
locked after a few refusals. An answer from the future (a clock was set back) is no answer.
"""

from collections.abc import Iterable, Mapping

from proto.catalog.model import Check, ProbeKind
from proto.findings import Finding, Reason
from proto.inventory import Platform

RETRY_MS = 30_000
REFUSED_WAIT_MS = 900_000
REFUSED = frozenset(
    {
        Reason.AUTH_REFUSED,
        Reason.SUDO_REFUSED,
        Reason.HOST_KEY_CHANGED,
        Reason.NO_CREDENTIAL,
    }
)
"""Reasons that a person has to end; asking again soon only does harm."""

ASKED_OVER_A_LOGIN = frozenset({ProbeKind.SH})


def due_ms(
    check: Check, last: Finding | None, *, unknown_for_ms: int, content: str, now_ms: int
) -> int:
    """Return when a check is to be asked next, 0 for at once.

    Args:
        check: what is to be asked.
        last: its current finding, if any.
        unknown_for_ms: how long that finding has been unknown, 0 when it is not.
        content: the active content's digest; a finding judged by another set is due at once.
        now_ms: the time; a finding that is later than it is due at once.
    """
    if last is None or last.content != content or last.at_ms > now_ms:
        return 0
    wait_ms = check.interval_s * 1000
    if last.reason is not None and last.reason not in REFUSED:
        wait_ms = min(wait_ms, max(RETRY_MS, unknown_for_ms))
    return last.at_ms + wait_ms


def held_until_ms(findings: Iterable[Finding], *, now_ms: int) -> int:
    """Return until when a target is left alone because it refused a login, 0 for not at all."""
    times = (f.at_ms for f in findings if f.reason in REFUSED and f.at_ms <= now_ms)
    return max(times, default=-REFUSED_WAIT_MS) + REFUSED_WAIT_MS


def applicable(checks: Mapping[str, Check], platform: Platform) -> list[Check]:
    """Return the checks that are asked over a login on this platform, in order of their ids."""
    return [
        check
        for _, check in sorted(checks.items())
        if check.platform is platform and check.probe.kind in ASKED_OVER_A_LOGIN
    ]
