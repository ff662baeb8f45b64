"""The schedule: which checks are due, by age alone.

An interval is measured from the last answer, never from a minute of the clock, so a daemon that
was down catches up at once and no check waits for an exact moment. A check whose last answer was
unknown is asked again sooner, doubling from `RETRY_MS` up to its own interval; a login that was
refused waits the whole interval, because accounts are locked after a few refusals.
"""

from collections.abc import Mapping

from proto.catalog.model import Check, ProbeKind
from proto.findings import Finding, Reason
from proto.inventory import Platform

RETRY_MS = 30_000
REFUSED = frozenset({Reason.AUTH_REFUSED, Reason.HOST_KEY_CHANGED, Reason.NO_CREDENTIAL})
ASKED_OVER_A_LOGIN = frozenset({ProbeKind.SH})


def due_ms(check: Check, last: Finding | None, *, unknown_for_ms: int, content: str) -> int:
    """Return when a check is to be asked next, 0 for at once.

    Args:
        check: what is to be asked.
        last: its current finding, if any.
        unknown_for_ms: how long that finding has been unknown, 0 when it is not.
        content: the active content's digest; a finding judged by another set is due at once.
    """
    if last is None or last.content != content:
        return 0
    wait_ms = check.interval_s * 1000
    if last.reason is not None and last.reason not in REFUSED:
        wait_ms = min(wait_ms, max(RETRY_MS, unknown_for_ms))
    return last.at_ms + wait_ms


def applicable(checks: Mapping[str, Check], platform: Platform) -> list[Check]:
    """Return the checks that are asked over a login on this platform, in order of their ids."""
    return [
        check
        for _, check in sorted(checks.items())
        if check.platform is platform and check.probe.kind in ASKED_OVER_A_LOGIN
    ]
