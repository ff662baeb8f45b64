"""Merkle trees: every proof for every small tree holds, and nothing else does."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import merkle
from proto.invariants import InvariantError
from proto.merkle import ProofError, Tree

SIZES = 64
LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(SIZES)]
NODES = merkle.nodes_over_leaves(LEAVES)
ROOTS = [merkle.root_of(size, NODES) for size in range(SIZES + 1)]
OTHER = hashlib.sha256(b"other").digest()


def plain_root(leaves: list[bytes]) -> bytes:
    """Hash a tree as RFC 6962, section 2.1 defines it, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(
        b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])
    ).digest()


def test_hashes_are_those_of_the_rfc() -> None:
    """A leaf and a node of the same bytes never have one hash."""
    assert merkle.leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert merkle.leaf_hash(b"ab") == hashlib.sha256(b"\x00ab").digest()
    assert merkle.node_hash(b"a", b"b") == hashlib.sha256(b"\x01ab").digest()
    assert Tree().root == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(SIZES + 1))
def test_every_way_to_a_root_gives_the_root_of_the_definition(size: int) -> None:
    """One by one, at once, with a listing kept by a store, and from stored nodes."""
    expected = plain_root(LEAVES[:size])
    one_by_one = Tree()
    for leaf in LEAVES[:size]:
        one_by_one = one_by_one.append(leaf)
    listed, nodes = Tree().extend_listing(LEAVES[:size])
    stored = {(node.level, node.index): node.hash for node in nodes}
    assert len(stored) == len(nodes)
    again = merkle.tree_of(size, lambda level, index: stored[level, index])
    for tree in (one_by_one, listed, again, Tree().extend(LEAVES[:size])):
        assert tree == one_by_one
        assert tree.size == size
        assert tree.root == expected
    assert ROOTS[size] == expected


@given(st.integers(0, SIZES), st.integers(0, SIZES))
def test_a_log_grows_from_its_compact_state_alone(first: int, second: int) -> None:
    """No earlier leaf is needed to go on; the listing continues where the last one ended."""
    first, second = sorted((first, second))
    whole, nodes = Tree().extend_listing(LEAVES[:second])
    begun, nodes_begun = Tree().extend_listing(LEAVES[:first])
    grown, nodes_grown = begun.extend_listing(LEAVES[first:second])
    assert grown == whole == begun.extend(LEAVES[first:second])
    assert nodes == nodes_begun + nodes_grown


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_inclusion_proof_holds_at_its_place_only(size: int) -> None:
    """For all leaves of all trees up to 64; at any other index, size or root it does not."""
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, NODES)
        merkle.verify_inclusion(LEAVES[index], proof, index=index, size=size, root=ROOTS[size])
        for wrong in (
            {"index": index ^ 1, "size": size, "root": ROOTS[size]},
            {"index": index, "size": size, "root": OTHER},
            {"index": index, "size": 0, "root": ROOTS[size]},
            {"index": size, "size": size, "root": ROOTS[size]},
            {"index": -1, "size": size, "root": ROOTS[size]},
        ):
            with pytest.raises(ProofError):
                merkle.verify_inclusion(LEAVES[index], proof, **wrong)  # type: ignore[arg-type]  # the mapping mixes int and bytes on purpose


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 33, SIZES])
def test_what_was_shown_lets_in_no_leaf_that_is_not_there(size: int) -> None:
    """Every leaf at its place and no other, however many of its neighbours were shown before."""
    for indexes in (range(size), reversed(range(size))):
        shown = merkle.Shown(size, ROOTS[size])
        for index in indexes:
            proof = merkle.inclusion_proof(index, size, NODES)
            for leaf in (OTHER, LEAVES[index ^ 1], LEAVES[index][:31], *proof):
                with pytest.raises(ProofError):
                    shown.verify(leaf, proof, index=index)
            shown.verify(LEAVES[index], proof, index=index)
            shown.verify(LEAVES[index], proof, index=index)
            for attempt in ([*proof, OTHER], [*proof[:-1], b""], [OTHER] * (len(proof) + 1)):
                with pytest.raises(ProofError):
                    shown.verify(LEAVES[index], attempt, index=index)
            for other in (-1, index + 1, size):
                with pytest.raises(ProofError):
                    shown.verify(LEAVES[index], proof, index=other)


@given(st.data())
def test_a_proof_that_does_not_hold_shows_nothing_to_the_next(data: st.DataObject) -> None:
    """Whatever was tried before, a leaf that is not in the tree is not let in."""
    size = data.draw(st.integers(2, SIZES))
    shown = merkle.Shown(size, ROOTS[size])
    for _ in range(8):
        index = data.draw(st.integers(0, size - 1))
        proof = list(merkle.inclusion_proof(index, size, NODES))
        place = data.draw(st.integers(0, len(proof) - 1))
        proof[place] = data.draw(st.sampled_from([proof[place], OTHER]))
        leaf = data.draw(st.sampled_from([LEAVES[index], OTHER]))
        try:
            shown.verify(leaf, proof, index=index)
        except ProofError:
            continue
        assert leaf == LEAVES[index]


