"""What is sent to a target's shell to run one script, and how its output is read. Pure.

The rules, each of which a test on a real sshd holds:

- Nothing secret and nothing of a script stands in an argument list or in the environment: the
  sudo password and the script go over stdin.
- A script is one compound command, which a shell reads to its end before it runs any of it: a
  connection that drops half-way runs nothing.
- Two marks, new for every run, tell apart who speaks. `ask` is sudo's prompt: the password is
  written only after it, and once. `begun` is printed on both streams by our own shell once it is
  root: what stood before it (a login's greeting) is no part of the answer, and without it sudo or
  the login refused, whatever the exit status says.
- A script sees stdin as /dev/null. The real stdin stays open as a lifeline: when it ends, because
  the client was cancelled or the connection dropped, the whole process group is ended, as it is by
  `timeout` past the deadline: TERM, then KILL two seconds later.
"""

import re
import shlex
from collections.abc import Mapping

from appliance.ports import Script, Sudo
from proto.errors import MalformedError
from proto.findings import Scalar

KILL_AFTER_S = 2
SCRIPT_BYTES_MAX = 256 * 1024
TIMEOUT_S_MAX = 3600
STDOUT_BYTES_MAX = 64 * 1024 + 1
STDERR_BYTES_MAX = 2 * 1024
NOISE_BYTES_MAX = 64 * 1024
"""How much may be printed before the mark; only the end of more is searched."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")

_PROLOGUE = """{
exec 3<&0 4>&2 </dev/null 2>/dev/null
( while read -r _; do :; done <&3; kill -TERM 0 ) >/dev/null 4>&- &
osiris_lifeline=$!
osiris_late=
trap 'osiris_late=1' TERM
(
"""

# Past the deadline the shell outlives its script, so that `timeout` goes on to KILL what is left
# of the group; ending at once would leave behind whatever ignores TERM. It sleeps in short pieces
# because the TERM that `timeout` passes on to its group ends one of them, and says nothing itself,
# since a shell that reports "Terminated" to a connection that has dropped is ended by SIGPIPE.
_EPILOGUE = """
) 3<&- 2>&4 4>&-
osiris_status=$?
[ -z "$osiris_late" ] || for _ in 1 2 3 4; do sleep 1; done
kill "$osiris_lifeline"
wait "$osiris_lifeline"
exit "$osiris_status"
}
"""


def ask_mark(nonce: str) -> bytes:
    """Return the prompt that sudo is told to print."""
    return f"osiris-ask-{nonce}".encode("ascii")


def begun_mark(nonce: str) -> bytes:
    """Return the line that our shell prints on both streams before a script."""
    return f"osiris-begun-{nonce}\n".encode("ascii")


def command(*, sudo: Sudo, timeout_s: int, nonce: str) -> str:
    """Return the command line for the login's shell; it holds no secret and no script.

    Args:
        sudo: how to become root, NONE to stay what the login is.
        timeout_s: when the remote side ends the script by itself, 1 to 3600.
        nonce: random hex digits of this run.

    Raises:
        MalformedError: the timeout is out of range.
    """
    if not 1 <= timeout_s <= TIMEOUT_S_MAX:
        msg = f"timeout_s: {timeout_s} is not between 1 and {TIMEOUT_S_MAX}"
        raise MalformedError(msg)
    # The mark is put together by printf, so that a shell which echoes its commands prints no mark.
    mark = f'printf "%s%s\\n" osiris-begun- {nonce}'
    inner = f"export LC_ALL=C; {mark}; {mark} >&2; exec sh -s"
    limited = f"timeout -k {KILL_AFTER_S} {timeout_s} sh -c '{inner}'"
    become = {
        Sudo.NONE: "",
        Sudo.NOPASSWD: "sudo -n -- ",
        Sudo.ASK: f"sudo -S -k -p '{ask_mark(nonce).decode('ascii')}' -- ",
    }[sudo]
    return f"env LC_ALL=C {become}{limited}"


def program(script: Script) -> bytes:
    """Return what goes on stdin: the assignments and the script as one compound command.

    Raises:
        MalformedError: a variable's name or value cannot be an assignment, or it is too large.
    """
    parts = (_PROLOGUE, assignments(script.variables), script.text, _EPILOGUE)
    text = "".join(parts)
    if "\0" in text:
        msg = "script: holds a NUL character"
        raise MalformedError(msg)
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError:
        msg = "script: holds a character that is no text (a lone surrogate)"
        raise MalformedError(msg) from None
    if len(encoded) > SCRIPT_BYTES_MAX:
        msg = f"script: {len(encoded)} bytes with its variables, the limit is {SCRIPT_BYTES_MAX}"
        raise MalformedError(msg)
    return encoded


def assignments(variables: Mapping[str, Scalar]) -> str:
    """Return `name='value'` lines: text quoted, true and false, decimal integers.

    Names are lower case, so that no assignment can change PATH, IFS or the like.

    Raises:
        MalformedError: a name is not `[a-z_][a-z0-9_]*`, or a value is of no closed type.
    """
    return "".join(f"{_name(name)}={_value(name, value)}\n" for name, value in variables.items())


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None or name == "_":
        msg = f"variable {name!r:.80}: not a name of lower case letters, digits and _"
        raise MalformedError(msg)
    return name


def _value(name: str, value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str() if "\0" not in value:
            return shlex.quote(value)
        case str():
            msg = f"variable {name}: holds a NUL character"
        case _:
            msg = f"variable {name}: {type(value).__name__} is neither bool, int nor text"
    raise MalformedError(msg)


class Stream:
    """One output stream: what came before the mark and, up to a limit, what came after it."""

    __slots__ = ("_mark", "before", "begun", "kept", "limit")

    def __init__(self, mark: bytes, *, limit: int) -> None:
        """Await `mark`; keep at most `limit` bytes after it and let the rest go."""
        self._mark = mark
        self.limit = limit
        self.begun = False
        self.before = bytearray()
        self.kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if not self.begun:
            self.before += data
            at = self.before.find(self._mark)
            if at < 0:
                del self.before[:-NOISE_BYTES_MAX]
                return
            self.begun = True
            data = bytes(self.before[at + len(self._mark) :])
            del self.before[at:]
        self.kept += data[: max(self.limit - len(self.kept), 0)]
