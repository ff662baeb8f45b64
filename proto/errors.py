"""One error root, in families by who must act; each class carries its stable code.

| family | who must act | exit status |
|---|---|---|
| `ConfigError` | the operator corrects what was written | 3 |
| `RejectedError` | the sender; the same bytes are never retried, the refusal is recorded | 4 |
| `UnreachableError` | nobody; wait and try again | 5 |
| `NoRoomError` | the operator makes room on the disk; then try again | 5 |
| `TargetError` | the target's administrator: the host ran it and failed | 6 |
| `IntegrityError` | stop, raise health, call a person | 7 |

A command line ends with its family's exit status; 1 is "the answer is no" (something is drifted,
a verification failed) and 2 is a usage error.
"""

from typing import ClassVar


class OsirisError(Exception):
    """The root of every error that Osiris raises on purpose."""

    code: ClassVar[str] = "osiris"
    exit_status: ClassVar[int] = 1


class ConfigError(OsirisError):
    """A file or setting that an operator wrote is wrong; the message names file, line and key."""

    code = "config"
    exit_status = 3


class CatalogError(ConfigError):
    """The catalogue does not hold together; `problems` is one line each, `file:line: what`."""

    code = "catalog"

    def __init__(self, problems: list[str]) -> None:
        """Keep the problems, one line each; the message joins them."""
        super().__init__("\n".join(problems))
        self.problems = problems


class RejectedError(OsirisError):
    """Input from another party that is refused and never retried as it is."""

    code = "rejected"
    exit_status = 4


class MalformedError(RejectedError):
    """Bytes or values that do not have the form they must have; the message names the place."""

    code = "malformed"


class SignatureError(RejectedError):
    """A statement whose signatures do not carry it."""

    code = "signature"


class ConflictError(RejectedError):
    """What was asked contradicts what is already there."""

    code = "conflict"


class NotFoundError(RejectedError):
    """What was asked for is not there."""

    code = "not_found"


class UnreachableError(OsirisError):
    """The other side did not answer; the same thing may be tried again later."""

    code = "unreachable"
    exit_status = 5

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        """Keep the wait the other side asked for, in seconds, when it said one."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NoRoomError(OsirisError):
    """The disk is full: nothing was stored, and the same thing may be tried again later."""

    code = "disk_full"
    exit_status = 5


class TargetError(OsirisError):
    """A target was reached and refused or failed; `reason` is a finding's reason code."""

    code = "target"
    exit_status = 6


class IntegrityError(OsirisError):
    """A proof, a hash or a stored row does not hold: stop and raise health."""

    code = "integrity"
    exit_status = 7
