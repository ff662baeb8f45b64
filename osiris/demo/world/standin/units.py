"""Reading unit files as systemd does, as far as starting a service needs.

Drop-ins are read, an empty value resets a list, `%i`, `%n` and `%%` are filled in, `$VAR` as a
word of its own splits and `${VAR}` does not.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORIES = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
KINDS = (".service", ".socket", ".target", ".timer", ".path", ".mount", ".slice", ".scope")
TRUE = ("1", "yes", "true", "on")
_BRACED = re.compile(r"\$\{(\w+)\}")
_WORD = re.compile(r"\$(\w+)\Z")


class NoSuchUnitError(Exception):
    """There is no unit file of this name."""


@dataclass(slots=True)
class Unit:
    """A unit: its real name, its files, and its settings, the values of a key in order."""

    name: str
    path: Path
    masked: bool = False
    files: tuple[Path, ...] = ()
    settings: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def all(self, section: str, key: str) -> list[str]:
        """Every value of a key."""
        return self.settings.get((section, key), [])

    def one(self, section: str, key: str, default: str = "") -> str:
        """The last value of a key."""
        values = self.all(section, key)
        return values[-1] if values else default

    def flag(self, section: str, key: str) -> bool:
        """A key that is yes or no."""
        return self.one(section, key).lower() in TRUE

    @property
    def kind(self) -> str:
        """What comes after the last dot: service, socket, ..."""
        return self.name.rpartition(".")[2]

    @property
    def instance(self) -> str:
        """What stands between @ and the kind, "" in a plain unit."""
        return self.name.rpartition(".")[0].partition("@")[2]


def full_name(name: str) -> str:
    """A unit's name with its kind: `ssh` is `ssh.service`."""
    return name if name.endswith(KINDS) else f"{name}.service"


def template_of(name: str) -> str:
    """`telnet@3.service` -> `telnet@.service`; a plain name is returned as it is."""
    stem, _, kind = name.rpartition(".")
    return f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else name


def load(name: str, directories: tuple[Path, ...] = DIRECTORIES) -> Unit:
    """Read a unit and its drop-ins.

    Raises:
        NoSuchUnitError: no directory has it.
    """
    path = _find(name, directories)
    real = path.resolve()
    if real == Path("/dev/null"):
        return Unit(name, path, masked=True)
    # An alias is a link to the unit's own file, whose name it then has.
    own = name if "@" in name else real.name
    unit = Unit(own, real, files=(real, *_drop_ins(own, directories)))
    for file in unit.files:
        for section, key, value in _lines(file.read_text(errors="replace")):
            _set(unit, section, key, value)
    return unit


def _find(name: str, directories: tuple[Path, ...]) -> Path:
    for candidate in (name, template_of(name)):
        for directory in directories:
            path = directory / candidate
            if path.exists():
                return path
    raise NoSuchUnitError(name)


def _drop_ins(name: str, directories: tuple[Path, ...]) -> list[Path]:
    found: dict[str, Path] = {}
    for owner in (template_of(name), name):
        for directory in reversed(directories):
            found |= {path.name: path for path in (directory / f"{owner}.d").glob("*.conf")}
    return [found[key] for key in sorted(found)]


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    section = ""
    kept: list[str] = []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            kept.append(line[:-1])
            continue
        line = " ".join([*kept, line]).strip()
        kept = []
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, _, value = line.partition("=")
            yield section, key.strip(), value.strip()


def _set(unit: Unit, section: str, key: str, value: str) -> None:
    filled = value.replace("%%", "\0").replace("%i", unit.instance).replace("%n", unit.name)
    values = unit.settings.setdefault((section, key), [])
    if filled:
        values.append(filled.replace("\0", "%"))
    else:
        values.clear()


@dataclass(frozen=True, slots=True)
class Command:
    """One Exec line: the words, and what its prefix says about failure and the user."""

    words: tuple[str, ...]
    may_fail: bool
    as_root: bool


def command(line: str) -> Command:
    """Read an Exec line; variables are left in it for `expand`."""
    body = line.lstrip("-@:+!|")
    prefix = line[: len(line) - len(body)]
    return Command(tuple(shlex.split(body)), "-" in prefix, "+" in prefix or "!" in prefix)


def expand(words: tuple[str, ...], environment: Mapping[str, str]) -> list[str]:
    """Fill in variables; one that is not set is empty, and as a word of its own no word at all."""
    expanded: list[str] = []
    for word in words:
        if whole := _WORD.match(word):
            expanded += shlex.split(environment.get(whole[1], ""))
        else:
            expanded.append(_BRACED.sub(lambda found: environment.get(found[1], ""), word))
    return expanded


def environment_of(unit: Unit) -> dict[str, str]:
    """What Environment= and EnvironmentFile= set.

    Raises:
        FileNotFoundError: a file is not there and its name has no `-` before it.
    """
    words = [word for line in unit.all("Service", "Environment") for word in shlex.split(line)]
    for name in unit.all("Service", "EnvironmentFile"):
        path = Path(name.removeprefix("-"))
        if path.exists() or not name.startswith("-"):
            words += [_unquoted(line) for line in path.read_text(errors="replace").splitlines()]
    return dict(word.split("=", 1) for word in words if "=" in word)


def _unquoted(line: str) -> str:
    """A line of an environment file as KEY=value; "" when it sets nothing."""
    key, equals, value = line.strip().partition("=")
    if not equals or line.lstrip().startswith(("#", ";")):
        return ""
    return f"{key}={' '.join(shlex.split(value))}"
