"""The portal with its real parts over a real store: what a person on the LAN would reach."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.types import ASGIApp

from appliance.core.box_keys import BoxKeys
from appliance.core.keeping import How, Keeping
from appliance.core.trusted import Trusted
from appliance.handlers.canaries import EXPORT, Canaries
from appliance.handlers.disclosures import Disclosures
from appliance.handlers.library import Origin
from appliance.handlers.people import People
from appliance.handlers.work import HubTrust, Work
from appliance.portal import local, local_phi
from appliance.portal.app import build, portal_pages
from appliance.portal.state import Identity, Live, Portal
from appliance.ports import Scanner, Shell
from appliance.store import accounts
from appliance.store.accounts import AccountTable
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from proto.keys import SEED_BYTES, Holder, KeyRing, SealingKey, SigningKey, Threshold
from proto.phi.canary import KEY_BYTES
from proto.secret import Secret
from runtime.clock import system_entropy
from runtime.web.access import Door
from runtime.web.passwords import hashed
from runtime.web.sessions import Accounts
from tests.e2e import clinic_rows as rows
from tests.e2e.front_door import PASSWORD, FrontDoor
from tests.fakes.clock import ManualClock
from tests.fakes.scanner import FakeScanner
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.shell import FakeShell
from tests.fakes.tls import FakeTlsProbe
from tests.unit.discovery_site import NoHub, settings

PERSON = "maria"
PLACE = "Riverside Family Clinic"


@dataclass(frozen=True, slots=True)
class PortalWorld(FrontDoor):
    """A portal: `lan` is what the network reaches, `socket` what this machine's root does."""

    store: Store
    work: Work
    clock: ManualClock
    lan: ASGIApp
    socket: ASGIApp
    person = PERSON


@asynccontextmanager
async def portal_world(
    folder: Path,
    *,
    zone: str = "America/New_York",
    scanner: Scanner | None = None,
    shell: Shell | None = None,
    trusted: Trusted | None = None,
    kept: How = How.NO_TPM,
) -> AsyncIterator[PortalWorld]:
    """Open a portal over an empty store in `folder`, with one account.

    Without a scanner and a shell its network is empty and silent.
    """
    clock = ManualClock(rows.NOW_MS)
    key = SigningKey(system_entropy(SEED_BYTES))
    content = rows.content()
    store = await Store.open(folder / "appliance.db", now_ms=clock.now_ms())
    try:
        async with store.write() as conn:
            password = await hashed(Secret(PASSWORD))
            await accounts.add(conn, PERSON, password, now_ms=clock.now_ms())
        sealer = FakeSealer()
        scrubber = await scrubber_over(store, sealer=sealer, entropy=system_entropy, clock=clock)
        work = Work(
            settings=settings(()),
            store=store,
            content=lambda: content,
            scribe=Scribe(rows.SITE, rows.APPLIANCE, "test/log", key),
            clock=clock,
            entropy=system_entropy,
            shell=shell or FakeShell({}),
            scanner=scanner or FakeScanner([]),
            tls=FakeTlsProbe({}),
            sealer=sealer,
            scrubber=scrubber,
            hub=NoHub(),
            trust=HubTrust(Threshold(KeyRing((Holder("hub", key.public),))), ()),
            version="0.1.0",
        )
        canaries = Canaries(bytes(KEY_BYTES))
        portal = Portal(
            store=store,
            commands=People(work),
            accounts=Accounts(AccountTable(store), system_entropy),
            clock=clock,
            content=work.content,
            live=lambda: Live(
                rows.NOW_MS - 3 * rows.DAY,
                rows.NOW_MS - 12_000,
                canaries_ms=rows.NOW_MS - 3_600_000,
                export_canary=canaries.of_day(EXPORT, now_ms=rows.NOW_MS).label(),
                origin=Origin.PROGRAM if trusted is None else Origin.SIGNED,
                trusted=trusted,
            ),
            identity=Identity(
                site=rows.SITE,
                appliance=rows.APPLIANCE,
                place=PLACE,
                scribe=work.scribe,
                keeping=Keeping(kept),
                box_keys=BoxKeys(SealingKey(bytes(SEED_BYTES))),
                hub="https://hub.example:8443",
                first_root="5a" * 32,
                development_trust=True,
                version="0.1.0",
            ),
            pages=portal_pages(zone),
            site=replace(settings(()).site, time_zone=zone),
            scribe=work.scribe,
        )
        asked = local_phi.routes(Disclosures(work, scrubber.vault))
        socket = build(portal, Door.SOCKET, more=local.entries(work, asked))
        yield PortalWorld(store, work, clock, build(portal, Door.LAN), socket)
    finally:
        await store.close()
