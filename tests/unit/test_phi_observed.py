# ruff: noqa: E501 - examples stand unbroken
"""Numbers of implants and studies in messages go; what observations and machines are called stays."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

HEAD = "MSH|^~\\&|HIS|RHS|IMPLANT|RHS|20230518112233||ORU^R01|1|P|2.4\rPID|1||H47922781||DVOSAK^DESHAWN\r"
GONE = [
    ("OBX|1|ST|SN^Pacemaker serial||67K3534414||||||F", "67K3534414"),
    ("OBX|1|ST|720897^MDC_IDC_DEV_SERIAL_NUMBER^MDC||PJN6640836H||||||F", "PJN6640836H"),
    ("OBX|1|ST|LOT^Implant lot number||HX4471902||||||F", "HX4471902"),
    ("OBX|1|ST|UDI^Device Identifier||(01)07691121091969(21)84316669||||||F", "84316669"),
    ("OBX|1|ST|74711-3^Unique device identifier^LN||07691121091969||||||F", "07691121091969"),
    ("OBX|1|ST|SER^Lead Serial Nbr||LFP118820V||||||F", "LFP118820V"),
    (
        "OBX|1|ST|113014^Study Instance UID^DCM||1.2.840.113619.2.55.3.604688119.868||||||F",
        "604688119",
    ),
    ("ZDS|1.2.276.0.7230010.3.1.2.135945158.1368755515^RIS^Application^DICOM", "135945158"),
    ("ZXR|Y|1.2.276.0.7230010.3.1.2.135945158.1368755515^PACS", "135945158"),
]
STAYS = [
    "OBX|4|ST|INST^Analyzer serial||S8A7NX07813D9B||||||F",
    "OBX|5|ST|FW^Programmer software||19.5.19||||||F",
    "OBX|6|ST|UDI^Device Identifier||||||||F",
    "OBX|1|NM|18262-6^Martin Hopkins LDL^LN||88|mg/dL|||||F",
    "OBR|2|||80053^Jones Test^L",
    "DG1|1||G20^Parkinson Disease^I10",
    "ZDS|^RIS^Application^DICOM",
    "ZCF|Y|1.2.840.10008.5.1.4.1.1.2^CT Image Storage",
]
DUMPED = [
    ("(0010,1010) 102Y -> keep, (0010,0010) LIU^LINDA, calling AET MWL_SCP", "102Y"),
    ("storescp: (0010,1010) AS 093Y; sent", "093Y"),
    ("(0010,1010) 099Y (was 98Y), (0010,0030) 19230102", "98Y"),
    ("(0010,1010) AS [0104Y]", "104"),
]


@pytest.mark.parametrize(("segment", "number"), GONE)
def test_numbers_of_implants_and_studies_go(segment: str, number: str) -> None:
    assert number not in scrub_text(HEAD + segment)


@pytest.mark.parametrize("segment", STAYS)
def test_what_observations_are_called_stays(segment: str) -> None:
    assert scrub_text(HEAD + segment).endswith(segment)


@pytest.mark.parametrize(("line", "age"), DUMPED)
def test_old_ages_go_whatever_a_log_says_behind_them(line: str, age: str) -> None:
    assert age not in scrub_text(line)


def test_ages_under_ninety_stay() -> None:
    assert "045Y -> keep" in scrub_text("(0010,1010) 045Y -> keep (0010,0010) LIU^LINDA")


@pytest.mark.parametrize(
    "display",
    [
        "SOMATOM go.Top SFD0NX0DE94594",
        "Siemens MAGNETOM Vida S8A7NX07",
        "Revolution CT SN 4471AB9920",
    ],
)
def test_a_scanner_that_performs_stays(display: str) -> None:
    assert display in scrub_text(
        f'{{"resourceType":"ImagingStudy","performer":[{{"actor":{{"display":"{display}"}}}}]}}'
    )


@pytest.mark.parametrize("display", ["Anna Hale MD1234567", "Quepaumur Yaslaemur A4471902"])
def test_somebody_who_performs_goes(display: str) -> None:
    assert display not in scrub_text(
        f'{{"resourceType":"ImagingStudy","performer":[{{"actor":{{"display":"{display}"}}}}]}}'
    )
