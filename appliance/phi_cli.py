"""The verbs of `osiris phi` that ask the appliance: reveal, forget, disclosures, held-back."""

import getpass
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.verbs import DEFAULT, ConfigFile, Format, account_password, answered
from proto.errors import ConfigError, ConflictError
from runtime.terminal import Output, print_fields, print_json, print_rows, say, when

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the auditor.")]
Account = Annotated[
    str | None,
    typer.Option("--as", help="The portal account that asks; by default, who you are here."),
]


def mount(phi: typer.Typer) -> None:
    """Add these verbs to `osiris phi`."""
    phi.command("reveal")(reveal)
    phi.command("forget")(forget)
    phi.command("disclosures")(list_disclosures)
    phi.command("held-back")(held_back)


def reveal(
    token: Annotated[str, typer.Argument(help="The whole token, as '[NAME-k3x7q2k]'.")],
    reason: Reason,
    account: Account = None,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Show what a token stands for, on the appliance that gave it.

    Asks for the password of the account, which `osiris appliance user add` makes. Before the value
    is shown, evidence says who revealed a token of which class and commits to the reason; the value
    and the reason stay on this appliance (45 CFR 164.514(c)). Quote the brackets for the shell.
    """
    found = _ask(config, "reveal", {"token": token}, account=account, reason=reason)
    if output is Output.JSON:
        print_json(found)
        return
    say(found["value"])


def forget(
    reason: Reason,
    name: Annotated[str, typer.Option("--name", help="One person's full name, in any order.")] = "",
    mrn: Annotated[
        list[str] | None,
        typer.Option("--mrn", help="A record number of the person; repeatable."),
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option("--value", help="A telephone, an address, any exact value; repeatable."),
    ] = None,
    account: Account = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """Erase a person: what every token of theirs stands for, for good.

    Erased are values that hold the whole name, any of its parts alone (another person's same last
    name goes too), logins made of it, what holds a record number, and each --value. A telephone
    number alone does not say whose it is: give such values too. Without --name, --mrn and --value
    they are asked for, so that they stand in no list of processes and no history of the shell.

    The tokens stay where they were written, in evidence, in logs and at the hub. They stay opaque:
    nobody can tell any more what they stood for, and every proof over them stays valid. Backups of
    this appliance made before hold the values still, sealed with its key.
    """
    given = (name, mrn or [], value or [])
    if not any(given) and sys.stdin.isatty():
        given = _whom()
    names, numbers, values = given
    if not yes:
        _confirm()
    whom = {"names": [names] if names.strip() else [], "numbers": numbers, "values": values}
    found = _ask(config, "forget", whom, account=account, reason=reason)
    if output is Output.JSON:
        print_json(found)
        return
    count = found["forgotten"]
    say(f"forgot what {count} token{' stands' if count == 1 else 's stand'} for")


def list_disclosures(output: Format = Output.TABLE, config: ConfigFile = DEFAULT) -> None:
    """List what was revealed and forgotten here: by whom, when and why; never the values."""
    rows = answered(config, lambda door: door.get("/api/phi/disclosures"))
    for row in rows:
        row["at"] = when(row["at_ms"])
    columns = {
        "leaf": "EVIDENCE",
        "at": "WHEN",
        "account": "BY",
        "act": "ACT",
        "token_class": "CLASS",
        "count": "TOKENS",
        "reason": "REASON",
    }
    print_rows(rows, columns, output=output)


def held_back(
    forget: Annotated[
        bool, typer.Option("--forget", help="You have looked into it: drop it, end the alarm.")
    ] = False,
    output: Format = Output.TABLE,
    config: ConfigFile = DEFAULT,
) -> None:
    """List what the last look stopped on its way to the hub, or drop it once you looked into it.

    Each line is a text that would have left with something in it that must not: a canary, or the
    form of a number, a secret or an address. It was not sent. It lies sealed on this appliance for
    30 days; its evidence went to the hub without it. Tell whoever looks after Osiris: the scrubber
    has missed something.
    """
    if forget:
        gone = answered(config, lambda door: door.post("/api/held-back/forget", {}))
        print_fields(gone, output=output)
        return
    rows = answered(config, lambda door: door.get("/api/held-back"))
    for row in rows:
        row["last"], row["seen"] = when(row["last_ms"]), ", ".join(row["forms"])
    columns = {
        "what": "WHAT",
        "seen": "SEEN IN IT",
        "size_bytes": "BYTES",
        "times": "TIMES",
        "last": "LAST",
    }
    print_rows(rows, columns, output=output)


def _whom() -> tuple[str, list[str], list[str]]:
    def asked(what: str) -> str:
        answer: str = typer.prompt(what, default="", show_default=False, err=True)
        return answer.strip()

    name = asked("full name (empty: none)")
    return name, asked("record numbers, with blanks between").split(), _lines(asked)


def _lines(asked: Callable[[str], str]) -> list[str]:
    lines: list[str] = []
    while line := asked("a telephone, an address, any value (empty: no more)"):
        lines.append(line)
    return lines


def _confirm() -> None:
    if not sys.stdin.isatty():
        msg = "nobody is here to confirm that values are erased for good: give --yes"
        raise ConfigError(msg)
    if not typer.confirm("Erase for good what this person's tokens stand for?", err=True):
        msg = "not confirmed, nothing was forgotten"
        raise ConflictError(msg)


def _ask(
    config: Path, verb: str, body: Mapping[str, object], *, account: str | None, reason: str
) -> Any:  # noqa: ANN401 - JSON
    name = account or getpass.getuser()
    asked = {**body, "account": name, "password": account_password(name), "reason": reason}
    return answered(config, lambda door: door.post(f"/api/phi/{verb}", asked))
