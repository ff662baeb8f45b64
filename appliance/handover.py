"""Which program runs: the packaged one, or one that an order put beside it; it goes back by itself.

```
programs/<sha256>.whl     a released program, byte for byte as it was signed
programs/<sha256>/        the same, unpacked
programs/handover.json    what runs, what ran before, for which order, how often it was started
programs/before.db        the store as it was before the new program's first start
```

The service always starts the packaged program. This module, of the packaged program, looks at the
record and hands over by exec. It is the standard library and nothing else, and takes no word of the
new program for anything but one: that it reached ready, which that program writes down itself.

- A start of a program that never reached ready is counted before it happens. After `STARTS_MAX` of
  them the former program runs, on the store as it was: the new one sends nothing and takes nothing
  from anybody before it is ready, so nothing that anybody was told is lost.
- A program that ends or hangs before it is ready is ended from here, in its own process.
- What runs is, file by file, what the released wheel holds; what is not is unpacked anew.
- A record that cannot be read leads to a program that the store fits, never to none.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import time
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

STATE_DIR: Final = Path("/var/lib/osiris")
STARTS_MAX: Final = 2
READY_WITHIN_S: Final = 120
RECORD_BYTES_MAX: Final = 8192
LOCK_WAIT_S: Final = 35.0
"""A command holds the state directory's lock for a moment; a daemon for as long as it runs."""

ENV_PROGRAM: Final = "OSIRIS_PROGRAM"
"""The digest of the program that runs; "" for the packaged one that was gone back to."""

ENV_PACKAGED: Final = "OSIRIS_PACKAGED"
"""The packaged program's version."""

ENV_ROOT: Final = "OSIRIS_PACKAGED_ROOT"
"""Where the packaged program's packages lie."""

ENV_STOPPED: Final = "OSIRIS_STOPPED"
"""Set by a program that was told to stop before it was ready."""

_DIGEST: Final = re.compile(r"(?:[0-9a-f]{64})?")
_VERSION: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){2}")
_SCHEMA: Final = "appliance/store/schema"


class Phase(StrEnum):
    """Where a handing over stands."""

    TRYING = "trying"
    RETURNING = "returning"
    TAKEN = "taken"
    BACK = "back"


class Why(StrEnum):
    """Why a program does not run that was to run."""

    NOT_READY = "not_ready"
    ALTERED = "altered"
    NO_ROOM = "no_room"
    RECORD_DAMAGED = "record_damaged"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Program:
    """A program by the SHA-256 of its wheel; "" is the packaged one."""

    digest: str
    version: str


@dataclass(frozen=True, slots=True)
class Record:
    """What runs and why.

    Attributes:
        runs: the program that is to run.
        before: the one that ran before, which is gone back to.
        order: the order's name (hex), "" where a person did it.
        at_s: when it was decided.
        starts: how often `runs` was started without having been ready.
        within_s: how long it has to become ready.
        why: why it is not what the order named; "" while it is.
        note: what a person gave as the reason.
    """

    phase: Phase
    runs: Program
    before: Program
    order: str
    at_s: int
    starts: int = 0
    within_s: int = READY_WITHIN_S
    why: str = ""
    note: str = ""


class RecordError(ValueError):
    """The record is not what was written."""


@dataclass(frozen=True, slots=True)
class ProgramPlace:
    """The files of the programs, below the appliance's state directory."""

    state_dir: Path

    @property
    def directory(self) -> Path:
        """Where programs lie."""
        return self.state_dir / "programs"

    @property
    def record(self) -> Path:
        """The record of what runs."""
        return self.directory / "handover.json"

    @property
    def backup(self) -> Path:
        """The store as it was before a new program's first start."""
        return self.directory / "before.db"

    @property
    def store(self) -> Path:
        """The appliance's store."""
        return self.state_dir / "osiris.db"

    def wheel(self, program: Program) -> Path:
        """Return where a program's released file lies."""
        return self.directory / f"{program.digest}.whl"

    def root(self, program: Program) -> Path:
        """Return where a program's packages lie."""
        return self.directory / program.digest if program.digest else packaged_root()


def packaged_root() -> Path:
    """Return where the packaged program's packages lie, whichever program asks."""
    return Path(os.environ.get(ENV_ROOT) or Path(__file__).resolve().parents[1])


def encode(record: Record) -> bytes:
    """Return a record's bytes: one line of JSON, and its SHA-256 on the next."""
    line = json.dumps({"v": 1, **asdict(record)}, sort_keys=True).encode()
    return line + b"\n" + hashlib.sha256(line).hexdigest().encode() + b"\n"


