"""A collector between an appliance and its hub: it ends TLS as the hub and keeps every byte.

What was recorded is searched layer by layer: as it came, with JSON's escapes undone, and with every
run of base64 decoded, again and again. It shares no code with the product's own last look.
"""

import asyncio
import base64
import binascii
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

DEPTH = 6
_RUN = re.compile(rb"[A-Za-z0-9+/]{12,}={0,2}")
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")


@dataclass
class Collector:
    """Listens on `port` with the hub's certificate and passes everything on to `hub_port`."""

    port: int
    hub_port: int
    certificate: Path
    key: Path
    recorded: bytearray = field(default_factory=bytearray)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen, on a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        start = asyncio.start_server(self._relay, "127.0.0.1", self.port, ssl=context)
        server = self._loop.run_until_complete(start)
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.1))
        self._loop.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            up, down = await asyncio.open_connection("127.0.0.1", self.hub_port, ssl=context)
        except OSError:
            writer.close()
            return
        back = asyncio.ensure_future(_pump(up, writer, bytearray()))
        await _pump(reader, down, self.recorded)
        await back


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, record: bytearray
) -> None:
    try:
        while data := await source.read(65536):
            record += data
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


def layers(data: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """Yield bytes as they are, unescaped, and whatever base64 in them decodes to."""
    yield data
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data)
    plain = plain.replace(b'\\"', b'"').replace(b"\\n", b"\n").replace(b"\\\\", b"\\")
    if plain != data:
        yield plain
    if depth == 0:
        return
    for match in _RUN.finditer(plain):
        run = match[0].rstrip(b"=")
        try:
            inner = base64.b64decode(run + b"=" * (-len(run) % 4))
        except binascii.Error:
            continue
        if sum(32 <= byte < 127 for byte in inner) * 4 > len(inner) * 3:  # digests lead nowhere
            yield from layers(inner, depth - 1)


def seen_in(data: bytes, words: tuple[str, ...]) -> set[str]:
    """Return which words stand anywhere in recorded bytes, whatever their case."""
    wanted = [(word, word.lower().encode()) for word in words]
    return {word for layer in layers(data) for word, raw in wanted if raw in layer.lower()}
