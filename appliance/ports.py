"""The complete list of outside things the appliance uses, as protocols.

`appliance/shell` makes them real, `tests/fakes` stands in for them, and both pass the same contract
tests. Nothing else in the appliance reaches outside its own store.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, Protocol, TypeVar

from appliance.core.keeping import Keeping
from appliance.core.trusted import SignedSet
from appliance.core.wheel import Wheel
from appliance.handover import Program, Record
from proto.errors import ConfigError, IntegrityError, RejectedError, TargetError
from proto.findings import Reason, Scalar
from proto.hub.outgoing import Outgoing
from proto.ids import TargetId
from proto.keys import PublicKey, SealingKey, SealingPublicKey, SigningKey
from proto.phi.sentry import Alarm
from proto.release_keys import Life
from proto.secret import Secret
from runtime.clock import Clock, Entropy

__all__ = ["Clock", "Entropy"]


class Sudo(StrEnum):
    """How a login becomes root."""

    NONE = "none"
    NOPASSWD = "nopasswd"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Credential:
    """What opens a login: a private key (OpenSSH PEM) or a password; and sudo's password.

    For `Sudo.ASK` without a `sudo_password` the login's own password is used.
    """

    private_key: Secret | None
    password: Secret | None
    sudo_password: Secret | None


@dataclass(frozen=True, slots=True)
class Login:
    """How a target is reached.

    Attributes:
        host_key: the pinned host key, `ssh-ed25519 AAAA...`; a host that shows another is refused.
    """

    target: TargetId
    address: str
    port: int
    user: str
    host_key: str
    sudo: Sudo
    credential: Credential


@dataclass(frozen=True, slots=True)
class Script:
    """A shell script for `sh -s`; variables arrive as quoted assignments, never as text in it."""

    text: str
    variables: Mapping[str, Scalar]
    as_root: bool
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script printed. `stdout` is cut at 64 KiB + 1: too much is seen as too much."""

    exit_status: int
    stdout: bytes
    stderr_head: bytes


class ShellError(TargetError):
    """A target was not reached, refused the login, or did not finish in time."""

    code = "shell"

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the reason that a finding will carry."""
        super().__init__(message)
        self.reason = reason


class NotSentError(ShellError):
    """The script was not sent: nothing of it can have run."""

    code = "not_sent"


class Session(Protocol):
    """An open login on one target."""

    async def run(self, script: Script) -> Ran:
        """Run a script; past its timeout the remote process is ended too.

        Raises:
            ShellError: with reason sudo_refused, no_credential (sudo asks and there is no
                password), auth_refused (the login has no usable shell), timeout or unreachable.
            NotSentError: the session was lost, or lets nothing more run, before it was sent.
            MalformedError: a variable's name is not `[a-z_][a-z0-9_]*`, or its value or the
                script cannot be sent (NUL, too large, a timeout not of 1 to 3600 s).
        """
        ...


class Shell(Protocol):
    """Logins on targets, at most a bounded number at a time."""

    def session(self, login: Login) -> AbstractAsyncContextManager[Session]:
        """Open a new session, never a shared one: a verify must not see the repair's session.

        Raises:
            ShellError: with reason unreachable, host_key_changed, auth_refused, no_credential or
                timeout, on entering.
            MalformedError: the pinned host key is none.
            IntegrityError: the appliance is outside the world it was given.
        """
        ...

    async def host_key(self, address: str, port: int) -> str:
        """Return the key a host shows, `ssh-ed25519 AAAA...`, without logging in.

        Raises:
            ShellError: with reason unreachable or timeout.
        """
        ...


@dataclass(frozen=True, slots=True)
class SeenHost:
    """A host that answered a sweep. `mac` is lower case with colons, "" when not on this link."""

    address: str
    mac: str
    vendor: str
    name: str


@dataclass(frozen=True, slots=True)
class SeenPorts:
    """Which TCP ports of a host accept connections; of a port not in `asked` nothing is known."""

    address: str
    asked: tuple[int, ...]
    open: tuple[int, ...]


class Scanner(Protocol):
    """Looking at the network, gently."""

    async def sweep(self, networks: Sequence[str]) -> list[SeenHost]:
        """Say which hosts of these IPv4 networks (CIDR) answer; nothing is connected to.

        Raises:
            ConfigError: no IPv4 network of at most a /16.
            UnreachableError: the scanner could not run.
            MalformedError: what it printed is not what it should print.
            IntegrityError: the appliance is outside the world it was given.
        """
        ...

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Connect to at most 20 TCP ports of each address; the same errors as `sweep`.

        A host that was given up on half-way has fewer ports in `asked`, or is left out.
        """
        ...


