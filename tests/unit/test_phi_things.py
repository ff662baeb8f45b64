"""What is only written like somebody's stays: a clinic's machines write it every minute.

Algorithms, units and principals with an at sign, ages of things, versions and their days,
parameters of statements, masks of names, makers, typefaces, time zones. Beside each stands what
goes.
"""

import pytest

from proto.phi import default_names, scrub_text, sentry

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

STAYS = (
    "kex: curve25519-sha256@libssh.org cipher: chacha20-poly1305@openssh.com",
    "systemd[1]: Reloaded getty@tty1.service and postgresql@14-main.service.",
    "/etc/systemd/system/getty@tty1.service.d/override.conf: reloaded",
    "getting initial credentials for host/PRINT-33.clinic.local@CLINIC.LOCAL",
    "TGS-REQ for MSSQLSvc/db-02.clinic.local:1433@CLINIC.LOCAL enc 18",
    "use @angular/core@17.2.1-rc.0, react@18.x, pgx/v5@v5.5.0-beta.1; log4j-core@2.17.1.jar",
    "waiting on com.zaxxer.hikari.pool.HikariPool@6d06d69c.getConnection()",
    "Content-ID: <image002.jpg@01D9AA12.3C4F5A60>; logo@2x.png 404",
    "backup-writer@clinic-prod-123.iam.gserviceaccount.com lacks storage.objects.create",
    "svc_backup@clinic.local logon type 4 on DC-13; REGISTER 204@pbx.clinic.local 200 OK",
    "HTTP/1.1 304 Not Modified\r\nAge: 94\r\nCache-Control: max-age=31536000, immutable",
    '{"status":304,"headers":{"age":"112","cache-control":"max-age=600"}}',
    "backup age 98 days exceeds policy; certificate age: 94; cache age=99 hits=412; lock age 101",
    "DisplayName: Dental Imaging Suite\nDisplayVersion    : 8.0.20.1\nInstallDate       : 20231107",
    "Upgraded Dentrix patient engagement from 8.0.20.1 to 8.0.21.4 on FRONTDESK-02",
    "NotBefore: 2024-01-02 NotAfter: 2025-01-02 Subject: CN=patient-portal.clinic.local",
    "INSERT INTO visit (id, patient_id, first_name, dob) VALUES ($1, $2, $3, $4)",
    "INSERT INTO person (lname, fname, dob) VALUES (@p0, @p1, @p2); SELECT SCOPE_IDENTITY()",
    "SELECT TOP 50 p.LName, p.SSN FROM patient p WHERE p.PatNum = @PatNum",
    "DELETE FROM guarantor g USING patient p WHERE g.pid = p.id",
    'violates unique constraint "appointment_pkey"\nDETAIL:  Key (id)=(884120) already exists.',
    "at OpenDental.FormPatientEdit.FillNames(Patient pat) in C:\\dev\\Forms.cs:line 2094",
    "public Patient merge(Patient survivor, Patient duplicate) throws MergeException",
    "Patient pat = Patients.GetPat(patNum); // may be null",
    "Cannot deserialize `java.time.LocalDate` from Array value (token `JsonToken.START_ARRAY`)",
    "Caused by: ca.uhn.fhir.rest.server.exceptions.ResourceVersionConflictException: HAPI-0550",
    '{"criteria":"Observation?code=http://loinc.org|4548-4"}',
    "GET /fhir/Observation?code=4548-4,2345-7,8480-6&date=ge2024 200",
    '<add key="PatientNameFormat" value="LastName, FirstName MI" />',
    'patientNameOrder=LAST^FIRST^MIDDLE; chartLabel="LAST, FIRST MI DOB"',
    "ASTM tx: H|\\^&|||cobas-pure^1.4.2|||||host|TSDWN^REPLY|P|1|20241104081500",
    "(0008,0005) CS [ISO_IR 192]; (0008,0020) DA [] ; (0010,0010) PN (no value available)",
    "ValueSet/administrative-gender, CodeSystem/v2-0203, SearchParameter/Patient-given; 412",
    "src/patient/name_parser.go | 12 ++++++------",
    'write failed on "/mnt/nas/pacs/2024/11/IM000941": No space left on device (28)',
    '{"resourceType":"Device","id":"spo2-4071","manufacturer":"Masimo","serialNumber":"S66DNX0DA2FD85"}',
    "Thermo Fisher Scientific KingFisher Flex 711-82 protocol MVP_2Wash_200_Flex aborted step 4",
    "Hill-Rom Centrella bed 9F41: firmware P7500 v1.94, battery 41%",
    'LIS driver "Siemens Atellica" port COM4 9600,8,N,1: ENQ timeout',
    "hanging protocol 'Smith-Petersen hip AP/LAT' not applicable to body part HAND",
    "Philips IntelliVue MX450 module lost; Drager Perseus A500 self test failed",
    "Vital monitor,Mindray,VS-900,FV-94120412\nDefib,Zoll,R Series,AF12C094127",
    '"Franklin Gothic Medium" -> "Arial"; "Bernard MT Condensed"; "Baskerville Old Face" missing',
    "Nurse Station B tablet rebooted; Nurse Call master offline; Doctor On Call calendar synced",
    "Provider type codes: 122300000X Dentist, 207Q00000X Family Medicine",
    "GRANT SELECT ON patient TO reporting_ro; REVOKE ALL ON patient FROM public",
    'Teams Room "Aspen Huddle" offline',
    "NM1*IL*1*LAST*FIRST****MI*SUBSCRIBERID~ template ok",
    "timezones: America/Denver, America/Indiana/Vincennes, America/North_Dakota/Beulah",
)
"""Lines of machines, whole."""
GOES = (
    ("mail from ann.lee@openclinic.com to dr.lee@ssh.clinic.org", "lee@"),
    ("kinit: preauth failed for ann.lee@CLINIC.LOCAL", "ann.lee"),
    ("ann.lee@163.com opened the form", "ann.lee"),
    ("patient age: 94, fell at home", "94"),
    ("Age: 97\nSex: F\nComplaint: cough", "97"),
    ("seen from 24.6.80.1 by mrn 4411223", "24.6.80.1"),
    ("SELECT * FROM patient WHERE name = 'Kealoha, Ann'", "Kealoha"),
    ("FROM patient Ingrid Kealoha: please call back", "Kealoha"),
    (
        "INSERT INTO patient (mrn, last_name, dob) VALUES (4411223, 'Kealoha', '1984-02-03')",
        "Kealoha",
    ),
    ("C:\\Charts\\price_mildred.exe blocked", "mildred"),
    ("/mnt/nas/xray/KEALOHA^ANN/IM00001", "KEALOHA"),
    ("patient: Philips, Anna mrn 4411223", "Philips"),
    ("Philips, Anna called about her crown, mrn 4411223", "Anna"),
    ("Lee Smith-Petersen, dob 03/04/1981, hip left", "Petersen"),
    ("Nurse Banks paged for room 4", "Banks"),
    ("patient Denver Kealoha lives near America/Denver", "Kealoha"),
    (
        '{"resourceType":"Device","patient":{"reference":"Patient/12"},"serialNumber":"S66DNX0DA2FD85"}',
        "S66DNX0DA2FD85",
    ),
)
"""What is somebody's, each with what of it may not be left."""


@pytest.mark.parametrize("line", STAYS)
def test_what_only_looks_like_somebodys_stays(line: str) -> None:
    assert scrub_text(line) == line


@pytest.mark.parametrize("line", STAYS)
def test_what_stays_may_leave(line: str) -> None:
    assert sentry.look(line.encode()) == ()


@pytest.mark.parametrize(("line", "value"), GOES)
def test_what_is_somebodys_goes(line: str, value: str) -> None:
    assert value not in scrub_text(line)


def test_a_field_twice_in_a_row_is_no_name() -> None:
    row = "THREAT,vulnerability,2561,vsys123,Untrust,Untrust,vlan.123,France,France,0"
    assert scrub_text(row) == row
