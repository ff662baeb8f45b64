"""One incident, one decision: the total order of rules, and a record that never varies."""

import dataclasses
import itertools
import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.catalog.load import load
from proto.catalog.model import Action, Rule, Scope, ScopeKind
from proto.conditions import holds, parse
from proto.incidents import Severity
from proto.rules.matcher import IncidentView, decide, explain_rules, in_order, rank, specificity
from tests.unit.reference_set import as_files, reference_texts

BASE = load(as_files(reference_texts())).rules["l1.lin.ssh.root_login"]
CHECK_EQ = {"field": "check", "operator": "eq", "value": "lin.ssh.root_login"}
VALUE_EQ = {"field": "seen.value", "operator": "eq", "value": "yes"}
VIEW = IncidentView(
    check="lin.ssh.root_login",
    platform="linux",
    severity=Severity.HIGH,
    site="s-aaaaaaaaaa",
    target="t-aaaaaaaaaa",
    seen={"value": "yes"},
    org="acme",
)


def rule(name: str, *conditions: Mapping[str, object], **changes: object) -> Rule:
    """Return a variant of the reference rule."""
    parsed = parse([CHECK_EQ, *conditions], name)
    return dataclasses.replace(BASE, id=f"l1.{name}", conditions=parsed, **changes)  # type: ignore[arg-type]


def by_id(*rules: Rule) -> dict[str, Rule]:
    """Return rules as the catalogue holds them."""
    return {one.id: one for one in in_order(rules)}


HOST = Scope(ScopeKind.HOST, "t-aaaaaaaaaa")
SITE = Scope(ScopeKind.SITE, "s-aaaaaaaaaa")
ORG = Scope(ScopeKind.ORG, "acme")

LADDER = [
    rule("z.guard", action=Action.ESCALATE, runbook_id=None, is_guard=True),
    rule("y.host", scope=HOST),
    rule("x.site", scope=SITE),
    rule("w.org", scope=ORG),
    rule("v.specific", VALUE_EQ, is_promoted=True),
    rule("u.priority", priority=5, is_promoted=True),
    rule("s.written"),
    rule("t.written"),
    rule("a.promoted", is_promoted=True),
]
"""Rules that all match, each ahead of the next for one more reason than its id."""


def test_the_order_is_safety_scope_specificity_priority_written_id() -> None:
    for shuffled in (reversed(LADDER), sorted(LADDER, key=lambda one: one.id)):
        decision = decide(by_id(*shuffled), VIEW.fields())
        assert decision.winner is not None
        assert decision.winner.id == "l1.z.guard"
        assert [loser.rule_id for loser in decision.losers] == [one.id for one in LADDER[1:]]


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (1, "safety tier: a guard acts first"),
        (2, "scope: site comes after host"),
        (3, "scope: org comes after site"),
        (4, "scope: global comes after org"),
        (5, "specificity: 1 comparisons come after 2"),
        (6, "priority: priority 0 comes after 5"),
        (7, "id: the id comes after l1.s.written"),
        (8, "written before promoted: a promoted rule comes after a written one"),
    ],
)
def test_every_loser_is_told_why(place: int, why: str) -> None:
    ahead, behind = LADDER[place - 1], LADDER[place]
    decision = decide(by_id(ahead, behind), VIEW.fields())
    assert decision.winner is ahead
    assert [(one.rule_id, one.why) for one in decision.losers] == [(behind.id, why)]


def test_a_rule_of_another_host_site_or_org_does_not_match() -> None:
    others = [
        rule("host", scope=Scope(ScopeKind.HOST, "t-bbbbbbbbbb")),
        rule("site", scope=Scope(ScopeKind.SITE, "s-bbbbbbbbbb")),
        rule("org", scope=Scope(ScopeKind.ORG, "other")),
    ]
    decision = decide(by_id(*others), VIEW.fields())
    assert decision.winner is None
    assert [near.is_in_scope for near in decision.nearest] == [False, False, False]
    without_org = dataclasses.replace(VIEW, org=None)
    assert decide(by_id(rule("org", scope=ORG)), without_org.fields()).winner is None


def test_no_match_names_the_nearest_three() -> None:
    far = {"field": "seen.value", "operator": "eq", "value": "no"}
    farther = {"field": "severity", "operator": "eq", "value": "low"}
    other_check = dataclasses.replace(
        BASE,
        id="l1.other",
        check="lin.x.y",
        conditions=parse([{"field": "check", "operator": "eq", "value": "lin.x.y"}], ""),
    )
    negated: dict[str, object] = {"none": [VALUE_EQ]}
    rules = by_id(rule("b", far, farther), rule("c", far), other_check, rule("d", negated, farther))
    decision = decide(rules, VIEW.fields())
    assert decision.winner is None
    assert decision.losers == ()
    assert [near.rule_id for near in decision.nearest] == ["l1.c", "l1.b", "l1.d"]
    assert [line.verdict for line in decision.nearest[0].explained] == [True, False]


