"""The machines' half of the route table: what appliances, desks and monitors may call."""

from central.api import agent, probes
from central.api.desk import take_ask, take_draft, take_opinion
from central.api.devices import take_devices
from central.api.evidence_back import give_evidence_back
from central.api.orders import fetch, take_back
from central.api.raw import RawAccess, RawEntry
from proto.envelope import ENVELOPE_BYTES_MAX
from proto.hub import check_in, desk, devices, enroll, evidence, orders

MACHINE_ROUTES: tuple[RawEntry, ...] = (
    RawEntry("GET", enroll.PATH_ROOT, RawAccess.ANYONE, agent.root),
    RawEntry("POST", enroll.PATH_ENROLL, RawAccess.SIGNED, agent.enroll, ENVELOPE_BYTES_MAX),
    RawEntry("POST", check_in.PATH, RawAccess.SIGNED, agent.check_in, ENVELOPE_BYTES_MAX),
    RawEntry(
        "POST",
        evidence.PATH,
        RawAccess.SIGNED,
        agent.take_evidence,
        evidence.BATCH_BYTES_MAX,
    ),
    RawEntry(
        "POST",
        evidence.PATH_BACK,
        RawAccess.SIGNED,
        give_evidence_back,
        ENVELOPE_BYTES_MAX,
    ),
    RawEntry("POST", devices.PATH, RawAccess.SIGNED, take_devices, ENVELOPE_BYTES_MAX),
    RawEntry("POST", orders.PATH, RawAccess.SIGNED, fetch, ENVELOPE_BYTES_MAX),
    RawEntry("POST", orders.PATH_BACK, RawAccess.SIGNED, take_back, orders.REPLY_BYTES_MAX),
    RawEntry("POST", desk.PATH_DRAFT, RawAccess.SIGNED, take_draft, ENVELOPE_BYTES_MAX),
    RawEntry("POST", desk.PATH_ASK, RawAccess.SIGNED, take_ask, ENVELOPE_BYTES_MAX),
    RawEntry("POST", desk.PATH_OPINION, RawAccess.SIGNED, take_opinion, ENVELOPE_BYTES_MAX),
    RawEntry("GET", "/healthz", RawAccess.ANYONE, probes.alive),
    RawEntry("GET", "/readyz", RawAccess.ANYONE, probes.ready),
)
