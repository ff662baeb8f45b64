"""Names and days that what people do with them tells, and what only looks like that."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("note: told Ingrid the new lockers are open", "Ingrid"),
        ("left a message for Beatriz Kowalczyk about the crown", "Kowalczyk"),
        ("order A70186011 collected from Ricci, Behrouz by D.P. tube lavender", "D.P."),
        ('disc label "Velhauenko Y. Price  11/18/1971  CT HEAD" on Rimage', "Velhauenko"),
        ("same key. Key: 7226751860|KUOSKI|CAOIMHE", "7226751860"),
        ("same key. Key: 7226751860|KUOSKI|CAOIMHE", "KUOSKI"),
        ("{'pt': 'Day, Harold', 'dob': datetime.date(1931, 4, 17), 'node': 'EXAM-36'}", "1931, 4"),
        ("born = LocalDate.of(1944, 12, 3)", "1944, 12, 3"),
        ("fax to (813) 427-4074 CSID 'Prince Family Care' sent", "Prince"),
        ("INFO reminder to james figueiredo at noon", "figueiredo"),
        ("no consent for patient zabraski, daniel dob 1991-11-02", "zabraski"),
        ("AE ORTHANC: match 1: Truong, Royal, 20040601", "Truong, Royal"),
        ("INFO confirm: Anil Santos replied C to reminder, 795.799.8251", "Anil"),
        ("insulin: pump PJN5014487H reported by Star Self recalled, mrn 4411223", "Star Self"),
        ("Downloads\\Ginevra Okafor EOB Dec 28 2023.pdf", "Okafor"),
        ('Recent\\0 = "39943522 Paulo MacDonald"', "39943522"),
        ("literal for int() with base 10: '570849' (patient Tyler Williams)", "570849"),
        ("ValueError: bad phone for Anna Lee: '268-504-9986x'", "268-504-9986"),
        ("10:00 S. Head / 10:15 K. Marsh, patient 4411223", "S. Head"),
        ("Row 118: GivenName='Ingrid' Surname='Self'", "Self"),
        ("\\\\NURSE-37\\Charts$\\96426241_VILLANUEVA", "VILLANUEVA"),
        ("hearing aid pair PJN3770025H returned by Noah Lake", "PJN3770025H"),
    ],
)
def test_what_company_tells_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("the password for the tablet is 20192020 now", "20192020"),
        ("password was changed to 839201 by the vendor", "839201"),
        ("pwd for the autoclave tablet: T&hpvoT", "T&hpvoT"),
    ],
)
def test_a_password_that_is_said_goes_though_it_is_a_number(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "the maximum password age is 90000 seconds; password history is 24 passwords",
        "password expiry for all was set to 10000 days",
        "notified Nagios; asked Jenkins to rebuild; texted on-call",
        "connection from jenkins agent to oracle listener closed",
        "mount of nas scans to mary failed; mail to root at 06:00",
        "LogTime = new Date(2024, 3, 18); datetime.date(2024, 3, 18)",
        "net use Z: \\\\nas\\scans /persistent:yes",
        "du: 118M /var/log; logrotate: 14 rotated",
        "10:00 backup A. 10:15 backup B. Done",
        "table t: 7226751860|SOURCE|TARGET",
    ],
)
def test_what_only_looks_like_company_stays(text: str) -> None:
    assert scrub_text(text) == text


def test_a_request_ends_before_its_port_and_its_client_stays() -> None:
    once = scrub_text(
        "10.1.2.3 POST /api/v2/patients/30942306/notes - 443 walkera 192.168.88.143 okhttp/4.9 201"
    )
    assert "192.168.88.143" in once
    assert "30942306" not in once
    assert "walkera" not in once


def test_names_beyond_the_first_few_of_a_record_go_like_the_first() -> None:
    """Each row shows a name whose half is a word, and the login that is made of it."""
    firsts = ("Ingrid", "Paulo", "Yusuf", "Oksana", "Beatriz", "Rajesh", "Marieke", "Thuy")
    lasts = ("Whitaker", "Okafor", "Novak", "Delgado", "Sharma", "Jansen", "Pham", "Moreau")
    rows = [f"{one} {two} {one[0].lower()}{two.lower()}" for one in firsts for two in lasts]
    once = scrub_text("\n".join(rows)).lower()
    assert not [two for two in lasts if two.lower() in once]
