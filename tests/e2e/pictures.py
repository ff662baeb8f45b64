"""Take the pictures of the pages: `python -m tests.e2e.pictures FOLDER [--every]`.

With --every each page is taken in each look; without it, the few that the README shows.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Browser
from starlette.types import ASGIApp

from tests.e2e import clinic_rows as rows
from tests.e2e import console_world as hub
from tests.e2e import portal_world as lan
from tests.e2e.browser import DESKTOP, LOOKS, PHONE, Look, chromium, looking, served
from tests.e2e.front_door import PASSWORD
from tests.e2e.order_scene import clinic_orders

PORTAL = {
    "overview": "/",
    "devices": "/devices",
    "device": f"/devices/{rows.LAB}",
    "medical": f"/devices/{rows.PUMP}",
    "off-limits": f"/devices/{rows.CAMERA}/off-limits",
    "release": f"/devices/{rows.PUMP}/release",
    "target-add": "/targets/add",
    "target-remove": f"/devices/{rows.LAB}/remove",
    "conflicts": "/conflicts",
    "incidents": "/incidents",
    "healed": f"/incidents/{rows.incident('rootfront')}",
    "undone": f"/incidents/{rows.incident('firewall')}",
    "escalated": f"/incidents/{rows.incident('redis')}",
    "waivers": f"/waivers?target={rows.LAB}&check=net.telnet.open",
    "orders": "/orders",
    "limits": "/limits",
    "health": "/health",
}
README = {
    "portal": ("/", Look(DESKTOP, "light")),
    "portal-dark": ("/", Look(DESKTOP, "dark")),
    "portal-phone": ("/", Look(PHONE, "light")),
    "portal-device": (PORTAL["device"], Look(DESKTOP, "light")),
    "portal-incident": (PORTAL["healed"], Look(DESKTOP, "light")),
}


LATER_MS = 3 * rows.HOUR
"""How long the first site has been silent when the second one is heard of."""


async def sign_in_and_take(
    browser: Browser, app: ASGIApp, account: tuple[str, str], shots: Mapping[Path, tuple[str, Look]]
) -> None:
    """Serve an application, sign in once a look, and take the pages."""
    with tempfile.TemporaryDirectory() as folder:
        async with served(app, Path(folder)) as base:
            for look in dict.fromkeys(look for _, look in shots.values()):
                async with looking(browser, look) as page:
                    await page.goto(f"{base}/sign-in")
                    await page.fill("#name", account[0])
                    await page.fill("#password", account[1])
                    await page.click("main button")
                    for file, (path, wanted) in shots.items():
                        if wanted == look:
                            await page.goto(base + path)
                            await page.screenshot(path=str(file), full_page=True)


def every(paths: Mapping[str, str], folder: Path, prefix: str) -> dict[Path, tuple[str, Look]]:
    """Return each page in each look."""
    return {
        folder / f"{prefix}-{name}-{look.width}-{look.scheme}.png": (path, look)
        for name, path in paths.items()
        for look in LOOKS
    }


async def take(folder: Path, *, all_of_them: bool) -> None:
    """Take the pictures into a folder."""
    with tempfile.TemporaryDirectory() as work:
        async with (
            chromium() as browser,
            lan.portal_world(Path(work)) as portal,
            hub.console_world(Path(work)) as console,
        ):
            await rows.fill(portal.store)
            await rows.acknowledge(portal.store)
            box = await hub.clinic(console)
            console.trial.clock.advance(LATER_MS)
            newest = await hub.clinic(console, "Harbor Dental")
            await hub.confirmed(console, newest)
            orders = await clinic_orders(console.trial, newest)
            site = f"/sites/{newest.site}"
            pages = {
                "fleet": "/",
                "site": site,
                "silent": f"/sites/{box.site}",
                "target": f"{site}/targets/{hub.ARCHIVE}",
                "incident": f"{site}/incidents/{hub.HEALED}",
                "orders": "/orders",
                "site-orders": f"{site}/orders",
                **{
                    f"order-{stage}": f"{site}/orders/{view.draft.draft}"
                    for stage, view in orders.items()
                },
                "order-types": f"{site}/order",
                "order-form": f"{site}/order/isolate_host",
                "order-at-once": f"{site}/order/healing",
            }
            if all_of_them:
                shots = every(PORTAL, folder, "portal")
                hub_shots = every(pages, folder, "console")
            else:
                shots = {folder / f"{name}.png": shot for name, shot in README.items()}
                hub_shots = {
                    folder / f"console-{name}.png": (pages[name], Look(DESKTOP, "light"))
                    for name in ("fleet", "site")
                }
            await sign_in_and_take(browser, portal.lan, (lan.PERSON, PASSWORD), shots)
            await sign_in_and_take(browser, console.lan, (hub.PERSON, PASSWORD), hub_shots)


def main() -> None:
    """Take them from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(asked.folder, all_of_them=asked.every))


if __name__ == "__main__":
    main()
