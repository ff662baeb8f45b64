"""Accounts that only their place tells: handed to somebody, noted by somebody, owner of a file.

`routed to wilsonh`, `NOTIFY "wilsonh"`, `Work note (wilsonh, 2025-03-01 10:00)`, the listing of a
folder, the head of a slow query.
"""

import re

from proto.phi.logins import is_of_somebody
from proto.phi.plans import Gated, captured
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_LOGIN = r"([A-Za-z][A-Za-z0-9._-]{2,30})"
_HANDED = Pattern(
    r"(?i:(?:routed|assigned|escalated|forwarded|handed|transferred|delegated|addressed|referred|queued|delivered|dispatched)(?: (?:over|off|back))? (?:to|for) (?:(?:user|staff|agent|nurse|clinician|employee|clerk|dr|tech) )?"
    r"|\b(?:to|by|from|for) (?:staff|user|agent|nurse|clinician|employee|clerk) |\bnotif(?:y|ied|ies|ying)[:=]? ?(?:user |staff )?"
    r"|\b(?:clerk|cashier|biller|scheduler|dispatcher|submitted by|validated? by|verified by|released by|reviewed by|approved by|resulted by|posted by|keyed by)(?:[:=] ?| )|\bby [\"'])"
    rf"[\"'<(]?{_LOGIN}(?:$|[\"'>)\s,;:|])"
)
_NOTED = Pattern(
    rf"\({_LOGIN},? \[?(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{1,2}}/(?:[0-9]{{1,2}}|[A-Z][a-z]{{2}})/[0-9]{{2,4}}|[A-Z][a-z]{{2}} {{1,2}}[0-9]{{1,2}} |1[0-9]{{9}}|[0-9]{{1,2}}:[0-9]{{2}})"
)
_LISTED = Pattern(
    rf"(?:^|[\s\"'|])[-dlbcps](?:[r-][w-][xsStT-]){{3}}[.+@]? {{1,4}}[0-9]{{1,6}} {{1,8}}{_LOGIN} {{1,8}}[A-Za-z0-9]"
)
_ASKING = Pattern(rf"User@Host: {_LOGIN}\[{_LOGIN}\]")
_DIRECTORY = Pattern(rf"(?i:\buid=){_LOGIN},(?i:ou|cn|dc)=")
"""An entry of a directory (RFC 4514)."""
_FROM = Pattern(rf"\bby {_LOGIN} from [0-9]{{1,3}}\.[0-9]")
"""Who asks, and from what address."""
GATED: Gated = (
    ("directory", (_DIRECTORY,)),
    ("handed", (_HANDED, _FROM)),
    ("noted", (_NOTED,)),
    ("listing", (_LISTED,)),
    ("asking", (_ASKING,)),
)
GATES = frozenset(gate for gate, _ in GATED)


def read(record: Record) -> None:
    """Find the accounts of people at such places; in a record about people strangers' too."""
    for _, start, end in captured(record, GATED):
        _take(record, start, end)


_NOTE = re.compile(rb"(?:notes?|comment|remark|entry|memo|addendum|annotation) \(\Z")


def _take(record: Record, start: int, end: int) -> None:
    while end > start and record.data[end - 1] in b".-_":
        end -= 1
    login = record.data[start:end]
    if b"-" in login:
        return  # a machine, a queue: `agent ward-runner-2`
    strangers = record.person or _NOTE.search(record.lower, max(0, start - 14), start) is not None
    if not record.covered(start, end) and is_of_somebody(record, login, strangers=strangers):
        record.hit(Kind.USERNAME, start, end, "the place of an account")
