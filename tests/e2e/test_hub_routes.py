"""The hub's one route table, walked: whoever has no credential is refused, everywhere."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from central import config as configuration
from central import setup
from central.api.raw import RawAccess, RawEntry
from central.main import Daemon, wired
from central.routes import TABLE
from central.state import Console
from central.store import tables
from central.store.accounts import HubAccounts, put_account
from proto.secret import Secret
from runtime.clock import SystemClock, system_entropy
from runtime.web.access import Access, Entry, Visit
from runtime.web.csrf import csrf_token
from runtime.web.passwords import hashed
from runtime.web.sessions import COOKIE, Accounts
from tests.fakes.hub_process import write_config
from tests.unit.reference_set import as_files, whole_texts

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test
EXAMPLES = {
    "{site}": "s-aaaaaaaaaa",
    "{appliance}": "a-aaaaaaaaaa",
    "{incident}": "i-aaaaaaaaaa",
    "{target}": "t-aaaaaaaaaa",
    "{code}": "evidence_fork",
    "{name}": "ann",
    "{draft}": "b-aaaaaaaaaaaaaaaaaaaa.0",
    "{type}": "run_drift",
    "{kind}": "order",
    "{path:path}": "metadata/timestamp.json",
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state directory of a hub that was set up; each test has a copy of it."""
    directory = tmp_path_factory.mktemp("prepared")
    config = configuration.read(write_config(directory, 8443))
    content = as_files(whole_texts())
    asyncio.run(setup.init(config, clock=SystemClock(), entropy=system_entropy, content=content))
    return config.state_dir


@pytest.fixture
async def daemon(prepared: Path, tmp_path: Path) -> AsyncIterator[Daemon]:
    config = configuration.read(write_config(tmp_path, 8443))
    shutil.copytree(prepared, config.state_dir)
    async with wired(config) as made:
        yield made


