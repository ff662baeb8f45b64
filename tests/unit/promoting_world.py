"""A release whose rule leaves room for a promoted one, and what its hub tells of a repair."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.core.order_gate.names import problem_of_promoted
from appliance.core.order_gate.values import Known
from osiris.desk import drafting
from proto.catalog.load import load
from proto.catalog.model import Rule
from proto.hub.desk import IncidentTold
from tests.unit.reference_set import RULE as RULE_PATH
from tests.unit.reference_set import as_files, whole_texts
from tests.unit.release_world import GRANTED, NOW_S, Ceremony

CHECK, RUNBOOK, RULE = "lin.ssh.root_login", "rb.lin.ssh.root_login", "l1.lin.ssh.root_login"
PROMOTED = f"l1.p.{CHECK}.i_aaaaaaaaaa"
_ALL = '["yes", "without-password", "prohibit-password", "forced-commands-only"]'


def narrowed() -> dict[str, bytes]:
    """Return the reference set whose rule acts on "yes" alone: other drift waits for a person."""
    texts = dict(whole_texts())
    assert _ALL in texts[RULE_PATH]
    texts[RULE_PATH] = texts[RULE_PATH].replace(
        f"operator: in, value: {_ALL}", 'operator: eq, value: "yes"'
    )
    return as_files(texts)


def greedy() -> dict[str, bytes]:
    """Return the set whose rule acts on whatever drifted."""
    texts = dict(whole_texts())
    line = f"  - {{field: seen.value, operator: in, value: {_ALL}}}\n"
    assert line in texts[RULE_PATH]
    texts[RULE_PATH] = (
        texts[RULE_PATH]
        .replace(line, "")
        .replace(
            '  - {incident: {check: lin.ssh.root_login, seen: {value: "absent"}}, expect: none}\n',
            "",
        )
    )
    return as_files(texts)


def told(**changes: object) -> IncidentTold:
    """Return what a hub tells of an incident that a release rule healed."""
    said: dict[str, Any] = {
        "v": 1,
        "site": "s-aaaaaaaaaa",
        "appliance": "a-aaaaaaaaaa",
        "incident": "i-aaaaaaaaaa",
        "target": "t-aaaaaaaaaa",
        "check": CHECK,
        "state": "closed",
        "rule": RULE,
        "runbook": RUNBOOK,
        "seen": {"value": "yes"},
        "result": "healed",
        "proved": True,
        "leaf": 7,
        "at": NOW_S,
    }
    return IncidentTold.from_value({**said, **changes}, "incident")


def publish(made: Ceremony, content: Mapping[str, bytes]) -> None:
    """Publish a first release of this content, and have the hub take it in."""
    drafting.draft_root(made.folder, now_s=NOW_S)
    drafting.draft_release(made.folder, content, now_s=NOW_S)
    drafting.draft_grants(made.folder, GRANTED, now_s=NOW_S)
    made.sign("ada", "bo")
    assert not made.publish().problem


def appliances_word(rule: Rule, content: Mapping[str, bytes]) -> tuple[str, str] | None:
    """Return the code and the words with which an appliance's gate refuses a rule."""
    known = Known(files=frozenset(), expires_s=0, catalog=load(content))
    problem = problem_of_promoted(replace(rule), known)
    return None if problem is None else (problem[0].value, problem[1])
