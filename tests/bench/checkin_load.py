"""How many signed check-ins a hub takes: a real hub process, TLS, SQLite, and 1,000 appliances.

    python tests/bench/checkin_load.py [--json]

A socket-level generator in this process keeps a TLS connection open for each appliance. The
check-ins are signed before the clock starts, because signing them is the fleet's work and not the
hub's; every answer is verified (signature and challenge) after it stopped. Three figures:

- saturated: every connection sends its next check-in as soon as the last was answered;
- paced: the fleet checks in at the rate of the bar, evenly, which is where latency means something;
- handshake each: a new TLS connection for every check-in.

The hub's processor time per check-in is printed too: it is what a busy machine does not blur.

Each counted check-in is durable: the hub answers after its transaction committed (WAL,
synchronous=FULL). The generator and the hub share the machine.
"""

import argparse
import asyncio
import json
import os
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from central import config as configuration  # noqa: E402 - the path above comes first
from central import setup  # noqa: E402
from central.store import appliances, sites  # noqa: E402
from central.store.engine import open_store  # noqa: E402
from osiris.demo.free_port import free_port  # noqa: E402
from proto import ids  # noqa: E402
from proto.envelope import Kind, open_envelope, sign  # noqa: E402
from proto.hub.check_in import PATH, CheckIn, Head  # noqa: E402
from proto.keys import SEED_BYTES, SigningKey  # noqa: E402
from proto.strict_json import b64_encode  # noqa: E402
from runtime import tls  # noqa: E402
from runtime.clock import SystemClock, system_entropy  # noqa: E402
from runtime.serve import raise_file_limit  # noqa: E402

FLEET = 1000
ROUNDS = 8
PACED_PER_S = 500
PACED_S = 8
HANDSHAKES = 400
HANDSHAKES_AT_ONCE = 32
BAR_PER_S = 500
QUIET_BYTES_BAR = 1024
START_S = 20.0
ANSWER_S = 60.0
HEADERS_END = b"\r\n\r\n"


@dataclass(slots=True)
class Box:
    """One appliance: its key, and its next check-in's number."""

    appliance: str
    key: SigningKey
    seq: int = 0

    def next_request(self, host: bytes) -> tuple[bytes, str]:
        """Return the bytes of the next quiet check-in and the challenge in it."""
        challenge = b64_encode(system_entropy(16))
        now_s = SystemClock().now_ms() // 1000
        said = CheckIn(
            appliance=self.appliance,
            seq=self.seq,
            iat=now_s,
            challenge=challenge,
            as_of=now_s,
            state=b64_encode(bytes(32)),
        )
        self.seq += 1
        body = sign(Kind.CHECKIN, said.to_bytes(), self.key)
        head = f"POST {PATH} HTTP/1.1\r\nhost: {host.decode()}\r\ncontent-length: {len(body)}"
        return head.encode() + HEADERS_END + body, challenge


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    answers: list[tuple[bytes, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, float | int]:
        """Return the figures that are printed."""
        ordered = sorted(self.latencies_s)
        cuts = statistics.quantiles(ordered, n=100) if len(ordered) > 1 else [0.0] * 99
        return {
            "check_ins": len(self.answers),
            "per_s": round(len(self.answers) / self.seconds, 1),
            "errors": len(self.errors),
            "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1),
        }


class Wire(asyncio.Protocol):
    """A client's end of one connection: one request at a time, read to its content-length."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        self.transport: asyncio.Transport | None = None
        self.turn = asyncio.Lock()
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Complete the waiting answer when all of it is there."""
        self._buffer += data
        head, found, body = self._buffer.partition(HEADERS_END)
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(body) >= length and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._buffer)
            self._buffer = b""

    def connection_lost(self, error: Exception | None) -> None:
        """Fail the waiting answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the hub closed the connection"))

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the whole answer, headers included."""
        if self.transport is None:
            msg = "not connected"
            raise ConnectionError(msg)
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


async def connect(port: int, context: ssl.SSLContext) -> Wire:
    """Open one TLS connection to the hub."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        Wire, "127.0.0.1", port, ssl=context, server_hostname="127.0.0.1"
    )
    return wire


async def timed(tally: Tally, wire: Wire, request: bytes, challenge: str) -> None:
    """Ask once and note how long it took, waiting for the connection's turn included."""
    began = time.perf_counter()
    try:
        async with wire.turn:
            answer = await asyncio.wait_for(wire.ask(request), ANSWER_S)
    except (OSError, TimeoutError) as error:
        tally.errors.append(repr(error))
        return
    tally.latencies_s.append(time.perf_counter() - began)
    tally.answers.append((answer, challenge))


async def saturated(wires: Sequence[Wire], boxes: Sequence[Box], host: bytes) -> Tally:
    """Let every connection check in as fast as it is answered."""
    work = [[box.next_request(host) for _ in range(ROUNDS)] for box in boxes]
    tally = Tally()

    async def one(wire: Wire, requests: list[tuple[bytes, str]]) -> None:
        for request, challenge in requests:
            await timed(tally, wire, request, challenge)

    began = time.perf_counter()
    await asyncio.gather(*(one(*pair) for pair in zip(wires, work, strict=True)))
    tally.seconds = time.perf_counter() - began
    return tally


async def paced(wires: Sequence[Wire], boxes: Sequence[Box], host: bytes) -> Tally:
    """Let the fleet check in evenly, at the rate of the bar."""
    total = PACED_PER_S * PACED_S
    order = [index % len(boxes) for index in range(total)]
    requests = [boxes[index].next_request(host) for index in order]
    tally = Tally()
    running: set[asyncio.Task[None]] = set()
    began = time.perf_counter()
    for place, (index, (request, challenge)) in enumerate(zip(order, requests, strict=True)):
        await asyncio.sleep(max(0.0, began + place / PACED_PER_S - time.perf_counter()))
        running.add(asyncio.create_task(timed(tally, wires[index], request, challenge)))
    await asyncio.gather(*running)
    tally.seconds = time.perf_counter() - began
    return tally


