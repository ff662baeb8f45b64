# ruff: noqa: E501 - examples stand unbroken
"""Numbers of people that short cues or their row tell go; numbers of machines beside them stay."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ("Face sheet queued: TSOSIE, DAVID Z 02-26-1970 MR#0010750013 PCP:X", "0010750013"),
    ("MR No. 447123 scanned", "447123"),
    ("GET /fhir/r4/Patient?identifier=MR43896125&family=Xiolen", "43896125"),
    ("GET /fhir/Patient?identifier=http://hosp.org/mrn|H6861473711", "6861473711"),
    ("Duplicate entry in patients_extra (pid 95292959)", "95292959"),
    (
        "HCFA-1500 box 1a 2M75UG1KG10 box 3 04/19/2014 box 24J 1530974371 box 33a group NPI",
        "1530974371",
    ),
    ("claim rejected: rendering 1234567893 NPI not enrolled", "1234567893"),
    (
        "Line 212 rejected: Fox,Guoqiang,10/26/1954,697-47-0736,KY,56492,+1-789-388-2206,g@example.net,43402632520",
        "43402632520",
    ),
    ("Row 3: bad date for Quoban,Thoenko,02/03/1961,M,W88214417203,BCBS", "88214417203"),
    ("Mirth: Sending Eleni Ford 54910 Tannery Way Apt 4B Liuville 16875 to HIE dest 4", "16875"),
    ("Mirth: Sending Eleni Ford 54910 Tannery Way Apt 4B Liuville 16875 to HIE dest 4", "Liuville"),
    ("('Frank Nikolaidis, 77600 East Harvest Run Suite 300, Fergusonville 79099-2854')", "79099"),
    ("bed 7: April A. 104yo F fall, EMS eta 6", "April"),
    ("Document 88, De-Vries_Walter_faxcover.pdf owned by zaish.johnson", "Walter"),
    ("C:\\Downloads\\madison.kuovellen_W2.zip", "kuovellen"),
    ('"pid": "95292959", "action": "merge"', "95292959"),
    (
        "row rejected: Quoban,Thoenko,1961-02-03,12 Elm Street,Dayton,OH,45402,9375551212,XQH8821441720",
        "12 Elm",
    ),
    ("Phoebe Quoban, SSN 298-41-1384, county St. Lindenton", "St. L"),
    ("SSN 298-41-1384 of the patient; shelter in Head Falls has a bed", "Head Falls"),
]
STAYS = [
    "merge request MR#1234 merged, MR !881 open",
    "plist identifier=com.apple.finder version=3",
    "worker exited (pid 44120) signal 9",
    "process terminated pid 4412071",
    "job 1588667637 took 12 ms",
    "labels printed for 12 Elm St; queue 45402 ok",
    "setup.exe cover.pdf node.config_backup.zip windows.update_log.zip",
]
KEPT = [
    (
        "E:\\PACS\\ImportQueue\\Laeula_Xiu_20151020\\IM00001.dcm : pixel data length mismatch expected 930204",
        "930204",
    ),
    (
        "lead serial PJN6640836H on Chiamaka Papadopoulos MRN 5348550, scanner serial S82ANX091DA4DB cleared",
        "S82ANX091DA4DB",
    ),
    (
        'RECEIVE,<1e22b7ec@clinic.example>,a.marks@proton.me,,424608,1,,"FW: MRI for Marks, Ann (dob 10/1/92)"',
        "424608",
    ),
]


@pytest.mark.parametrize(("line", "value"), GONE)
def test_numbers_that_short_cues_tell_go(line: str, value: str) -> None:
    assert value not in scrub_text(line)


@pytest.mark.parametrize("line", STAYS)
def test_lines_of_machines_stay(line: str) -> None:
    assert scrub_text(line) == line


@pytest.mark.parametrize(("line", "fact"), KEPT)
def test_facts_beside_people_stay(line: str, fact: str) -> None:
    assert fact in scrub_text(line)
