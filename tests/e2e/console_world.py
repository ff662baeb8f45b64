"""The console with its real parts over a real hub that real envelopes have reached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from central.commands import confirm_appliance
from central.main import TEMPLATES
from central.routes import PEOPLE_ROUTES
from central.state import Console
from central.store.accounts import HubAccounts, put_account
from proto.evidence import Result, Turn
from proto.findings import Verdict
from proto.hub import check_in, devices, evidence
from proto.hub.check_in import FullState, TargetGroup, state_of
from proto.hub.devices import NOTHING_HELD
from proto.ids import ApplianceId
from proto.incidents import Cause
from proto.inventory import DeviceClass, Platform
from proto.merkle import Tree, leaf_hash
from proto.secret import Secret
from proto.strict_json import b64_encode
from runtime.clock import system_entropy
from runtime.web import people
from runtime.web.access import Door, Serving, application
from runtime.web.passwords import hashed
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages
from tests.e2e.clinic_rows import target
from tests.e2e.front_door import PASSWORD, FrontDoor
from tests.e2e.order_scene import trust
from tests.fakes.box import CONTENT, Box
from tests.fakes.hub import Trial, trial

PERSON = "ann"
RECORDS, ARCHIVE = target("records"), target("archive")
ROOT, AUDIT, FIREWALL = "lin.ssh.root_login", "lin.auditd.running", "lin.firewall.active"
DEVICES = sorted(
    (
        {
            "id": device,
            "device_class": kind,
            "off_limits": kind == "medical",
            "label": label,
            "name": name,
            "vendor": vendor,
        }
        for device, kind, label, name, vendor in (
            (ARCHIVE, "server", "Archive server", "archive.lan", "Dell Inc."),
            (RECORDS, "server", None, None, None),
            ("t-ultrasouna", "medical", "Ultrasound", "[HOST_PERSON-z4sv2me]-us", None),
        )
    ),
    key=lambda one: str(one["id"]),
)
HEALED, WAITING, OPEN = "i-healedaaaa", "i-waitingaaa", "i-openaaaaaa"


@dataclass(frozen=True, slots=True)
class ConsoleWorld(FrontDoor):
    """A console and the hub under it; `box` is the appliance of the first site."""

    trial: Trial
    lan: ASGIApp
    person = PERSON


@asynccontextmanager
async def console_world(folder: Path) -> AsyncIterator[ConsoleWorld]:
    """Open a console over an empty hub in `folder`, with one account."""
    async with trial(folder, trust=trust) as hub_trial:
        hub = hub_trial.net.hub
        async with hub.store.write() as connection:
            kept = await hashed(Secret(PASSWORD))
            await put_account(connection, PERSON, kept=kept, now_ms=hub.now_ms)
        zone = "America/New_York"
        pages = Pages(TEMPLATES, people.zone(zone), zone)
        accounts = Accounts(HubAccounts(hub.store), system_entropy)
        serving = Serving(
            app=Console(hub, accounts, pages, "Lakeside Managed Care"),
            sessions=accounts,
            pages=pages,
            now_ms=hub.clock.now_ms,
            place="Lakeside Managed Care",
        )
        yield ConsoleWorld(hub_trial, application(PEOPLE_ROUTES, Door.LAN, serving))


async def clinic(world: ConsoleWorld, label: str = "Riverside Family Clinic") -> Box:
    """Add a site whose appliance healed one drift, waits for a person on one and is told of it."""
    box = await world.trial.box(label)
    now_s = world.trial.now_s
    for one in (RECORDS, ARCHIVE):
        good = {check: (Verdict.COMPLIANT, {"value": "no"}) for check in (ROOT, AUDIT)}
        box.scan(one, {**good, FIREWALL: (Verdict.DRIFTED, {"loaded": False})}, at_s=now_s - 900)
    box.scan(ARCHIVE, {"lin.time.sync": (Verdict.UNKNOWN, {})}, at_s=now_s - 900)
    box.turn(HEALED, RECORDS, ROOT, kind=Turn.OPENED, cause=None, at_s=now_s - 840)
    box.heal(HEALED, RECORDS, ROOT, result=Result.HEALED, at_s=now_s - 838)
    box.turn(HEALED, RECORDS, ROOT, kind=Turn.CLOSED, cause=Cause.PASSED, at_s=now_s - 838)
    box.turn(WAITING, ARCHIVE, FIREWALL, kind=Turn.OPENED, cause=None, at_s=now_s - 800)
    box.turn(
        WAITING, ARCHIVE, FIREWALL, kind=Turn.ESCALATED, cause=Cause.NO_REVERT, at_s=now_s - 799
    )
    box.turn(OPEN, RECORDS, FIREWALL, kind=Turn.OPENED, cause=None, at_s=now_s - 60)
    await told(world, box)
    await world.trial.net.post(evidence.PATH, box.batch())
    return box


async def told(world: ConsoleWorld, box: Box) -> None:
    """Let an appliance check in with its full state."""
    full = FullState(
        version="0.1.0",
        content=CONTENT,
        evidence_size=len(box.leaves),
        evidence_root=b64_encode(Tree().extend(leaf_hash(one) for one in box.leaves).root),
        health=("breaker_open",),
        devices=(),
        targets=(
            TargetGroup(
                platform=Platform.LINUX, device_class=DeviceClass.SERVER, ids=(ARCHIVE, RECORDS)
            ),
        ),
        targets_total=2,
        device_list=NOTHING_HELD,
        observe_only=False,
    )
    body = box.check_in(now_s=world.trial.now_s, state=state_of(full), full=full)
    await world.trial.net.post(check_in.PATH, body)
    await world.trial.net.post(devices.PATH, box.devices(DEVICES, now_s=world.trial.now_s))


async def confirmed(world: ConsoleWorld, box: Box) -> None:
    """Let a person have compared an appliance's fingerprint."""
    shown = box.key.public.fingerprint()
    appliance = ApplianceId(box.appliance)
    await confirm_appliance(world.trial.net.hub, appliance, by=PERSON, shown=shown)
