"""Adding a target pins what a person confirmed, and changes nothing when it fails."""

import subprocess
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.classify import MEDICAL_PORTS
from appliance.core.identity import AttributeKind, fingerprint
from appliance.handlers import targets
from appliance.handlers.approach import ADVICE, OffLimitsError
from appliance.handlers.discover import discover_once
from appliance.handlers.targets import FACTS_SCRIPT, ROOT_SCRIPT, IdentityConflictError, Wanted
from appliance.ports import Credential, Ran, ShellError, Sudo
from appliance.store import conflicts, devices
from appliance.store import targets as target_store
from proto import strict_json
from proto.errors import ConflictError, MalformedError, NotFoundError
from proto.findings import Reason
from proto.ids import TargetId
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.fakes.shell import FakeHost, FakeShell, Table, credential, ran
from tests.unit.discovery_site import SmallSite, small_site

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
FACTS = '{"kernel":"Linux","os":"debian","os_version":"12","name":"EMR","uid":1000}'
PASSWORD, SUDO_PASSWORD = "pw", "sudo"
EMR, LAB = "10.0.0.5", "10.0.0.6"
MAC, LAB_MAC = "00:1b:21:00:00:05", "00:1b:21:00:00:06"


def linux(*, key: str = KEY, facts: str | Ran = FACTS, uid: int = 0) -> FakeHost:
    answer = facts if isinstance(facts, Ran) else ran(facts)
    return FakeHost(
        Table(("uname", answer), ("id -u", ran(f'{{"uid":{uid}}}'))),
        key,
        users={"osiris": credential(key="PEM", password=PASSWORD, sudo_password=SUDO_PASSWORD)},
        sudo={"osiris": Sudo.NOPASSWD},
    )


class Lan:
    """Two Linux hosts, as the scanner and the shell see them."""

    def __init__(self) -> None:
        """Start both."""
        self.scanner = FakeScanner(
            [
                FakeDevice(EMR, MAC, "Intel Corporate", (22,)),
                FakeDevice(LAB, LAB_MAC, "Intel Corporate", (22,)),
            ]
        )
        self.emr, self.lab = linux(), linux(key=OTHER_KEY)
        self.hosts = {(EMR, 22): self.emr, (LAB, 22): self.lab}
        self.shell = FakeShell(self.hosts)


@pytest.fixture
def lan() -> Lan:
    return Lan()


@pytest.fixture
async def site(tmp_path: Path, lan: Lan) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=lan.scanner, shell=lan.shell) as opened:
        yield opened


def wanted(
    address: str = EMR,
    *,
    host_key: str = KEY,
    login: Credential | None = None,
    sudo: Sudo = Sudo.NOPASSWD,
    label: str = "",
) -> Wanted:
    given = login or credential(key="PEM")
    return Wanted(address, 22, "osiris", sudo, given, host_key, label)


async def everything(site: SmallSite) -> list[list[tuple[object, ...]]]:
    """Return every row of the tables that an addition writes."""
    tables = ("devices", "device_attributes", "device_ports", "targets", "credentials")
    async with site.work.store.read() as conn:
        return [
            [tuple(row) for row in await conn.execute_fetchall(f"SELECT * FROM {table}")]  # noqa: S608 - a constant
            for table in tables
        ]


async def test_a_look_shows_the_host_key_and_logs_in_nowhere(site: SmallSite, lan: Lan) -> None:
    shown = await targets.look(site.work, EMR, 22)
    assert (shown.host_key, shown.fingerprint, shown.target) == (KEY, fingerprint(KEY), None)
    assert lan.emr.logins == 0


@pytest.mark.parametrize("confirmed", [KEY, fingerprint(KEY)])
async def test_a_target_is_added_with_what_the_person_confirmed(
    site: SmallSite, confirmed: str
) -> None:
    found = await targets.add(site.work, wanted(host_key=confirmed, label="the EMR"))
    assert (found.os, found.os_version, found.name, found.is_root) == ("debian", "12", "EMR", True)
    assert "debian 12" in found.sentence()
    async with site.work.store.read() as conn:
        target = await target_store.get(conn, found.target)
        login = await target_store.login_of(conn, site.work.sealer, found.target)
        device = await devices.get(conn, found.target)
    assert (target.host_key, target.label, target.address) == (KEY, "the EMR", EMR)
    assert login.credential == credential(key="PEM")
    assert device.values(AttributeKind.MAC) == (MAC,)
    assert device.values(AttributeKind.HOST_KEY) == (KEY,)
    assert device.values(AttributeKind.NAME) == ("emr",)


async def test_the_target_is_the_device_that_was_discovered_before(site: SmallSite) -> None:
    await discover_once(site.work)
    device = await site.at(EMR)
    assert (await targets.add(site.work, wanted())).target == device.id
    assert len(await site.devices()) == 2


async def test_what_a_discovery_has_just_learned_is_not_asked_again(
    site: SmallSite, lan: Lan
) -> None:
    await discover_once(site.work)
    lan.scanner.touched.clear()
    await targets.add(site.work, wanted())
    assert lan.scanner.touched == set()


