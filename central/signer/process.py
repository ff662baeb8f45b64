"""The signer's process: keys from their files, one socket, questions in turn."""

import asyncio
import contextlib
import sys
from functools import partial
from pathlib import Path

from central.core import signer_place
from central.core.signer_talk import FRAME_BYTES_MAX, LENGTH_BYTES
from central.signer.fresh import Repository
from central.signer.keys import load_keys
from central.signer.ledger import Ledger
from central.signer.signer import Signer
from central.signer.trust import OwnTrust
from proto.errors import ConfigError
from proto.trust_root import TrustRoot, fingerprint, open_first
from runtime import notify, sqlite
from runtime.clock import SystemClock, system_entropy
from runtime.log import Log, logger
from runtime.private import make_private
from runtime.service_lock import ServiceLock
from runtime.supervisor import stop_on_signals, supervise
from runtime.unix_socket import listen_unix

CONNECTIONS_MAX = 16


def root_in(state_dir: Path) -> TrustRoot:
    """Return the hub's trust root: its address, and the pin of its content repository.

    Raises:
        ConfigError: no hub is set up here.
    """
    path = state_dir / "trust" / "root.json"
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}; run `osiris hub init`"
        raise ConfigError(msg) from error
    return open_first(raw, pinned=fingerprint(raw))


def open_signer(state_dir: Path) -> Signer:
    """Return the signer over its files.

    Raises:
        ConfigError: the hub is not set up.
        IntegrityError: its file is a newer signer's.
    """
    root = root_in(state_dir)
    connection = sqlite.plain(state_dir / signer_place.LEDGER, read_only=False)
    return Signer(
        load_keys(state_dir),
        Ledger(connection),
        hub_origin=root.hub_origin,
        trust=OwnTrust(state_dir, pinned=root.content_root),
        repository=Repository.of(state_dir, pinned=root.content_root),
        clock=SystemClock(),
        entropy=system_entropy,
    )


async def serve(signer: Signer, path: Path, *, stop: asyncio.Event, log: Log) -> None:
    """Answer on the socket until `stop` is set."""
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(talking) >= CONNECTIONS_MAX:
            writer.close()
            return
        talking.add(task)
        try:
            await _talk(signer, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            talking.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(
        talk, sock=listen_unix(path), limit=FRAME_BYTES_MAX + LENGTH_BYTES
    )
    log.info("signer_serving")
    notify.ready("signing")
    await stop.wait()
    server.close()
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)


async def _talk(signer: Signer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        if not 0 < length <= FRAME_BYTES_MAX:
            return
        answer = signer.answer(await reader.readexactly(length))
        writer.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        await writer.drain()


async def _with_parent(stop: asyncio.Event) -> None:
    """End when the process that started this one does: its end of our standard input closes."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        partial(asyncio.StreamReaderProtocol, reader), sys.stdin
    )
    ended = asyncio.ensure_future(reader.read())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    for one in (ended, stopped):
        one.cancel()
    transport.close()


async def run(state_dir: Path, *, with_parent: bool) -> int:
    """Serve until a signal comes, or the parent ends; return the exit status."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    log = logger("signer")
    signer = open_signer(state_dir)
    path = state_dir / signer_place.SOCKET
    tasks = {"serve": partial(serve, signer, path, stop=stop, log=log)}
    if with_parent:
        tasks["parent"] = partial(_with_parent, stop)
    return await supervise(tasks, log=log, stop=stop)


def run_forever(state_dir: Path, *, with_parent: bool) -> int:
    """Hold the signer's own lock and serve; return the exit status.

    Raises:
        ConfigError: the hub is not set up.
        ConflictError: another signer serves this state directory, and does not end.
    """
    directory = state_dir / signer_place.DIRECTORY
    make_private(directory, key="state_dir")
    with contextlib.ExitStack() as stack:
        # Not as a daemon: one that is about to end with its parent is waited for.
        stack.enter_context(ServiceLock(directory))
        return asyncio.run(run(state_dir, with_parent=with_parent))