def decode(data: bytes) -> Record:
    """Read a record.

    Raises:
        RecordError: it is cut off, altered, or none.
    """
    line, _, rest = data.partition(b"\n")
    if len(data) > RECORD_BYTES_MAX or rest != hashlib.sha256(line).hexdigest().encode() + b"\n":
        msg = "the record of what runs is not what was written"
        raise RecordError(msg)
    try:
        said = json.loads(line)
        if said.pop("v") != 1:
            msg = "a record of another version"
            raise RecordError(msg)
        return Record(
            **{
                **said,
                "phase": Phase(said["phase"]),
                "runs": _program(said["runs"]),
                "before": _program(said["before"]),
                "starts": int(said["starts"]),
                "within_s": int(said["within_s"]),
            }
        )
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        msg = f"the record of what runs cannot be read: {error}"
        raise RecordError(msg) from error


def _program(said: Mapping[str, Any]) -> Program:
    found = Program(**said)
    if _DIGEST.fullmatch(found.digest) is None or _VERSION.fullmatch(found.version) is None:
        msg = "no program has such a digest and version"
        raise RecordError(msg)
    return found


def read(place: ProgramPlace) -> Record | None:
    """Return what the record says, None while there is none.

    Raises:
        RecordError: it cannot be read.
    """
    try:
        data = place.record.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        msg = f"{place.record}: {error.strerror}"
        raise RecordError(msg) from error
    return decode(data)


def write(place: ProgramPlace, record: Record) -> None:
    """Write the record, whole or not at all, and durably; raises `OSError`."""
    _put(place.record, encode(record))


