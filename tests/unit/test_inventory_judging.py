"""An inventory check says only what a connect said, and only while that is fresh."""

from dataclasses import replace

import pytest

from appliance.core.inventory import PortSeen, inventory_checks, judge_ports, wanted_ports
from proto.catalog.load import load
from proto.catalog.model import Check
from proto.errors import ConfigError
from proto.findings import Reason, Verdict
from proto.ids import ApplianceId, TargetId
from proto.inventory import DeviceClass, Facts, Platform
from tests.unit.reference_set import as_files, whole_texts

NOW_MS = 10_000_000
FRESH_MS = 3_600_000
"""The check's freshness."""

FACTS = Facts(
    target_id=TargetId("t-aaaaaaaaaa"),
    target_platform=Platform.NETWORK,
    target_os="",
    target_os_version="",
    target_class=DeviceClass.UNKNOWN,
    target_login="",
    target_address="10.0.0.5",
    appliance_id=ApplianceId("a-aaaaaaaaaa"),
    appliance_address="10.0.0.1",
    site_admin_networks=(),
    site_ntp_servers=(),
    site_time_zone="UTC",
)
(TELNET,) = inventory_checks(load(as_files(whole_texts())).checks.values())


def closed(age_ms: int = 0) -> PortSeen:
    return PortSeen(is_open=False, seen_ms=NOW_MS - age_ms)


def opened(age_ms: int = 0) -> PortSeen:
    return PortSeen(is_open=True, seen_ms=NOW_MS - age_ms)


@pytest.mark.parametrize(
    ("ports", "verdict"),
    [
        ({23: closed(), 2323: closed()}, Verdict.COMPLIANT),
        ({23: opened(), 2323: closed()}, Verdict.DRIFTED),
        ({23: closed(), 2323: opened()}, Verdict.DRIFTED),
        ({23: opened()}, Verdict.DRIFTED),  # one open port is enough to know
        ({23: closed()}, Verdict.UNKNOWN),
        ({}, Verdict.UNKNOWN),
        ({22: opened()}, Verdict.UNKNOWN),
        ({23: closed(FRESH_MS), 2323: closed(FRESH_MS)}, Verdict.COMPLIANT),
        ({23: closed(), 2323: closed(FRESH_MS + 1)}, Verdict.UNKNOWN),
        ({23: closed(), 2323: opened(FRESH_MS + 1)}, Verdict.UNKNOWN),
    ],
)
def test_a_port_that_was_not_asked_lately_is_never_a_guess(
    ports: dict[int, PortSeen], verdict: Verdict
) -> None:
    judged = judge_ports(TELNET, ports, facts=FACTS, now_ms=NOW_MS)
    assert judged.judgement.verdict is verdict
    assert judged.judgement.reason is (Reason.STALE if verdict is Verdict.UNKNOWN else None)


def test_a_finding_is_as_old_as_the_oldest_answer_it_rests_on() -> None:
    ports = {23: closed(2000), 2323: closed(5000)}
    assert judge_ports(TELNET, ports, facts=FACTS, now_ms=NOW_MS).at_ms == NOW_MS - 5000


def test_what_is_seen_is_what_may_leave() -> None:
    judged = judge_ports(TELNET, {23: opened()}, facts=FACTS, now_ms=NOW_MS)
    assert dict(judged.judgement.seen) == {"telnet": True}


def test_the_ports_to_ask_are_those_of_the_checks_and_ssh() -> None:
    assert wanted_ports(load(as_files(whole_texts())).checks.values()) == (22, 23, 2323)


def test_ssh_gives_way_to_the_checks_and_no_more_than_twenty_ports_are_asked() -> None:
    assert wanted_ports([asking(range(3000, 3016))]) == (22, *range(3000, 3016))
    assert wanted_ports([asking(range(3000, 3017))]) == tuple(range(3000, 3017))
    with pytest.raises(ConfigError, match="at most 20"):
        wanted_ports([asking(range(3000, 3018))])


def asking(ports: range) -> Check:
    return replace(TELNET, probe=replace(TELNET.probe, ports={"telnet": tuple(ports)}))
