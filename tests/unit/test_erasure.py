"""Which values a person's erasure takes: all of theirs, whatever they are wrapped in."""

import base64

import pytest

from appliance.core.erasure import belongs, person
from proto.errors import MalformedError
from proto.phi.values import Kind

MARIA = person(["Maria Elena O'Brien-Garcia"], ["MR00481516"], ["(813) 555-0142"])
ANN = person(["Ann Lee"], [], [])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.NAME, "O'BRIEN-GARCIA, MARIA ELENA"),
        (Kind.NAME, "Maria"),
        (Kind.NAME, "Garcia"),
        (Kind.NAME, "OBrien^Maria"),
        (Kind.USERNAME, "mgarcia"),
        (Kind.USERNAME, "garciam"),
        (Kind.EMAIL, "maria.garcia@example.org"),
        (Kind.OTHER_ID, "C:\\Charts\\Garcia_Maria_Elena_OBrien.pdf"),
        (Kind.MRN, "481516"),
        (Kind.MRN, "MRN-00481516"),
        (Kind.URL, "/patients/MR00481516/chart.pdf"),
        (Kind.BLOB, base64.b64encode(b"PID|1||00481516||GARCIA^MARIA").decode()),
        (Kind.BLOB, b"name=Maria Elena OBrien Garcia".hex()),
        (Kind.BLOB, "Maria%20Elena%20O%27Brien-Garcia"),
        (Kind.PHONE, "(813)  555-0142"),
    ],
)
def test_what_is_hers_goes(kind: Kind, value: str) -> None:
    assert belongs(MARIA, kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.NAME, "John Smith"),
        (Kind.NAME, "Garcia, Pedro"),
        (Kind.MRN, "14815160"),
        (Kind.MRN, "0048151"),
        (Kind.PHONE, "(813) 555-0143"),
        (Kind.EMAIL, "pedro.garcia@example.org"),
        (Kind.ADDRESS, "14 Maria Street"),
        (Kind.BLOB, base64.b64encode(b"PID|1||00999999||SMITH^JOHN").decode()),
    ],
)
def test_what_is_anothers_stays(kind: Kind, value: str) -> None:
    assert not belongs(MARIA, kind, value)


def test_short_names_take_no_words_that_only_begin_like_them() -> None:
    assert belongs(ANN, Kind.NAME, "LEE, ANN")
    assert not belongs(ANN, Kind.NAME, "Annette Leeman")


@pytest.mark.parametrize(
    ("names", "numbers", "values"),
    [
        ([], [], []),
        (["  "], [], []),
        ([], ["00012"], []),
        ([], [""], []),
        ([], [], [" "]),
        (["a b c d e f g h"], [], []),
        (["Ab Cd Ef Gh Ij Kl Mn Op Qr"], [], []),
    ],
)
def test_nobody_and_everybody_are_refused(
    names: list[str], numbers: list[str], values: list[str]
) -> None:
    with pytest.raises(MalformedError):
        person(names, numbers, values)
