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

from tests.fakes import tcp

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
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen, on a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(ready),), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and break off what is open."""
        assert self._thread is not None
        self._ended.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _serve(self, ready: threading.Event) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        async with tcp.serving(self._relay, tls=context, port=self.port):
            ready.set()
            await asyncio.to_thread(self._ended.wait)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        up, down = await asyncio.open_connection("127.0.0.1", self.hub_port, ssl=context)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(up, writer, bytearray()))
                both.create_task(_pump(reader, down, self.recorded))
        finally:
            down.transport.abort()


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
        tcp.close(sink)


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