async def test_a_discovery_that_is_long_ago_is_not_trusted(site: SmallSite, lan: Lan) -> None:
    await discover_once(site.work)
    lan.scanner.touched.clear()
    site.clock.advance(3_600_000)
    await targets.add(site.work, wanted())
    assert lan.scanner.touched == {(EMR, port) for port in MEDICAL_PORTS}


async def test_the_target_keeps_its_id_and_login_when_its_lease_changes(
    site: SmallSite, lan: Lan
) -> None:
    found = await targets.add(site.work, wanted())
    lan.scanner.devices[0].address = "10.0.0.99"
    site.clock.advance(900_000)
    await discover_once(site.work)
    (target,) = await targets.every(site.work)
    assert (target.id, target.address) == (found.target, "10.0.0.99")


async def test_a_device_of_a_medical_vendor_is_refused_untouched(site: SmallSite, lan: Lan) -> None:
    lan.scanner.devices[0].vendor = "GE Healthcare"
    with pytest.raises(OffLimitsError, match="GE Healthcare"):
        await targets.look(site.work, EMR, 22)
    with pytest.raises(OffLimitsError, match="off limits"):
        await targets.add(site.work, wanted())
    assert lan.scanner.touched == set()
    assert lan.emr.logins == 0
    assert (await site.at(EMR)).is_off_limits


async def test_a_device_that_speaks_dicom_is_refused_after_three_ports(
    site: SmallSite, lan: Lan
) -> None:
    lan.scanner.devices[0].open = (22, 104)
    with pytest.raises(OffLimitsError, match="port 104"):
        await targets.add(site.work, wanted())
    assert lan.scanner.touched == {(EMR, port) for port in MEDICAL_PORTS}
    lan.scanner.devices[0].open = (22,)
    with pytest.raises(OffLimitsError, match="port 104"):
        await targets.add(site.work, wanted())
    assert lan.emr.logins == 0


async def test_a_device_that_discovery_put_off_limits_is_refused(site: SmallSite, lan: Lan) -> None:
    lan.scanner.devices[0].open = (22, 2575)
    await discover_once(site.work)
    lan.scanner.touched.clear()
    with pytest.raises(OffLimitsError, match="2575"):
        await targets.add(site.work, wanted())
    assert lan.scanner.touched == set()


async def test_another_host_key_than_the_confirmed_one_is_refused(
    site: SmallSite, lan: Lan
) -> None:
    before = await everything(site)
    with pytest.raises(ShellError, match="fingerprint") as refused:
        await targets.add(site.work, wanted(host_key=OTHER_KEY))
    assert refused.value.reason is Reason.HOST_KEY_CHANGED
    assert lan.emr.logins == 0
    assert await everything(site) == before


async def test_a_target_is_not_added_twice(site: SmallSite, lan: Lan) -> None:
    found = await targets.add(site.work, wanted(label="the EMR"))
    before = await everything(site)
    logins = lan.emr.logins
    with pytest.raises(ConflictError, match=f"the EMR.*{found.target}"):
        await targets.add(site.work, wanted(login=credential(password=PASSWORD)))
    assert lan.emr.logins == logins
    assert await everything(site) == before
    assert (await targets.look(site.work, EMR, 22)).target == found.target


async def test_a_host_key_that_two_machines_share_waits_for_a_person(
    site: SmallSite, lan: Lan
) -> None:
    first = await targets.add(site.work, wanted())
    lan.lab.host_key = KEY
    with pytest.raises(IdentityConflictError, match=first.target):
        await targets.add(site.work, wanted(LAB))
    async with site.work.store.read() as conn:
        (kept,) = await conflicts.waiting(conn)
    assert (kept.conflict.other, kept.conflict.kind) == (first.target, AttributeKind.HOST_KEY)
    assert [target.id for target in await targets.every(site.work)] == [first.target]
    await targets.remove(site.work, first.target)
    second = await targets.add(site.work, wanted(LAB))
    assert second.target != first.target
    async with site.work.store.read() as conn:
        assert await conflicts.waiting(conn) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_up": False}, Reason.UNREACHABLE),
        ({"users": {}}, Reason.AUTH_REFUSED),
        ({"sudo": {}}, Reason.SUDO_REFUSED),
        ({"sudo": {"osiris": Sudo.ASK}}, Reason.SUDO_REFUSED),
        ({"behaviour": Table()}, Reason.PROBE_FAILED),
        ({"behaviour": Table(("uname", ran("hello")))}, Reason.BAD_ANSWER),
        (
            {"behaviour": linux(facts=FACTS.replace("Linux", "FreeBSD")).behaviour},
            Reason.BAD_ANSWER,
        ),
        ({"behaviour": linux(facts=FACTS.replace("debian", "<b>")).behaviour}, Reason.BAD_ANSWER),
        ({"behaviour": linux(facts="[]").behaviour}, Reason.BAD_ANSWER),
        ({"behaviour": linux(uid=1000).behaviour}, Reason.SUDO_REFUSED),
        ({"login_failures": deque([ShellError(Reason.TIMEOUT, "too slow")])}, Reason.TIMEOUT),
    ],
)
async def test_each_failure_has_its_reason_says_what_to_do_and_changes_nothing(
    site: SmallSite, lan: Lan, change: dict[str, object], reason: Reason
) -> None:
    for name, value in change.items():
        setattr(lan.emr, name, value)
    before = await everything(site)
    with pytest.raises(ShellError) as failed:
        await targets.add(site.work, wanted())
    assert failed.value.reason is reason
    assert ADVICE[reason] in str(failed.value)
    assert await everything(site) == before


