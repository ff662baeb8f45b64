"""The gate: rules that could not act, would fight or would chase each other never get in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.catalog.load import load
from proto.catalog.model import Content
from proto.conditions import parse
from proto.errors import CatalogError
from proto.findings import Verdict
from proto.judge import judge_fields
from proto.rules.advice import advise
from proto.rules.examples import run_rule_tests
from proto.rules.loops import clash, contention
from proto.rules.matcher import matches
from proto.rules.space import SAMPLE_FACTS, space_of
from tests.unit.reference_set import CHECK, RULE, RUNBOOK, as_files, edited, whole_texts

SECOND = "l1/linux/l1.lin.ssh.second.yaml"
ANY_VALUE = "  - {field: seen.value, operator: exists}\n"


def rule_text(name: str, conditions: str, *, more: str = "", seen: str = "yes") -> str:
    """Return a rule for the reference check that fires the reference runbook."""
    return (
        f"id: l1.lin.ssh.{name}\n"
        "conditions:\n"
        "  - {field: check, operator: eq, value: lin.ssh.root_login}\n"
        f"{conditions}"
        "action: execute_runbook\nrunbook_id: rb.lin.ssh.root_login\nparams: {}\n"
        f"limits: {{cooldown_s: 60, per_day: 1}}\nscope: global\n{more}"
        "tests:\n"
        f'  - {{incident: {{check: lin.ssh.root_login, seen: {{value: "{seen}"}}}}, '
        "expect: rb.lin.ssh.root_login}\n"
    )


def escalating(text: str) -> str:
    """Return the same rule, handing over to a person."""
    start, end = text.index("action:"), text.index("scope:")
    text = text[:start] + "action: escalate\n" + text[end:]
    return text.replace("expect: rb.lin.ssh.root_login", "expect: escalate")


def with_rules(**texts: str) -> dict[str, bytes]:
    """Return the whole set with further rules for the reference check."""
    files = whole_texts()
    for name, text in texts.items():
        files[f"l1/linux/l1.lin.ssh.{name}.yaml"] = text
    return as_files(files)


def problems_of(files: dict[str, bytes]) -> list[str]:
    """Load a set that must be refused and return its problems."""
    with pytest.raises(CatalogError) as caught:
        load(files)
    return caught.value.problems


def eq(field: str, value: str) -> str:
    """Return the line of an equality."""
    return f"  - {{field: {field}, operator: eq, value: {value}}}\n"


def test_a_contradictory_rule_is_refused() -> None:
    text = rule_text("second", eq("seen.value", '"yes"') + eq("seen.value", '"no"'))
    assert (
        f"{SECOND}:2: contradictory: it matches no answer that the check can give"
        in problems_of(with_rules(second=text))
    )


def test_a_rule_for_answers_that_are_not_drifted_is_unreachable() -> None:
    text = rule_text("second", eq("seen.value", '"no"'), seen="no")
    assert f"{SECOND}:2: unreachable: it matches only answers that are not drifted" in problems_of(
        with_rules(second=text)
    )


def test_a_rule_that_another_always_precedes_is_shadowed() -> None:
    guard = escalating(rule_text("guard", "", more="guard: true\n"))
    problems = problems_of(with_rules(guard=guard))
    assert f"{RULE}:2: shadowed by l1.lin.ssh.guard: it can never act" in problems


def test_a_rule_that_others_cover_together_is_shadowed() -> None:
    halves = {
        name: rule_text(
            name,
            f'  - {{field: seen.value, operator: {operator}, value: ["yes"]}}\n{ANY_VALUE}',
            seen=seen,
        )
        for name, operator, seen in (("one", "in", "yes"), ("two", "not_in", "without-password"))
    }
    problems = problems_of(with_rules(**halves))
    assert f"{RULE}:2: shadowed by l1.lin.ssh.one, l1.lin.ssh.two: it can never act" in problems


def test_a_rule_written_twice_is_a_duplicate() -> None:
    conditions = (
        '  - {field: seen.value, operator: in, value: ["forced-commands-only", "yes", '
        '"prohibit-password", "without-password"]}\n'
    )
    problems = problems_of(with_rules(second=rule_text("second", conditions)))
    assert f"{SECOND}:2: duplicate of l1.lin.ssh.root_login" in problems


def test_rules_of_the_same_rank_must_not_disagree() -> None:
    conditions = '  - {field: seen.value, operator: in, value: ["prohibit-password", "absent"]}\n'
    text = escalating(rule_text("second", conditions, seen="absent"))
    what = "rb.lin.ssh.root_login against escalate"
    assert problems_of(with_rules(second=text)) == [
        f"{SECOND}:2: conflict with l1.lin.ssh.root_login: same rank, {what}"
    ]
    load(with_rules(second=text.replace("scope: global\n", "scope: global\npriority: 1\n")))


def test_a_conflict_is_told_once_a_pair_of_runbooks() -> None:
    conditions = '  - {field: seen.value, operator: in, value: ["prohibit-password", "absent"]}\n'
    second = escalating(rule_text("second", conditions, seen="absent"))
    third = second.replace("second", "third").replace('"prohibit-', '"without-')
    conflicts = [
        one for one in problems_of(with_rules(second=second, third=third)) if "conf" in one
    ]
    assert len(conflicts) == 1


def test_a_rule_for_one_site_neither_shadows_nor_is_shadowed() -> None:
    site = escalating(rule_text("second", "")).replace("global", "site:s-bbbbbbbbbb")
    content = load(with_rules(second=site))
    assert next(iter(content.rules)) == "l1.lin.ssh.second"
    broad = site.replace("site:s-bbbbbbbbbb", "global")
    load(with_rules(second=broad.replace('{value: "yes"}', "{value: absent}")))


def test_a_test_that_another_rule_wins_is_refused() -> None:
    site = escalating(rule_text("second", "")).replace("global", "site:s-aaaaaaaaaa")
    assert problems_of(with_rules(second=site)) == [
        f"{RULE}:11: expects rb.lin.ssh.root_login, but l1.lin.ssh.second acts first"
    ]


def test_a_rule_must_be_shown_acting() -> None:
    problems = problems_of(
        edited(RULE, '  - {incident: {check: lin.ssh.root_login, seen: {value: "yes"}}', "  #")
    )
    assert problems == [f"{RULE}:10: no test shows the rule acting"]


def test_a_judge_must_be_able_to_say_both() -> None:
    never = edited(
        CHECK, 'eq, value: "no"}]', 'eq, value: "no"}, {field: value, operator: ne, value: "no"}]'
    )
    assert f"{CHECK}:23: no answer can be compliant" in problems_of(never)
    always = edited(CHECK, 'operator: eq, value: "no"}]', "operator: exists}]")
    assert f"{CHECK}:23: no answer can be drifted" in problems_of(always)
    applies = edited(
        CHECK, "field: present, operator: eq, value: true", "field: present, operator: exists"
    )
    assert f"{CHECK}:22: applies is true of every answer" in problems_of(applies)


def test_a_check_that_cannot_be_proved_is_refused() -> None:
    texts = whole_texts()
    fields = [f"f{number}" for number in range(14)]
    texts[CHECK] = (
        texts[CHECK]
        .replace(
            "answer:\n", "answer:\n" + "".join(f"  {name}: {{type: bool}}\n" for name in fields)
        )
        .replace(
            "judge: [",
            "judge: [" + "".join(f"{{field: {name}, operator: exists}}, " for name in fields),
        )
    )
    assert any(
        "different cases, at most 20000 can be proved" in one
        for one in problems_of(as_files(texts))
    )


OTHER_CHECK = CHECK.replace("root_login", "other")
OTHER_RUNBOOK = RUNBOOK.replace("root_login", "other")
OTHER_RULE = RULE.replace("root_login", "other")


def two_of_a_kind(
    first: str, second: str, *, reads: tuple[str, str] = ("", "")
) -> dict[str, bytes]:
    """Return two checks, each with a runbook and a rule, and what they write and read."""
    texts = whole_texts()
    for path, other in ((CHECK, OTHER_CHECK), (RUNBOOK, OTHER_RUNBOOK), (RULE, OTHER_RULE)):
        texts[other] = texts[path].replace("lin.ssh.root_login", "lin.ssh.other")
    for path, writes in ((RUNBOOK, first), (OTHER_RUNBOOK, second)):
        old = '["file:/etc/ssh/sshd_config", "file:/etc/ssh/osiris.d/root_login.conf"]'
        texts[path] = texts[path].replace(old, writes)
    for path, read in ((CHECK, reads[0]), (OTHER_CHECK, reads[1])):
        texts[path] += read and f"reads: {read}\n"
    return as_files(texts)


def test_runbooks_may_share_a_file_when_each_has_a_part_of_its_own() -> None:
    load(two_of_a_kind('["file:/a", "file:/a.d/one"]', '["file:/a", "file:/a.d/two"]'))
    load(two_of_a_kind('["unit:x=on"]', '["unit:x=on"]'))
    load(two_of_a_kind('["unit:x=on"]', '["unit:y=off"]'))


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ('["unit:x=on"]', '["unit:x=off"]', "unit:x (off against on)"),
        ('["file:/a"]', '["file:/a"]', "file:/a"),
        ('["file:/a", "file:/b"]', '["file:/a"]', "file:/a"),
        ('["unit:x=on", "file:/b"]', '["unit:x=off", "file:/c"]', "unit:x (off against on)"),
    ],
)
def test_runbooks_that_undo_each_other_are_refused(first: str, second: str, what: str) -> None:
    problems = problems_of(two_of_a_kind(first, second))
    both = "rb.lin.ssh.other and rb.lin.ssh.root_login"
    assert problems == [f"{OTHER_RUNBOOK}:9: {both} write {what}: each would undo the other"]


def test_heals_that_chase_each_other_are_a_loop() -> None:
    problems = problems_of(
        two_of_a_kind(
            '["unit:x=on", "file:/one"]',
            '["unit:y=on", "file:/two"]',
            reads=('["unit:y=off"]', '["unit:x=off"]'),
        )
    )
    cycle = "lin.ssh.other -> lin.ssh.root_login -> lin.ssh.other"
    assert problems == [f"{OTHER_RULE}:6: heal loop: {cycle}: each heal drifts the next"]


def test_a_heal_that_drifts_its_own_check_is_a_loop() -> None:
    problems = problems_of(
        two_of_a_kind('["unit:x=on"]', '["unit:y=on"]', reads=('["unit:x=off"]', ""))
    )
    assert problems == [
        f"{RULE}:6: heal loop: lin.ssh.root_login -> lin.ssh.root_login: each heal drifts the next"
    ]


def test_a_heal_that_drifts_another_check_once_is_no_loop() -> None:
    load(two_of_a_kind('["unit:x=on"]', '["unit:y=on"]', reads=('["unit:x=on"]', '["unit:x=off"]')))


def test_resources_clash_by_value_and_contend_for_the_whole() -> None:
    assert clash(["a:b=1"], ["a:b=1", "a:c"]) is None
    assert clash(["a:b=1"], ["a:b"]) is None
    assert clash(["a:b=1", "x:y"], ["a:b=2"]) == "a:b (1 against 2)"
    assert contention(["a:b=1"], ["a:b"]) == "a:b"
    assert contention(["a:b", "a:c"], ["a:b", "a:d"]) is None
    assert contention(["a:b"], ["a:c"]) is None


COUNT_CHECK = """id: lin.disk.room
title: The disk has room
platform: linux
severity: low
controls:
  hipaa:164.312(e)(1): x
  nist_800_53:SC-8: x
