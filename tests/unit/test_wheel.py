"""A released program's file is looked through before any of it is unpacked: what is refused."""

import base64
import csv
import hashlib
import io
import stat
import zipfile
from collections.abc import Callable, Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core import wheel
from appliance.core.needs import unmet
from appliance.core.wheel import Fault, ProgramRefusedError, look_through

VERSION = "1.4.2"
INFO = f"osiris-{VERSION}.dist-info"
SQL = b"CREATE TABLE one (id INTEGER) STRICT;"
FILES: Mapping[str, bytes] = {
    "appliance/__init__.py": b"",
    "appliance/store/schema/0001_first.sql": SQL,
    "rules/checks/one.yaml": b"id: one\n",
    f"{INFO}/METADATA": (
        f"Metadata-Version: 2.4\nName: osiris\nVersion: {VERSION}\nRequires-Python: >=3.11\n"
        "Requires-Dist: httpx\n\nRequires-Dist: text\n"
    ).encode(),
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": b"[console_scripts]\nosiris = osiris.cli:main\n",
}


def recorded(files: Mapping[str, bytes]) -> bytes:
    """Return the RECORD of these files."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(data)))
    rows.writerow((f"{INFO}/RECORD", "", ""))
    return text.getvalue().encode()


def packed(
    files: Mapping[str, bytes], *, beside: Mapping[str, bytes] | None = None, link: str = ""
) -> bytes:
    """Return a wheel of files that RECORD names, and of some that it does not."""
    made = io.BytesIO()
    every = {**files, f"{INFO}/RECORD": recorded(files), **(beside or {})}
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as outlet:
        for name, data in every.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if name == link:
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            outlet.writestr(entry, data)
    return made.getvalue()


def fault_of(data: bytes) -> Fault:
    with pytest.raises(ProgramRefusedError) as refused:
        look_through(data, version=VERSION)
    return refused.value.fault


def test_a_sound_wheel_says_what_it_needs_and_which_migrations_it_ships() -> None:
    data = packed(FILES)
    found = look_through(data, version=VERSION)
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert (found.requires, found.requires_python) == (("httpx",), ">=3.11")
    assert found.migrations == {"0001_first.sql": hashlib.sha256(SQL).hexdigest()}


def altered(name: str, data: bytes) -> bytes:
    """Return a wheel in which a file is another than RECORD says."""
    return packed(FILES, beside={name: data})


def lying(change: Callable[[bytes], bytes]) -> bytes:
    """Return a wheel with another RECORD."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as outlet:
        for name, data in {**FILES, f"{INFO}/RECORD": change(recorded(FILES))}.items():
            outlet.writestr(name, data)
    return made.getvalue()


def renamed(name: str, to: str) -> bytes:
    """Return a wheel in which a file has a name that `zipfile` would not write."""
    return other(name, b"import os").replace(name.encode(), to.encode())


def other(name: str, data: bytes) -> bytes:
    """Return a wheel that is sound but for one file, which RECORD names."""
    return packed({**FILES, name: data})


METADATA = FILES[f"{INFO}/METADATA"]

