"""Which order types this appliance can carry out, and by what; none can be forgotten.

A type of `NOT_HERE` has no machinery on this appliance: the gate refuses it with its own code
(`not_on_this_appliance`), and it never runs.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from appliance.handlers.orders import (
    Resume,
    Run,
    cancel,
    diagnostic,
    disable_healing,
    enable_healing,
    force_checkin,
    healing,
    restart_agent,
    run_drift,
    sensor_status,
    set_policy,
    sync_promoted_rule,
    sync_rules,
    update_agent,
    update_credentials,
    view_logs,
    waive,
)
from proto.invariants import require
from proto.orders.kinds import OrderType

RUNS: Final[Mapping[OrderType, Run]] = MappingProxyType(
    {
        OrderType.RUN_DRIFT: run_drift.run,
        OrderType.FORCE_CHECKIN: force_checkin.run,
        OrderType.SYNC_RULES: sync_rules.run,
        OrderType.VIEW_LOGS: view_logs.run,
        OrderType.SENSOR_STATUS: sensor_status.run,
        OrderType.DIAGNOSTIC: diagnostic.run,
        OrderType.CANCEL: cancel.run,
        OrderType.HEALING: healing.run,
        OrderType.RESTART_AGENT: restart_agent.run,
        OrderType.UPDATE_AGENT: update_agent.run,
        OrderType.UPDATE_CREDENTIALS: update_credentials.run,
        OrderType.SYNC_PROMOTED_RULE: sync_promoted_rule.run,
        OrderType.ENABLE_HEALING: enable_healing.run,
        OrderType.WAIVE: waive.run,
        OrderType.SET_POLICY: set_policy.run,
        OrderType.DISABLE_HEALING: disable_healing.run,
    }
)
"""What carries out an order of each type."""

RESUMES: Final[Mapping[OrderType, Resume]] = MappingProxyType(
    {
        OrderType.RESTART_AGENT: restart_agent.resume,
        OrderType.UPDATE_AGENT: update_agent.resume,
    }
)
"""What says after a start how an order ended, for the types that end only then."""

NOT_HERE: Final[frozenset[OrderType]] = frozenset(
    {
        OrderType.DEPLOY_SENSOR,
        OrderType.REMOVE_SENSOR,
        OrderType.DEPLOY_LINUX_SENSOR,
        OrderType.REMOVE_LINUX_SENSOR,
        OrderType.NIXOS_REBUILD,
        OrderType.UPDATE_ISO,
        OrderType.ISOLATE_HOST,
    }
)
"""The types without machinery on this appliance."""

require(not RUNS.keys() & NOT_HERE, "a type is carried out here, or it is not")
require(RUNS.keys() | NOT_HERE == set(OrderType), "every type is carried out here, or it is not")
require(RESUMES.keys() <= RUNS.keys(), "only what is run here ends after a start")
