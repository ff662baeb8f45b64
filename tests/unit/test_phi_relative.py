# ruff: noqa: E501 - examples stand unbroken
"""Addresses without a host that lead to a person go whole; what programs do there stays."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ('"GET /patients/lamb-1963/144230/labs HTTP/1.1" 200', ("patients", "lamb", "144230"), "/labs HTTP/1.1"),
    ('"GET /patients/rain-2001/371589/labs HTTP/1.1" 200', ("patients", "rain", "371589"), "/labs HTTP/1.1"),
    ("GET /patients/whitaker-2004/412771/photo/whitaker_sione_face.png HTTP/1.1", ("whitaker", "face"), ".png HTTP/1.1"),
    ("POST /portal/members/quoban-thoenko/visits/44120/notes HTTP/1.1", ("quoban", "44120"), "/notes HTTP/1.1"),
    ("path=/api/v2/patients/4417203/appointments status=200", ("4417203",), "/appointments status=200"),
    ('{"method":"GET","path":"/v1/patients/4417203/labs","status":200}', ("4417203",), '/labs","status":200}'),
    ("GET /chart/7f3c2a1b-90de-4f3a-8b11-2c3d4e5f6a7b/imaging HTTP/1.1", ("7f3c2a1b",), "/imaging"),
]  # fmt: skip
STAYS = [
    "GET /api/patients/search HTTP/1.1",
    "GET /patients/42/edit HTTP/1.1",
    "GET /static/charts/bundle.3f9a2b1c.js HTTP/1.1",
    "GET /static/charts/chart.umd.js?version=4.4.1 HTTP/2 200",
    "path=/api/v2/members/export status=200",
]


@pytest.mark.parametrize(("line", "gone", "kept"), GONE)
def test_the_address_of_somebody_goes_whole(line: str, gone: tuple[str, ...], kept: str) -> None:
    scrubbed = scrub_text(line)
    assert not [value for value in gone if value in scrubbed]
    assert "[URL-" in scrubbed
    assert kept in scrubbed


@pytest.mark.parametrize("line", STAYS)
def test_addresses_of_programs_stay(line: str) -> None:
    assert scrub_text(line) == line
