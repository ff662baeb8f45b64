"""`ports.Shell` by SSH.

What it holds to:

- The pinned host key, exactly that one, and no other algorithm is even offered: a host that shows
  another key is never sent a credential.
- The given key or the given password, once. No agent, no keys or settings of whoever runs the
  appliance, no keyboard-interactive or GSSAPI: a wrong password costs one attempt, since accounts
  are often locked at five.
- A new connection for every session. At most a bounded number at a time, and one that is being
  made to the same address.
- Each way to fail has its own `Reason`.
"""

import asyncio
import base64
import binascii
import logging
import weakref
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import asyncssh

from appliance.ports import Credential, Entropy, Login, Ran, Script, ShellError, Sudo
from appliance.shell import ssh_run
from appliance.shell.dial import dial
from appliance.shell.world_guard import WorldGuard
from proto.errors import MalformedError
from proto.findings import Reason
from proto.secret import Secret

SESSIONS_MAX: Final = 16
CONNECT_S: Final = 5
LOGIN_S: Final = 15
CLOSE_S: Final = 2
KEEPALIVE_S: Final = 15
NONCE_BYTES: Final = 8

_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")
_KEY_ALGORITHMS: Final = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": _RSA,
}
"""Kinds of host keys that may be pinned, best first, and the signatures accepted from each."""

# asyncssh reports each connection and command at INFO; what matters of them is in the findings.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


def _split_host_key(host_key: str) -> tuple[str, bytes]:
    """Return the kind of a key and its blob, having seen that the blob is of that kind."""
    kind, _, encoded = host_key.partition(" ")
    try:
        blob = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        blob = b""
    head = len(kind).to_bytes(4, "big") + kind.encode("utf-8", "replace")
    if kind not in _KEY_ALGORITHMS or not blob.startswith(head):
        msg = f"host key: not of the form 'ssh-ed25519 AAAA...': {host_key!r:.60}"
        raise MalformedError(msg)
    return kind, blob


