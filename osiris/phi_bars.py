"""The bars that the scrubber is held to, as data, and what a measurement says about each.

A bar without anything to measure is neither met nor missed: `met` is None, and it is shown.
"""

from dataclasses import dataclass

from osiris.phi_measure import (
    ADVERSARIAL,
    LOGS,
    PROSE,
    SECRET,
    STAFF,
    STRUCTURED,
    Measured,
    Share,
)

CLASS_BAR = "recall in logs: "
CLASS_RECALL_MIN = 0.90
SPEED_MB_PER_S_MIN = 5.0
RECALL_MIN = {LOGS: 0.97, STRUCTURED: 0.995, ADVERSARIAL: 0.95, PROSE: 0.85}
SECRET_RECALL_MIN = 0.95
ALTERED_LINES_MAX = 0.02
ALTERED_CHARACTERS_MAX = 0.002
KEPT_MIN = 0.99


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what is asked, what was found, and whether that is enough."""

    what: str
    bar: str
    share: Share | None
    value: float | None
    met: bool | None


def bars(measured: Measured) -> list[Bar]:
    """Hold a measurement against every bar."""
    beside = {SECRET, *STAFF}
    return [
        *(
            _at_least(f"recall: {group}", measured.over(groups=[group], but=beside), least)
            for group, least in RECALL_MIN.items()
        ),
        *(
            _at_least(
                f"{CLASS_BAR}{label}",
                measured.of_class(label, groups=[LOGS]),
                CLASS_RECALL_MIN,
            )
            for label in measured.classes()
            if label not in beside
        ),
        _at_least("recall: secrets", measured.of_class(SECRET), SECRET_RECALL_MIN),
        _at_most("clean lines altered", measured.altered.share(), ALTERED_LINES_MAX),
        _at_most(
            "clean characters altered",
            measured.altered_characters.share(),
            ALTERED_CHARACTERS_MAX,
        ),
        _at_least("infrastructure facts kept", measured.kept.share(), KEPT_MIN),
        _at_least("JSON still valid", measured.json_valid.share(), 1.0),
        _at_least("idempotent", measured.idempotent.share(), 1.0),
        _at_least("deterministic", measured.deterministic.share(), 1.0),
        _speed(measured.megabytes_per_s),
    ]


def _at_least(what: str, share: Share, least: float) -> Bar:
    met = None if share.value is None else share.value >= least
    return Bar(what, f">= {least:.1%}", share, share.value, met)


def _at_most(what: str, share: Share, most: float) -> Bar:
    met = None if share.value is None else share.value <= most
    return Bar(what, f"<= {most:.1%}", share, share.value, met)


def _speed(found: float | None) -> Bar:
    met = None if found is None else found >= SPEED_MB_PER_S_MIN
    return Bar("MB/s of one core", f">= {SPEED_MB_PER_S_MIN:g}", None, found, met)
