"""Mail addresses that are written so that nothing follows them: `ann[@]example[.]org`.

Analysts of mail defang addresses, old records have `ann.lee-at-example.net`, and a directory keeps a
guest as `ann.lee_example.net#EXT#@tenant.onmicrosoft.com` (Microsoft Entra ID, B2B).
"""

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_DOT = r"(?:\.| ?[\[({]\.[\])}] ?)"
_LABEL = "[A-Za-z0-9-]{1,63}"
_LOCAL = rf"[A-Za-z0-9_%+'-]{{1,64}}(?:{_DOT}[A-Za-z0-9_%+'-]{{1,64}}){{0,3}}"
_DEFANGED = Pattern(
    rf"({_LOCAL} ?(?:[\[({{]@[\])}}] ?{_LABEL}(?:{_DOT}{_LABEL}){{1,4}}"
    rf"|@ ?{_LABEL}(?:\.{_LABEL}){{0,3}} ?[\[({{]\.[\])}}] ?{_LABEL}(?:{_DOT}{_LABEL}){{0,3}}))(?:$|[^A-Za-z0-9])"
)
_DASHED = Pattern(
    r"(?i)([a-z0-9]{1,40}[._0-9][a-z0-9._]{1,40}(?:-at-|_at_)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,2}\.(?:com|net|org|edu|gov|us|me))(?:$|[^a-z0-9])"
)
_GUEST = Pattern(
    r"(?i)([a-z0-9._+'-]{1,64}_[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}#EXT#(?:@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3})?)"
)
GATED = (("defanged", (_DEFANGED,)), ("dashed_at", (_DASHED,)), ("guest", (_GUEST,)))
"""Each gate with the pattern that is tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)


def read(record: Record) -> None:
    """Find such addresses."""
    for gate, (pattern,) in GATED:
        for start, end in pattern.values(record.data) if gate in record.shapes else ():
            record.hit(Kind.EMAIL, start, end, "a mail address, its marks put otherwise")
