r"""Accounts at the places where daemons log them: tunnels, file servers, PAM, printers, databases.

`[wilsonh] Peer Connection Initiated`, `wilsonh/10.8.0.6:1194 MULTI`, `user [CLINIC]\[wilsonh]`,
`root(uid=0) by wilsonh(uid=1000)`, `password changed for wilsonh`, `role "wilsonh" does not exist`.
"""

from proto.phi.logins import is_of_somebody
from proto.phi.plans import Gated, captured
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_LOGIN = r"([A-Za-z][A-Za-z0-9._-]{2,40})"
_TUNNEL = Pattern(
    rf"\[{_LOGIN}\] Peer Connection Initiated"
    rf"|(?:^|[ \"'=>]){_LOGIN}/(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}:[0-9]{{1,5}} "
)
"""OpenVPN: the common name or the login of a client."""
_FILES = Pattern(
    rf"\[{_LOGIN}\] (?:OK|FAIL) [A-Z]{{4,10}}\b|\bUSER {_LOGIN}(?:: | \()(?i:login|no such|\()"
    rf"|\[[^\]\n]{{0,40}}\]\\\[{_LOGIN}\]"
)
"""vsftpd, proftpd, and Samba's audit of who authenticates."""
_PAM = Pattern(
    rf"\bby {_LOGIN}\(uid=|\bunix-user:{_LOGIN}|\bnew user: name={_LOGIN},"
    rf"|\bpassword (?:changed|expired|reset) for {_LOGIN}(?:$|[^A-Za-z0-9._@-])"
    rf"|\b(?:add|added|remove|removed|delete|deleted) '{_LOGIN}' (?:to|from) (?:shadow )?group"
    rf"|\b(?:member|user) {_LOGIN} (?:added|removed) (?:to|from|by)\b"
)
_PRINTER = Pattern(
    rf"(?:^|[ \n])[A-Za-z0-9._-]{{2,40}} {_LOGIN} [0-9]{{1,8}} \[[0-9]{{2}}/[A-Z][a-z]{{2}}/[0-9]{{4}}:"
)
"""The page log of CUPS: printer, user, job, time."""
_ROLE = Pattern(rf"\brole \"{_LOGIN}\" (?:does|is|cannot|has|already)\b")
_BUILD = Pattern(rf"(?:^|[ :]){_LOGIN} (?:started|aborted|approved|triggered) (?:the )?build\b")
_ASKS = Pattern(
    rf"[0-9a-zA-Z.:]{{3,60}} - {_LOGIN} (?:- )?\"?(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS|PROPFIND) /"
)
"""A web server's log without the time."""
_AUDIT = Pattern(
    rf"\btype=(?:USER|CRED|ADD|DEL|ACCT)_[A-Z_]{{2,16}} [^\n]*\b(?i:id)=\"{_LOGIN}\""
    rf"|(?:^|[^A-Za-z0-9_])acct=\\?\"{_LOGIN}\\?\""
)
"""Linux's audit: an account by its name, where the number is not known."""
_NESTED = Pattern(
    r"[\"'](?:user|actor|source_user|target_user|subject|initiator|principal|requestor|caller|account)[\"'] ?: ?\{ ?"
    r"(?:[\"'](?:type|id|domain|roles?)[\"'] ?: ?(?:[\"'][^\"'\n]{0,60}[\"']|[0-9]{1,12}) ?, ?){0,3}"
    rf"[\"'](?:name|login|username|alternate_?id|sam|short_?name)[\"'] ?: ?[\"'](?:[A-Za-z0-9-]{{1,20}}\\{{1,2}})?{_LOGIN}[\"']"
)
"""An account as an object of its own: `"user": {"name": …}` (Elastic Common Schema, Okta)."""
_TABLE = Pattern(
    rf"\| *{_LOGIN} +\| +(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?::[0-9]{{1,5}})? |\br[0-9]{{1,7}} \| {_LOGIN} \|"
    rf"|\[(?:[0-9a-f]{{2}}:){{5}}[0-9a-f]{{2}}\|{_LOGIN}\]|\({_LOGIN}\) (?:RELOAD|LIST|REPLACE|BEGIN EDIT|END EDIT|INFO)\b"
    rf"|\borig_to=<{_LOGIN}>|\bFROM tty[0-9]{{1,2}} FOR {_LOGIN},"
)
"""Who uses a database, who committed, who is on which radio, whose table of tasks."""
_OF = Pattern(
    r"(?i:\b(?:locked out: ?|(?:reset|unlocked|unlock|denied|approved|expired|sent|created|disabled|enabled|revoked|provisioned|started|failed|challenge|session|profile|license|licence|token|mailbox|account|quota|ticket|certificate) for (?:user )?|connected as |session from |initiated by |added member |removed member |mailboxowner ?: |requester |participant |punch for |alter role |drop role |(?:create|alter|drop) (?:user|login) (?:if (?:not )?exists )?))"
    rf"[\"'\[<(]?(?:[A-Za-z0-9-]{{1,20}}\\{{1,2}})?{_LOGIN}(?:$|[^A-Za-z0-9._@$/=\\-])"
    rf"|\b(?i:grant [a-z, ]{{3,80}}(?: on [^ \n]{{1,80}})? to ){_LOGIN}(?:$|[; ,])|\bAuthor: {_LOGIN} <"
)
_DOES = Pattern(
    rf"(?:^|[ :>\]\"'(@]){_LOGIN} (?i:has been (?:added|removed|locked|disabled|enabled)|was (?:added|removed|locked|disabled|enabled|granted|denied)|logged (?:in|out|on|off)|signed (?:in|out|on|off)|joined the|left the (?:call|meeting|room)|punched (?:in|out)|clocked (?:in|out)|badged (?:in|out)|entered (?:suite|room|door|area|zone)|printed [0-9]|scanned [0-9]|uploaded a|downloaded a|checked (?:in|out) )"
)
_AT = Pattern(
    rf"(?:^|[ ='\"]){_LOGIN}@(?:(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}|[A-Za-z][A-Za-z0-9-]{{1,30}})(?:$|[ :,'\")>])"
)
"""A login at a host or in a realm, which is no mail address: `scp wilsonh@ehr01:/data`."""
_ENTRY = Pattern(rf"(?i:\b(?:cn|uid|samaccountname)=){_LOGIN}(?:\)|,(?i:ou|cn|dc)=)")
_HOME = Pattern(
    rf"(?i:\\(?:users|homes?|profiles|redirected|userdata|folderredirection|userhomes)\$\\){_LOGIN}(?:\\|$|[ \"'])"
)
GATED: Gated = (
    (
        "daemon",
        (_TUNNEL, _FILES, _PAM, _PRINTER, _ROLE, _BUILD, _ASKS, _AUDIT, _NESTED, _TABLE),
    ),
    ("account_of", (_OF, _DOES)),
    ("at_host", (_AT, _ENTRY, _HOME)),
)
GATES = frozenset(gate for gate, _ in GATED)
_LOOSE = frozenset((_OF, _DOES, _AT, _ENTRY, _HOME))
"""Where others stand too than people: there a login must be made of a name."""


def read(record: Record) -> None:
    """Find the accounts at such places."""
    for pattern, start, end in captured(record, GATED):
        login = record.data[start:end].rstrip(b".-_")
        if b"-" in login or record.covered(start, end):
            continue
        if is_of_somebody(record, login, strangers=pattern not in _LOOSE):
            record.hit(Kind.USERNAME, start, start + len(login), "the account that a daemon logs")
