"""`ports.Scanner` by nmap, whose XML python-nmap's parser reads.

Gentle by construction: argument lists are made by two pure functions that know only `-sn` and
`-sT` with at most 20 ports. No version detection, no fingerprints, no UDP, no scripts, a bounded
rate and a bounded time a host. A sweep needs raw sockets: without them nmap would connect to ports
80 and 443 of everything, medical devices too, so it is refused then. Networks and addresses are
IPv4 values by the time they stand in an argument list, so none can be read as an option.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final

import nmap

from appliance.ports import SeenHost, SeenPorts
from appliance.shell.world_guard import WorldGuard
from proto.errors import ConfigError, MalformedError, UnreachableError

NETWORKS_MAX: Final = 64
PREFIX_MIN: Final = 16
"""The largest network that is swept: a /16."""

ADDRESSES_MAX: Final = 4096
PORTS_MAX: Final = 20
PORT_MAX: Final = 65_535
PACKETS_PER_S: Final = 300
HOST_S: Final = 30
XML_BYTES_MAX: Final = 16 * 1024 * 1024
STDERR_BYTES_MAX: Final = 2 * 1024
VENDOR_CHARS_MAX: Final = 80
READ_BYTES: Final = 64 * 1024
FIXED_S: Final = 60
"""How long a scan may take beside what its rate makes of its size."""

PROBES_PER_ADDRESS: Final = 3
STATUS: Final = Path("/proc/self/status")
CAP_NET_RAW: Final = 13
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
# An entity can be declared in a DOCTYPE's body only, so only nmap's own bare one is let through.
_PROLOGUE = re.compile(
    r"\s*(?:<\?xml[^<>]*\?>)?\s*(?:<!DOCTYPE nmaprun>)?\s*"
    r"(?:<\?xml-stylesheet[^<>]*\?>\s*|<!--(?:(?!-->).)*-->\s*)*<nmaprun[\s>]",
    re.DOTALL,
)
_FINISHED = re.compile(r'<finished\b[^<>]*\bexit="([a-z]+)"')

RETRIES_MAX: Final = 1
"""A port that did not answer in time is asked once more: one lost packet must not make a scanner
look like a device that may be looked at further."""

_COMMON: Final = ("-n", "-oX", "-", "--max-rate", str(PACKETS_PER_S))
_PER_HOST: Final = ("--host-timeout", f"{HOST_S}s")


def sweep_argv(networks: Sequence[str]) -> list[str]:
    """Return the argument list that asks which hosts of these networks are there.

    On the own link that is ARP; elsewhere an ICMP echo, and nothing that touches a port.

    Raises:
        ConfigError: something is no IPv4 network of at most a /16, or there are too many.
    """
    if not 1 <= len(networks) <= NETWORKS_MAX:
        msg = f"networks: {len(networks)} of them, between 1 and {NETWORKS_MAX} can be swept"
        raise ConfigError(msg)
    swept = [str(_network(text)) for text in networks]
    return ["nmap", "--privileged", "-sn", "-PE", *_COMMON, *_PER_HOST, *swept]


def connect_argv(addresses: Sequence[str], ports: Sequence[int]) -> list[str]:
    """Return the argument list that connects to these ports of these addresses.

    Raises:
        ConfigError: no IPv4 address, no port, or more than 4096 addresses or 20 ports.
    """
    if not 1 <= len(addresses) <= ADDRESSES_MAX:
        msg = f"addresses: {len(addresses)} of them, between 1 and {ADDRESSES_MAX} are allowed"
        raise ConfigError(msg)
    if not 1 <= len(ports) <= PORTS_MAX:
        msg = f"ports: {len(ports)} of them, between 1 and {PORTS_MAX} are allowed"
        raise ConfigError(msg)
    asked = sorted({_port(port) for port in ports})
    listed = ",".join(str(port) for port in asked)
    reached = [str(_address(text)) for text in addresses]
    gentle = ("-sT", "-Pn", "--max-retries", str(RETRIES_MAX), "-p", listed)
    return ["nmap", *gentle, *_COMMON, *_PER_HOST, *reached]


def _network(text: str) -> IPv4Network:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        msg = f"network {text!r:.60}: {error!s:.120}"
        raise ConfigError(msg) from error
    if network.prefixlen < PREFIX_MIN or "/" not in text:
        msg = f"network {text}: give an IPv4 network of at most a /{PREFIX_MIN}, as 192.0.2.0/24"
        raise ConfigError(msg)
    return network


def _address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError as error:
        msg = f"address {text!r:.60}: no IPv4 address"
        raise ConfigError(msg) from error


def _port(port: int) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= PORT_MAX:
        msg = f"port {port!r:.20}: no TCP port"
        raise ConfigError(msg)
    return port


def read_sweep(xml: bytes) -> list[SeenHost]:
    """Return the hosts that nmap's XML says are up, by address.

    Raises:
        MalformedError: this is not what `nmap -oX` prints; the message names what is wrong.
    """
    return [
        _seen_host(address, host)
        for address, host in _hosts(xml)
        if host.get("status", {}).get("state") == "up"
    ]


def read_ports(xml: bytes, asked: Sequence[int]) -> list[SeenPorts]:
    """Return what nmap's XML says of the asked ports; a host it gave up on is not in it.

    Raises:
        MalformedError: this is not what `nmap -oX` prints, or it speaks of ports nobody asked for.
    """
    allowed = frozenset(asked)
    found: list[SeenPorts] = []
    for address, host in _hosts(xml):
        states = {port: entry["state"] for port, entry in host.get("tcp", {}).items()}
        if not states.keys() <= allowed:
            msg = f"nmap's XML: {address}: ports {sorted(states.keys() - allowed)} were not asked"
            raise MalformedError(msg)
        if states:
            is_open = tuple(sorted(port for port, state in states.items() if state == "open"))
            found.append(SeenPorts(address, tuple(sorted(states)), is_open))
    return found


def _seen_host(address: str, host: Mapping[str, Any]) -> SeenHost:
    shown = host["addresses"].get("mac", "")
    mac = shown.lower()
    if mac and _MAC.fullmatch(mac) is None:
        msg = f"nmap's XML: {address}: no MAC address: {shown!r:.40}"
        raise MalformedError(msg)
    vendor = host["vendor"].get(shown, "")
    printable = "".join(char for char in vendor if char.isprintable())[:VENDOR_CHARS_MAX]
    return SeenHost(address=address, mac=mac, vendor=printable, name="")


def _hosts(xml: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each host's address and what python-nmap read of it."""
    for address, host in sorted(_parse(xml).items()):
        try:
            IPv4Address(address)
        except ValueError as error:
            msg = f"nmap's XML: a host with the address {address!r:.60}"
            raise MalformedError(msg) from error
        yield address, host


