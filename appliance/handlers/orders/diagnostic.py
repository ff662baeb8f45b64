"""diagnostic: one look at the appliance itself, from a fixed list. Numbers and closed values only.

Nothing of what is looked at can be chosen by the order but its name: the host that `names`,
`hub_route` and `tls` ask is the hub's own, from the log origin that enrollment fixed.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, cast

import aiosqlite

from appliance.core.order_gate.values import Accepted
from appliance.handlers.orders import Done
from appliance.handlers.work import Work
from appliance.ports import ShellError
from appliance.store import evidence, health, meta
from proto.findings import Reason, Scalar
from proto.orders.diagnostic import Diagnostic
from proto.phi.leaving import Leaving, closed
from proto.receipts import Outcome
from runtime.clock import SteadyClock

HTTPS_PORT: Final = 443
CONNECT_WITHIN_S: Final = 10.0
KIB: Final = 1024
_WORDS: Final = (
    *("none", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    *("rsa", "ec", "ed25519", "other"),
    *(reason.value for reason in Reason),
)
"""Every word that a look at TLS can answer with."""

Told = dict[str, Leaving]


async def run(work: Work, accepted: Accepted) -> Done:
    """Look, and tell what was seen; failed when the thing does not work, or cannot be looked at."""
    wanted = cast("Diagnostic", accepted.params)
    try:
        is_well, told = await _LOOKS[wanted.look](work)
    except (OSError, LookupError, ValueError):
        # A kernel without the file, or a link that went away while it was looked at.
        return Done(Outcome.FAILED, {"why": closed("unreadable", ("unreadable",))})
    return Done(Outcome.DONE if is_well else Outcome.FAILED, told)


def hub_place(origin: str) -> tuple[str, int]:
    """Return the hub's host and port, from the origin of this appliance's evidence log."""
    name = origin.partition("/")[0]
    host, colon, port = name.rpartition(":")
    return (host, int(port)) if colon and port.isdecimal() else (name, HTTPS_PORT)


async def _disk(work: Work) -> tuple[bool, Told]:
    free_bytes = work.store.free_bytes()
    return work.store.has_room(), {"free_kib": free_bytes // KIB}


async def _memory(_: Work) -> tuple[bool, Told]:
    seen = _meminfo(Path("/proc/meminfo"))
    own = _meminfo(Path("/proc/self/status"))
    told: Told = {
        "total_kib": seen["MemTotal"],
        "available_kib": seen["MemAvailable"],
        "own_kib": own["VmRSS"],
    }
    return True, told


def _meminfo(path: Path) -> Mapping[str, int]:
    """Return the lines of a file of /proc whose value is in kB."""
    lines = (line.split() for line in path.read_text("ascii").splitlines())
    return {parts[0].rstrip(":"): int(parts[1]) for parts in lines if parts[-1:] == ["kB"]}


async def _clock(work: Work) -> tuple[bool, Told]:
    async with work.store.read() as conn:
        seen_ms = await meta.get_int(conn, meta.Key.HUB_SEEN_MS)
    told: Told = {"now_s": work.clock.now_ms() // 1000, "up_s": _uptime_s()}
    return True, {**told, "hub_seen_s": seen_ms // 1000}


def _uptime_s() -> int:
    return int(Path("/proc/uptime").read_text("ascii").partition(".")[0])


async def _network(_: Work) -> tuple[bool, Told]:
    links, routes = _links(), _default_routes()
    up = sum(links.values())
    return up > 0, {"links": len(links), "links_up": up, "default_routes": routes}


def _links() -> dict[str, bool]:
    """Return the network links but the loopback, and whether each carries anything."""
    found = {path.name: path / "operstate" for path in Path("/sys/class/net").iterdir()}
    return {
        name: state.read_text("ascii").strip() in {"up", "unknown"}
        for name, state in found.items()
        if name != "lo" and state.is_file()
    }


def _default_routes() -> int:
    rows = Path("/proc/net/route").read_text("ascii").splitlines()[1:]
    return sum(row.split()[1] == "00000000" for row in rows if row.strip())


async def _names(work: Work) -> tuple[bool, Told]:
    host, port = hub_place(work.scribe.origin)
    timer = SteadyClock()
    begun_ms = timer.now_ms()
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    addresses = len({address[4][0] for address in found})
    return addresses > 0, {"addresses": addresses, "took_ms": timer.now_ms() - begun_ms}


async def _hub_route(work: Work) -> tuple[bool, Told]:
    host, port = hub_place(work.scribe.origin)
    timer = SteadyClock()
    begun_ms = timer.now_ms()
    is_open = True
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except OSError:  # TimeoutError is one of them
        is_open = False
    return is_open, {"connected": is_open, "took_ms": timer.now_ms() - begun_ms}


async def _tls(work: Work) -> tuple[bool, Told]:
    host, port = hub_place(work.scribe.origin)
    try:
        seen = await work.tls.look(host, port, now_ms=work.clock.now_ms())
    except ShellError as error:
        return False, {"why": closed(error.reason.value, _WORDS)}
    return bool(seen["present"]), {name: _leaving(value) for name, value in seen.items()}


def _leaving(value: Scalar) -> Leaving:
    return closed(value, _WORDS) if isinstance(value, str) else value


async def _store(work: Work) -> tuple[bool, Told]:
    async with work.store.read() as conn:
        head = await evidence.head(conn)
        size = await _pragma(conn, "page_count") * await _pragma(conn, "page_size")
        answer = list(await conn.execute_fetchall("PRAGMA quick_check(1)"))
    is_sound = [row[0] for row in answer] == ["ok"]
    told: Told = {"sound": is_sound, "size_kib": size // KIB}
    leaves = {"leaves": head.tree.size, "acknowledged": head.acked_size}
    return is_sound, {**told, **leaves}


async def _pragma(conn: aiosqlite.Connection, name: str) -> int:
    rows = list(await conn.execute_fetchall(f"PRAGMA {name}"))
    return int(rows[0][0])


async def _services(work: Work) -> tuple[bool, Told]:
    async with work.store.read() as conn:
        raised = await health.raised(conn)
    told: Told = {f"is_{condition.value}": True for condition in raised}
    files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are counted, not looked at
    return not raised, {"unwell": len(raised), "open_files": files, **told}


_LOOKS: Final[Mapping[str, Callable[[Work], Awaitable[tuple[bool, Told]]]]] = {
    "disk": _disk,
    "memory": _memory,
    "clock": _clock,
    "network": _network,
    "names": _names,
    "hub_route": _hub_route,
    "tls": _tls,
    "store": _store,
    "services": _services,
}