def test_the_record_says_what_was_wanted_and_seen() -> None:
    decision = decide(by_id(rule("a", VALUE_EQ)), VIEW.fields())
    assert json.loads(decision.record()) == {
        "winner": {
            "rule": "l1.a",
            "action": "execute_runbook",
            "runbook": "rb.lin.ssh.root_login",
            "conditions": [
                {
                    "place": "0",
                    "field": "check",
                    "operator": "eq",
                    "wanted": "lin.ssh.root_login",
                    "seen": "lin.ssh.root_login",
                    "present": True,
                    "verdict": True,
                },
                {
                    "place": "1",
                    "field": "seen.value",
                    "operator": "eq",
                    "wanted": "yes",
                    "seen": "yes",
                    "present": True,
                    "verdict": True,
                },
            ],
        },
        "losers": [],
        "nearest": [],
    }


def test_specificity_counts_what_must_hold_at_least() -> None:
    two = {"all": [VALUE_EQ, {"field": "severity", "operator": "eq", "value": "high"}]}
    assert specificity(parse([CHECK_EQ], "")) == 1
    assert specificity(parse([CHECK_EQ, two], "")) == 3
    assert specificity(parse([CHECK_EQ, {"any": [two, VALUE_EQ]}], "")) == 2
    wide = [
        {"any": [{"field": name, "operator": "eq", "value": n} for n in (1, 2, 3)]}
        for name in ("site", "target", "org")
    ]
    assert specificity(parse([CHECK_EQ, *wide], "")) == 4


seen_values = st.sampled_from(["yes", "no", "absent", "other", 1, True])
some_conditions = st.lists(
    st.one_of(
        seen_values.map(lambda value: {"field": "seen.value", "operator": "eq", "value": value}),
        st.sampled_from(["high", "low"]).map(
            lambda value: {"field": "severity", "operator": "ne", "value": value}
        ),
    ),
    max_size=2,
)


@st.composite
def some_rules(draw: st.DrawFn) -> list[Rule]:
    return [
        rule(
            f"r{number}",
            *draw(some_conditions),
            scope=draw(st.sampled_from([HOST, SITE, BASE.scope])),
            priority=draw(st.integers(0, 1)),
            is_promoted=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 6)))
    ]


@settings(max_examples=200, deadline=None)
@given(rules=some_rules(), value=seen_values, data=st.data())
def test_the_same_rules_and_incident_always_give_the_same_record(
    rules: list[Rule], value: str | int, data: st.DataObject
) -> None:
    fields = dataclasses.replace(VIEW, seen={"value": value}).fields()
    shuffled = data.draw(st.permutations(rules))
    other_fields = dict(reversed(fields.items()))
    record = decide(by_id(*rules), fields).record()
    assert record == decide(by_id(*shuffled), other_fields).record()


@settings(max_examples=200, deadline=None)
@given(rules=some_rules(), value=seen_values)
def test_every_rule_that_matches_is_named_and_the_first_in_rank_acts(
    rules: list[Rule], value: str | int
) -> None:
    fields = dataclasses.replace(VIEW, seen={"value": value}).fields()
    decision = decide(by_id(*rules), fields)
    matching = sorted((one for one in rules if holds(one.conditions, fields)), key=rank)
    named = [decision.winner.id] if decision.winner else []
    named += [loser.rule_id for loser in decision.losers]
    assert named == [one.id for one in matching]
    assert len(decision.nearest) == (0 if matching else min(3, len(rules)))


def test_the_order_is_total() -> None:
    ranks = [rank(one) for one in LADDER]
    assert len(set(ranks)) == len(LADDER)
    for left, right in itertools.combinations(ranks, 2):
        assert (left < right) != (right < left)


def test_explaining_shows_every_rule_of_the_check_in_order() -> None:
    rules = MappingProxyType(by_id(*LADDER))
    explained = explain_rules(rules, {**VIEW.fields(), "seen.value": "absent"})
    assert [near.rule_id for near in explained] == [one.id for one in LADDER]
    assert [near.rule_id for near in explained if not near.is_match] == ["l1.v.specific"]
    assert explain_rules(rules, {"check": "lin.gone.gone"}) == ()
