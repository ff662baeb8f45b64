"""Targets: devices with checks, how they are logged into, and their sealed credentials.

One row a device, kept after a removal so that its history has a name; the credentials go at once.
A credential is sealed for its target and kind, so a row that was moved does not open. `prune` drops
removed targets that nothing refers to any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiosqlite

from appliance.ports import Credential, Login, Sealer, Sudo
from proto.errors import ConflictError, NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass, Platform
from proto.secret import Secret

REMOVED_KEPT_MS = 90 * 86_400_000

_KINDS = ("private_key", "password", "sudo_password")


@dataclass(frozen=True, slots=True)
class Target:
    """A device with checks.

    Attributes:
        login: the user that is logged in as.
        host_key: pinned, `ssh-ed25519 AAAA...`.
        device_class: as discovery knows it.
        label: what a person calls it, "" when nobody named it.
    """

    id: TargetId
    platform: Platform
    address: str
    port: int
    login: str
    sudo: Sudo
    host_key: str
    os: str
    os_version: str
    device_class: DeviceClass
    label: str
    added_ms: int


_SELECT = (
    "SELECT t.*, d.class, d.label FROM targets t JOIN devices d ON d.id = t.id"
    " WHERE t.removed_ms IS NULL"
)


def _target(row: aiosqlite.Row) -> Target:
    return Target(
        id=TargetId(row["id"]),
        platform=Platform(row["platform"]),
        address=row["address"],
        port=row["port"],
        login=row["login"],
        sudo=Sudo(row["sudo"]),
        host_key=row["host_key"],
        os=row["os"],
        os_version=row["os_version"],
        device_class=DeviceClass(row["class"]),
        label=row["label"],
        added_ms=row["added_ms"],
    )


async def every(conn: aiosqlite.Connection) -> list[Target]:
    """Return the targets that have checks, by id."""
    rows = await conn.execute_fetchall(f"{_SELECT} ORDER BY t.id")
    return [_target(row) for row in rows]


async def ids(conn: aiosqlite.Connection) -> frozenset[TargetId]:
    """Return the id of every target."""
    rows = await conn.execute_fetchall("SELECT id FROM targets WHERE removed_ms IS NULL")
    return frozenset(TargetId(row["id"]) for row in rows)


async def get(conn: aiosqlite.Connection, target: TargetId) -> Target:
    """Return a target that has checks.

    Raises:
        NotFoundError: there is none with this id, or it was removed.
    """
    rows = list(await conn.execute_fetchall(f"{_SELECT} AND t.id = ?", (target,)))
    if not rows:
        msg = f"no target has the id {target}"
        raise NotFoundError(msg)
    return _target(rows[0])


async def add(
    conn: aiosqlite.Connection, sealer: Sealer, target: Target, *, credential: Credential
) -> None:
    """Store a target and its sealed credential; its device must be there.

    Raises:
        ConflictError: the device already is a target.
    """
    cursor = await conn.execute(
        "INSERT INTO targets (id, platform, address, port, login, sudo, host_key, os, os_version,"
        " added_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET platform = excluded.platform, address = excluded.address,"
        " port = excluded.port, login = excluded.login, sudo = excluded.sudo,"
        " host_key = excluded.host_key, os = excluded.os, os_version = excluded.os_version,"
        " added_ms = excluded.added_ms, removed_ms = NULL WHERE removed_ms IS NOT NULL",
        (
            target.id,
            target.platform,
            target.address,
            target.port,
            target.login,
            target.sudo,
            target.host_key,
            target.os,
            target.os_version,
            target.added_ms,
        ),
    )
    if cursor.rowcount != 1:
        msg = f"{target.address} is the target {target.id} already"
        raise ConflictError(msg)
    await _keep(conn, sealer, target.id, credential)


async def set_login(
    conn: aiosqlite.Connection,
    sealer: Sealer,
    target: TargetId,
    *,
    user: str,
    sudo: Sudo,
    credential: Credential,
) -> None:
    """Replace how a target is logged into; what it was before is deleted.

    Raises:
        NotFoundError: there is no such target.
    """
    await get(conn, target)
    await conn.execute("UPDATE targets SET login = ?, sudo = ? WHERE id = ?", (user, sudo, target))
    await conn.execute("DELETE FROM credentials WHERE target = ?", (target,))
    await _keep(conn, sealer, target, credential)


async def _keep(
    conn: aiosqlite.Connection, sealer: Sealer, target: TargetId, credential: Credential
) -> None:
    secrets = {kind: getattr(credential, kind) for kind in _KINDS}
    await conn.executemany(
        "INSERT INTO credentials VALUES (?, ?, ?)",
        [
            (target, kind, sealer.seal(secret, context=_context(target, kind)))
            for kind, secret in secrets.items()
            if secret is not None
        ],
    )


async def remove(conn: aiosqlite.Connection, target: TargetId, *, at_ms: int) -> None:
    """End a target: its credentials are deleted, its history stays.

    Raises:
        NotFoundError: there is none with this id, or it was removed before.
    """
    await get(conn, target)
    await conn.execute("UPDATE targets SET removed_ms = ? WHERE id = ?", (at_ms, target))
    await conn.execute("DELETE FROM credentials WHERE target = ?", (target,))


async def login_of(conn: aiosqlite.Connection, sealer: Sealer, target: TargetId) -> Login:
    """Return how a target is logged into, its credential opened.

    Raises:
        NotFoundError: there is no such target, or no credential of it.
        IntegrityError: what is stored does not open.
    """
    known = await get(conn, target)
    rows = await conn.execute_fetchall(
        "SELECT kind, sealed FROM credentials WHERE target = ?", (target,)
    )
    opened: Mapping[str, Secret] = {
        row["kind"]: sealer.open(row["sealed"], context=_context(target, row["kind"]))
        for row in rows
    }
    if not opened.keys() & {"private_key", "password"}:
        msg = f"no credential is kept for the target {target}"
        raise NotFoundError(msg)
    return Login(
        target=target,
        address=known.address,
        port=known.port,
        user=known.login,
        host_key=known.host_key,
        sudo=known.sudo,
        credential=Credential(**{kind: opened.get(kind) for kind in _KINDS}),
    )


def _context(target: TargetId, kind: str) -> str:
    return f"target:{target}:{kind}"


async def moved(conn: aiosqlite.Connection, addresses: Mapping[TargetId, str]) -> None:
    """Follow devices to new addresses; the pinned host key keeps a mistake harmless."""
    await conn.executemany(
        "UPDATE targets SET address = ? WHERE id = ? AND removed_ms IS NULL AND address <> ?",
        [(address, target, address) for target, address in addresses.items()],
    )


async def set_os(conn: aiosqlite.Connection, target: TargetId, *, os: str, os_version: str) -> None:
    """Remember what a target now says it runs."""
    await conn.execute(
        "UPDATE targets SET os = ?, os_version = ? WHERE id = ?", (os, os_version, target)
    )


async def prune(conn: aiosqlite.Connection, *, now_ms: int) -> None:
    """Drop targets that were removed more than `REMOVED_KEPT_MS` ago and have no incidents."""
    await conn.execute(
        "DELETE FROM targets WHERE removed_ms < ?"
        " AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.target = targets.id)",
        (now_ms - REMOVED_KEPT_MS,),
    )