class SshSession:
    """An open login; `ports.Session`."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, login: Login, entropy: Entropy
    ) -> None:
        """Use an open connection; whoever opened it closes it."""
        self._connection = connection
        self._login = login
        self._entropy = entropy
        self._sudo_refused: str | None = None

    async def run(self, script: Script) -> Ran:
        """Run a script; see `ports.Session.run`. Scripts on one session may run at the same time.

        A refused sudo is not tried again on this session, so that no account is locked.
        """
        sudo = self._become(script)
        if sudo is not Sudo.NONE and self._sudo_refused is not None:
            raise ShellError(Reason.SUDO_REFUSED, self._sudo_refused)
        credential = self._login.credential
        try:
            return await ssh_run.run(
                self._connection,
                script,
                sudo=sudo,
                password=credential.sudo_password or credential.password,
                nonce=self._entropy(NONCE_BYTES).hex(),
            )
        except ShellError as error:
            if error.reason is Reason.SUDO_REFUSED:
                self._sudo_refused = str(error)
            raise

    def _become(self, script: Script) -> Sudo:
        if not script.as_root or self._login.user == "root":
            return Sudo.NONE
        if self._login.sudo is Sudo.NONE:
            msg = f"the script needs root, and {self._login.user} has no sudo"
            raise ShellError(Reason.SUDO_REFUSED, msg)
        return self._login.sudo


class SshShell:
    """Logins over SSH; `ports.Shell`."""

    def __init__(
        self,
        guard: WorldGuard,
        entropy: Entropy,
        *,
        sessions_max: int = SESSIONS_MAX,
        connect_s: float = CONNECT_S,
        login_s: float = LOGIN_S,
    ) -> None:
        """Open at most `sessions_max` sessions at a time.

        Args:
            guard: asked before every connection.
            entropy: makes the marks that tell a script's output from everything else.
            sessions_max: a caller past this waits; one that holds a session and waits for another
                may wait for ever, so close the first one first.
            connect_s: how long a TCP connection may take, in seconds.
            login_s: how long the handshake and the login may take, in seconds.
        """
        self._guard = guard
        self._entropy = entropy
        self._connect_s = connect_s
        self._login_s = login_s
        self._slots = asyncio.Semaphore(sessions_max)
        self._turns: weakref.WeakValueDictionary[tuple[str, int], asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    @asynccontextmanager
    async def session(self, login: Login) -> AsyncIterator[SshSession]:
        """Open a new session; see `ports.Shell.session`."""
        self._guard.check()
        options = _login_options(login)
        turn = self._turns.setdefault((login.address, login.port), asyncio.Lock())
        async with AsyncExitStack() as stack:
            async with turn:
                await stack.enter_async_context(self._slots)
                connection = await self._connect(login, options)
            try:
                yield SshSession(connection, login, self._entropy)
            except asyncio.CancelledError:
                connection.abort()  # nothing may be awaited for long once cancelled
                raise
            finally:
                await _close(connection)

    async def host_key(self, address: str, port: int) -> str:
        """Return the key a host shows, without logging in; see `ports.Shell.host_key`."""
        self._guard.check()
        return await self._shown_key(address, port, list(_KEY_ALGORITHMS))

    async def _shown_key(self, address: str, port: int, kinds: list[str]) -> str:
        """Return the first of these kinds of keys that the host has."""
        algorithms = [name for kind in kinds for name in _KEY_ALGORITHMS[kind]]
        sock = await dial(address, port, timeout_s=self._connect_s)
        try:
            async with asyncio.timeout(self._login_s):
                key = await asyncssh.get_server_host_key(
                    sock=sock, server_host_key_algs=algorithms, config=None
                )
        except TimeoutError:
            msg = f"{address}:{port} showed no host key within {self._login_s} s"
            raise ShellError(Reason.TIMEOUT, msg) from None
        except (asyncssh.Error, OSError, ValueError) as error:
            msg = f"{address}:{port} does not speak SSH as it should: {error!s:.200}"
            raise ShellError(Reason.UNREACHABLE, msg) from error
        finally:
            sock.close()
        if key is None:
            msg = f"{address}:{port} showed no host key"
            raise ShellError(Reason.UNREACHABLE, msg)
        kind, encoded = key.export_public_key("openssh").decode("ascii").split()[:2]
        return f"{kind} {encoded}"

    async def _connect(self, login: Login, options: dict[str, Any]) -> asyncssh.SSHClientConnection:
        where = f"{login.address}:{login.port}"
        sock = await dial(login.address, login.port, timeout_s=self._connect_s)
        try:
            async with asyncio.timeout(self._login_s):
                return await asyncssh.connect(sock=sock, **options)
        except TimeoutError:
            sock.close()
            msg = f"{where}: the login was not finished within {self._login_s} s"
            raise ShellError(Reason.TIMEOUT, msg) from None
        except (asyncssh.Error, OSError, ValueError) as error:
            sock.close()
            reason = _reason_of(error)
            if isinstance(error, asyncssh.ConnectionLost) and await self._lacks_pinned(login):
                reason = Reason.HOST_KEY_CHANGED
            raise ShellError(reason, _message(where, reason, error)) from error
        except asyncio.CancelledError:
            sock.close()
            raise

    async def _lacks_pinned(self, login: Login) -> bool:
        """Tell whether a host that hung up has no key of the pinned kind, or another one.

        Only the pinned kind is ever offered at a login; a host without it just closes the
        connection, which looks like a network at fault. So it is asked, with the pinned kind first.
        """
        pinned_kind, _ = _split_host_key(login.host_key)
        kinds = sorted(_KEY_ALGORITHMS, key=lambda kind: kind != pinned_kind)
        try:
            shown = await self._shown_key(login.address, login.port, kinds)
        except ShellError:
            return False
        return shown != login.host_key


def _login_options(login: Login) -> dict[str, Any]:
    """Return asyncssh's options for this login and nothing else that it would pick up by itself.

    Raises:
        ShellError: no_credential, when there is nothing to log in with.
        MalformedError: the pinned host key is none.
    """
    kind, _ = _split_host_key(login.host_key)
    try:
        pinned = asyncssh.import_public_key(login.host_key)
    except asyncssh.KeyImportError as error:
        msg = f"host key: {error!s:.200}"
        raise MalformedError(msg) from error
    return {
        "config": None,
        "known_hosts": ([pinned], [], []),
        "server_host_key_algs": list(_KEY_ALGORITHMS[kind]),
        "x509_trusted_certs": None,
        "username": login.user,
        "agent_path": None,
        "agent_forwarding": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_auth": False,
        "gss_kex": False,
        "gss_host": None,
        "compression_algs": ["none"],
        "keepalive_interval": KEEPALIVE_S,
        "login_timeout": 0,
        **_credential_options(login.credential, login.user),
    }


def _credential_options(credential: Credential, user: str) -> dict[str, Any]:
    if credential.private_key is not None:
        key = _private_key(credential.private_key, user)
        return {"client_keys": [key], "password": None, "preferred_auth": ("publickey",)}
    if credential.password is not None:
        password = credential.password.reveal()
        return {"client_keys": None, "password": password, "preferred_auth": ("password",)}
    msg = f"no key and no password for {user}"
    raise ShellError(Reason.NO_CREDENTIAL, msg)


def _private_key(private_key: Secret, user: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(private_key.reveal())
    except (asyncssh.KeyImportError, ValueError):
        # The cause may quote the key, so it is not chained.
        msg = f"the private key for {user} cannot be read: no OpenSSH key, or with a passphrase"
        raise ShellError(Reason.NO_CREDENTIAL, msg) from None


def _reason_of(error: Exception) -> Reason:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return Reason.HOST_KEY_CHANGED
    if isinstance(error, asyncssh.PermissionDenied):
        return Reason.AUTH_REFUSED
    if getattr(error, "code", None) == asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE:
        return Reason.AUTH_REFUSED
    return Reason.UNREACHABLE


def _message(where: str, reason: Reason, error: Exception) -> str:
    match reason:
        case Reason.HOST_KEY_CHANGED:
            return f"{where} shows another host key than the pinned one; nothing was sent to it"
        case Reason.AUTH_REFUSED:
            return f"{where} refused the login"
        case _:
            return f"{where}: the SSH connection failed: {error!s:.200}"


async def _close(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    try:
        async with asyncio.timeout(CLOSE_S):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