def _parse(xml: bytes) -> dict[str, Any]:
    """Return python-nmap's reading of the XML: address -> host.

    What it would let pass is refused before it: a DOCTYPE of its own, another root, an encoding
    that could hide either, a scan that did not come to its end.
    """
    if len(xml) > XML_BYTES_MAX:
        msg = f"nmap's XML: more than {XML_BYTES_MAX} bytes"
        raise MalformedError(msg)
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"nmap's XML: byte {error.start} is not UTF-8"
        raise MalformedError(msg) from error
    if _PROLOGUE.match(text) is None:
        msg = f"nmap's XML: does not begin as an nmaprun: {text[:60]!r}"
        raise MalformedError(msg)
    # The constructor would run `nmap -V`; only the parser is wanted, and it needs no state.
    parser = object.__new__(nmap.PortScanner)
    try:
        hosts: dict[str, Any] = parser.analyse_nmap_xml_scan(text)["scan"]
    except nmap.PortScannerError as error:
        msg = f"nmap's XML: not well-formed (cut off?), {len(text)} characters"
        raise MalformedError(msg) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"nmap's XML: an element is missing or has no value: {error!s:.120}"
        raise MalformedError(msg) from error
    finished = _FINISHED.search(text)
    if finished is None or finished[1] != "success":
        msg = "nmap's XML: the scan did not come to its end"
        raise MalformedError(msg)
    return hosts


