"""The hub is away for the whole run: the appliance heals on, and later everything arrives once.

On the same host: an answer that is none changes no more than its own finding.
"""

from collections.abc import Iterator

import pytest

from osiris.demo.lab import LabHost
from tests.e2e.clinic_scene import Clinic, clinic, lamp_log, lit
from tests.e2e.clinic_scene_content import PLACE, STEPS, Lamp
from tests.e2e.daemons import until

pytestmark = pytest.mark.lab

LAMPS = tuple(Lamp(f"lamp{n}", takes_s="0.01") for n in range(4))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("away"), LAMPS, hosts=1) as made:
        yield made


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


@pytest.mark.parametrize(
    "answer",
    [
        "lit",
        '{"value":"lit"',
        '{"value":"lit"} {"value":"lit"}',
        '{"value":"lit","value":"dark"}',
        '{"value":"purple"}',
        '{"value":"lit","patient":"x"}',
        '{"value":"' + "x" * 70_000 + '"}',
    ],
    ids=["text", "cut short", "two", "a key twice", "no such value", "one field more", "too long"],
)
def test_an_answer_that_is_none_is_unknown_and_repairs_nothing(scene: Clinic, answer: str) -> None:
    ((target, host),) = known_targets(scene)
    before = [scene.rows("SELECT * FROM incidents"), lamp_log(host)]
    host.sh(f"cat >{PLACE}/lamp0.says <<'END'\n{answer}\nEND\n")
    try:
        findings = scene.appliance.ask("POST", f"/api/targets/{target}/check", {})
    finally:
        host.sh(f"rm {PLACE}/lamp0.says")
    told = {one["check"]: (one["verdict"], one["reason"]) for one in findings}
    assert told.pop("lin.lamp.lamp0") == ("unknown", "bad_answer")
    assert set(told.values()) == {("compliant", None)}
    assert [scene.rows("SELECT * FROM incidents"), lamp_log(host)] == before


def known_targets(scene: Clinic) -> list[tuple[str, LabHost]]:
    """Return the host with its target id; added and healed here if no test before has."""
    if not scene.appliance.pid:
        scene.appliance.start()
        scene.add_targets()
        scene.until_settled(len(LAMPS))
    (row,) = scene.appliance.ask("GET", "/api/targets")
    target = row["id"]
    # Healed incidents are closed by the next passing check, which is not what is tested here.
    scene.appliance.ask("POST", f"/api/targets/{target}/check", {})
    return [(target, scene.hosts[0])]
