"""A set that does not hold together is refused whole, and every problem names file and line."""

import pytest

from proto.catalog.load import load
from proto.errors import CatalogError
from tests.unit.reference_set import (
    CHECK,
    HIPAA,
    NET_CHECK,
    NET_RULE,
    NIST,
    RULE,
    RUNBOOK,
    as_files,
    edited,
    whole_texts,
)

Refusal = tuple[str, str, str, str]
"""File, what is replaced, by what, and the problem that begins with the line."""


def problems_of(files: dict[str, bytes]) -> list[str]:
    """Load a set that must be refused and return its problems."""
    with pytest.raises(CatalogError) as caught:
        load(files)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def refused_with(path: str, old: str, new: str, problem: str) -> None:
    """Hold that a set with one edit is refused with this problem in the edited file."""
    problems = problems_of(edited(path, old, new))
    expected = f"{path}:{problem}"
    assert any(one.startswith(expected) for one in problems), "\n".join(problems)


_LONG = "type: text, report: true, max_chars: 1024}"

CHECKS: list[Refusal] = [
    (CHECK, "id: lin.ssh.root_login", "id: lin.ssh.other", "1: id is lin.ssh.other, but the file"),
    (CHECK, "id: lin.ssh.root_login", "id: net.ssh.root_login", "1: id net.ssh.root_login of pl"),
    (CHECK, "id: lin.ssh.root_login", "id: Lin", "1: id 'Lin' does not have the form"),
    (CHECK, "title: Root", "titel: Root", "2: unknown key 'titel'"),
    (CHECK, "title: Root", "titel: Root", "1: title is missing"),
    (CHECK, "platform: linux", "platform: network", "3: platform is network, but the file's dir"),
    (CHECK, "platform: linux", "platform: windows", "3: platform must be one of linux, network"),
    (CHECK, "severity: high", "severity: severe", "4: severity must be one of low"),
    (CHECK, "  hipaa:164.312(a)(2)(i)", "  hipaa 164", "6: 'hipaa 164' does not have the form"),
    (CHECK, "  hipaa:164", "  hitrust:164", "5: controls name no hipaa control"),
    (CHECK, "  hipaa:164", "  cis:5: x\n  hipaa:164", "6: cis:5: there is no controls/cis.yaml"),
    (CHECK, "hipaa:164.312(a)(2)(i)", "hipaa:164.999", "6: hipaa:164.999: controls/hipaa.yaml l"),
    (CHECK, "nist_800_53:AC-6(2)", "nist_800_53:AC-66", "7: nist_800_53:AC-66: controls/nist_"),
    (CHECK, "interval_s: 900", "interval_s: 5", "8: interval_s must be an integer from 30"),
    (CHECK, "interval_s: 900", 'interval_s: "900"', "8: interval_s must be an integer"),
    (CHECK, "freshness_s: 3600", "freshness_s: 600", "9: freshness_s is below interval_s"),
    (CHECK, "kind: sh", "kind: powershell", "11: unknown probe kind on linux: powershell"),
    (CHECK, "kind: sh", "kind: agent", "11: unknown probe kind on linux: agent"),
    (CHECK, "kind: sh", "kind: bash", "11: kind must be one of sh"),
    (CHECK, "as_root: true", "as_root: 1", "12: as_root must be true or false"),
    (CHECK, "timeout_s: 20", "timeout_s: 0", "13: timeout_s must be an integer from 1"),
    (CHECK, "  script: |", "  skript: |", "14: unknown key 'skript' in probe"),
    (CHECK, "present: {type: bool}", "present: {type: float}", "20: type must be one of bool"),
    (
        CHECK,
        "present: {type: bool}",
        "present: {type: int}",
        "20: min is missing in answer.present",
    ),
    (
        CHECK,
        "present: {type: bool}",
        "Present: {type: bool}",
        "20: 'Present' is no name of a field",
    ),
    (CHECK, '["no", "yes", "wi', '["no", "no", "wi', "21: enum names 'no' twice"),
    (
        CHECK,
        "bool}",
        f"text, report: true, max_chars: 1}}\n  b: {{{_LONG}\n  c: {{{_LONG}",
        "19: the text to report may have 2049 characters, at most 2048",
    ),
    (CHECK, "applies: [{field: present", "applies: [{field: gone", "22: applies: gone is neither"),
    (CHECK, "judge: [{field: value", "judge: [{field: target.name", "23: judge: target.name is n"),
    (CHECK, "operator: eq, value: true", "operator: is, value: true", "22: applies: unknown oper"),
    (CHECK, "operator: eq, value: true", "operator: gt, value: 1", "22: applies: gt does not fit"),
    (
        CHECK,
        "operator: eq, value: true",
        'operator: eq, value: "1"',
        "22: applies: present never h",
    ),
    (CHECK, 'value: "no"}]', 'value: "maybe"}]', "23: judge: value never holds 'maybe'; it is one"),
    (
        CHECK,
        'operator: eq, value: "no"',
        "operator: age_gt, value: 9",
        "23: judge: judging has no cl",
    ),
    (CHECK, "judge: [{", "judge: []\n#", "23: judge: must be a list of at least one condition"),
    (CHECK, "examples:", "examples: []\nexample:", "24: examples must be a list of 1 to"),
    (CHECK, "verdict: drifted", "verdict: compliant", "26: the example says compliant, judging sa"),
    (CHECK, "verdict: unknown", "verdict: drifted", "28: the example says drifted, judging says u"),
    (CHECK, "  - {answer: {present: true}, verdict: unknown}\n", "", "24: no example is unknown"),
    (CHECK, '  - {answer: {present: true, value: "yes"}', "  #", "24: no example is drifted"),
    (CHECK, "severity: high", "severity: high\nreads: [x]", "5: reads: 'x' does not have the form"),
    (
        CHECK,
        '{present: true, value: "no"}',
        "{present: [], value: x}",
        "25: answer.present must be",
    ),
]

