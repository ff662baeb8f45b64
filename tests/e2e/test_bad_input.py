"""Bad input at every door of the running programs: one clear error that names where, no change."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from central import config as hub_config
from proto.hub import check_in, enroll, evidence
from tests.e2e.clinic_scene import read_rows, require_lab, start_hub
from tests.e2e.clinic_scene_content import Lamp, texts, write
from tests.e2e.daemons import Daemon, Launcher, until

pytestmark = pytest.mark.lab

NMAP = "/usr/bin/nmap"
PRETENDED_NMAP = """#!/bin/sh
cat {says}
"""
APART = 'ip link set lo up; mount --bind "$0" "$1"; shift; exec "$@"'
"""Runs a program where there is no network but its own loopback, and nmap is the pretended one."""

GOOD_XML = """<?xml version="1.0"?>
<nmaprun scanner="nmap" args="nmap" start="1" version="7.93">
<runstats><finished time="1" timestr="now" elapsed="0.01" exit="success"/>
<hosts up="0" down="4" total="4"/></runstats></nmaprun>
"""
RULE = "l1/linux/l1.lin.lamp.one.yaml"
CHECK = "checks/linux/lin.lamp.one.yaml"
HEALTH = {"health", "evidence", "evidence_head", "meta", "evidence_details"}
"""Tables that also tell how the appliance itself is, and when it looked last."""


@dataclass(frozen=True)
class Scene:
    """A hub and an appliance beside it; `directory` holds their files and a pretended nmap."""

    hub: Daemon
    appliance: Daemon
    directory: Path

    @property
    def config(self) -> str:
        return self.appliance.config.read_text()

    def known(self) -> dict[str, list[dict[str, Any]]]:
        """Return everything that the appliance keeps, but of its own health and its own clock."""
        kept = everything(self.directory / "appliance" / "osiris.db", but=HEALTH)
        for row in kept["order_state"]:
            del row["seen_s"]
        return kept

    def scanner_says(self, xml: bytes) -> None:
        """Make nmap print this from now on."""
        (self.directory / "bin" / "says.xml.new").write_bytes(xml)
        (self.directory / "bin" / "says.xml.new").rename(self.directory / "bin" / "says.xml")

    def ends(self, *, config: str | None = None) -> tuple[int, str]:
        """Start the daemon, perhaps with another configuration, and return how it ends."""
        path = self.directory / "other.toml"
        path.write_text(self.config if config is None else config)
        log = self.directory / "other.log"
        log.unlink(missing_ok=True)
        launcher = self.appliance.launcher
        status = launcher.wait(launcher.start(path, log))
        return status, log.read_text()


def everything(path: Path, *, but: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a SQLite file."""
    tables = read_rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {row["name"] for row in tables} - but
    return {name: read_rows(path, f"SELECT * FROM {name}") for name in sorted(names)}  # noqa: S608 - its own names


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("bad_input")
    require_lab()
    with ExitStack() as stack:
        hub = start_hub(stack, directory, origin="https://127.0.0.1:{port}")
        (directory / "bin").mkdir()
        nmap = directory / "bin" / "nmap"
        nmap.write_text(PRETENDED_NMAP.format(says=directory / "bin" / "says.xml"))
        nmap.chmod(0o755)
        write(directory / "content", texts((Lamp("one"),)))
        config = directory / "appliance.toml"
        config.write_text(
            f'state_dir = "{directory / "appliance"}"\n'
            f'content_dir = "{directory / "content"}"\ntpm = "off"\n\n'
            "[portal]\nport = 0\n\n[limits]\ncheck_in_s = 5\n\n"
            '[discovery]\nnetworks = ["127.0.77.0/30"]\ninterval_s = 10\n'
        )
        launcher = Launcher("appliance.main", partial(apart, nmap))
        stack.callback(launcher.close)
        socket, log = directory / "appliance" / "osiris.sock", directory / "appliance.log"
        made = Scene(hub, Daemon(launcher, config, socket, "/api/status", log), directory)
        made.scanner_says(GOOD_XML.encode())
        claim = hub.ask("POST", "/local/sites", {"label": "Bad"})["claim_code"]
        assert osiris("appliance", "enroll", claim, "--config", str(config)).returncode == 0
        made.appliance.start()
        assert made.appliance.stop() == 0
        yield made


def apart(nmap: Path, argv: list[str], **options: Any) -> "subprocess.Popen[str]":  # noqa: ANN401 - Popen's own
    """Start a program that can reach nobody: a real scan would reach this machine's neighbours."""
    become_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshared = ["unshare", *become_root, "--mount", "--net", "sh", "-euc", APART]
    return subprocess.Popen([*unshared, str(nmap), NMAP, *argv], **options)


@pytest.fixture
def running(scene: Scene) -> Iterator[Scene]:
    scene.appliance.start()
    yield scene
    assert scene.appliance.stop() == 0


