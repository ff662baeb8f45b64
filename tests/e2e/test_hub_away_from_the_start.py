"""The hub is away for the whole run: the appliance heals on, and later everything arrives once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clinic_scene import Clinic, clinic, lamp_log, lit
from tests.e2e.clinic_scene_content import STEPS, Lamp
from tests.e2e.daemons import until

pytestmark = pytest.mark.lab

LAMPS = tuple(Lamp(f"lamp{n}", takes_s="0.01") for n in range(4))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Clinic]:
    with clinic(tmp_path, LAMPS, hosts=1) as made:
        yield made


def health_leaves(scene: Clinic) -> int:
    return scene.count("SELECT count(*) FROM evidence WHERE type = 'health'")


def test_an_appliance_without_its_hub_heals_and_hands_everything_over_once(scene: Clinic) -> None:
    scene.hub.stop()
    scene.appliance.start()
    ((target, host),) = scene.add_targets().items()
    scene.until_settled(len(LAMPS))
    until(lambda: "hub_unreachable" in scene.conditions(), "the portal's own word on the hub")
    assert scene.count("SELECT count(*) FROM incidents WHERE state = 'healed'") == len(LAMPS)
    assert lit(host) == {lamp.name for lamp in LAMPS}
    said = scene.appliance.ask("GET", "/api/status")
    assert (said["hub_acknowledged"], said["hub_seen_ms"]) == (0, 0)
    assert said["evidence"] >= 3 * len(LAMPS), "a scan, an opening and a repair each"
    assert scene.hub_rows("SELECT * FROM leaves") == []

    scene.appliance.kill()
    scene.appliance.start()
    scene.hub.start()
    until(lambda: "hub_unreachable" not in scene.conditions(), "the hub is known to be back")
    assert scene.assert_evidence_arrived() >= said["evidence"]
    heals = scene.hub_rows("SELECT incident, result FROM heals")
    assert [row["result"] for row in heals] == ["healed"] * len(LAMPS)
    assert len({row["incident"] for row in heals}) == len(LAMPS)
    assert len(lamp_log(host)) == 2 * STEPS * len(LAMPS), "and nothing was repaired again"
    assert target in {row["target"] for row in scene.hub_rows("SELECT target FROM findings")}