interval_s: 900
freshness_s: 3600
probe: {kind: sh, as_root: false, timeout_s: 5, script: "df"}
answer:
  mounted: {type: bool}
  percent: {type: int, min: 0, max: 100, report: true}
  inodes: {type: int, min: 0, max: 100, report: true}
  note: {type: text, max_chars: 40}
applies: [{field: mounted, operator: eq, value: true}, {field: note, operator: ne, value: skip}]
judge:
  - {field: percent, operator: lte, value: 85}
  - any:
      - {field: inodes, operator: lt, value: 90}
      - {field: percent, operator: between, value: [20, 30]}
examples:
  - {answer: {mounted: true, percent: 10, inodes: 5, note: ""}, verdict: compliant}
  - {answer: {mounted: true, percent: 90, inodes: 5, note: ""}, verdict: drifted}
  - {answer: {mounted: false, percent: 0, inodes: 0, note: ""}, verdict: not_applicable}
  - {answer: {}, verdict: unknown}
"""
COUNT_RULE = """id: l1.lin.disk.room
conditions:
  - {field: check, operator: eq, value: lin.disk.room}
  - {field: seen.percent, operator: gt, value: 95}
action: escalate
scope: global
tests:
  - {incident: {check: lin.disk.room, seen: {percent: 99}}, expect: escalate}
