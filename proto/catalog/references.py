"""What must hold between files: references, platforms, controls, ports."""

from collections.abc import Iterable

from proto.catalog.model import Action, Check, Content, ProbeKind, Rule
from proto.catalog.params import accept_params
from proto.catalog.reader import Problems
from proto.errors import MalformedError

PORTS_MAX = 20
"""The most TCP ports that discovery may ask of a device."""

MEDICAL_PORTS = frozenset({104, 2575, 11112})
"""Ports that discovery always asks, because they tell a medical device (DICOM, HL7)."""


def ports_of(checks: Iterable[Check]) -> tuple[int, ...]:
    """Return, sorted, every TCP port that these checks ask for."""
    return tuple(
        sorted({port for check in checks for ports in check.probe.ports.values() for port in ports})
    )


def check_references(content: Content, problems: Problems) -> None:
    """Note every reference that dangles, every part that nothing uses, every disagreement."""
    for rule in content.rules.values():
        _check_rule(content, rule, problems)
    _check_runbooks(content, problems)
    _check_checks(content, problems)
    _check_crosswalks(content, problems)
    _check_ports(content, problems)


def _check_rule(content: Content, rule: Rule, problems: Problems) -> None:
    source = rule.source
    check = content.checks.get(rule.check)
    if check is None:
        problems.add(source.file, source.line("conditions"), f"there is no check {rule.check}")
    if rule.action is not Action.EXECUTE_RUNBOOK:
        return
    runbook = content.runbooks.get(rule.runbook_id or "")
    if runbook is None:
        what = f"there is no runbook {rule.runbook_id}"
        problems.add(source.file, source.line("runbook_id"), what)
        return
    if check is not None and rule.check not in runbook.verify:
        what = f"{runbook.id} does not verify {rule.check}, the check that triggers the rule"
        problems.add(source.file, source.line("runbook_id"), what)
    if check is not None and runbook.platform is not check.platform:
        what = f"{runbook.id} is for {runbook.platform}, but {check.id} is for {check.platform}"
        problems.add(source.file, source.line("runbook_id"), what)
    try:
        accept_params(runbook, rule.params)
    except MalformedError as error:
        problems.add(source.file, source.line("params"), str(error))


def _check_runbooks(content: Content, problems: Problems) -> None:
    used = {rule.runbook_id for rule in content.rules.values()}
    for runbook in content.runbooks.values():
        source = runbook.source
        for name in runbook.verify:
            check = content.checks.get(name)
            if check is None:
                problems.add(source.file, source.line("verify"), f"there is no check {name}")
            elif check.platform is not runbook.platform:
                what = f"{name} is for {check.platform}, the runbook for {runbook.platform}"
                problems.add(source.file, source.line("verify"), what)
        if runbook.id not in used:
            problems.add(source.file, source.line("id"), f"no rule uses the runbook {runbook.id}")


def _check_checks(content: Content, problems: Problems) -> None:
    answered = {rule.check for rule in content.rules.values()}
    for check in content.checks.values():
        source = check.source
        if check.id not in answered:
            what = f"no rule answers {check.id}: write one, if only to escalate"
            problems.add(source.file, source.line("id"), what)
        for name in check.controls:
            framework, _, control = name.partition(":")
            listed = content.controls.get(framework)
            if listed is None:
                what = f"{name}: there is no controls/{framework}.yaml"
                problems.add(source.file, source.line("controls", name), what)
            elif control not in listed.titles:
                what = f"{name}: {listed.source.file} lists no {control}"
                problems.add(source.file, source.line("controls", name), what)


def _check_crosswalks(content: Content, problems: Problems) -> None:
    nist = content.controls.get("nist_800_53")
    for controls in content.controls.values():
        for nist_id in controls.crosswalk:
            if nist is None or nist_id not in nist.titles:
                source = controls.source
                what = f"the crosswalk names {nist_id}, which controls/nist_800_53.yaml lacks"
                problems.add(source.file, source.line("crosswalk", nist_id), what)


def _check_ports(content: Content, problems: Problems) -> None:
    asked = MEDICAL_PORTS | set(ports_of(content.checks.values()))
    if len(asked) <= PORTS_MAX:
        return
    what = (
        f"the network checks and medical recognition ask for {len(asked)} TCP ports,"
        f" at most {PORTS_MAX} are allowed: {', '.join(map(str, sorted(asked)))}"
    )
    for check in content.checks.values():
        if check.probe.kind in {ProbeKind.INVENTORY, ProbeKind.TLS}:
            problems.add(check.source.file, check.source.line("probe"), what)