def _put(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, how, 0o600), "wb") as outlet:
        outlet.write(data)
        outlet.flush()
        os.fsync(outlet.fileno())
    fresh.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make what was renamed in a directory, or written into a file, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def number(version: str) -> tuple[int, ...]:
    """Return a version as what it is compared by."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])


def taken(record: Record) -> Record:
    """Return the record once the program that was tried is ready."""
    return replace(record, phase=Phase.TAKEN)


def is_sound(place: ProgramPlace, program: Program) -> bool:
    """Tell whether what would run is, file by file, what the released wheel holds."""
    if not program.digest:
        return True
    root = place.root(program)
    try:
        wheel = place.wheel(program).read_bytes()
        if hashlib.sha256(wheel).hexdigest() != program.digest:
            return False
        with zipfile.ZipFile(place.wheel(program)) as inlet:
            named = set(inlet.namelist())
            there = [path for path in root.rglob("*") if path.is_symlink() or not path.is_dir()]
            return (
                not any(path.is_symlink() for path in there)
                and {str(path.relative_to(root)) for path in there} == named
                and all((root / name).read_bytes() == inlet.read(name) for name in named)
            )
    except (OSError, zipfile.BadZipFile, RuntimeError):
        return False


def unpack(place: ProgramPlace, program: Program) -> None:
    """Unpack a wheel that was looked through, durably, in place of what lies there.

    Raises:
        OSError: it cannot be written, or the wheel cannot be read.
        zipfile.BadZipFile: the wheel is none.
    """
    root = place.root(program)
    fresh = root.with_name(f".{program.digest}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    with zipfile.ZipFile(place.wheel(program)) as inlet:
        for name in inlet.namelist():
            target = fresh / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with target.open("xb") as outlet:
                outlet.write(inlet.read(name))
                outlet.flush()
                os.fsync(outlet.fileno())
    for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
        sync(folder)
    shutil.rmtree(root, ignore_errors=True)
    fresh.rename(root)
    sync(root.parent)


def mended(place: ProgramPlace, program: Program) -> bool:
    """Tell whether a program is sound, or was made so from its wheel."""
    if is_sound(place, program):
        return True
    with suppress(OSError, zipfile.BadZipFile, RuntimeError):
        wheel = place.wheel(program).read_bytes()
        if hashlib.sha256(wheel).hexdigest() == program.digest:
            unpack(place, program)
    return is_sound(place, program)


def copy_store(source: Path, to: Path) -> None:
    """Copy a store that may be open, whole and durably; raises `OSError` or `sqlite3.Error`."""
    fresh = to.with_name(f".{to.name}.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(fresh)) as copy:
        held.backup(copy)
    sync(fresh)
    fresh.replace(to)
    sync(to.parent)


def _restore(place: ProgramPlace) -> None:
    """Put the store back as it was; done again after a cut, it does the same."""
    fresh = place.store.with_name(f".{place.store.name}.new")
    shutil.copyfile(place.backup, fresh)
    fresh.chmod(0o600)
    sync(fresh)
    # What the new program left to be copied into its file must not be copied into this one.
    for end in ("-wal", "-shm"):
        place.store.with_name(place.store.name + end).unlink(missing_ok=True)
    fresh.replace(place.store)
    sync(place.state_dir)


def applied(store: Path) -> set[str]:
    """Return the names of the migrations that a store holds; raises `sqlite3.Error`."""
    if not store.exists():
        return set()
    with closing(sqlite3.connect(store)) as held:
        is_there = held.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
        return (
            {row[0] for row in held.execute("SELECT name FROM migrations")} if is_there else set()
        )


def fits(place: ProgramPlace, program: Program) -> bool:
    """Tell whether a program ships every migration that the store holds."""
    shipped = {path.name for path in (place.root(program) / _SCHEMA).glob("*.sql")}
    try:
        return applied(place.store) <= shipped
    except sqlite3.Error:
        return False


def look(place: ProgramPlace, packaged: Program, *, now_s: int) -> Program:
    """Return the program that runs now, and write down what that changes.

    Never called while a daemon runs. Raises `OSError` or `sqlite3.Error` where nothing can be
    written: what was decided before stands.
    """
    try:
        record = read(place)
    except RecordError:
        return _without_record(place, packaged, now_s=now_s)
    if record is None:
        return packaged
    if record.phase is Phase.TRYING:
        return _try(place, record)
    if record.phase is Phase.RETURNING:
        return _give_back(place, record)
    return _settled(place, record, packaged)


def _settled(place: ProgramPlace, record: Record, packaged: Program) -> Program:
    """Return what runs where nothing is tried: what the record says, if the store fits it."""
    is_newer = number(packaged.version) >= number(record.runs.version)
    wanted = [packaged] if is_newer or not record.runs.digest else []
    for one in (*wanted, record.runs, record.before):
        if mended(place, one) and fits(place, one):
            return one
    return packaged


def _try(place: ProgramPlace, record: Record) -> Program:
    if record.starts >= STARTS_MAX:
        return _return(place, record, Why.NOT_READY)
    if not mended(place, record.runs):
        return _return(place, record, Why.ALTERED)
    if not record.starts:
        try:
            copy_store(place.store, place.backup)
        except (OSError, sqlite3.Error):
            return _return(place, record, Why.NO_ROOM)
    write(place, replace(record, starts=record.starts + 1))
    return record.runs


def _return(place: ProgramPlace, record: Record, why: Why) -> Program:
    returning = replace(record, phase=Phase.RETURNING, why=why.value)
    write(place, returning)
    return _give_back(place, returning)


def _give_back(place: ProgramPlace, record: Record) -> Program:
    """Let the former program run, on the store as it was if the new one may have opened it."""
    if record.starts:
        _restore(place)
    write(place, replace(record, phase=Phase.BACK, runs=record.before, before=record.runs))
    place.backup.unlink(missing_ok=True)
    return record.before


def _without_record(place: ProgramPlace, packaged: Program, *, now_s: int) -> Program:
    """Return a program that the store fits, the packaged one first, and begin a new record."""
    every = sorted(programs(place), key=lambda one: number(one.version), reverse=True)
    fitting = (one for one in (packaged, *every) if mended(place, one) and fits(place, one))
    chosen = next(fitting, packaged)
    place.record.replace(place.record.with_suffix(".damaged"))
    why = Why.RECORD_DAMAGED.value
    write(place, Record(Phase.BACK, chosen, packaged, order="", at_s=now_s, why=why))
    return chosen


def programs(place: ProgramPlace) -> Iterator[Program]:
    """Yield the programs that lie here, by their wheels."""
    for wheel in sorted(place.directory.glob("*.whl")):
        with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(wheel) as inlet:
            info = next((one for one in inlet.namelist() if one.endswith(".dist-info/RECORD")), "")
            version = info.removeprefix("osiris-").removesuffix(".dist-info/RECORD")
            if len(wheel.stem) == 64 and _VERSION.fullmatch(version):  # noqa: PLR2004 - SHA-256
                yield Program(wheel.stem, version)


def state_dir_of(arguments: list[str], default: Path) -> Path | None:
    """Return the state directory that the command line's configuration names; None for none."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--config", type=Path, default=default)
    parser.add_argument("--log")
    try:
        config = parser.parse_known_args(arguments)[0].config
        said = tomllib.loads(config.read_text("utf-8")).get("state_dir", str(STATE_DIR))
    except (OSError, ValueError, argparse.ArgumentError):
        return None  # the program itself says what is wrong with it
    return Path(said) if isinstance(said, str) else None


@contextmanager
def alone(state_dir: Path) -> Iterator[bool]:
    """Hold the state directory's lock; tell whether it is held, and no daemon runs."""
    how = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(state_dir / "lock", how, 0o600)
    try:
        yield _taken(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    end_s = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < end_s:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if b"daemon" in os.pread(descriptor, 64, 0):
            return False
        time.sleep(0.05)
    return False
