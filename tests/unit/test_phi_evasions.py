"""Values that are cut in parts, glued to other words or dumped as bytes are seen all the same."""

import pytest

from proto.phi import scrub_text

GONE = {
    "mail=joshua.vargas-at-comcast.net kept": ("joshua", "comcast"),
    "E-mail address: matthew.davis@icloud[.]com rejected": ("matthew", "icloud"),
    "guest invite for patient amy.henry_yahoo.com#EXT#@clinic.onmicrosoft.com": ("amy", "yahoo"),
    'calendar entry "NewPatient-JessicaHughes" moved': ("Jessica", "Hughes"),
    "job export-patient-laura-washington exit 1": ("laura", "washington"),
    "template DearPatient_MichaelCastro_Recall rendered": ("Michael", "Castro"),
    "pt=Flores/Amanda task=recall ms=731": ("Flores", "Amanda"),
    "chart_key=Long_Sandra op=lock": ("Long", "Sandra"),
    '{"patientKey":"MurrayBenjamin","rev":477}': ("Murray", "Benjamin"),
    "dob_month=11&dob_day=23&dob_year=1992": ("11", "23"),
    '{"dob":{"month":11,"day":23,"year":1992}}': (":11", "23"),
    "DOB month=11 DOB day=23 DOB year=1992 mismatch": ("11", "23"),
    '{"phone":{"area":"602","prefix":"485","line":"6775"}}': ("602", "485", "6775"),
    "phone_area=602 phone_prefix=485 phone_line=6775": ("602", "485", "6775"),
    "$n = '{0}-{1}-{2}' -f '320','23','2072'": ("320", "23", "2072"),
    '"%s-%s-%s" % ("602","485","6775")': ("602", "485", "6775"),
    "'-'.join(['320','23','2072'])": ("320", "2072"),
    "MRNs to merge:\n12984226\n11329092\ndone, 2 rows": ("12984226", "11329092"),
    "MRN:86675184 (prev 58277736) relinked": ("86675184", "58277736"),
    "delivery to patient phone 8l4–495–4854 failed": ("8l4", "495", "4854"),  # noqa: RUF001
    "date of birth lО∕l6∕l97О, 3 pages": ("l6", "l97"),  # noqa: RUF001
    "patient at phone (Зl2) 597‑6762, ticket 819": ("l2", "597", "6762"),  # noqa: RUF001
    "vCard N;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE:Rom=\nero;=53c=6Ft=74;;;": ("Rom", "=6Ft"),
    "vcard import: N;LANGUAGE=en:Romero;Scott": ("Romero", "Scott"),
    "clip text: p.a.t.i.e.n.t.=.E.d.w.a.r.d. .T.a.y.l.o.r.": ("E.d.w", "T.a.y"),
    "6D-72-6E-3D-32-37-33-39-33-34-30-30-26-6F-70-3D-6D-65-72-67-65": ("6D-72",),
    "00000000: 7061 7469 656e 743d 4a6f 686e 2053 6d69  patient=John Smi\n"
    "00000010: 7468 3b64 6f62 3d31 3934 342d 3032 2d31  th;dob=1944-02-1": ("John", "4a6f", "7468"),
    "00000040  44 00 65 00 62 00 6f 00 72 00 61 00 68 00  |D.e.b.o.r.a.h.|  patient first name": (
        "44 00",
        "D.e",
    ),
}
STAYS = (
    "com.acme.PatientJacksonMapper loaded patient-grace-period PatientMorganLogger",
    "patient-portal-page PatientRecordLock patient_grant_access patient-carter-api",
    "chart-helm-mason client-hamilton-api patient-austin-office",
    "route add 65:8D:5C:E8:BD:47 via eth0; guid 6D726E3D-3237-3339-3334-30302D31",
    "block example[.]com and regex a[.]b[@]",
    "'{0}-{1}-{2}' -f '10','0','19045' is the build",
    '{"line":{"area":"602","offset":"485"}}',
    "00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|",
    "build 55I4571336 of the café, pool 2O1 of 10",
)


@pytest.mark.parametrize(("text", "parts"), GONE.items())
def test_no_part_is_left(text: str, parts: tuple[str, ...]) -> None:
    scrubbed = scrub_text(text)
    assert [part for part in parts if part in scrubbed] == []
    assert scrub_text(scrubbed) == scrubbed


@pytest.mark.parametrize("text", STAYS)
def test_what_machines_write_so_stays(text: str) -> None:
    assert scrub_text(text) == text


def test_the_year_of_a_day_in_parts_and_the_next_row_of_a_table_stay() -> None:
    assert "dob_year=1992" in scrub_text("dob_month=11&dob_day=23&dob_year=1992")
    rows = "reg query: PatientName    REG_SZ    Anna Keller\n    LastPatientDOB    REG_SZ    x"
    assert "LastPatientDOB" in scrub_text(rows)


def test_many_rows_of_a_dump_take_linear_time() -> None:
    row = "{:08x}: 7061 7469 656e 743d 4a6f 686e 2053 6d69  patient=John Smi"
    assert "4a6f" not in scrub_text("\n".join(row.format(at * 16) for at in range(2_000)))
