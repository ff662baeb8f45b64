"""What stands around a value tells whose it is; the same form alone tells nothing."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("audit: viewed SSN of somebody (***-**-7510) from PC-4", "7510"),
        ("cc: card on file ending 8175 expired", "8175"),
        ("vitals import: PRUITT MATTEO F 03/11/2012 no encounter", "MATTEO"),
        ("The document Superbill Early, Nursultan 04/05/2024, failed", "Nursultan"),
        ("hie: discovery 404 for Anahera/Adeyemi/1974-12-02/42256", "1974"),
        ("door_unlock tmpl=Rk1SACAyMAAAfeaeb508f66ecbdfa3e477870a48a panel=10.1.1.4", "feaeb508"),
        (f"face enroll ok vec={'4a38c0d1' * 15} cam=10.1.1.4", "4a38c0d1"),
        ('Document "Superbill Itzel Post 08/14/2022" sent through winprint', "Itzel Post"),
        ('job-name "AVS Wenoglu Gupta 08/12/2025" queued on lp by "x"', "08/12/2025"),
        ("OBD dongle P239F3ZT0FTV9PW17 trip end", "P239F3ZT0"),
        ("parking lot B tag=8MGN248 denied", "8MGN248"),
        ("MERGE x USING (VALUES ('BQU 7430','Ann Pruitt')) AS s(plate,owner_name)", "Pruitt"),
        (r"New File \\nas1\ortho\bondarenko, Zeopriolia\ceph.jpg", "Zeopriolia"),
        ("WARN lot recall, Harper Best has device", "Harper Best"),
        ("pacer implanted in Earl Day on Monday", "Day"),
        ("Ledger - Xioula V. Bean - open", "Xioula"),
        ("routed to gladys.figueiredo, queue 4", "figueiredo"),
        ("INFO reminder to patient james figueiredo at noon", "james"),
        ("DETAIL of SELECT lower(family_name) = $1: parameters: $1 = 'cash', $2 = 'x'", "cash"),
        ('callerid="PERSON HOPE" <8735484095> trunk=sip-1', "HOPE"),
        ("triage note: 92F fell at home, daughter called", "92"),
        ("tow log: AJU 9543 silver Camry, owner unknown", "9543"),
        ('{"to":{"name":"Svitlana Sessions","street":"58813 Ridge Road"}}', "Sessions"),
        ("rejected (card 4111111111111111 of payer)", "4111"),
        ("allergy alert for Marvin E. Wenpritho (2563618)", "Wenpritho"),
        ("lrwx scan scan 4096 FOOTE_APRIL_19529068", "19529068"),
        ("loop 2010CA NM1*QC*1*LEE*ANN N4*Ashbyton*FL*58143", "58143"),
        ("carpool: plate list 9PUJ524, other", "9PUJ524"),
        ("row=('RIVERS', 'JADWIGA', '19370905', '51161') col=4", "JADWIGA"),
        ("eligibility timeout: KORHONEN/MEI 05/11/1945 open", "KORHONEN"),
        ('pbx: missed call (792)577-8338 "RICH ROOT" queue 2', "ROOT"),
        ('saved "Yohannes Post - medical history.pdf" to disk', "Post"),
        ("please restore the chart for Hope Hand (DOB 09/16/1955)", "Hand"),
        ("Data too long for column 'last_name' at row 1: value 'Best'", "Best"),
        ("excuse letter for Xiaoming Aydogan printed", "Aydogan"),
        ("MSH|^~\\&|A|B|C\rPID|1||88812345\rZPD|1|976096478|1RDD481", "1RDD481"),
        ("verify last digits *****6789 for patient Ann Lee", "6789"),
        ("social security no. for John Smith is *****6789", "6789"),
        ("ssn as it was written on the form: ***6789", "6789"),
        ("tax id *****6789", "6789"),
        ("pt called back, xxxxx6789 confirmed", "6789"),
        ("case 12345678 opened", "12345678"),
        ("order 44556677 for review", "44556677"),
        ("order 44556677 for Dell, reprinted by support", "44556677"),
        ("Dorfeqayan Rivers was seen on 06/06/2022 by Zeolen Lake, DDS.", "Dorfeqayan"),
        ("Dorfeqayan Rivers was seen on 06/06/2022 by Zeolen Lake, DDS.", "Lake"),
        ("Dorfeqayan Rivers was seen on 06/06/2022, no decay", "Dorfeqayan"),
        ("seen on 06/06/2022 by Zeolen Lake, DDS. Follow-up in 6 months.", "06/06"),
        ("dorf rivers was seen on 06/06/2022 by zeolen lake, dds.", "06/06"),
        ("Dorfeqayan Rivers is scheduled for 06/06/2022", "06/06"),
        ("the password is SUMMER-25", "SUMMER-25"),
        ("New wifi password is CLINIC-123, tell the front desk", "CLINIC-123"),
        ("your temporary password is DENTAL-RX-7", "DENTAL-RX-7"),
        ("log in to PACSGW-09 with password RADIO-12", "RADIO-12"),
        ("password to log in to PACSGW-09 is SUMMER-25", "SUMMER-25"),
        ("her new login CLINIC-12 was mailed", "CLINIC-12"),
    ],
)
def test_what_stands_around_a_value_tells_that_it_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("verify last digits *****\uff16\uff17\uff18\uff19 for patient Ann Lee", "\uff16\uff17"),
        ("social security no. for John Smith is *****6\u200b789", "789"),
        ("tax id %2A%2A%2A%2A%2A6789", "6789"),
        ("case \uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18 opened", "\uff11\uff12"),
        ("the password is S\u200bUMMER-25", "UMMER"),
        ("the password is SUMMER\u201125", "SUMMER"),
        ("the password is SUMMER\\u002d25", "SUMMER"),
    ],
)
def test_the_same_goes_where_its_letters_are_disguised(text: str, gone: str) -> None:
    assert gone in text
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "WebContent[32514]: <<<< FigByteStream >>>> FigByteStreamStatsLogOne: 2 reads",
        "into registry key '{bf1a281b-ad7b-4476-ac95-f47682990ce7}GLOBALROOT/Device'",
        "GET https://tools.example.com/service/update2?hreq=53f725cf03f5&cup2key=7:1132320327",
        "ActivityManager: Bad activity token: android.os.BinderProxy@2bd79ce",
        "- 1131566503 2005.11.09 aadmin1 Nov 9 12:01:43 pt ex mode 0 enable",
        "GET /v2/e9746973ac574c6b/images/0673dd71-34c5-4fbb-86c4-40623fbe45b4 HTTP/1.1",
        "innodb: page log sequence number 299233605251 is in the future",
        "plugin 65821 first seen 2025-01-14 last seen 2025-06-10 VPR 3.6",
        "device USB\\VID_0BDA&PID_8153\\000001000000 configured",
        '{"action":"policy_applied","policy":"Screen Lock 15 min","took_ms":20114}',
        "eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx",
        "at MININT-FNANLI5.fareast.corp.example.com/10.86.169.121:62260",
        f"checksum {'0a1b' * 32} of firmware image",
        '{"alert":"cert","days_left":12,"fingerprint":"' + "df2d32f0" * 8 + '"}',
        '{"msg":"template refreshed","template":"overdue","rows":41}',
        "visits Thursday to calibrate; door code at front desk; cost center 4410",
        "Scheduler: chair 3 template changed from 30 to 40 minutes; colors updated",
        "her password fails when she tries to log in to PACSGW-09",
        "password rejected, cannot sign in to IMG-XR-3.",
        "listening on *****8443 since start",
        "build xxxxx2024 of the driver was installed",
        "Case 00912344: vendor ships RMA drive, ETA Wednesday",
        "order 44556677 of toner for room 4 shipped",
        "Unknown Device was seen on 2025-01-14 at port 3",
        "Windows Update is scheduled for 2025-01-14",
        "msgid=<ef834822-f579-e393-aea7-8d6b769bf667@clinic.example>: stored",
    ],
)
def test_the_same_forms_of_machines_stay(text: str) -> None:
    assert scrub_text(text) == text
