r"""Lines that a program folded, and words that a line's end broke in two.

Mail (RFC 5322, section 2.2.3), LDIF (RFC 2849), vCards and calendars (RFC 6350, section 3.2) go on
below behind a blank: mail keeps the blank, the others drop it and cut words anywhere. So each seam
is judged by what stands on its sides. Outlines, lists and stacks are indented too: a line of a
block is no fold of the line above, nor is one that begins with a key or a mark of its own.
"""

import re

from proto.phi.edited import Edit, Look, look_through
from proto.phi.lexicon import NAMEY, WORD
from proto.phi.record import Record

GATES = frozenset({"folded", "broken"})
WORD_CHARS_MAX = 40
INDENT_MAX = 40

_LEFT = re.compile(rb"[A-Za-z']{1,40}\Z")
_RIGHT = re.compile(rb"[A-Za-z']{1,40}")
_OWN = re.compile(
    rb"[A-Za-z_$@][\w $.()/-]{0,40}[:=]|[A-Za-z_][\w.-]{0,40}(?:  |\t)|(?:at|File|raise|return|if|for|def|class|import|from|in|end|then|else) |[^\w@(.+]"
)
"""What begins a line of its own: a key, a first column, a place in a stack, a statement, a mark of a list."""
_NUMBERED = re.compile(rb"[0-9-]")
_ENDS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.)/'&")
"""What a line that goes on below may end with."""


def read(record: Record, look: Look) -> None:
    """Look at a record with its folds taken out."""
    look_through(record, look, _seams(record), how="the lines put together")


def _seams(record: Record) -> list[Edit]:
    """Return what to read in place of each line's end that is a fold."""
    data = record.data
    found: list[Edit] = []
    goes_on, line = False, 0
    newline = data.find(b"\n")
    while newline >= 0:
        end = newline - (data[newline - 1 : newline] == b"\r")
        below = newline + 1
        while below - newline <= INDENT_MAX and data[below : below + 1] in {b" ", b"\t"}:
            below += 1
        outer = goes_on or data[line : line + 1] not in {b" ", b"\t"}
        seam = _seam(record, end, below, blanks=below - newline - 1, outer=outer)
        if seam is not None:
            found.append(seam)
        goes_on = seam is not None
        line, newline = newline + 1, data.find(b"\n", newline + 1)
    return found


def _seam(record: Record, end: int, below: int, *, blanks: int, outer: bool) -> Edit | None:
    data = record.data
    left, right = data[end - 1 : end], data[below : below + 1]
    if not end or not right or right in {b"\r", b"\n"}:
        return None
    if left == b"-" and right.islower() and data[end - 2 : end - 1].isalpha():
        return Edit(end - 1, below, b"") if _is_cut(record, end - 1, below) else None
    if not blanks or _OWN.match(data, below, below + 60) is not None:
        return None
    if b"@" in {left, right}:
        return Edit(end, below, b"")
    if not outer or left[0] not in _ENDS | {45}:
        return None
    if _NUMBERED.match(left) and _NUMBERED.match(right):
        return Edit(end, below, b"" if blanks == 1 or left == b"-" else b" ")
    if blanks == 1 and left.isalpha() and right.isalpha() and _is_cut(record, end, below):
        return Edit(end, below, b"")
    return Edit(end, below, b" ") if left != b"-" else None


def _is_cut(record: Record, end: int, below: int) -> bool:
    """Whether the letters on both sides of a line's end are one word."""
    before = _LEFT.search(record.lower, max(0, end - WORD_CHARS_MAX), end)
    after = _RIGHT.match(record.lower, below)
    if before is None or after is None:
        return False
    flags = record.lexicon.flags
    first, second = (part.group().replace(b"'", b"") for part in (before, after))
    if flags(first + second) & NAMEY:
        return not (flags(first) & NAMEY and flags(second) & WORD)
    return not flags(second) & (WORD | NAMEY)
