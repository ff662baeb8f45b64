"""The signer as the hub's child: started before the hub serves, and ended with it."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from central.config import Config
from central.signer_link import SignerLink
from proto.errors import ConfigError, UnreachableError

MODULE: Final = "central.signer"
READY_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.02
END_WITHIN_S: Final = 5.0
_OURS: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})


@dataclass(frozen=True, slots=True)
class SignerChild:
    """The child, or None where the signer is a service of its own."""

    process: asyncio.subprocess.Process | None

    @property
    def pid(self) -> int | None:
        """The child's process; None where the signer is a service of its own."""
        return None if self.process is None else self.process.pid

    async def until_it_answers(self, link: SignerLink) -> None:
        """Wait until the signer answers.

        Raises:
            ConfigError: it ended because something that was written is wrong; it has said what.
            UnreachableError: it ended otherwise, or did not answer within a minute.
        """
        end_s = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                await link.answers()
            except UnreachableError:
                self._require_running()
                if time.monotonic() >= end_s:
                    raise
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return

    def _require_running(self) -> None:
        status = None if self.process is None else self.process.returncode
        if status is None:
            return
        msg = f"the signer ended with status {status}: it says why"
        raise (ConfigError if status == ConfigError.exit_status else UnreachableError)(msg)

    async def watch(self, stop: asyncio.Event) -> None:
        """Return when the child has ended, or when `stop` is set."""
        ended: list[asyncio.Future[object]] = [asyncio.ensure_future(stop.wait())]
        if self.process is not None:
            ended.append(asyncio.ensure_future(self.process.wait()))
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.cancel()


@asynccontextmanager
async def signer_child(config: Config) -> AsyncIterator[SignerChild]:
    """Run the signer as a child until the block ends, unless it is a service of its own.

    Its standard input is a pipe of ours: however this process ends, the child sees it.
    """
    if not config.file.signer.embedded:
        yield SignerChild(None)
        return
    command = [sys.executable, "-m", MODULE, "--state-dir", str(config.state_dir), "--with-parent"]
    if not config.file.log_json:
        command.append("--plain-log")
    # What the service manager hears of this service, this process says alone.
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, env=environment
    )
    try:
        yield SignerChild(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
