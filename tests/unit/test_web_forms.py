"""What a stranger can put into a request of a page: a refusal each, never a crash."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message

from runtime.web import access
from runtime.web.access import Access, Door, Entry, Serving, Session, Visit, application, safe_path
from runtime.web.templates import SHARED, Pages

URLENCODED = "application/x-www-form-urlencoded"


class Nobody:
    """Nobody is signed in."""

    async def find(self, request: Request, *, now_ms: int) -> Session | None:
        del request, now_ms
        return None


async def tell(visit: Visit[None]) -> Response:
    """Say what was read, as the store and a password check would use it."""
    for name, value in visit.form.items():
        name.encode(), value.encode()
    return JSONResponse({"form": dict(visit.form), "next": safe_path(visit.form.get("next", "/"))})


@pytest.fixture
def app() -> ASGIApp:
    pages = Pages(SHARED, UTC, "UTC")
    serving = Serving(None, Nobody(), pages, lambda: 0, "Here")
    table: list[Entry[None]] = [
        Entry("POST", "/form", Access.PUBLIC, tell),
        Entry("GET", "/page", Access.PERSON, tell),
    ]
    return application(table, Door.LAN, serving)


@pytest.fixture
async def client(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    # What crashes in an application is raised here, so that no test takes it for an answer.
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="https://here") as made:
        yield made


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://["},
        {"origin": "https://[::1"},
        {"origin": "null"},
        {"origin": "https://here.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"host": "[", "origin": "https://here"},
    ],
    ids=str,
)
async def test_a_form_of_no_page_of_ours_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/form", data={"a": "b"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1_0", "\u0663", "0x10", "99999999999999"])
async def test_a_length_that_is_none_is_refused(client: httpx.AsyncClient, length: str) -> None:
    headers = [
        (b"host", b"here"),
        (b"content-type", URLENCODED.encode()),
        (b"content-length", length.encode()),
    ]
    request = client.build_request("POST", "/form", content=b"a=b")
    request.headers = httpx.Headers(headers)
    answer = await client.send(request)
    assert answer.status_code in {411, 413}


@pytest.mark.parametrize("charset", ["unicode_escape", "undefined", "utf-7", "idna", "hex"])
async def test_a_form_in_an_alphabet_of_its_own_is_refused(
    client: httpx.AsyncClient, charset: str
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    answer = await client.post("/form", content=body, headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "multipart/form-data", "x" * 99]
)
async def test_what_is_no_form_is_refused(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/form", content=b"a=b", headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
     b'--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\n1\r\n--x--\r\n',
     b"\xff\xfe\x00"],
)  # fmt: skip
async def test_parts_that_make_no_sense_are_refused_or_empty(
    client: httpx.AsyncClient, body: bytes
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await client.post("/form", content=body, headers=headers)
    assert answer.status_code == 400 or answer.json()["form"] == {}


async def test_more_fields_than_any_form_of_ours_has_are_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/form", data={f"f{n}": "x" for n in range(40)})
    assert answer.status_code == 400


async def test_a_form_that_never_ends_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FORM_WITHIN_S", 0.01)

    async def drip() -> AsyncIterator[bytes]:
        yield b"a="
        await asyncio.Event().wait()

    headers = {"content-type": URLENCODED, "content-length": "3"}
    answer = await client.post("/form", content=drip(), headers=headers)
    assert answer.status_code == 408


async def test_a_form_that_is_broken_off_is_no_crash(app: ASGIApp) -> None:
    sent: list[Message] = []
    scope = {
        "type": "http", "method": "POST", "path": "/form", "raw_path": b"/form", "root_path": "",
        "scheme": "https", "query_string": b"", "server": ("here", 443),
        "headers": [(b"host", b"here"), (b"content-type", URLENCODED.encode()),
                    (b"content-length", b"3")],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_a_form_of_our_own_page_is_read(client: httpx.AsyncClient) -> None:
    for kind in (URLENCODED, f"{URLENCODED}; charset=UTF-8"):
        headers = {"content-type": kind, "origin": "https://here"}
        answer = await client.post("/form", content="a=M%C3%BCller+%26", headers=headers)
        assert answer.json()["form"] == {"a": "Müller &"}
    answer = await client.post("/form", files={"a": (None, "b")})
    assert answer.json()["form"] == {"a": "b"}


@pytest.mark.parametrize("path", ["//[", "//[::1", "/x", "https://[", "[", "//]"])
async def test_a_way_back_that_is_no_path_of_ours_leads_to_the_first_page(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.post("/form", data={"next": path})
    assert answer.json()["next"] == ("/x" if path == "/x" else "/")


@pytest.mark.parametrize("path", ["/page?[", "/page?%00", "/page?next=//[", "//page", "/page/%2e"])
async def test_a_strange_address_is_sent_to_sign_in_or_not_found(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(f"https://here{path}")
    assert answer.status_code in {303, 404}
