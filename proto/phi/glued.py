"""Numbers that stand at their key without a mark between: `ssn219345678`, `dob_19780913`."""

import re

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_KEYS = {
    "ssn": Kind.SSN, "ss": Kind.SSN,
    "mrn": Kind.MRN, "chart": Kind.MRN, "ptid": Kind.MRN, "patid": Kind.MRN, "patientid": Kind.MRN,
    "dob": Kind.DATE, "bday": Kind.DATE, "birthdate": Kind.DATE,
    "ph": Kind.PHONE, "phone": Kind.PHONE, "cell": Kind.PHONE, "tel": Kind.PHONE,
    "mobile": Kind.PHONE,
    "acct": Kind.ACCOUNT, "account": Kind.ACCOUNT,
    "memberid": Kind.HEALTH_PLAN, "subscriberid": Kind.HEALTH_PLAN,
}  # fmt: skip
_GLUED = Pattern(
    r"(?i)(?:^|[^a-z0-9])(ssn|ss|mrn|chart|pt_?id|pat_?id|patient_?id|dob|bday|birth_?date|ph|phone|cell|tel|mobile|acct|account|member_?id|subscriber_?id)"
    r"[#_-]?([a-z]{0,3}[0-9]{6,12})(?:$|[^0-9.])"
)
_FORM = {
    Kind.SSN: re.compile(rb"[0-9]{9}"),
    Kind.PHONE: re.compile(rb"1?[2-9][0-9]{9}"),
    Kind.DATE: re.compile(rb"(?:19|20)[0-9]{6}|[01][0-9][0-3][0-9](?:19|20)[0-9]{2}"),
}
"""What a number of some classes must be; of the others six digits are enough."""
GATED = (("glued", (_GLUED,)),)
"""The gate with the pattern that is tried only when it is lit."""


def read(record: Record) -> None:
    """Find numbers behind the key that they are glued to."""
    for spans in _GLUED.each(record.data):
        key, value = (record.lower[slice(*span)] for span in spans[1:3])
        kind = _KEYS[key.replace(b"_", b"").decode()]
        form = _FORM.get(kind)
        if form is None or form.fullmatch(value) is not None:
            record.hit(kind, *spans[2], "a number at its key")