class NmapScanner:
    """Looking at the network with the machine's nmap; `ports.Scanner`."""

    def __init__(self, guard: WorldGuard) -> None:
        """Ask `guard` before every scan."""
        self._guard = guard

    async def sweep(self, networks: Sequence[str]) -> list[SeenHost]:
        """Say which hosts answer; see `ports.Scanner.sweep`."""
        argv = sweep_argv(networks)
        self._guard.check()
        require_raw_sockets(STATUS.read_text("ascii"))
        size = sum(_network(text).num_addresses for text in networks)
        return read_sweep(await self._run(argv, probes=size))

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Connect to ports; see `ports.Scanner.connect`."""
        if not addresses:
            return []
        argv = connect_argv(addresses, ports)
        return read_ports(await self._run(argv, probes=len(addresses) * len(ports)), ports)

    async def _run(self, argv: Sequence[str], *, probes: int) -> bytes:
        """Run nmap to its end and return its XML.

        Raises:
            IntegrityError: this process is outside its world.
            UnreachableError: nmap is missing, failed, or took longer than its rate explains.
            MalformedError: it printed more than could be right.
        """
        self._guard.check()
        limit_s = FIXED_S + probes * PROBES_PER_ADDRESS / PACKETS_PER_S
        process = await _start(argv)
        try:
            async with asyncio.timeout(limit_s):
                xml, said = await _outputs(process)
                status = await process.wait()
        except TimeoutError:
            msg = f"nmap: not finished after {limit_s:.0f} s"
            raise UnreachableError(msg) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if status != 0:
            lines = said.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
            msg = f"nmap: ended with status {status}: {lines[-1][:200]!r}"
            raise UnreachableError(msg)
        return xml


def require_raw_sockets(status: str) -> None:
    """Refuse to sweep when this process (`/proc/self/status`) may not open raw sockets.

    Raises:
        UnreachableError: it lacks CAP_NET_RAW, capability 13 (capabilities(7)).
    """
    held = next((line for line in status.splitlines() if line.startswith("CapEff:")), "CapEff: 0")
    if not int(held.split()[1], 16) >> CAP_NET_RAW & 1:
        msg = (
            "the sweep needs raw sockets, or it would connect to every device: run the appliance"
            " as root or with AmbientCapabilities=CAP_NET_RAW"
        )
        raise UnreachableError(msg)


async def _start(argv: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        msg = "nmap is missing: apt-get install nmap"
        raise UnreachableError(msg) from error
    except OSError as error:
        msg = f"nmap cannot be started: {error.strerror}"
        raise UnreachableError(msg) from error


async def _outputs(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """Read both streams at once, each up to its limit."""
    if process.stdout is None or process.stderr is None:
        msg = "nmap: no pipes to it"
        raise UnreachableError(msg)
    async with asyncio.TaskGroup() as group:
        xml = group.create_task(_read(process.stdout, XML_BYTES_MAX))
        said = group.create_task(_read(process.stderr, STDERR_BYTES_MAX))
    if len(xml.result()) > XML_BYTES_MAX:
        msg = f"nmap's XML: more than {XML_BYTES_MAX} bytes"
        raise MalformedError(msg)
    return xml.result(), said.result()


async def _read(stream: asyncio.StreamReader, limit: int) -> bytes:
    """Return the stream's first `limit` + 1 bytes; the rest is read and let go."""
    kept = bytearray()
    while chunk := await stream.read(READ_BYTES):
        kept += chunk[: max(limit + 1 - len(kept), 0)]
    return bytes(kept)
