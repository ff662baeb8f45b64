# ruff: noqa: E501 - examples stand unbroken
"""What goes because of what stands around it: paths of JSON, places, lists, layers, company."""

import re

import pytest

from proto.phi import default_names, scrub_text
from proto.phi.documents import Value, json_values, xml_values

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TOKEN = re.compile(r"\[[A-Z0-9_]+-[a-z2-7]{7}\]")

GONE = [
    ("dob 0 7 / 1 5 / 1 9 4 2 for patient Anna Kowalska", ["0 7 / 1 5", "1 9 4 2"]),
    ("patient Ishikawa,=20Emily mrn 94=2D12=2D76", ["Ishikawa", "Emily", "94=2D12"]),
    ("Subject: =?utf-8?B?TVJOIDg4MzQxMiBmb3IgQW5uYSBTbWl0aA==?=", ["TVJOIDg4MzQx"]),
    ("patient Taylor%2C%20Violet on host", ["Taylor", "Violet", "2C", "20"]),
    ("patient Locke,&nbsp;Manpreet on host", ["Locke", "Manpreet"]),
    ('{"msg":"patient \\u001b[1;31mKing, \\u001b[0mMilorad"}', ["King", "Milorad"]),
    ('{"00100020":{"vr":"LO","Value":["986394"]}}', ["986394"]),
    ("{'00100010': {'vr': 'PN', 'Value': [{'Alphabetic': 'JONES^MARISOL'}]}}", ["JONES", "MARISOL"]),
    (
        "MWL: ScheduledProcedureStepStartDate=20240709 PatientName=FOOTE^ROBIN",
        ["20240709", "FOOTE", "ROBIN"],
    ),
    (
        '{"resourceType":"Appointment","start":"2021-12-16T09:30:00Z","participant":[{"actor":{"display":"Ann Moor"}}]}',
        ["2021-12-16", "Ann Moor"],
    ),
    (
        '{"service":"claims","subscriber":{"id":"H920305030","name":"Brown, Doris"},"payer_claim":"537528502131"}',
        ["H920305030", "Brown", "537528502131"],
    ),
    ("CEF:0|A|B|1|2|open|3|cs1Label=MRN cs1=H27290942 src=10.0.0.1", ["H27290942"]),
    ("CEF:0|A|B|1|2|open|3|cs1=Rain, Anna cs1Label=patient cn1=4", ["Rain", "Anna"]),
    ("driver's license WA W20737625 accepted for Anna Smith", ["W20737625", "Anna Smith"]),
    ("PAN 4056700472518893 holder Amber Moore", ["4056700472518893", "Amber Moore"]),
    ("plate HQA 9710 of patient Tyler Miller", ["HQA 9710"]),
    ("check-in visit # 406638199", ["406638199"]),
    ("schtasks /create /ru CLINIC\\svc /rp Dental1998! /sc daily", ["Dental1998!"]),
    ("vpn: pre-shared key hunter#xsbO97 loaded", ["hunter#xsbO97"]),
    ("postgres://ehr:Winter@132@10.0.0.1:5432/ehr", ["Winter@132"]),
    ("smbclient //nas/scans -U svc%Winter2001! -c ls", ["Winter2001!"]),
    ("WIFI:T:WPA;S:Guest;P:FBQGiFE8JJ;;", ["FBQGiFE8JJ"]),
    ("prescriber Gupta, Anil called back", ["Gupta", "Anil"]),
    ("2023-04-26T19:21:55Z Anna Smith born 1918 flagged", ["1918", "Anna Smith"]),
    ("booked Hailey Moore with Dr. Small on 12/01/2022", ["Small", "12/01/2022"]),
    ("implant UDI (01)06998998155977(21)63964495 of patient Anna Smith", ["06998998155977"]),
    ("hearing aid serials MMT-3311-486164 / PJN7299939H", ["MMT-3311-486164", "PJN7299939H"]),
    ('{"error":"E","input":["Case","Keanu","1985-08-11"]}', ["Case", "Keanu"]),
    ("Key (last_name, first_name)=(Moor, Anna) already exists.", ["Moor", "Anna"]),
    ("loop 2010BA NM103 GAUTHIER NM104 SIOBHAN DMG02 20110706", ["GAUTHIER", "SIOBHAN", "20110706"]),
    ("[('mrn', 'H483707'), ('lname', 'Park'), ('fname', 'Dramur')]", ["H483707", "Park", "Dramur"]),
    ("patient Anna Smith, transfer from North Kuznetsovville", ["Kuznetsovville"]),
    ("call Anna Park at 813-555-1234 about claim", ["Anna", "Park"]),
]  # fmt: skip
KEPT = [
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 ruser= rhost=207.243.167.114  user=root",
    "date=2025-03-02 time=11:14:01 devname=FG100 policyid=14 sessionid=118223",
    "Group Policy 1502: The Group Policy settings for the computer were processed successfully.",
    "Query store: plan regression, executions 11822, plan_id 4411",
    "BIOS 1.2.3 2024-11-02; asset tag 004118; chassis type 3",
    "POST /api/token grant=client 443 - 10.0.0.1 python-requests/2.31 429",
    '{"policy":"backup","copies":3,"last":"2025-03-02T02:00:00Z","job":"nightly"}',
    '{"resourceType":"CapabilityStatement","status":"active","date":"2025-03-02"}',
    "Orthanc: The patient is already stored; overwriting disabled; status 0x0000",
    "Patch window for PRINT-22 and NURSE-19 is Sunday night; save charts before 22:00",
]


@pytest.mark.parametrize(("text", "gone"), GONE)
def test_what_its_surroundings_tell_goes(text: str, gone: list[str]) -> None:
    out = scrub_text(text)
    left = TOKEN.sub("\0", out)
    assert not [piece for piece in gone if piece in left]
    assert scrub_text(out) == out


@pytest.mark.parametrize("text", KEPT)
def test_the_same_marks_around_facts_of_machines_leave_them_alone(text: str) -> None:
    assert scrub_text(text) == text


def test_the_values_of_a_document_come_with_the_keys_that_lead_to_them() -> None:
    data = b'{"a": {"b": ["x", 2]}, "c": "d"}'
    found = {(one.path, data[one.start : one.end]) for one in json_values(data)}
    assert found == {
        ((b"", b"a", b"b", b"b"), b"x"), ((b"", b"a", b"b", b"b"), b"2"), ((b"", b"c"), b"d"),
    }  # fmt: skip
    page = b'<p><id value="7"/><name><given>Ann</given></name></p>'
    assert list(xml_values(page)) == [
        Value((b"p", b"id"), 14, 15),
        Value((b"p", b"name", b"given"), 31, 34),
    ]


@pytest.mark.parametrize(
    "text",
    ['{"resourceType":' + '"\\' * 4000, '{"resourceType":' + "[" * 4000, "cs1Label=" * 4000,
     '<Patient xmlns="http://hl7.org/fhir">' + '<a "' * 4000, "(0010,0010)" * 4000, '{"a":{' * 4000],
)  # fmt: skip
def test_documents_that_never_end_are_read_and_come_to_rest(text: str) -> None:
    out = scrub_text(text)
    assert scrub_text(out) == out
