"""Looking through a released program: is this file a sound wheel of ours, and what is in it.

A wheel (PEP 427) is refused unless all of this holds:

- it is a zip file of plain files, of bounded number and size, each name once, none leading out;
- RECORD names every file with its SHA-256 and size, and no other (PEP 376);
- it holds our own packages and its `dist-info`, files of the kinds that we ship, and so nothing
  compiled, no `.pth` file, no data to be put elsewhere;
- it says that it is pure Python, named osiris, of the version that was ordered;
- its only entry point is the command `osiris`: other groups run in whoever looks them up.
"""

import base64
import csv
import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from enum import StrEnum
from io import BytesIO
from typing import Final

from proto.errors import RejectedError

WHEEL_BYTES_MAX: Final = 32 * 1024 * 1024
FILES_MAX: Final = 4096
FILES_BYTES_MAX: Final = 64 * 1024 * 1024
PACKAGES: Final = frozenset({"appliance", "central", "osiris", "proto", "rules", "runtime"})
SUFFIXES: Final = frozenset(
    "py pyi sh sql html css svg yaml toml typed ini mako gaz".split()  # noqa: SIM905 - a list of words
)
SCHEMA: Final = "appliance/store/schema/"
_INFO_FILES: Final = frozenset({"METADATA", "WHEEL", "RECORD", "top_level.txt", "entry_points.txt"})
_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}"
_NAME: Final = re.compile(rf"(?:{_PART}/){{1,8}}{_PART}")
_ENTRY_POINTS: Final = "[console_scripts]\nosiris = osiris.cli:main"
_ENCRYPTED: Final = 0x1
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
"""What `zipfile` raises over bytes that are no zip file: ValueError where an offset is none."""

_PLAIN: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class Fault(StrEnum):
    """Why a program is not taken; it stands in the order's result."""

    NOT_RELEASED = "not_released"
    NOT_A_WHEEL = "not_a_wheel"
    BAD_NAME = "bad_name"
    TOO_LARGE = "too_large"
    NOT_AS_RECORDED = "not_as_recorded"
    NOT_OURS = "not_ours"
    OTHER_VERSION = "other_version"
    NOT_NEWER = "not_newer"
    NEEDS_MORE = "needs_more"
    LACKS_MIGRATION = "lacks_migration"
    TRIAL_FAILED = "trial_failed"


class ProgramRefusedError(RejectedError):
    """A program that is not taken; nothing was changed."""

    code = "program_refused"

    def __init__(self, fault: Fault, message: str) -> None:
        """Keep the fault, which the order's result tells."""
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Wheel:
    """A program's file that was looked through.

    Attributes:
        data: the whole file.
        requires: what it needs, as METADATA says: `Requires-Dist` and `Requires-Python`.
        migrations: the store's migrations that it ships: name -> hex SHA-256.
    """

    data: bytes
    version: str
    requires: tuple[str, ...]
    requires_python: str
    migrations: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Its hex SHA-256."""
        return hashlib.sha256(self.data).hexdigest()


def look_through(data: bytes, *, version: str) -> Wheel:
    """Return what a wheel of this version holds.

    Raises:
        ProgramRefusedError: it is no sound wheel of ours; the fault says why.
    """
    if len(data) > WHEEL_BYTES_MAX:
        raise ProgramRefusedError(Fault.TOO_LARGE, f"the program's file: {len(data)} bytes")
    try:
        with zipfile.ZipFile(BytesIO(data)) as inlet:
            _check_entries(inlet.infolist())
            files = {info.filename: inlet.read(info) for info in inlet.infolist()}
    except _UNREADABLE as error:
        msg = f"the program's file: no wheel that can be read: {error}"
        raise ProgramRefusedError(Fault.NOT_A_WHEEL, msg) from error
    info = _info_of(files)
    _check_record(files, f"{info}/RECORD")
    _check_kinds(files, info)
    said = _headers(files, f"{info}/METADATA")
    found = (said.get("Name", ""), said.get("Version", ""), info)
    if found != ("osiris", version, f"osiris-{version}.dist-info"):
        msg = f"the program's file: is {found[0]!a:.40} {found[1]!a:.40}, not osiris {version}"
        raise ProgramRefusedError(Fault.OTHER_VERSION, msg)
    return Wheel(
        data,
        version,
        tuple(str(one) for one in said.get_all("Requires-Dist", [])),
        str(said.get("Requires-Python", "")),
        {
            name.removeprefix(SCHEMA): hashlib.sha256(sql).hexdigest()
            for name, sql in files.items()
            if name.startswith(SCHEMA) and name.endswith(".sql")
        },
    )


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Look at names and sizes before anything is unpacked."""
    if len(entries) > FILES_MAX or sum(one.file_size for one in entries) > FILES_BYTES_MAX:
        msg = f"the program's file: {len(entries)} files of more bytes than may be"
        raise ProgramRefusedError(Fault.TOO_LARGE, msg)
    seen: set[str] = set()
    for one in entries:
        kind = stat.S_IFMT(one.external_attr >> 16)
        is_plain = kind in {0, stat.S_IFREG} and one.compress_type in _PLAIN
        is_named = _NAME.fullmatch(one.filename) is not None and one.filename == one.orig_filename
        if not is_plain or not is_named or one.flag_bits & _ENCRYPTED:
            msg = f"the program's file: {one.orig_filename!a:.80} is no plain file inside it"
            raise ProgramRefusedError(Fault.BAD_NAME, msg)
        if one.filename.lower() in seen:
            msg = f"the program's file: {one.filename!a:.80} is in it twice"
            raise ProgramRefusedError(Fault.BAD_NAME, msg)
        seen.add(one.filename.lower())


