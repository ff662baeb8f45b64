"""What devices are called: labels, names and makers, scrubbed, page by page.

They are no part of the check-in, because a heartbeat has to stay small and a site has thousands of
devices; and no part of the evidence, because a log keeps for six years what a person may want
erased tomorrow. A page replaces what the hub holds of a range of ids, so a page that comes twice,
or again after a crash, changes nothing. `list_digest` over all entries stands in the full state:
by it both sides know whether the hub holds the list as it is now.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from proto.inventory import DeviceClass
from proto.message import (
    ApplianceIdField,
    B64Of32,
    Count,
    Message,
    Seconds,
    TargetIdField,
    VersionOne,
)
from proto.phi.arrived import Arrived
from proto.phi.values import Scrubbed
from proto.strict_json import b64_encode

PATH = "/api/agent/devices"
PAGE_BYTES_MAX = 12 * 1024
ENTRIES_MAX = 100
TEXT_CHARS_MAX = 320
BODY_BYTES_MAX = 16 * 1024
NOTHING_HELD = b64_encode(hashlib.sha256(b"").digest())
"""The digest of an empty list."""

Text = TypeVar("Text", Scrubbed, Arrived)


class DeviceEntry(Message, Generic[Text]):
    """One device in words. Text that is too long to leave is left out, as None.

    Attributes:
        label: what a person of the site calls it.
        name: what it calls itself on the network.
        vendor: who made its network card.
        off_limits: it is looked at from afar only.
    """

    id: TargetIdField
    device_class: Annotated[DeviceClass, Field(strict=False)]
    off_limits: bool
    label: Annotated[Text, Field(max_length=TEXT_CHARS_MAX)] | None
    name: Annotated[Text, Field(max_length=TEXT_CHARS_MAX)] | None
    vendor: Annotated[Text, Field(max_length=TEXT_CHARS_MAX)] | None


class DevicePage(Message, Generic[Text]):
    """Body of the request: an envelope of kind devices, signed by the appliance.

    It speaks for all ids above `after` up to `until`: what is not in `entries` is no more.

    Attributes:
        seq: rises with every page the appliance ever sends; a lower one is a replay.
        digest: `list_digest` of the whole list that this page is of.
        after: the last id of the page before, None for the first page.
        until: the last id this page speaks for, None for the last page: to the end.
    """

    v: VersionOne = 1
    appliance: ApplianceIdField
    seq: Count
    iat: Seconds
    digest: B64Of32
    after: TargetIdField | None
    until: TargetIdField | None
    entries: Annotated[tuple[DeviceEntry[Text], ...], Field(strict=False, max_length=ENTRIES_MAX)]


class DevicesReply(Message):
    """Body of the answer.

    Attributes:
        held: `list_digest` of what the hub holds after this page.
    """

    v: VersionOne = 1
    held: B64Of32


def entry_hash(entry: DeviceEntry[Scrubbed]) -> bytes:
    """Return the SHA-256 of an entry as it travels, 32 bytes."""
    return hashlib.sha256(entry.to_bytes()).digest()


def list_digest(hashes: Iterable[bytes]) -> str:
    """Return base64 SHA-256 over the entries' hashes in the order of their ids."""
    return b64_encode(hashlib.sha256(b"".join(hashes)).digest())


def pages(
    entries: Sequence[DeviceEntry[Scrubbed]],
) -> list[tuple[str | None, str | None, tuple[DeviceEntry[Scrubbed], ...]]]:
    """Return the list cut into pages: after, until and entries of each; one page at least.

    Args:
        entries: by ascending id.
    """
    cut: list[list[DeviceEntry[Scrubbed]]] = [[]]
    size = 0
    for entry in entries:
        grown = len(entry.to_bytes()) + 1
        if cut[-1] and (size + grown > PAGE_BYTES_MAX or len(cut[-1]) == ENTRIES_MAX):
            cut.append([])
            size = 0
        cut[-1].append(entry)
        size += grown
    ends = [page[-1].id for page in cut[:-1]]
    return [
        (after, until, tuple(page))
        for after, until, page in zip([None, *ends], [*ends, None], cut, strict=True)
    ]
