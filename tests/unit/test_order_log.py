"""The order log that each appliance mirrors: only forward, nothing left out, one history."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import merkle, note
from proto.errors import OsirisError
from proto.keys import SigningKey
from proto.note import Checkpoint
from proto.order_log import Batch, Mirror, follow, origin_of
from tests.unit.core_values import SITE
from tests.unit.order_world import key

ORIGIN = origin_of("hub.example", SITE)
KEYS = (key("log").public,)
LEAVES = [b"leaf %d" % n for n in range(20)]
OTHER = [*LEAVES[:7], b"another leaf", *LEAVES[8:]]


def signed_head(
    leaves: list[bytes], *, origin: str = ORIGIN, signer: SigningKey | None = None
) -> bytes:
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    root = merkle.root_of(len(hashes), merkle.nodes_over_leaves(hashes))
    return note.sign_checkpoint(Checkpoint(origin, len(hashes), root), signer=signer or key("log"))


def batch(leaves: list[bytes], first: int, end: int, *, head: int | None = None) -> Batch:
    """Return leaves first to end of a log, with a checkpoint of its first `head` leaves."""
    size = end if head is None else head
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves[:size]]
    proof = merkle.consistency_proof(end, size, merkle.nodes_over_leaves(hashes))
    return Batch(first, tuple(leaves[first:end]), signed_head(leaves[:size]), proof)


def held(size: int) -> Mirror:
    return follow(Mirror(ORIGIN), batch(LEAVES, 0, size), log_keys=KEYS)


@given(st.data())
def test_however_the_log_is_cut_into_batches_it_is_the_same(data: st.DataObject) -> None:
    mirror = Mirror(ORIGIN)
    while mirror.tree.size < len(LEAVES):
        at = mirror.tree.size
        first = data.draw(st.integers(0, at))
        end = data.draw(st.integers(at + 1, len(LEAVES)))
        seen = max(end, mirror.head.size if mirror.head else 0)
        head = data.draw(st.integers(seen, len(LEAVES)))
        mirror = follow(mirror, batch(LEAVES, first, end, head=head), log_keys=KEYS)
    assert mirror.tree == held(len(LEAVES)).tree


BAD: list[tuple[str, Mirror, Batch, str]] = [
    ("shorter than it was", held(9), batch(LEAVES, 0, 8), "log_shrunk"),
    ("shorter than a head that was seen", replace(held(9), tree=held(4).tree), batch(LEAVES, 0, 8), "log_shrunk"),  # noqa: E501 - one row
    ("a fork before what is held", held(9), batch(OTHER, 9, 12), "log_fork"),
    ("a fork at the size held", held(9), batch(OTHER, 9, 9), "log_fork"),
    ("other leaves than the signed root's", held(5), replace(batch(LEAVES, 5, 9), leaves=tuple(OTHER[5:9])), "log_fork"),  # noqa: E501 - one row
    ("a leaf left out", held(5), replace(batch(LEAVES, 5, 9), leaves=(*LEAVES[5:6], *LEAVES[7:9])), "log_fork"),  # noqa: E501 - one row
    ("leaves in another order", held(5), replace(batch(LEAVES, 5, 7), leaves=(LEAVES[6], LEAVES[5])), "log_fork"),  # noqa: E501 - one row
    ("a gap", held(5), batch(LEAVES, 6, 9), "log_gap"),
    ("nothing new, from before", held(5), batch(LEAVES, 0, 3, head=9), "log_gap"),
    ("leaves beyond the checkpoint", held(5), replace(batch(LEAVES, 5, 9), leaves=tuple(LEAVES[5:12])), "log_gap"),  # noqa: E501 - one row
    ("a proof that is too long", held(5), replace(batch(LEAVES, 5, 9), proof=(bytes(32),)), "log_fork"),  # noqa: E501 - one row
    ("no proof", held(5), replace(batch(LEAVES, 5, 7, head=9), proof=()), "log_fork"),
    ("signed by the head key", held(5), replace(batch(LEAVES, 5, 9), checkpoint=signed_head(LEAVES[:9], signer=key("head"))), "log_signature"),  # noqa: E501 - one row
    ("a checkpoint of another log", held(5), replace(batch(LEAVES, 5, 9), checkpoint=signed_head(LEAVES[:9], origin="hub.example/site/s-x/orders")), "log_signature"),  # noqa: E501 - one row
    ("a checkpoint that is none", held(5), replace(batch(LEAVES, 5, 9), checkpoint=b"none"), "log_form"),  # noqa: E501 - one row
    ("a batch that is too large", Mirror(ORIGIN), batch([b"x"] * 257, 0, 257), "log_form"),
    ("a batch before the log", held(5), replace(batch(LEAVES, 5, 9), first=-1), "log_form"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "mirror", "new", "code"), BAD, ids=[row[0] for row in BAD])
def test_another_history_is_refused_with_its_code(
    what: str, mirror: Mirror, new: Batch, code: str
) -> None:
    with pytest.raises(OsirisError) as caught:
        follow(mirror, new, log_keys=KEYS)
    assert caught.value.code == code, what


def test_two_roots_for_one_size_are_a_fork_even_before_the_leaves_came() -> None:
    """The hub showed a head of nine leaves; later it shows another nine, and the leaves to it."""
    ahead = follow(held(5), batch(LEAVES, 5, 6, head=9), log_keys=KEYS)
    assert ahead.tree.size == 6
    with pytest.raises(OsirisError) as caught:
        follow(ahead, batch(OTHER, 6, 9), log_keys=KEYS)
    assert caught.value.code == "log_fork"
    with pytest.raises(OsirisError) as caught:
        follow(ahead, batch(OTHER, 6, 12), log_keys=KEYS)
    assert caught.value.code == "log_fork"
    between = follow(ahead, batch(OTHER, 6, 7, head=12), log_keys=KEYS)
    assert between.head == ahead.head, "the head that was seen first binds until it is reached"
    with pytest.raises(OsirisError) as caught:
        follow(between, batch(OTHER, 7, 12), log_keys=KEYS)
    assert caught.value.code == "log_fork"


def test_a_hub_restored_from_last_week_gets_its_leaves_back_before_it_goes_on() -> None:
    """With what it lost it is refused; with the same bytes again it goes on."""
    mirror = held(12)
    lost = LEAVES[:8]
    with pytest.raises(OsirisError) as caught:
        follow(mirror, batch([*lost, b"new"], 8, 9), log_keys=KEYS)
    assert caught.value.code == "log_shrunk"
    with pytest.raises(OsirisError) as caught:
        follow(mirror, batch([*lost, *[b"new"] * 6], 12, 14), log_keys=KEYS)
    assert caught.value.code == "log_fork"
    assert follow(mirror, batch(LEAVES, 12, 14), log_keys=KEYS).tree.size == 14