def over(app: object, **more: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    return httpx.AsyncClient(
        transport=transport, base_url="https://hub", cookies=more, trust_env=False
    )


def example(path: str) -> str:
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    assert "{" not in path, f"no example for a parameter of {path}"
    return path


def test_every_route_names_its_access_and_stands_once() -> None:
    keys = [(entry.method, entry.path) for entry in TABLE]
    assert len(set(keys)) == len(keys)
    for entry in TABLE:
        assert entry.access in {*RawAccess, *Access}


@pytest.mark.parametrize("entry", TABLE, ids=lambda one: f"{one.method} {one.path}")
async def test_no_route_serves_whoever_has_no_credential(
    daemon: Daemon, entry: RawEntry | Entry[Console]
) -> None:
    async with over(daemon.network) as client:
        answer = await client.request(entry.method, example(entry.path), content=b"")
    access: object = entry.access
    if access in {RawAccess.ANYONE, Access.PUBLIC}:
        return
    if access is RawAccess.SIGNED:
        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message"}
    elif access is Access.LOCAL:
        assert answer.status_code == 404
    elif entry.path.startswith("/api/"):
        assert answer.status_code == 401
    else:
        assert answer.status_code in {303, 403}
        assert answer.headers.get("location", "/sign-in").startswith("/sign-in")


def test_what_anyone_may_call_is_a_short_list_that_changes_nothing() -> None:
    """A new public route is a decision: it has to be written down here."""
    public = {
        (entry.method, entry.path)
        for entry in TABLE
        if entry.access in {RawAccess.ANYONE, Access.PUBLIC}
    }
    assert public <= {
        ("GET", "/api/agent/root"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/static/osiris.css"),
        ("GET", "/static/icon.svg"),
        ("GET", "/content/{path:path}"),
    }


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/docs", "/openapi.json", "/.env"])
async def test_what_is_not_in_the_table_is_not_served(daemon: Daemon, path: str) -> None:
    async with over(daemon.network) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("entry", TABLE, ids=lambda one: f"{one.method} {one.path}")
async def test_the_socket_serves_local_routes_alone(
    daemon: Daemon, entry: RawEntry | Entry[Console]
) -> None:
    if entry.access is Access.LOCAL:
        return
    async with over(daemon.socket) as client:
        answer = await client.request(entry.method, example(entry.path), content=b"")
    assert answer.status_code in {404, 405}


async def signed_in(daemon: Daemon) -> str:
    """Make an account and a session; return the cookie's token."""
    hub = daemon.hub
    async with hub.store.write() as connection:
        kept = await hashed(Secret(PASSWORD))
        await put_account(connection, "ann", kept=kept, now_ms=hub.now_ms)
    accounts = Accounts(HubAccounts(hub.store), hub.entropy)
    request = Request({"type": "http", "headers": [], "client": ("10.0.0.1", 1)})
    visit: Visit[None] = Visit(None, request, None, hub.now_ms)
    cookie = await accounts.sign_in(visit, name="ann", password=PASSWORD)
    assert cookie is not None
    return cookie.partition("=")[2].partition(";")[0]


async def test_a_signed_in_person_reads_the_api(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    async with over(daemon.network, **{COOKIE: token}) as client:
        answer = await client.get("/api/sites")
        missing = await client.get("/api/sites/s-aaaaaaaaaa")
        nonsense = await client.get("/api/sites/nonsense")
    assert (answer.status_code, answer.json()) == (200, [])
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (nonsense.status_code, nonsense.json()["code"]) == (400, "malformed")


async def test_a_change_needs_the_forms_token_too(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    path = "/api/appliances/a-aaaaaaaaaa/confirm"
    async with over(daemon.network, **{COOKIE: token}) as client:
        without = await client.post(path, data={"x": "y"})
        wrong = await client.post(path, data={"csrf": "wrong"})
        right = await client.post(path, data={"csrf": csrf_token(token)})
    assert without.status_code == wrong.status_code == 403
    assert (right.status_code, right.json()["code"]) == (404, "not_found")


async def test_a_form_from_another_site_is_refused(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    headers = {"origin": "https://evil.example"}
    async with over(daemon.network, **{COOKIE: token}) as client:
        answer = await client.post(
            "/api/appliances/a-aaaaaaaaaa/confirm",
            data={"csrf": csrf_token(token)},
            headers=headers,
        )
    assert answer.status_code == 403


async def test_a_store_behind_this_program_is_not_ready(daemon: Daemon) -> None:
    async with over(daemon.network) as client:
        assert (await client.get("/readyz")).status_code == 200
        async with daemon.hub.store.write() as connection:
            await connection.exec_driver_sql("DELETE FROM alembic_version")
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "retry-after" in answer.headers


async def test_the_tables_of_the_store_hold_no_password(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    async with daemon.hub.store.read() as connection:
        user = (await connection.execute(tables.users.select())).one()
        session = (await connection.execute(tables.sessions.select())).one()
    assert user.password.startswith("$argon2id$")
    assert token.encode() not in session.digest


async def test_an_account_made_by_the_command_line_signs_in_and_out(daemon: Daemon) -> None:
    async with over(daemon.socket) as local:
        made = await local.post("/local/users", content=b'{"name":"eve"}')
    form = {"name": "eve", "password": made.json()["password"]}
    async with over(daemon.network) as client:
        wrong = await client.post("/sign-in", data={**form, "password": "wrong wrong wrong"})
        assert wrong.status_code == 403
        right = await client.post("/sign-in", data=form)
        assert (right.status_code, right.headers["location"]) == (303, "/")
        token = client.cookies[COOKIE]
        assert (await client.get("/")).status_code == 200
        await client.post("/sign-out", data={"csrf": csrf_token(token)})
    async with over(daemon.network, **{COOKIE: token}) as stale:
        assert (await stale.get("/")).status_code == 303


async def test_an_account_that_is_shut_is_out_at_once_and_its_name_stays(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    async with over(daemon.socket) as local:
        (account,) = (await local.get("/local/users")).json()
        path = f"/local/users/{account['name']}/shut"
        assert (await local.post(path)).json() == {"name": account["name"], "may_sign_in": False}
        (shut,) = (await local.get("/local/users")).json()
        assert shut["disabled_ms"] is not None
        assert (await local.post(path)).status_code == 404
        assert (await local.post("/local/users/Nobody/shut")).status_code == 400
    async with over(daemon.network, **{COOKIE: token}) as client:
        assert (await client.get("/")).status_code == 303
        form = {"name": account["name"], "password": PASSWORD}
        assert (await client.post("/sign-in", data=form)).status_code == 403
    async with over(daemon.socket) as local:
        made = await local.post("/local/users", json={"name": account["name"]})
    async with over(daemon.network) as client:
        form["password"] = made.json()["password"]
        assert (await client.post("/sign-in", data=form)).status_code == 303


async def test_no_route_of_the_network_makes_an_account(daemon: Daemon) -> None:
    token = await signed_in(daemon)
    async with over(daemon.network, **{COOKIE: token}) as client:
        for path in ("/local/users", "/api/users", "/users"):
            answer = await client.post(path, data={"csrf": csrf_token(token), "name": "eve"})
            assert answer.status_code == 404
