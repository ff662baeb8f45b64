"""Which sites of a large fleet a page lists."""

import pytest

from central.console.site_list import EVERY, PER_PAGE, Wanted, kinds, listed
from central.core.fleet import Presence
from central.store.views.fleet import FleetRow
from proto.findings import Verdict
from proto.ids import SiteId


def row(
    number: int, *, label: str = "", presence: Presence = Presence.ONLINE, **counts: int
) -> FleetRow:
    """Return a site of a fleet."""
    site = "s-" + f"{number:010d}".translate(str.maketrans("0189", "abcd"))
    zero = {"open_incidents": 0, "escalated": 0, "conditions": 0, "unconfirmed": 0}
    return FleetRow(
        site=SiteId(site),
        label=label or f"Clinic {number}",
        presence=presence,
        appliances=1,
        last_seen_ms=1,
        as_of_s=1,
        targets=1,
        verdicts=dict.fromkeys(Verdict, 0),
        healed_lately=0,
        **{**zero, **counts},
    )


FLEET = [
    *(row(number) for number in range(3 * PER_PAGE)),
    row(900, label="Riverside Family Clinic", escalated=1, open_incidents=2),
    row(901, label="River Street Dental", presence=Presence.SILENT),
    row(902, label="Lakeside", conditions=1),
    row(903, label="Hill", unconfirmed=1),
]


def labels(**query: str) -> list[str]:
    """Return the labels of one page."""
    return [one.label for one in listed(FLEET, Wanted.of(query)).rows]


def test_every_site_is_on_one_page_and_the_pages_lead_through_all_of_them() -> None:
    seen: list[SiteId] = []
    wanted: Wanted | None = Wanted.of({})
    while wanted is not None:
        page = listed(FLEET, wanted)
        assert page.first == len(seen) + 1
        assert page.found == len(FLEET)
        seen += [one.site for one in page.rows]
        assert len(page.rows) <= PER_PAGE
        wanted = None if page.after is None else Wanted(EVERY, "", wanted.page + 1)
        assert wanted is None or page.after == wanted.address(page=wanted.page)
    assert seen == [one.site for one in FLEET]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("people", ["Riverside Family Clinic", "Lakeside", "Hill"]),
        ("silent", ["River Street Dental"]),
        ("open", ["Riverside Family Clinic"]),
    ],
)
def test_a_kind_shows_those_sites_alone(kind: str, found: list[str]) -> None:
    assert labels(show=kind) == found
    numbers = {name: number for _, name, number, _ in kinds(FLEET, Wanted.of({"show": kind}))}
    assert numbers["All"] == len(FLEET)
    assert len(found) in numbers.values()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("river", ["Riverside Family Clinic", "River Street Dental"]),
        ("  CLINIC   river ", ["Riverside Family Clinic"]),
        (FLEET[7].site, [FLEET[7].label]),
        ("nowhere", []),
    ],
)
def test_every_word_must_stand_in_a_sites_name_or_id(words: str, found: list[str]) -> None:
    assert labels(find=words) == found


def test_words_stay_where_one_goes_to_another_kind_or_page() -> None:
    wanted = Wanted.of({"find": "clinic & <b>", "show": "people"})
    assert wanted.address(page=2) == "/?show=people&find=clinic+%26+%3Cb%3E&page=2"
    assert Wanted.of({}).address(kind=EVERY) == "/"


@pytest.mark.parametrize("page", ["0", "-1", "9" * 30, "x", "", "٣"])
def test_what_is_no_page_is_the_first_or_the_last(page: str) -> None:
    assert len(labels(page=page)) == PER_PAGE


def test_a_page_beyond_the_last_is_the_last() -> None:
    page = listed(FLEET, Wanted.of({"page": "999"}))
    assert page.after is None
    assert page.rows[-1] == FLEET[-1]


def test_an_unknown_kind_is_every_site() -> None:
    assert labels(show="<script>") == labels()
