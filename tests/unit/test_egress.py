"""What leaves an appliance: scrubbed once, before it is committed to; and what is stopped."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from appliance.core.sentry import Sentry
from appliance.handlers import held_back
from appliance.handlers.device_list import lacks_devices, send_devices
from appliance.handlers.record import record
from appliance.handlers.scrubber import Scrubber, Source
from appliance.handlers.work import Work
from appliance.ports import HeldBackError
from appliance.shell.hub_client import HubClient
from appliance.store import devices, evidence, health, quarantine
from appliance.store.devices import Seen
from appliance.store.health import Condition
from appliance.tasks.check_in import full_state, tell_of_names
from appliance.tasks.uplink import send_all
from proto import strict_json
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.envelope import Kind, open_envelope
from proto.evidence import commit
from proto.findings import Finding, Scalar, Vantage, Verdict
from proto.hub.check_in import CheckIn
from proto.hub.devices import BODY_BYTES_MAX, DevicePage, DevicesReply, list_digest
from proto.hub.evidence import BATCH_BYTES_MAX, EvidenceBatch, EvidenceReply
from proto.hub.outgoing import Outgoing, wire
from proto.ids import TargetId
from proto.inventory import DeviceClass
from proto.keys import SigningKey, trust_one
from proto.phi import Result, default_names
from proto.phi.arrived import Arrived
from proto.phi.framing import Record
from proto.phi.inside import look_inside
from proto.phi.values import seal
from runtime import tls
from runtime.clock import SystemClock
from tests.fakes import tcp
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import SITE, small_site
from tests.unit.reference_set import HIPAA, NIST, as_files, reference_texts

needs_names = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
TARGET, OTHER = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb")
CHECK = "lin.greeting.text"
PERSON = "Welcome Maria Gonzalez, SSN 521-44-9921"
CANARY = "zq7-quillfeather"

GREETING = """id: lin.greeting.text
title: The greeting is plain
platform: linux
severity: low
controls:
  hipaa:164.312(a)(2)(i): a greeting
  nist_800_53:AC-6(2): a greeting
interval_s: 900
freshness_s: 3600
probe:
  kind: sh
  as_root: false
  timeout_s: 20
  script: |
    echo '{}'
answer:
  state: {enum: ["set", "password expired"], report: true}
  lines: {type: int, min: 0, max: 9, report: true}
  text: {type: text, max_chars: 400, report: true}
  kept: {type: text, max_chars: 400}
applies: []
judge: [{field: state, operator: eq, value: set}]
examples:
  - {answer: {state: set, lines: 1, text: a, kept: b}, verdict: compliant}
  - {answer: {state: password expired, lines: 1, text: a, kept: b}, verdict: drifted}
  - {answer: {state: set}, verdict: unknown}
"""


RULE = """id: l1.lin.greeting.text
conditions:
  - {field: check, operator: eq, value: lin.greeting.text}
action: escalate
scope: global
tests:
  - {incident: {check: lin.greeting.text, seen: {state: "password expired"}}, expect: escalate}