ATTACKS: Mapping[str, tuple[Callable[[], bytes], Fault]] = {
    "no zip file": (lambda: b"#!/bin/sh\n", Fault.NOT_A_WHEEL),
    "cut off": (lambda: packed(FILES)[:-30], Fault.NOT_A_WHEEL),
    "a flipped bit": (
        lambda: packed(FILES).replace(b"PK\x03\x04", b"PK\x03\x05", 1),
        Fault.NOT_A_WHEEL,
    ),
    "another digest than RECORD's": (
        lambda: lying(lambda text: text.replace(b"sha256=", b"sha256=A", 1)),
        Fault.NOT_AS_RECORDED,
    ),
    "a file that RECORD lacks": (
        lambda: packed(FILES, beside={"appliance/more.py": b"x"}),
        Fault.NOT_AS_RECORDED,
    ),
    "RECORD names a file that is not there": (
        lambda: lying(lambda text: text + b"appliance/gone.py,sha256=x,1\n"),
        Fault.NOT_AS_RECORDED,
    ),
    "a file named without a digest": (
        lambda: lying(lambda text: text.replace(text.split(b"\n")[0], b"appliance/__init__.py,,")),
        Fault.NOT_AS_RECORDED,
    ),
    "RECORD is no table": (lambda: lying(lambda _: b"a,b,c,d\n"), Fault.NOT_AS_RECORDED),
    "a way out": (lambda: other("appliance/../../x.py", b"x"), Fault.BAD_NAME),
    "an absolute path": (lambda: other("/etc/x.py", b"x"), Fault.BAD_NAME),
    "a hidden file": (lambda: other("appliance/.x.py", b"x"), Fault.BAD_NAME),
    "a name with a NUL": (
        lambda: renamed("appliance/x.py_.py", "appliance/x.py\0.py"),
        Fault.BAD_NAME,
    ),
    "another system's separator": (lambda: other("appliance\\x.py", b"x"), Fault.BAD_NAME),
    "a directory": (lambda: other("appliance/x/", b""), Fault.BAD_NAME),
    "a symbolic link": (
        lambda: packed({**FILES, "appliance/x.py": b"/etc/passwd"}, link="appliance/x.py"),
        Fault.BAD_NAME,
    ),
    "one name twice": (
        lambda: renamed("appliance/__INIT__.py", "appliance/__init__.py"),
        Fault.BAD_NAME,
    ),
    "one name twice but for case": (lambda: other("appliance/__INIT__.py", b"x"), Fault.BAD_NAME),
    "a file that starts with every Python": (lambda: other("x.pth", b"import os"), Fault.BAD_NAME),
    "such a file in a package": (lambda: other("appliance/x.pth", b"x"), Fault.NOT_OURS),
    "another package": (lambda: other("httpx/__init__.py", b"x"), Fault.NOT_OURS),
    "data to be put elsewhere": (
        lambda: other(f"osiris-{VERSION}.data/scripts/x.sh", b"x"),
        Fault.NOT_OURS,
    ),
    "a second dist-info": (lambda: other("httpx-1.0.0.dist-info/METADATA", b"x"), Fault.NOT_OURS),
    "a compiled extension": (lambda: other("proto/x.so", b"\x7fELF"), Fault.NOT_OURS),
    "compiled Python": (lambda: other("proto/x.pyc", b"x"), Fault.NOT_OURS),
    "a file of no kind": (lambda: other("proto/x", b"x"), Fault.NOT_OURS),
    "more in dist-info": (lambda: other(f"{INFO}/direct_url.json", b"{}"), Fault.NOT_OURS),
    "another command": (
        lambda: other(f"{INFO}/entry_points.txt", b"[console_scripts]\nsh = osiris.cli:main\n"),
        Fault.NOT_OURS,
    ),
    "an entry point that others load": (
        lambda: other(f"{INFO}/entry_points.txt", b"[pydantic]\nx = osiris.cli:main\n"),
        Fault.NOT_OURS,
    ),
    "not pure Python": (
        lambda: other(f"{INFO}/WHEEL", b"Root-Is-Purelib: false\nTag: py3-none-any\n"),
        Fault.NOT_OURS,
    ),
    "for one machine": (
        lambda: other(f"{INFO}/WHEEL", b"Root-Is-Purelib: true\nTag: cp311-cp311-linux_x86_64\n"),
        Fault.NOT_OURS,
    ),
    "another version than ordered": (
        lambda: other(f"{INFO}/METADATA", METADATA.replace(b"1.4.2", b"1.4.3")),
        Fault.OTHER_VERSION,
    ),
    "another project": (
        lambda: other(f"{INFO}/METADATA", METADATA.replace(b"osiris", b"osiric")),
        Fault.OTHER_VERSION,
    ),
    "no metadata": (lambda: other(f"{INFO}/METADATA", b""), Fault.OTHER_VERSION),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_no_sound_wheel_of_ours_is_refused(name: str) -> None:
    make, fault = ATTACKS[name]
    assert fault_of(make()) is fault


def test_a_bomb_is_refused_before_any_of_it_is_unpacked() -> None:
    many = {f"appliance/x{number}.py": bytes(17 * 1024 * 1024) for number in range(4)}
    data = packed({**FILES, **many})
    assert len(data) < wheel.WHEEL_BYTES_MAX
    assert fault_of(data) is Fault.TOO_LARGE
    assert fault_of(bytes(wheel.WHEEL_BYTES_MAX + 1)) is Fault.TOO_LARGE


def test_a_bomb_that_says_it_is_small_is_refused() -> None:
    """The central directory and the entry itself say how large a file is; neither may lie."""
    data = packed({**FILES, "appliance/x.py": bytes(1 << 20)})
    size = (1 << 20).to_bytes(4, "little")
    assert data.count(size) >= 1
    assert fault_of(data.replace(size, (10).to_bytes(4, "little"))) is Fault.NOT_A_WHEEL


GOOD = packed(FILES)
FLIPS = st.lists(
    st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4
)


@given(FLIPS)
@example([(len(GOOD) - 7, 255)])  # an offset before the file begins, which zipfile seeks to
def test_no_altered_byte_makes_another_program(flips: list[tuple[int, int]]) -> None:
    """What is taken has every file as RECORD says, whatever was altered."""
    data = bytearray(GOOD)
    for place, byte in flips:
        data[place] = byte
    try:
        found = look_through(bytes(data), version=VERSION)
    except ProgramRefusedError:
        return
    with zipfile.ZipFile(io.BytesIO(found.data)) as inlet:
        assert {name: inlet.read(name) for name in FILES} == FILES


INSTALLED = {"httpx": "0.28.1", "sqlalchemy": "2.0.44", "early": "1.0rc1", "odd": "?"}


@pytest.mark.parametrize(
    ("requires", "python", "lacking"),
    [
        (("httpx", "sqlalchemy[asyncio]"), ">=3.11", None),
        (("httpx>=0.27,<1", 'asyncpg; extra == "postgres"'), "", None),
        (("httpx (>=0.27)",), ">=3.11,<4", None),
        (("absent",), "", "absent"),
        (("httpx>=1",), "", "httpx>=1"),
        (("early>=1.0",), "", "early>=1.0"),
        (("early>=1.0b1",), "", None),
        (("odd>=1",), "", "odd>=1"),
        (("httpx >",), "", "httpx >"),
        ((), "eleven", "Python eleven"),
        (("httpx==0.28",), "", "httpx==0.28"),
        (("httpx~=0.28",), "", "httpx~=0.28"),
        (("httpx @ https://x.example/httpx.whl",), "", "httpx @ https://x.example/httpx.whl"),
        (("httpx; python_version < '3'",), "", "httpx; python_version < '3'"),
        ((), ">=3.12", "Python >=3.12"),
    ],
)
def test_a_program_needs_nothing_that_is_not_installed(
    requires: tuple[str, ...], python: str, lacking: str | None
) -> None:
    assert unmet(requires, python, installed=INSTALLED.get, runs="3.11.9") == lacking