async def handshake_each(
    port: int, context: ssl.SSLContext, boxes: Sequence[Box], host: bytes
) -> Tally:
    """Open a new connection for every check-in."""
    chosen = [boxes[index % len(boxes)] for index in range(HANDSHAKES)]
    requests = [box.next_request(host) for box in chosen]
    tally = Tally()
    at_once = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

    async def one(request: bytes, challenge: str) -> None:
        async with at_once:
            wire = await connect(port, context)
            await timed(tally, wire, request, challenge)
            if wire.transport is not None:
                wire.transport.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(*request) for request in requests))
    tally.seconds = time.perf_counter() - began
    return tally


def verify(tally: Tally, config: configuration.Config) -> None:
    """Count every answer that is not a head, signed by the hub, for its own challenge."""
    _, root = setup.load_root(setup.Place(config.state_dir))
    trust = root.heads()
    for answer, challenge in tally.answers:
        head, _, body = answer.partition(HEADERS_END)
        if not head.startswith(b"HTTP/1.1 200 "):
            tally.errors.append(answer[:200].decode("ascii", "replace"))
            continue
        opened = open_envelope(body, kind=Kind.HEAD, trust=trust)
        if Head.from_bytes(opened.body, "head", size_bytes_max=4096).challenge != challenge:
            tally.errors.append("an answer to another request")


async def prepare(config: configuration.Config) -> list[Box]:
    """Set up a hub and enroll the fleet straight into its store, as enrollment would."""
    clock = SystemClock()
    await setup.init(config, clock=clock, entropy=system_entropy)
    store = open_store(config.store_url)
    boxes: list[Box] = []
    async with store.write() as connection:
        site = ids.new_site_id(system_entropy(ids.ENTROPY_BYTES))
        await sites.add_site(site, connection, label="bench", now_ms=clock.now_ms())
        for _ in range(FLEET):
            key = SigningKey(system_entropy(SEED_BYTES))
            made = ids.new_appliance_id(system_entropy(ids.ENTROPY_BYTES))
            await appliances.add(
                site,
                connection,
                appliance=made,
                ed25519=key.public.raw,
                x25519=key.public.raw,
                now_ms=clock.now_ms(),
            )
            boxes.append(Box(made, key))
    await store.close()
    return boxes


async def wait_until_served(port: int, hub: subprocess.Popen[bytes]) -> None:
    """Wait for the hub's port to accept."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if hub.poll() is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    msg = "the hub did not start"
    raise SystemExit(msg)


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    config: configuration.Config,
    boxes: Sequence[Box],
    port: int,
    hub: subprocess.Popen[bytes],
) -> dict[str, object]:
    """Run the three loads against a serving hub."""
    authority = (setup.Place(config.state_dir).tls / tls.CA_CERT).read_text("ascii")
    context = tls.client_context(authority)
    host = f"127.0.0.1:{port}".encode()
    wires: list[Wire] = []
    for start in range(0, FLEET, HANDSHAKES_AT_ONCE):
        wanted = boxes[start : start + HANDSHAKES_AT_ONCE]
        wires += await asyncio.gather(*(connect(port, context) for _ in wanted))
    before = cpu_s(hub)
    runs = {"saturated": await saturated(wires, boxes, host)}
    used_s = cpu_s(hub) - before
    runs["paced"] = await paced(wires, boxes, host)
    request, _ = boxes[0].next_request(host)
    answer = await wires[0].ask(request)
    for wire in wires:
        if wire.transport is not None:
            wire.transport.close()
    runs["handshake_each"] = await handshake_each(port, context, boxes, host)
    for tally in runs.values():
        verify(tally, config)
    return {
        "connections": FLEET,
        "quiet_check_in_bytes": len(request) + len(answer),
        "hub_cpu_ms_per_check_in": round(used_s * 1000 / (FLEET * ROUNDS), 3),
        **{name: tally.summary() for name, tally in runs.items()},
        "first_errors": [error for tally in runs.values() for error in tally.errors][:5],
    }


def run() -> dict[str, object]:
    """Start a hub in a directory of its own, load it, and stop it."""
    with tempfile.TemporaryDirectory(prefix="osiris-bench-") as directory:
        port = free_port()
        file = Path(directory) / "hub.toml"
        file.write_text(
            configuration.as_toml(
                origin=f"https://127.0.0.1:{port}",
                state_dir=Path(directory) / "state",
                host="127.0.0.1",
                port=port,
            ),
            "utf-8",
        )
        config = configuration.read(file)
        raise_file_limit()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            boxes = runner.run(prepare(config))
            hub = subprocess.Popen(
                [sys.executable, "-m", "central", "--config", str(file)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stderr=subprocess.DEVNULL,
            )
            try:
                runner.run(wait_until_served(port, hub))
                return runner.run(measure(config, boxes, port, hub))
            finally:
                hub.send_signal(signal.SIGTERM)
                hub.wait(timeout=30)


def main() -> int:
    """Print the figures; 1 when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    arguments = parser.parse_args()
    found = run()
    saturated_run, quiet = found["saturated"], found["quiet_check_in_bytes"]
    met = (
        isinstance(saturated_run, dict)
        and isinstance(quiet, int)
        and saturated_run["per_s"] >= BAR_PER_S
        and not found["first_errors"]
        and quiet <= QUIET_BYTES_BAR
    )
    found["met"] = met
    if arguments.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        for name, value in found.items():
            sys.stdout.write(f"{name:<22} {value}\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
