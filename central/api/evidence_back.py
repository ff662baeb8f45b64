"""Giving an appliance its own evidence back: for one whose disk was put back to an earlier day."""

from typing import Final

from central.api.agent import Sender
from central.core.refusals import ClockError, OtherApplianceError, UnknownKeyError
from central.state import Hub
from central.store import evidence
from proto import envelope
from proto.envelope import BODY_BYTES_MAX, Kind
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
    parsed = envelope.parse(body)
    known = sender.known = hub.registry.by_key_ids(parsed.key_ids)
    if known is None:
        msg = "evidence: signed by no key of an enrolled appliance"
        raise UnknownKeyError(msg)
    opened = parsed.open(kind=Kind.RECALL, trust=known.trust)
    asked = EvidenceWanted.from_bytes(opened.body, "recall", size_bytes_max=BODY_BYTES_MAX)
    if asked.appliance != known.appliance:
        msg = f"recall.appliance: {asked.appliance} is not {known.appliance}, whose key signed it"
        raise OtherApplianceError(msg)
    now_s = hub.now_ms // 1000
    if abs(asked.iat - now_s) > hub.settings.clock_skew_s:
        msg = f"recall.iat: {asked.iat} is {asked.iat - now_s} s from the hub's time {now_s}"
        raise ClockError(msg)
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