def _info_of(files: Mapping[str, bytes]) -> str:
    found = {name.partition("/")[0] for name in files if name.partition("/")[0] not in PACKAGES}
    if len(found) != 1 or not next(iter(found)).endswith(".dist-info"):
        strange = ", ".join(sorted(found))
        msg = f"the program's file: holds what is none of our packages: {strange!a:.120}"
        raise ProgramRefusedError(Fault.NOT_OURS, msg)
    return found.pop()


def _check_record(files: Mapping[str, bytes], record: str) -> None:
    try:
        rows = list(csv.reader(files[record].decode().splitlines(), strict=True))
        said = {name: (digest, size) for name, digest, size in rows}
    except (KeyError, ValueError, csv.Error) as error:
        msg = f"the program's file: its RECORD cannot be read: {error}"
        raise ProgramRefusedError(Fault.NOT_AS_RECORDED, msg) from error
    wanted = {name: _recorded(data) for name, data in files.items()} | {record: ("", "")}
    if len(rows) != len(said) or said != wanted:
        differs = sorted(
            name for name in said.keys() | wanted.keys() if said.get(name) != wanted.get(name)
        )
        msg = f"the program's file: {', '.join(differs[:1])!a:.80} is not as its RECORD says"
        raise ProgramRefusedError(Fault.NOT_AS_RECORDED, msg)


def _recorded(data: bytes) -> tuple[str, str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(data))


def _check_kinds(files: Mapping[str, bytes], info: str) -> None:
    for name in files:
        is_ours = (
            name.removeprefix(f"{info}/") in _INFO_FILES
            if name.startswith(f"{info}/")
            else name.rpartition(".")[2] in SUFFIXES and "." in name
        )
        if not is_ours:
            msg = f"the program's file: {name!a:.80} is of no kind that we ship"
            raise ProgramRefusedError(Fault.NOT_OURS, msg)
    starters = files.get(f"{info}/entry_points.txt", b"").decode("utf-8", "replace").strip()
    if starters not in {"", _ENTRY_POINTS}:
        msg = "the program's file: has entry points beside the command osiris"
        raise ProgramRefusedError(Fault.NOT_OURS, msg)
    wheel = _headers(files, f"{info}/WHEEL")
    tags = wheel.get_all("Tag", [])
    if wheel.get("Root-Is-Purelib") != "true" or tags != ["py3-none-any"]:
        msg = "the program's file: does not say that it is pure Python"
        raise ProgramRefusedError(Fault.NOT_OURS, msg)


def _headers(files: Mapping[str, bytes], name: str) -> Message:
    return HeaderParser().parsestr(files.get(name, b"").decode("utf-8", "replace"))
