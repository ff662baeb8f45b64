"""What does not refuse a set, but a reviewer should know."""

from collections.abc import Mapping

from proto.catalog.model import Check, Content
from proto.catalog.reader import Problem
from proto.conditions.evaluate import Fields
from proto.rules.matcher import matches
from proto.rules.space import space_of


def advise(
    content: Content, *, nist_by_hipaa: Mapping[str, frozenset[str]] | None = None
) -> tuple[str, ...]:
    """Return advice on a set that loads, one line each, `file:line: what`.

    Args:
        content: the set.
        nist_by_hipaa: for each HIPAA paragraph, as `164.312(b)`, the NIST 800-53 controls that
            SP 800-66r2 maps to it; with it, checks are told whose paragraphs and controls never
            meet there.
    """
    found: list[Problem] = []
    for check in content.checks.values():
        found += _unanswered(content, check)
        if nist_by_hipaa is not None:
            found += _odd_controls(check, nist_by_hipaa)
    return tuple(str(problem) for problem in sorted(found))


def _unanswered(content: Content, check: Check) -> list[Problem]:
    rules = [rule for rule in content.rules.values() if rule.check == check.id]
    space = space_of(check, rules)
    missed = [point for point in space.incidents if not any(matches(rule, point) for rule in rules)]
    if not missed:
        return []
    what = (
        f"{len(missed)} of {len(space.incidents)} kinds of drift match no rule and are escalated:"
        f" {_shown(missed[0])}"
    )
    return [Problem(check.source.file, check.source.line("id"), what)]


def _shown(point: Fields) -> str:
    seen = [f"{name}={value}" for name, value in point.items() if name.startswith("seen.")]
    return ", ".join(seen) or "nothing reported"


def _odd_controls(check: Check, nist_by_hipaa: Mapping[str, frozenset[str]]) -> list[Problem]:
    """Tell a check whose paragraphs map to none of its controls; enhancements count as their base.

    The published mapping is far from complete, so one control that it lacks says nothing.
    """
    split = [name.partition(":") for name in check.controls]
    paragraphs = [name for framework, _, name in split if framework == "hipaa"]
    controls = [name for framework, _, name in split if framework == "nist_800_53"]
    mapped = {_base(one) for name in paragraphs for one in _mapped(name, nist_by_hipaa)}
    if any(_base(control) in mapped for control in controls):
        return []
    what = f"NIST maps none of {', '.join(controls)} to {', '.join(paragraphs)}"
    return [Problem(check.source.file, check.source.line("controls"), what)]


def _base(control: str) -> str:
    return control.partition("(")[0]


def _mapped(paragraph: str, nist_by_hipaa: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the controls of a paragraph or, where it has none of its own, of those around it."""
    while paragraph:
        if paragraph in nist_by_hipaa:
            return set(nist_by_hipaa[paragraph])
        paragraph = paragraph.rpartition("(")[0]
    return set()
