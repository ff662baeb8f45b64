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
        (r"Z:\\export\\IVANOVA^KATARZYNA\\A19172157\\IM000001.dcm 662 bytes", "A19172157"),
        (r"S:\\Implants\\88I6959558 Holloway, Ann.xlsx owner CLINIC", "88I6959558"),
        (r"F:\\Gate\\plates\\CQG 5816.jpg, F:\\Gate\\thumbs.db", "CQG 5816"),
        ("transport desk: van EPG 9789 driver Maud Ivanova, pickup at noon", "EPG 9789"),
        ("TRACE Referral 146426035494 to Dr. Ethan Ivanov is waiting", "146426035494"),
        ("fax delivered to kealoha56@comcast.net; subject Rx 7296246 refill", "7296246"),
        ("plate 7WHR429 registered to Susan Ivanova permit 562526, gate 3", "562526"),
        (
            "WARNING:billing:Invoice(account='8114350534', payer=\"Kjell Ivanov\", pdf='a.pdf')",
            "8114350534",
        ),
        (r"REG_MULTI_SZ Acct 7547570873 Huynh\0Acct 3195339509 Lindqvist\0", "Huynh"),
        (r"D:\DexisData\IVANOVA_JOANNA_19520619\PAN_20190202.dcm", "20190202"),
        ("Row(pt_name='Ivanova, Lakshmi', member='70032020219', cpt='99213')", "70032020219"),
        ('palmvein: enroll ok subj=00493692 name="IVANOVA, ANN" quality=81', "00493692"),
        ("Subject: FW: Prior auth Ann Ivanova DOB 07/07/2017 ID 20415635831\nX-Mailer: O", "20415"),
        ("merge PatientID=97067884^^^SITE into 817-828-932^^^SITE, user x", "817-828-932"),
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
        ('fax_id=804692739 dir=in csid="(922)737-6611" pages=7', "804692739"),
        (
            'profile Clinic psk="Lu6P%1448" key_mgmt=WPA-PSK bssid=05:B0:A6:48:E3:87',
            "bssid=05:B0:A6:48:E3:87",
        ),
        ("(0010,0010)=IVANOV^ELIZABETH (0008,0050)=A97677097, peer ORTHANC", "peer ORTHANC"),
        (
            "(0010,0010) PN [MILLER^MARY]  # PatientName\n(0018,1000) LO [SAB0NX]  # DeviceSerial",
            "(0018,1000) LO [SAB0NX]",
        ),
        (
            "Jun 19 16:26:51 ERROR ImplantLog: not in cache, patient Tehrani, Min-jun",
            "Jun 19 16:26",
        ),
        ('{"feature":"patient_photo","enabled":false,"updated":"2025-04-02"}', "2025-04-02"),
        ("Dell OptiPlex service tag 5KJ2RM3, part order 9914820331, dispatch", "9914820331"),
        ('AUDIT user=x patient="IVANOVA, ANN" app=Chart/7.1.16', "Chart/7.1.16"),
        (
            r"Ransom, D:\Patients\Ivanova_Ann\2024-05-22_notes.docx.locked, hash 96ef0513e8232cc3",
            "hash 96ef0513e8232cc3",
        ),
        (r"sensor: USB\VID_0C22&PID_0132 firmware 15.4.19, control id 33018472", "33018472"),
    ],
)
def test_a_number_of_a_machine_stays(text: str, kept: str) -> None:
    assert kept in scrub_text(text)
