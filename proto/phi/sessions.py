"""Accounts in tables of sessions, in options, in claims of tokens and in the log of a web server.

`quser` and `who` print who is logged in in columns; cmdlets take whose mailbox they work on as an
option; a token names its subject; IIS writes the user behind the port; an analyzer who drew.
"""

from proto.phi.logins import is_of_somebody
from proto.phi.plans import Gated, captured
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_LOGIN = r"([A-Za-z][A-Za-z0-9._-]{2,40})"
_QUERIED = Pattern(
    rf"(?:^|\n)[ >]?{_LOGIN} {{1,30}}(?:(?:rdp-tcp|ica-tcp|ica-cgp|console|services)[#0-9]{{0,5}} {{1,30}})?[0-9]{{1,5}} {{1,12}}(?:Active|Disc|Conn|ConnQ|Idle|Shadow|Down)(?:$|[^A-Za-z])"
    rf"|(?:^|\n)[ >]?(?:rdp-tcp|ica-tcp|ica-cgp|console)[#0-9]{{0,5}} {{1,30}}{_LOGIN} {{1,30}}[0-9]{{1,5}} {{1,12}}(?:Active|Disc|Conn|ConnQ|Idle|Shadow|Down)(?:$|[^A-Za-z])"
)
"""A row of `quser`, `query user` or `qwinsta`."""
_WHO = Pattern(
    rf"(?:^|\n){_LOGIN} {{1,20}}(?:pts/[0-9]{{1,3}}|tty[A-Za-z0-9]{{1,4}}|:[0-9]) {{1,30}}(?:[0-9a-zA-Z.:-]{{3,40}} {{1,20}})?(?:[0-9]{{1,2}}:[0-9]{{2}}|[0-9]{{4}}-[0-9]{{2}}|[A-Z][a-z]{{2}} )"
)
"""A row of `who`, `w` or `last`."""
_OPTION = Pattern(
    r"(?i: -(?:mailbox|sourcemailbox|targetmailbox|trustee|delegate|samaccountname|userprincipalname|targetuser|loginname|username|member|members|manager|owner|grantsendonbehalfto|managedby|forwardingaddress|recipient|requester|primaryuser|assigneduser)"
    rf"[ :=]{{1,2}})[\"']?(?:[A-Za-z0-9-]{{1,20}}\\{{1,2}})?{_LOGIN}(?:$|[\"' ,;|)\n])"
)
_MAILBOX = Pattern(
    rf"\b(?i:mailbox|mbx|mail ?drop)(?: (?i:for|of|user|owner))?[:=]? [\"'<(]?{_LOGIN}(?:[\"'>),;|]| (?:client|from|on|is|was|has|could|cannot|size|quota|over|exceeded|in|to|at|by|[0-9\[(]))"
)
_CLAIM = Pattern(
    r"\\{0,3}[\"'](?:sub|preferred_username|upn|unique_name|login_hint|uid|nameid|name_id|onprem_sid_user|cognito:username|act_as|impersonated_by)\\{0,3}[\"'] ?: ?\\{0,3}[\"']"
    r"([A-Za-z][A-Za-z0-9._]{2,40})\\{0,3}[\"']"
)
_WEB = Pattern(
    r"\b(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|PROPFIND) /[^\s]{0,300} [^\s]{1,300} [0-9]{2,5} (?:[A-Za-z0-9-]{1,20}(?:\\|\+))?"
    rf"{_LOGIN} (?:[0-9]{{1,3}}\.|[0-9a-f]{{0,4}}:)"
)
"""IIS in the extended format of the W3C: method, stem, query, port, user, client."""
_DRAWN = Pattern(
    r"\b(?i:operator|phlebotomist|collector|caregiver)(?i:[ _]?id| no\.?| #)?[ :=#]{1,3}([0-9]{4,10})(?:$|[ ,;|)\"'\n])"
)
"""Who used an analyzer at a bed, by the number of their badge."""
GATED: Gated = (
    ("queried", (_QUERIED,)),
    ("who", (_WHO,)),
    ("option", (_OPTION,)),
    ("mailbox", (_MAILBOX,)),
    ("claim", (_CLAIM,)),
    ("web", (_WEB,)),
    ("drawn", (_DRAWN,)),
)
GATES = frozenset(gate for gate, _ in GATED)


def read(record: Record) -> None:
    """Find the accounts at such places, and in a record about people the numbers of operators."""
    for pattern, start, end in captured(record, GATED):
        if not record.covered(start, end):
            _take(record, start, end, pattern)


def _take(record: Record, start: int, end: int, pattern: Pattern) -> None:
    if pattern is _DRAWN:
        if record.person:
            record.hit(Kind.OTHER_ID, start, end, "the number of who used an analyzer")
        return
    login = record.data[start:end].rstrip(b".-_")
    if b"-" not in login and is_of_somebody(record, login, strangers=True):
        record.hit(Kind.USERNAME, start, start + len(login), "the account of a session")
