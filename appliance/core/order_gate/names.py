"""What an order names, held against what is current here: files, checks, targets, incidents, rules.

Every function returns the first problem as a code and a detail, or None.
"""

from collections.abc import Callable
from typing import Final, cast

from appliance.core.order_gate.values import Known, Situation
from proto.catalog.model import Action, Rule
from proto.catalog.params import accept_params
from proto.errors import MalformedError
from proto.findings import Scalar
from proto.incidents import Incident, State
from proto.order_codes import Code
from proto.orders.cancel import Cancel
from proto.orders.healing import Healing
from proto.orders.kinds import OrderType, Params
from proto.orders.sync_promoted_rule import SyncPromotedRule
from proto.orders.update_credentials import UpdateCredentials
from proto.rules import promoted
from proto.rules.matcher import matches, view_of
from proto.rules.promoted import Approved, is_same

Problem = promoted.Problem

OPEN: Final = frozenset({State.OPEN, State.ESCALATED})
"""Incidents that an order may repair: nothing is under way, and nobody waived them."""


def problem_in(order_type: OrderType, params: Params, situation: Situation) -> Problem | None:
    """Return the first thing that an order names and that is not current here."""
    known = situation.known
    for digest in params.content():
        if digest not in known.files:
            return Code.CONTENT_ABSENT, digest
    for target in params.named_targets():
        if target not in known.targets:
            return Code.TARGET_UNKNOWN, target
    for check in params.named_checks():
        if check not in known.catalog.checks:
            return Code.CHECK_UNKNOWN, check
    look = _BY_TYPE.get(order_type)
    return look(params, situation) if look else None


def _healing(params: Params, situation: Situation) -> Problem | None:
    wanted, known = cast("Healing", params), situation.known
    incident = known.incidents.get(wanted.incident)
    if incident is None or incident.state not in OPEN:
        return Code.INCIDENT_NOT_OPEN, wanted.incident
    runbook = known.catalog.runbooks.get(wanted.runbook)
    if runbook is None or incident.check not in runbook.verify:
        return Code.RUNBOOK_UNFIT, f"{wanted.runbook} for {incident.check}"
    given = _given(wanted, incident, known)
    if given is None or not is_same(given, wanted.params):
        return Code.PARAMS_UNAPPROVED, wanted.runbook
    try:
        accept_params(runbook, wanted.params)
    except MalformedError as error:
        return Code.PARAMS_UNAPPROVED, str(error)
    return None


def _given(wanted: Healing, incident: Incident, known: Known) -> dict[str, Scalar] | None:
    """Return the parameters that an approved plan, or the rule that acts, gives the runbook."""
    plan = known.plans.get(incident.id)
    if plan is not None and plan.runbook == wanted.runbook:
        return dict(plan.params)
    rule = _acting_rule(incident, known)
    if rule is None or rule.action is not Action.EXECUTE_RUNBOOK:
        return None
    return dict(rule.params) if rule.runbook_id == wanted.runbook else None


def _acting_rule(incident: Incident, known: Known) -> Rule | None:
    """Return the rule that acts: the first that matches, and only rules of its check can."""
    fields = view_of(incident).fields()
    for rule in known.catalog.rules_by_check.get(incident.check, ()):
        if matches(rule, fields):
            return rule
    return None


def _promoted(params: Params, situation: Situation) -> Problem | None:
    wanted, known = cast("SyncPromotedRule", params), situation.known
    rule = known.promoted.get(wanted.content_sha256)
    held = known.catalog.rules.get(wanted.rule)
    is_written = held is not None and not held.is_promoted
    if rule is None or rule.id != wanted.rule or is_written:
        return Code.RULE_NOT_PROMOTED, wanted.rule
    return problem_of_promoted(rule, known)


def problem_of_promoted(rule: Rule, known: Known) -> Problem | None:
    """Return why a promoted rule may not act here, or None: see `proto.rules.promoted`."""
    approved = [
        Approved(incident.check, plan.runbook, plan.params)
        for name, plan in known.plans.items()
        if (incident := known.incidents.get(name)) is not None
    ]
    return promoted.problem_of_promoted(rule, known.catalog, approved=approved)


def _sealed(params: Params, situation: Situation) -> Problem | None:
    wanted = cast("UpdateCredentials", params)
    if wanted.sealed_to not in situation.place.sealing_keys:
        return Code.SEALED_TO_OTHER, wanted.sealed_to
    if wanted.sealed_sha256 not in situation.known.boxes:
        return Code.CONTENT_ABSENT, wanted.sealed_sha256
    return None


def _cancel(params: Params, situation: Situation) -> Problem | None:
    wanted = cast("Cancel", params)
    if wanted.order not in situation.ledger.waiting:
        return Code.NOTHING_WAITS, wanted.order
    return None


_BY_TYPE: Final[dict[OrderType, Callable[[Params, Situation], Problem | None]]] = {
    OrderType.HEALING: _healing,
    OrderType.SYNC_PROMOTED_RULE: _promoted,
    OrderType.UPDATE_CREDENTIALS: _sealed,
    OrderType.CANCEL: _cancel,
}


def targets_touched(params: Params, known: Known) -> frozenset[str]:
    """Return the targets that an order would change; a healing's is its incident's."""
    if isinstance(params, Healing):
        incident = known.incidents.get(params.incident)
        return frozenset({incident.target}) if incident else frozenset()
    return frozenset(params.targets())
