"""Which rule acts on an incident, and why: the total order, the decision and its record.

All rules that match are returned in one order, decided by nothing but the rules themselves:

1. safety tier: a guard (`guard: true`, which may only escalate) before everything else;
2. scope: host, site, org, global;
3. specificity: the more comparisons must hold, the earlier (of alternatives, the loosest counts);
4. the higher explicit priority;
5. written before promoted;
6. the id.

The first acts; the others are losers, each with the step that put it behind. A rule in cooldown
still wins: its cooldown means "wait", never "try the next". The same rules and the same fields give
the same record, byte for byte. Without a match the record holds the three nearest rules: those for
the same check first, then those with the fewest comparisons against them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proto import strict_json
from proto.catalog.model import Rule, Scope, ScopeKind
from proto.conditions import (
    Condition,
    Explained,
    Fields,
    Group,
    GroupKind,
    disjuncts,
    explain,
    holds,
)
from proto.findings import Scalar
from proto.incidents import Incident, Severity

NEAREST_MAX = 3

SCOPE_FIELDS = {ScopeKind.HOST: "target", ScopeKind.SITE: "site", ScopeKind.ORG: "org"}
_SCOPE_ORDER = tuple(ScopeKind)
_STEPS = ("safety tier", "scope", "specificity", "priority", "written before promoted", "id")

Rank = tuple[int, int, int, int, int, str]
"""What rules are sorted by; one member for each step of the order."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """What rules can read of an incident."""

    check: str
    platform: str
    severity: Severity
    site: str
    target: str
    seen: Mapping[str, Scalar]
    org: str | None = None

    def fields(self) -> dict[str, Scalar]:
        """Return the flat fields that conditions name; the reported answer is `seen.<name>`."""
        found: dict[str, Scalar] = {
            "check": self.check,
            "platform": self.platform,
            "severity": self.severity.value,
            "site": self.site,
            "target": self.target,
        }
        if self.org is not None:
            found["org"] = self.org
        found.update({f"seen.{name}": value for name, value in self.seen.items()})
        return found


def view_of(incident: Incident) -> IncidentView:
    """Return what rules can read of an incident."""
    return IncidentView(
        check=incident.check,
        platform=incident.platform,
        severity=incident.severity,
        site=incident.site,
        target=incident.target,
        seen=incident.seen,
    )


@dataclass(frozen=True, slots=True)
class Loser:
    """A rule that matched too, and why another acts instead."""

    rule_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Near:
    """A rule, whether it matches and is for the incident at all, and what its comparisons saw."""

    rule_id: str
    is_match: bool
    is_in_scope: bool
    explained: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say about an incident.

    Attributes:
        winner: the rule that acts; None when none matches, which is escalated.
        explained: what each of the winner's comparisons wanted and saw.
        losers: the other rules that match, in order.
        nearest: on no match, at most `NEAREST_MAX` rules that came closest.
    """

    winner: Rule | None
    explained: tuple[Explained, ...]
    losers: tuple[Loser, ...]
    nearest: tuple[Near, ...]

    def as_json(self) -> dict[str, object]:
        """Return the record's members."""
        winner = None
        if self.winner is not None:
            winner = {
                "rule": self.winner.id,
                "action": self.winner.action.value,
                "runbook": self.winner.runbook_id,
                "conditions": [line.as_json() for line in self.explained],
            }
        return {
            "winner": winner,
            "losers": [{"rule": loser.rule_id, "why": loser.why} for loser in self.losers],
            "nearest": [
                {
                    "rule": near.rule_id,
                    "in_scope": near.is_in_scope,
                    "conditions": [line.as_json() for line in near.explained],
                }
                for near in self.nearest
            ],
        }

    def record(self) -> bytes:
        """Return the record as bytes: the same for the same rules and fields, always."""
        return strict_json.dumps(self.as_json(), where="decision")


def specificity(condition: Condition) -> int:
    """Return how many comparisons must hold at least for the condition to hold."""
    alternatives = disjuncts(condition)
    if alternatives is not None:
        return min((len(one) for one in alternatives), default=0)
    if isinstance(condition, Group) and condition.kind is GroupKind.ALL:
        return len(condition.members)
    return 1


def rank(rule: Rule) -> Rank:
    """Return what a rule is sorted by; the lower acts first."""
    return (
        0 if rule.is_guard else 1,
        _SCOPE_ORDER.index(rule.scope.kind),
        -specificity(rule.conditions),
        -rule.priority,
        1 if rule.is_promoted else 0,
        rule.id,
    )


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return rules in the order in which they are tried."""
    return tuple(sorted(rules, key=rank))


def is_in_scope(scope: Scope, fields: Fields) -> bool:
    """Tell whether a rule of this scope is for the incident at all."""
    if scope.kind is ScopeKind.GLOBAL:
        return True
    return fields.get(SCOPE_FIELDS[scope.kind]) == scope.id


def matches(rule: Rule, fields: Fields) -> bool:
    """Tell whether a rule matches an incident's fields."""
    return is_in_scope(rule.scope, fields) and holds(rule.conditions, fields)


def decide(rules: Mapping[str, Rule], fields: Fields) -> Decision:
    """Decide about one incident.

    Args:
        rules: by id, as `Content.rules` holds them: in the order in which they are tried.
        fields: `IncidentView.fields()`.
    """
    found = [rule for rule in rules.values() if matches(rule, fields)]
    if not found:
        return Decision(None, (), (), _nearest(rules, fields))
    winner = found[0]
    losers = tuple(Loser(rule.id, _why_behind(winner, rule)) for rule in found[1:])
    return Decision(winner, explain(winner.conditions, fields), losers, ())


def _why_behind(winner: Rule, loser: Rule) -> str:
    ahead, behind = rank(winner), rank(loser)
    step = next(
        index for index, pair in enumerate(zip(ahead, behind, strict=True)) if len({*pair}) > 1
    )
    shown = {
        0: "a guard acts first",
        1: f"{loser.scope.kind} comes after {winner.scope.kind}",
        2: f"{-behind[2]} comparisons come after {-ahead[2]}",
        3: f"priority {loser.priority} comes after {winner.priority}",
        4: "a promoted rule comes after a written one",
        5: f"the id comes after {winner.id}",
    }[step]
    return f"{_STEPS[step]}: {shown}"


def explain_rules(rules: Mapping[str, Rule], fields: Fields) -> tuple[Near, ...]:
    """Explain every rule about the incident's check, in the order in which they are tried."""
    return tuple(
        _near(rule, fields) for rule in rules.values() if rule.check == fields.get("check")
    )


def _near(rule: Rule, fields: Fields) -> Near:
    return Near(
        rule_id=rule.id,
        is_match=matches(rule, fields),
        is_in_scope=is_in_scope(rule.scope, fields),
        explained=explain(rule.conditions, fields),
    )


def _nearest(rules: Mapping[str, Rule], fields: Fields) -> tuple[Near, ...]:
    measured: list[tuple[bool, int, int, Near]] = []
    for place, rule in enumerate(rules.values()):
        near = _near(rule, fields)
        against = sum(1 for line in near.explained if line.verdict == _is_negated(line))
        measured.append((rule.check != fields.get("check"), against, place, near))
    measured.sort(key=lambda one: one[:3])
    return tuple(near for _, _, _, near in measured[:NEAREST_MAX])


def _is_negated(line: Explained) -> bool:
    """Tell whether a comparison stands under an odd number of `none` groups."""
    return line.place.split(".").count("none") % 2 == 1
