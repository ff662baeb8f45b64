"""A released program takes the appliance over by an order, and a broken one gives it back.

The people, the hub and its signer, the appliance under something that starts it again, and the
wheels are real; there is no target.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from appliance import handover
from appliance.handover import Phase, ProgramPlace
from central import config as hub_config
from osiris.demo.free_port import free_port
from proto.evidence import COMMAND_LINE
from tests.e2e.clinic_scene import read_rows
from tests.e2e.clinic_scene_content import Lamp, texts
from tests.e2e.daemons import Daemon, DaemonError, launcher_of, until
from tests.e2e.desk_world import command
from tests.e2e.order_people import ADA, BEA, CYD, SIGNERS, TYPED, People
from tests.e2e.program_wheels import ROOT, built

NEXT, BROKEN = "0.9.1", "0.9.2"
AGAIN = 'while :; do "$0" -m appliance --config "$1"; sleep 0.2; done'
"""What a service manager does with Restart=always."""

OVER = frozenset({"done", "failed", "unknown", "refused", "vetoed", "expired"})


@dataclass
class Site:
    """One appliance that is started again whenever it ends, and its people."""

    people: People
    hub: Daemon
    box: Daemon
    directory: Path
    releases: int = 1

    @property
    def state(self) -> Path:
        return self.directory / "appliance"

    @property
    def place(self) -> ProgramPlace:
        return ProgramPlace(self.state)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.box.ask("GET", "/api/status")
        return found

    def leaves(self, kind: str) -> list[bytes]:
        with closing(sqlite3.connect(self.place.store)) as held:
            rows = held.execute("SELECT leaf FROM evidence WHERE type = ? ORDER BY idx", (kind,))
            return [row[0] for row in rows]

    def release(self, wheel: Path) -> str:
        """Have the release people sign and publish a program; return its digest."""
        agents = self.directory / "agents"
        agents.mkdir(exist_ok=True)
        shutil.copy(wheel, agents)
        folder = ("--folder", str(self.people.directory / "release"))
        runs = [command(["content", "build", "--keep", "--agents", str(agents), *folder])]
        for person in SIGNERS:
            desk = ("--desk", str(self.people.desk(person)))
            runs.append(command(["content", "sign", *desk, *folder], TYPED))
        incoming = hub_config.read(self.hub.config).state_dir / "incoming"
        runs.append(command(["content", "publish", "--to", str(incoming), *folder]))
        assert [ran.err for ran in runs if ran.status] == []
        self.releases += 1
        until(self._has_release, "the appliance took the release", within_s=150, pause_s=0.5)
        return sha256(wheel.read_bytes()).hexdigest()

    def _has_release(self) -> bool:
        return bool(self.box.ask("GET", "/api/content").get("release") == self.releases)

    def order(self, version: str, digest: str) -> str:
        """Have two people order the program; return the order's name."""
        told = self.status()
        here = ("--site", told["site"], "--appliance", told["appliance"], "--reason", "the update")
        what = ("--version", version, "--content-sha256", digest, "--people", "2")
        sid = self.people.drafted(ADA, "update_agent", *what, *here)
        self.people.approve(sid, ADA, BEA)
        return sid

    def until_over(self, sid: str) -> str:
        line: dict[str, Any] = {}

        def is_over() -> bool:
            line.update(self.people.line(sid))
            return line["stage"] in OVER

        try:
            until(is_over, "the order is over", within_s=150, pause_s=0.7)
        except DaemonError as error:
            msg = f"{line} {self.box.said()[-3000:]}"
            raise DaemonError(msg) from error
        return str(line["stage"])

    def receipts(self, sid: str) -> list[tuple[str, str | None]]:
        rows = read_rows(
            self.directory / "hub" / "hub.db",
            "SELECT kind, code FROM order_receipts WHERE sid = ? ORDER BY seq",
            bytes.fromhex(sid),
        )
        return [(row["kind"], row["code"]) for row in rows]

    def verified(self, sid: str) -> str:
        """Have a person verify the order's whole life; return what they read."""
        file = self.directory / f"{sid[:16]}.json"
        assert self.people.order(CYD, "show", sid, "--save", str(file)).status == 0
        told = self.status()
        key = f"{told['appliance']}={told['public_key']}"
        ran = self.people.order(CYD, "verify", str(file), "--appliance-key", key)
        assert ran.status == 0, ran.err
        return ran.words


