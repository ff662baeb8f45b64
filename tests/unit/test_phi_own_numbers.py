"""Numbers of machines and payments stay; numbers of people that look alike go."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (
            "2019-11-21 19:23:15 specimen to King, Daisy collected 10/21/2023 12:00:00 AM by x",
            "10/21/2023",
        ),
        ("ClaimScrub: CLM 985511478430 JOINER, ROYAL A box 17", "985511478430"),
        ('{"kind":"drivers_license","ocr":{"DLN":"M75895378130","FN":"DANIEL"}}', "M75895378130"),
        (
            '{"alert":"changed","account":"3475377945","old":{"street":"76461 Main St"}}',
            "3475377945",
        ),
        ("GET /demographics.php?set_pid=48835560&lname=Ivanova HTTP/1.1", "48835560"),
        ("duplicate chart - keep 0072214697, delete 6637697, both are Adeyemi, Wei", "6637697"),
        ("Patient 'Wenangan, Waban' already exists as 005050365", "005050365"),
        ("hearing aid L MMT-1075-249471 R MMT-7488-463573 client Adeyemi, Wei", "463573"),
        ("Patient Ivanova, Sophia was charged twice, ref 2033715581, wants a call", "2033715581"),
    ],
)
def test_a_number_of_somebody_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


GUID = "be5c0d4c-12b7-d963-c27a-a1ce3eff4ea6"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f'DLP hit: text "Justin Ivanov 456-65-9332" blocked, policy {GUID}', GUID),
        (f'{{"patient":"Ivanov, Ann","policy":"{GUID}","order":"{GUID}"}}', GUID),
        (f"Referral {GUID} from Ethel Ivanova, MD to Retina Associates", GUID),
        ("cardholder ANN IVANOVA pan=4111111111111111 amount 40.00 ref 770150941", "770150941"),
        ("ACK AA for control id 761421034 in 31 ms, queue ADT_OUT depth 0", "761421034"),
        (r"sensor: USB\VID_0C22&PID_0132 firmware 15.4.19, control id 33018472", "33018472"),
    ],
)
def test_a_number_of_a_machine_stays(text: str, kept: str) -> None:
    assert kept in scrub_text(text)
