# ruff: noqa: E501, RUF001 - examples stand unbroken, and some are confusable on purpose
"""What must go and what must stay, form by form, in machine text and prose made for this file."""

import base64
import re

import pytest

from proto.phi import default_names, scrub_text
from proto.phi.sentry import look

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TOKEN = re.compile(r"\[[A-Z0-9_]+-[a-z2-7]{7}\]")


def b(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CASES = [
    ("ssn １２３-４５-６７８９ on file", ["１２３-４５-６７８９"], []),
    ("patient SSN ١٢٣-٤٥-٦٧٨٩ updated", ["١٢٣-٤٥-٦٧٨٩"], []),
    (
        "patient J\u200bo\u200bh\u200bn S\u200bm\u200bith checked in",
        ["J\u200bo\u200bh\u200bn", "S\u200bm\u200bith"],
        [],
    ),
    ("SSN: 123\u201145\u20116789", ["123\u201145\u20116789"], []),
    ("SSN 123 45 6789", ["123 45 6789"], []),
    ("ssn=123.45.6789", ["123.45.6789"], []),
    ("phone (５５５)８６７-５３０９ patient", ["８６７-５３０９"], []),
    (
        "payload=" + b('{"patient":"John Smith","dob":"1960-01-02"}'),
        [b('{"patient":"John Smith","dob":"1960-01-02"}')],
        [],
    ),
    ("data " + b("SSN 123-45-6789"), [b("SSN 123-45-6789")], []),
    (
        "hex " + b"Patient John Smith DOB 01/02/1960".hex(),
        [b"Patient John Smith DOB 01/02/1960".hex()],
        [],
    ),
    (
        "powershell -EncodedCommand "
        + base64.b64encode(
            'Get-Patient -Name "John Smith" -SSN 123-45-6789'.encode("utf-16-le")
        ).decode(),
        [
            base64.b64encode(
                'Get-Patient -Name "John Smith" -SSN 123-45-6789'.encode("utf-16-le")
            ).decode()
        ],
        [],
    ),
    ("GET /search?name=John%20Smith&dob=01%2F02%2F1960", ["John%20Smith", "01%2F02%2F1960"], []),
    (
        "GET /search?name=John%2520Smith&ssn=123%252D45%252D6789",
        ["John%2520Smith", "123%252D45%252D6789"],
        [],
    ),
    (
        '{"msg":"patient \\u004a\\u006f\\u0068\\u006e Smith"}',
        ["\\u004a\\u006f\\u0068\\u006e", "Smith"],
        [],
    ),
    ("patient J\\x6fhn Sm\\x69th arrived", ["J\\x6fhn"], []),
    ("Patient: &#74;&#111;hn Smith &#x31;23-45-6789", ["&#74;&#111;hn", "Smith", "23-45-6789"], []),
    (
        "Subject: Patient=20John=20Smith=2C=20SSN=20123-45-6789=\nfoo=20bar",
        ["John", "Smith", "123-45-6789"],
        [],
    ),
    (
        "P\x00a\x00t\x00i\x00e\x00n\x00t\x00 \x00J\x00o\x00h\x00n\x00 \x00S\x00m\x00i\x00t\x00h\x00",
        ["J\x00o\x00h\x00n", "S\x00m\x00i\x00t\x00h"],
        [],
    ),
    (
        '{"log":"{\\"patient\\":{\\"name\\":\\"John Smith\\",\\"mrn\\":\\"12345678\\"}}"}',
        ["John Smith", "12345678"],
        [],
    ),
    ("patient \u0421\u043cith, J\u043ehn MRN 12345678", ["J\u043ehn", "12345678"], []),
    ("patient J o h n   S m i t h", ["J o h n", "S m i t h"], []),
    ("ssn 1 2 3 - 4 5 - 6 7 8 9", ["1 2 3 - 4 5 - 6 7 8 9"], []),
    ("SSN 123-45-\n6789", ["123-45-\n6789"], []),
    ("\x1b[31mpatient\x1b[0m \x1b[1mJohn\x1b[0m \x1b[1mSmith\x1b[0m", ["John", "Smith"], []),
    ("pt JOHN SMITH seen", ["JOHN SMITH"], []),
    ("patient john smith called", ["john smith"], []),
    ("patient JOHN Q. SMITH JR. dob 1/2/60", ["JOHN", "SMITH", "1/2/60"], []),
    ("email john.smith [at] gmail [dot] com", ["john.smith"], []),
    ("email: john%2Esmith%40gmail.com", ["john%2Esmith"], []),
    ("pt O\u2019Brien, Se\u0301an called", ["Brien", "an called"[:2]], []),
    ("SSN ending in 6789 for patient", ["6789"], []),
    ("last 4 of SSN: 6789", ["6789"], []),
    ("initials J.S. patient DOB Jan 2nd, 1960", ["Jan 2nd, 1960"], []),
    (
        "<Patient><LastName>Smith</LastName><FirstName>John</FirstName><DOB>1960-01-02</DOB></Patient>",
        ["Smith", "John", "1960-01-02"],
        [],
    ),
    (
        '<patient lastName="Smith" firstName="John" ssn="123456789"/>',
        ["Smith", "John", "123456789"],
        [],
    ),
    (
        '<name><given value="John"/><family value="Smith"/></name><birthDate value="1960-01-02"/>',
        ["John", "Smith", "1960-01-02"],
        [],
    ),
    (
        "INSERT INTO patient (LName, FName, Birthdate, SSN) VALUES ('Smith', 'John', '1960-01-02', '123456789')",
        ["Smith", "John", "1960-01-02", "123456789"],
        [],
    ),
    (
        "(0010,0010) PN [SMITH^JOHN^Q]     #  12, 1 PatientName\n(0010,0030) DA [19600102]\n(0010,0020) LO [12345678]",
        ["SMITH", "JOHN", "19600102", "12345678"],
        [],
    ),
    ("(0010,0010) Patient's Name   PN: 'SMITH^JOHN'", ["SMITH", "JOHN"], []),
    (
        "NM1*IL*1*SMITH*JOHN*Q***MI*W123456789~N3*123 OAK ST~N4*SPRINGFIELD*IL*62704~DMG*D8*19600102*M~",
        ["SMITH", "JOHN", "W123456789", "123 OAK ST", "SPRINGFIELD", "62704", "19600102"],
        [],
    ),
    (
        "CLM*12345ABC*150***11:B:1*Y*A*Y*Y~DTP*472*D8*20240315~REF*EA*99887766~",
        ["12345ABC", "20240315", "99887766"],
        [],
    ),
    (
        "OBX|1|TX|1234^Note||Patient John Smith complained of pain||||||F\rNTE|1||Call daughter Mary at 813-555-1234",
        ["John Smith", "Mary", "813-555-1234"],
        ["OBX"],
    ),
    (
        "ORC|RE|ORD12345|FIL998877||CM||||20240315|||1234567890^Smith^John^^^^MD",
        ["ORD12345", "1234567890", "Smith", "John"],
        [],
    ),
    (
        "GT1|1||SMITH^MARY||12 Oak St^^Tampa^FL^33601|8135551234|||F|||123456789",
        ["SMITH", "MARY", "12 Oak St", "Tampa", "33601", "8135551234", "123456789"],
        [],
    ),
    (
        "Spoke with Mrs. Patel this morning; her husband Rajesh says the results never arrived. She lives at 44 Birch Lane, Tampa, FL 33601 and is 93 years old.",
        ["Patel", "Rajesh", "44 Birch Lane", "Tampa", "33601", "93"],
        [],
    ),
    (
        "Hi team, the patient Maria Gonzalez (DOB 3/4/1955) can be reached at 813.555.9876. Thanks, Karen",
        ["Maria Gonzalez", "3/4/1955", "813.555.9876", "Karen"],
        [],
    ),
    (
        "Mr. Thompson was seen on March 14, 2024 for chest pain. Dr. Nguyen ordered an EKG.",
        ["Thompson", "March 14, 2024", "Nguyen"],
        [],
    ),
    (
        "John's daughter Emily will bring his insurance card, member ID XJH884412907.",
        ["Emily", "XJH884412907"],
        [],
    ),
    ("net use Z: \\\\nas\\share /user:CLINIC\\bob P@ssw0rd!", ["P@ssw0rd!"], ["nas"]),
    ("mysql -u root -pS3cretPw! ehr", ["S3cretPw!"], []),
    ("Server=db1;Database=ehr;User Id=sa;Password=Sup3r$ecret;", ["Sup3r$ecret"], ["db1", "ehr"]),
    ("postgres://ehr:hunter2x@db1:5432/ehr", ["hunter2x"], ["db1", "5432"]),
    (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
        [],
    ),
    ("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", ["AKIAIOSFODNN7EXAMPLE"], []),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----",
        ["MIIEpAIBAAKCAQEA7"],
        [],
    ),
    ("snmp-server community s3cr3tRO RO", ["s3cr3tRO"], []),
    ("wpa_passphrase=ClinicWifi2024", ["ClinicWifi2024"], []),
    ("curl -u admin:Tr0ub4dor https://10.0.0.5/api", ["Tr0ub4dor"], ["10.0.0.5"]),
    (
        "Recovery key: 123456-234567-345678-456789-567890-678901-789012-890123",
        ["123456-234567"],
        [],
    ),
    ("sshpass -p hunter22 ssh root@10.1.1.1", ["hunter22"], ["10.1.1.1"]),
    ('ConvertTo-SecureString "Pa55word1" -AsPlainText -Force', ["Pa55word1"], []),
    ("Set-Cookie: JSESSIONID=ABCDEF1234567890; Path=/", ["ABCDEF1234567890"], []),
    ("X-Api-Key: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", ["9f8e7d6c5b4a39281706f5e4d3c2b1a0"], []),
    (
        "github token ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        ["ghp_abcdefghijklmnopqrstuvwxyz0123456789"],
        [],
    ),
    ("psexec \\\\PC01 -u CLINIC\\admin -p Pass123! cmd", ["Pass123!"], ["PC01"]),
    (
        "PatientName     : Doe, Jane\nPatientID       : 99-12-345\nStudyDate       : 20240102",
        ["Doe, Jane", "99-12-345", "20240102"],
        [],
    ),
    (
        "Name           DOB        MRN\n----           ---        ---\nJane Doe       1/2/1960   883412\nPetr Novak     3/4/1971   883413",
        ["Jane Doe", "1/2/1960", "883412", "Petr Novak"],
        [],
    ),
    (
        "first_name,last_name,dob,zip,phone\nJane,Doe,1960-01-02,33601,8135551234\nIvan,Petrov,1971-03-04,33602,8135551235",
        ["Jane", "Doe", "1960-01-02", "33601", "8135551234", "Petrov"],
        [],
    ),
    (
        "[2024-03-15 10:11:12] WARN duplicate chart: Rivera, Luis A. (#0045123) vs Rivera, Luis (#0078123)",
        ["Rivera", "Luis", "0045123", "0078123"],
        ["2024-03-15 10:11:12"],
    ),
    (
        'Print job 12 "Lab results for Jane Doe.pdf" submitted by CLINIC\\mgarcia from 10.2.3.4',
        ["Jane Doe", "mgarcia"],
        ["10.2.3.4"],
    ),
    ("scan_to_folder: \\\\fs1\\Scans\\2024\\Doe_Jane_Referral.pdf (1.2 MB)", ["Doe_Jane"], ["fs1"]),
    ("caller id 8135551234 placed in queue billing", ["8135551234"], []),
    (
        "Appointment reminder SMS to +18135551234 for Jane D. on 04/02/2024 09:30",
        ["+18135551234", "Jane", "04/02/2024"],
        [],
    ),
    (
        "patient portal login from 73.12.44.9 user jane.doe@gmail.com",
        ["jane.doe@gmail.com", "73.12.44.9"],
        [],
    ),
    ("license plate 7ABC123 in lot; patient transport van", ["7ABC123"], []),
    ("pacemaker serial PJN1234567H interrogated; patient present", ["PJN1234567H"], []),
    (
        "eligibility 270 member W2345678901 subscriber DOE JANE dob 19600102",
        ["W2345678901", "DOE JANE", "19600102"],
        [],
    ),
    ("Rx 7712345 for JANE DOE refilled 3/4/24", ["7712345", "JANE DOE", "3/4/24"], []),
    ('user "Maria Lopez (Front Desk)" locked out on WS-12', ["Maria Lopez"], ["WS-12"]),
    ("age: 94, sex: F, pt id 553311", ["94", "553311"], []),
    ("photo=/mnt/photos/jane_doe_face.jpg uploaded", ["jane_doe"], []),
    ("Acct# 4111 1111 1111 1111 exp 04/27", ["4111 1111 1111 1111"], []),
    ("iban DE89370400440532013000 paid", ["DE89370400440532013000"], []),
    (
        '{"patient":{"name":{"first":"Victor","last":"Hugo"},"contact":{"phone":"813-555-1234","email":"v@h.org"},"ids":{"mrn":12345678}}}',
        ["Victor", "Hugo", "813-555-1234", "v@h.org", "12345678"],
        [],
    ),
    (
        "{'ptname': 'Lee, Bruce', 'acct': 5512345, 'dos': '2024-01-05'}",
        ["Lee, Bruce", "5512345", "2024-01-05"],
        [],
    ),
    (
        'ERROR: duplicate key value violates unique constraint "patient_ssn_key" DETAIL: Key (ssn)=(123456789) already exists.',
        ["123456789"],
        [],
    ),
    (
        'From: "Jane Doe" <jane@x.org> To: frontdesk@clinic.org Subject: my bill',
        ["Jane Doe", "jane@x.org"],
        [],
    ),
    (
        "C-STORE PatientName=DOE^JANE StationName=CT01 AccessionNumber=AC0042917 ok",
        ["DOE", "JANE", "AC0042917"],
        [" StationName=CT01 AccessionNumber="],
    ),
    (
        "visits by patient: Jane Doe=5, Ann MacArthur=3, Kim McDonald=4",
        ["Jane", "Doe", "Ann", "MacArthur", "Kim", "McDonald"],
        [],
    ),
]
CLEAN = [
    "Installed KB5031356 on 06/12/2024 by NT AUTHORITY\\SYSTEM; OS Build 10.0.22621.1450; exit code -1073741819",
    "LSN (77449:56700784:1) log file size 451826 KB; LOG_BACKUP; spid 9726",
    "IPv4 Address. . . : 192.168.18.84(Preferred)  Physical Address. . : 79:86:D9:79:18:03",
    "Mark task done; Grant SeServiceLogonRight to svc_sql; Bill of materials v2; Young generation GC 14 ms",
    "Account Name: SYSTEM Account Domain: NT AUTHORITY Logon ID: 0x3E7",
    "session closed for user root; accepted publickey for backup from 10.1.2.3 port 50022",
    '{"ts":"2024-02-02T17:25:21Z","host":"PACS01","serial":"S5HON120YSKKFKJ","trace_id":"5d7346565417acec1bc98f3e33f57ae6"}',
    "Orthanc: storage area 87% full, version 1.12.1, job 27fccc00-b09e-46ac-a0c0-8462f2111bb2 success",
    "Retrying connect to server: msra-sa-41:8030; retry policy is RetryUpToMaximumCountWithFixedSleep",
    "pam_unix(sshd:auth): check pass; user unknown",
]


