"""One script on one open connection: the conversation on its channel, and what its end means."""

import asyncio
import signal
from typing import Final

import asyncssh

from appliance.ports import NotSentError, Ran, Script, ShellError, Sudo
from appliance.shell.ssh_script import (
    KILL_AFTER_S,
    STDERR_BYTES_MAX,
    STDOUT_BYTES_MAX,
    Stream,
    ask_mark,
    begun_mark,
    command,
    program,
)
from proto.findings import Reason
from proto.secret import Secret

BEGIN_S: Final = 15
"""How long opening a channel and becoming root may take; sudo needs 2 s to refuse a password."""

SLACK_S: Final = 5
"""How much later than the remote deadline the local one falls."""

LINGER_S: Final = 1
"""How long output is awaited after the end: a service that was started may hold the pipe open."""

WINDOW_BYTES: Final = 128 * 1024
_STATUS_TIMED_OUT: Final = frozenset({124, 128 + signal.SIGTERM, 128 + signal.SIGKILL})


class _Channel(asyncssh.SSHClientSession[bytes]):
    """Gathers what a run prints and tells whoever waits that something has changed."""

    def __init__(self, nonce: str) -> None:
        self.stdout = Stream(begun_mark(nonce), limit=STDOUT_BYTES_MAX)
        self.stderr = Stream(begun_mark(nonce), limit=STDERR_BYTES_MAX)
        self.status: int | None = None
        self.closed = False
        self._ask = ask_mark(nonce)
        self._changed = asyncio.Event()

    @property
    def asked(self) -> int:
        """How many times sudo has asked for a password."""
        return self.stderr.before.count(self._ask)

    @property
    def begun(self) -> bool:
        """Whether our own shell runs, and so whoever could refuse has not."""
        return self.stderr.begun

    @property
    def ended(self) -> bool:
        """Whether the remote command is over or will never be heard of again."""
        return self.status is not None or self.closed

    def without_prompts(self) -> bytes:
        """Return what was said on stderr before our shell, or instead of it."""
        return bytes(self.stderr.before).replace(self._ask, b"")

    async def change(self) -> None:
        """Return after the next change."""
        self._changed.clear()
        await self._changed.wait()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        stream = self.stderr if datatype == asyncssh.EXTENDED_DATA_STDERR else self.stdout
        stream.feed(data)
        self._changed.set()

    def eof_received(self) -> bool:
        return True  # a script may close its output and go on; stdin must stay open

    def exit_status_received(self, status: int) -> None:
        self.status = status
        self._changed.set()

    def exit_signal_received(self, signal: str, *_: object) -> None:
        self.status = 128 + _signal_number(signal)
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
        self.closed = True
        self._changed.set()


async def run(
    connection: asyncssh.SSHClientConnection,
    script: Script,
    *,
    sudo: Sudo,
    password: Secret | None,
    nonce: str,
) -> Ran:
    """Run a script as root by `sudo`, or as the login itself with `Sudo.NONE`.

    However this ends (also by cancellation), the channel is closed, and with it the remote process.

    Raises:
        ShellError: sudo_refused, no_credential (for sudo), auth_refused (the login has no usable
            shell), timeout or unreachable.
        NotSentError: no channel was opened.
        MalformedError: the script or its variables cannot be sent.
    """
    text = program(script)
    line = command(sudo=sudo, timeout_s=script.timeout_s, nonce=nonce)
    channel, seen = await _open(connection, line, nonce)
    try:
        if sudo is Sudo.ASK:
            await _give_password(channel, seen, password)
        started = asyncio.get_running_loop().time()
        if not channel.is_closing():
            channel.write(text)
        await _until_ended(seen, script.timeout_s + KILL_AFTER_S + SLACK_S)
        took_s = asyncio.get_running_loop().time() - started
        return _judge(seen, script, sudo=sudo, took_s=took_s)
    finally:
        # Closing ends stdin, the lifeline; abort does not wait for what was not yet written.
        channel.abort()


