"""One route table for an application: who may call what is data, and nothing else is served.

Every entry names its access; there is no default, and no route exists beside the table. A person's
routes need a session; a person's changes need the session's CSRF token too. A door serves only its
own entries: the LAN never reaches what is for the daemon's own socket.
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from proto.errors import ConflictError, NoRoomError, NotFoundError, RejectedError
from proto.invariants import require
from runtime.web.headers import SafeHeaders
from runtime.web.templates import Pages

FORM_BYTES_MAX = 16 * 1024
FORM_DIGITS_MAX = 9
FORM_WITHIN_S = 30.0
FORM_FIELDS_MAX = 16
FORM_TYPE = re.compile(
    r"application/x-www-form-urlencoded(?:; ?charset=utf-8)?"
    r"|multipart/form-data; ?boundary=[0-9A-Za-z'()+_,./:?-]{1,70}",
    re.IGNORECASE,
)
"""How browsers send a form. A charset of the sender's choice could decode into what is no text."""

SIGN_IN = "/sign-in"
FOR_PROGRAMS = ("/api/", "/local/", "/content/")
"""Paths that are answered in JSON, refusals included, and never lead to the sign-in page."""


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    PERSON = "person"
    LOCAL = "local"


class Door(StrEnum):
    """By which way a request came in."""

    LAN = "lan"
    SOCKET = "socket"


OPENS: Mapping[Door, frozenset[Access]] = {
    Door.LAN: frozenset({Access.PUBLIC, Access.PERSON}),
    Door.SOCKET: frozenset({Access.LOCAL}),
}
"""What each door serves. A socket's file mode is its sign-in, so it serves no pages."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and the token that this session's forms carry."""

    person: str
    csrf: str


class Sessions(Protocol):
    """How an application knows who is calling."""

    async def find(self, request: Request, *, now_ms: int) -> Session | None:
        """Return the session that the request's cookie names while it holds."""
        ...


A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Visit(Generic[A]):
    """One request as an endpoint sees it.

    Attributes:
        app: the application's own value: its store, commands, pages.
        session: None on public and local routes.
        form: the posted fields, text only; an uploaded file is its text.
    """

    app: A
    request: Request
    session: Session | None
    now_ms: int
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def person(self) -> Session:
        """The session of a person's route."""
        require(self.session is not None, f"{self.request.url.path}: no session")
        return self.session or Session("", "")