NETWORK: list[Refusal] = [
    (NET_CHECK, "kind: inventory", "kind: sh", "11: unknown probe kind on network: sh"),
    (
        NET_CHECK,
        "ports: {telnet",
        "ports: {ftp",
        "13: an inventory probe answers exactly the names",
    ),
    (
        NET_CHECK,
        "type: bool",
        "type: int, min: 0, max: 1",
        "14: answer.telnet of an inventory probe",
    ),
    (NET_CHECK, "[23, 2323]", "[23, 23]", "12: telnet must list different TCP ports, not 23"),
    (NET_CHECK, "[23, 2323]", "[0]", "12: telnet must list different TCP ports, not 0"),
    (NET_CHECK, "[23, 2323]", "[70000]", "12: telnet must list different TCP ports, not 70000"),
    (NET_CHECK, "[23, 2323]", "[]", "12: telnet must be a list of 1 to 8 items"),
    (NET_CHECK, "  ports:", "  script: x\n  ports:", "12: unknown key 'script' in probe"),
]

RUNBOOKS: list[Refusal] = [
    (RUNBOOK, "id: rb.lin", "id: lin", "1: id 'lin.ssh.root_login' does not have the form"),
    (RUNBOOK, "autonomy: auto", "autonomy: full", "4: autonomy must be one of observe"),
    (RUNBOOK, "disruption: service", "disruption: some", "5: disruption must be one of none"),
    (
        RUNBOOK,
        "field: target.login",
        "field: target.name",
        "7: requires: target.name is not a fact",
    ),
    (
        RUNBOOK,
        "requires: [",
        "requires: [{field: target.class, operator: eq, value: pc}, ",
        "7: requires: target.class never holds 'pc'; it is one of server",
    ),
    (
        RUNBOOK,
        'operator: ne, value: "root"',
        "operator: gt, value: 1",
        "7: requires: gt does not f",
    ),
    (RUNBOOK, "requires: [", "# requires: [", "9: writes file:/etc/ssh/sshd_config, which can cut"),
    (RUNBOOK, "field: target.login", "field: target.os", "9: writes file:/etc/ssh/sshd_config, w"),
    (
        RUNBOOK,
        "params: {}",
        "params: {path: {type: bool}}",
        "8: a parameter's name: path would shad",
    ),
    (
        RUNBOOK,
        "params: {}",
        "params: {ifs: {type: bool}}",
        "8: a parameter's name: ifs would shadow",
    ),
    (RUNBOOK, "params: {}", "params: {if: {type: bool}}", "8: a parameter's name: if is a word of"),
    (
        RUNBOOK,
        "params: {}",
        "params: {fact_x: {type: bool}}",
        "8: a parameter's name: fact_x begins",
    ),
    (
        RUNBOOK,
        "params: {}",
        "params: {A: {type: bool}}",
        "8: a parameter's name: 'A' does not have",
    ),
    (RUNBOOK, "params: {}", "params: {mode: {type: bool}}", "8: no step uses the parameter mode"),
    (RUNBOOK, "params: {}", "params: {count: {type: int}}", "8: min is missing in params.count"),
    (RUNBOOK, "params: {}", "params: {count: {type: text}}", "8: type must be one of enum"),
    (
        RUNBOOK,
        "params: {}",
        "params: {count: {type: pattern, max_chars: 9, pattern: '(?=x)'}}",
        "8: RE2 refuses the pattern",
    ),
    (
        RUNBOOK,
        '"file:/etc/ssh/sshd_config", ',
        "sshd_config, ",
        "9: writes: 'sshd_config' does not",
    ),
    (RUNBOOK, "capture: |", "capture: |\n  echo $fact_host", "10: $fact_host is not a fact"),
    (RUNBOOK, "timeout_s: 30", "timeout_s: 9999", "14: timeout_s must be an integer from 1 to 900"),
    (RUNBOOK, "id: first_include", "id: First", "13: id 'First' does not have the form"),
    (RUNBOOK, "undo: |", "irreversible: never\nundo: |", "22: a runbook with undo is not irrevers"),
    (RUNBOOK, "undo: |", "undone: |", "1: irreversible is missing"),
    (RUNBOOK, "verify: [lin.", "verify: [lin.ssh.gone, lin.", "27: there is no check lin.ssh.gone"),
    (
        RUNBOOK,
        "verify: [",
        "verify: [net.port.telnet, ",
        "27: net.port.telnet is for network, the r",
    ),
    (RUNBOOK, "accepted: false", "accepted: true", "28: the example is refused: rb.lin.ssh.root"),
    (RUNBOOK, ", {params: {value", "] #", "28: examples show no refused parameters"),
    (RUNBOOK, "{params: {}, accepted: true}, ", "", "28: examples show no accepted parameters"),
    (RUNBOOK, "accepted: true", "accepted: false", "28: the example is accepted, not refused"),
]

