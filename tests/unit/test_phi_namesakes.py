"""What is somebody's goes where much else is only written so (`systems/namesakes.txt`).

A device that its owner's login names, the end of an SSN, who asks from an address.
"""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GOES = (
    ("Rose Hall called about her crown, mrn 4411223", "Rose Hall"),
    ("Patient Grant Mason denied chest pain", "Grant Mason"),
    ("appointment for Mark Reed cancelled, patient moved to 10:30", "Mark Reed"),
    ("Lily Ward, dob 03/04/1981, room 12", "Lily Ward"),
    ("patient aged 95 years, fell at home", "95"),
    ("mrn 990-09-0990 merged", "990-09-0990"),
    ("badge swipe: emp# 784528 Lee, Ann, door LAB-2", "784528"),
    ("835 import: CLP 991223341 paid 88.10 for Lee, Ann", "991223341"),
    ("remoted into milorad-pc (user milorad.kealoha) for the scanner", "milorad-"),
    ("fix Dorfishi's laptop, dorfishi-surface drops off the vpn", "dorfishi-"),
    ("she told me her social ends in 5431 so I used that", "5431"),
    ("imap(mkhizex)<336>: Error: INBOX/Patients/Choi, Ann: fsync failed", "mkhizex"),
    ("eligibility of patient Karagiannis, Hope; rq by brathoeenk from 10.4.7.3:443", "brathoeenk"),
    ("report of https://portal.clinic.example/patients/o'driscoll-2013/797724?tab=labs", "797724"),
    ("Pt J.K. called about the crown, chart was locked", "J.K."),
    ("GET https://portal.clinic.example/patients/o'neil-ann/4412234 200", "neil"),
    ('{"paciente":"Lee, Ann","carteirinha":"75652144411"}', "75652144411"),
)
"""What is somebody's, each with what of it may not be left."""


@pytest.mark.parametrize(("line", "value"), GOES)
def test_what_is_somebodys_goes(line: str, value: str) -> None:
    assert value not in scrub_text(line)


def test_a_value_behind_a_shown_segment_stays() -> None:
    shown = "NAK AE raw=PID|1||89020237||PRUITT^AUSTIN||||||||8939822666 peer 10.223.86.29:1433"
    scrubbed = scrub_text(shown)
    assert scrubbed.endswith(" peer 10.223.86.29:1433")
    assert "8939822666" not in scrubbed
