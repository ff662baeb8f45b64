"""Small values for tests of the appliance's core and store."""

from collections.abc import Mapping

from appliance.core.plan import Plan, Step
from appliance.core.records import Told
from proto.catalog.load import load
from proto.catalog.model import Check, Content, Rule, Runbook
from proto.findings import Finding, Reason, Scalar, Vantage, Verdict
from proto.ids import IncidentId, SiteId, TargetId
from proto.incidents import Incident, Severity, State
from proto.inventory import DeviceClass, Facts, Platform
from proto.phi.leaving import Leaving, closed
from tests.unit.reference_set import as_files, whole_texts

SITE, TARGET = SiteId("s-aaaaaaaaaa"), TargetId("t-aaaaaaaaaa")
OTHER = TargetId("t-bbbbbbbbbb")
CHECK = "lin.ssh.root_login"
NOW_MS = 1_767_225_600_000

CONTENT: Content = load(as_files(whole_texts()))
THE_CHECK: Check = CONTENT.checks[CHECK]
THE_RULE: Rule = CONTENT.rules["l1.lin.ssh.root_login"]
THE_RUNBOOK: Runbook = CONTENT.runbooks["rb.lin.ssh.root_login"]


def finding(
    verdict: Verdict = Verdict.DRIFTED,
    *,
    at_ms: int = NOW_MS,
    reason: Reason | None = None,
    seen: Mapping[str, Scalar] | None = None,
    content: str = CONTENT.digest,
) -> Finding:
    """Return a finding of the reference check; unknown ones are unreachable unless said."""
    if verdict is Verdict.UNKNOWN and reason is None:
        reason = Reason.UNREACHABLE
    return Finding(
        site=SITE,
        target=TARGET,
        check=CHECK,
        verdict=verdict,
        reason=reason,
        seen={"value": "yes"} if seen is None else seen,
        at_ms=at_ms,
        vantage=Vantage.SSH,
        content=content,
    )


def leaving(seen: Mapping[str, Scalar]) -> dict[str, Leaving]:
    """Return fields as they may leave, where every text is of a closed list."""
    return {
        name: closed(value, (value,)) if isinstance(value, str) else value
        for name, value in seen.items()
    }


def told(found: Finding) -> Told:
    """Return a finding whose every field is closed, as evidence tells it."""
    return Told(found, leaving(found.seen))


def incident(
    state: State = State.OPEN,
    *,
    name: str = "i-aaaaaaaaaa",
    target: TargetId = TARGET,
    check: str = CHECK,
) -> Incident:
    """Return an incident of the reference check."""
    return Incident(
        id=IncidentId(name),
        site=SITE,
        target=target,
        check=check,
        platform="linux",
        severity=Severity.HIGH,
        seen={"value": "yes"},
        state=state,
        attempt=1,
        opened_ms=NOW_MS,
        updated_ms=NOW_MS,
    )


def facts(*, login: str = "osiris") -> Facts:
    """Return the facts of a Debian server."""
    return Facts(
        target_id=TARGET,
        target_platform=Platform.LINUX,
        target_os="debian",
        target_os_version="12",
        target_class=DeviceClass.SERVER,
        target_login=login,
        target_address="192.0.2.5",
        appliance_id="a-aaaaaaaaaa",  # type: ignore[arg-type]
        appliance_address="192.0.2.1",
        site_admin_networks=("192.0.2.0/24", "198.51.100.0/24"),
        site_ntp_servers=("192.0.2.9",),
        site_time_zone="UTC",
    )


def plan() -> Plan:
    """Return a plan of one step with capture and undo."""
    return Plan(
        rule=THE_RULE.id,
        runbook=THE_RUNBOOK.id,
        content=CONTENT.digest,
        as_root=True,
        variables={"fact_target_login": "osiris", "n": 3, "on": True},
        capture="capture",
        steps=(Step("only", "step", 30),),
        undo="undo",
        timeout_s=30,
        verify=CHECK,
    )
