"""What people said of an order at appliances, as steps of its life in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from central.store.order_said import SaidAt
from proto.evidence import SaidBy, SaidWhat
from runtime.web.words import Tone

_LABELS: Final = {
    SaidWhat.VETO.value: "Vetoed on the LAN",
    SaidWhat.CONSENT.value: "Consent given on the LAN",
}


@dataclass(frozen=True, slots=True)
class SaidStep:
    """A word as a step; the time is the appliance's own."""

    label: str
    sentence: str
    tone: Tone
    at_ms: int


def said_steps(said: Iterable[SaidAt]) -> list[SaidStep]:
    """Return what was said, oldest first, naming account and appliance by their codes."""
    return [_step(one) for one in said]


def _step(one: SaidAt) -> SaidStep:
    at_ms = one.at_s * 1000
    if one.by_whom == SaidBy.NEIGHBOUR:
        told = f"{one.appliance} heard that account {one.actor} vetoed it at another appliance."
        return SaidStep("Veto heard", told, Tone.QUIET, at_ms)
    is_veto = one.what == SaidWhat.VETO
    told = f"By account {one.actor} at {one.appliance}, in that appliance's signed statement."
    tone = Tone.QUIET if is_veto else Tone.GOOD
    return SaidStep(_LABELS.get(one.what, one.what.capitalize()), told, tone, at_ms)
