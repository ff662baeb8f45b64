"""Taking one strict YAML document apart, gathering every problem with its file and line.

A `Reader` stands at one mapping of a document. Each getter returns the member when it has the form
asked for; otherwise it notes the problem and returns a harmless stand-in, so that one pass finds
everything. What was built from a document with problems is never used: `Problems` refuses the set.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from proto.catalog.model import Source
from proto.catalog.strict_yaml import Document, Path
from proto.conditions import ALWAYS, ConditionError, Group, parse
from proto.errors import CatalogError

LIST_LENGTH_MAX = 256
TEXT_CHARS_MAX = 400
DESCRIPTION_CHARS_MAX = 1000

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong, where it stands; shown as `file:line: what`."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return the one line that people see."""
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(slots=True)
class Problems:
    """The problems gathered so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str, line: int, what: str) -> None:
        """Note one problem."""
        self.found.append(Problem(file, line, what))

    def refuse_if_any(self) -> None:
        """Raise `CatalogError` with every problem, in the order of files and lines."""
        if self.found:
            raise CatalogError([str(problem) for problem in sorted(set(self.found))])


class Reader:
    """One mapping of a document."""

    def __init__(self, document: Document, problems: Problems, *, path: Path = ()) -> None:
        """Stand at `path`; note a problem if there is no mapping."""
        self._document = document
        self._problems = problems
        self._path = path
        self._asked: set[str] = set()
        value = document.value
        for step in path:
            value = value[step]  # type: ignore[index] # the caller saw the container there
        if not isinstance(value, dict):
            problems.add(document.file, document.line(path), f"{_place(path)} must be a mapping")
            value = {}
        self._value: dict[str, object] = value

    @property
    def file(self) -> str:
        """The file's name."""
        return self._document.file

    def line(self, *path: str | int) -> int:
        """Return the line of a member of this mapping, or of the mapping itself."""
        return self._document.line((*self._path, *path))

    def fail(self, what: str, *path: str | int) -> None:
        """Note a problem at a member of this mapping."""
        self._problems.add(self.file, self.line(*path), what)

    def has(self, name: str) -> bool:
        """Tell whether the mapping has this member."""
        return name in self._value

    def names(self) -> list[str]:
        """Return the members' names in the order written, all of them taken as known."""
        self._asked.update(self._value)
        return list(self._value)

    def plain(self, name: str) -> object:
        """Return a member as it is, None when it is missing; notes nothing."""
        return self._value.get(name)

    def source(self) -> Source:
        """Return where the document was written."""
        return Source(self.file, self._document.lines)

    def finish(self) -> None:
        """Note every member that nobody asked for."""
        for name in self._value:
            if name not in self._asked:
                self.fail(f"unknown key {name!r:.60}{self._inside()}", name)

    def raw(self, name: str) -> object:
        """Return a member as it is; a missing one is a problem and gives None."""
        self._asked.add(name)
        if name not in self._value:
            self.fail(f"{name} is missing{self._inside()}")
            return None
        return self._value[name]

    def text(
        self,
        name: str,
        *,
        chars_max: int = TEXT_CHARS_MAX,
        pattern: re.Pattern[str] | None = None,
    ) -> str:
        """Return a text of 1 to `chars_max` characters that `pattern` matches in full."""
        value = self.raw(name)
        if not self.has(name):
            return ""
        if not isinstance(value, str):
            self.fail(f"{name} must be text, not {kind(value)}", name)
            return ""
        if not 0 < len(value) <= chars_max:
            self.fail(f"{name} must have 1 to {chars_max} characters, it has {len(value)}", name)
            return ""
        if pattern is not None and pattern.fullmatch(value) is None:
            self.fail(f"{name} {value!r:.80} does not have the form {pattern.pattern}", name)
            return ""
        return value

    def optional_text(self, name: str, *, chars_max: int = TEXT_CHARS_MAX) -> str:
        """Return a text, "" when the member is missing."""
        return self.text(name, chars_max=chars_max) if self.has(name) else ""

    def integer(self, name: str, *, low: int, high: int) -> int:
        """Return an integer from `low` to `high`."""
        value = self.raw(name)
        if not self.has(name):
            return low
        if type(value) is not int or not low <= value <= high:
            self.fail(f"{name} must be an integer from {low} to {high}, not {kind(value)}", name)
            return low
        return value

    def boolean(self, name: str, *, default: bool | None = None) -> bool:
        """Return true or false; a missing member is `default`, or a problem without one."""
        if default is not None and not self.has(name):
            return default
        value = self.raw(name)
        if self.has(name) and not isinstance(value, bool):
            self.fail(f"{name} must be true or false, not {kind(value)}", name)
        return value is True

    def choice(self, name: str, among: type[E]) -> E:
        """Return one of an enumeration's values."""
        value = self.raw(name)
        every = list(among)
        found = next((one for one in every if one.value == value), None)
        if found is None:
            if self.has(name):
                allowed = ", ".join(one.value for one in every)
                self.fail(f"{name} must be one of {allowed}, not {kind(value)}", name)
            return every[0]
        return found

    def items(self, name: str, *, low: int = 0, high: int = LIST_LENGTH_MAX) -> list[object]:
        """Return a list of `low` to `high` items."""
        value = self.raw(name)
        if not self.has(name):
            return []
        if not isinstance(value, list) or not low <= len(value) <= high:
            self.fail(f"{name} must be a list of {low} to {high} items", name)
            return []
        return value

    def texts(
        self,
        name: str,
        *,
        low: int = 0,
        high: int = LIST_LENGTH_MAX,
        pattern: re.Pattern[str] | None = None,
    ) -> tuple[str, ...]:
        """Return a list of different texts."""
        found: list[str] = []
        for index, item in enumerate(self.items(name, low=low, high=high)):
            if not isinstance(item, str) or not 0 < len(item) <= TEXT_CHARS_MAX:
                self.fail(f"{name} holds {kind(item)}, it must hold texts", name, index)
            elif pattern is not None and pattern.fullmatch(item) is None:
                form = pattern.pattern
                self.fail(f"{name}: {item!r:.80} does not have the form {form}", name, index)
            elif item in found:
                self.fail(f"{name} names {item!r:.80} twice", name, index)
            else:
                found.append(item)
        return tuple(found)

    def inner(self, name: str) -> "Reader":
        """Return a reader of a member that is a mapping."""
        if not isinstance(self.raw(name), dict):
            if self.has(name):
                self.fail(f"{name} must be a mapping", name)
            return Reader(Document(self.file, {}, {(): self.line(name)}), self._problems)
        return Reader(self._document, self._problems, path=(*self._path, name))

    def each(self, name: str, *, low: int = 0, high: int = LIST_LENGTH_MAX) -> Iterator["Reader"]:
        """Give a reader for every mapping of a list."""
        for index in range(len(self.items(name, low=low, high=high))):
            yield Reader(self._document, self._problems, path=(*self._path, name, index))

    def conditions(self, name: str, *, may_be_empty: bool = False) -> Group:
        """Return a list of conditions; absent or empty is `ALWAYS` where that is allowed."""
        if may_be_empty and self._value.get(name, []) == []:
            self._asked.add(name)
            return ALWAYS
        value = self.raw(name)
        if not self.has(name):
            return ALWAYS
        try:
            return parse(value, name)
        except ConditionError as error:
            for path, what in error.problems:
                self.fail(f"{name}: {what}", name, *path)
            return ALWAYS

    def _inside(self) -> str:
        return f" in {_place(self._path)}" if self._path else ""


def kind(value: object) -> str:
    """Return what a value is, for a message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    return f"{value!r:.60}" if not isinstance(value, bool) else str(value).lower()


def _place(path: Path) -> str:
    return (
        "".join(
            f"[{step}]" if isinstance(step, int) else ("." if index else "") + step
            for index, step in enumerate(path)
        )
        or "the document"
    )
