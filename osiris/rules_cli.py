"""`osiris rules`: look at a set of content without any appliance."""

import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from proto import strict_json
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.errors import ConfigError, MalformedError, NotFoundError
from proto.incidents import Severity
from proto.rules.examples import run_rule_tests
from proto.rules.matcher import IncidentView, decide
from runtime.content import read_directory, read_installed
from runtime.terminal import Output, note, print_fields, print_json, say

INCIDENT_BYTES_MAX = 64 * 1024

rules = typer.Typer(help="Check, try out and explain content.", no_args_is_help=True)

Directory = Annotated[
    Path | None,
    typer.Argument(help="A directory laid out like rules/; by default what this program ships."),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


def _load(directory: Path | None) -> Content:
    return load(read_directory(directory) if directory else read_installed())


def _counts(content: Content) -> dict[str, Any]:
    return {
        "checks": len(content.checks),
        "runbooks": len(content.runbooks),
        "rules": len(content.rules),
        "frameworks": sorted(content.controls),
        "digest": content.digest,
    }


@rules.command()
def lint(directory: Directory = None, output: Format = Output.TABLE) -> None:
    """Load a whole set and refuse it with file and line of everything that is wrong.

    Exit status 0 when the set holds together, 3 when it does not.
    """
    print_fields(_counts(_load(directory)), output=output)


@rules.command("test")
def run_tests(directory: Directory = None, output: Format = Output.TABLE) -> None:
    """Run the tests in the rule files, and look for a near miss of every condition.

    Exit status 0 when all pass, 1 when one does not.
    """
    ran = run_rule_tests(_load(directory))
    result = {
        "tests": ran.tests,
        "near_misses": ran.near_misses,
        "problems": len(ran.problems),
    }
    if output is Output.JSON:
        print_json({**result, "problems": list(ran.problems)})
    else:
        for problem in ran.problems:
            note(problem)
        print_fields(result, output=output)
    if ran.problems:
        raise typer.Exit(1)


@rules.command()
def explain(
    incident: Annotated[
        str,
        typer.Argument(
            help="A JSON file, or - for standard input: "
            '{"check": "lin.ssh.root_login", "seen": {"value": "yes"}}.'
        ),
    ],
    directory: Directory = None,
    output: Format = Output.TABLE,
) -> None:
    """Say which rule acts on an incident and why; when none does, which came closest."""
    content = _load(directory)
    decision = decide(content.rules, _view(content, _read_incident(incident)).fields())
    if output is Output.JSON:
        print_json(decision.as_json())
        return
    if decision.winner is None:
        say("no rule matches: the incident is handed to a person")
    else:
        winner = decision.winner
        say(f"{winner.id} acts: {winner.action.value} {winner.runbook_id or ''}".rstrip())
        for line in decision.explained:
            say(f"  {line.field} {line.operator} {line.wanted}: saw {line.seen}")
    for loser in decision.losers:
        say(f"{loser.rule_id} matches too, but {loser.why}")
    for near in decision.nearest:
        say(f"closest: {near.rule_id}")
        for line in near.explained:
            mark = "yes" if line.verdict else "no "
            say(f"  {mark} {line.field} {line.operator} {line.wanted}: saw {line.seen}")


def _read_incident(source: str) -> dict[str, Any]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        msg = f"{source}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    value = strict_json.loads(raw, size_bytes_max=INCIDENT_BYTES_MAX, where=source)
    if not isinstance(value, dict) or not isinstance(value.get("check"), str):
        msg = f"{source}: not an object with a check"
        raise MalformedError(msg)
    return cast("dict[str, Any]", value)


def _view(content: Content, value: dict[str, Any]) -> IncidentView:
    check = content.checks.get(value["check"])
    if check is None:
        msg = f"check: this set has no check {value['check']!r}"
        raise NotFoundError(msg)
    seen = value.get("seen", {})
    if not isinstance(seen, dict):
        msg = "seen: not an object"
        raise MalformedError(msg)
    return IncidentView(
        check=check.id,
        platform=str(value.get("platform", check.platform.value)),
        severity=Severity(value.get("severity", check.severity.value)),
        site=str(value.get("site", "s-aaaaaaaaaa")),
        target=str(value.get("target", "t-aaaaaaaaaa")),
        seen=seen,
    )
