"""Values that were found once go wherever else they stand."""

import pytest

from proto.phi import scrub_text

GONE = {
    "MRN 89385825 opened on EXAM4-WS\n89385825 locked after 162 ms": "89385825",
    "chart mrn=81760868 merge start; retry 81760868 failed": "81760868",
    '{"mrn":"73163530","trace":"lookup/73163530/v2"}': "73163530",
    "audit: mrn [78500496] viewed; export -> out_78500496.xml ok": "78500496",
    "patient ssn 412-55-9183 on file; lookup key 412559183 twice": "412559183",
    "patient phone (617) 694-2032 busy; dialed 6176942032 again": "6176942032",
    "patient MRN 48213 admitted; label 48213 printed": "48213",
    "password=Tr0ub4dor&3 tried; then Tr0ub4dor&3 again": "Tr0ub4dor&3",
    "PS> net user anneliesec /domain\nUser name                    anneliesec": "anneliesec",
}
STAYS = {
    "patient MRN 10240 admitted; build 5.10240 runs": "5.10240",
    "patient MRN 48213 admitted; trace 7f48213a": "7f48213a",
    "patient dob 2024-03-12; log of 2024-03-12T08:00:01Z follows": "2024-03-12T08:00:01Z",
    "patient MRN 48213 admitted; peer 10.1.4.8:48213 left": "10.1.4.8:48213",
}


@pytest.mark.parametrize(("text", "value"), GONE.items())
def test_a_value_found_once_goes_everywhere(text: str, value: str) -> None:
    assert value not in scrub_text(text)


@pytest.mark.parametrize(("text", "fact"), STAYS.items())
def test_a_larger_thing_that_holds_its_digits_stays(text: str, fact: str) -> None:
    assert fact in scrub_text(text)


@pytest.mark.parametrize(
    "form", ["mrn={0}", "patient phone (617) 694-{1}", "patient ssn {2}-00-1234"]
)
def test_many_values_go_too(form: str) -> None:
    values = [form.format(10_000_000 + n, 2_000 + n, 100 + n) for n in range(500)]
    rows = [f"{value} again {value.rpartition('=')[2].rpartition('ne ')[2]}" for value in values]
    scrubbed = scrub_text("\n".join(rows))
    assert not any(row.rpartition("again ")[2] in scrubbed for row in rows)