"""


def counting() -> Content:
    """Return a set with a check over integers and text."""
    texts = whole_texts()
    texts["checks/linux/lin.disk.room.yaml"] = COUNT_CHECK
    texts["l1/linux/l1.lin.disk.room.yaml"] = COUNT_RULE
    return load(as_files(texts))


COUNTING = counting()
SPACE = space_of(COUNTING.checks["lin.disk.room"], [COUNTING.rules["l1.lin.disk.room"]])


@settings(max_examples=300, deadline=None)
@given(
    mounted=st.booleans(),
    percent=st.integers(0, 100),
    inodes=st.integers(0, 100),
    note=st.sampled_from(["", "skip", "x", "skipx", "xskip"]) | st.text(max_size=5),
)
def test_the_representatives_show_every_case_that_there_is(
    *,
    mounted: bool,
    percent: int,
    inodes: int,
    note: str,
) -> None:
    check = COUNTING.checks["lin.disk.room"]
    rule = COUNTING.rules["l1.lin.disk.room"]
    answer = {"mounted": mounted, "percent": percent, "inodes": inodes, "note": note}
    judged = judge_fields(check, answer, facts=SAMPLE_FACTS)
    assert judged.verdict in SPACE.verdicts
    fields = {"check": check.id, **{f"seen.{name}": one for name, one in judged.seen.items()}}
    points = SPACE.incidents if judged.verdict is Verdict.DRIFTED else SPACE.others
    assert matches(rule, fields) in {matches(rule, point) for point in points}


def test_a_threshold_that_nothing_reaches_is_refused() -> None:
    texts = whole_texts()
    texts["checks/linux/lin.disk.room.yaml"] = COUNT_CHECK
    path = "l1/linux/l1.lin.disk.room.yaml"
    texts[path] = COUNT_RULE.replace("value: 95", "value: 200")
    assert problems_of(as_files(texts)) == [
        f"{path}:4: conditions: seen.percent never holds 200; it lies between 0 and 100"
    ]
    texts[path] = COUNT_RULE.replace("gt, value: 95", "lt, value: 80")
    assert f"{path}:2: unreachable" not in problems_of(as_files(texts))[0]
    texts[path] = COUNT_RULE.replace("seen.percent", "seen.inodes").replace(
        "operator: gt, value: 95", "operator: field_eq, value: seen.note"
    )
    assert problems_of(as_files(texts)) == [f"{path}:4: conditions: unknown field seen.note"]


def test_rule_tests_run_with_a_near_miss_for_every_comparison() -> None:
    report = run_rule_tests(load(as_files(whole_texts())))
    assert report.problems == ()
    assert (report.tests, report.near_misses) == (3, 3)


@pytest.mark.parametrize(
    "redundant", [ANY_VALUE, '  - {field: seen.value, operator: ne, value: "no"}\n']
)
def test_a_comparison_that_makes_no_difference_has_no_near_miss(redundant: str) -> None:
    needed = "  - {field: severity, operator: ne, value: low}\n"
    report = run_rule_tests(load(edited(RULE, "action:", f"{needed}{redundant}action:")))
    operator = redundant.partition("operator: ")[2].partition("}")[0].partition(",")[0]
    assert report.problems == (
        f"{RULE}:6: no near miss: seen.value {operator} makes no difference to the tests",
    )
    assert report.near_misses == 4


def test_near_misses_reach_into_groups() -> None:
    group = (
        "  - any:\n"
        '      - {field: seen.value, operator: eq, value: "absent"}\n'
        '      - {field: seen.value, operator: eq, value: "without-password"}\n'
        "  - none:\n"
        "      - {field: severity, operator: eq, value: low}\n"
    )
    report = run_rule_tests(load(with_rules(second=rule_text("second", group, seen="absent"))))
    assert report.problems == ()
    assert report.near_misses == 3 + 4


def test_advice_names_drift_without_a_rule_and_odd_controls() -> None:
    content = load(as_files(whole_texts()))
    mapping = {"164.312(a)(2)(i)": frozenset({"IA-2"}), "164.312(e)(1)": frozenset({"SC-8"})}
    advice = advise(content, nist_by_hipaa=mapping)
    assert advice == (
        f"{CHECK}:1: 1 of 5 kinds of drift match no rule and are escalated: seen.value=absent",
        f"{CHECK}:5: NIST maps none of AC-6(2) to 164.312(a)(2)(i)",
    )
    around = {"164.312(a)": frozenset({"AC-6"}), "164.312(e)(1)": frozenset({"SC-8(1)"})}
    assert len(advise(content, nist_by_hipaa=around)) == 1
    assert len(advise(content)) == 1


def test_conditions_of_a_set_are_what_the_parser_gave() -> None:
    rule = load(as_files(whole_texts())).rules["l1.net.port.telnet"]
    raw = [{"field": "check", "operator": "eq", "value": "net.port.telnet"}]
    assert rule.conditions == parse(raw, "")
