"""`ports.Programs`: released programs beside the one that runs, and a new one's trial on a copy.

The trial is a process of its own: the new program opens a copy of the store, which migrates it,
reads the configuration, and loads the content in force. The copy holds no key and no address of
anybody; where the kernel lets it, the process has no network at all (`trial_box.py`).
"""

import asyncio
import json
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Self

from appliance import handover, start
from appliance.core.needs import unmet
from appliance.core.wheel import WHEEL_BYTES_MAX, Fault, ProgramRefusedError, Wheel
from appliance.handover import Phase, Program, ProgramPlace, Record, RecordError, Why, number
from proto.errors import ConflictError, NoRoomError, NotFoundError
from runtime.log import logger
from runtime.private import make_private
from runtime.tls import write_private

log = logger("program")

TRIAL_S: Final = 120.0
SAID_BYTES_MAX: Final = 16 * 1024
_BOX: Final = Path(__file__).with_name("trial_box.py")

WORDS: Final = {
    Why.NOT_READY: "it never became ready",
    Why.ALTERED: "it was altered on the disk",
    Why.NO_ROOM: "the disk had no room",
    Why.RECORD_DAMAGED: "the record of what runs was damaged",
    Why.PERSON: "a person went back",
}

Fetch = Callable[[str, str, int], Awaitable[bytes]]
"""Returns a released file by path, hex SHA-256 and how large it may be."""


async def _nothing(path: str, _: str, __: int) -> bytes:
    msg = f"{path}: this appliance was enrolled at a hub without signed content"
    raise NotFoundError(msg)


