"""A directory of private keys, as an appliance that was renewed has it; and starts that are killed.

As a program, `python -m tests.unit.key_disk BEGUN CUTS`, it lets a start seal the keys of a copy of
BEGUN once for each step, in a process that ends by SIGKILL before that step, and prints how many
steps there are. The copies are CUTS/0, CUTS/1 and so on.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

from appliance.core.keeping import How, Keeping
from appliance.shell.key_files import NAMES, TPM_KEY, KeyFiles, open_keys
from appliance.shell.tpm import Found
from runtime.clock import system_entropy
from tests.fakes.tpm import FakeTpm

NO_TPM = Found(None, Keeping(How.NO_TPM))
STEPS = frozenset({"open", "os.rename", "os.remove", "os.link", "os.chmod"})
"""What Python tells of a process that changes files, see its table of audit events."""


def keys() -> dict[str, bytes]:
    """Return the keys of such an appliance by their files' names."""
    return {name: bytes([number]) * 31 + b"!" for number, name in enumerate(NAMES, start=1)}


def plain(directory: Path) -> Path:
    """Write the keys as plain files."""
    directory.mkdir(mode=0o700)
    for name, key in keys().items():
        path = directory / name
        path.touch(0o600)
        path.write_bytes(key)
    return directory


def sealed(directory: Path, tpm: FakeTpm) -> Path:
    """Write the keys as a start with this TPM leaves them."""
    open_keys(plain(directory), tpm.found, system_entropy)
    return directory


def held(files: KeyFiles) -> dict[str, bytes]:
    """Return the keys that are held, by their files' names."""
    return {name: files.read(name) for name in NAMES if files.has(name)}


def content(directory: Path) -> dict[str, bytes]:
    """Return all that lies in a directory."""
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def has_plain(directory: Path) -> bool:
    """Tell whether the bytes of a key lie in any file."""
    return any(key in raw for raw in content(directory).values() for key in keys().values())


def is_whole(directory: Path) -> bool:
    """Tell whether there is what a finished start leaves, and nothing else."""
    return not has_plain(directory) and set(content(directory)) == {*NAMES, TPM_KEY}


def _begin(directory: Path, *, steps: int) -> None:
    """Start on a directory, and be killed before a step in it; come back when there was none."""
    left = steps

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in STEPS and str(directory) in str(arguments[0]):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)
    open_keys(directory, FakeTpm().found, system_entropy)


def _survives(directory: Path, *, steps: int) -> bool:
    pid = os.fork()
    if pid == 0:
        _begin(directory, steps=steps)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _main(begun: Path, cuts: Path) -> None:
    for steps in itertools.count():
        directory = cuts / str(steps)
        shutil.copytree(begun, directory)
        if _survives(directory, steps=steps):
            sys.stdout.write(f"{steps}\n")
            return


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
