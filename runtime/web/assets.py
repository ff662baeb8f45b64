"""The stylesheet and the icon: the only files a page loads."""

import asyncio
from typing import TypeVar

from starlette.responses import Response

from runtime.web.access import Access, Entry, Visit
from runtime.web.templates import STATIC

A = TypeVar("A")
_TYPES = {"osiris.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
_KEPT = {"Cache-Control": "public, max-age=86400"}
"""A page names the stylesheet by its content, so a browser may keep it."""


def entries() -> list[Entry[A]]:
    """Return the routes of our own files."""
    return [_entry(name, kind) for name, kind in _TYPES.items()]


def _entry(name: str, kind: str) -> Entry[A]:
    async def serve(_visit: Visit[A]) -> Response:
        body = await asyncio.to_thread((STATIC / name).read_bytes)
        return Response(body, media_type=kind, headers=_KEPT)

    return Entry("GET", f"/static/{name}", Access.PUBLIC, serve)
