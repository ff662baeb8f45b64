"""What an appliance tells its hub, and what of the hub's answers it believes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from appliance.core.records import health_draft
from appliance.handlers.work import HubTrust, Work
from appliance.store import evidence, health, order_log
from appliance.tasks import uplink
from appliance.tasks.check_in import BACKOFF_MAX_S, JITTER, backoff_s, check_in, jittered
from appliance.tasks.uplink import send_all
from proto import merkle, note
from proto.envelope import Kind, open_envelope, sign
from proto.errors import IntegrityError, RejectedError, UnreachableError
from proto.hub.check_in import BODY_BYTES_MAX, NOTHING_ACKNOWLEDGED, CheckIn, Head
from proto.hub.devices import DevicePage, DevicesReply
from proto.hub.evidence import BATCH_BYTES_MAX, EvidenceBatch, EvidenceReply
from proto.hub.outgoing import Outgoing, wire
from proto.invariants import InvariantError, require
from proto.keys import SEED_BYTES, Holder, KeyRing, SigningKey, Threshold, trust_one
from proto.note import Algorithm, Checkpoint, NoteKey
from proto.phi.arrived import Arrived
from tests.fakes.clock import SeededEntropy
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell
from tests.unit.discovery_site import small_site

ENTROPY = SeededEntropy(9)
HUB, LOG, STRANGER = (SigningKey(ENTROPY(SEED_BYTES)) for _ in range(3))
NAME = "hub.example:8443"
Answer = Callable[[bytes], bytes]


@dataclass
class Told:
    """`ports.HubTransport` that keeps what it was sent and answers as it was told to."""

    answer: Answer
    signer: SigningKey
    sent: list[bytes] = field(default_factory=list)

    async def send(self, message: Outgoing) -> bytes:
        """Answer a message; see `ports.HubTransport.send`."""
        if isinstance(message, DevicePage):
            return DevicesReply(held=message.digest).to_bytes()
        request = wire(message, signer=self.signer)
        self.sent.append(request.body)
        return self.answer(request.body)


def unheard(_: bytes) -> bytes:
    msg = "no answer"
    raise UnreachableError(msg)


@pytest.fixture
async def work(tmp_path: Path) -> AsyncIterator[Work]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as site:
        cosigner = NoteKey(NAME, LOG.public, Algorithm.COSIGNATURE)
        trust = HubTrust(Threshold(KeyRing((Holder("hub", HUB.public),))), (cosigner,))
        yield replace(site.work, hub=Told(unheard, site.work.scribe.key), trust=trust)


def told(work: Work, answer: Answer) -> Told:
    """Make the hub answer like this from now on."""
    assert isinstance(work.hub, Told)
    work.hub.answer = answer
    work.hub.sent.clear()
    return work.hub


def heard(work: Work, body: bytes) -> CheckIn:
    """Verify and return a check-in."""
    trust = trust_one("appliance", work.scribe.key.public)
    opened = open_envelope(body, kind=Kind.CHECKIN, trust=trust)
    return CheckIn.from_bytes(opened.body, "check_in", size_bytes_max=BODY_BYTES_MAX)


def head(
    work: Work,
    *,
    state: str | None = None,
    challenge: str | None = None,
    key: SigningKey = HUB,
    orders: int = 0,
) -> Answer:
    """Answer check-ins; by default with the state that they name and the key that is trusted."""

    def answer(body: bytes) -> bytes:
        said = heard(work, body)
        body_ = Head(
            challenge=challenge or said.challenge,
            time=1,
            state=state or said.state,
            next_s=7,
            orders=orders,
        )
        return sign(Kind.HEAD, body_.to_bytes(), key)

    return answer


async def test_a_check_in_is_quiet_while_the_hub_holds_the_state(work: Work) -> None:
    hub = told(work, head(work))
    assert await check_in(work) == work.settings.check_in_s
    (said,) = [heard(work, body) for body in hub.sent]
    assert said.full is None
    assert len(hub.sent[0]) < 600


async def test_a_hub_that_names_another_state_gets_the_full_one_next(work: Work) -> None:
    hub = told(work, head(work, state=NOTHING_ACKNOWLEDGED))
    await check_in(work)
    first, second = [heard(work, body) for body in hub.sent]
    assert first.full is None
    assert second.full is not None
    assert second.seq == first.seq + 1


async def test_numbers_rise_even_when_nobody_ever_answers(work: Work) -> None:
    hub = told(work, unheard)
    for _ in range(3):
        with pytest.raises(UnreachableError):
            await check_in(work)
    assert [heard(work, body).seq for body in hub.sent] == [1, 2, 3]
    challenges = {heard(work, body).challenge for body in hub.sent}
    assert len(challenges) == 3


async def test_an_answer_to_another_request_or_by_another_key_is_not_believed(work: Work) -> None:
    for answer in (
        head(work, challenge="AAAAAAAAAAAAAAAAAAAAAA=="),
        head(work, key=STRANGER),
        lambda body: body,
        lambda _: b"<html>Sign in to the guest network</html>",
    ):
        told(work, answer)
        with pytest.raises(RejectedError):
            await check_in(work)


def test_waits_grow_to_a_bound_and_jitter_only_shortens_them(work: Work) -> None:
    waits = [backoff_s(failures) for failures in range(1, 60)]
    assert waits == sorted(waits)
    assert waits[-1] == BACKOFF_MAX_S
    drawn = {jittered(work, 100.0) for _ in range(200)}
    assert all(100.0 * (1 - JITTER) <= one <= 100.0 for one in drawn)
    assert len(drawn) > 100


async def grow(work: Work, leaves: int) -> None:
    for _ in range(leaves):
        async with work.store.write() as conn:
            draft = health_draft(work.author(), "disk_low", ok=False)
            await evidence.append(conn, work.scribe, [draft])


async def acked(work: Work) -> int:
    async with work.store.read() as conn:
        return (await evidence.head(conn)).acked_size


def batch_of(body: bytes) -> EvidenceBatch[Arrived]:
    return EvidenceBatch[Arrived].from_bytes(body, "evidence", size_bytes_max=BATCH_BYTES_MAX)


def has(count: int, *, cosigned: str | None = None) -> Answer:
    return lambda _: EvidenceReply(have=count, cosigned=cosigned).to_bytes()


def in_turn(*answers: Answer) -> Answer:
    left = iter(answers)

    def answer(body: bytes) -> bytes:
        return next(left)(body)

    return answer


def cosigned(work: Work, envelopes: list[bytes], *, signer: SigningKey = LOG) -> str:
    """Return a checkpoint over these leaves, cosigned."""
    tree = merkle.Tree().extend(merkle.leaf_hash(one) for one in envelopes)
    checkpoint = Checkpoint(work.scribe.origin, tree.size, tree.root)
    signed = note.sign_checkpoint(checkpoint, signer=work.scribe.key)
    line = note.cosign(checkpoint, name=NAME, signer=signer, time_s=5)
    return note.parse(signed).with_signature(line).decode()


async def envelopes(work: Work) -> list[bytes]:
    async with work.store.read() as conn:
        batch = await evidence.batch(conn, work.scribe, 0, leaves_max=100, bytes_max=10**9)
    return [leaf.envelope.encode() for leaf in batch]


async def test_a_lost_answer_only_makes_the_same_leaves_go_again(work: Work) -> None:
    await grow(work, 3)
    hub = told(work, unheard)
    for _ in range(2):
        with pytest.raises(UnreachableError):
            await send_all(work)
    first, second = [batch_of(body) for body in hub.sent]
    assert (first.first, first.leaves) == (second.first, second.leaves)
    assert await acked(work) == 0


async def test_what_the_hub_holds_is_not_sent_again(work: Work) -> None:
    await grow(work, 3)
    told(work, has(3))
    assert await send_all(work) == 3
    hub = told(work, has(5))
    await grow(work, 2)
    await send_all(work)
    assert [batch_of(body).first for body in hub.sent] == [3]
    assert await acked(work) == 5


async def test_a_cosignature_counts_only_over_this_appliances_own_log(work: Work) -> None:
    await grow(work, 3)
    mine = await envelopes(work)
    for forged in (
        cosigned(work, [*mine[:2], b"another leaf"]),
        cosigned(work, mine, signer=STRANGER),
    ):
        told(work, has(3, cosigned=forged))
        with pytest.raises((IntegrityError, RejectedError)):
            await send_all(work)
        assert await acked(work) == 0
    told(work, has(3, cosigned=cosigned(work, mine)))
    await send_all(work)
    assert await acked(work) == 3


async def test_a_hub_that_claims_more_than_there_is_changes_nothing(work: Work) -> None:
    await grow(work, 2)
    told(work, has(9))
    with pytest.raises(IntegrityError, match="9 leaves of 2"):
        await send_all(work)
    assert await acked(work) == 0


async def test_a_hub_that_takes_nothing_is_not_asked_for_ever(work: Work) -> None:
    await grow(work, 2)
    hub = told(work, has(0))
    with pytest.raises(RejectedError, match="took nothing"):
        await send_all(work)
    assert len(hub.sent) < 3


async def test_a_broken_invariant_ends_the_uplink_and_is_no_refusal(work: Work) -> None:
    """Reported as refused evidence, a process whose memory is wrong would go on signing."""

    def breaks(_: bytes) -> bytes:
        require(condition=False, what="the log only grows")
        return b""

    await grow(work, 1)
    told(work, breaks)
    work.word.is_level = True
    with pytest.raises(InvariantError, match="only grows"):
        async with asyncio.timeout(5):
            await uplink.run(work)
    async with work.store.read() as conn:
        assert not await health.raised(conn)


async def test_nothing_is_sent_before_the_hub_said_that_it_holds_no_more(work: Work) -> None:
    """What a disk that was put back goes on with would be a fork of what the hub holds."""
    asked = asyncio.Event()

    def hears(body: bytes) -> bytes:
        asked.set()
        return has(3)(body)

    await grow(work, 3)
    hub = told(work, hears)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await uplink.run(work)
    assert not hub.sent
    work.word.is_level = True
    sending = asyncio.create_task(uplink.run(work))
    await asked.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_a_hub_that_holds_fewer_than_it_said_is_believed_and_gets_them_again(
    work: Work,
) -> None:
    """Put back to a backup; until it has them again nothing of them may be given up here."""
    await grow(work, 5)
    told(work, has(5))
    await send_all(work)
    mine = await envelopes(work)
    hub = told(work, in_turn(has(2), has(6)))
    assert await send_all(work, asks=True) == 6
    first, second = (batch_of(body) for body in hub.sent)
    assert (first.first, first.leaves) == (5, ())
    assert (second.first, len(second.leaves)) == (2, 4), "with the leaf that tells of it"
    assert [one.encode() for one in second.leaves[:3]] == mine[2:5]
    async with work.store.read() as conn:
        assert health.Condition.HUB_WENT_BACK in await health.raised(conn)


async def test_between_asking_and_giving_back_what_was_lost_counts_as_not_held(work: Work) -> None:
    await grow(work, 5)
    told(work, has(5))
    await send_all(work)
    told(work, in_turn(has(2), unheard))
    with pytest.raises(UnreachableError):
        await send_all(work, asks=True)
    assert await acked(work) == 2


async def test_an_older_cosigned_head_does_not_replace_a_newer_one(work: Work) -> None:
    await grow(work, 3)
    mine = await envelopes(work)
    newest = cosigned(work, mine)
    told(work, has(3, cosigned=newest))
    await send_all(work)
    older = has(1, cosigned=cosigned(work, mine[:1]))
    told(work, in_turn(older, has(4)))
    await send_all(work, asks=True)
    async with work.store.read() as conn:
        assert (await evidence.head(conn)).cosigned == newest


async def test_a_hub_is_asked_only_when_there_is_something_it_could_have_lost(work: Work) -> None:
    hub = told(work, unheard)
    assert await send_all(work, asks=True) == 0
    assert hub.sent == []


async def test_history_ends_where_the_order_log_stood_at_the_first_check_in(work: Work) -> None:
    """The first order of a site is logged while its appliance asks for the first time."""
    for said in (3, 5):
        told(work, head(work, orders=said))
        await check_in(work)
    async with work.store.read() as conn:
        held = await order_log.held(conn, "a log")
    assert (held.enrolled_at, held.judged) == (3, 3)


async def test_a_check_in_that_shows_a_hub_that_forgot_makes_the_uplink_ask(work: Work) -> None:
    told(work, head(work))
    await check_in(work)
    assert not await work.bells.ask.wait(0)
    await grow(work, 1)
    hub = told(work, head(work, state="A" * 43 + "="))
    await check_in(work)
    assert len(hub.sent) > 1
    assert await work.bells.ask.wait(0)