def osiris(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the real command."""
    argv = [sys.executable, "-m", "osiris", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("state_dir = [", "not TOML"),
        ("\n[discovery2]\nx = 1\n", "discovery2"),
        ('[site]\nautonomy = "always"\n', "site.autonomy"),
        ('[limits]\nscan_tick_s = "soon"\n', "limits.scan_tick_s"),
        ("[world]\nnetns = 5\n", "world.netns"),
    ],
)
def test_a_daemon_with_a_wrong_configuration_names_the_key_and_touches_nothing(
    scene: Scene, wrong: str, told: str
) -> None:
    elsewhere = scene.directory / "elsewhere"
    status, said = scene.ends(config=f'state_dir = "{elsewhere}"\n{wrong}')
    assert status == 3
    assert str(scene.directory / "other.toml") in said
    assert told in said
    assert "Traceback" not in said
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (RULE, "action: execute_runbook", "action: run_anything", "l1.lin.lamp.one.yaml:5"),
        (RULE, "scope: global", "scope: global\nscope: global", "l1.lin.lamp.one.yaml:10"),
        (RULE, "runbook_id: rb.lin.lamp.one", "runbook_id: rb.lin.lamp.two", "rb.lin.lamp.two"),
        (CHECK, "severity: medium", "severity: yes", "lin.lamp.one.yaml:4"),
        (CHECK, "title:", "\ttitle:", "lin.lamp.one.yaml:2"),
    ],
)
def test_wrong_content_is_refused_with_file_and_line_and_the_state_stays(
    scene: Scene, path: str, old: str, new: str, told: str
) -> None:
    before = scene.known()
    bad = shutil.copytree(scene.directory / "content", scene.directory / "bad-content")
    try:
        text = (bad / path).read_text()
        assert old in text
        (bad / path).write_text(text.replace(old, new, 1))
        good_name, bad_name = (str(scene.directory / n) for n in ("content", "bad-content"))
        status, said = scene.ends(config=scene.config.replace(good_name, bad_name))
    finally:
        shutil.rmtree(bad)
    assert status == 3
    assert told in said
    assert "Traceback" not in said
    assert scene.known() == before


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        GOOD_XML.encode()[:60],
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><nmaprun>&a;</nmaprun>',
        b"\xff\xfe<nmaprun/>",
    ],
    ids=["empty", "cut short", "entities", "not UTF-8"],
)
def test_a_scan_that_cannot_be_read_finds_no_device_and_is_said(scene: Scene, xml: bytes) -> None:
    before = scene.known()
    scene.scanner_says(xml)
    scene.appliance.start()
    until(lambda: "scanner_failed" in health(scene), "the failed scan is said")
    assert scene.known() == before
    scene.appliance.kill()
    scene.scanner_says(GOOD_XML.encode())
    scene.appliance.start()
    until(lambda: "scanner_failed" not in health(scene), "a scan that is read clears it")
    assert scene.appliance.stop() == 0


def health(scene: Scene) -> set[str]:
    said = scene.appliance.ask("GET", "/api/status")
    return set(said["health"])


@pytest.mark.parametrize("path", [check_in.PATH, evidence.PATH, enroll.PATH_ENROLL])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"null", b"\xff", b'{"v":1,"v":1}', b'{"payload":"!"}', b"[" * 4000],
    ids=["empty", "no fields", "null", "not UTF-8", "a key twice", "not base64", "deep"],
)
def test_what_is_no_statement_changes_nothing_at_the_hub(
    scene: Scene, path: str, body: bytes
) -> None:
    store = scene.directory / "hub" / "hub.db"
    before = everything(store, but={"refusals"})
    context = ssl.create_default_context(cafile=str(scene.directory / "hub" / "tls" / "ca.pem"))
    url = hub_config.read(scene.hub.config).file.origin + path
    answer = httpx.post(url, content=body, verify=context)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message"}
    assert answer.json()["code"] in {"malformed", "envelope_form"}
    assert everything(store, but={"refusals"}) == before


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"sudo": "none", "address": 5}, "address"),
        ({"sudo": "none", "address": "192.0.2.7", "port": "22"}, "port"),
        (
            {"address": "192.0.2.7", "port": 22, "user": "u", "sudo": "maybe", "host_key": "x"},
            "sudo",
        ),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_by_name(
    running: Scene, body: dict[str, object], told: str
) -> None:
    before = running.known()
    with pytest.raises(httpx.HTTPStatusError) as caught:
        running.appliance.ask("POST", "/api/targets", body)
    answer = caught.value.response
    assert answer.status_code == 400
    assert json.loads(answer.content)["message"].startswith(told)
    assert running.known() == before


@pytest.mark.parametrize("code", ["osiris-nonsense"])
def test_a_claim_code_that_is_none_enrolls_nothing(scene: Scene, code: str) -> None:
    state = scene.directory / "fresh"
    config = scene.directory / "fresh.toml"
    config.write_text(f'state_dir = "{state}"\n')
    done = osiris("appliance", "enroll", code, "--config", str(config))
    assert done.returncode == 4
    assert "claim" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (state / "enrolled.json").exists()
