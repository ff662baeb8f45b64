"""The appliance's program starts itself again when it is asked to, under whoever started it."""

import subprocess
import sys
from pathlib import Path

import httpx

from tests.e2e.daemons import until
from tests.e2e.pair import pair
from tests.e2e.restarting_appliance import ASKS


def test_the_program_is_started_again_in_its_own_process(tmp_path: Path) -> None:
    with pair(tmp_path) as two:
        daemon = two.appliance
        argv = [sys.executable, "-m", "tests.e2e.restarting_appliance"]
        with (
            daemon.log.open("wb") as sink,
            subprocess.Popen([*argv, "--config", str(daemon.config)], stderr=sink) as process,
        ):
            try:
                until(lambda: daemon.said().count('"serving"') == 1, "it serves")
                image = Path(f"/proc/{process.pid}/stat").read_text().split()[27]  # start of stack
                (tmp_path / "appliance" / ASKS).touch()
                until(lambda: daemon.said().count('"serving"') == 2, "it serves again")
                until(lambda: _answers(daemon.socket), "it answers again")
                assert process.poll() is None
                assert Path(f"/proc/{process.pid}/stat").read_text().split()[27] != image
                assert two.status()["appliance"].startswith("a-")
            finally:
                process.terminate()
            assert process.wait(30) == 0
    told = daemon.said().splitlines()
    assert not [line for line in told if "task_failed" in line or "task_crashed" in line]


def _answers(socket: Path) -> bool:
    transport = httpx.HTTPTransport(uds=str(socket))
    with httpx.Client(transport=transport, base_url="http://osiris") as client:
        try:
            return client.get("/api/status").status_code == 200
        except httpx.HTTPError:
            return False
