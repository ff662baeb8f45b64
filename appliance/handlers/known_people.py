"""The site's list of known people: a CSV on this appliance, kept in memory only as keyed hashes.

The key is made anew by every process and kept nowhere, so a core dump of one tells nothing about
another. The file must be readable by the appliance alone, because it holds names in clear text.

A list that was configured and cannot be used stops text, not the appliance: until it can be read,
everything is withheld, and a health condition says which line is wrong. A list that turns bad later
leaves the one before in use, and says so.
"""

import asyncio
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.handlers.scrubber import Scrubber
from appliance.handlers.wellness import clear_condition, raise_condition
from appliance.handlers.work import Work
from appliance.ports import Clock, Entropy
from appliance.store.health import Condition
from proto.errors import ConfigError
from proto.phi import Names as AskedNames
from proto.phi import ThrowAwayVault, scrub
from proto.phi.names import KnownPeople, Names, known_people, listed_in_csv
from runtime.log import logger

FILE_BYTES_MAX = 64 * 1024 * 1024
KEY_BYTES = 32

log = logger("scrubbing")


@dataclass(frozen=True, slots=True)
class PeopleList:
    """The list in use, for people.

    Attributes:
        count: people; numbers: record numbers that count without a cue.
        file_ms: when the file was last written.
        read_ms: when it was read.
        trouble: why a newer state of the file is not in use, "" when it is.
    """

    path: str
    count: int = 0
    numbers: int = 0
    file_ms: int = 0
    read_ms: int = 0
    trouble: str = ""


Stamp = tuple[int, int, int, int]
"""Inode, size, time of writing and mode: what changes when a file does."""


class KnownPeopleFile:
    """Keeps the scrubber's known people what the file says."""

    def __init__(
        self,
        path: Path,
        *,
        base: AskedNames | None,
        scrubber: Scrubber,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Watch one file; `base` are the names that the list adds to."""
        self._path = path
        self._base = base
        self._scrubber = scrubber
        self._clock = clock
        self._key = entropy(KEY_BYTES)
        self._stamp: Stamp | None = None
        self.seen = PeopleList(str(path))
        self._is_told = True

    async def refresh(self) -> bool:
        """Read the file if it changed since; return whether what is known of it changed.

        It does not raise for what is wrong with the file: `seen.trouble` says it.
        """
        stamp = _stamp(self._path)
        if stamp is not None and stamp == self._stamp:
            return False
        try:
            names, people = await asyncio.to_thread(self._read)
        except ConfigError as error:
            said = str(error)
            changed = said != self.seen.trouble
            self.seen = replace(self.seen, trouble=said)
            if not self.seen.read_ms:
                self._scrubber.use_names(None)  # no list was ever read: nothing goes through
        else:
            changed = True
            self._use(names, people, stamp)
        self._stamp = stamp
        self._is_told = self._is_told and not changed
        return changed

    async def tell(self, work: Work) -> None:
        """Say in health and in evidence whether the list can be used."""
        if self._is_told:
            return
        if self.seen.trouble:
            await raise_condition(work, Condition.KNOWN_PEOPLE, detail=self.seen.trouble)
        else:
            await clear_condition(work, Condition.KNOWN_PEOPLE)
            log.info("known people read", count=self.seen.count, numbers=self.seen.numbers)
        self._is_told = True

    def _read(self) -> tuple[AskedNames | None, KnownPeople]:
        """Read the list, and make what the scrubber makes of names: both take their time."""
        people = read_people(self._path, self._key)
        if not isinstance(self._base, Names):
            return None, people
        names = replace(self._base, people=people)
        scrub("", policy=self._scrubber.policy, names=names, vault=ThrowAwayVault())
        return names, people

    def _use(self, names: AskedNames | None, people: KnownPeople, stamp: Stamp | None) -> None:
        self.seen = PeopleList(
            path=str(self._path),
            count=people.count,
            numbers=len(people.numbers),
            file_ms=stamp[2] // 1_000_000 if stamp else 0,
            read_ms=self._clock.now_ms(),
        )
        self._scrubber.use_names(names)


def read_people(path: Path, key: bytes) -> KnownPeople:
    """Read a list of known people and hash it.

    Raises:
        ConfigError: it cannot be read, others may read it, or a line of it is wrong: `file:line:`.
    """
    raw = _private(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        msg = f"{path}:{line}: not UTF-8: save the list as CSV in UTF-8"
        raise ConfigError(msg) from error
    people = known_people(listed_in_csv(text, where=f"{path}:"), key)
    if not people.count:
        msg = f"{path}:1: nobody is listed under the headers"
        raise ConfigError(msg)
    return people


def _private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        msg = f"{path}: the list of known people cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    seen = os.fstat(descriptor)
    mode = stat.S_IMODE(seen.st_mode)
    if not stat.S_ISREG(seen.st_mode):
        os.close(descriptor)
        msg = f"{path}: the list of known people is no regular file"
        raise ConfigError(msg)
    with os.fdopen(descriptor, "rb") as file:
        if seen.st_uid not in {os.geteuid(), 0}:
            msg = f"{path}: belongs to user {seen.st_uid}: chown {os.geteuid()} {path}"
        elif mode & 0o077:
            msg = f"{path}: has mode {mode:04o}, others may read these names: chmod 600 {path}"
        elif seen.st_size > FILE_BYTES_MAX:
            msg = f"{path}: more than {FILE_BYTES_MAX} bytes"
        else:
            return file.read(FILE_BYTES_MAX)
    raise ConfigError(msg)


def _stamp(path: Path) -> Stamp | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_mode)
