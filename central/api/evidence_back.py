"""Giving an appliance its own evidence back: for one whose disk was put back to an earlier day."""

from typing import Final

from central.api.agent import Sender
from central.api.asked import open_asked
from central.state import Hub
from central.store import evidence
from proto.envelope import Kind
from proto.hub.evidence import EvidenceBack, EvidenceWanted

LEAVES_MAX: Final = 64
BYTES_MAX: Final = 512 * 1024


async def give_evidence_back(hub: Hub, body: bytes, sender: Sender) -> bytes:
    """Return leaves of the asking appliance's own log, as it sent them.

    Raises:
        UnknownKeyError: no enrolled appliance signed the question.
        OtherApplianceError: it names another one.
        ClockError: it is not of now.
        MalformedError: it is no such question.
    """
    known, asked = open_asked(hub, body, sender, kind=Kind.RECALL, message=EvidenceWanted)
    async with hub.store.read() as connection:
        tree = await evidence.load_tree(known.site, connection, appliance=known.appliance)
        found = await evidence.leaf_envelopes(
            known.site,
            connection,
            appliance=known.appliance,
            first=asked.first,
            limit=LEAVES_MAX,
        )
    sent: list[str] = []
    total = 0
    for leaf in found:
        total += len(leaf)
        if sent and total > BYTES_MAX:
            break
        sent.append(leaf.decode("ascii"))
    return EvidenceBack(first=asked.first, leaves=tuple(sent), have=tree.size).to_bytes()
