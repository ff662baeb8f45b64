"""Promoted rules beside the release's: which of those that were taken up act, and as what set.

A promoted rule acts while all of this holds, looked at again whenever the content or the signed set
changes: an order took it up; the promoted delegation still lists its file; it still does only what
a release rule of the same check does, and comes after every one (`problem_of_promoted`). The set it
acts in has a name of its own, so that every finding and repair says whether it was there.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from appliance.core.order_gate.names import problem_of_promoted
from appliance.core.order_gate.values import Known
from proto.catalog.model import Content, Rule
from proto.rules.matcher import in_order
from proto.rules.promoted import digest_with


def with_promoted(content: Content, rules: Mapping[str, Rule]) -> Content:
    """Return a set with the promoted rules that fit it; the set itself when none does.

    `rules` are by the hex SHA-256 of their files.
    """
    known = Known(files=frozenset(), expires_s=0, catalog=content)
    fitting = {
        digest: rule
        for digest, rule in sorted(rules.items())
        if rule.id not in content.rules and problem_of_promoted(rule, known) is None
    }
    by_id = {rule.id: rule for rule in fitting.values()}
    if not by_id:
        return content
    name = digest_with(content.digest, fitting)
    ordered = in_order((*content.rules.values(), *by_id.values()))
    return replace(
        content, rules=MappingProxyType({rule.id: rule for rule in ordered}), digest=name
    )
