"""The console believes an appliance only while it can speak for today."""

from collections import Counter

import pytest

from central.console.fleet import sentence, tone
from central.console.frame import believed
from central.core.fleet import Presence
from central.store.views.fleet import FleetRow
from proto.findings import Verdict
from proto.ids import SiteId
from runtime.web.words import Tone

VERDICTS = Counter({Verdict.COMPLIANT: 50, Verdict.DRIFTED: 2, Verdict.NOT_APPLICABLE: 3})
SITE = FleetRow(
    site=SiteId("s-aaaaaaaaaa"),
    label="Clinic",
    presence=Presence.ONLINE,
    appliances=1,
    unconfirmed=0,
    last_seen_ms=1,
    as_of_s=1,
    targets=3,
    verdicts=VERDICTS,
    open_incidents=0,
    escalated=0,
    healed_lately=4,
    conditions=0,
)


@pytest.mark.parametrize("presence", [Presence.SILENT, Presence.BLIND, Presence.NEVER])
def test_what_cannot_speak_for_today_is_unknown(presence: Presence) -> None:
    counts = believed(VERDICTS, presence)
    assert (counts.compliant, counts.drifted, counts.unknown) == (0, 0, 52)
    assert counts.judged == 52
    assert counts.was == "Last known: 50 compliant, 2 drifted, 0 unknown."


@pytest.mark.parametrize("presence", [Presence.ONLINE, Presence.LATE])
def test_what_was_heard_lately_counts_as_it_was_told(presence: Presence) -> None:
    counts = believed(VERDICTS, presence)
    assert (counts.compliant, counts.drifted, counts.unknown, counts.was) == (50, 2, 0, "")


def with_(**changes: object) -> FleetRow:
    fields = {name: getattr(SITE, name) for name in FleetRow.__slots__}
    return FleetRow(**{**fields, **changes})


def test_the_fleet_in_one_sentence() -> None:
    silent = with_(presence=Presence.SILENT, escalated=1)
    assert sentence([SITE, SITE]) == (
        "All 2 sites are online; 8 repairs were proved in the last 24 hours;"
        " nothing needs a person."
    )
    assert sentence([SITE, silent]).startswith("1 of 2 sites is online; ")
    assert sentence([SITE, silent]).endswith("1 incident needs a person.")
    assert sentence([]).startswith("There is no site yet")


def test_a_fleet_looks_good_only_when_all_of_it_is_online() -> None:
    assert tone([SITE]) is Tone.GOOD
    assert tone([]) is Tone.UNKNOWN
    assert tone([SITE, with_(presence=Presence.LATE)]) is Tone.UNKNOWN
    assert tone([with_(conditions=1)]) is Tone.WARN
    assert tone([with_(escalated=1)]) is Tone.WARN
