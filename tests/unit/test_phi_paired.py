"""Names beside the logins that are made of them go; products beside their versions stay."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ("row 3: aself,Art Self,ok", "Self"),
    ("row 3: aself,Art Self,ok", "aself"),
    ("password not complex. row 3: ssantos,Selam Santos,correct-horse-749", "horse"),
    ("created mailbox 'Art Hand' (ahand) on EXCH-02", "ahand"),
    ("sync: Grace Link <glink> disabled", "Grace"),
    ("Vocera badge user Price, Kuoprimur dept 3W PCU left coverage", "Kuoprimur"),
    ("handset owner Quoban, Thoenko (ICU) docked", "Thoenko"),
    ("hi its wensen thomas, i was in for my knee", "wensen"),
    ("this is maria quobanlia calling about the bill", "quobanlia"),
    ("row 3: astrid.ouyang,Astrid Ouyang,iloveflossing password too weak", "iloveflossing"),
    ('subject="PA request 44145638819 David Halvorsen"', "44145638819"),
]
STAYS = [
    "image nginx,Red Hat,1.25",
    "package openssl (Open Secure Sockets) updated",
    "user Guest, Disabled by policy",
    "its printer tray again, this is driver update",
    "i am root here; this is main thread - ok",
    "theme arc, Arc Dark enabled; kernel linux - Linux Kernel",
]


@pytest.mark.parametrize(("line", "value"), GONE)
def test_names_and_logins_that_tell_each_other_go(line: str, value: str) -> None:
    assert value not in scrub_text(line)


@pytest.mark.parametrize("line", STAYS)
def test_what_is_written_alike_stays(line: str) -> None:
    assert scrub_text(line) == line
