"""A clinic whose orders go all the way: desks, hub, signer, appliance and a host, all real.

The hub's trust was made by three people in a ceremony; the content that runs is what they signed.
The appliance is of the second ring. Rules may repair one thing an hour, so that what drifted else
waits, and an order can come first.
"""

import base64
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from central import config as hub_config
from osiris.demo.lab import LabHost
from tests.e2e.clinic_scene import (
    PORTAL_PORT_INSIDE,
    Clinic,
    House,
    clinic_of,
    lamp_log,
)
from tests.e2e.clinic_scene_content import Lamp, texts
from tests.e2e.daemons import until
from tests.e2e.front_door import PASSWORD
from tests.e2e.order_people import CYD, People

FIRST, LOOKED, SLOW, LONG = (
    Lamp("first", severity="critical"),
    Lamp("looked"),
    Lamp("slow", takes_s="2"),
    Lamp("long", takes_s="2"),
)
LAMPS: Final = (FIRST, LOOKED, SLOW, LONG)
LIMITS: Final = "check_in_s = 1\nrules_per_hour = 1"
ACCOUNT: Final = "frontdesk"
LOOK_EVERY_S: Final = 0.7
"""An operator may ask their hub 120 times within a minute."""

TOLD_WITHIN_S: Final = 120.0
OVER: Final = frozenset({"done", "failed", "unknown", "refused", "vetoed", "expired"})


@dataclass(frozen=True, slots=True)
class Way:
    """Everything that an order passes."""

    people: People
    clinic: Clinic
    host: LabHost
    target: str
    site: str
    box: str

    @property
    def here(self) -> tuple[str, ...]:
        """What every draft for this appliance says."""
        return ("--site", self.site, "--appliance", self.box, "--reason", "a test of the way")

    def until_stage(self, sid: str, *stages: str) -> dict[str, Any]:
        """Wait until an operator is told that an order stands there; return what they are told."""

        def is_there() -> bool:
            line.update(self.people.line(sid))
            stage = line["stage"]
            assert stage in stages or stage not in OVER, f"{stage} {line['code']}"
            return stage in stages

        line: dict[str, Any] = {}
        what = f"the order is {' or '.join(stages)}"
        until(is_there, what, within_s=TOLD_WITHIN_S, pause_s=LOOK_EVERY_S)
        return line

    def receipts(self, sid: str) -> list[tuple[str, str | None]]:
        """Return what the appliance answered to an order: kind and code, as the hub holds it."""
        rows = self.clinic.hub_rows(
            "SELECT kind, code FROM order_receipts WHERE sid = ? ORDER BY seq", bytes.fromhex(sid)
        )
        return [(row["kind"], row["code"]) for row in rows]

    def incident(self, lamp: Lamp) -> dict[str, Any]:
        """Return a lamp's newest incident, as the appliance has it."""
        rows = self.clinic.rows(
            "SELECT id, state, cause FROM incidents WHERE check_id = ? ORDER BY opened_ms DESC",
            lamp.check,
        )
        return rows[0]

    def causes(self, incident: str) -> list[Any]:
        """Return what made each repair of an incident run, as its signed evidence says."""
        rows = self.clinic.hub_rows(
            "SELECT l.envelope FROM leaves l JOIN heals h USING (site_id, appliance_id, leaf)"
            " WHERE h.incident = ? ORDER BY leaf",
            incident,
        )
        payloads = [json.loads(row["envelope"])["payload"] for row in rows]
        return [json.loads(base64.b64decode(one))["cause"] for one in payloads]

    def in_force(self, matter: str) -> dict[str, str]:
        """Return what orders set on the appliance and still holds: an order's name -> the check."""
        rows = self.clinic.rows(
            "SELECT order_sid, check_id FROM ordered_settings"
            " WHERE matter = ? AND ended_ms IS NULL",
            matter,
        )
        return {row["order_sid"]: row["check_id"] for row in rows}

    def heals(self, lamp: Lamp) -> tuple[str, ...]:
        """Return the words of an order that repairs a lamp."""
        name = str(self.incident(lamp)["id"])
        return ("healing", "--incident", name, "--runbook", f"rb.{lamp.check}", *self.here)

    def ran(self, lamp: Lamp) -> list[tuple[str, str]]:
        """Return what ran for a lamp, as the host itself tells: ("begin" or "end", step)."""
        return [(word, step) for word, name, step, _ in lamp_log(self.host) if name == lamp.name]

    @contextmanager
    def portal(self) -> Iterator[httpx.Client]:
        """Give a browser's way to the portal, signed in, over the network of the clinic."""
        world = self.clinic.world
        forward = world.forward(
            ("127.0.0.1", 0), (f"{world.network}.1", PORTAL_PORT_INSIDE), inward=False
        )
        try:
            with _browser(forward.port, self.clinic.state / "tls" / "ca.pem") as client:
                yield client
        finally:
            forward.close()

    @contextmanager
    def console(self) -> Iterator[httpx.Client]:
        """Give a browser's way to the hub's console, signed in."""
        port = hub_config.read(self.clinic.hub.config).file.listen.port
        with _browser(port, self.clinic.directory / "hub" / "tls" / "ca.pem") as client:
            yield client


@contextmanager
def _browser(port: int, authority: Path) -> Iterator[httpx.Client]:
    tls = ssl.create_default_context(cafile=str(authority))
    with httpx.Client(
        base_url=f"https://127.0.0.1:{port}", verify=tls, timeout=30, trust_env=False
    ) as client:
        answer = client.post("/sign-in", data={"name": ACCOUNT, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def form_token(page: str) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@contextmanager
def order_way(directory: Path) -> Iterator[Way]:
    """Open the way; the first lamp is lit by its rule, and the others wait."""
    people = People(directory / "people")
    people.directory.mkdir()
    house = House(hub=partial(people.hub, content=texts(LAMPS)), limits=LIMITS)
    with clinic_of(directory, house, hosts=1) as clinic:
        clinic.appliance.start()
        account = {"name": ACCOUNT, "password": PASSWORD}
        clinic.appliance.ask("POST", "/api/accounts", account)
        clinic.hub.ask("POST", "/local/users", account)
        told = clinic.appliance.ask("GET", "/api/status")
        until(lambda: _is_standing(clinic), "signed content is in force")
        ((target, host),) = clinic.add_targets().items()
        way = Way(people, clinic, host, target, told["site"], told["appliance"])
        until(lambda: _is_drifted(way), "one lamp is lit by its rule and the others wait")
        yield way


def _is_standing(clinic: Clinic) -> bool:
    return bool(clinic.appliance.ask("GET", "/api/content").get("orders"))


def _is_drifted(way: Way) -> bool:
    rows = way.clinic.rows("SELECT check_id, state FROM incidents")
    states = {row["check_id"]: row["state"] for row in rows}
    return len(states) == len(LAMPS) and states[FIRST.check] in {"healed", "closed"}


def saved(way: Way, sid: str, folder: Path) -> Path:
    """Have an operator save an order with its proofs."""
    file = folder / f"{sid[:16]}.json"
    ran = way.people.order(CYD, "show", sid, "--save", str(file))
    assert ran.status == 0, ran.err
    return file
