"""Values that programs wrote in pieces, in escapes, in words or in columns go like any other."""

import base64
import gzip

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


GONE = [
    ("chart MRN 44\\033[1m8812\\033[0m07 was opened", ["8812"]),
    ("label for pt Ren\\303\\251e M\\303\\274ller is stuck", ["Ren", "ller"]),
    ("import: phone=813-5=\n55-1212 host=DC-01", ["1212"]),
    ("mail to maria.l=\nopez@gmail.com was held", ["maria.l", "opez"]),
    ("$ssn = '219-' + '34' + '-5678'", ["219", "34'", "5678"]),
    ("SET PatientName = 'Pet' || 'rov, Iv' || 'an'", ["Pet", "rov", "an'"]),
    ("guarantor ssn MjE5LTM0LTU2Nzg= is not valid", ["MjE5LTM0LTU2Nzg"]),
    ('"PatientName"=hex(1):50,00,65,00,74,00,72,00,6f,00,76,00,00,00', ["50,00,65"]),
    ("PatientName = 0x540065006D00750075006C0065006E00", ["540065006D"]),
    (f"body={packed('patient=Maria Lopez;dob=1961-02-03')}", ["H4sI"]),
    ("mail m a r i a 6 7 @ y a h o o . c o m to the patient", ["y a h o o"]),
    ("write to maria.lopez [at] gmail [dot] com", ["lopez", "gmail"]),
    ("email=maria(dot)lopez(at)gmail(dot)com", ["lopez", "gmail"]),
    ("patient email lopez67 at yahoo dot com, as told", ["lopez67", "yahoo"]),
    ("patient email: lopez67 @ yahoo . com", ["lopez67", "yahoo"]),
    ("contact <lopez67_AT_gmail_DOT_com> bounced", ["lopez67", "gmail"]),
    ("patient phone 813-555-1212;ext=4417", ["555", "4417"]),
    ("SSN:(219) 34-5678 is not known", ["219", "5678"]),
    ("ssn: 219-345678", ["345678"]),
    ("X-Patient-SSN: 219-\n 34-5678", ["5678"]),
    ("home address: 4417+Larkspur+Lane+Apt+4B", ["Larkspur"]),
    ("born on the second of May, nineteen sixty-one", ["second", "sixty"]),
    ("Date of birth: May the second nineteen sixty-one", ["second", "sixty"]),
    ("DOB: 2. V. 1961, row 4", ["2. V."]),
    ("patient DOB Mar. 17th '51", ["17th", "51"]),
    ("birth date = 1989 March 17;", ["March 17"]),
    ("firstname=pórunn;", ["runn"]),
    ("escape(): home_phone=%u0039%u0034%u0036%u002d%u0039%u0032%u0038-7815", ["u0039", "7815"]),
    ("console.log('pt dob \\u{31}\\u{39}\\u{39}\\u{38}-10-07')", ["u{31}", "10-07"]),
    ("Patient(name='\\U00000050\\U00000065trov, Ivan')", ["U0000", "Ivan"]),
    ("PatientName=Petrov_x002c__x0020_Ivan list=7", ["x002c", "Ivan"]),
    (
        "WHERE patient_name=CHR(80)||CHR(101)||CHR(116)||CHR(114)||CHR(111)||CHR(118)",
        ["CHR(80"],
    ),
    ("{\\rtf1 Patient: \\'50\\'65\\'74\\'72\\'6f\\'76, Ivan}", ["'65", "Ivan"]),
    ("ls: /srv/Patients/Petrov\\,\\ Ivan: no such file", ["Petrov", "Ivan"]),
    ("printf 'patient phone: \\062\\063\\070\\055\\067\\067\\063-7072'", ["062", "7072"]),
    ("mysql> SET dl_number=X'443237312D3939332D34362D3931362D30'", ["4432"]),
    ("byte[] mrn = { 0x58, 0x36, 0x36, 0x34, 0x31, 0x38, 0x36, 0x32 };", ["0x36"]),
    ("00000010: 4c41 4b53 484d 4920 5452 414e  patient name field", ["4c41"]),
    ("email=[114,111,100,114,105,103,111,64,97,99,109,101,46,99,111,109]", ["114,111"]),
    ("Patient P\bPe\bet\btr\bro\bov\bv, I\bIv\bva\ban\bn", ["ro", "va"]),
    ("tty: MRN: 54137\b8908 on DC-01", ["54137", "8908"]),
    ("last name N as in November, E as in Echo, L as in Lima, done", ["Echo", "Lima"]),
    ("llame al cinco cinco cinco, ocho uno tres cuatro", ["ocho"]),
    ("member two Xray Whiskey six Whiskey four eight, over", ["Xray", "eight"]),
    ("{'pid3': ['95757273', 'MR'], 'pid5': ['PETROV', 'IVAN']}", ["95757273", "PETROV", "IVAN"]),
    ("fax: coversheet To A. Washington MD, pages 5", ["Washington"]),
    ('"RegisteredUsers" : { "modality" : "xray2018X" }', ["xray2018X"]),
    ('"Claim ID","Svc From","Charge"\n"371744784108","10/21/2024","184.00"', ["10/21"]),
    ("my social is two one nine, three four, five six seven eight", ["nine", "seven"]),
    ("call back at five five five, eight one three 4 4 1 2", ["eight", "4 4 1 2"]),
    ("ssn219345678 was sent", ["219345678"]),
    ("queue: export_dob_19780913 done", ["0913"]),
    ("DOB 10 / 19 / 1996 at DC-01", ["10 / 19"]),
    ("medicare id 6M10  KJ6  QG91 is over", ["KJ6"]),
    (
        "PatientName   DOB         MRN         Status\nPetrov, Ivan  02/03/1961  0039262462  OK",
        ["Petrov", "02/03", "0039262462"],
    ),
    (
        '{"columns":["patient","mrn","rc"],"data":[["Ivan Petrov","H683665",4417]]}',
        ["Petrov", "H683665"],
    ),
]
KEPT = [
    "settings=eyJ0aGVtZSI6ICJkYXJrIiwgInBhZ2VTaXplIjogNTAsICJhdXRvc2F2ZSI6IHRydWV9",
    '{"title":"Warteschlange ge\\u00f6ffnet"}',
    "TRACE rx 76520 bytes, tx 118 packets",
    "chart locked by session fe817235-183e-5263-6211-cdd203c54f83",
    "[mail]\nrelay=\nhost=10.0.0.4\nfrom=\nport=25",
    "golf hotel india; one as in first, two as in second; november oscar",
    '{"resourceType":"CapabilityStatement","date":"2024-02-11","software":{"name":"HAPI"}}',
    "^XA^FO20,20^A0N,28^FDTEST LABEL^FS^XZ sent",
    "path D:\\201\\302\\build and C:\\245\\277",
    "User-Agent: Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36",
    "print('a' + 'b'); echo \"x\" + \"y\"",
    "the backup of the second week; the first of three disks; March third-party audit",
    "LAST SEEN   TYPE     REASON   OBJECT   MESSAGE\n2m          Normal   Pulled   pod/a    ok",
    "a  Column  Of  Words\nb  and    of  more",
    "sizes 10,20,30,40,50,60,70,80,90 and 00 01 02 03 04 05 06 07 08 abort",
    "path C:\\Data\\20Jan\\2024 and D:\\x\\0\\1",
    "phone_number_format_id=12 account_count=1234567",
    "one two three: the first four of five; zero one",
    "loads [12,64,99,98,97,32,45,50,61] and 0x01, 0x02, 0x03, 0x04, 0x05, 0x06",
    "chart.js v4.4.123456; mobile-1.2.345678; cell[12]",
    '{"columns":["node","load"],"data":[["DC-01",44179]]}',
]


@pytest.mark.parametrize(("text", "gone"), GONE)
def test_it_goes(text: str, gone: list[str]) -> None:
    said = scrub_text(text)
    assert not [one for one in gone if one in said], said
    assert scrub_text(said) == said


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert scrub_text(text) == text


def test_what_stands_beside_it_stays() -> None:
    said = scrub_text("field=PATIENT.SSN old=NULL new=219-34-5678 by job 9017")
    assert said.endswith(" by job 9017")
    said = scrub_text("home address: 4417 Larkspur Lane (guarantor), batch 3989")
    assert said.endswith(" (guarantor), batch 3989")
    said = scrub_text("kept: P|1||E33392981||PETROV^IVAN||20150523|F|||||OLSEN -> queue on DC-09")
    assert said.endswith(" -> queue on DC-09")
    said = scrub_text('{"columns":["patient","rc"],"data":[["Ivan Petrov",44179]]}')
    assert "44179" in said
