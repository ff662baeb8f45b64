"""`ports.Shell` in memory: hosts that answer scripts from a table, with failures on demand.

No script is run. A host answers by its `behaviour`, a function from the script (and its variables,
as a shell would see them) to what it prints; `Table` makes one from patterns. Time passes only by
`asyncio.sleep`, so that a virtual clock owns it.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from appliance.ports import Credential, Login, NotSentError, Ran, Script, ShellError, Sudo
from appliance.shell import ssh_script
from proto.errors import MalformedError
from proto.findings import Reason
from proto.secret import Secret

Variables = Mapping[str, str]
"""A script's variables as a shell sees them: text, "true" and "false", decimal integers."""


class Behaviour(Protocol):
    """What a host does with a script."""

    def __call__(self, script: Script, variables: Variables, /) -> Ran:
        """Return what the script prints; may change the host's state."""
        ...


def ran(stdout: str | bytes = b"", *, status: int = 0, stderr: bytes = b"") -> Ran:
    """Make a `Ran`, cut to the limits that the port promises."""
    out = stdout.encode() if isinstance(stdout, str) else stdout
    limits = (ssh_script.STDOUT_BYTES_MAX, ssh_script.STDERR_BYTES_MAX)
    return Ran(exit_status=status, stdout=out[: limits[0]], stderr_head=stderr[: limits[1]])


class Table:
    """A behaviour made of (pattern, answer); the first pattern found in a script answers it."""

    def __init__(self, *rows: tuple[str, Ran | Callable[[re.Match[str], Variables], Ran]]) -> None:
        """Take the rows in their order; a script that none matches ends with status 127."""
        self._rows = [(re.compile(pattern, re.DOTALL), answer) for pattern, answer in rows]

    def __call__(self, script: Script, variables: Variables, /) -> Ran:
        """Answer a script."""
        for pattern, answer in self._rows:
            if found := pattern.search(script.text):
                return answer if isinstance(answer, Ran) else answer(found, variables)
        return ran(status=127, stderr=b"no such answer")


@dataclass
class FakeHost:
    """A host in memory.

    Attributes:
        behaviour: answers its scripts.
        host_key: the key it shows.
        users: name -> the credential that opens it (its `sudo_password` is what sudo expects).
        sudo: name -> what sudo asks of this user; users that are not in it have none.
        is_up: False and nobody answers.
        takes_s: how long a script takes.
        login_failures: raised by the next logins, in order.
        run_failures: raised by the next runs, in order, after the script has had its effect if
            `fails_after` is set: a connection that drops before or after the work was done.
        ran: every script that was carried out, in order.
    """

    behaviour: Behaviour
    host_key: str
    users: dict[str, Credential]
    sudo: dict[str, Sudo] = field(default_factory=dict)
    is_up: bool = True
    takes_s: Callable[[Script], float] = lambda _: 0
    login_failures: deque[ShellError] = field(default_factory=deque)
    run_failures: deque[ShellError] = field(default_factory=deque)
    fails_after: bool = False
    ran: list[Script] = field(default_factory=list)
    logins: int = 0
    sudo_attempts: int = 0


