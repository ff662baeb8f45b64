"""A state directory on a disk that fills up: nothing is begun, nothing stored is lost."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.clinic_scene import Clinic, clinic, lamp_log, lit
from tests.e2e.clinic_scene_content import PLACE, Lamp
from tests.e2e.daemons import until

pytestmark = pytest.mark.lab

DISK_BYTES = 32 * 1024 * 1024
COMPLAINTS = 3
LAMPS = tuple(Lamp(f"lamp{n}", takes_s="0.01") for n in range(3))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, small enough to be filled."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk that can be filled; run as root")
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    options = f"size={DISK_BYTES},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def scene(tmp_path: Path, disk: Path) -> Iterator[Clinic]:
    with clinic(tmp_path, LAMPS, hosts=1, state=disk) as made:
        yield made


class Filler:
    """Somebody else on the same disk, who takes whatever is free."""

    def __init__(self, disk: Path) -> None:
        """Take nothing yet."""
        self._disk = disk
        self._path = disk / "somebody-elses-file"

    def fill(self) -> None:
        """Take everything that is free now."""
        with self._path.open("ab") as file:
            try:
                if free := self.free_bytes():
                    os.posix_fallocate(file.fileno(), file.tell(), free)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                # The appliance took of it first: that is taken too.

    def free_bytes(self) -> int:
        """Return what is free."""
        found = os.statvfs(self._disk)
        return found.f_bavail * found.f_frsize

    def leave(self) -> None:
        """Give everything back."""
        self._path.unlink()


def refusal(scene: Clinic, target: str) -> tuple[int, str]:
    """Ask for a check; return the status and the code of its refusal."""
    with pytest.raises(httpx.HTTPStatusError) as caught:
        scene.appliance.ask("POST", f"/api/targets/{target}/check", {})
    answer = caught.value.response
    return answer.status_code, answer.json()["code"]


def stored(scene: Clinic) -> list[list[dict[str, object]]]:
    """Return what the appliance knows and did, but for what only tells of its own health."""
    return [
        scene.rows("SELECT target, check_id, verdict, at_ms FROM findings"),
        scene.rows("SELECT id, state, cause FROM incidents WHERE state <> 'closed'"),
        scene.rows("SELECT * FROM commands WHERE done_ms IS NULL"),
        scene.rows("SELECT idx, hash, leaf FROM evidence WHERE idx >= ?", acknowledged(scene)),
    ]


def acknowledged(scene: Clinic) -> int:
    return scene.count("SELECT acked_size FROM evidence_head")


def fill_for_good(scene: Clinic, filler: Filler) -> None:
    """Fill the disk, what the appliance gives back too, until it says that it has no room."""
    said = complaints(scene)

    def is_full_and_said() -> bool:
        filler.fill()
        return complaints(scene) >= said + COMPLAINTS

    until(is_full_and_said, "the appliance says again and again that it has no room")


def complaints(scene: Clinic) -> int:
    return scene.appliance.said().count('"event": "disk_full"')


def test_a_full_disk_stops_what_cannot_be_stored_and_loses_nothing(
    scene: Clinic, disk: Path
) -> None:
    filler = Filler(disk)
    scene.appliance.start()
    ((target, host),) = scene.add_targets().items()
    scene.until_settled(len(LAMPS))
    scene.assert_evidence_arrived()
    scene.hub.stop()
    host.sh(f"rm {PLACE}/lamp0")
    scene.appliance.ask("POST", f"/api/targets/{target}/check", {})
    scene.until_settled(len(LAMPS) + 1)
    evidence_before = scene.appliance.ask("GET", "/api/status")

    fill_for_good(scene, filler)
    assert "disk_full" in scene.conditions()
    before, ran = stored(scene), lamp_log(host)
    assert len(before[-1]) >= evidence_before["evidence"] - evidence_before["hub_acknowledged"]
    assert all(row["leaf"] is not None for row in before[-1]), "what the hub lacks is kept"
    host.sh(f"rm {PLACE}/lamp1")
    assert refusal(scene, target) == (507, "disk_full")
    assert (stored(scene), lamp_log(host)) == (before, ran)
    assert lit(host) == {"lamp0", "lamp2"}

    scene.appliance.kill()
    filler.fill()
    scene.appliance.start()
    assert "disk_full" in scene.conditions()
    assert (stored(scene), lamp_log(host)) == (before, ran)

    filler.leave()
    until(lambda: "disk_full" not in scene.conditions(), "there is room again")
    scene.appliance.ask("POST", f"/api/targets/{target}/check", {})
    until(lambda: lit(host) == {"lamp0", "lamp1", "lamp2"}, "the drift of that time is healed")
    until(lambda: not scene.unsettled(), "and proved")
    scene.hub.start()
    scene.assert_evidence_arrived()
    told = scene.hub_rows("SELECT incident FROM heals WHERE result = 'healed'")
    assert len(told) == len(LAMPS) + 2
