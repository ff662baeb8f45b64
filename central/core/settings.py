"""What the hub can be told, as values; `central/config.py` reads them from a file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubSettings:
    """How the hub treats its fleet. Durations are seconds.

    Attributes:
        check_in_s: how often an appliance checks in while the fleet is small.
        check_ins_per_s_max: the rate above which the hub asks for longer pauses.
        late_after_s: an appliance not heard of for so long is late.
        silent_after_s: and after so long it is silent.
        findings_old_after_s: findings older than this are too old to speak for a site.
        claim_life_s: how long a claim code may be used.
        clock_skew_s: how far an appliance's clock may be from the hub's at a check-in.
    """

    check_in_s: int = 60
    check_ins_per_s_max: int = 200
    late_after_s: int = 300
    silent_after_s: int = 1800
    findings_old_after_s: int = 86_400
    claim_life_s: int = 86_400
    clock_skew_s: int = 900


NEXT_S_MAX = 3600
"""The longest pause the hub asks for, however large the fleet."""


def next_check_in_s(settings: HubSettings, *, appliances: int) -> int:
    """Return the pause to ask for: longer for a large fleet, so that the rate stays bounded."""
    spread = -(-appliances // settings.check_ins_per_s_max)
    return min(max(settings.check_in_s, spread), NEXT_S_MAX)
