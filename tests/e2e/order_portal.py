"""A portal of an appliance that takes orders: a real store and gate, a hub's log to mirror."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from appliance.core.box_keys import BoxKeys
from appliance.core.keeping import How, Keeping
from appliance.core.trusted import Carrier, Part, Trusted
from appliance.handlers.people import People
from appliance.handlers.work import Work
from appliance.portal.app import build, portal_pages
from appliance.portal.state import Identity, Live, Portal
from appliance.store import accounts
from appliance.store.accounts import AccountTable
from proto.keys import SEED_BYTES, SealingKey
from proto.policy import Policy
from proto.secret import Secret
from runtime.web.access import Door
from runtime.web.passwords import hashed
from runtime.web.sessions import Accounts
from tests.e2e.front_door import PASSWORD
from tests.e2e.portal_world import PERSON, PLACE
from tests.unit.order_site import Site, alive, enrolled_site
from tests.unit.order_world import NOW, TRUST

DAY_S = 86_400
POLICY = Policy.from_value(
    {
        "v": 1,
        "version": 1,
        "created": NOW - 1,
        "expires": NOW + 20 * DAY_S,
        "rings": [{"name": "all", "sites": "all", "after_s": 0}],
        "rollout": {"content": "ab" * 32, "started": NOW - 1, "is_halted": False},
        "download_hosts": [],
    },
    "policy",
)
TRUSTED = Trusted(
    authority=TRUST.authority,
    trust=TRUST,
    policy=POLICY,
    files={},
    promoted={},
    ends=dict.fromkeys(Part, NOW + 20 * DAY_S),
    root_version=1,
    release_version=1,
    made_s=NOW,
    taken_s=NOW,
    content_s=NOW,
    carrier=Carrier.HUB,
    is_development=True,
)


@dataclass(frozen=True, slots=True)
class OrderPortal:
    """A portal, the appliance behind it, and the hub's log."""

    site: Site
    work: Work
    lan: ASGIApp
    code: str

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a browser's way in, signed in through the form."""
        transport = httpx.ASGITransport(app=self.lan)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://portal", trust_env=False
        ) as client:
            answer = await client.post("/sign-in", data={"name": PERSON, "password": PASSWORD})
            assert answer.status_code == 303
            yield client


@asynccontextmanager
async def order_portal(folder: Path) -> AsyncIterator[OrderPortal]:
    """Open one with one account, on an appliance that was just enrolled."""
    site = await enrolled_site(folder)
    async with alive(site) as (made, _):
        work = replace(made, trusted=lambda: TRUSTED)
        async with work.store.write() as conn:
            kept = await hashed(Secret(PASSWORD))
            await accounts.add(conn, PERSON, kept, now_ms=work.clock.now_ms())
            code = await accounts.code_of(conn, PERSON)
        portal = Portal(
            store=work.store,
            commands=People(work),
            accounts=Accounts(AccountTable(work.store), work.entropy),
            clock=work.clock,
            content=work.content,
            live=lambda: Live(None, None, trusted=TRUSTED),
            identity=Identity(
                site=work.scribe.site,
                appliance=work.scribe.appliance,
                place=PLACE,
                scribe=work.scribe,
                keeping=Keeping(How.NO_TPM),
                box_keys=BoxKeys(SealingKey(bytes(SEED_BYTES))),
                hub="https://hub.example:8443",
                development_trust=True,
                version="0",
            ),
            pages=portal_pages("America/New_York"),
            site=work.settings.site,
            scribe=work.scribe,
        )
        yield OrderPortal(site, work, build(portal, Door.LAN), code)
