"""What orders are judged by that outlives a restart: floor clock, brake, receipts' link.

One row. It is read and written in the transaction that acts on it.
"""

from dataclasses import dataclass

import aiosqlite

from appliance.core.order_gate.clock import Floor
from appliance.core.order_gate.limits import SecurityWatch


@dataclass(frozen=True, slots=True)
class OrderState:
    """The row.

    Attributes:
        receipt_prev: the sid of this appliance's newest receipt, hex.
        is_recovering: this appliance is behind its own acknowledged evidence, and accepts nothing.
    """

    floor: Floor
    watch: SecurityWatch
    receipt_prev: str
    is_recovering: bool


async def load(conn: aiosqlite.Connection) -> OrderState:
    """Return the row."""
    (row,) = await conn.execute_fetchall("SELECT * FROM order_state")
    recent = tuple(int(one) for one in row["refusals"].split(",") if one)
    return OrderState(
        Floor(row["floor_s"]),
        SecurityWatch(recent, row["held_since_s"], row["cleared_s"]),
        row["receipt_prev"],
        bool(row["is_recovering"]),
    )


async def save(conn: aiosqlite.Connection, state: OrderState) -> None:
    """Write the row."""
    await conn.execute(
        "UPDATE order_state SET floor_s = ?, refusals = ?, held_since_s = ?, cleared_s = ?,"
        " receipt_prev = ?, is_recovering = ?",
        (
            state.floor.at_s,
            ",".join(str(one) for one in state.watch.recent),
            state.watch.held_since_s,
            state.watch.cleared_s,
            state.receipt_prev,
            int(state.is_recovering),
        ),
    )


async def pass_online(conn: aiosqlite.Connection, signed_s: int, *, clock_s: int) -> None:
    """Remember that a time has passed which an online key signed; see `Floor.after_online`."""
    state = await load(conn)
    floor = state.floor.after_online(signed_s, clock_s=clock_s)
    if floor != state.floor:
        await conn.execute("UPDATE order_state SET floor_s = ?", (floor.at_s,))


async def people_s(conn: aiosqlite.Connection) -> int:
    """Return the time that people signed which was counted last."""
    (row,) = await conn.execute_fetchall("SELECT people_s FROM order_state")
    return int(row["people_s"])


async def pass_people(conn: aiosqlite.Connection, signed_s: int) -> None:
    """Remember that a time has passed which people signed; see `Floor.after_people`.

    Each is counted once: what was signed before somebody lowered the floor does not raise it again.
    """
    if signed_s == await people_s(conn):
        return
    floor = (await load(conn)).floor.after_people(signed_s)
    await conn.execute("UPDATE order_state SET floor_s = ?, people_s = ?", (floor.at_s, signed_s))


async def set_floor(conn: aiosqlite.Connection, floor: Floor) -> None:
    """Set the floor, higher or lower; its receipt is written in the same transaction."""
    await conn.execute("UPDATE order_state SET floor_s = ?", (floor.at_s,))


async def root_version(conn: aiosqlite.Connection) -> int:
    """Return the version of the trust root that was seen last, 0 before the first."""
    (row,) = await conn.execute_fetchall("SELECT root_version FROM order_state")
    return int(row["root_version"])


async def keep_root(conn: aiosqlite.Connection, version: int) -> None:
    """Remember which trust root was seen."""
    await conn.execute("UPDATE order_state SET root_version = ?", (version,))


async def passed(conn: aiosqlite.Connection) -> int:
    """Return the time that has surely passed; see `core.order_gate.clock.passed_s`."""
    (row,) = await conn.execute_fetchall("SELECT passed_s FROM order_state")
    return int(row["passed_s"])


async def keep_passed(conn: aiosqlite.Connection, passed_s: int) -> None:
    """Remember a time that has surely passed."""
    await conn.execute("UPDATE order_state SET passed_s = ?", (passed_s,))


async def see(conn: aiosqlite.Connection, own_s: int) -> None:
    """Note what the own clock of this process says."""
    await conn.execute("UPDATE order_state SET seen_s = ?", (own_s,))


async def seen(conn: aiosqlite.Connection) -> int | None:
    """Return what the own clock of a process last said; None where none was noted yet."""
    (row,) = await conn.execute_fetchall("SELECT seen_s FROM order_state")
    return None if row["seen_s"] is None else int(row["seen_s"])
