"""`osiris phi`: see what the scrubber would take from a file, and measure it on labelled lines.

Neither verb sends or keeps anything. `scan` shows of a value only its shape (letters as x, digits
as 9), because what an operator pipes in is real; `--values` shows the values too. `test` reads sets
whose people are invented, and shows what was missed as it stands.
"""

import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from osiris.phi_bars import CLASS_BAR, Bar, bars
from osiris.phi_measure import GROUPS, LOGS, Measured, measure, read_lines
from proto import phi as scrubber
from proto.errors import ConfigError
from proto.phi import Policy, Result, ThrowAwayVault
from proto.phi.names import Names, known_people, listed_in_csv
from runtime.terminal import Output, note, print_json, print_rows, say

FILE_BYTES_MAX = 64 * 1024 * 1024
RECORDS_SHOWN = 200
LINE_CHARACTERS_SHOWN = 400
DOCUMENTS = frozenset(
    {".csv", ".tsv", ".json", ".xml", ".hl7", ".edi", ".ini", ".reg", ".eml", ".html"}
)
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}

phi = typer.Typer(help="Scrubbing: what goes, why, and how well.", no_args_is_help=True)

Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]
PolicyName = Annotated[
    str, typer.Option("--policy", help="infra_facts keeps facts about equipment.")
]
People = Annotated[
    Path | None,
    typer.Option("--people", help="A CSV of the site's known people, with a header."),
]


class By(StrEnum):
    """What one record is."""

    LINE = "line"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Scanned:
    """One record and what scrubbing it gave."""

    line: int
    text: str
    result: Result


@phi.command()
def scan(
    file: Annotated[str, typer.Argument(help="A file, or - for standard input.")],
    by: Annotated[
        By | None,
        typer.Option("--by", help="What one record is; by default a line, or a whole document."),
    ] = None,
    policy: PolicyName = "infra_facts",
    people: People = None,
    values: Annotated[
        bool, typer.Option("--values", help="Show the values themselves, not their shape.")
    ] = False,
    output: Format = Output.TABLE,
) -> None:
    """Show what would be scrubbed from a file and why, class by class.

    Exit status 0 when nothing was found, 1 when something was.
    """
    scrub = _scrub_with(_policy(policy), _names(people))
    by = by or (By.FILE if Path(file).suffix.lower() in DOCUMENTS else By.LINE)
    scanned = [Scanned(line, text, scrub(text)) for line, text in _records(_read(file), by) if text]
    found = [one for one in scanned if one.result.hits or one.result.withheld]
    if output is Output.JSON:
        print_json(_as_json(scanned, found))
    else:
        _print_found(found, mask=str if values else shape)
        print_rows(_by_class(found), {"class": "CLASS", "count": "COUNT", "why": "WHY"},
                   output=output)  # fmt: skip
        say(f"{len(found)} of {len(scanned)} records hold something")
    if found:
        raise typer.Exit(1)


@phi.command("test")
def run_test(
    files: Annotated[list[Path], typer.Argument(help="Labelled lines: a JSON object each.")],
    policy: PolicyName = "infra_facts",
    people: People = None,
    speed: Annotated[bool, typer.Option(help="Measure the speed too.")] = True,
    misses: Annotated[
        int, typer.Option("--misses", help="How many misses to show, of invented people.")
    ] = 0,
    output: Format = Output.TABLE,
) -> None:
    """Measure recall, over-scrub, facts kept and speed, and hold them against the bars.

    Exit status 0 when every bar that could be measured is met, 1 when one is missed.
    """
    scrub = _scrub_with(_policy(policy), _names(people))
    lines = [line for path in files for line in read_lines(_read(str(path)), where=str(path))]
    if not lines:
        msg = f"{', '.join(map(str, files))}: no lines"
        raise ConfigError(msg)
    measured = measure(
        lines,
        lambda text: str(scrub(text).text),
        clock=time.process_time if speed else None,
    )
    held = bars(measured)
    if output is Output.JSON:
        print_json({
            "lines": len(lines),
            "bars": [_bar_row(bar) for bar in held],
            "recall": _recall_rows(measured),
            "misses": [asdict(miss) for miss in measured.misses[:misses]],
        })  # fmt: skip
    else:
        _print_measured(measured, held, misses=misses)
    if any(bar.met is False for bar in held):
        raise typer.Exit(1)