NO_TLS: Mapping[str, Scalar] = MappingProxyType(
    {
        "listening": False,
        "present": False,
        "version": "none",
        "legacy": False,
        "days_left": 0,
        "self_signed": False,
        "key_type": "none",
        "key_bits": 0,
        "key_ok": False,
        "sig_ok": False,
    }
)
"""What `TlsProbe.look` answers of a port where nothing listens; every answer has these fields."""


class TlsProbe(Protocol):
    """Looking at the TLS service of a port. Never for a device that must not be touched."""

    async def look(self, address: str, port: int, *, now_ms: int) -> Mapping[str, Scalar]:
        """Greet a port and return the fields of an answer.

        | field | type | means |
        |---|---|---|
        | `listening` | bool | something accepted a connection |
        | `present` | bool | it speaks TLS; all below is false, 0 or "none" otherwise |
        | `version` | enum | best version agreed: none TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 |
        | `legacy` | bool | it also agrees to TLS 1.0 or 1.1 |
        | `days_left` | int | whole days until the certificate expires, negative after |
        | `self_signed` | bool | the certificate's issuer is its subject |
        | `key_type` | enum | none rsa ec ed25519 other |
        | `key_bits` | int | size of the public key |
        | `key_ok` | bool | RSA of at least 2048 bits, or a curve of at least 256 |
        | `sig_ok` | bool | not signed over MD5 or SHA-1 |

        Raises:
            ShellError: unreachable, timeout, probe_failed (TLS, but no handshake) or bad_answer
                (its certificate cannot be read).
        """
        ...


class HeldBackError(IntegrityError):
    """A message with something in it that must not leave: not one byte of it was sent."""

    code = "held_back"

    def __init__(self, path: str, body: bytes, alarms: tuple[Alarm, ...]) -> None:
        """Keep what was to be sent, and what was seen in it."""
        forms = ", ".join(sorted({alarm.form for alarm in alarms}))
        super().__init__(f"{path}: held back at the door: {forms}")
        self.path = path
        self.body = body
        self.alarms = alarms


class HubRefusedError(RejectedError):
    """The hub refused a message; `said` is the code that it gave, "" where it gave none."""

    def __init__(self, message: str, *, said: str) -> None:
        """Keep the hub's code."""
        super().__init__(message)
        self.said = said


class HubTransport(Protocol):
    """The one door to the hub: messages out, the bytes of answers back."""

    async def send(self, message: Outgoing, /) -> bytes:
        """Make a message into bytes, look at them once more, send them, and return the answer.

        Raises:
            HeldBackError: the last look saw something that must not leave.
            UnreachableError: no answer, or 429 and 5xx, with the wait the hub asked for.
            RejectedError: any other answer but 200; `HubRefusedError` with the hub's own code.
        """
        ...


class Repository(Protocol):
    """Signed content: the set that is held here, and where a newer one is offered."""

    def kept(self) -> SignedSet | None:
        """Return the set that is held, None before the first.

        Raises:
            DamagedError: it is not what was written.
        """
        ...

    def newest_root(self) -> Life | None:
        """Return version and life of the newest root that was verified, None before the first.

        What is behind it may have been refused: then no set that is held names it.

        Raises:
            RejectedError: what is kept of it is no root.
            DamagedError: it cannot be read.
        """
        ...

    async def look(self, held: SignedSet | None, *, runs: str, now_s: int) -> SignedSet | None:
        """Return what the hub offers, verified whole; None when that is nothing new.

        `runs` is the digest of the content that the site runs now.

        Raises:
            ContentRefusedError: it is refused; the class says as which attack.
            UnreachableError: the hub does not answer.
        """
        ...

    async def carried(self, held: SignedSet | None, *, runs: str, now_s: int) -> SignedSet:
        """Return what a file holds that a person carried in: the same verification.

        Raises:
            ContentRefusedError: it is refused, or there is no such file.
        """
        ...

    async def target(self, path: str, digest: str, *, size_bytes_max: int) -> bytes:
        """Return a file that the held set lists by this hex SHA-256, which is what it has.

        Raises:
            ContentRefusedError: it is not given, is too large, or is another file.
            UnreachableError: the hub does not answer.
        """
        ...

    async def keep(self, new: SignedSet) -> None:
        """Hold a set from now on, durably: at any moment the old one is there, or this one."""
        ...