@given(st.data())
def test_no_changed_inclusion_proof_holds(data: st.DataObject) -> None:
    """Another leaf; a hash changed, dropped, doubled, swapped or added anywhere."""
    size = data.draw(st.integers(1, SIZES))
    index = data.draw(st.integers(0, size - 1))
    proof = list(merkle.inclusion_proof(index, size, NODES))
    place = data.draw(st.integers(0, len(proof)))
    attempts = [[*proof[:place], extra, *proof[place:]] for extra in (OTHER, b"", ROOTS[size])]
    if place < len(proof):
        attempts.append(proof[:place] + proof[place + 1 :])
        attempts.append([*proof[:place], OTHER, *proof[place + 1 :]])
        attempts.append([*proof[:place], proof[place][:31], *proof[place + 1 :]])
        attempts.append([*proof[:place], proof[place], *proof[place:]])
    for attempt in attempts:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(
                LEAVES[index], attempt, index=index, size=size, root=ROOTS[size]
            )
    for leaf in (OTHER, b"", LEAVES[index][:31]):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, proof, index=index, size=size, root=ROOTS[size])


@pytest.mark.parametrize("new", range(SIZES + 1))
def test_every_consistency_proof_holds_between_its_trees_only(new: int) -> None:
    """For all pairs up to 64: the newer tree extends the older, and no other root passes."""
    for old in range(new + 1):
        proof = merkle.consistency_proof(old, new, NODES)
        merkle.verify_consistency(proof, old=old, new=new, old_root=ROOTS[old], new_root=ROOTS[new])
        with pytest.raises(ProofError):
            merkle.verify_consistency(proof, old=old, new=new, old_root=OTHER, new_root=ROOTS[new])
        if old > 0:
            with pytest.raises(ProofError):
                merkle.verify_consistency(
                    proof, old=old, new=new, old_root=ROOTS[old], new_root=OTHER
                )
        with pytest.raises(ProofError):
            merkle.verify_consistency(
                [*proof, OTHER], old=old, new=new, old_root=ROOTS[old], new_root=ROOTS[new]
            )
        for place in range(len(proof)):
            with pytest.raises(ProofError):
                merkle.verify_consistency(
                    proof[:place] + proof[place + 1 :],
                    old=old,
                    new=new,
                    old_root=ROOTS[old],
                    new_root=ROOTS[new],
                )


@given(st.integers(1, SIZES - 1), st.integers(0, SIZES - 1), st.data())
def test_a_log_that_changed_its_past_has_no_proof(
    old: int, changed: int, data: st.DataObject
) -> None:
    """Rewrite any leaf that was already there: the honest algorithm's proof is refused."""
    new = data.draw(st.integers(old, SIZES))
    changed %= old
    forked = [*LEAVES[:changed], OTHER, *LEAVES[changed + 1 : new]]
    nodes = merkle.nodes_over_leaves(forked)
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            merkle.consistency_proof(old, new, nodes),
            old=old,
            new=new,
            old_root=ROOTS[old],
            new_root=merkle.root_of(new, nodes),
        )


def test_a_log_never_shrinks() -> None:
    """A smaller tree extends nothing, whatever is offered as proof."""
    for proof in ((), (ROOTS[3],), merkle.consistency_proof(3, 7, NODES)):
        with pytest.raises(ProofError, match="cannot extend"):
            merkle.verify_consistency(proof, old=7, new=3, old_root=ROOTS[7], new_root=ROOTS[3])


@settings(max_examples=200)
@given(
    st.integers(0, 2**54),
    st.integers(0, 2**54),
    st.lists(st.binary(min_size=30, max_size=33) | st.sampled_from(LEAVES), max_size=140),
)
def test_hostile_proofs_end_in_a_refusal(index: int, size: int, proof: list[bytes]) -> None:
    """Any sizes, any bytes: bounded work, one kind of error."""
    with pytest.raises(ProofError):
        merkle.verify_inclusion(OTHER, proof, index=index, size=size, root=ROOTS[5])
    if index not in (0, size):
        with pytest.raises(ProofError):
            merkle.verify_consistency(
                proof, old=index, new=size, old_root=ROOTS[5], new_root=ROOTS[6]
            )


def test_a_proof_in_a_tree_of_2_to_the_50_needs_no_leaves() -> None:
    """Only stored nodes are read, and few of them: a proof costs what its length costs."""
    asked: list[tuple[int, int]] = []

    def node(level: int, index: int) -> bytes:
        asked.append((level, index))
        return hashlib.sha256(f"{level} {index}".encode()).digest()

    size = 2**50 + 12345
    proof = merkle.inclusion_proof(7, size, node)
    assert len(proof) == 51
    assert len(asked) < 120
    merkle.verify_inclusion(node(0, 7), proof, index=7, size=size, root=_root(proof, node))


def _root(proof: tuple[bytes, ...], node: merkle.NodeReader) -> bytes:
    """Fold a proof for leaf 7 by hand: its path goes left from level 3 on, to the right edge."""
    found = node(0, 7)
    for level, sibling in enumerate(proof):
        left_first = level < 3
        found = merkle.node_hash(*((sibling, found) if left_first else (found, sibling)))
    return found


@pytest.mark.parametrize(
    ("size", "peaks"), [(1, ()), (0, (OTHER,)), (2, (OTHER, OTHER)), (-1, ()), (1, (b"",))]
)
def test_a_state_that_cannot_be_is_not_held(size: int, peaks: tuple[bytes, ...]) -> None:
    """A row that was damaged in a store stops here, not at the next signature."""
    with pytest.raises(InvariantError):
        Tree(size, peaks)


def test_asking_for_an_impossible_proof_is_a_fault_of_the_caller() -> None:
    """Not a proof that fails later."""
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(InvariantError):
            merkle.inclusion_proof(index, size, NODES)
    with pytest.raises(InvariantError):
        merkle.consistency_proof(4, 3, NODES)
