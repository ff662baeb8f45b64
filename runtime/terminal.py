"""What a command line prints: tables for people, JSON for programs, one way for every verb.

Much of it is the words of others: of hosts, of a hub, of whoever wrote a reason. A character that a
terminal would obey instead of showing is printed as its escape.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]


class Output(StrEnum):
    """How a verb prints its result."""

    TABLE = "table"
    JSON = "json"


def print_rows(rows: Sequence[Row], columns: Mapping[str, str], *, output: Output) -> None:
    """Print rows: `columns` maps a member's name to its heading, in order.

    JSON holds every member of every row, also those that the table leaves out.
    """
    if output is Output.JSON:
        print_json(list(rows))
        return
    # rich is imported here alone: the daemons never draw tables.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in columns))
    Console().print(table if rows else "nothing yet")


def print_fields(value: Row, *, output: Output) -> None:
    """Print one value: a line a member, or JSON."""
    if output is Output.JSON:
        print_json(value)
        return
    width = max((len(name) for name in value), default=0)
    for name, member in value.items():
        say(f"{name.replace('_', ' '):<{width}}  {_cell(member)}")


def print_json(value: object) -> None:
    """Print JSON, indented; what is not printable stands there as JSON's own escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    say("".join(char if _is_shown(char) else json.dumps(char)[1:-1] for char in text))


def when(ms: int | None) -> str:
    """Return a stored time for people and programs: RFC 3339 in UTC, or "never"."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds") if ms else "never"


def say(line: str) -> None:
    """Print a line of a result to standard output, as it is: no words of others."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print a line about the work, not of the result, to standard error."""
    sys.stderr.write(f"{plain(line)}\n")
    sys.stderr.flush()


def plain(text: str) -> str:
    """Return text as a terminal may show it: only line ends are obeyed (CWE-150)."""
    if text.isprintable():
        return text
    return "".join(char if _is_shown(char) else ascii(char)[1:-1] for char in text)


def _is_shown(char: str) -> bool:
    return char == "\n" or char.isprintable()


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(name)}={_cell(one)}" for name, one in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(member) for member in value) or "-"
    return plain(str(value)).replace("\n", "\\n")
