"""Lines that programs folded are read whole; what is indented for its own sake stays."""

import pytest

from proto.phi import scrub_text

GONE = {
    "dn: ou=patients\ncn: Matthew Gr\n iffin\nobjectClass: person": ("Matthew", "Gr\n", "iffin"),
    "patient phone: (617)\n               694-2032\nresult:        busy": ("617", "694-2032"),
    "recall letter for patient Helen Camp-\nbell, second notice": ("Helen", "Camp", "bell"),
    "patient e-mail:\n  david.clark89@\n  aol.com\nbounced": ("david", "aol"),
    "patient e-mail: david.clark89\n @aol.com\nbounced": ("david", "aol"),
    "BEGIN:VCARD\r\nFN:Mary Ric\r\n hardson\r\nTEL:617-69\r\n 4-2032\r\nEND:VCARD": (
        "Mary",
        "hardson",
        "617",
        "2032",
    ),
    "patient ssn 320-23-\n2072 stored": ("320", "2072"),
    "Subject: Chart of patient\n Mary Richardson\nDate: Mon": ("Mary", "Richardson"),
}
STAYS = (
    "NullPointerException: null\n    at com.acme.Patient.load(Patient.java:44)\n    at com.acme",
    'Traceback:\n  File "/app/x.py", line 3, in <module>\n    main()\n  File "/app/y.py", line 4',
    "services:\n  web:\n    image: nginx\n    ports:\n      - 80:80\n  db:\n    image: postgres",
    "Ethernet adapter:\n\n   IPv4 Address. . . . . : 10.1.2.3\n   Default Gateway . . . : 10.1.2.1",
    "interface Gi0/1\n description uplink\n switchport mode trunk\n no shutdown",
    "The driver was re-\nloaded after a time-\nout of the host con-\ntroller",
)


@pytest.mark.parametrize(("text", "parts"), GONE.items())
def test_a_folded_value_goes_whole(text: str, parts: tuple[str, ...]) -> None:
    scrubbed = scrub_text(text)
    assert [part for part in parts if part in scrubbed] == []


@pytest.mark.parametrize("text", STAYS)
def test_indented_lines_of_machines_stay(text: str) -> None:
    assert scrub_text(text) == text


def test_many_folds_take_linear_time() -> None:
    text = "patient " + "Mary\n Richardson\n" * 3_000
    assert "Richardson" not in scrub_text(text)
