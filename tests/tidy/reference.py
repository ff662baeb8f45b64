"""The reference pages, made from the catalogue; `generated.py` compares or writes them."""

from collections.abc import Iterator

from proto.catalog.load import load
from proto.catalog.model import Check, Content
from runtime.content import read_installed

PAGE = "docs/reference/checks.md"
HEAD = """# Checks

Made from `rules/` by `make proto`; do not edit. A repair's autonomy is how far it may go by itself
on a site that allows everything; `lockout` and `reboot` repairs wait for a person.
"""


def page() -> bytes:
    """Return the page of all checks."""
    content = load(read_installed())
    lines = [HEAD]
    for platform in sorted({check.platform for check in content.checks.values()}):
        checks = [check for check in content.checks.values() if check.platform is platform]
        lines += [f"## {platform.value.capitalize()}: {len(checks)} checks", ""]
        for check in sorted(checks, key=lambda one: one.id):
            lines += _check(content, check)
    return ("\n".join(lines).rstrip() + "\n").encode()


def _check(content: Content, check: Check) -> Iterator[str]:
    yield f"### {check.id}"
    yield ""
    yield f"{check.title}. Severity {check.severity.value}, every {check.interval_s // 60} minutes."
    yield ""
    if check.description:
        yield check.description
        yield ""
    for control, why in check.controls.items():
        yield f"- supports `{control}`: {why}"
    for rule in content.rules.values():
        if rule.check != check.id:
            continue
        runbook = content.runbooks.get(rule.runbook_id or "")
        if runbook is None:
            yield f"- rule `{rule.id}`: {rule.action.value}"
        else:
            how = f"{runbook.autonomy.value}, disruption {runbook.disruption.value}"
            undo = "undo" if runbook.undo else f"irreversible: {runbook.irreversible}"
            yield f"- rule `{rule.id}` runs `{runbook.id}` ({how}, {undo})"
    yield ""