class FakeSession:
    """An open login on a `FakeHost`; `ports.Session`."""

    def __init__(self, host: FakeHost, login: Login) -> None:
        """Stand for a login that succeeded."""
        self._host = host
        self._login = login
        self._sudo_refused = False
        self.is_open = True

    async def run(self, script: Script) -> Ran:
        """Answer a script; see `ports.Session.run`."""
        ssh_script.program(script)
        ssh_script.command(sudo=Sudo.NONE, timeout_s=script.timeout_s, nonce="")
        if not self.is_open:
            raise NotSentError(Reason.UNREACHABLE, "the session is closed")
        self._become(script)
        host = self._host
        takes_s = host.takes_s(script)
        if takes_s >= script.timeout_s:
            await asyncio.sleep(script.timeout_s)
            raise ShellError(Reason.TIMEOUT, f"the script was ended after {script.timeout_s} s")
        await asyncio.sleep(takes_s)
        if not host.is_up:
            raise ShellError(Reason.UNREACHABLE, "the connection was lost while the script ran")
        if host.run_failures and not host.fails_after:
            raise host.run_failures.popleft()
        host.ran.append(script)
        answer = host.behaviour(script, seen_by_shell(script))
        if host.run_failures:
            raise host.run_failures.popleft()
        return answer

    def _become(self, script: Script) -> None:
        user = self._login.user
        if not script.as_root or user == "root":
            return
        needs = self._host.sudo.get(user, Sudo.NONE)
        wanted = self._login.sudo
        if Sudo.NONE in (needs, wanted) or self._sudo_refused:
            raise ShellError(Reason.SUDO_REFUSED, f"{user} has no sudo")
        if wanted is Sudo.ASK:
            self._check_password(user)
        elif needs is Sudo.ASK:
            self._sudo_refused = True
            raise ShellError(Reason.SUDO_REFUSED, "sudo: a password is required")

    def _check_password(self, user: str) -> None:
        given = self._login.credential.sudo_password or self._login.credential.password
        if given is None:
            raise ShellError(Reason.NO_CREDENTIAL, "sudo asks for a password")
        self._host.sudo_attempts += 1
        if given != self._host.users[user].sudo_password:
            self._sudo_refused = True
            raise ShellError(Reason.SUDO_REFUSED, "sudo refused the password")


def seen_by_shell(script: Script) -> Variables:
    """Return a script's variables as text, as the port promises to hand them over."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in script.variables.items()
    }


class FakeShell:
    """Logins on hosts in memory; `ports.Shell`."""

    def __init__(
        self, hosts: Mapping[tuple[str, int], FakeHost], *, sessions_max: int = 16
    ) -> None:
        """Know hosts by (address, port); every other address is silent."""
        self._hosts = hosts
        self._slots = asyncio.Semaphore(sessions_max)
        self.open_sessions = 0
        self.open_sessions_max = 0

    @asynccontextmanager
    async def session(self, login: Login) -> AsyncIterator[FakeSession]:
        """Log in; see `ports.Shell.session`."""
        _require_key(login.host_key)
        credential = login.credential
        if credential.private_key is None and credential.password is None:
            raise ShellError(Reason.NO_CREDENTIAL, f"no key and no password for {login.user}")
        async with self._slots:
            host = self._host(login.address, login.port)
            self._log_in(host, login)
            session = FakeSession(host, login)
            self.open_sessions += 1
            self.open_sessions_max = max(self.open_sessions, self.open_sessions_max)
            try:
                yield session
            finally:
                session.is_open = False
                self.open_sessions -= 1

    async def host_key(self, address: str, port: int) -> str:
        """Return a host's key; see `ports.Shell.host_key`."""
        return self._host(address, port).host_key

    def _host(self, address: str, port: int) -> FakeHost:
        host = self._hosts.get((address, port))
        if host is None or not host.is_up:
            raise ShellError(Reason.UNREACHABLE, f"{address}:{port} did not answer")
        return host

    def _log_in(self, host: FakeHost, login: Login) -> None:
        if host.login_failures:
            raise host.login_failures.popleft()
        if host.host_key != login.host_key:
            raise ShellError(Reason.HOST_KEY_CHANGED, f"{login.address} shows another host key")
        host.logins += 1
        expected = host.users.get(login.user)
        given = login.credential
        if expected is None or not _opens(given, expected):
            raise ShellError(Reason.AUTH_REFUSED, f"{login.address} refused the login")


def _opens(given: Credential, expected: Credential) -> bool:
    if given.private_key is not None:
        return given.private_key == expected.private_key
    return given.password is not None and given.password == expected.password


def _require_key(host_key: str) -> None:
    kind, _, encoded = host_key.partition(" ")
    if not kind.startswith(("ssh-", "ecdsa-")) or not encoded.startswith("AAAA"):
        msg = f"host key: not of the form 'ssh-ed25519 AAAA...': {host_key!r:.60}"
        raise MalformedError(msg)


def credential(
    *, key: str | None = None, password: str | None = None, sudo_password: str | None = None
) -> Credential:
    """Make a credential out of plain text."""
    return Credential(
        private_key=Secret(key) if key is not None else None,
        password=Secret(password) if password is not None else None,
        sudo_password=Secret(sudo_password) if sudo_password is not None else None,
    )
