"""What a driver's license says of its holder, by the elements of its barcode (AAMVA DL/ID, annex D).

Readers of cards log them raw (`DAQW5958428`) or as members (`"DAQ": "W5958428"`). One of these
names alone is also one of machines (a DAG, a DAC); a license's number beside another is a card.
"""

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

_KINDS = {
    **dict.fromkeys((b"DAQ", b"DCF", b"DCK"), Kind.LICENSE),
    **dict.fromkeys((b"DAA", b"DAB", b"DAC", b"DAD", b"DCS", b"DCT"), Kind.NAME),
    **dict.fromkeys((b"DBA", b"DBB", b"DBD"), Kind.DATE),
    **dict.fromkeys((b"DAG", b"DAH"), Kind.ADDRESS),
    b"DAI": Kind.CITY,
    b"DAK": Kind.ZIP,
}
_ELEMENT = Pattern(
    r"(?:^|[^A-Za-z0-9]|\\[nr]|DL|ID)(D(?:AQ|CF|CK|AA|AB|AC|AD|CS|CT|BA|BB|BD|AG|AH|AI|AK))"
    r"(?:\\{0,3}[\"']? ?[:=>] ?\\{0,3}[\"']([^\"'\\\n<\x01]{1,60})|[:=>] ?([^\"'\\\s|;,<>{}&\x01]{1,60})|([A-Z0-9][^\"'\\\n\r\t|;,<>{}=:\x01]{0,60}))"
)
_NUMBER = b"DAQ"
"""What a card has always; the gate before this reader looks for it."""
ELEMENTS_MIN = 3


def read(record: Record) -> None:
    """Find the elements of a card."""
    data = record.data
    found = [
        (data[slice(*spans[1])], next(span for span in spans[2:] if span[0] >= 0))
        for spans in _ELEMENT.each(data)
    ]
    names = {name for name, _ in found}
    if _NUMBER not in names or len(names) < ELEMENTS_MIN:
        return
    for name, (start, end) in found:
        record.hit(_KINDS[name], start, end, "the element of a license's barcode")
