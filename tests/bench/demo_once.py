"""How long `osiris demo --once` takes from start to end, as root and as an ordinary user."""

import os
import pwd
import resource
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from osiris.demo.rootfs import cache
from tests.bench.rows import Row

ROOT = Path(__file__).resolve().parents[2]
BAR_S = 60.0
WITHIN_S = 600.0
SYSTEM_PYTHON = Path("/usr/bin/python3")
PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def rows() -> list[Row]:
    """Measure the demo as whoever runs this and, for root, as an ordinary user too."""
    own = _row("root" if os.geteuid() == 0 else "an ordinary user", [sys.executable], ROOT)
    if os.geteuid() != 0:
        return [own]
    what = "osiris demo --once, as an ordinary user"
    if reason := _no_user():
        return [own, Row(what, f"<= {BAR_S:.0f} s", f"not measured: {reason}", None)]
    with _ordinary_user() as (name, tree):
        prefix = _as_user(name, tree)
        # What `make setup` does before: a root file system that this user's kind of world can use.
        subprocess.run(
            [*prefix, "-m", "osiris.demo.rootfs", "--if-possible"],
            cwd=tree,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return [own, _row(f"an ordinary user ({SYSTEM_PYTHON})", prefix, tree)]


def _row(who: str, python: Sequence[str], tree: Path) -> Row:
    began, used_s = time.monotonic(), _children_s()
    done = subprocess.run(
        [*python, "-m", "osiris", "demo", "--once"],
        cwd=tree,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    took_s, cpu_s = time.monotonic() - began, _children_s() - used_s
    measured = f"{took_s:.1f} s, {cpu_s:.0f} s of processor, exit {done.returncode}"
    if done.returncode != 0:
        measured += f": {done.stderr.strip().splitlines()[-1][:120] if done.stderr else ''}"
    is_ok = done.returncode == 0 and took_s <= BAR_S
    return Row(f"osiris demo --once, as {who}", f"<= {BAR_S:.0f} s", measured, is_ok)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _no_user() -> str:
    """Say why no ordinary user can run this tree here, "" when one can."""
    if shutil.which("useradd") is None:
        return "no useradd here"
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        found = subprocess.run(
            [SYSTEM_PYTHON, "-c", asked], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"{SYSTEM_PYTHON} cannot make a venv"
    return "" if found == wanted else f"{SYSTEM_PYTHON} is {found}, this is {wanted}"


def _as_user(name: str, tree: Path) -> list[str]:
    home = pwd.getpwnam(name).pw_dir
    environment = {"HOME": home, "PATH": PATHS, "LANG": "C.UTF-8", "USER": name, "LOGNAME": name}
    become = ["setpriv", "--reuid", name, "--regid", name, "--init-groups", "--reset-env"]
    return [*become, "env", *_pairs(environment), str(tree / ".venv/bin/python")]


def _pairs(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


@contextmanager
def _ordinary_user() -> Iterator[tuple[str, Path]]:
    """Give a user of this run alone and a copy of the tree that it can read; remove both."""
    name = f"osiris-bench-{secrets.token_hex(3)}"
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True)
    try:
        tree = Path(pwd.getpwnam(name).pw_dir) / "osiris"
        _copy_tree(tree)
        subprocess.run(["chown", "-R", f"{name}:", str(tree)], check=True)
        yield name, tree
    finally:
        subprocess.run(["userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)


def _copy_tree(tree: Path) -> None:
    """Copy what git knows, this environment's packages, and the root file system if it is built."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    with tempfile.NamedTemporaryFile() as names:
        present = [name for name in listed.split(b"\0") if name and (ROOT / name.decode()).exists()]
        names.write(b"\0".join(present))
        names.flush()
        tree.mkdir()
        tar = ["tar", "--null", "-T", names.name, "-cf", "-"]
        with subprocess.Popen(tar, cwd=ROOT, stdout=subprocess.PIPE) as packed:
            subprocess.run(["tar", "-xf", "-"], cwd=tree, stdin=packed.stdout, check=True)
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", tree / ".venv"], check=True)
    packages = next((tree / ".venv/lib").glob("python3.*")) / "site-packages"
    # The editable finder points at this tree, which the user cannot read; its own comes from cwd.
    skipped = shutil.ignore_patterns("__editable__*", "*.pth", "__pycache__")
    shutil.copytree(sysconfig.get_paths()["purelib"], packages, ignore=skipped, dirs_exist_ok=True)
    if built := cache.find("root"):
        kept = tree / ".cache/osiris"
        kept.mkdir(parents=True)
        shutil.copy(built, kept)