"""


def greeting() -> Content:
    found = {path: reference_texts()[path] for path in (HIPAA, NIST)}
    found[f"checks/linux/{CHECK}.yaml"] = GREETING
    found[f"l1/linux/l1.{CHECK}.yaml"] = RULE
    return load(as_files(found))


@dataclass
class HubThatLooks:
    """`ports.HubTransport` with the real last look, which answers as a good hub does."""

    signer: SigningKey
    sentry: Sentry
    sent: list[bytes] = field(default_factory=list)
    messages: list[Outgoing] = field(default_factory=list)
    hashes: dict[str, bytes] = field(default_factory=dict)

    async def send(self, message: Outgoing) -> bytes:
        """Keep a message, or hold it back; see `ports.HubTransport.send`."""
        request = wire(message, signer=self.signer)
        if alarms := self.sentry.look(request.body):
            raise HeldBackError(request.path, request.body, alarms)
        self.sent.append(request.body)
        self.messages.append(message)
        if isinstance(message, EvidenceBatch):
            return EvidenceReply(have=message.first + len(message.leaves)).to_bytes()
        assert isinstance(message, DevicePage)
        for entry in message.entries:
            self.hashes[entry.id] = hashlib.sha256(entry.to_bytes()).digest()
        held = list_digest(self.hashes[name] for name in sorted(self.hashes))
        return DevicesReply(held=held).to_bytes()

    def details(self) -> list[str]:
        """Return the text of every detail that was sent, in order."""
        found: list[str] = []
        for body, message in zip(self.sent, self.messages, strict=True):
            if not isinstance(message, EvidenceBatch):
                continue
            batch = EvidenceBatch[Arrived].from_bytes(body, "sent", size_bytes_max=BATCH_BYTES_MAX)
            found += [one.detail.unlooked() for one in batch.details]
        return found


class BlindScrubber(Scrubber):
    """The scrubber, gone blind: it lets everything through."""

    def record(self, record: Record, *, source: Source | str) -> Result:
        """Call any text scrubbed."""
        del source
        return Result(seal(record.text))


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Work]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        content = greeting()
        async with site.work.store.write() as conn:
            seen = [Seen(one, DeviceClass.SERVER, "", {}) for one in (TARGET, OTHER)]
            await devices.upsert(conn, seen, at_ms=1)
        sentry = Sentry()
        hub = HubThatLooks(site.work.scribe.key, sentry)
        yield replace(site.work, hub=hub, sentry=sentry, content=lambda: content)


def hub_of(work: Work) -> HubThatLooks:
    assert isinstance(work.hub, HubThatLooks)
    return work.hub


def blind(work: Work) -> Work:
    """Return the same work with a scrubber that sees nothing."""
    scrubber = BlindScrubber(
        work.scrubber.policy,
        work.scrubber.names,
        work.scrubber.vault,
        store=work.store,
        clock=work.clock,
    )
    return replace(work, scrubber=scrubber)


async def found(work: Work, **seen: Scalar) -> None:
    """Record a finding of the greeting."""
    finding = Finding(
        site=SITE,
        target=TARGET,
        check=CHECK,
        verdict=Verdict.DRIFTED,
        reason=None,
        seen={"state": "password expired", "lines": 2, **seen},
        at_ms=work.clock.now_ms(),
        vantage=Vantage.SSH,
        content=work.content().digest,
    )
    await record(work, [finding])


async def label(work: Work, device: TargetId, text: str) -> None:
    async with work.store.write() as conn:
        await devices.set_label(conn, device, text)


async def conditions(work: Work) -> set[Condition]:
    async with work.store.read() as conn:
        return set(await health.raised(conn))


async def held(work: Work) -> quarantine.Tally:
    async with work.store.read() as conn:
        return await quarantine.tally(conn)


@needs_names
async def test_text_is_scrubbed_before_it_is_committed_to_and_closed_values_stay(
    work: Work,
) -> None:
    await found(work, text=PERSON)
    await send_all(work)
    (detail,) = hub_of(work).details()
    told = strict_json.loads(detail.encode(), size_bytes_max=4096)
    assert isinstance(told, dict)
    assert (told["state"], told["lines"]) == ("password expired", 2)
    text = str(told["text"])
    assert "[NAME-" in text
    assert "Gonzalez" not in detail
    async with work.store.read() as conn:
        leaves = await evidence.batch(conn, work.scribe, 0, leaves_max=9, bytes_max=10**6)
        rows = list(await conn.execute_fetchall("SELECT seen FROM findings"))
    ((first, opening),) = [(one, had) for one in leaves for had in one.openings.values()]
    assert str(opening.detail) == detail
    assert strict_json.b64_encode(commit(opening.salt, detail.encode())) in _body(first.envelope)
    assert "Gonzalez" in rows[0]["seen"], "people of the site still read what is there"


def _body(envelope: str) -> str:
    outer = strict_json.loads(envelope.encode(), size_bytes_max=65536)
    assert isinstance(outer, dict)
    return strict_json.b64_decode(outer["payload"], "payload").decode()


@needs_names
async def test_the_same_answer_is_told_in_the_same_words_and_once(work: Work) -> None:
    for _ in range(3):
        await found(work, text=PERSON)
    await send_all(work)
    assert len(hub_of(work).details()) == 1
    await found(work, text="Welcome")
    await found(work, text=PERSON)
    await send_all(work)
    first, other, again = hub_of(work).details()
    assert first == again != other


@needs_names
async def test_text_that_grows_too_long_for_a_detail_is_left_out(work: Work) -> None:
    await found(work, text="x" * 400, kept="")
    many = " ".join(f"SSN 521-44-{number:04}" for number in range(1, 2000))
    await found(work, text=many)
    await send_all(work)
    assert "[too long to tell]" in hub_of(work).details()[-1]


@needs_names
async def test_what_a_blind_scrubber_lets_out_is_stopped_and_the_rest_goes_on(work: Work) -> None:
    await found(blind(work), text=PERSON)
    await found(blind(work), text="nothing special")
    size = await send_all(work)
    hub = hub_of(work)
    assert all(b"521-44" not in body and not look_inside(body) for body in hub.sent)
    assert [strict_json.loads(one.encode(), size_bytes_max=999) for one in hub.details()] == [
        {"state": "password expired", "lines": 2, "text": "nothing special"}
    ]
    async with work.store.read() as conn:
        head = await evidence.head(conn)
    assert head.acked_size == size, "every leaf went, the one without its detail too"
    assert Condition.TEXT_HELD_BACK in await conditions(work)
    assert await held(work) == quarantine.Tally(1, ("ssn",))
    assert await send_all(work) == head.tree.size, "the alarm itself is evidence, and arrives"


async def test_a_canary_is_stopped_wherever_it_is_told(work: Work) -> None:
    work.sentry.canaries = (CANARY.encode(),)
    await found(blind(work), text=f"user {CANARY.upper()} logged in")
    await send_all(work)
    await label(work, TARGET, f"pc of {CANARY}")
    await label(work, OTHER, "front desk")
    await send_devices(blind(work))
    await send_devices(blind(work))
    assert all(CANARY.encode() not in body.lower() for body in hub_of(work).sent)
    assert await held(work) == quarantine.Tally(2, ("canary",))
    page = hub_of(work).messages[-1]
    assert isinstance(page, DevicePage)
    assert [str(entry.label) for entry in page.entries] == ["None", "front desk"]


async def test_what_was_held_back_is_kept_sealed_until_a_person_or_time_drops_it(
    work: Work,
) -> None:
    await found(blind(work), text=PERSON)
    await send_all(work)
    async with work.store.read() as conn:
        (row,) = await conn.execute_fetchall("SELECT * FROM quarantine")
    context = quarantine.context(row["sha256"])
    assert b"521-44-9921" in work.sealer.open(row["sealed"], context=context).reveal_bytes()
    await held_back.prune(work)
    assert Condition.TEXT_HELD_BACK in await conditions(work)
    assert await held_back.forget_held_back(work) == 1
    assert Condition.TEXT_HELD_BACK not in await conditions(work)
    assert await held(work) == quarantine.Tally(0, ())


async def test_the_quarantine_is_bounded_and_the_same_piece_is_one(work: Work) -> None:
    alarms = look_inside(PERSON.encode())
    for number in range(quarantine.ROWS_MAX + 5):
        for _ in range(2):
            piece = held_back.Stopped("x", f"{number} {PERSON}".encode(), alarms)
            await held_back.hold_back(work, piece)
    assert (await held(work)).pieces == quarantine.ROWS_MAX
    long = held_back.Stopped("x", b"x" * 10**6, alarms)
    await held_back.hold_back(work, long)
    async with work.store.read() as conn:
        rows = list(await conn.execute_fetchall("SELECT max(length(sealed)) AS n FROM quarantine"))
    assert rows[0]["n"] < quarantine.PIECE_BYTES_MAX + 200


@needs_names
async def test_devices_are_told_by_scrubbed_names_page_by_page_and_once(work: Work) -> None:
    await label(work, TARGET, "Maria Gonzalez laptop")
    await label(work, OTHER, "front desk")
    digest = (await full_state(work)).device_list
    assert await lacks_devices(work, digest)
    await send_devices(work)
    assert not await lacks_devices(work, digest)
    (page,) = hub_of(work).messages
    assert isinstance(page, DevicePage)
    assert page.digest == digest
    told = [str(entry.label) for entry in page.entries]
    assert told[1] == "front desk"
    assert "[NAME-" in told[0]
    trust = trust_one("appliance", work.scribe.key.public)
    opened = open_envelope(hub_of(work).sent[0], kind=Kind.DEVICES, trust=trust)
    DevicePage[Arrived].from_bytes(opened.body, "page", size_bytes_max=BODY_BYTES_MAX)
    await label(work, OTHER, "back office")
    assert await lacks_devices(work, (await full_state(work)).device_list)


async def test_a_name_that_becomes_known_is_taken_out_of_the_list_that_was_sent(
    work: Work,
) -> None:
    """The list of known people is read while the appliance runs."""
    await label(work, TARGET, "Front desk")
    before = (await full_state(work)).device_list
    work.scrubber.use_names(None)
    after = (await full_state(work)).device_list
    assert after != before


async def test_without_names_no_text_leaves_and_people_are_told(work: Work) -> None:
    work.scrubber.use_names(None)
    await tell_of_names(work)
    assert Condition.NAMES_MISSING in await conditions(work)
    await label(work, TARGET, "front desk")
    await found(work, text="Welcome")
    await send_all(work)
    await send_devices(work)
    (detail,) = hub_of(work).details()
    assert "[WITHHELD-" in detail
    assert "password expired" in detail
    assert "Welcome" not in detail
    page = hub_of(work).messages[-1]
    assert isinstance(page, DevicePage)
    assert str(page.entries[0].label).startswith("[WITHHELD-")


async def test_a_stored_detail_that_was_changed_does_not_leave(work: Work) -> None:
    await found(work, text="Welcome")
    async with work.store.write() as conn:
        await conn.execute(
            "UPDATE evidence_details SET detail = ?", (b'{"text":"Maria Gonzalez"}',)
        )
    with pytest.raises(Exception, match="not what its leaf commits to"):
        await send_all(work)
    assert hub_of(work).sent == []


@dataclass
class Listener:
    """A TLS server that keeps what it was sent and answers nothing of use."""

    got: bytearray = field(default_factory=bytearray)
    port: int = 0
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep one request and answer it."""
        self.connections += 1
        self.got += await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[tuple[Listener, ssl.SSLContext]]:
    material = tls.ensure(
        tmp_path / "tls", ["127.0.0.1"], now_ms=SystemClock().now_ms(), common_name="listener"
    )
    made = Listener()
    authority = (tmp_path / "tls" / tls.CA_CERT).read_text("ascii")
    async with tcp.serving(made.serve, tls=tls.server_context(material)) as made.port:
        yield made, tls.client_context(authority)


def quiet(version: str) -> CheckIn:
    return CheckIn(
        appliance="a-aaaaaaaaaa",
        seq=1,
        iat=1,
        challenge=strict_json.b64_encode(bytes(16)),
        as_of=0,
        state=strict_json.b64_encode(version.encode().ljust(32, b".")),
    )


async def test_the_real_client_sends_messages_and_not_a_byte_of_one_with_a_canary(
    work: Work, listener: tuple[Listener, ssl.SSLContext]
) -> None:
    made, context = listener
    sentry = Sentry(canaries=(CANARY.encode(),))
    origin = f"https://127.0.0.1:{made.port}"
    client = HubClient(origin, tls=context, signer=work.scribe, sentry=sentry)
    try:
        # Nothing but closed types is in a check-in, so the canary hides in its digest.
        with pytest.raises(HeldBackError) as caught:
            await client.send(quiet(CANARY))
        assert made.connections == 0
        assert {alarm.form for alarm in caught.value.alarms} == {"canary"}
        assert CANARY not in str(caught.value)
        assert await client.send(quiet("nothing")) == b"{}"
        assert made.connections == 1
        assert b"vnd.osiris.checkin" in made.got
    finally:
        await client.close()
