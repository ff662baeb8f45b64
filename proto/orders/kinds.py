"""What an order type is: its name, tier, limits, parameters and examples, as one value.

Tiers (TRUST.md, "Orders"):

- 0 observe and stop: the order key alone;
- 1 reversible heal: the order key alone, within hourly and blast limits;
- 2 change: one person too, and a wait by ring with a veto; two people need no wait;
- 3 dangerous: two people, and the site's consent or a time lock with notice and veto.

A type names its least tier. What an order asks for can raise it: `Params.tier_in` says to what,
from circumstances that the appliance knows. The appliance's own answer is the one that counts; the
hub works out the same to show people beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from proto.catalog.model import Autonomy, Disruption, Runbook
from proto.message import CodeName, Message, Seconds, TargetIdField

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
LIFE_S_MAX: Final = DAY_S
"""No order lives longer: exp - iat."""

CAUTIOUS_S_MAX: Final = 90 * DAY_S
"""A more cautious setting may be ordered by one person for at most this long."""

UNTIL_S_MAX: Final = 366 * DAY_S
"""No setting is ordered for longer, by however many people: every departure has an end date."""

TARGETS_MAX: Final = 64
CHECKS_MAX: Final = 96

CAUTION: Final = (
    Autonomy.OBSERVE,
    Autonomy.ALERT,
    Autonomy.APPROVE,
    Autonomy.WINDOW,
    Autonomy.AUTO,
)
"""From the most cautious on."""


class OrderType(StrEnum):
    """Every type of order there is. A type that is not listed here does not exist."""

    RUN_DRIFT = "run_drift"
    FORCE_CHECKIN = "force_checkin"
    SYNC_RULES = "sync_rules"
    VIEW_LOGS = "view_logs"
    SENSOR_STATUS = "sensor_status"
    DIAGNOSTIC = "diagnostic"
    CANCEL = "cancel"
    HEALING = "healing"
    RESTART_AGENT = "restart_agent"
    UPDATE_AGENT = "update_agent"
    DEPLOY_SENSOR = "deploy_sensor"
    REMOVE_SENSOR = "remove_sensor"
    DEPLOY_LINUX_SENSOR = "deploy_linux_sensor"
    REMOVE_LINUX_SENSOR = "remove_linux_sensor"
    UPDATE_CREDENTIALS = "update_credentials"
    SYNC_PROMOTED_RULE = "sync_promoted_rule"
    ENABLE_HEALING = "enable_healing"
    WAIVE = "waive"
    SET_POLICY = "set_policy"
    NIXOS_REBUILD = "nixos_rebuild"
    UPDATE_ISO = "update_iso"
    ISOLATE_HOST = "isolate_host"
    DISABLE_HEALING = "disable_healing"


class Tier(IntEnum):
    """How much harm an order could do, and so who must sign it."""

    OBSERVE = 0
    HEAL = 1
    CHANGE = 2
    DANGEROUS = 3


RING_STEP_S: Final = 2 * HOUR_S
"""How long an order of tier 2 that one person signed waits for each ring before its site's own."""

PEOPLE_BY_TIER: Final = {Tier.OBSERVE: 0, Tier.HEAL: 0, Tier.CHANGE: 1, Tier.DANGEROUS: 2}
"""How many different people must have signed an order."""


class Touches(StrEnum):
    """What an order changes when it runs."""

    NOTHING = "nothing"
    SETTINGS = "settings"
    APPLIANCE = "appliance"
    TARGETS = "targets"


@dataclass(frozen=True, slots=True)
class Setting:
    """How far automation may go for one check, and until when an order or the LAN holds it there.

    `until_s` is 0 for what holds by itself, without an end date.
    """

    autonomy: Autonomy
    until_s: int = 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a tier can hang on beside the parameters.

    Attributes:
        site: the site's own setting, which holds for a check that `checks` does not list.
        checks: a check's id -> its setting, where one was made.
        waived_until_s: a waived check's id -> the end of its waiver.
        runbooks: the current runbooks by id.
        now_s: the appliance's now: never before the newest signed time.
    """

    site: Setting
    now_s: int
    checks: Mapping[str, Setting] = field(default_factory=dict)
    waived_until_s: Mapping[str, int] = field(default_factory=dict)
    runbooks: Mapping[str, Runbook] = field(default_factory=dict)

    def setting(self, check: str) -> Setting:
        """Return what holds for one check now."""
        return self.checks.get(check, self.site)


def is_grave(runbook: Runbook) -> bool:
    """Tell whether a repair cannot be taken back, or costs the people on the target a while."""
    what = runbook.disruption
    is_felt = what is Disruption.REBOOT or what is Disruption.LOCKOUT
    return is_felt or bool(runbook.irreversible)


class Params(Message):
    """The parameters of an order: a closed schema for each type.

    The methods say what the gate needs to know of them; by default nothing is raised, named or
    touched.
    """

    def tier_in(self, _circumstances: Circumstances, *, least: Tier) -> Tier:
        """Return the order's tier; `least` is its type's."""
        return least

    def tier_alone(self, *, at_s: int, least: Tier) -> Tier:  # noqa: ARG002 - not all ask for it
        """Return the least tier that these parameters can have at any site.

        Args:
            at_s: when it is judged, in seconds; later asks for no more.
            least: its type's tier.
        """
        return least

    def content(self) -> tuple[str, ...]:
        """Return the hex SHA-256 of each file it names, all of which must be current targets."""
        return ()

    def targets(self) -> tuple[str, ...]:
        """Return the ids of the targets that it would change."""
        return ()

    def named_targets(self) -> tuple[str, ...]:
        """Return the ids of all targets that it names, all of which must be known here."""
        return self.targets()

    def named_checks(self) -> tuple[str, ...]:
        """Return the ids of all checks that it names, all of which must be in the content."""
        return ()

    def ends_s(self) -> int | None:
        """Return the end date of the setting it makes; None when it makes none."""
        return None


@dataclass(frozen=True, slots=True)
class Example:
    """Parameters, as JSON values, that must be accepted or refused, and why."""

    params: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class OrderKind:
    """One order type.

    Attributes:
        title: what it does, as a person is asked to sign it.
        tier: the least tier an order of this type can have.
        timeout_s: how long a run may take before its outcome is "unknown".
        touches: what it changes.
        is_for_sites: it may be addressed to every appliance of a site.
        waits_for_window: it runs inside a maintenance window, where the LAN set any.
        life_s_max: the longest life of such an order, at most 24 h.
    """

    name: OrderType
    title: str
    params: type[Params]
    tier: Tier
    timeout_s: int
    touches: Touches
    accepted: tuple[Example, ...]
    refused: tuple[Example, ...]
    is_for_sites: bool = False
    waits_for_window: bool = False
    life_s_max: int = LIFE_S_MAX


def _text(pattern: str) -> Any:  # noqa: ANN401 - what an annotation is made of has no better type
    return Annotated[str, StringConstraints(pattern=rf"\A{pattern}\z")]


CheckId = CodeName
RuleId = CodeName
RunbookId = CodeName
Digest = _text(r"[0-9a-f]{64}")
"""Hex SHA-256 of a file's or statement's bytes."""

Version = _text(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
Nonce = _text(r"[0-9a-f]{32}")

Targets = Annotated[
    tuple[TargetIdField, ...], Field(strict=False, min_length=1, max_length=TARGETS_MAX)
]
"""Some targets, by id. Every one is asked for with the word "all", never by leaving it out."""

Checks = Annotated[tuple[CheckId, ...], Field(strict=False, min_length=1, max_length=CHECKS_MAX)]
Until = Annotated[Seconds, Field(ge=1)]
