"""Debian packages by feature: what is missing, and installing it where that is allowed.

Standard library only: the Makefile runs this before anything else is installed.

`python -m osiris.packages missing FEATURE...` names what is missing and why it is needed.
`python -m osiris.packages install FEATURE...` installs it as root or with sudo that asks no
password; elsewhere it prints the command for somebody who may. With `--strict` something that
stays missing is exit status 1.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

LIST = Path(__file__).with_name("packages.toml")
APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=120")
INSTALL = (*APT, "install", "-y", "--no-install-recommends")

Features = Mapping[str, Mapping[str, str]]


def features() -> Features:
    """Feature -> package -> why it is needed."""
    with LIST.open("rb") as file:
        return tomllib.load(file)


def installed(packages: Sequence[str]) -> set[str]:
    """Those of `packages` that dpkg has installed; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return set()
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages]
    done = subprocess.run(  # noqa: S603 - names of our own list
        query, capture_output=True, text=True, check=False
    )
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[0] for words in lines if words[1:] == ["installed"]}


def missing_of(wanted: Mapping[str, str], there: Collection[str]) -> list[str]:
    """The packages of one feature that are not there, in the list's order."""
    return [package for package in wanted if package not in there]


def missing(feature: str) -> list[str]:
    """The packages of a feature that this machine lacks.

    Raises:
        KeyError: there is no such feature.
    """
    wanted = features()[feature]
    return missing_of(wanted, installed(list(wanted)))


def install_command(packages: Sequence[str]) -> str:
    """What a person types to install packages."""
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"


def root_prefix() -> tuple[str, ...] | None:
    """What to put before a command so that root runs it; None when this user may not be root."""
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(
        ["sudo", "-n", "true"],  # noqa: S607 - where sudo lies differs by system
        capture_output=True,
        check=False,
    )
    return ("sudo", "-n") if asked.returncode == 0 else None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _install(packages: Sequence[str], prefix: Sequence[str]) -> bool:
    environment = ("env", "DEBIAN_FRONTEND=noninteractive")
    for command in ((*APT, "update"), (*INSTALL, *packages)):
        done = subprocess.run(  # noqa: S603 - apt-get and names of our own list
            [*prefix, *environment, *command], check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            _say(f"packages: {' '.join(command)} ended with status {done.returncode}")
            return False
    return True


def _report(lacking: Mapping[str, Sequence[str]], known: Features) -> None:
    for feature, packages in lacking.items():
        for package in packages:
            _say(f"{feature}: {package} is missing ({known[feature][package]})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one verb for some features; returns the exit status."""
    known = features()
    parser = argparse.ArgumentParser(prog="python -m osiris.packages")
    parser.add_argument("verb", choices=("install", "missing"))
    parser.add_argument("features", nargs="+", choices=sorted(known), metavar="FEATURE")
    parser.add_argument("--strict", action="store_true", help="exit 1 if something stays missing")
    options = parser.parse_args(arguments)
    lacking = {feature: missing(feature) for feature in options.features}
    packages = list(dict.fromkeys(name for names in lacking.values() for name in names))
    if not packages:
        return 0
    _report(lacking, known)
    if options.verb == "install":
        prefix = root_prefix()
        if prefix is not None:
            return 0 if _install(packages, prefix) else 1
        _say("packages: neither root nor sudo without a password; somebody who may runs:")
    _say(f"  {install_command(packages)}")
    return 1 if options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