@dataclass(frozen=True, slots=True)
class ProgramFiles:
    """The programs of one state directory.

    Attributes:
        config: the configuration's file, None where there is none.
        trial_s: how long a new program's trial may take.
        within_s: how long a new program has to become ready.
    """

    place: ProgramPlace
    config: Path | None = None
    fetched: Fetch = _nothing
    trial_s: float = TRIAL_S
    within_s: int = handover.READY_WITHIN_S
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def of(cls, state_dir: Path, config: Path | None = None, fetched: Fetch = _nothing) -> Self:
        """Return the programs of a state directory."""
        return cls(ProgramPlace(state_dir), config, fetched)

    @property
    def running(self) -> Program:
        """Return the program that runs; without a daemon, the one that would."""
        record = None if handover.ENV_PACKAGED in os.environ else self._read()
        if record is not None and record.phase in {Phase.TAKEN, Phase.BACK}:
            return record.runs
        return Program(os.environ.get(handover.ENV_PROGRAM, ""), version("osiris"))

    @property
    def packaged(self) -> Program:
        """Return the program that was installed by hand."""
        return Program("", os.environ.get(handover.ENV_PACKAGED, version("osiris")))

    @property
    def is_trying(self) -> bool:
        """Whether this program was never ready before."""
        return start.is_trying(self.place) is not None

    def sentence(self) -> str:
        """Say whose word put this program here; see `ports.Programs.sentence`."""
        record, running = self._read(), self.running
        if record is not None and record.phase is Phase.BACK and record.why:
            return f"Version {record.before.version} gave way to it: {WORDS[Why(record.why)]}."
        if record is None or not running.digest:
            return "It was installed by hand."
        by = f"the order {record.order[:16]}"
        return f"Released, and put here by {by}; {record.before.version} ran before."

    def turn(self) -> asyncio.Lock:
        """Be the only one that changes what runs; see `ports.Programs.turn`."""
        return self._turn

    async def record(self) -> Record | None:
        """Return what was handed over last; see `ports.Programs.record`."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> Record | None:
        try:
            return handover.read(self.place)
        except RecordError as error:
            log.warning("no record of programs", error=str(error))
            return None

    async def fetch(self, path: str, digest: str) -> bytes:
        """Return a released file; see `ports.Programs.fetch`."""
        return await self.fetched(path, digest, WHEEL_BYTES_MAX)

    def unmet(self, wheel: Wheel) -> str | None:
        """Return what a program needs and is not here; see `ports.Programs.unmet`."""
        return unmet(
            wheel.requires,
            wheel.requires_python,
            installed=_installed,
            runs=platform.python_version(),
        )

    async def keep(self, wheel: Wheel) -> Program:
        """Put a program beside the one that runs; see `ports.Programs.keep`."""
        program = Program(wheel.digest, wheel.version)
        await asyncio.to_thread(self._keep, program, wheel.data)
        return program

    def _keep(self, program: Program, data: bytes) -> None:
        with _room(self.place.directory):
            make_private(self.place.directory, key="state_dir")
            write_private(self.place.wheel(program), data)
            handover.unpack(self.place, program)

    async def drop(self, program: Program) -> None:
        """Take a kept program away again; see `ports.Programs.drop`."""
        await asyncio.to_thread(self._drop, program.digest)

    def _drop(self, digest: str) -> None:
        with suppress(OSError):
            (self.place.directory / f"{digest}.whl").unlink(missing_ok=True)
        shutil.rmtree(self.place.directory / digest, ignore_errors=True)

    async def try_out(self, program: Program) -> None:
        """Let a program open a copy of what is here; see `ports.Programs.try_out`."""
        copy = self.place.directory / "trial"
        await asyncio.to_thread(self._copied, copy)
        try:
            await self._tried(program, copy)
        finally:
            await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)

    def _copied(self, copy: Path) -> None:
        with _room(self.place.directory):
            shutil.rmtree(copy, ignore_errors=True)
            (copy / "content").mkdir(mode=0o700, parents=True)
            handover.copy_store(self.place.store, copy / self.place.store.name)
            active = self.place.state_dir / "content" / "active.zip"
            if active.exists():
                shutil.copyfile(active, copy / "content" / active.name)
            if self.config is not None:
                shutil.copyfile(self.config, copy / "appliance.toml")

    async def _tried(self, program: Program, copy: Path) -> None:
        env = {
            "PYTHONPATH": str(self.place.root(program)),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
        }
        argv = [sys.executable, "-I", str(_BOX), str(int(self.trial_s)), str(copy)]
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=env,
            cwd=copy,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            async with asyncio.timeout(self.trial_s):
                said = b""
                while chunk := await process.stdout.read(SAID_BYTES_MAX):
                    said = (said + chunk)[-SAID_BYTES_MAX:]
                status = await process.wait()
        except TimeoutError:
            msg = f"the program's trial took more than {self.trial_s:.0f} s"
            raise ProgramRefusedError(Fault.TRIAL_FAILED, msg) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        _judge(program, status, said)

    async def hand_over(self, program: Program, *, order: str, at_s: int) -> None:
        """Note that the next start tries a program; see `ports.Programs.hand_over`."""
        record = Record(
            Phase.TRYING, program, self.running, order, at_s=at_s, within_s=self.within_s
        )
        await asyncio.to_thread(self._write, record)
        await asyncio.to_thread(self._tidy, record)

    def _write(self, record: Record) -> None:
        handover.decode(handover.encode(record))
        with _room(self.place.directory):
            make_private(self.place.directory, key="state_dir")
            handover.write(self.place, record)

    async def ready(self) -> None:
        """Take over: this program is ready, and what lies here of older ones goes."""
        record = start.is_trying(self.place)
        if record is None:
            return
        await asyncio.to_thread(self._taken, record)
        start.rest()
        log.info("program took over", version=record.runs.version, before=record.before.version)

    def _taken(self, record: Record) -> None:
        self._write(handover.taken(record))
        self.place.backup.unlink(missing_ok=True)
        self._tidy(record)

    def _tidy(self, record: Record) -> None:
        """Keep what runs and what it would go back to."""
        for program in list(handover.programs(self.place)):
            if program.digest not in {record.runs.digest, record.before.digest}:
                self._drop(program.digest)

    async def former(self, *, to_packaged: bool) -> Program:
        """Return an earlier program that can run here again; see `ports.Programs.former`."""
        return await asyncio.to_thread(self._former, to_packaged=to_packaged)

    def _former(self, *, to_packaged: bool) -> Program:
        record, running = self._read(), self.running
        every = [self.packaged]
        if record is not None and not to_packaged:
            every.insert(0, record.before)
        older = (one for one in every if number(one.version) < number(running.version))
        former = next(older, None)
        if former is None:
            msg = f"version {running.version} runs: there is none before it to go back to"
            raise ConflictError(msg)
        if not (handover.mended(self.place, former) and handover.fits(self.place, former)):
            msg = f"version {former.version} cannot open the store as {running.version} left it"
            raise ConflictError(msg)
        return former

    async def go_back(self, former: Program, *, note: str, at_s: int) -> None:
        """Note that the next start runs an earlier program; see `ports.Programs.go_back`."""
        why, runs = Why.PERSON.value, self.running
        record = Record(Phase.BACK, former, runs, order="", at_s=at_s, why=why, note=note)
        await asyncio.to_thread(self._write, record)


def _judge(program: Program, status: int, said: bytes) -> None:
    """Refuse a program by how its trial ended; raises `ProgramRefusedError`."""
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    try:
        told = json.loads(last)
    except ValueError:
        told = None
    if status == 0 and isinstance(told, dict) and told.get("version") == program.version:
        return
    msg = f"the program's trial ended with status {status}: {last!a:.400}"
    raise ProgramRefusedError(Fault.TRIAL_FAILED, msg)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@contextmanager
def _room(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        msg = f"{directory}: cannot be written: {error}"
        raise NoRoomError(msg) from error