@contextmanager
def site(directory: Path) -> Iterator[Site]:
    people = People(directory / "people")
    people.directory.mkdir()
    with ExitStack() as stack:
        content = texts((Lamp("one"),))
        begin = partial(people.hub, origin="https://127.0.0.1:{port}")
        hub = begin(stack, directory, content=content)
        path, state = directory / "appliance.toml", directory / "appliance"
        path.write_text(
            f'state_dir = "{state}"\naddress = "127.0.0.1"\n\n'
            f'[portal]\nhost = "127.0.0.1"\nport = {free_port()}\n\n[limits]\ncheck_in_s = 1\n'
        )
        claim = hub.ask("POST", "/local/sites", {"label": "Updates"})["claim_code"]
        launcher = launcher_of("appliance.main")
        launcher.enroll(claim, path, directory / "enroll.log")
        log = directory / "appliance.log"
        box = Daemon(launcher, path, state / "osiris.sock", "/api/status", log)
        sink = stack.enter_context(log.open("wb"))
        keeper = subprocess.Popen(
            ["sh", "-c", AGAIN, sys.executable, str(path)],
            cwd=ROOT,
            stderr=sink,
            stdout=sink,
            start_new_session=True,
        )
        stack.callback(keeper.wait)
        stack.callback(os.killpg, keeper.pid, signal.SIGKILL)
        until(lambda: _answers(box), "it answers")
        until(lambda: bool(box.ask("GET", "/api/content").get("orders")), "orders can be taken")
        yield Site(people, hub, box, directory)


def _answers(box: Daemon) -> bool:
    box.pid = os.getpid()  # whoever starts it again is alive
    try:
        return box.answers()
    finally:
        box.pid = 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("update")) as one:
        yield one


def test_an_ordered_program_takes_over_and_the_order_ends_across_the_restart(made: Site) -> None:
    digest = made.release(built(made.directory, NEXT))
    sid = made.order(NEXT, digest)
    assert made.until_over(sid) == "done", made.box.said()[-3000:]
    assert made.status()["version"] == NEXT
    record = handover.read(made.place)
    assert record is not None
    assert (record.phase, record.runs.version, record.order) == (Phase.TAKEN, NEXT, sid)
    assert made.receipts(sid) == [("intent", None), ("result", "done")]
    assert "Verified. Nothing failed." in made.verified(sid)


def test_a_broken_program_gives_the_appliance_back_and_the_order_has_failed(made: Site) -> None:
    before = made.status()["version"]
    wheel = built(made.directory, BROKEN, broken='raise RuntimeError("broken")')
    sid = made.order(BROKEN, made.release(wheel))
    assert made.until_over(sid) == "failed", made.box.said()[-3000:]
    assert made.status()["version"] == before
    record = handover.read(made.place)
    assert record is not None
    assert (record.phase, record.why) == (Phase.BACK, "not_ready")
    assert made.receipts(sid) == [("intent", None), ("result", "failed")]
    assert "Verified. Nothing failed." in made.verified(sid)


def test_an_older_program_is_refused_and_nothing_changes(made: Site) -> None:
    before, record = made.status()["version"], handover.read(made.place)
    sid = made.order("0.0.9", made.release(built(made.directory, "0.0.9")))
    assert made.until_over(sid) == "failed"
    assert made.status()["version"] == before
    assert handover.read(made.place) == record


def test_a_person_at_the_appliance_sees_what_runs_and_goes_back(made: Site) -> None:
    verb = ["appliance", "program"]
    at = ["--config", str(made.box.config)]
    shown = command([*verb, *at, "-o", "json"]).json()
    assert shown["running"].startswith(f"{NEXT} ")
    assert shown["packaged"] == "0.1.0 packaged"
    starts = made.box.said().count('"serving"')
    went = command([*verb, "back", "--reason", "it looks wrong to us", *at])
    assert went.status == 0, went.err
    until(lambda: made.box.said().count('"serving"') > starts, "it has started again")
    assert made.status()["version"] == "0.1.0"
    shown = command([*verb, *at, "-o", "json"]).json()
    assert (shown["running"], shown["why"]) == ("0.1.0 packaged", "person")
    (leaf,) = made.leaves("lan")
    body = json.loads(b64decode(json.loads(leaf)["payload"]))
    assert (body["act"], body["actor"], body["program"]) == ("program_back", COMMAND_LINE, "0.1.0")
    refused = command([*verb, "back", "--reason", "once more", *at])
    assert refused.status == 4
    assert "none before it" in refused.err
