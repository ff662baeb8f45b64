"""Strict YAML: what a reader sees is what the machine reads, or the file is refused with its line.

Kept rules:

- UTF-8, at most `SIZE_BYTES_MAX`, exactly one document, no directives, at most `DEPTH_MAX` deep;
- plain words mean true, false, null, a decimal integer or a string, nothing else: every spelling
  that some YAML version reads as another type (yes, on, ~, 0o17, 012, 0x1f, 1_000, 1.5, 1e3, .inf,
  12:30, 2024-01-31) is refused and must be quoted to be a string;
- integers are at most 2^53 - 1 either way;
- mapping keys are strings, none twice; no merge keys;
- no anchors, aliases or tags.

`parse_yaml` gives plain values and, beside them, the line of every place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

import yaml

from proto.errors import ConfigError

SIZE_BYTES_MAX = 256 * 1024
DEPTH_MAX = 16
INT_MAX = 2**53 - 1

Path = tuple[str | int, ...]
"""Where a value stands: keys and indexes from the outside in."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_WORDS = frozenset(
    "y n yes no on off true false null ~ .nan .inf +.inf -.inf = <<".split()  # noqa: SIM905 - read as words
)
_NUMBER_LIKE = re.compile(
    r"""[-+]?0[0-9_]+            # leading zeros: octal to some
      | [-+]?0[oO][0-7_]+ | [-+]?0[xX][0-9a-fA-F_]+ | [-+]?0[bB][01_]+
      | [-+]?[0-9][0-9_]*        # +5, 1_000
      | [-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]*)?
      | [-+]?\.[0-9_]+(?:[eE][-+]?[0-9]*)?
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?    # sexagesimal
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*                     # dates and timestamps
    """,
    re.VERBOSE | re.DOTALL,
)


class YamlError(ConfigError):
    """A file that is not strict YAML; the message is `file:line: what`."""

    code = "yaml"


@dataclass(frozen=True, slots=True)
class Document:
    """One file's value and the line, from 1, of every place inside it.

    Attributes:
        file: the file's name, as messages show it.
        lines: by path; a mapping's member has its key's line.
    """

    file: str
    value: object
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest place around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_yaml(data: bytes, file: str) -> Document:
    """Read one strict YAML document.

    Raises:
        YamlError: with file and line of the first thing that is refused.
    """
    if len(data) > SIZE_BYTES_MAX:
        _refuse(file, 1, f"{len(data)} bytes, at most {SIZE_BYTES_MAX} are allowed")
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        _refuse(file, data.count(b"\n", 0, error.start) + 1, "not UTF-8")
    if text.startswith("\ufeff"):
        _refuse(file, 1, "begins with a byte order mark")
    return _Builder(file).document(text)


def _refuse(file: str, line: int, what: str) -> NoReturn:
    msg = f"{file}:{line}: {what}"
    raise YamlError(msg)


class _Builder:
    """Builds the value of one file from the parser's events."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._events: Iterator[yaml.Event] = iter(())

    def document(self, text: str) -> Document:
        self._events = self._checked(text)
        self._next()  # the stream's start
        first = self._next()
        if isinstance(first, yaml.StreamEndEvent):
            self._fail(first, "the file holds no document")
        value = self._value(self._next(), (), 0)
        self._next()  # the document's end
        rest = self._next()
        if not isinstance(rest, yaml.StreamEndEvent):
            self._fail(rest, "a second document in one file")
        return Document(self._file, value, MappingProxyType(self._lines))

    def _checked(self, text: str) -> Iterator[yaml.Event]:
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                self._refuse_extras(event)
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            _refuse(self._file, mark.line + 1 if mark else 1, f"not YAML: {error.problem}")
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            _refuse(self._file, line, f"not YAML: {error.reason}")

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _fail(self, event: yaml.Event, what: str) -> NoReturn:
        _refuse(self._file, _line(event), what)

    def _refuse_extras(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
            self._fail(event, "directives are refused")
        if isinstance(event, yaml.AliasEvent):
            self._fail(event, "aliases are refused: write the value again")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._fail(event, "anchors are refused")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            self._fail(event, f"tags are refused: {event.tag!r:.60}")

    def _value(self, event: yaml.Event, path: Path, depth: int) -> object:
        self._lines.setdefault(path, _line(event))
        if depth > DEPTH_MAX:
            self._fail(event, f"nested deeper than {DEPTH_MAX}")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth + 1)
        return self._mapping(path, depth + 1)

    def _sequence(self, path: Path, depth: int) -> list[object]:
        found: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found)), depth))
        return found

    def _mapping(self, path: Path, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._fail(event, "a mapping's key must be text")
            key = self._scalar(event)
            if not isinstance(key, str):
                self._fail(event, f"a mapping's key must be text: quote {event.value!r:.60}")
            if key in found:
                self._fail(event, f"the key {key!r:.60} appears twice in one mapping")
            self._lines[(*path, key)] = _line(event)
            found[key] = self._value(self._next(), (*path, key), depth)
        return found

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        if event.style:  # quoted, literal or folded; a plain one has none
            return text
        if text in {"true", "false"}:
            return text == "true"
        if text == "null":
            return None
        if not text:
            self._fail(event, 'nothing stands here: write null, "", [] or {}')
        if _INTEGER.fullmatch(text):
            return self._integer(event, text)
        if text.lower() in _WORDS or _NUMBER_LIKE.fullmatch(text):
            self._fail(
                event, f"{text!r:.60} may be read as another type: quote it if it is meant as text"
            )
        return text

    def _integer(self, event: yaml.ScalarEvent, text: str) -> int:
        if len(text) > len(str(-INT_MAX)) or abs(int(text)) > INT_MAX:
            self._fail(event, f"the integer {text:.40} is beyond 2^53 - 1")
        return int(text)


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 1