def shape(value: str) -> str:
    """Return what a value looks like and nothing of what it is."""
    return "".join(
        "9" if letter.isdigit() else ("X" if letter.isupper() else "x")
        if letter.isalpha()
        else letter
        for letter in value
    )  # fmt: skip


def _scrub_with(policy: Policy, names: Names) -> Callable[[str], Result]:
    return lambda text: scrubber.scrub(text, policy=policy, names=names, vault=ThrowAwayVault())


def _policy(name: str) -> Policy:
    policies = scrubber.installed_policies()
    if name not in policies:
        msg = f"--policy: {name}: there are {', '.join(sorted(policies))}"
        raise ConfigError(msg)
    return policies[name]


def _names(people: Path | None) -> Names:
    names = scrubber.default_names()
    if not isinstance(names, Names):
        msg = "the names are not compiled, so everything would be withheld: make names"
        raise ConfigError(msg)
    if people is None:
        return names
    listed = listed_in_csv(_text(_read(str(people))), where=f"{people}:")
    return replace(names, people=known_people(listed, secrets.token_bytes(32)))


def _read(source: str) -> bytes:
    try:
        if source == "-":
            raw = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with Path(source).open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        msg = f"{source}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if len(raw) > FILE_BYTES_MAX:
        msg = f"{source}: longer than {FILE_BYTES_MAX // 1024**2} MiB"
        raise ConfigError(msg)
    return raw


def _text(raw: bytes) -> str:
    """Decode by the byte order mark, else as UTF-8; what is neither is shown as such."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    return raw.decode("utf-8", "replace")


def _records(raw: bytes, by: By) -> Iterator[tuple[int, str]]:
    text = _text(raw)
    yield from enumerate(text.split("\n"), start=1) if by is By.LINE else [(1, text)]


def _by_class(found: list[Scanned]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for one in found:
        for hit in one.result.hits:
            counts[hit.kind.value] += 1
            reasons.setdefault(hit.kind.value, Counter())[hit.why] += 1
        if one.result.withheld:
            counts["WITHHELD"] += 1
            reasons.setdefault("WITHHELD", Counter())[one.result.withheld.reason] += 1
    return [
        {"class": kind, "count": count, "why": dict(reasons[kind].most_common())}
        for kind, count in counts.most_common()
    ]


def _as_json(scanned: list[Scanned], found: list[Scanned]) -> dict[str, Any]:
    return {
        "records": len(scanned),
        "records_with_hits": len(found),
        "classes": _by_class(found),
        "hits": [
            {"line": one.line, "class": hit.kind.value, "start": hit.start, "end": hit.end,
             "why": hit.why}
            for one in found
            for hit in one.result.hits
        ],
        "withheld": [
            {"line": one.line, **asdict(one.result.withheld)}
            for one in found
            if one.result.withheld
        ],
    }  # fmt: skip


def _print_found(found: list[Scanned], *, mask: Callable[[str], str]) -> None:
    colour = sys.stdout.isatty()
    for one in found[:RECORDS_SHOWN]:
        say(f"{one.line}: {_marked(one, mask=mask, colour=colour)}")
    if len(found) > RECORDS_SHOWN:
        note(f"{len(found) - RECORDS_SHOWN} more records are not shown")
    if found:
        say("")


def _marked(one: Scanned, *, mask: Callable[[str], str], colour: bool) -> str:
    """A record on one line, hits marked; a withheld one is not shown at all."""
    if one.result.withheld:
        return f"withheld: {one.result.withheld.reason}, SHA-256 {one.result.withheld.sha256}"
    shown, at = [], 0
    for hit in one.result.hits:
        piece = f"[{hit.kind.value} {_plain(mask(one.text[hit.start : hit.end]))}]"
        marked = typer.style(piece, fg="red", bold=True) if colour else piece
        shown += [_plain(one.text[at : hit.start]), marked]
        at = hit.end
    shown.append(_plain(one.text[at:]))
    line = "".join(shown)
    return line if colour or len(line) <= LINE_CHARACTERS_SHOWN else _cut(shown)


def _cut(pieces: list[str]) -> str:
    """Leave out of long stretches between hits what nobody needs to see."""
    side = LINE_CHARACTERS_SHOWN // 10
    return "".join(
        piece if len(piece) <= 3 * side else f"{piece[:side]} ... {piece[-side:]}"
        for piece in pieces
    )


def _plain(text: str) -> str:
    """What a terminal may show: no control characters, so that a file cannot draw."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def _bar_row(bar: Bar) -> dict[str, Any]:
    interval = bar.share.interval() if bar.share else None
    return {
        "what": bar.what,
        "bar": bar.bar,
        "found": bar.value,
        "hit": bar.share.hit if bar.share else None,
        "of": bar.share.total if bar.share else None,
        "interval_95": list(interval) if interval else None,
        "met": bar.met,
    }


