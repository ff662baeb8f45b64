"""Facts about equipment, for the policy that drops them too: addresses, names, serials, days."""

from proto.phi.forms import SCANS
from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.shapes import free
from proto.phi.values import Kind

_MAC = Pattern(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b")
_HOST_KEYS = Pattern(
    r"(?i)\b(?:host|hostname|computer|computername|machine|server|serial|serialnumber|s/n|node|workstation)[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9][A-Za-z0-9._-]{1,62})"
)
_URL_HOST = Pattern(r"(?i)\b[a-z]{2,10}://([a-z0-9.-]{1,120})")


def read(record: Record) -> None:
    """Find facts about equipment, for the policy that drops them too."""
    for spans in SCANS["ip"].each(record.data):
        record.hit(Kind.IP, *spans[0], "an address of equipment")
    for spans in _MAC.each(record.data):
        record.hit(Kind.DEVICE, *spans[0], "an address of equipment")
    for spans in _HOST_KEYS.each(record.data):
        record.hit(Kind.HOST, *spans[1], "a name of equipment")
    for spans in _URL_HOST.each(record.data):
        record.hit(Kind.HOST, *spans[1], "a name of equipment")
    for spans in SCANS["date"].each(record.data):
        if free(record, *spans[0], b".") or record.data[spans[0][1] : spans[0][1] + 1] == b"T":
            record.hit(Kind.DATE, *spans[0], "a day")
