"""Who stands beside somebody that was found, and what of a record about machines stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.phi import default_names, default_policy, scrub_text
from proto.phi.lexicon import Lexicon
from proto.phi.record import ASKED_MAX, Record

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Sutures removed, mrn 4411223. Zeoish tolerated this well.", "Zeoish"),
        ("called pt's wife Oluwaseun at 237-515-8772, she will bring Sergei in tomorrow", "Sergei"),
        ("Llewellyn (mrn 4411223) reports that Lakshmi drove her here", "Lakshmi"),
        (
            "RxRenewal: Adaeze Laedortho not found at Walgreens; script 6404489 returned",
            "Laedortho",
        ),
        ("crossmatched, recipient Peña, Bohdan, band 426658251", "426658251"),
        ("{'To': '+1-902-849-9749', 'Body': 'Feqaoglu, reply C to confirm 3/18/23'}", "Feqaoglu"),
        ('event=swipe holder="MARKS/JADWIGA" pan=4173818773109481', "JADWIGA"),
        ("caregiver=Carol Venkataraman relation=daughter pt=9313602344", "9313602344"),
        ("import row 14: Dhillon;Max;27.03.1979;717 383 7380 -> error", "Max"),
        ('column dob: "June 14, 1969" (full row: 22351242\tPriruppan\tRoyal)', "Priruppan"),
        ("CALL merge_people('18454246','51258471','Lake, Nursultan') failed", "18454246"),
        ("PUT /api/people/23445496/contact?name=Haumur+Nakamura 422", "23445496"),
        ('Originate failed contact "Zamur Link" campaign recall', "Zamur"),
        ('parsing "3042896": invalid syntax (patient="Sophia Gallagher")', "3042896"),
        ("lot camera 3 OCR 9FPG811 conf 0.88", "9FPG811"),
        ("Holter PM26093213 hookup 01/09/2020 pt Kobayashi, Maud", "PM26093213"),
        ("LVAD alarm low flow; caregiver Laesen +19483437817", "Laesen"),
        ("CGM transmitter JT16744202 paired with phone of Obioglu", "Obioglu"),
        ("plan='53025281900' mrn='87-38-58'", "53025281900"),
        ("J:\\Ceph\\OKAFOR ANAHERA\\lat.tif locked", "ANAHERA"),
        ("printer prints Betty's address on it", "Betty"),
        ("security: RGK 7079 blue Civic, lights on", "7079"),
        ("rcpt=ann.lee@gmail.com tmpl=birthday turns=91", "=91"),
        ("Users\\pageh\\Desktop\\Hauula Page tax\\W2.exe", "Hauula"),
    ],
)
def test_who_stands_beside_somebody_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rimage burner offline; Weasis viewer restarted by Zorvex agent",
        "notified Zorvex; template Bravura loaded; contact 'Zorvex Support'",
        "wifi: band 5180 MHz, width 80; plan hash 0x8841",
        "Sync, please wait: 'Warning, your disk is full'",
        "GET /api/jobs/23445496/status 200",
    ],
)
def test_strangers_in_a_record_about_machines_stay(text: str) -> None:
    assert scrub_text(text) == text


def test_a_mail_address_goes_without_the_quote_before_it() -> None:
    assert scrub_text("set email='ann.lee@gmail.com' where id=4").count("'") == 2


def test_a_name_before_a_number_with_dots_is_judged_alike_before_and_after() -> None:
    once = scrub_text("Sfax: 4 pgs, ANI 712.985.2557, patient on barcode PRIVELTHO, HASSAN")
    assert scrub_text(once) == once


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from(["ann", "Ann", "annie", "lee", "-", " ", "1", "_", "'"]), max_size=40)
)
def test_a_word_is_found_at_the_same_places_however_many_were_looked_for(parts: list[str]) -> None:
    data = "".join(parts).encode()
    names = default_names()
    assert names is not None
    record = Record(data, data.lower(), Lexicon(default_policy(), names))
    first = [list(record.places(word)) for word in (b"ann", b"lee")]
    for _ in range(ASKED_MAX):
        list(record.places(b"lee"))
    assert [list(record.places(word)) for word in (b"ann", b"lee")] == first


@pytest.mark.parametrize("name", ["haruto wilson", "maria smith", "nelson karen", "warsame amina"])
@pytest.mark.parametrize(
    "line", ["Admit {} to ICU", "mailbox {} over quota", "4412 - {}", "Worklist: {}, CT CHEST"]
)
def test_common_names_written_small_need_nothing_beside_them(name: str, line: str) -> None:
    said = scrub_text(line.format(name))
    assert not set(name.split()) & set(said.split())


@pytest.mark.parametrize(
    "line", ["zeek conn 4412 open", "baxter sigma pump 3 idle", "charles proxy 4.6 on port 8888"]
)
def test_what_is_called_so_in_small_letters_stays(line: str) -> None:
    assert scrub_text(line) == line
