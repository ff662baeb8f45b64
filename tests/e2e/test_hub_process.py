"""The hub as a process: kill -9 at any moment, restart, migrations, locks, its command line."""

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from central.cli import hub as command_line
from central.door import open_door
from central.repository import HubRepository
from central.store.migrate import head_revision
from osiris.demo.free_port import free_port
from proto.claim import parse_claim_code
from proto.errors import ConfigError, ConflictError, OsirisError
from proto.findings import Verdict
from proto.hub import check_in, enroll, evidence
from proto.keysets import Role
from runtime.clock import SystemClock, system_entropy
from tests.fakes.box import Box, read_head
from tests.fakes.hub_process import HubProcess, hub_process

LEAVES = 120
BATCH = 5
KILL_AFTER_S = (0.05, 0.31, 0.17, 0.23)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    with hub_process(tmp_path) as made:
        yield made


def now_s() -> int:
    return SystemClock().now_ms() // 1000


def ask(hub: HubProcess, *arguments: str) -> object:
    """Run one verb of `osiris hub` and return its JSON."""
    result = CliRunner().invoke(command_line, [*arguments, "-o", "json", "--config", str(hub.file)])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def enrolled_box(hub: HubProcess, client: httpx.Client) -> Box:
    made = ask(hub, "site", "add", "Clinic")
    assert isinstance(made, dict)
    box = Box.make(system_entropy)
    request = box.enroll_request(parse_claim_code(made["claim_code"]), now_s=now_s())
    box.enrolled(client.post(enroll.PATH_ENROLL, content=request).content, hub.root)
    return box


def send_until_killed(hub: HubProcess, box: Box, held: int) -> int:
    """Send evidence and check-ins until the hub is gone; return how much it had acknowledged."""
    try:
        with hub.client() as client:
            while held < LEAVES:
                end = min(held + BATCH, LEAVES)
                answer = client.post(evidence.PATH, content=box.batch(held, end))
                assert answer.status_code == 200, answer.text
                held = answer.json()["have"]
                beat = client.post(check_in.PATH, content=box.check_in(now_s=now_s()))
                assert beat.status_code == 200, beat.text
                read_head(beat.content, hub.root)
    except httpx.TransportError:
        pass
    return held


def test_kill_9_in_the_middle_of_evidence_loses_and_doubles_nothing(hub: HubProcess) -> None:
    hub.start()
    with hub.client() as client:
        box = enrolled_box(hub, client)
    for n in range(LEAVES):
        verdict = Verdict.DRIFTED if n % 2 else Verdict.COMPLIANT
        box.scan("t-aaaaaaaaaa", {"c.one": (verdict, {"n": n})}, at_s=now_s())
    held = 0
    for after_s in KILL_AFTER_S:
        killer = threading.Timer(after_s, hub.kill)
        killer.start()
        acknowledged = send_until_killed(hub, box, held)
        killer.join()
        hub.start()
        with hub.client() as client:
            probe = client.post(evidence.PATH, content=box.batch(LEAVES, LEAVES))
        assert probe.json()["have"] >= acknowledged
        held = probe.json()["have"]
    assert send_until_killed(hub, box, held) == LEAVES
    with hub.client() as client:
        whole = client.post(evidence.PATH, content=box.batch(LEAVES, LEAVES)).json()
    assert whole["have"] == LEAVES
    assert whole["cosigned"] is not None
    sites = ask(hub, "site", "list")
    assert isinstance(sites, list)
    assert sites[0]["verdicts"] == {
        "compliant": 0, "drifted": 1, "not_applicable": 0, "unknown": 0
    }  # fmt: skip


def test_an_acknowledged_check_in_is_a_replay_after_kill_9(hub: HubProcess) -> None:
    hub.start()
    with hub.client() as client:
        box = enrolled_box(hub, client)
        request = box.check_in(now_s=now_s())
        assert client.post(check_in.PATH, content=request).status_code == 200
    hub.kill()
    hub.start()
    with hub.client() as client:
        answer = client.post(check_in.PATH, content=request)
    assert (answer.status_code, answer.json()["code"]) == (409, "replayed")


def test_a_quiet_check_in_carries_no_header_but_its_length(hub: HubProcess) -> None:
    hub.start()
    with hub.client() as client:
        box = enrolled_box(hub, client)
        answer = client.post(check_in.PATH, content=box.check_in(now_s=now_s()))
    assert list(answer.headers) == ["content-length"]


def test_serving_brings_an_empty_store_to_head_first(hub: HubProcess) -> None:
    """A hub whose database was never made, or lies behind, must not answer before it is."""
    (hub.config.state_dir / "hub.db").unlink()
    hub.start()
    with hub.client() as client:
        assert client.get("/readyz").json() == {"ready": True, "revision": head_revision()}


def test_a_second_daemon_over_the_same_state_is_refused(hub: HubProcess) -> None:
    hub.start()
    second = hub.spawn()
    _, said = second.communicate(timeout=30)
    assert second.returncode == ConflictError.exit_status
    assert b"in use by the running daemon" in said


def test_a_stop_is_orderly(hub: HubProcess) -> None:
    hub.start()
    with hub.client() as client:
        assert client.get("/healthz").status_code == 200
        assert hub.stop() == 0


