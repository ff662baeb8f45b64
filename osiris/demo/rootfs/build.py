"""Building the root file system: in a world without hosts, so the machine is never touched.

mmdebstrap works on the world's own tmpfs and writes one tar into a pipe. Killed at any moment it
leaves nothing but a partial file, which the next build removes.
"""

import fcntl
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from osiris.demo.rootfs import cache, recipe
from osiris.demo.world import World, probe
from osiris.demo.world.commands import find
from osiris.demo.world.values import Mode, WorldError

Progress = Callable[[str], None]

BUILD_TIMEOUT_S = 900.0
COMPRESS = ("zstd", "-q", "-3", "-T0", "-c")
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy")
SAID_LINES_MAX = 40
STEPS = ("I: running", "I: downloading", "I: extracting", "I: installing", "I: creating")


def ensure(progress: Progress, *, mode: Mode | None = None) -> Path:
    """The built root file system for this machine, built now if it is not there.

    Args:
        progress: told what is going on, a short line at a time.
        mode: the mode of the worlds it is for; by default the one `probe` finds.

    Raises:
        WorldError: it cannot be built; the message ends with what mmdebstrap said.
    """
    mode = mode or probe().mode
    if (found := cache.find(mode)) is not None:
        return found
    if mode == "none":
        raise WorldError(probe().reason)
    if find("mmdebstrap") is None:
        msg = "the command 'mmdebstrap' is missing (Debian package mmdebstrap)"
        raise WorldError(msg)
    directory = cache.writable()
    with _alone(directory, progress):
        if (found := cache.find(mode)) is not None:
            return found  # somebody else built it while we waited
        return _build(directory, mode, progress)


@contextmanager
def _alone(directory: Path, progress: Progress) -> Iterator[None]:
    """Hold the directory's build lock; the partial files found then belong to dead builds."""
    with (directory / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is building the root file system: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for partial in directory.glob("*.partial"):
            partial.unlink(missing_ok=True)
        yield


def _build(directory: Path, mode: Mode, progress: Progress) -> Path:
    single_id = mode == "single"
    target = directory / cache.file_name(single_id=single_id)
    partial = target.with_suffix(".partial")
    progress(f"building a Debian {recipe.SUITE} root file system ({len(recipe.PACKAGES)} packages)")
    with (
        World(None, network=None, mode=mode, init="stand-in") as workshop,
        partial.open("wb") as out,
    ):
        said = _Said(progress)
        status = _pour(
            workshop, recipe.arguments(single_id=single_id, proxies=_proxies()), out, said
        )
    if status:
        partial.unlink(missing_ok=True)
        msg = "mmdebstrap failed:\n" + "\n".join(said.lines)
        raise WorldError(msg)
    partial.rename(target)
    cache.trim(directory)
    progress(f"built {target} ({target.stat().st_size // 1_000_000} MB)")
    return target


def _pour(workshop: World, command: list[str], out: BinaryIO, said: "_Said") -> int:
    """Run mmdebstrap in the workshop, compressing what it writes; 0 when both went well."""
    environment = [f"TMPDIR={workshop.scratch}"]
    environment += [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    with subprocess.Popen(  # noqa: S603 - a fixed command
        COMPRESS, stdin=subprocess.PIPE, stdout=out
    ) as compressor:
        if compressor.stdin is None:
            msg = "no pipe to zstd"
            raise WorldError(msg)
        null = os.open(os.devnull, os.O_RDONLY)
        with said.listening() as stderr:
            status = workshop.work(
                ["env", *environment, *command],
                (null, compressor.stdin.fileno(), stderr),
                timeout_s=BUILD_TIMEOUT_S,
            )
        os.close(null)
    return status or compressor.returncode


def _proxies() -> tuple[str, ...]:
    """The machine's apt proxies: mmdebstrap starts from an empty configuration."""
    if find("apt-config") is None:
        return ()
    dump = subprocess.run(
        ["apt-config", "dump"],  # noqa: S607 - Debian's own
        capture_output=True,
        text=True,
        check=False,
    )
    lines = dump.stdout.splitlines()
    return tuple(line for line in lines if line.startswith("Acquire::http") and "Proxy" in line)


class _Said:
    """What mmdebstrap writes to stderr: its steps are progress, all of it is kept for an error."""

    def __init__(self, progress: Progress) -> None:
        self.lines: list[str] = []
        self._progress = progress

    @contextmanager
    def listening(self) -> Iterator[int]:
        """A descriptor to write to; on leaving, everything written has been read."""
        reader, writer = os.pipe()
        thread = threading.Thread(target=self._read, args=(reader,), daemon=True)
        thread.start()
        try:
            yield writer
        finally:
            os.close(writer)
            thread.join()

    def _read(self, reader: int) -> None:
        with os.fdopen(reader, errors="replace") as stream:
            for line in stream:
                text = line.strip()
                self.lines = [*self.lines, text][-SAID_LINES_MAX:]
                if text.startswith(STEPS):
                    self._progress(text[3:].partition(" in shell")[0])