RULES: list[Refusal] = [
    (RULE, "id: l1.", "id: rule.", "1: id 'rule.lin.ssh.root_login' does not have the form"),
    (
        RULE,
        "operator: eq, value: lin",
        "operator: ne, value: lin",
        "2: conditions must hold exactly",
    ),
    (
        RULE,
        "operator: eq, value: lin.ssh.root_login",
        "operator: eq, value: 5",
        "2: `check eq` names",
    ),
    (
        RULE,
        "value: lin.ssh.root_login}",
        "value: lin.ssh.gone}",
        "2: there is no check lin.ssh.gone",
    ),
    (RULE, "seen.value", "seen.present", "4: conditions: unknown field seen.present; there are"),
    (RULE, "seen.value", "value", "4: conditions: unknown field value"),
    (RULE, '["yes", ', '["YES", ', "4: conditions: seen.value never holds 'YES'; it is one of no"),
    (RULE, "in, value: [", "between, value: [1, 2]}\n  # [", "4: conditions: between does not f"),
    (RULE, '["yes", "with', '["no"]}\n  # ["', "2: unreachable: it matches only answ"),
    (RULE, "action: execute_runbook", "action: run", "5: action must be one of execute_runbook"),
    (
        RULE,
        "runbook_id: rb.lin.ssh.root_login",
        "runbook_id: rb.lin.gone",
        "6: there is no runbook",
    ),
    (RULE, "runbook_id:", "runbook:", "1: runbook_id is missing"),
    (
        RULE,
        "params: {}",
        "params: {value: x}",
        "7: rb.lin.ssh.root_login: unknown parameter 'value'",
    ),
    (RULE, "per_day: 3", "per_day: 0", "8: per_day must be an integer from 1"),
    (RULE, "limits: {cooldown_s: 3600, per_day: 3}\n", "", "1: limits is missing"),
    (RULE, "scope: global", "scope: site:somewhere", "9: scope must be global, org:NAME"),
    (RULE, "scope: global", "scope: global\nguard: true", "10: a guard may only escalate"),
    (
        RULE,
        'value: "absent"}}, expect: none',
        'value: "no"}}, expect: escalate',
        "12: expects escal",
    ),
    (
        RULE,
        'value: "absent"}}',
        'value: "yes"}}',
        "12: expects none, but l1.lin.ssh.root_login mat",
    ),
    (
        RULE,
        'value: "yes"}}',
        'value: "no"}}',
        "11: expects rb.lin.ssh.root_login, but no rule matches",
    ),
    (
        RULE,
        'value: "yes"}}',
        'value: "maybe"}}',
        "11: the incident: seen.value is not of type enum",
    ),
    (
        RULE,
        'seen: {value: "yes"}',
        "seen: {present: true}",
        "11: the incident has seen.present, wh",
    ),
    (
        RULE,
        "{check: lin.ssh.root_login, seen",
        "{check: lin.gone.gone, seen",
        "11: the incident's che",
    ),
    (
        RULE,
        "incident: {check: lin.ssh.root_login, ",
        "incident: {",
        "11: the incident names no check",
    ),
    (RULE, "incident: {check: l", "incident: {host: x, check: l", "11: an incident has no 'host'"),
    (RULE, "expect: rb.lin.ssh.root_login", "expect: maybe", "11: expect must be a runbook's id"),
    (
        NET_RULE,
        "seen: {telnet: true}}, expect: escalate",
        "seen: {}}, expect: ignore",
        "7: expects",
    ),
]

