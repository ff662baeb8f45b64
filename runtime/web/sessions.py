"""Accounts and sessions: who may sign in, and who is signed in.

Rules:

- The cookie holds 32 random bytes; the store keeps only their SHA-256, so a copy of it opens
  nothing. The cookie is bound to this host, sent over TLS only, hidden from scripts, and never sent
  along from another site.
- A session ends 30 minutes after it was last used (45 CFR 164.312(a)(2)(iii)) and 12 hours after
  it began.
- An unknown name and a wrong password are told apart by nothing: not by words, not by time.
- Wrong tries are throttled by account and by address. A place from which somebody has signed in
  keeps its own count of that account: wrong tries from elsewhere lock nobody out of it.
- No account is ever made here.
- Each sign-in, and each refusal, is a line of the log (45 CFR 164.308(a)(5)(ii)(C)). A name that no
  account has is not written: people type passwords there.
"""

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request

from proto.secret import Secret
from runtime.clock import Entropy
from runtime.log import logger
from runtime.web.access import Session, Visit
from runtime.web.csrf import csrf_token
from runtime.web.limits import Throttle
from runtime.web.passwords import matches

COOKIE = "__Host-osiris"
TOKEN_BYTES = 32
TOKEN_CHARS = 43
IDLE_MS = 30 * 60_000
LIFE_MS = 12 * 3600_000
SEEN_AGAIN_MS = 60_000
"""How old the last use may be before it is written anew."""

PLACES_MAX = 4096
"""How many places of successful sign-ins are kept in mind; a restart forgets them."""

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is kept."""

    person: str
    seen_ms: int
    expires_ms: int


class AccountStore(Protocol):
    """Where accounts and sessions are kept."""

    async def password_of(self, name: str) -> str | None:
        """Return the kept password of an account that may sign in, else None."""
        ...

    async def add_session(
        self, digest: bytes, *, person: str, now_ms: int, expires_ms: int
    ) -> None:
        """Keep a new session, and drop those that are over."""
        ...

    async def find_session(self, digest: bytes) -> StoredSession | None:
        """Return a session by its token's digest, if its account may still sign in."""
        ...

    async def saw_session(self, digest: bytes, *, now_ms: int) -> None:
        """Note that a session was used."""
        ...

    async def end_session(self, digest: bytes) -> None:
        """Forget a session."""
        ...


class Accounts:
    """Signing in and out, for the portal and for the console."""

    def __init__(self, store: AccountStore, entropy: Entropy) -> None:
        """Keep accounts in `store`; tokens come from `entropy`."""
        self._store = store
        self._entropy = entropy
        self._throttle = Throttle()
        self._log = logger("sign-in")
        self._places: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def find(self, request: Request, *, now_ms: int) -> Session | None:
        """Return the session that the request's cookie names while it holds."""
        token = request.cookies.get(COOKIE, "")
        if not _is_token(token):
            return None
        found = await self._store.find_session(_digest(token))
        if found is None or now_ms >= min(found.expires_ms, found.seen_ms + IDLE_MS):
            return None
        if now_ms - found.seen_ms >= SEEN_AGAIN_MS:
            await self._store.saw_session(_digest(token), now_ms=now_ms)
        return Session(found.person, csrf_token(token))

    async def sign_in(self, visit: Visit[Any], *, name: str, password: str) -> str | None:
        """Return the `Set-Cookie` header of a new session, None when refused.

        Raises:
            HTTPException: 429 after too many wrong tries.
        """
        place = _address(visit.request)
        account, address = self._counted_as(name, place), f"address {place}"
        self._refuse_throttled(account, address, now_ms=visit.now_ms)
        # Counted before the answer is known, so that tries at the same time are all counted.
        self._throttle.failed(account, address, now_ms=visit.now_ms)
        kept = await self._store.password_of(name)
        if not await matches(kept, Secret(password)):
            known = {"account": name} if kept else {}
            self._log.warning("sign-in refused", address=place, **known)
            return None
        self._log.info("signed in", address=place, account=name)
        self._throttle.succeeded(account)
        self._throttle.take_back(address)
        self._remember(name, place)
        return await self._begin(name, now_ms=visit.now_ms)

    async def confirm(self, visit: Visit[Any], *, password: str) -> bool:
        """Tell whether whoever is signed in knows their password: asked before grave things.

        Raises:
            HTTPException: 429 after too many wrong tries, counted with those of signing in.
        """
        name, place = visit.person.person, _address(visit.request)
        account, address = self._counted_as(name, place), f"address {place}"
        self._refuse_throttled(account, address, now_ms=visit.now_ms)
        self._throttle.failed(account, address, now_ms=visit.now_ms)
        if not await matches(await self._store.password_of(name), Secret(password)):
            self._log.warning("password not confirmed", address=place, account=name)
            return False
        self._throttle.succeeded(account)
        self._throttle.take_back(address)
        return True

    def _refuse_throttled(self, account: str, address: str, *, now_ms: int) -> None:
        wait_ms = self._throttle.wait_ms(account, address, now_ms=now_ms)
        if wait_ms:
            wait_s = -(-wait_ms // 1000)
            self._log.warning("sign-in throttled", address=address, wait_s=wait_s)
            said = f"Too many wrong tries. Please wait {wait_s} s and try again."
            raise HTTPException(429, said, headers={"Retry-After": str(wait_s)})

    def _counted_as(self, name: str, place: str) -> str:
        return f"account {name} at {place}" if (name, place) in self._places else f"account {name}"

    def _remember(self, name: str, place: str) -> None:
        self._places[name, place] = None
        self._places.move_to_end((name, place))
        if len(self._places) > PLACES_MAX:
            self._places.popitem(last=False)

    async def _begin(self, name: str, *, now_ms: int) -> str:
        token = base64.urlsafe_b64encode(self._entropy(TOKEN_BYTES)).decode("ascii").rstrip("=")
        await self._store.add_session(
            _digest(token), person=name, now_ms=now_ms, expires_ms=now_ms + LIFE_MS
        )
        return f"{COOKIE}={token}; {_ATTRIBUTES}"

    async def sign_out(self, visit: Visit[Any]) -> str:
        """End the session and return the `Set-Cookie` header that forgets it."""
        token = visit.request.cookies.get(COOKIE, "")
        if _is_token(token):
            await self._store.end_session(_digest(token))
        return f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"


def _is_token(text: str) -> bool:
    return len(text) == TOKEN_CHARS and text.isascii()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()


def _address(request: Request) -> str:
    return request.client.host if request.client else "local"
