"""Signing in: what a wrong try learns, how long a session holds, and what is kept of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from structlog.testing import capture_logs

from central.store import migrate
from central.store.accounts import HubAccounts, put_account
from central.store.engine import Store, open_store
from proto.errors import MalformedError
from proto.secret import Secret
from runtime.web import passwords
from runtime.web.access import Visit
from runtime.web.csrf import csrf_token
from runtime.web.limits import FREE
from runtime.web.sessions import COOKIE, IDLE_MS, LIFE_MS, Accounts
from tests.fakes.clock import SeededEntropy

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test
WRONG = "wrong wrong wrong"
NOW_MS = 1_767_225_600_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    await migrate.migrate(made)
    kept = await passwords.hashed(Secret(PASSWORD))
    async with made.write() as connection:
        await put_account(connection, "ann", kept=kept, now_ms=NOW_MS)
    yield made
    await made.close()


@pytest.fixture
def accounts(store: Store) -> Accounts:
    return Accounts(HubAccounts(store), SeededEntropy())


def visit(*, cookie: str = "", now_ms: int = NOW_MS, address: str = "10.0.0.1") -> Visit[None]:
    headers = [(b"cookie", cookie.partition(";")[0].encode())] if cookie else []
    request = Request({"type": "http", "headers": headers, "client": (address, 1)})
    return Visit(None, request, None, now_ms)


async def cookie_of(accounts: Accounts) -> str:
    made = await accounts.sign_in(visit(), name="ann", password=PASSWORD)
    assert made is not None
    return made


async def test_a_right_password_opens_a_session(accounts: Accounts) -> None:
    cookie = await cookie_of(accounts)
    found = await accounts.find(visit(cookie=cookie).request, now_ms=NOW_MS)
    assert found is not None
    token = cookie.partition("=")[2].partition(";")[0]
    assert (found.person, found.csrf) == ("ann", csrf_token(token))


async def test_the_cookie_is_bound_to_tls_this_host_and_our_own_pages(accounts: Accounts) -> None:
    cookie = await cookie_of(accounts)
    assert cookie.startswith(f"{COOKIE}=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")


async def test_an_unknown_name_and_a_wrong_password_are_refused_alike(accounts: Accounts) -> None:
    assert await accounts.sign_in(visit(), name="ann", password=WRONG) is None
    assert await accounts.sign_in(visit(), name="bob", password=PASSWORD) is None


async def test_wrong_tries_are_slowed_down(accounts: Accounts) -> None:
    for _ in range(FREE):
        await accounts.sign_in(visit(), name="ann", password=WRONG)
    with pytest.raises(HTTPException) as caught:
        await accounts.sign_in(visit(), name="ann", password=PASSWORD)
    assert caught.value.status_code == 429
    later = visit(now_ms=NOW_MS + 1000, address="10.0.0.2")
    assert await accounts.sign_in(later, name="ann", password=PASSWORD) is not None


async def test_a_shift_that_signs_in_again_and_again_from_one_desk_is_not_slowed(
    accounts: Accounts,
) -> None:
    for _ in range(4 * FREE):
        assert await accounts.sign_in(visit(), name="ann", password=PASSWORD) is not None


async def test_a_stranger_cannot_lock_somebody_out_of_their_own_desk(accounts: Accounts) -> None:
    await cookie_of(accounts)
    for number in range(4 * FREE):
        stranger = visit(address=f"10.0.1.{number}", now_ms=NOW_MS + number * 900_000)
        assert await accounts.sign_in(stranger, name="ann", password=WRONG) is None
    now_ms = NOW_MS + 4 * FREE * 900_000 - 899_000
    with pytest.raises(HTTPException):
        await accounts.sign_in(visit(address="10.0.2.1", now_ms=now_ms), name="ann", password=WRONG)
    desk = visit(now_ms=now_ms)
    assert await accounts.sign_in(desk, name="ann", password=PASSWORD) is not None


async def test_wrong_tries_at_the_desk_itself_are_slowed_down(accounts: Accounts) -> None:
    await cookie_of(accounts)
    for _ in range(FREE):
        await accounts.sign_in(visit(), name="ann", password=WRONG)
    with pytest.raises(HTTPException):
        await accounts.sign_in(visit(), name="ann", password=PASSWORD)


@pytest.mark.parametrize(
    ("after_ms", "holds"), [(IDLE_MS - 1, True), (IDLE_MS, False), (LIFE_MS, False)]
)
async def test_a_session_that_is_not_used_ends(
    accounts: Accounts, after_ms: int, *, holds: bool
) -> None:
    request = visit(cookie=await cookie_of(accounts)).request
    found = await accounts.find(request, now_ms=NOW_MS + after_ms)
    assert (found is not None) is holds


async def test_a_session_in_use_goes_on_until_its_life_is_over(accounts: Accounts) -> None:
    request = visit(cookie=await cookie_of(accounts)).request
    step = IDLE_MS - 1
    held = 0
    while await accounts.find(request, now_ms=NOW_MS + held + step) is not None:
        held += step
    assert LIFE_MS - step <= held + step < LIFE_MS + step


async def test_signing_out_ends_the_session(accounts: Accounts) -> None:
    signed_in = visit(cookie=await cookie_of(accounts))
    assert "Max-Age=0" in await accounts.sign_out(signed_in)
    assert await accounts.find(signed_in.request, now_ms=NOW_MS) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 5000])
async def test_a_made_up_cookie_opens_nothing(accounts: Accounts, token: str) -> None:
    request = visit(cookie=f"{COOKIE}={token}").request
    assert await accounts.find(request, now_ms=NOW_MS) is None


def test_a_made_password_is_long_and_of_easy_letters() -> None:
    made = passwords.make_password(SeededEntropy()(passwords.MADE_ENTROPY_BYTES)).reveal()
    assert len(made.replace("-", "")) == 20
    assert passwords.check_new(Secret(made)) == Secret(made)


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_has_a_length(password: str) -> None:
    with pytest.raises(MalformedError, match="12 to 256"):
        passwords.check_new(Secret(password))


async def test_what_is_kept_of_a_password_is_argon2id() -> None:
    kept = await passwords.hashed(Secret(PASSWORD))
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, Secret(PASSWORD))
    assert not await passwords.matches("not a hash", Secret(PASSWORD))
    assert not await passwords.matches(None, Secret("the password of nobody"))


async def test_every_sign_in_is_a_line_and_a_mistyped_name_is_not_written(
    store: Store,
) -> None:
    with capture_logs() as lines:
        accounts = Accounts(HubAccounts(store), SeededEntropy())
        await accounts.sign_in(visit(), name="ann", password=WRONG)
        await accounts.sign_in(visit(), name=PASSWORD, password=WRONG)
        await accounts.sign_in(visit(), name="ann", password=PASSWORD)
    assert [(line["event"], line.get("account"), line["address"]) for line in lines] == [
        ("sign-in refused", "ann", "10.0.0.1"),
        ("sign-in refused", None, "10.0.0.1"),
        ("signed in", "ann", "10.0.0.1"),
    ]
    assert PASSWORD not in str(lines)


async def test_the_password_of_nobody_takes_as_long_as_anybodys() -> None:
    """Kept with the same parameters: else the time of an answer would tell which names exist."""
    kept = await passwords.hashed(Secret("correct horse battery"))
    assert passwords.NOBODY.split("$")[:4] == kept.split("$")[:4]
    assert not await passwords.matches(None, Secret("the password of nobody"))
