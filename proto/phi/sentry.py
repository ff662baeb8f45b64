"""The last look at the bytes that leave: independent of the scrubber, and dumber.

It shares nothing with the engine but the form of a token: no policy, no names, no structure. It
knows a few forms that no text may leave with (numbers with the separators of an SSN, mail
addresses, private keys, tokens of well-known services, values right behind `mrn`, `dob`, `ssn` and
`password`, HL7's patient segments), canaries by their form, and the values of the site's own. A hit
means that the engine missed something or was gone round: the sender drops the bytes, quarantines
them and raises an alarm.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from proto.phi import canary
from proto.phi.scan import Gate, Pattern

BYTES_MAX = 64 << 20

_FORMS = {
    "ssn": r"(?:^|[^0-9A-Za-z.:/_-])[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}(?:$|[^0-9A-Za-z_-])",
    "email": r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}\.(?:com|net|org|edu|gov|us|io|co|me|info|biz)\b",
    "key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^\[]{0,4}[A-Za-z0-9+/]{16}",
    "token": r"\b(?:AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{30}|xox[bp]-[A-Za-z0-9-]{12}|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8})",
    "cue": r"(?i)\b(?:mrn|ssn|dob|date of birth|patientid|patient_id)[\"' ]{0,3}[:=#][\"' ]{0,3}[0-9][0-9/-]{5}",
    "password": r"(?i)\b(?:password|passwd|pwd|client_secret)[\"']?[:=][\"']?[A-Za-z0-9!@#$%^&*._-]{6}",
    "hl7": r"(?:^|[\r\n])PID\|[^\r\n\[]*\^[A-Za-z]{2}",
    "phone": r"(?:^|[^0-9A-Za-z.:/_-])\([2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4}(?:$|[^0-9A-Za-z-])",
    "card": r"\b[3-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}\b",
}
_GATE = Gate(_FORMS)
_SCANS = {name: Pattern(form) for name, form in _FORMS.items()}
_PASSED = re.compile(
    rb"noreply|no-reply|postmaster|root@|support@|info@|admin@|git@"
    rb"|[a-z0-9.-]{1,64}@(?:openssh\.com|libssh2?\.org|(?:[a-z0-9-]{1,63}\.){1,3}(?:gserviceaccount\.com|core\.windows\.net))(?![a-z0-9.-])"
)
"""Addresses of roles and programs, and algorithms of SSH that are written like one."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What must not leave: which form, and where; never the text itself.

    Attributes:
        form: the name of the form, or `canary`.
        start: offset in the bytes.
        end: offset in the bytes.
    """

    form: str
    start: int
    end: int


def look(data: bytes, canaries: Iterable[bytes] = ()) -> tuple[Alarm, ...]:
    """Return everything in these bytes that must not leave; empty means that they may.

    Args:
        data: exactly what would be sent.
        canaries: the synthetic patients' values of this site, in lower case.
    """
    if len(data) > BYTES_MAX:
        return (Alarm("oversize", 0, len(data)),)
    alarms: list[Alarm] = []
    lower = data.lower()
    for value in canaries:
        at = lower.find(value) if value else -1
        if at >= 0:
            alarms.append(Alarm("canary", at, at + len(value)))
    alarms.extend(Alarm("canary", start, end) for start, end in canary.places(lower))
    for name in sorted(_GATE.lit(data)):
        for spans in _SCANS[name].each(data):
            start, end = spans[0]
            if name != "email" or _PASSED.match(lower, start) is None:
                alarms.append(Alarm(name, start, end))
    return tuple(alarms)
