"""Accounts of the portal and their sessions; an account is made by the command line alone."""

from contextlib import suppress
from dataclasses import dataclass

import aiosqlite

from appliance.store.db import Store
from proto.errors import ConflictError, MalformedError, NoRoomError, NotFoundError
from proto.evidence import COMMAND_LINE
from runtime.web.sessions import StoredSession

NAME_CHARS_MAX = 40
ACCOUNTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Account:
    """One account; `code` names it in evidence, `disabled_ms` is None while it may sign in."""

    name: str
    code: str
    created_ms: int
    disabled_ms: int | None


@dataclass(frozen=True, slots=True)
class AccountTable:
    """`runtime.web.sessions.AccountStore` in the appliance's store."""

    store: Store

    async def password_of(self, name: str) -> str | None:
        """Return the kept password of an account that may sign in, else None."""
        async with self.store.read() as conn:
            rows = await conn.execute_fetchall(
                "SELECT password_hash FROM accounts WHERE name = ? AND disabled_ms IS NULL",
                (name,),
            )
        return next((str(row["password_hash"]) for row in rows), None)

    async def add_session(
        self, digest: bytes, *, person: str, now_ms: int, expires_ms: int
    ) -> None:
        """Keep a new session, and drop those that are over."""
        async with self.store.write_in_reserve() as conn:
            await conn.execute("DELETE FROM sessions WHERE expires_ms <= ?", (now_ms,))
            await conn.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?)", (digest, person, now_ms, expires_ms)
            )

    async def find_session(self, digest: bytes) -> StoredSession | None:
        """Return a session by its token's digest, if its account may still sign in."""
        async with self.store.read() as conn:
            rows = await conn.execute_fetchall(
                "SELECT account, seen_ms, expires_ms FROM sessions JOIN accounts ON name = account"
                " WHERE token_hash = ? AND disabled_ms IS NULL",
                (digest,),
            )
        return next(
            (StoredSession(row["account"], row["seen_ms"], row["expires_ms"]) for row in rows),
            None,
        )

    async def saw_session(self, digest: bytes, *, now_ms: int) -> None:
        """Note that a session was used."""
        # A page is shown on a full disk too: it says so.
        with suppress(NoRoomError):
            async with self.store.write_in_reserve() as conn:
                await conn.execute(
                    "UPDATE sessions SET seen_ms = ? WHERE token_hash = ?", (now_ms, digest)
                )

    async def end_session(self, digest: bytes) -> None:
        """Forget a session."""
        async with self.store.write() as conn:
            await conn.execute("DELETE FROM sessions WHERE token_hash = ?", (digest,))


async def add(conn: aiosqlite.Connection, name: str, password_hash: str, *, now_ms: int) -> None:
    """Make an account.

    Raises:
        MalformedError: no usable name.
        ConflictError: there is one of this name, or there are too many.
    """
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable() or name != name.strip():
        msg = f"name: 1 to {NAME_CHARS_MAX} printable characters"
        raise MalformedError(msg)
    rows = list(await conn.execute_fetchall("SELECT name FROM accounts"))
    if any(row["name"] == name for row in rows):
        msg = f"there is an account {name} already"
        raise ConflictError(msg)
    if len(rows) >= ACCOUNTS_MAX:
        msg = f"there are {ACCOUNTS_MAX} accounts already"
        raise ConflictError(msg)
    # The store gives each a code of its own, by which evidence names it.
    await conn.execute(
        "INSERT INTO accounts (name, password_hash, created_ms) VALUES (?, ?, ?)",
        (name, password_hash, now_ms),
    )


async def set_password(conn: aiosqlite.Connection, name: str, password_hash: str) -> bool:
    """Change an account's password, which opens it too, and end its sessions.

    Return False when there is none.
    """
    cursor = await conn.execute(
        "UPDATE accounts SET password_hash = ?, disabled_ms = NULL WHERE name = ?",
        (password_hash, name),
    )
    await conn.execute("DELETE FROM sessions WHERE account = ?", (name,))
    return cursor.rowcount == 1


async def shut(conn: aiosqlite.Connection, name: str, *, now_ms: int) -> None:
    """Shut an account out and end its sessions; what it did keeps its name.

    Raises:
        NotFoundError: there is no such account that may sign in.
    """
    cursor = await conn.execute(
        "UPDATE accounts SET disabled_ms = ? WHERE name = ? AND disabled_ms IS NULL",
        (now_ms, name),
    )
    if cursor.rowcount != 1:
        msg = f"there is no account {name!a:.40} that may sign in"
        raise NotFoundError(msg)
    await conn.execute("DELETE FROM sessions WHERE account = ?", (name,))


async def code_of(conn: aiosqlite.Connection, name: str) -> str:
    """Return the code by which evidence names an account.

    Raises:
        NotFoundError: there is no such account.
    """
    rows = await conn.execute_fetchall("SELECT code FROM accounts WHERE name = ?", (name,))
    for row in rows:
        return str(row["code"])
    msg = f"there is no account {name!a:.40}"
    raise NotFoundError(msg)


async def actor_of(conn: aiosqlite.Connection, name: str) -> str:
    """Return who evidence says acted: an account's code, or whoever may use the socket."""
    rows = await conn.execute_fetchall("SELECT code FROM accounts WHERE name = ?", (name,))
    return next((str(row["code"]) for row in rows), COMMAND_LINE)


async def all_of(conn: aiosqlite.Connection) -> list[Account]:
    """Return every account, by name; never a password."""
    rows = await conn.execute_fetchall(
        "SELECT name, code, created_ms, disabled_ms FROM accounts ORDER BY name"
    )
    return [Account(*row) for row in rows]


async def names(conn: aiosqlite.Connection) -> list[str]:
    """Return the names of the accounts that may sign in, sorted."""
    return [one.name for one in await all_of(conn) if one.disabled_ms is None]
