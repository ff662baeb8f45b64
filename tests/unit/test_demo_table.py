"""The demo's last line says no more than was proved."""

import io
from typing import Any

from rich.console import Console

from osiris.demo import table
from osiris.demo.goal import Picture


def row(state: str, result: str | None) -> dict[str, Any]:
    return {
        "target": "t-aaaaaaaaaa",
        "check": "lin.ssh.root_login",
        "state": state,
        "cause": None,
        "result": result,
        "updated_ms": 1,
    }


def said(*incidents: dict[str, Any]) -> str:
    status = {"hub_acknowledged": 9, "evidence": 9}
    picture = Picture(status=status, findings=[], incidents=list(incidents), names={}, checks=1)
    paper = io.StringIO()
    Console(width=200, file=paper).print(table.render(picture, [], {}))
    return paper.getvalue()


def test_only_a_proved_repair_is_healed_and_verified() -> None:
    text = said(
        row("healed", "healed"),
        row("closed", "healed"),
        row("closed", None),
        row("closed", "undone"),
        row("escalated", "undone"),
    )
    assert "5 drifts found, 2 healed and verified, 2 passed a later check, 1 handed" in text


def test_nothing_is_said_of_what_there_was_none_of() -> None:
    assert "1 drift found, 1 healed and verified, 0 handed" in said(row("healed", "healed"))
