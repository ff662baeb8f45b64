"""Keys that no table lists are read by their head word and what it is of, in every style."""

import re
from collections.abc import Callable

import pytest

from proto.phi import default_names, default_policy, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TOKEN = re.compile(r"\[[A-Z0-9_]+-[a-z2-7]{7}\]")

STYLES: dict[str, Callable[[list[str]], str]] = {
    "camel": lambda words: words[0] + "".join(word.capitalize() for word in words[1:]),
    "Pascal": lambda words: "".join(word.capitalize() for word in words),
    "snake": "_".join,
    "UPPER": lambda words: "_".join(words).upper(),
    "kebab": "-".join,
    "Title": lambda words: " ".join(word.capitalize() for word in words),
}
TOLD = [
    ("enc num", "OTHER_ID"),
    ("order no", "OTHER_ID"),
    ("employee no", "OTHER_ID"),
    ("claim control number", "OTHER_ID"),
    ("specimen ref", "OTHER_ID"),
    ("transmitter sn", "DEVICE"),
    ("id implant", "DEVICE"),
    ("date implanted", "DATE"),
    ("adm dttm", "DATE"),
    ("vaccine date", "DATE"),
    ("grp member no", "HEALTH_PLAN"),
    ("payer id number", "HEALTH_PLAN"),
    ("hsa account", "ACCOUNT"),
    ("cc nbr", "ACCOUNT"),
    ("dln no", "LICENSE"),
    ("car reg", "VEHICLE"),
    ("lpr text", "VEHICLE"),
    ("patient client ip", "IP"),
    ("palm template", "BIOMETRIC"),
    ("selfie file", "PHOTO"),
    ("telehealth link", "URL"),
    ("door code", "SECRET"),
    ("uhid no", "MRN"),
    ("dest number", "PHONE"),
    ("former name", "NAME"),
    ("scanned by", "USERNAME"),
    ("domain user", "USERNAME"),
]
NOT_TOLD = [
    "enc number format", "exam room number", "badge reader id", "order count", "process id",
    "disk queue no", "service account", "driver date", "user count", "lead time", "gate way ip",
    "encounter service port number", "file ref", "claim status code", "patient index size",
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("key", "kind"), TOLD)
def test_a_head_and_what_it_is_of_make_a_class_in_every_style(
    key: str, kind: str, style: str
) -> None:
    told = default_policy().keys.told(STYLES[style](key.split()).encode())
    assert told is not None
    assert told.kind == kind


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("key", NOT_TOLD)
def test_keys_about_values_and_of_equipment_make_none(key: str, style: str) -> None:
    assert default_policy().keys.told(STYLES[style](key.split()).encode()) is None


GONE = [
    ("exec setDateOfBirth('1962-03-04') failed", ["1962-03-04", "03-04"]),
    ('sync: findByEncNum("4411987")', ["4411987"]),
    ("[Patient DOB] 1962-03-04; [Hcpcs] 90471; [Enc Num] 884412", ["03-04", "884412"]),
    ("HKLM\\SOFTWARE\\Emr\n    HolterSn    REG_SZ    88441207", ["88441207"]),
    ("<tr><td>Date Implanted</td><td>03/04/2019</td></tr>", ["03/04"]),
    ("the adm date on file is now 03/04/2019, please check", ["03/04"]),
    ("Invalid enc num '4411987' supplied", ["4411987"]),
    ("validation failed for field hsaAccount with value '4411987'", ["4411987"]),
    ("claim control number was changed to 4411987.", ["4411987"]),
    (
        "GET /find?homephone=813+907+9690&dob=15+February+1937&x=1",
        ["813", "9690", "15", "February"],
    ),
    (
        "POST /x?city=cedar+rapids&homeaddress=60+Pearl+Rd+Apt.+4%2C+NY",
        ["cedar", "rapids", "Pearl"],
    ),
    ("acct_no=****4389, ssn=***-**-4525; member_id=NFC45945782 02", ["4389", "4525", " 02"]),
    ("plate_no=DV70 NPP, vehicle_tag=KAYAK99, lpn: raa-1030", ["DV70", "NPP", "KAYAK", "raa"]),
    (
        "PatientAge: 095Y; homecity: new davis; homeaddress: 54941 pearl way unit 12",
        ["095", "davis", "pearl", "unit"],
    ),
    ('update-person -DeaNo "AX5238414" -PlateText "GRANDMA2"', ["AX5238414", "GRANDMA2"]),
    (
        '<field id="chart_number" val="96969016"/><Data Name="PV1-19">771B11139</Data>',
        ["96969016", "771B11139"],
    ),
    ("Queue,Home Phone\nLABELS,357-0760", ["357-0760"]),
    ("Claim No\n443311\nPort\n104", ["443311"]),
    ("ExamId\tRX68799577\nTaskName\tNightlyIndex", ["RX68799577"]),
    ("VehicleId\tFQE 6424\nComputer\tPACSGW-11", ["FQE", "6424"]),
]
KEPT = [
    "CREATE TABLE audit (id bigint, password_hash varbinary(64), dob date)",
    "XMediusFAX 2023-02-17T17:36:13Z started; exam room number 4 is free",
    "order queue key 1188 of service port number 8042",
    "enc number format 11822 loaded, domain user count 118223",
    "[encounter] loaded 118223 rows in 4411 ms",
]


FACTS = [
    ("Mrn,Hcpcs,PreferredName\n3480,90471,Art", ["Hcpcs", "90471", "PreferredName"]),
    ("ExamId\tRX68799577\nTaskName\tNightlyIndex", ["ExamId", "TaskName", "NightlyIndex"]),
    ("exec sp_X @kb='KB5092678', @driver = N'stornvme', @mrn='1234567'", ["KB5092678", "stornvme"]),
    ("INSERT INTO t (mrn, task_name, cpt) VALUES ('88441', 'SyncSchedules', '99213')",
     ["SyncSchedules", "99213"]),
    ("GuarantorName\tA. Otieno\nCheckingAccount\t****6897", ["CheckingAccount"]),
    ('<Data Name="HomePhone">357-0760</Data><Data Name="EncNum">5238414</Data>', ["EncNum"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), FACTS)
def test_names_of_fields_and_facts_under_their_own_keys_stay_beside_people(
    text: str, kept: list[str]
) -> None:
    out = scrub_text(text)
    assert out != text
    assert not [piece for piece in kept if piece not in out]


@pytest.mark.parametrize(("text", "gone"), GONE)
def test_a_composed_key_is_read_wherever_keys_are(text: str, gone: list[str]) -> None:
    out = scrub_text(text)
    left = TOKEN.sub("\0", out)
    assert not [piece for piece in gone if piece in left]
    assert scrub_text(out) == out


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_such_a_key_stays(text: str) -> None:
    assert scrub_text(text) == text