def test_a_port_in_use_is_one_clear_error(hub: HubProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", hub.port))
        taken.listen()
        process = hub.spawn()
        _, said = process.communicate(timeout=30)
    assert process.returncode == ConfigError.exit_status
    assert b"cannot serve on 127.0.0.1" in said


def test_a_hub_that_was_not_set_up_says_what_to_do(hub: HubProcess) -> None:
    (hub.config.state_dir / "trust" / "root.json").unlink()
    process = hub.spawn()
    _, said = process.communicate(timeout=30)
    assert process.returncode == ConfigError.exit_status
    assert b"osiris hub init" in said


def test_a_key_that_others_may_read_is_refused(hub: HubProcess) -> None:
    (hub.config.state_dir / "keys" / "head.key").chmod(0o644)
    process = hub.spawn()
    _, said = process.communicate(timeout=30)
    assert process.returncode == ConfigError.exit_status
    assert b"others may read this key" in said


@pytest.mark.parametrize("served", [False, True])
def test_the_command_line_works_with_and_without_a_daemon(hub: HubProcess, *, served: bool) -> None:
    if served:
        hub.start()
    made = ask(hub, "site", "add", "Clinic North")
    assert isinstance(made, dict)
    assert parse_claim_code(made["claim_code"]).hub_url == hub.origin
    sites = ask(hub, "site", "list")
    assert isinstance(sites, list)
    assert [(one["label"], one["presence"]) for one in sites] == [("Clinic North", "never")]
    account = ask(hub, "user", "add", "ann", "--generate")
    assert isinstance(account, dict)
    assert len(account["password"]) == 24
    users = ask(hub, "user", "list")
    assert isinstance(users, list)
    assert [set(one) for one in users] == [{"name", "created_ms", "disabled_ms", "since", "shut"}]
    status = ask(hub, "status")
    assert isinstance(status, dict)
    assert (status["sites"], status["trust"]) == (1, "development")


def test_a_damaged_release_and_a_signer_that_is_away_are_told_by_status(hub: HubProcess) -> None:
    place = HubRepository(hub.config.state_dir).place
    file = place.metadata(Role.RELEASE, place.newest(Role.RELEASE))
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])
    away = ask(hub, "status")
    file.write_bytes(whole)
    hub.start()
    there = ask(hub, "status")
    assert isinstance(away, dict)
    assert isinstance(there, dict)
    assert away["release"] is None
    assert away["renew"][0].startswith("The release cannot be read: ")
    assert away["signer"].startswith("the signer does not answer")
    assert (there["release"], there["signer"]) == (1, "signs orders")


def test_an_appliance_is_confirmed_from_the_command_line(hub: HubProcess) -> None:
    hub.start()
    with hub.client() as client:
        box = enrolled_box(hub, client)
    before = ask(hub, "appliance", "list")
    assert isinstance(before, list)
    assert before[0]["fingerprint"] == box.key.public.fingerprint()
    assert before[0]["confirmed"] == "never"
    for other in ("", "0000 " * 8, Box.make(system_entropy).key.public.fingerprint()):
        with pytest.raises(ConflictError, match="another fingerprint here"):
            ask(hub, "appliance", "confirm", box.appliance, other)
    assert ask(hub, "appliance", "list") == before
    said = before[0]["fingerprint"].replace(" ", "").upper()
    ask(hub, "appliance", "confirm", box.appliance, said)
    after = ask(hub, "appliance", "list")
    assert isinstance(after, list)
    assert after[0]["confirmed"] != "never"


@pytest.mark.parametrize(
    ("arguments", "family"),
    [
        (("appliance", "confirm", "nonsense", "ab12"), 4),
        (("appliance", "confirm", "a-aaaaaaaaaa", "ab12"), 4),
        (("site", "claim", "s-aaaaaaaaaa"), 4),
        (("site", "add", " "), 4),
        (("user", "add", "Ann Smith", "--generate"), 4),
    ],
)
def test_a_mistaken_verb_ends_with_its_familys_status(
    hub: HubProcess, arguments: tuple[str, ...], family: int
) -> None:
    with pytest.raises(OsirisError) as caught:
        ask(hub, *arguments)
    assert caught.value.exit_status == family


def test_a_short_password_is_refused(hub: HubProcess) -> None:
    result = CliRunner().invoke(
        command_line, ["user", "add", "ann", "--config", str(hub.file)], input="short\n"
    )
    assert "12 to 256 characters" in str(result.exception)


def test_init_without_an_origin_says_what_to_give(tmp_path: Path) -> None:
    result = CliRunner().invoke(command_line, ["init", "--config", str(tmp_path / "hub.toml")])
    assert isinstance(result.exception, ConfigError)
    assert "--origin" in str(result.exception)


def test_init_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    origin = f"https://127.0.0.1:{free_port()}"
    arguments = ["init", "--origin", origin, "--state-dir", str(tmp_path / "state")]
    first = CliRunner().invoke(command_line, [*arguments, "-o", "json", "--config", str(file)])

    def files() -> dict[Path, bytes]:
        found = (tmp_path / "state").glob("*/**/*")
        return {path: path.read_bytes() for path in found if path.is_file()}

    before = files()
    again = CliRunner().invoke(command_line, [*arguments, "-o", "json", "--config", str(file)])
    assert json.loads(first.stdout) | {"new": False} == json.loads(again.stdout)
    assert files() == before


def test_the_door_is_shut_where_no_hub_is(hub: HubProcess) -> None:
    (hub.config.state_dir / "trust" / "root.json").unlink()

    async def opens() -> None:
        async with open_door(hub.config):
            pass

    with pytest.raises(ConfigError, match="no hub is set up here"):
        asyncio.run(opens())
    shutil.rmtree(hub.config.state_dir / "development")
    with pytest.raises(ConfigError, match="this hub waits for what its people sign"):
        asyncio.run(opens())
