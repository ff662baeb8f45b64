"""A real Chromium for looking at pages, and a TLS server for the pages to come from."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.types import ASGIApp

from tests.e2e.front_door import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
INSTALL = "apt-get install chromium fonts-dejavu-core"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = 1280, 360
AXE_WITHIN_S = 60.0
SHOWN_WITHIN_MS = 30_000


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at: how wide, and light or dark."""

    width: int
    scheme: str
    with_javascript: bool = False


LOOKS = (Look(DESKTOP, "light"), Look(DESKTOP, "dark"), Look(PHONE, "light"), Look(PHONE, "dark"))

EXAMINED = (Look(DESKTOP, "light"), Look(PHONE, "dark"))
"""What tests look at: each width once and each scheme once, as no rule of ours joins the two."""


def require_chromium() -> None:
    """Skip, naming the install command; with root or CI a missing browser is a failure."""
    if CHROMIUM.exists():
        return
    words = f"no Chromium at {CHROMIUM}; install it with: {INSTALL}"
    if os.geteuid() == 0 or os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Give a headless Chromium that speaks to nobody but the page's own server."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def looking(browser: Browser, look: Look) -> AsyncIterator[Page]:
    """Give a page of its own: no cookies from elsewhere, and no JavaScript unless asked for."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": 800},
        color_scheme="dark" if look.scheme == "dark" else "light",
        java_script_enabled=look.with_javascript,
        ignore_https_errors=True,
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def shows(page: Page, selector: str, text: str) -> None:
    """Require a text in a part of the page, the one that a click before leads to included."""
    shown = page.locator(selector)
    await expect(shown).to_contain_text(text, use_inner_text=True, timeout=SHOWN_WITHIN_MS)


async def titled(page: Page, text: str) -> None:
    """Require a text in the title of the page, or of the one that a click before leads to."""
    await expect(page).to_have_title(re.compile(re.escape(text)), timeout=SHOWN_WITHIN_MS)


async def violations(page: Page) -> list[str]:
    """Return what axe holds against a page, one line each; the page must allow JavaScript."""
    async with asyncio.timeout(AXE_WITHIN_S):  # where it may not, axe never answers
        results = await Axe().run(page)
    found = results.response["violations"]
    return [
        f"{item['id']}: {node['target']} {item['help']}" for item in found for node in item["nodes"]
    ]


async def overflow_px(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(
        await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and its key, for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "page.crt", folder / "page.key"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


class _Server(uvicorn.Server):
    """A server that leaves the test runner's signal handlers alone and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def served(app: ASGIApp, folder: Path) -> AsyncIterator[str]:
    """Serve an application over TLS on a free port of localhost and give its address."""
    certificate, key = await asyncio.to_thread(write_certificate, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        ssl_certfile=str(certificate),
        ssl_keyfile=str(key),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        log_level="warning",
        lifespan="off",
        server_header=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 - `serve` takes the runner's signals
    await server.up.wait()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass(frozen=True)
class Examiner:
    """Somebody who looks at pages with axe; the browser runs scripts because axe is one."""

    page: Page
    base: str

    async def sign_in(self, person: str, path: str = "/sign-in") -> None:
        """Sign in through the form, on the way to a page."""
        await self.page.goto(self.base + path)
        await self.looks_right()
        await self.page.fill("#name", person)
        await self.page.fill("#password", PASSWORD)
        await self.page.click("main button")

    async def looks_right(self, path: str = "") -> None:
        """Hold a page against WCAG, and its width against the window's; "" is where it is."""
        if path:
            await self.page.goto(self.base + path)
        assert await violations(self.page) == [], self.page.url
        assert await overflow_px(self.page) <= 0, self.page.url


@asynccontextmanager
async def examining(app: ASGIApp, folder: Path, look: Look) -> AsyncIterator[Examiner]:
    """Serve an application and look at it in Chromium; skip, or fail, where there is none."""
    require_chromium()
    with_axe = replace(look, with_javascript=True)
    async with (
        served(app, folder) as base,
        chromium() as browser,
        looking(browser, with_axe) as page,
    ):
        yield Examiner(page, base)
