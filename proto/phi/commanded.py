"""Accounts that commands name, or that servers log in a field of their own.

`Get-ADUser wilsonh`, `net user wilsonh /domain`, `chage -l wilsonh`; the user of a proxy's and of a
web server's log; login and password as RADIUS shows both, `[wilsonh/Winter24]`.
"""

from proto.phi.logins import is_of_somebody
from proto.phi.plans import Gated, captured
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_LOGIN = r"([A-Za-z][A-Za-z0-9._-]{2,40})"
_CMDLET = Pattern(
    r"(?i:\b(?:get|set|unlock|enable|disable|remove|new|reset|add|search|move|rename|revoke|test|grant)-(?:ad|mg|msol|azuread|local|aad|exo|cas|remote|cloud|entra)?"
    r"(?:user|mailbox|account|principalgroupmembership|groupmember|recipient|useroverride)[a-z]*"
    r"(?: -(?:identity|id|userid|objectid|name|samaccountname|user|members?|member|searchstring|filter|anr))?[ :=]{1,2})"
    rf"[\"']?(?:[A-Za-z0-9-]{{1,20}}\\)?{_LOGIN}(?:$|[^A-Za-z0-9._\\@$-])"
)
_COMMAND = Pattern(
    r"(?i:(?:^|[^a-z0-9._-])(?:net1? user|passwd(?: -[a-z]{1,2})?|chage -[a-z]|usermod(?: -[a-z]{1,3}(?: [^\s-]{1,30})?)?|userdel(?: -r)?|useradd(?: -m)?|deluser|adduser|smbpasswd(?: -[a-z])?"
    r"|finger|quser|query user|logname|pdbedit -[a-z]{1,2}|faillock --user|pam_tally2 -u|dsquery user -samid|dsget user|kinit|wbinfo -[a-z]|getent passwd|gpresult /user|lastlog -u|loginctl terminate-user|pkill -u|crontab -u|sudo -u|su -|failed su \(to [a-z0-9._-]{1,32}\)) )"
    rf"[\"']?{_LOGIN}(?:$|[^A-Za-z0-9._\\@$/=-])"
)
_MEMBER = Pattern(
    r"(?i: -(?:members?|user|username|userid|samaccountname|trustee|logonname) )"
    rf"[\"']?(?:[A-Za-z0-9-]{{1,20}}\\)?{_LOGIN}(?:$|[^A-Za-z0-9._\\@$-])"
)
"""What an option of a command names."""
_RADIUS = Pattern(
    r"\b(?i:login (?:ok|incorrect))[^\n\[]{0,90}\[(?:[A-Za-z0-9.-]{1,30}\\{1,2})?"
    r"([A-Za-z][A-Za-z0-9._-]{2,40})(?:@[A-Za-z0-9.-]{3,60})?(?:/[^\]\n]{0,64})?\]"
)
_SHOWN = Pattern(
    r"\b(?i:login (?:ok|incorrect))[^\n\[]{0,90}\[[^\s\]/]{1,80}/([^\s\]<][^\]\n]{2,62})\] \(from"
)
"""What was typed, where the server shows it."""
_PROXY = Pattern(
    rf"\b[A-Z]{{3,16}} [^\s]{{1,400}} (?:[A-Za-z0-9-]{{1,20}}(?:\\|%5[cC]))?{_LOGIN}(?:@[A-Za-z0-9.-]{{3,60}})? (?:HIER_[A-Z_]{{3,24}}|DIRECT|NONE|FIRST_UP_PARENT|DEFAULT_PARENT|FIRSTUP_PARENT|TIMEOUT_[A-Z_]{{3,30}}|ROUNDROBIN_PARENT|CACHE_DIGEST_HIT)/"
)
"""Squid's native log: method, URL, user, how it went on."""
_SERVED = Pattern(
    rf"[0-9a-zA-Z.:-]{{3,60}} [A-Za-z-]{{1,20}} (?:[A-Za-z0-9-]{{1,20}}\\{{1,2}})?{_LOGIN}(?:@[A-Za-z0-9.-]{{3,60}})? \[[0-9]{{2}}/[A-Z][a-z]{{2}}/[0-9]{{4}}:"
)
"""The user of the common log format, behind the host and the identity."""
_GLASS = Pattern(
    rf"(?:^|[ :>\]|;,=\"'(]){_LOGIN} (?i:broke|breaks|used|uses|invoked|activated|requested|performed|overrode|did|has broken|is breaking) (?i:(?:the |a )?(?:break(?:ing)?[- ]?(?:the[- ]?)?)?glass)"
    rf"|(?i:(?:br(?:ea|o)k(?:e|en|ing)?[- ]?(?:the[- ]?)?glass)[a-z ]{{0,24}}[ :](?:by|user|login|requester)[ :=]{{1,2}}[\"']?){_LOGIN}(?:$|[^A-Za-z0-9._@-])"
)
"""Who opens a chart that is closed to them."""
GATED: Gated = (
    ("glass", (_GLASS,)),
    ("cmdlet", (_CMDLET,)),
    ("command", (_COMMAND,)),
    ("member_of", (_MEMBER,)),
    ("radius", (_RADIUS, _SHOWN)),
    ("proxied", (_PROXY,)),
    ("served", (_SERVED,)),
)
GATES = frozenset(gate for gate, _ in GATED)


def read(record: Record) -> None:
    """Find the accounts that stand at such places, whoever they are."""
    for pattern, start, end in captured(record, GATED):
        _take(record, start, end, pattern)


def _take(record: Record, start: int, end: int, pattern: Pattern) -> None:
    if pattern is _SHOWN:
        record.hit(Kind.SECRET, start, end, "the password beside a login")
        return
    while end > start and record.data[end - 1] in b".-_":
        end -= 1
    login = record.data[start:end]
    if b"-" in login or record.covered(start, end):
        return
    if is_of_somebody(record, login, strangers=True):
        record.hit(Kind.USERNAME, start, end, "the account that a command or a server names")
