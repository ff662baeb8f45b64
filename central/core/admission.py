"""The hub's own look at text that arrived: admitted, or set aside.

An appliance scrubs before it signs; the hub looks again, with the sentry and the whole engine, and
takes nobody's word. What is not admitted is set aside: the hub keeps where it stood, which forms
were seen, its size and its SHA-256, and none of its text. The sender still has it, and a hub that
keeps what it should not have is the leak made permanent.

Values of a closed list that came with signed content are no free text.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from central.core.ingest import OpenedDetail
from proto.catalog.model import Content, FieldKind
from proto.phi.admission import Looker, Refused
from proto.phi.arrived import Arrived
from proto.phi.values import Scrubbed

Closed = Mapping[str, Mapping[str, Collection[str]]]
"""Closed values by check and field."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Text that was not admitted, without the text.

    Attributes:
        what: what it was, in a few words.
        place: where it stood: a leaf and part, or a device.
    """

    what: str
    place: str
    forms: tuple[str, ...]
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class KeptDetail:
    """A detail that may be kept and shown."""

    leaf: int
    part: str
    salt: bytes
    detail: Scrubbed


@dataclass(frozen=True, slots=True)
class Admitted:
    """What of some details may be kept, and what was set aside."""

    details: tuple[KeptDetail, ...]
    aside: tuple[SetAside, ...]


def closed_fields(content: Content) -> Closed:
    """Return the closed values of every check's answer."""
    return {
        check.id: {
            name: frozenset(field.values)
            for name, field in check.answer.items()
            if field.kind is FieldKind.ENUM
        }
        for check in content.checks.values()
    }


def admit_details(details: Iterable[OpenedDetail], *, looker: Looker, closed: Closed) -> Admitted:
    """Look at details that their leaves commit to."""
    kept: list[KeptDetail] = []
    aside: list[SetAside] = []
    for one in details:
        found = looker.admit_document(one.detail, closed.get(one.check or "", {}))
        if isinstance(found, Refused):
            place = f"leaf {one.leaf} {one.part}"
            aside.append(set_aside(one.detail, found, what="evidence detail", place=place))
        else:
            kept.append(KeptDetail(one.leaf, one.part, one.salt, found))
    return Admitted(tuple(kept), tuple(aside))


def set_aside(text: Arrived, refused: Refused, *, what: str, place: str) -> SetAside:
    """Return what is kept of text that was not admitted."""
    raw = text.unlooked().encode("utf-8", "replace")
    return SetAside(what, place, refused.forms, len(raw), hashlib.sha256(raw).digest())
