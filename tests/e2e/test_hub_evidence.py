"""Evidence: mirrored, verified, co-signed and folded, against a whole hub over real SQLite."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from central.core.ingest import (
    LEAVES_A_STEP,
    Held,
    Mirror,
    accept,
    accept_in_steps,
    open_shown,
    read_batch,
)
from central.core.signing import log_name
from central.store import tables
from proto import note
from proto.errors import UnreachableError
from proto.evidence import HealthLeaf
from proto.findings import Verdict
from proto.hub.evidence import PATH, EvidenceReply
from proto.merkle import Tree
from proto.note import Algorithm, NoteKey
from tests.e2e.test_hub_orders import no_answer
from tests.fakes.box import Box, said
from tests.fakes.hub import ORIGIN, Fault, Trial, trial

TARGET = "t-aaaaaaaaaa"
CHECK = "lin.ssh.root_login"
FOLDED = (tables.leaves, tables.findings, tables.checkpoints, tables.heads, tables.details)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


@pytest.fixture
async def box(hub: Trial) -> Box:
    return await hub.box()


def some_scans(box: Box, count: int, *, at_s: int = 1_767_225_600) -> None:
    for n in range(count):
        drifted = n % 2 == 0
        verdict = Verdict.DRIFTED if drifted else Verdict.COMPLIANT
        value = {"value": "yes" if drifted else "no"}
        box.scan(TARGET, {CHECK: (verdict, value)}, at_s=at_s + n)


async def send(hub: Trial, body: bytes) -> EvidenceReply:
    answer = await hub.net.post(PATH, body)
    return EvidenceReply.from_bytes(answer, "reply", size_bytes_max=65536)


async def refused(hub: Trial, body: bytes, status: int) -> str:
    before = [await hub.count(table) for table in FOLDED]
    got, answer = await hub.net.request("POST", PATH, body)
    assert got == status, answer
    assert [await hub.count(table) for table in FOLDED] == before
    assert await hub.count(tables.refusals) >= 1
    return str(said(answer)["code"])


async def standing(hub: Trial) -> set[str]:
    async with hub.net.hub.store.read() as connection:
        rows = await connection.execute(tables.conditions.select())
        return {row.code for row in rows if row.cleared_ms is None}


async def test_a_log_is_mirrored_and_its_head_cosigned(hub: Trial, box: Box) -> None:
    some_scans(box, 5)
    reply = await send(hub, box.batch())
    assert reply.have == 5
    assert reply.cosigned is not None
    witness = NoteKey(log_name(ORIGIN), hub.root.log_keys[0], Algorithm.COSIGNATURE)
    opened = note.open_checkpoint(
        reply.cosigned.encode(),
        origin=box.origin,
        log_keys=(box.key.public,),
        cosigners=(witness,),
    )
    assert opened.checkpoint.size == 5
    assert [one.time_s for one in opened.cosigned] == [hub.now_s]


async def test_the_stored_leaves_are_the_very_bytes_that_were_signed(hub: Trial, box: Box) -> None:
    some_scans(box, 3)
    await send(hub, box.batch())
    async with hub.net.hub.store.read() as connection:
        rows = await connection.execute(tables.leaves.select().order_by(tables.leaves.c.leaf))
        assert [row.envelope for row in rows] == box.leaves


async def test_findings_are_the_fold_of_the_log(hub: Trial, box: Box) -> None:
    some_scans(box, 3)
    await send(hub, box.batch())
    async with hub.net.hub.store.read() as connection:
        row = (await connection.execute(tables.findings.select())).one()
    assert (row.target, row.check_id, row.verdict, row.leaf) == (TARGET, CHECK, "drifted", 2)


async def test_a_lost_answer_doubles_nothing(hub: Trial, box: Box) -> None:
    some_scans(box, 4)
    hub.net.faults = [Fault.REPLY_LOST]
    with pytest.raises(Exception, match="lost"):
        await send(hub, box.batch())
    assert (await send(hub, box.batch())).have == 4
    assert await hub.count(tables.leaves) == 4
    assert await hub.count(tables.checkpoints) == 1


async def test_a_resent_batch_gets_the_same_cosigned_head(hub: Trial, box: Box) -> None:
    some_scans(box, 4)
    first = await send(hub, box.batch())
    hub.clock.advance(60_000)
    assert await send(hub, box.batch()) == first


async def test_a_log_in_parts_is_cosigned_when_it_is_whole(hub: Trial, box: Box) -> None:
    some_scans(box, 6)
    assert await send(hub, box.batch(0, 2)) == EvidenceReply(have=2)
    assert await send(hub, box.batch(2, 5)) == EvidenceReply(have=5)
    last = await send(hub, box.batch(5, 6))
    assert last.have == 6
    assert last.cosigned is not None


async def test_leaves_that_overlap_what_is_held_are_taken_from_there(hub: Trial, box: Box) -> None:
    some_scans(box, 6)
    await send(hub, box.batch(0, 4))
    assert (await send(hub, box.batch(2, 6))).have == 6
    assert await hub.count(tables.leaves) == 6


async def test_a_gap_is_answered_with_what_is_held_and_stores_nothing(hub: Trial, box: Box) -> None:
    some_scans(box, 6)
    await send(hub, box.batch(0, 2))
    assert await send(hub, box.batch(4, 6)) == EvidenceReply(have=2)
    assert await hub.count(tables.leaves) == 2


async def test_reordered_leaves_are_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 4)
    box.leaves[1], box.leaves[2] = box.leaves[2], box.leaves[1]
    assert await refused(hub, box.batch(), 403) == "leaf_refused"


async def test_a_leaf_signed_by_another_key_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    other = await hub.box("Other")
    other.site, other.appliance = box.site, box.appliance
    other.leaves, other.details = list(box.leaves), dict(box.details)
    some_scans(other, 1)
    box.leaves.append(other.leaves[2])
    box.details[2] = []
    assert await refused(hub, box.batch(), 403) == "leaf_refused"


async def test_a_leaf_of_another_appliances_log_is_refused(hub: Trial, box: Box) -> None:
    leaf = HealthLeaf(site=box.site, appliance="a-aaaaaaaaaa", seq=0, at=1, code="x", ok=True)
    box.append(leaf)
    assert await refused(hub, box.batch(), 403) == "leaf_refused"


async def test_a_checkpoint_signed_by_another_key_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    other = await hub.box("Other")
    other.origin, other.leaves = box.origin, box.leaves
    assert await refused(hub, box.batch(checkpoint=other.checkpoint()), 403) == "note_unsigned"


async def test_a_checkpoint_changed_after_signing_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    changed = box.checkpoint().replace("\n2\n", "\n3\n")
    assert await refused(hub, box.batch(checkpoint=changed), 403) == "note_signature"


async def test_a_checkpoint_of_another_log_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    right = box.origin
    box.origin = f"{right}x"
    checkpoint = box.checkpoint()
    box.origin = right
    assert await refused(hub, box.batch(checkpoint=checkpoint), 403) == "note_unsigned"


async def test_a_root_that_the_leaves_do_not_lead_to_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 3)
    wrong = box.checkpoint(root=bytes(32))
    assert await refused(hub, box.batch(checkpoint=wrong), 403) == "checkpoint_refused"


async def test_a_checkpoint_smaller_than_its_leaves_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 3)
    assert await refused(hub, box.batch(checkpoint=box.checkpoint(2)), 403) == "checkpoint_refused"


async def test_a_second_history_is_refused_and_stays_in_the_health(hub: Trial, box: Box) -> None:
    some_scans(box, 4)
    await send(hub, box.batch())
    box.leaves, box.details = box.leaves[:2], {0: [], 1: []}
    some_scans(box, 4, at_s=1_767_300_000)
    assert await refused(hub, box.batch(), 409) == "evidence_fork"
    assert await standing(hub) == {"evidence_fork"}


async def test_a_second_root_at_a_cosigned_size_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 4)
    await send(hub, box.batch())
    wrong = box.checkpoint(root=bytes(32))
    assert await refused(hub, box.batch(4, 4, checkpoint=wrong), 409) == "evidence_fork"


async def test_a_log_that_was_set_back_is_refused_until_it_goes_on_from_there(
    hub: Trial, box: Box
) -> None:
    some_scans(box, 5)
    await send(hub, box.batch(0, 3, checkpoint=box.checkpoint(3)))
    await send(hub, box.batch())
    short = box.batch(0, 2, checkpoint=box.checkpoint(2))
    assert await refused(hub, short, 409) == "evidence_rollback"
    assert await standing(hub) == {"evidence_rollback"}
    some_scans(box, 1)
    await send(hub, box.batch(5))
    assert await standing(hub) == set()


async def test_a_detail_that_its_leaf_does_not_commit_to_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    box.details[1] = [{**box.details[1][0], "detail": '{"value":"yes"}'}]
    assert await refused(hub, box.batch(), 403) == "detail_mismatch"


async def test_a_detail_of_a_leaf_that_was_not_sent_is_refused(hub: Trial, box: Box) -> None:
    some_scans(box, 2)
    box.details[1] = [{**box.details[1][0], "leaf": 9}]
    assert await refused(hub, box.batch(), 403) == "detail_mismatch"


async def test_evidence_of_an_appliance_that_never_enrolled_is_refused(hub: Trial) -> None:
    stranger = Box.make(hub.entropy)
    stranger.site, stranger.appliance, stranger.origin = "s-aaaaaaaaaa", "a-aaaaaaaaaa", "x"
    some_scans(stranger, 1)
    assert await refused(hub, stranger.batch(), 403) == "unknown_key"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"v":1}', b"\x00" * 10, b'{"v":1,"v":1}'])
async def test_what_is_no_batch_is_refused(hub: Trial, body: bytes) -> None:
    assert await refused(hub, body, 400) == "malformed"


async def test_an_oversized_batch_is_cut_off(hub: Trial) -> None:
    assert await refused(hub, b"x" * (1024 * 1024 + 1), 413) == "too_large"


async def test_late_evidence_is_taken(hub: Trial, box: Box) -> None:
    some_scans(box, 2, at_s=1_500_000_000)
    assert (await send(hub, box.batch())).have == 2


async def test_a_large_upload_is_judged_a_few_leaves_at_a_time(hub: Trial, box: Box) -> None:
    """A whole batch takes a fifth of a second to verify; others are served between two steps."""
    leaves = 8 * LEAVES_A_STEP
    some_scans(box, leaves)
    known = hub.net.hub.registry.by_id(box.appliance)
    assert known is not None
    mirror = Mirror(known.site, known.appliance, known.keys, known.origin, Tree())
    shown = open_shown(mirror, read_batch(box.batch(0, leaves)))
    judging = accept_in_steps(mirror, shown, Held((), None))
    assert sum(1 for _ in judging) >= leaves // LEAVES_A_STEP
    whole = accept(mirror, shown, Held((), None))
    assert (whole.tree.size, len(whole.leaves), whole.complete) == (leaves, leaves, True)
    assert (await send(hub, box.batch(0, leaves))).have == leaves


async def test_what_the_signer_was_away_for_is_mirrored_and_cosigned_when_it_comes_again(
    hub: Trial, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same state as after a crash between the two transactions."""
    some_scans(box, 4)
    batch = box.batch()
    with monkeypatch.context() as cut:
        cut.setattr(hub.net.hub.signer, "_talk", no_answer)
        with pytest.raises(UnreachableError):
            await send(hub, batch)
    assert await hub.count(tables.leaves) == 4
    assert await hub.count(tables.checkpoints) == 0
    reply = await send(hub, batch)
    assert (reply.have, reply.cosigned is None) == (4, False)
    assert await hub.count(tables.leaves) == 4


async def test_another_history_is_refused_after_a_crash_before_the_first_was_cosigned(
    hub: Trial, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(box, leaves=[], details={})
    some_scans(box, 3)
    some_scans(other, 3, at_s=1_767_225_000)
    with monkeypatch.context() as cut:
        cut.setattr(hub.net.hub.signer, "_talk", no_answer)
        with pytest.raises(UnreachableError):
            await send(hub, box.batch())
    assert await refused(hub, other.batch(), 409) == "evidence_fork"


async def test_nobody_elses_writing_waits_while_the_signer_is_asked(
    hub: Trial, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, asked, may_answer = hub.net.hub.signer, asyncio.Event(), asyncio.Event()
    talk = signer._talk  # noqa: SLF001 - the way to the signer is what is slow here

    async def slow(frame: bytes) -> bytes:
        asked.set()
        await may_answer.wait()
        return await talk(frame)

    monkeypatch.setattr(signer, "_talk", slow)
    some_scans(box, 2)
    sending = asyncio.create_task(send(hub, box.batch()))
    await asked.wait()
    async with asyncio.timeout(10), hub.net.hub.store.write() as connection:
        await connection.execute(tables.leaves.select())
    may_answer.set()
    assert (await sending).cosigned is not None