@pytest.mark.parametrize(("text", "gone", "kept"), CASES)
def test_what_identifies_goes_and_equipment_stays(
    text: str, gone: list[str], kept: list[str]
) -> None:
    out = scrub_text(text)
    left = TOKEN.sub("\0", out)
    assert not [piece for piece in gone if piece in left]
    assert all(piece in out for piece in kept)
    assert scrub_text(out) == out


@pytest.mark.parametrize("text", CLEAN)
def test_text_about_machines_is_left_alone(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"ssn is 123-45-6789.", "ssn"),
        (b"to jane@clinic.org", "email"),
        (b"mrn: 1234567", "cue"),
        (b"PID|1||123||SMITH^JOHN", "hl7"),
        (b"password=hunter22", "password"),
    ],
)
def test_the_sentry_sees_what_the_engine_would_have_missed(data: bytes, form: str) -> None:
    assert form in {alarm.form for alarm in look(data)}


@pytest.mark.parametrize(("text", "gone", "kept"), CASES)
def test_the_sentry_is_quiet_about_what_was_scrubbed(
    text: str, gone: list[str], kept: list[str]
) -> None:
    del gone, kept
    assert look(scrub_text(text).encode()) == ()


def test_a_canary_is_an_alarm_in_any_case() -> None:
    assert [one.form for one in look(b"... Zyxwina QUORLE ...", [b"zyxwina quorle"])] == ["canary"]
