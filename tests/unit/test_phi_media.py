"""Files that lie in a record encoded: nothing inside is read, so all of it goes."""

import base64
import gzip
import io
import json
import random
import tarfile
import textwrap
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.phi import default_names, scrub_text
from proto.phi.media import kind_of
from proto.phi.values import Kind

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)


def file(head: bytes) -> bytes:
    draw = random.Random(7)  # noqa: S311 - the same bytes at each run
    return head + bytes(draw.randrange(256) for _ in range(300))


JPEG = file(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00")
FILES = {
    "jpeg": (JPEG, "PHOTO"),
    "png": (file(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "PHOTO"),
    "gif": (file(b"GIF89a"), "PHOTO"),
    "bmp": (file(b"BM\x10\x02\x00\x00\x00\x00\x00\x00"), "PHOTO"),
    "tiff": (file(b"II*\x00"), "PHOTO"),
    "webp": (file(b"RIFF\x10\x02\x00\x00WEBPVP8 "), "PHOTO"),
    "heic": (file(b"\x00\x00\x00\x18ftypheic"), "PHOTO"),
    "dicom": (file(bytes(128) + b"DICM"), "PHOTO"),
    "finger": (file(b"FMR\x00 20\x00"), "BIOMETRIC"),
    "pdf": (file(b"%PDF-1.7\n%"), "BLOB"),
    "zip": (file(b"PK\x03\x04"), "BLOB"),
    "word": (file(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "BLOB"),
    "wave": (file(b"RIFF\x10\x02\x00\x00WAVEfmt "), "BLOB"),
    "mp3": (file(b"ID3\x03"), "BLOB"),
    "mp4": (file(b"\x00\x00\x00\x18ftypmp42"), "BLOB"),
    "sqlite": (file(b"SQLite format 3\x00"), "BLOB"),
}
PLACES = (
    "upload body=%s done",
    '{"data":"%s"}',
    "data:image/x;base64,%s",
    "OBX|5|ED|PDF||^IM^^Base64^%s|F",
    "<Attachment>%s</Attachment>",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_in_base64_goes_whole(name: str, place: str) -> None:
    data, kind = FILES[name]
    encoded = base64.b64encode(data).decode()
    before, _, behind = place.partition("%s")
    said = scrub_text(place % encoded)
    assert said.startswith(f"{before}[{kind}-")
    assert said.endswith(behind)
    assert len(said) < len(place) + 24


def lines_of(data: bytes) -> str:
    return "\r\n".join(textwrap.wrap(base64.b64encode(data).decode(), 76))


WRITTEN: dict[str, Callable[[bytes], str]] = {
    "slashes escaped": lambda data: base64.b64encode(data).decode().replace("/", r"\/"),
    "for a URL": lambda data: base64.urlsafe_b64encode(data).decode(),
    "in percents": lambda data: urllib.parse.quote(base64.b64encode(data).decode()),
    "in lines": lines_of,
    "in lines of JSON": lambda data: json.dumps(lines_of(data))[1:-1],
    "twice": lambda data: base64.b64encode(base64.b64encode(data)).decode(),
    "hexadecimal": bytes.hex,
    "of SQL Server": lambda data: "0x" + data.hex().upper(),
    "of PostgreSQL": lambda data: r"\x" + data.hex(),
    "in pairs": lambda data: data.hex(" "),
    "packed": lambda data: base64.b64encode(gzip.compress(data)).decode(),
    "packed, in hexadecimal": lambda data: gzip.compress(data).hex(),
    "in a list": lambda data: ", ".join(map(str, data)),
    "in a list of C": lambda data: ", ".join(f"0x{byte:02x}" for byte in data),
    "cut short": lambda data: base64.b64encode(data).decode()[:60],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_picture_goes_however_it_is_written(name: str) -> None:
    said = scrub_text(f'INFO upload body="{WRITTEN[name](JPEG)}" ok')
    assert "[PHOTO-" in said
    assert len(said) < 60


@pytest.mark.parametrize("place", ["photo", "content"])
def test_what_a_record_of_fhir_has_attached_goes_whatever_it_is(place: str) -> None:
    held = base64.b64encode(file(b"nothing known")).decode()
    resource = {"resourceType": "Patient", place: [{"contentType": "image/x", "data": held}]}
    said = scrub_text(json.dumps(resource))
    assert held[:40] not in said
    assert json.loads(said)[place][0]["contentType"] == "image/x"


PATIENT = '{"patient":{"name":"Amina Warsame","dob":"1975-03-04"},"note":"Müller, Jürgen"}'


def tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("a")
        entry.size = len(PATIENT.encode())
        archive.addfile(entry, io.BytesIO(PATIENT.encode()))
    return packed.getvalue()


@pytest.mark.parametrize(
    "held",
    [
        base64.b64encode(tar()).decode(),
        base64.b64encode(gzip.compress(tar())).decode(),
        gzip.compress(PATIENT.encode()).hex(),
        base64.b64encode(PATIENT.encode("latin-1")).decode(),
    ],
    ids=["an archive", "a packed archive", "packed text", "text in Latin-1"],
)
def test_people_go_from_archives_and_from_packed_text(held: str) -> None:
    assert held[:60] not in scrub_text(f"INFO spooled body={held} ok")


def test_packed_text_of_machines_stays() -> None:
    held = base64.b64encode(gzip.compress(b'{"queue":4,"state":"ok"}' * 3)).decode()
    assert scrub_text(f"INFO spooled body={held} ok") == f"INFO spooled body={held} ok"


KEY = base64.b64encode(b"\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x03" + file(b"")[:200]).decode()
CERTIFICATE = base64.b64encode(b"\x30\x82\x02\x77\x30\x82\x01\xe0\xa0\x03" + file(b"")).decode()


@pytest.mark.parametrize(
    "line",
    [
        f"authorized key ssh-rsa {KEY}",
        f"certificate {CERTIFICATE} accepted",
        "layer sha256:9f2a4c1e88b19f2a4c1e88b19f2a4c1e88b19f2a4c1e88b19f2a4c1e88b19f2a pulled",
        "firmware part crc 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20",
    ],
)
def test_keys_certificates_and_digests_stay(line: str) -> None:
    assert scrub_text(line) == line


@given(st.binary(max_size=200))
def test_any_bytes_have_a_kind_or_none(head: bytes) -> None:
    assert kind_of(head) in {None, Kind.PHOTO, Kind.BIOMETRIC, Kind.BLOB}
