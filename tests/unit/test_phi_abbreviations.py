"""Cues that are shortened with full stops tell what the same cues tell without."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("D.O.B. 4/18/07 on the scanned form", "4/18"),
        ("D.O.B. 4 / 18 / 07 on the scanned form", "18"),
        ("D.O.B.=4/18/07 on the scanned form", "4/18"),
        ("D.o.B. 05/17/1967 differs", "17"),
        ("d.o.b. May/17/1967 differs", "May"),
        ("S.S.N. 219099999 was given", "219099999"),
        ("M.R.N. 8667518 was opened", "8667518"),
        ("M.R.N.: 8667518", "8667518"),
        ("M.R. No. 882931 is a double", "882931"),
        ("MR No. 882931 is a double", "882931"),
        ("Med. Rec. No. 8829301 is a double", "8829301"),
        ("Soc. Sec. No. 219099999", "219099999"),
        ("Ins. ID 88293112 has ended", "88293112"),
        ("Hosp. No. 1234567 printed", "1234567"),
        ("N.P.I. 1234567893 is not active", "1234567893"),
        ("Ph. 617 694 2032 is busy", "694"),
        ("Pt. Helen Campbell called", "Campbell"),
    ],
)
def test_a_shortened_cue_tells_what_the_cue_tells(text: str, gone: str) -> None:
    said = scrub_text(text)
    assert gone not in said
    assert scrub_text(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "build D.E.V. 4/18/07 is ready, e.g. 4/18/07",
        "Rel. 4.18.07 is on PC-04, Ver. No. 4.18.07",
        "Seq. No. 123456, Job No. 882931, Part No. 882930, Inv. No. 123456 from Dell",
        "See Med. Rec. policy No. 12",
        "D.N.S. 8.8.8.8 and M.T.U. 1500 are set",
        "E.O.B. 4/18/07 was the last run",
    ],
)
def test_other_words_with_full_stops_tell_nothing(text: str) -> None:
    assert scrub_text(text) == text