async def test_a_login_without_a_credential_is_refused_before_anything_is_asked(
    site: SmallSite, lan: Lan
) -> None:
    with pytest.raises(ShellError) as refused:
        await targets.add(site.work, wanted(login=Credential(None, None, None)))
    assert refused.value.reason is Reason.NO_CREDENTIAL
    assert lan.scanner.touched == set()


async def test_sudo_that_asks_is_given_its_password(site: SmallSite, lan: Lan) -> None:
    lan.emr.sudo = {"osiris": Sudo.ASK}
    login = credential(key="PEM", sudo_password=SUDO_PASSWORD)
    found = await targets.add(site.work, wanted(login=login, sudo=Sudo.ASK))
    assert found.is_root


async def test_a_target_without_root_is_added_and_said_to_be(site: SmallSite) -> None:
    found = await targets.add(site.work, wanted(sudo=Sudo.NONE))
    assert not found.is_root
    assert "cannot become root" in found.sentence()


async def test_a_host_that_does_not_answer_for_the_medical_ports_is_not_logged_into(
    site: SmallSite, lan: Lan
) -> None:
    lan.scanner.devices[0].is_up = False
    with pytest.raises(ShellError) as refused:
        await targets.add(site.work, wanted())
    assert refused.value.reason is Reason.UNREACHABLE
    assert lan.emr.logins == 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"address": "emr.clinic.example"}, "address"),
        ({"address": "10.0.0.5/24"}, "address"),
        ({"address": "-oProxyCommand=x"}, "address"),
        ({"address": "::1"}, "address"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"user": "-x"}, "user"),
        ({"user": ""}, "user"),
        ({"user": "a b"}, "user"),
        ({"label": "x" * 65}, "label"),
        ({"label": "two\nlines"}, "label"),
    ],
)
async def test_a_malformed_wish_is_refused_by_name(
    site: SmallSite, lan: Lan, change: dict[str, object], named: str
) -> None:
    with pytest.raises(MalformedError, match=named):
        await targets.add(site.work, replace(wanted(), **change))  # type: ignore[arg-type]
    assert lan.scanner.touched == set()


async def test_a_test_says_what_is_found_now(site: SmallSite, lan: Lan) -> None:
    added = await targets.add(site.work, wanted())
    lan.emr.behaviour = linux(facts=FACTS.replace('"12"', '"13"')).behaviour
    assert (await targets.test(site.work, added.target)).os_version == "13"
    (target,) = await targets.every(site.work)
    assert target.os_version == "13"


async def test_a_test_of_a_host_whose_key_changed_says_so(site: SmallSite, lan: Lan) -> None:
    added = await targets.add(site.work, wanted())
    lan.emr.host_key = OTHER_KEY
    with pytest.raises(ShellError) as refused:
        await targets.test(site.work, added.target)
    assert refused.value.reason is Reason.HOST_KEY_CHANGED
    assert ADVICE[Reason.HOST_KEY_CHANGED] in str(refused.value)


async def test_a_removed_target_is_gone_with_its_credential_and_keeps_its_device(
    site: SmallSite,
) -> None:
    added = await targets.add(site.work, wanted())
    removed = await targets.remove(site.work, added.target)
    assert removed.address == EMR
    assert await targets.every(site.work) == []
    async with site.work.store.read() as conn:
        assert list(await conn.execute_fetchall("SELECT * FROM credentials")) == []
    with pytest.raises(NotFoundError):
        await targets.test(site.work, added.target)
    with pytest.raises(NotFoundError):
        await targets.remove(site.work, added.target)
    again = await targets.add(site.work, wanted())
    assert again.target == added.target


async def test_an_unknown_target_is_an_error_that_names_it(site: SmallSite) -> None:
    with pytest.raises(NotFoundError, match="t-zzzzzzzzzz"):
        await targets.remove(site.work, TargetId("t-zzzzzzzzzz"))


def test_there_is_advice_for_every_reason() -> None:
    assert set(ADVICE) == set(Reason)


@pytest.mark.parametrize("script", [FACTS_SCRIPT, ROOT_SCRIPT])
def test_the_scripts_print_one_strict_object_in_a_real_shell(script: str) -> None:
    done = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=True)
    answer = strict_json.loads(done.stdout, size_bytes_max=4096)
    assert isinstance(answer, dict)
    assert isinstance(answer["uid"], int)