async def _open(
    connection: asyncssh.SSHClientConnection, line: str, nonce: str
) -> tuple[asyncssh.SSHClientChannel[bytes], _Channel]:
    seen = _Channel(nonce)
    try:
        async with asyncio.timeout(BEGIN_S):
            channel, _ = await connection.create_session(
                lambda: seen, line, encoding=None, window=WINDOW_BYTES, request_pty=False
            )
            return channel, seen
    except TimeoutError:
        msg = f"the host opened no channel within {BEGIN_S} s"
        raise NotSentError(Reason.TIMEOUT, msg) from None
    except asyncssh.ChannelOpenError as error:
        if not connection.is_closed():
            msg = f"the host refused a channel: {error.reason:.200}"
            raise NotSentError(Reason.AUTH_REFUSED, msg) from error
        msg = "the connection was lost before the script was sent"
        raise NotSentError(Reason.UNREACHABLE, msg) from error
    except (asyncssh.Error, OSError) as error:
        msg = f"the connection was lost before the script was sent: {error!s:.99}"
        raise NotSentError(Reason.UNREACHABLE, msg) from error


async def _give_password(
    channel: asyncssh.SSHClientChannel[bytes], seen: _Channel, password: Secret | None
) -> None:
    """Answer sudo's prompt once; a second prompt means that the password is wrong.

    Returns as soon as the script may be sent, or when there is nobody left to send it to.
    """
    if password is None:
        msg = "sudo asks for a password and the credential holds none"
        raise ShellError(Reason.NO_CREDENTIAL, msg)
    try:
        async with asyncio.timeout(BEGIN_S):
            while not (seen.asked or seen.begun or seen.ended):
                await seen.change()
            if not seen.asked or seen.ended:
                return
            channel.write(password.reveal_bytes() + b"\n")
            while seen.asked == 1 and not (seen.begun or seen.ended):
                await seen.change()
    except TimeoutError:
        msg = f"sudo neither let the login in nor refused it within {BEGIN_S} s"
        raise ShellError(Reason.SUDO_REFUSED, msg) from None
    if seen.asked > 1 and not seen.begun:
        msg = "sudo refused the password"
        raise ShellError(Reason.SUDO_REFUSED, msg)


async def _until_ended(seen: _Channel, limit_s: float) -> None:
    """Wait for the end and then, shortly, for what was printed before it."""
    try:
        async with asyncio.timeout(limit_s):
            while not seen.ended:
                await seen.change()
    except TimeoutError:
        msg = "the script did not end, and its end could not be seen"
        raise ShellError(Reason.TIMEOUT, msg) from None
    try:
        async with asyncio.timeout(LINGER_S):
            while not seen.closed:
                await seen.change()
    except TimeoutError:
        return


def _judge(seen: _Channel, script: Script, *, sudo: Sudo, took_s: float) -> Ran:
    """Say what an end means: an answer, a refusal, a deadline or a lost connection."""
    if seen.status is None:
        msg = "the connection was lost while the script ran"
        raise ShellError(Reason.UNREACHABLE, msg)
    if not seen.begun:
        said = _last_line(seen)
        if sudo is Sudo.NONE:
            msg = f"the login has no usable shell (status {seen.status}): {said}"
            raise ShellError(Reason.AUTH_REFUSED, msg)
        msg = f"sudo refused (status {seen.status}): {said}"
        raise ShellError(Reason.SUDO_REFUSED, msg)
    if seen.status in _STATUS_TIMED_OUT and took_s >= script.timeout_s:
        msg = f"the script was ended after {script.timeout_s} s"
        raise ShellError(Reason.TIMEOUT, msg)
    return Ran(
        exit_status=seen.status,
        stdout=bytes(seen.stdout.kept),
        stderr_head=bytes(seen.stderr.kept),
    )


def _last_line(seen: _Channel) -> str:
    """Return the last line that was said before the end, printable and short."""
    said = seen.without_prompts().decode("utf-8", "replace").strip() or "it said nothing"
    last = said.splitlines()[-1]
    return "".join(char if char.isprintable() else "?" for char in last)[:200]


def _signal_number(name: str) -> int:
    try:
        return int(signal.Signals[f"SIG{name}"])
    except KeyError:
        return 127
