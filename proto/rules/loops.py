"""Repairs against repairs: contrary writes, and loops in which heals undo each other.

A runbook says what it sets in `writes`, a check what it judges in `reads`; a check that says
nothing reads what the runbooks that verify it write. A resource is `kind:name`, or
`kind:name=value` when what it is set to can be said.

Two lists clash when both say a value for one resource and the values differ. They contend when they
share a resource for which one of them says no value, and one of them has nothing of its own beside
what is shared: then both claim the whole of it. Runbooks that share a file and each have a part of
their own (a common include, a drop-in each) do neither.

Runbooks that rules fire and that clash or contend are refused, unless they verify a common check
and so are two ways to one end. A check leads to another when the runbook that a rule fires for the
first clashes, or without verifying it contends, with what the second reads: its heal can drift the
other. A cycle of such leads is a heal loop, and refused.
"""

from collections.abc import Iterable, Mapping

from proto.catalog.model import Action, Check, Content, Rule, Runbook
from proto.catalog.reader import Problems


def _split(resource: str) -> tuple[str, str | None]:
    name, sign, value = resource.partition("=")
    return name, value if sign else None


def _table(resources: Iterable[str]) -> dict[str, str | None]:
    return dict(map(_split, resources))


def clash(left: Iterable[str], right: Iterable[str]) -> str | None:
    """Return the first resource that two lists set to different values, or None."""
    one, two = _table(left), _table(right)
    for name in sorted(one.keys() & two.keys()):
        if one[name] is not None and two[name] is not None and one[name] != two[name]:
            return f"{name} ({one[name]} against {two[name]})"
    return None


def contention(left: Iterable[str], right: Iterable[str]) -> str | None:
    """Return the first resource of which two lists each claim the whole, or None."""
    one, two = _table(left), _table(right)
    if one.keys() - two.keys() and two.keys() - one.keys():
        return None
    shared = sorted(one.keys() & two.keys())
    return next((name for name in shared if one[name] is None or two[name] is None), None)


def check_writes(content: Content, problems: Problems) -> None:
    """Note contrary runbooks and heal loops."""
    fired = {
        rule.runbook_id: rule
        for rule in content.rules.values()
        if rule.action is Action.EXECUTE_RUNBOOK and rule.runbook_id in content.runbooks
    }
    runbooks = [content.runbooks[name] for name in sorted(map(str, fired))]
    pairs: set[frozenset[str]] = set()
    for place, left in enumerate(runbooks):
        for right in runbooks[place + 1 :]:
            resource = clash(left.writes, right.writes) or contention(left.writes, right.writes)
            if resource is None or left.platform is not right.platform or _is_same(left, right):
                continue
            pairs |= {frozenset({a, b}) for a in left.verify for b in right.verify}
            what = f"{left.id} and {right.id} write {resource}: each would undo the other"
            problems.add(left.source.file, left.source.line("writes"), what)
    _check_loops(content, pairs, problems)


def _is_same(left: Runbook, right: Runbook) -> bool:
    """Tell whether two runbooks are two ways to the same end: they verify a common check."""
    return bool(set(left.verify) & set(right.verify))


def reads_of(check: Check, runbooks: Iterable[Runbook]) -> tuple[str, ...]:
    """Return what a check judges: what it says, or what its runbooks write."""
    if check.reads:
        return check.reads
    own = [one for one in runbooks if check.id in one.verify]
    return tuple(dict.fromkeys(resource for one in own for resource in one.writes))


def _check_loops(content: Content, reported: set[frozenset[str]], problems: Problems) -> None:
    reads = {name: reads_of(one, content.runbooks.values()) for name, one in content.checks.items()}
    leads: dict[str, dict[str, Rule]] = {}
    for rule in content.rules.values():
        runbook = content.runbooks.get(rule.runbook_id or "")
        if rule.check not in content.checks or runbook is None:
            continue
        for name, check in content.checks.items():
            is_near = check.platform is runbook.platform
            is_known = frozenset({rule.check, name}) in reported
            if is_near and not is_known and _drifts(runbook, check, reads[name]):
                leads.setdefault(rule.check, {})[name] = rule
    for cycle in _cycles(leads):
        first = leads[cycle[0]][cycle[1 % len(cycle)]]
        shown = " -> ".join([*cycle, cycle[0]])
        what = f"heal loop: {shown}: each heal drifts the next"
        problems.add(first.source.file, first.source.line("runbook_id"), what)


def _drifts(runbook: Runbook, check: Check, reads: tuple[str, ...]) -> bool:
    """Tell whether a repair can drift a check."""
    if check.id in runbook.verify:
        return bool(check.reads) and clash(runbook.writes, reads) is not None
    return bool(clash(runbook.writes, reads) or contention(runbook.writes, reads))


def _cycles(leads: Mapping[str, Mapping[str, Rule]]) -> list[list[str]]:
    """Return one shortest cycle for each group of checks that lead to each other."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for start in sorted(leads):
        if start in seen:
            continue
        cycle = _shortest_cycle(leads, start)
        if cycle:
            found.append(cycle)
            seen.update(cycle)
    return found


def _shortest_cycle(leads: Mapping[str, Mapping[str, Rule]], start: str) -> list[str]:
    paths = [[start]]
    reached: set[str] = set()
    while paths:
        path = paths.pop(0)
        for name in sorted(leads.get(path[-1], {})):
            if name == start:
                return path
            if name not in reached:
                reached.add(name)
                paths.append([*path, name])
    return []