def _recall_rows(measured: Measured) -> list[dict[str, Any]]:
    rows = []
    for label in measured.classes():
        share = measured.of_class(label)
        low, high = share.interval() or (0.0, 0.0)
        row = {"class": label, "caught": share.hit, "of": share.total, "recall": share.value,
               "low": low, "high": high}  # fmt: skip
        row.update({group: measured.of_class(label, groups=[group]).value for group in GROUPS})
        rows.append(row)
    return rows


def _print_measured(measured: Measured, held: list[Bar], *, misses: int) -> None:
    """Two tables, classes and bars; the bar of a class stands in the first."""
    of_class = {bar.what.removeprefix(CLASS_BAR): bar for bar in held if CLASS_BAR in bar.what}
    classes = [
        {
            "class": row["class"],
            "caught": f"{row['caught']}/{row['of']}",
            "recall": _percent(row["recall"]),
            "interval": f"{_percent(row['low'])} .. {_percent(row['high'])}",
            "logs": _percent(row[LOGS]),
            "met": _met(of_class[row["class"]]) if row["class"] in of_class else "no bar",
        }
        for row in _recall_rows(measured)
    ]
    columns = {"class": "CLASS", "caught": "CAUGHT", "recall": "RECALL",
               "interval": "95 % INTERVAL", "logs": "IN LOGS", "met": "BAR IN LOGS"}  # fmt: skip
    print_rows(classes, columns, output=Output.TABLE)
    say("")
    rows = [_printed(bar) for bar in held if CLASS_BAR not in bar.what]
    columns = {"what": "WHAT", "bar": "BAR", "found": "FOUND", "of": "OF",
               "interval": "95 % INTERVAL", "met": "MET"}  # fmt: skip
    print_rows(rows, columns, output=Output.TABLE)
    for miss in measured.misses[:misses]:
        say(f"{miss.line}: {miss.what}: {_plain(miss.text)}")


def _printed(bar: Bar) -> dict[str, str]:
    if bar.share is None:
        found, of, interval = ("" if bar.value is None else f"{bar.value:.2f}"), "", None
    else:
        found, of = _percent(bar.value), f"{bar.share.hit}/{bar.share.total}"
        interval = bar.share.interval()
    return {
        "what": bar.what,
        "bar": bar.bar,
        "found": found,
        "of": of,
        "interval": " .. ".join(map(_percent, interval or ())),
        "met": _met(bar),
    }


def _met(bar: Bar) -> str:
    return {True: "met", False: "MISSED", None: "not measured"}[bar.met]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"
