"""The hub's one route table: machines, operators, this machine's administrator, the console.

Every entry names who may call it. What is not here is not served.
"""

from central.api.content import serve_file
from central.api.machine_routes import MACHINE_ROUTES
from central.api.people_routes import LOCAL_ROUTES, OPERATOR_ROUTES
from central.api.raw import RawEntry
from central.console.routes import CONSOLE_ROUTES
from central.state import Console
from runtime.web.access import Access, Entry

CONTENT_ROUTE: Entry[Console] = Entry("GET", "/content/{path:path}", Access.PUBLIC, serve_file)
"""Signed content, as files: see `runtime.repository.layout`."""

PEOPLE_ROUTES: tuple[Entry[Console], ...] = (
    *CONSOLE_ROUTES,
    *OPERATOR_ROUTES,
    *LOCAL_ROUTES,
    CONTENT_ROUTE,
)

TABLE: tuple[RawEntry | Entry[Console], ...] = (*MACHINE_ROUTES, *PEOPLE_ROUTES)
