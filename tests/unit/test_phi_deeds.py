# ruff: noqa: E501 - examples stand unbroken
"""Who does something, whose kin somebody is, and numbers and days whose place alone tells."""

import re

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TOKEN = re.compile(r"\[[A-Z0-9_]+-[a-z2-7]{7}\]")

GONE = [
    ("AccessLogger - wilsonh viewed demographics of Haruto Wilson (#84590964)", ["wilsonh", "84590964"]),
    ("patient Ann Moor, files moor_ann and amoor and ann.moor", ["moor_ann", "amoor", "ann.moor"]),
    ("DC-32 sshd[63050]: Failed password for bernice.okafor from 98.126.25.82 port 104 ssh2", ["bernice", "98.126.25.82"]),
    ("srv CRON[142]: (inoble) CMD (/opt/bin/letters)", ["inoble"]),
    ("Kid's name is Thuy, grandma is Xiomara Tesfaye.", ["Thuy", "Xiomara", "Tesfaye"]),
    ("patient flu shots: Washington family on Monday", ["Washington"]),
    ("Mrs. Dang is 100 and needs a wheelchair.", ["Dang", "100"]),
    ("Interpreter booked for Elizabeth Link on Monday", ["Elizabeth", "Link"]),
    ("redraw requested for Bayarmaa A. (92470144)", ["Bayarmaa", "92470144"]),
    ("disc label of Folasade Truong: TRUONG_20210302", ["TRUONG", "20210302"]),
    ("resource Patient with identifier http://clinic.example/mrn|97106038 failed", ["97106038"]),
    ("telecom B1: 302-C2=H476763550|310-CA=PARISA|311-CB=CAMPBELL|304-C4=20001102|402-D2=5664659", ["H476763550", "PARISA", "CAMPBELL", "20001102", "5664659"]),
    ("ASTM checksum: P|1|87349904|||Iyer^Joseph||20130802|M", ["87349904", "Iyer", "Joseph", "20130802"]),
    ("<Subscriber><Name><Last>Drake</Last></Name><Id>38757161790</Id></Subscriber>", ["Drake", "38757161790"]),
    ('denied at ARGS:lastname [data "Berry"] [uri "/find"]', ["Berry"]),
    ("binding parameter [1] as [VARCHAR] - [Holloway]\nbinding parameter [2] as [DATE] - [1960-04-21]", ["Holloway", "1960-04-21"]),
    ("UPDATE patients SET zip='33184' WHERE pid=35964810;", ["33184", "35964810"]),
    ("IVR: caller DOB 20190719 and last4 6932; no match", ["20190719", "6932"]),
    ('"Kaya","Mason","11/19/1996","216 SW Harold Ave","New Fairmont Heights"', ["Kaya", "Fairmont"]),
    ("433-12-1720|LUKAS MENSAH|16238 Oak Circle|Cookton|FL|93745|412.00", ["MENSAH", "93745"]),
    ('job "AVS - Wenshi Ferguson - 06/19/2024" aborted', ["Wenshi", "06/19/2024"]),
    ("WPA2 key for ClinicGuest is Autumn674", ["Autumn674"]),
    ("the wifi password at the front desk is iloveflossing now", ["iloveflossing"]),
    ('chat: "use admin / correct-horse-409 on the NAS"', ["correct-horse-409"]),
    ("PIN for voicemail box 210 reset to 316750", ["316750"]),
    ('expect: send "Clinic*1751*\\r" after a prompt', ["Clinic*1751*"]),
    ("TeamViewer ID 1 203 554 871 password UDUZgTMOmy", ["UDUZgTMOmy"]),
    ("slack webhook TKMJIICJQ/BCRMVPXSV/YhcDAFhTzrq1Ma6ba7D8eBNd returned 404", ["YhcDAFhT"]),
    ("packet for Eleni Kuosen opened", ["Eleni", "Kuosen"]),
    ("login: session opened for user walkerj(uid=1004) by LOGIN(uid=0)", ["walkerj"]),
    ("Subject: lakshmi.gauthier Logon Type: 10", ["lakshmi"]),
    ("terminal 4: sale of patient, name NOBLE/LATONYA", ["NOBLE", "LATONYA"]),
    ("271 EB*6**30 subscriber NM1*IL*1*SMALL*KEVIN****MI*W396190764~", ["SMALL", "KEVIN", "W396190764"]),
    ("payload[0..80]=PID|1||91527493^^^CL||Mitchell^Tewodros^^^^^L||19990211|M", ["91527493", "Mitchell", "19990211"]),
    ('ws> {"op":"in","pt":{"n":"Thiago Ruiz","d":"2019-07-20","m":"61974129"}}', ["61974129"]),
    ("Save(Patient p) p={Id=30784204, Last=Noble, First=Max, Dob=12/20/1994}", ["30784204", "Noble"]),
    ('pg: COPY patients, line 14: "23030942\tRodriguez\tDeborah\t1939-11-28\tF"', ["23030942", "Rodriguez"]),
    ('setString(1, "Thoevelyan"); setString(2, "Mahina"); setDate(3, "2005-04-24")', ["Thoevelyan", "Mahina"]),
    ("Error: no consent for Matthew Lane (id 80655548)", ["Matthew Lane", "80655548"]),
    ("paired adeyemi's AirPods with EXAM-30", ["adeyemi"]),
    ("dedupe: kept 94043557 MOOR, ANN, archived 81242022 DRAKE, EVE", ["94043557", "81242022"]),
    ("typed letmein1397 at prompt for password", ["letmein1397"]),
    ("ConvertTo-SecureString letmein1471 -AsPlainText", ["letmein1471"]),
    ("curl -su admin:Bl00dPressure https://10.1.1.3/", ["Bl00dPressure"]),
    ("LAPS: ms-Mcs-AdmPwd vfZpO6U2Vw on BILLING-33", ["vfZpO6U2Vw"]),
    ("redis AUTH Clinic*97* from 172.20.53.176", ["Clinic*97*"]),
    ("svc_sql::CLINIC:86be49b917ab00be:8e58e5edaa12652b61e97ce8ea37530f:0101000000000000", ["8e58e5ed"]),
]  # fmt: skip
KEPT = [
    "DC-32 sshd[63050]: Failed password for root from 207.243.167.114 port 104 ssh2",
    "srv CRON[142]: (backup) CMD (/opt/bin/rotate)",
    "srv sudo:  deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/ls",
    "child of process 4411 is 97 and counting",
    "X|1|17|alpha|beta|2",
    "GET /static/a.js HTTP/2.0 200",
    'send "exit\\r" to the switch',
    "MaxPasswordAge is set; password PowerShellGet module loaded",
    "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    'pg: COPY assets, line 14: "23030942\tPRINT-22\tExam"',
    '{"job":"nightly","id":"61974129","next":"2030-07-20"}',
    "redis AUTH failed from 172.20.53.176",
    "ConvertTo-SecureString $plain -AsPlainText",
    "ABC|1|17 rows in 3 s",
    "build 304-C4 of the panel, part 310-CA",
    "backup_20240302.zip written to NAS-2",
]


@pytest.mark.parametrize(("text", "gone"), GONE)
def test_what_only_its_place_tells_goes(text: str, gone: list[str]) -> None:
    out = scrub_text(text)
    left = TOKEN.sub("\0", out)
    assert not [piece for piece in gone if piece in left]
    assert scrub_text(out) == out


@pytest.mark.parametrize("text", KEPT)
def test_the_same_places_in_lines_about_machines_are_left_alone(text: str) -> None:
    assert scrub_text(text) == text


def test_a_stamp_of_the_log_behind_a_name_stays() -> None:
    text = "RingCentral: Will Wenkuosen, 708.458.5914, Missed, 2022-10-03 13:12:10,750, ext 104"
    assert "2022-10-03 13:12:10,750" in scrub_text(text)
