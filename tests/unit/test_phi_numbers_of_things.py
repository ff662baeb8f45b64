# ruff: noqa: E501 - examples stand unbroken
"""Numbers, tags and years beside people go by their place; what machines gave a thing stays."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ("ClmNo\tName\tDLNo\tReg\n4433221\tMoore, Ann\tS44556677\tKLM-4821", "KLM-4821"),
    ("Copy D:\\Staff\\W4 Paula Reyes 421-81-5575.pdf to \\\\10.1.1.2\\h$", "421-81-5575"),
    ("moved 'Reyes_Paula 421-81-5575.docx'", "421-81-5575"),
    (
        '{"ok":false,"patient":1,"issues":[{"property":"ssn","message":"format","received":"695431505"}]}',
        "695431505",
    ),
    ("GET /find?name=Paula+Reyes&year=1927 200", "1927"),
    ("Mr. Paul Reyes, turned 97 yesterday, cannot log in; patient's son helps", "97"),
    ("pt Reyes, Paula (w:612-555-0142, c:(947)518-6643) moved", "612-555-0142"),
    ("callback list; REYES,PAULA hm 6125550142; MOORE,ANN hm 9475186643", "6125550142"),
    (
        "scanned lens (01)09674933517702(17)271231(21)A10842406 for patient Reyes, Paula",
        "A10842406",
    ),
    (
        '{"msg":"charts merged","src":"5554656","dst":"7483108","patient":{"last":"Reyes"}}',
        "5554656",
    ),
    ('Visit note unlock enc 512044856 pt "Reyes, Paula" by desk', "512044856"),
    ('Visit note unlock pt "Reyes, Paula" taken by tuyetl at NURSE-27', "tuyetl"),
    ("claim batch / pt PAULA REYES / subscr 72737579842 / by tuyetl", "tuyetl"),
    ("claim batch / pt PAULA REYES / subscr 72737579842 / ok", "72737579842"),
    ("diff \\\\FS1\\Homes\\tuyetl\\Documents\\a.txt", "tuyetl"),
    ("TA1 error IK3*DMG*9*2010*8 context NM1*IL*1*REYES*PAULA~DMG*D8*19710203", "REYES"),
    ("archive moved \\\\FS1\\mail\\paula.reyes.pst to cold", "paula.reyes"),
    ('{"visit":1,"provider":"Grace, DO"}', "Grace"),
    ("POST https://forms.example.org/s?host=EXAM-02&first=Paula&dob=1971-02-03", "Paula"),
]
STAYS = [
    ("EmpID\tEmpName\tDL_No\n870500\tMoore, Ann\tS44556677\n# pulled on NURSE-12", "NURSE-12"),
    (
        'From "Paula Reyes" <preyes77@gmail.com> Subj "my results" verdict clean relay MX-02 id 551200934',
        "551200934",
    ),
    ("#551200934: OPEN Paula Reyes cannot print chart 554433 from NURSE-09", "551200934"),
    (
        "user paula.reyes@clinic.example / dept Records / device NURSE-09 / KB5044284 pending",
        "KB5044284",
    ),
    ("POST https://forms.example.org/s?host=EXAM-02&first=Paula&dob=1971-02-03", "host=EXAM-02"),
    (
        "GET https://forms.example.org/s?first=Paula&dob=1971-02-03&trace_id=2a326808-19da-4e47-4988-e53df4a47899",
        "2a326808-19da-4e47-4988-e53df4a47899",
    ),
    ("insulin pump at 2024-05-06T11:12:13Z paired, patient Reyes, Paula", "2024-05-06T11:12:13Z"),
]
UNTOUCHED = [
    "Printer 'MILES-GRACE' on SRV-2 ready",
    "Dr. Web antivirus engine 11.1 updated on NURSE-02",
    "Security policy 'Grace Park Kiosks' applied to OU=Desks in 12 ms",
    "x=1080&y=1920 drawn, w=1920&year=1999",
    "service restarted by watchdog, cleaned by logrotate",
    "backup made by veeam on NURSE-01",
]


@pytest.mark.parametrize(("line", "value"), GONE)
def test_what_is_somebodys_by_its_place_goes(line: str, value: str) -> None:
    assert value not in scrub_text(line)


@pytest.mark.parametrize(("line", "fact"), STAYS)
def test_what_a_machine_gave_stays_beside_people(line: str, fact: str) -> None:
    assert fact in scrub_text(line)


@pytest.mark.parametrize("line", UNTOUCHED)
def test_lines_of_machines_are_not_touched(line: str) -> None:
    assert scrub_text(line) == line
