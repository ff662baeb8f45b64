"""Properties of vCards that have parameters: `N;LANGUAGE=en:Romero;Scott` (RFC 6350, section 3.3)."""

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_PARAMETERS = r"(?:;[A-Za-z0-9-]{1,24}(?:=[A-Za-z0-9_.,\"/-]{1,40})?){1,6}"
_PROPERTY = Pattern(
    rf"(?:^|[\n\r \"'>|:]|\\n|item[0-9]{{1,2}}\.)(N|FN|NICKNAME|SORT-STRING|BDAY|TEL|EMAIL|ADR|LABEL){_PARAMETERS}:([^\n\r\"\\<>]{{2,200}})"
)
GATED = (("vcard", (_PROPERTY,)),)
"""The gate with the pattern that is tried only when it is lit."""
GATES = frozenset(gate for gate, _ in GATED)
_KINDS = {
    b"N": Kind.NAME, b"FN": Kind.NAME, b"NICKNAME": Kind.NAME, b"SORT-STRING": Kind.NAME,
    b"BDAY": Kind.DATE, b"TEL": Kind.PHONE, b"EMAIL": Kind.EMAIL,
    b"ADR": Kind.ADDRESS, b"LABEL": Kind.ADDRESS,
}  # fmt: skip


def read(record: Record) -> None:
    """Find the values of such properties."""
    data = record.data
    for spans in _PROPERTY.each(data):
        name, value = data[slice(*spans[1])], spans[2]
        at = value[0]
        for part in data[slice(*value)].split(b";"):
            if part.strip() and not record.covered(at, at + len(part)):
                record.hit(_KINDS[name], at, at + len(part), "a property of a vCard")
            at += len(part) + 1