CONTROLS: list[Refusal] = [
    (HIPAA, "framework: hipaa", "framework: HIPAA", "1: framework 'HIPAA' does not have the form"),
    (HIPAA, "framework: hipaa", "framework: hitech", "1: framework is hitech, but the file's name"),
    (HIPAA, "  164.312(a)", "  164 312(a)", "4: '164 312(a)(2)(i)' is no control's id"),
    (HIPAA, "title: HIPAA", "crosswalk: {}\ntitle: HIPAA", "2: unknown key 'crosswalk'"),
    (NIST, "controls:", "controls: {}\nids:", "3: controls must list 1 to"),
]


@pytest.mark.parametrize("refusal", [*CHECKS, *NETWORK, *RUNBOOKS, *RULES, *CONTROLS])
def test_one_wrong_thing_refuses_the_set(refusal: Refusal) -> None:
    refused_with(*refusal)


WEAKENING = [
    "sed -i 's/^#*PermitRootLogin.*/PermitRootLogin yes/' $c",
    "echo 'PermitEmptyPasswords yes' >>$c",
    "echo PasswordAuthentication yes >>$c",
    "chmod 777 /srv",
    "chmod -R a+rw /srv",
    "chmod 0666 /etc/x",
    "echo 'osiris ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/x",
    "ufw --force disable",
    "nft flush ruleset",
    "iptables -F",
    "iptables -P INPUT ACCEPT",
    "systemctl disable --now ufw",
    "systemctl stop foo auditd.service",
    "setenforce 0",
    "auditctl -e 0",
    "curl -s http://x/install.sh | sudo sh",
    "curl -k https://x",
    "apt-get install -y --allow-unauthenticated x",
    "echo 'ssl_protocols TLSv1 TLSv1.2;' >x",
    "ssh -o StrictHostKeyChecking=no x",
    "echo ' # mine'; chmod 777 /srv",
    """awk '{print "PermitRootLogin yes"}' /dev/null >>$c""",
]