Endpoint = Callable[[Visit[A]], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Entry(Generic[A]):
    """A route: method, path, who may call it, and what answers.

    Attributes:
        uploads: the fields of its form that may be a file; a form's bound holds for them too.
    """

    method: str
    path: str
    access: Access
    endpoint: Endpoint[A]
    uploads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Serving(Generic[A]):
    """What `application` needs beside the table.

    Attributes:
        place: what the first line of an error page calls this: a site's or the hub's name.
    """

    app: A
    sessions: Sessions
    pages: Pages
    now_ms: Callable[[], int]
    place: str


def application(entries: Sequence[Entry[A]], door: Door, serving: Serving[A]) -> Starlette:
    """Return the ASGI application that serves a table through one door, and nothing else."""
    require(
        len({(entry.method, entry.path) for entry in entries}) == len(entries),
        "two entries of the route table serve one method and path",
    )
    routes = [
        Route(entry.path, _guarded(entry, serving), methods=[entry.method])
        for entry in entries
        if entry.access in OPENS[door]
    ]

    async def refused(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(FOR_PROGRAMS):
            return _told(error)
        return _refusal(serving, error)

    return Starlette(
        routes=routes,
        middleware=[Middleware(SafeHeaders)],
        exception_handlers=dict.fromkeys((HTTPException, RejectedError, NoRoomError), refused),
    )


def _guarded(entry: Entry[A], serving: Serving[A]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        now_ms = serving.now_ms()
        session = None
        if entry.access is Access.PERSON:
            session = await serving.sessions.find(request, now_ms=now_ms)
            if session is None:
                return _to_sign_in(request)
        form: Mapping[str, str] = {}
        if entry.method == "POST" and entry.access is not Access.LOCAL:
            form = await _read_form(request, entry.uploads)
            if session is not None:
                _check_csrf(form, session)
        return await entry.endpoint(Visit(serving.app, request, session, now_ms, form))

    return serve


def _to_sign_in(request: Request) -> Response:
    if request.url.path.startswith(FOR_PROGRAMS):
        raise HTTPException(401, "This needs a signed-in session.")
    if request.method != "GET":
        raise HTTPException(403, "You are signed out. Sign in, and do it again.")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(path)}" if path != "/" else ""
    return RedirectResponse(f"{SIGN_IN}{back}", status_code=303)


def safe_path(text: str) -> str:
    """Return a path of this application to go to after signing in, "/" for anything else."""
    ours = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if ours and "\\" not in text and not _netloc(text) else "/"


def _netloc(address: str) -> str | None:
    """Return the host and port of an address, None when it is no address at all."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


async def _read_form(request: Request, uploads: frozenset[str]) -> Mapping[str, str]:
    _same_origin(request)
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise HTTPException(411, "The form came without its length.")
    if len(length) > FORM_DIGITS_MAX or int(length) > FORM_BYTES_MAX:
        raise HTTPException(413, "The form is too large.")
    kind = request.headers.get("content-type")
    if kind is not None and FORM_TYPE.fullmatch(kind) is None:
        raise HTTPException(415, "This is not a form that our pages send.")
    try:
        async with asyncio.timeout(FORM_WITHIN_S):
            return await _fields_of(request, uploads)
    except TimeoutError:
        raise HTTPException(408, "The form did not arrive. Please send it again.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The form was broken off.") from None


async def _fields_of(request: Request, uploads: frozenset[str]) -> Mapping[str, str]:
    async with request.form(max_files=len(uploads), max_fields=FORM_FIELDS_MAX) as form:
        items = form.multi_items()
        if len(items) > FORM_FIELDS_MAX:
            raise HTTPException(400, "The form has too many fields.")
        return {
            name: await _text_of(value) if isinstance(value, UploadFile) else value
            for name, value in items
            if name in uploads or not isinstance(value, UploadFile)
        }


async def _text_of(file: UploadFile) -> str:
    """Return an uploaded file's text; what is no text becomes none that any field takes."""
    return (await file.read()).decode("utf-8", "replace")


def _same_origin(request: Request) -> None:
    """Refuse a form that another site's page sent, as browsers tell in these headers."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    host = request.headers.get("host", "")
    if site not in {"same-origin", "none"} or (origin and _netloc(origin) != host):
        raise HTTPException(403, "This form was not sent from our own page.")


def _check_csrf(form: Mapping[str, str], session: Session) -> None:
    sent = form.get("csrf", "").encode()
    if not session.csrf or not hmac.compare_digest(sent, session.csrf.encode()):
        raise HTTPException(
            403, "This form is out of date. Go back, load the page again, and send it once more."
        )


_TITLES = {
    400: "That could not be read",
    403: "That was not done",
    404: "There is no such page",
    405: "That cannot be done here",
    408: "That took too long",
    409: "That was not done",
    411: "That could not be read",
    413: "That is too much at once",
    415: "That could not be read",
    429: "Please wait a moment",
}
_NOT_FOUND = "The address may be mistyped, or what it showed is gone."


def _refusal(serving: Serving[A], error: Exception) -> Response:
    status, sentence = _status_of(error)
    title = _TITLES.get(status, "That could not be done")
    values = {"place": serving.place, "title": title, "sentence": sentence}
    answer = serving.pages.answer("message.html", values, status=status)
    for name, value in (getattr(error, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer


def _told(error: Exception) -> Response:
    """Return a refusal as a program reads it: a stable code and a sentence."""
    status, _ = _status_of(error)
    if isinstance(error, RejectedError | NoRoomError):
        return JSONResponse({"code": error.code, "message": str(error)}, status_code=status)
    said = error.detail if isinstance(error, HTTPException) else str(error)
    headers = getattr(error, "headers", None)
    return JSONResponse({"code": f"http_{status}", "message": said}, status, headers)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        spoken = _NOT_FOUND if error.status_code == 404 else error.detail  # noqa: PLR2004 - HTTP
        return error.status_code, spoken
    if isinstance(error, NoRoomError):
        return 507, "The disk is full. Nothing was changed."
    if isinstance(error, NotFoundError):
        return 404, _NOT_FOUND
    return 409 if isinstance(error, ConflictError) else 400, str(error)
