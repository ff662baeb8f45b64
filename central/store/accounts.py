"""Accounts of the console and their sessions: `AccountStore` of `runtime.web.sessions`."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from central.store.engine import Store, upsert
from central.store.tables import sessions, users
from runtime.web.sessions import StoredSession


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `disabled_ms` is when it was shut, None while it may sign in."""

    name: str
    created_ms: int
    disabled_ms: int | None


async def put_account(connection: AsyncConnection, name: str, *, kept: str, now_ms: int) -> None:
    """Add an account, or give one another password (`kept` is its hash); its sessions end."""
    await connection.execute(delete(sessions).where(sessions.c.user == name))
    row = {"name": name, "password": kept, "created_ms": now_ms, "disabled_ms": None}
    await upsert(connection, users, [row], keep=("created_ms",))


async def shut_account(connection: AsyncConnection, name: str, *, now_ms: int) -> bool:
    """Shut an account out and end its sessions; return False when there is none that is open.

    Its row stays, because what somebody confirmed still names them.
    """
    await connection.execute(delete(sessions).where(sessions.c.user == name))
    shut = (
        update(users)
        .where(users.c.name == name, users.c.disabled_ms.is_(None))
        .values(disabled_ms=now_ms)
    )
    return (await connection.execute(shut)).rowcount == 1


async def all_accounts(connection: AsyncConnection) -> list[Account]:
    """Return every account by name."""
    query = select(users.c.name, users.c.created_ms, users.c.disabled_ms).order_by(users.c.name)
    return [Account(*row) for row in await connection.execute(query)]


class HubAccounts:
    """The console's accounts and sessions."""

    def __init__(self, store: Store) -> None:
        """Keep them in the hub's store."""
        self._store = store

    async def password_of(self, name: str) -> str | None:
        """Return the kept password of an account that may sign in, else None."""
        query = select(users.c.password).where(users.c.name == name, users.c.disabled_ms.is_(None))
        async with self._store.read() as connection:
            found: str | None = await connection.scalar(query)
        return found

    async def add_session(
        self, digest: bytes, *, person: str, now_ms: int, expires_ms: int
    ) -> None:
        """Keep a new session, and drop those that are over."""
        async with self._store.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_ms <= now_ms))
            await connection.execute(
                insert(sessions).values(
                    digest=digest,
                    user=person,
                    created_ms=now_ms,
                    seen_ms=now_ms,
                    expires_ms=expires_ms,
                )
            )

    async def find_session(self, digest: bytes) -> StoredSession | None:
        """Return a session by its token's digest, if its account may still sign in."""
        query = (
            select(sessions.c.user, sessions.c.seen_ms, sessions.c.expires_ms)
            .join(users, users.c.name == sessions.c.user)
            .where(sessions.c.digest == digest, users.c.disabled_ms.is_(None))
        )
        async with self._store.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else StoredSession(*row)

    async def saw_session(self, digest: bytes, *, now_ms: int) -> None:
        """Note that a session was used."""
        async with self._store.write() as connection:
            await connection.execute(
                update(sessions).where(sessions.c.digest == digest).values(seen_ms=now_ms)
            )

    async def end_session(self, digest: bytes) -> None:
        """Forget a session."""
        async with self._store.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.digest == digest))