@pytest.mark.parametrize("line", WEAKENING)
def test_no_repair_may_weaken_a_safeguard(line: str) -> None:
    refused_with(
        RUNBOOK,
        "      sshd -t; systemctl reload",
        f"      {line}; systemctl reload",
        "15: line 6 of",
    )


HARMLESS = [
    """awk '/^Defaults.*!authenticate/ { $0 = "# " $0 } { print }' x""",
    "grep -q 'PermitRootLogin yes' $c && exit 1",
    "sed -i 's/PermitRootLogin yes/PermitRootLogin no/' $c",
    "true # PermitRootLogin yes is what we remove",
    "chmod 0755 /srv; chmod o-w /etc/x; chmod 640 /etc/y; chmod u+w /etc/z",
    "systemctl stop telnet.socket; systemctl restart auditd; systemctl enable --now ufw",
    "ufw --force enable",
    "echo 'ssl_protocols TLSv1.2 TLSv1.3;' >x",
    "iptables -A INPUT -p tcp --dport 22 -j ACCEPT",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_looking_for_a_bad_setting_or_replacing_it_is_no_weakening(line: str) -> None:
    load(
        edited(
            RUNBOOK, "      sshd -t; systemctl reload", f"      {line}\n      sshd -t; systemctl"
        )
    )


def test_a_repair_of_its_own_path_may_say_why_it_is_safe() -> None:
    texts = whole_texts()
    before = texts[RUNBOOK]
    guard = before[before.index("requires:") : before.index("params:")]
    texts[RUNBOOK] = before.replace(guard, "safe_because: it only reloads what sshd -t accepted\n")
    load(as_files(texts))
    texts[RUNBOOK] = before.replace(guard, "safe_because: trust me\n")
    assert problems_of(as_files(texts)) == [f"{RUNBOOK}:7: safe_because must say why in a sentence"]
    texts[RUNBOOK] = before.replace(guard, "").replace("disruption: service", "disruption: lockout")
    load(as_files(texts))


def test_a_rule_must_fire_a_runbook_that_verifies_its_check() -> None:
    texts = whole_texts()
    for path in (CHECK, RULE):
        texts[path.replace("root_login", "other")] = (
            texts[path]
            .replace("lin.ssh.root_login", "lin.ssh.other")
            .replace("rb.lin.ssh.other", "rb.lin.ssh.root_login")
        )
    other = RULE.replace("root_login", "other")
    what = "rb.lin.ssh.root_login does not verify lin.ssh.other, the check that triggers the rule"
    assert problems_of(as_files(texts)) == [f"{other}:6: {what}"]


def test_platforms_must_agree() -> None:
    old = "action: escalate\n"
    new = (
        "action: execute_runbook\nrunbook_id: rb.lin.ssh.root_login\nparams: {}\n"
        "limits: {cooldown_s: 60, per_day: 1}\n"
    )
    refused_with(
        NET_RULE, old, new, "5: rb.lin.ssh.root_login is for linux, but net.port.telnet is"
    )


def test_a_check_without_a_rule_is_refused() -> None:
    texts = whole_texts()
    del texts[NET_RULE]
    assert problems_of(as_files(texts)) == [
        f"{NET_CHECK}:1: no rule answers net.port.telnet: write one, if only to escalate"
    ]


def test_a_runbook_that_no_rule_uses_is_refused() -> None:
    texts = whole_texts()
    path = RUNBOOK.replace("root_login", "spare")
    texts[path] = texts[RUNBOOK].replace("rb.lin.ssh.root_login", "rb.lin.ssh.spare")
    assert problems_of(as_files(texts)) == [f"{path}:1: no rule uses the runbook rb.lin.ssh.spare"]


def test_discovery_asks_at_most_twenty_ports_the_medical_ones_included() -> None:
    every = [list(range(1000, 1008)), list(range(2000, 2008)), [3000]]
    names = {f"f{place}": ports for place, ports in enumerate(every)}
    texts = whole_texts()
    fields = ", ".join(f"{name}: {{type: bool}}" for name in names)
    clean = ", ".join(f"{name}: false" for name in names)

    def with_ports(more: int) -> dict[str, bytes]:
        asked = {**names, "f2": [3000 + n for n in range(more)]}
        shown = ", ".join(f"{name}: {ports}" for name, ports in asked.items())
        texts[NET_CHECK] = (
            whole_texts()[NET_CHECK]
            .replace("{telnet: [23, 2323]}", f"{{telnet: [1000], {shown}}}")
            .replace("  telnet: {", f"  {fields.replace(', f', chr(10) + '  f')}\n  telnet: {{")
            .replace("{telnet: false}", f"{{telnet: false, {clean}}}")
            .replace("{answer: {telnet: true}", f"{{answer: {{telnet: true, {clean}}}")
        )
        return as_files(texts)

    load(with_ports(1))
    assert problems_of(with_ports(2))[0].startswith(
        f"{NET_CHECK}:10: the network checks and medical recognition ask for 21 TCP ports"
    )


def test_a_crosswalk_joins_known_ids_only() -> None:
    texts = whole_texts()
    texts["controls/cis.yaml"] = (
        "framework: cis\ntitle: CIS Controls\ncontrols:\n  '5.4': Restrict administrators\n"
        "crosswalk:\n  AC-6(2): ['5.4']\n"
    )
    content = load(as_files(texts))
    assert content.controls["cis"].crosswalk == {"AC-6(2)": ("5.4",)}
    good = texts["controls/cis.yaml"]
    texts["controls/cis.yaml"] = good.replace("AC-6(2)", "AC-99")
    assert problems_of(as_files(texts))[0].startswith(
        "controls/cis.yaml:6: the crosswalk names AC-99"
    )
    texts["controls/cis.yaml"] = good.replace("['5.4']", "['9.9']")
    assert problems_of(as_files(texts))[0].startswith(
        "controls/cis.yaml:6: the crosswalk names 9.9"
    )


@pytest.mark.parametrize(
    "path", ["checks/lin.x.y.yaml", "checks/linux/x.yml", "README.md", "l1/linux/../x.yaml", "x"]
)
def test_a_file_that_belongs_nowhere_is_refused(path: str) -> None:
    files = as_files(whole_texts()) | {path: b"id: x\n"}
    assert problems_of(files) == [
        f"{path}:1: is neither a check, a runbook, a rule nor a framework's controls"
    ]


def test_files_that_are_no_yaml_mapping_are_told_once_each() -> None:
    files = as_files(whole_texts()) | {CHECK: b"- x\n", RULE: b"id: [\n", RUNBOOK: b"id: yes\n"}
    problems = problems_of(files)
    assert len(problems) == 3
    assert problems[0] == f"{CHECK}:1: the document must be a mapping"
    assert problems[1].startswith(f"{RULE}:2: not YAML")
    assert problems[2].startswith(f"{RUNBOOK}:1: 'yes' may be read as another type")


def test_all_problems_are_told_at_once_in_the_order_of_files_and_lines() -> None:
    texts = whole_texts()
    texts[RULE] = texts[RULE].replace("per_day: 3", "per_day: 0").replace("id: l1", "id: l2")
    texts[CHECK] = texts[CHECK].replace("severity: high", "severity: none")
    places = [problem.split(": ")[0] for problem in problems_of(as_files(texts))]
    assert places == [f"{CHECK}:4", f"{RULE}:1", f"{RULE}:8"]


def test_an_empty_set_is_refused() -> None:
    assert problems_of({}) == ["the set holds no checks"]
