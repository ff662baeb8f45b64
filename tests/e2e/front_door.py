"""A page's way in for a test: over ASGI as a browser would use it, signed out or signed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import httpx
from starlette.types import ASGIApp

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test


class FrontDoor:
    """What has pages, and an account by name; `lan` is the application that the network reaches."""

    lan: ASGIApp
    person: ClassVar[str]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a browser's way in, signed out."""
        transport = httpx.ASGITransport(app=self.lan)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://pages", trust_env=False
        ) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[httpx.AsyncClient]:
        """Give a browser's way in, signed in through the form."""
        async with self.client() as client:
            answer = await client.post("/sign-in", data={"name": self.person, "password": PASSWORD})
            assert answer.status_code == 303
            yield client
