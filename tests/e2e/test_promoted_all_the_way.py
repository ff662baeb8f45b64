"""A rule that people promoted, from what healed to a repair on a real host, and away again.

Every process is real: desks, hub, signer, appliance, host. The release's rule lights a lamp that is
dark; a dim one it leaves to people. What healed the dark one is promoted, an order takes it up at
the site, and it heals the dim one. Dropped from what is promoted, it acts no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clinic_scene import House, clinic_of
from tests.e2e.clinic_scene_content import PLACE, Lamp, texts
from tests.e2e.daemons import until
from tests.e2e.desk_world import PASSPHRASE, Ran, command
from tests.e2e.order_people import ADA, BEA, CYD, TYPED, People
from tests.e2e.order_way import Way

pytestmark = pytest.mark.lab

LAMP = Lamp("hall", dims=True)
WITHIN_S = 600.0
"""The hub looks for what people published, and the appliance for what the hub serves, in turn."""


@contextmanager
def lamp_way(directory: Path) -> Iterator[Way]:
    """Open a clinic with one lamp, which the release's own rule has lit."""
    people = People(directory / "people")
    people.directory.mkdir()
    house = House(hub=partial(people.hub, content=texts((LAMP,))), limits="check_in_s = 1")
    with clinic_of(directory, house, hosts=1) as clinic:
        clinic.appliance.start()
        told = clinic.appliance.ask("GET", "/api/status")
        until(
            lambda: bool(clinic.appliance.ask("GET", "/api/content").get("orders")),
            "signed content is in force",
            within_s=WITHIN_S,
        )
        ((target, host),) = clinic.add_targets().items()
        way = Way(people, clinic, host, target, told["site"], told["appliance"])
        until(lambda: _states(way) == ["closed"], "the release's rule lit it", within_s=WITHIN_S)
        yield way


def _states(way: Way) -> list[str]:
    rows = way.clinic.rows("SELECT state FROM incidents ORDER BY opened_ms")
    return ["closed" if row["state"] == "healed" else str(row["state"]) for row in rows]


def content(way: Way, *words: str, typed: str = f"{PASSPHRASE}\n") -> Ran:
    """Give a command of `osiris content` at the desk of one operator."""
    at = ("--desk", str(way.people.desk(CYD)), "--folder", str(way.people.directory / "release"))
    ran = command(["content", *words, *at], typed)
    assert ran.status == 0, ran.err
    return ran


def promoted(way: Way, *words: str) -> Any:  # noqa: ANN401 - JSON
    """Have an operator promote or drop a rule, sign that, and carry it to the hub."""
    made = content(way, "promote", *words, "-o", "json").json()
    content(way, "sign", typed=TYPED)
    folder = ("--folder", str(way.people.directory / "release"))
    to = str(way.clinic.directory / "hub" / "incoming")
    carried = command(["content", "publish", "--to", to, *folder])
    assert carried.status == 0, carried.err
    return made


def in_force(way: Way) -> str:
    """Return the name of the set that the appliance judges and repairs by."""
    return str(way.clinic.appliance.ask("GET", "/api/status")["content"])


def dim(way: Way) -> None:
    """Let the lamp grow dim, and have it looked at by an order."""
    way.host.sh(f"echo dim >{PLACE}/{LAMP.name}")
    look = ("run_drift", *way.here, "--on", way.target, "--checks", LAMP.check)
    way.until_stage(way.people.drafted(ADA, *look), "done")


def test_what_healed_is_promoted_taken_up_heals_and_is_withdrawn(tmp_path: Path) -> None:
    with lamp_way(tmp_path) as way:
        release = in_force(way)
        healed = str(way.incident(LAMP)["id"])
        way.clinic.assert_evidence_arrived()
        dim(way)
        until(lambda: way.incident(LAMP)["cause"] == "no_rule", "nobody but a person helps")

        made = promoted(way, healed, "--site", way.site, "--any")
        (named,) = made["rules"]
        wish = ("--rule", named["rule"], "--content-sha256", named["content_sha256"])
        until(lambda: _is_listed(way), "the appliance verified it", within_s=WITHIN_S)
        assert in_force(way) == release, "it acts nowhere before an order says so"
        assert way.incident(LAMP)["cause"] == "no_rule"

        sid = way.people.drafted(ADA, "sync_promoted_rule", *way.here, *wish, "--people", "2")
        assert named["rule"] in way.people.approve(sid, ADA, BEA).words
        way.until_stage(sid, "done")
        assert way.receipts(sid) == [("intent", None), ("result", "done")]
        name = str(way.incident(LAMP)["id"])
        until(lambda: _states(way) == ["closed"] * 2, "it healed the dim one", within_s=WITHIN_S)
        assert in_force(way) != release
        way.clinic.assert_evidence_arrived()
        assert way.causes(name) == [{"rule": named["rule"]}]
        assert way.host.sh(f"stat -c %s {PLACE}/{LAMP.name}").output.strip() == "0"
        runs = len(way.ran(LAMP))

        promoted(way, "--drop", named["rule"])
        until(lambda: in_force(way) == release, "it is out of force", within_s=WITHIN_S)
        dim(way)
        until(lambda: way.incident(LAMP)["cause"] == "no_rule", "a person is asked again")
        assert len(way.ran(LAMP)) == runs, "nothing ran on the host"
        again = way.people.drafted(ADA, "sync_promoted_rule", *way.here, *wish, "--people", "2")
        way.people.approve(again, ADA, BEA)
        line = way.until_stage(again, "refused")
        assert line["code"] in {"content_absent", "rule_not_promoted"}
        assert in_force(way) == release


def _is_listed(way: Way) -> bool:
    return "promoted" in way.clinic.appliance.ask("GET", "/api/content").get("ends", {})
