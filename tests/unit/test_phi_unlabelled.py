"""Names that no label announces, in every form and place, and equipment in the same places.

The names are in no list: a rule that knows them cannot be what finds them.
"""

from itertools import product

import pytest

from proto.phi import scrub_text

STRANGERS = (("Quepaumur", "Yaslaemur"), ("Thoenko", "Brafeqaqua"), ("Zamurish", "Obiwenlia"))
FORMS = (
    "{first} {last}",
    "{first} K. {last}",
    "{last}, {first}",
    "{last}, {first} K",
    "{LAST}, {FIRST} K",
    "{LAST},{FIRST}",
    "{first} De La {last}",
    "{first} {last} Jr",
)
PLACES = (
    "kiosk 2: admitted {} at 10:22",
    "operator: paging {} to radiology",
    "faxed to {} 4 pages OK",
    "Ticket 4411 assigned to {}",
    "'Schedule.xlsx' is locked for editing by '{}'.",
    "badge of {} denied at door 3",
    'ActiveWindow="Ledger - [{}]" pid=4112',
    'Job 118 "{}" on PRN01: spooled 2 pages',
    "KeyError: '{}'",
    "7;{};waiting;3",
    "[10:14] {}: the scanner is back",
    "user reports that {} is locked out again",
)
EQUIPMENT = (
    "ring 2",
    "Microsoft Windows Production PCA",
    "Default Domain Policy",
    "HP LaserJet 4250",
    "Exam Room 3",
    "Print Operators",
    "Front Desk",
    "Adobe Acrobat Reader",
    "Sophos Endpoint",
    "Entrust Root Certification Authority",
)


@pytest.mark.parametrize(("place", "form"), list(product(PLACES, FORMS)))
def test_somebody_whom_no_list_has_goes_whatever_the_form_and_the_place(
    place: str, form: str
) -> None:
    for first, last in STRANGERS:
        name = form.format(first=first, last=last, FIRST=first.upper(), LAST=last.upper())
        scrubbed = scrub_text(place.format(name))
        assert first.lower() not in scrubbed.lower()
        assert last.lower() not in scrubbed.lower()


@pytest.mark.parametrize(("place", "what"), list(product(PLACES, EQUIPMENT)))
def test_equipment_in_the_same_place_stays(place: str, what: str) -> None:
    text = place.format(what)
    assert scrub_text(text) == text


@pytest.mark.parametrize("place", PLACES[:6])
@pytest.mark.parametrize("name", ["Grace Park", "Hope Rivers", "GRACE PARK", "Park, Grace"])
def test_two_words_that_are_names_too_go_where_somebody_is_spoken_of(place: str, name: str) -> None:
    assert name not in scrub_text(place.format(name))


@pytest.mark.parametrize(
    "text",
    [
        "roomed Heather in Exam 4, vitals pending",
        "sent results to Michael via portal",
        "paged Quekoyan twice, no answer",
        "P. Miquelen opened the cabinet",
        "closed by Antho S. at noon",
        "GET /docs/holmes_ingrid 404",
    ],
)
def test_part_of_a_name_goes_where_something_is_done_to_people(text: str) -> None:
    assert scrub_text(text) != text


@pytest.mark.parametrize(
    "text",
    [
        "timeout for Chase gateway is 30 s",
        "ACPI: LAPIC_NMI (acpi_id[0x01] high edge lint[0x1])",
        "usb 2-1: Product: Datalogic Gryphon, Manufacturer: Datalogic",
        "DBCC CHECKDB started; ASIC JTAG reset",
        "modprobe xhci_hcd; systemctl restart ibm-swl",
        "notified Nagios; asked Jenkins to rebuild",
        "DUID : 00-01-00-01 IAID : 132106998",
    ],
)
def test_what_is_only_written_like_a_name_stays(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("kiosk 2: admitted karen robinson at 10:22", "karen robinson"),
        ("USB stick found, belongs to zamur feqatene", "zamur feqatene"),
        ("thanks for calling, Cliff, your next cleaning is on March 26 with Heather", "Cliff"),
        ("patient merged; Kuotze Link / Astrid Kimmel share a phone", "Kuotze Link"),
        ("Defender: quarantined C:\\Temp\\quepaumur_yaslaemur.jpg", "yaslaemur"),
        ("rsync: sent QuepaumurYaslaemur.pdf", "Quepaumur"),
        ("label 2x1 for patient: PARK, LAKSHMI 4525900810", "LAKSHMI"),
    ],
)
def test_names_go_in_small_letters_in_files_and_beside_people(text: str, name: str) -> None:
    assert name not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "sync to wuauserv dosvc done; called mpengine updater",
        "loaded xhci_hcd.zip, release_notes.pdf, price_list.xlsx and fee-schedule.docx",
        "assigned to vlan trunk; belongs to sysprep image",
    ],
)
def test_small_letters_of_machines_stay(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("home visit 8667 State Route 44 cancelled", "44 cancelled"),
        ("GPS fix near 9974 Highway 9", "Highway 9"),
        ("postmark Fort Brafeqaish PA 18201", "Brafeqaish"),
        ("postmark Fort Brafeqaish PA 18201", "18201"),
        ("patient lives at 2131 maple drive with her son", "maple"),
        ("patient lives in Quepaumur with her son", "Quepaumur"),
        ("transfer of the patient to the hospital in Cedar Falls arranged", "Cedar Falls"),
        ("please move Oksana's printer to room 2", "Oksana"),
        ("approved: Will Ford, RN", "Will Ford"),
    ],
)
def test_places_and_owners_go_without_a_label(text: str, what: str) -> None:
    assert what not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "10 GigE Ports up; 24 Port Switch; 64 Bit Drive",
        "moved to Quarantine by policy; driving to Zero",
        "Moore's law; Let's Encrypt; Victoria's algorithm",
        "exit code TX 75201 at offset 12",
    ],
)
def test_what_is_only_written_like_a_place_or_an_owner_stays(text: str) -> None:
    assert scrub_text(text) == text