class Programs(Protocol):
    """The appliance's own program: what runs, and what may take its place."""

    @property
    def running(self) -> Program:
        """The program that runs."""
        ...

    @property
    def packaged(self) -> Program:
        """The program that was installed by hand, whatever runs beside it."""
        ...

    def sentence(self) -> str:
        """Say for people whose word put the running program here."""
        ...

    async def record(self) -> Record | None:
        """Return what was handed over last; None for nothing, or where that cannot be read."""
        ...

    def turn(self) -> AbstractAsyncContextManager[object]:
        """Be the only one that changes what runs."""
        ...

    async def fetch(self, path: str, digest: str) -> bytes:
        """Return a released file; see `Repository.target`."""
        ...

    def unmet(self, wheel: Wheel) -> str | None:
        """Return what a program needs and is not installed here; None when nothing is."""
        ...

    async def keep(self, wheel: Wheel) -> Program:
        """Put a program beside the one that runs, durably; raises `NoRoomError`."""
        ...

    async def try_out(self, program: Program) -> None:
        """Let a kept program open a copy of the store and of the configuration.

        Raises:
            ProgramRefusedError: it failed, said another version, or took too long.
            NoRoomError: the disk has no room for the copy.
        """
        ...

    async def drop(self, program: Program) -> None:
        """Take a kept program away again."""
        ...

    async def hand_over(self, program: Program, *, order: str, at_s: int) -> None:
        """Note durably that the next start tries a kept program; raises `NoRoomError`."""
        ...

    async def former(self, *, to_packaged: bool) -> Program:
        """Return the program before this one, or the packaged one, if it can run here again.

        Raises:
            ConflictError: that one runs already, is not whole, or the store is too new for it.
        """
        ...

    async def go_back(self, former: Program, *, note: str, at_s: int) -> None:
        """Note durably that the next start runs an earlier program again."""
        ...


class Sealer(Protocol):
    """Secrets at rest: only this appliance's key opens what it sealed."""

    def seal(self, secret: Secret, *, context: str) -> bytes:
        """Return sealed bytes bound to `context` (whose secret, of which kind)."""
        ...

    def open(self, sealed: bytes, *, context: str) -> Secret:
        """Return the secret.

        Raises:
            IntegrityError: other bytes, another key, or another context.
        """
        ...


class TpmError(ConfigError):
    """A TPM could not be used, or did not open what it was given; the message says why."""

    code = "tpm"


class Tpm(Protocol):
    """Short secrets, sealed so that only this machine's TPM opens them."""

    def seal(self, secret: Secret, *, name: str) -> bytes:
        """Return sealed bytes that open under `name` alone; each time others.

        Raises:
            TpmError: it cannot be used, or does not answer in time.
        """
        ...

    def unseal(self, sealed: bytes, *, name: str) -> Secret:
        """Return the secret.

        Raises:
            TpmError: another TPM sealed it, or this one before it was cleared; other bytes, or
                another name; it cannot be used, or does not answer in time.
        """
        ...


Key = TypeVar("Key", SigningKey, SealingKey)


FORMERS_MAX: Final = 3
"""Former keys that are kept: more than are renewed within the age of a backup."""


@dataclass(frozen=True, slots=True)
class OwnHeld(Generic[Key]):
    """The private keys of one kind that are here, by what they are called.

    Attributes:
        formers: those before the current, newest first, as far as they are kept.
        following: made for a renewal; it counts only if the store names it.
    """

    current: Key
    formers: tuple[Key, ...] = ()
    following: Key | None = None

    @property
    def every(self) -> tuple[Key, ...]:
        """All of them."""
        kept: list[Key] = [self.current]
        kept.extend(self.formers)
        if self.following is not None:
            kept.append(self.following)
        return tuple(kept)


@dataclass(frozen=True, slots=True)
class OwnPrivate:
    """This appliance's private keys."""

    signing: OwnHeld[SigningKey]
    sealing: OwnHeld[SealingKey]


class OwnKeyKeeper(Protocol):
    """Keeps this appliance's private keys; each step is durable when it returns."""

    @property
    def keeping(self) -> Keeping:
        """How it keeps them."""
        ...

    def held(self) -> OwnPrivate:
        """Return every key that is here.

        Raises:
            ConfigError: one cannot be read, or others may read it.
        """
        ...

    def follow(self) -> tuple[SigningKey, SealingKey]:
        """Return the next keys; asked again, the same until they have followed.

        Raises:
            ConfigError: they cannot be written.
        """
        ...

    def succeed(self, signing: PublicKey, sealing: SealingPublicKey) -> None:
        """Call these keys the current ones, and those before them the former; again, do nothing.

        Raises:
            ConfigError: it cannot be written.
        """
        ...
