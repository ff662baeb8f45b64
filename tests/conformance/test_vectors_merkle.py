"""Public Merkle vectors of transparency-dev/merkle: honest proofs hold, every damaged one does not.

Subtree proofs (a draft for certificates) are read where they speak of a whole tree, that is where
the subtree begins at leaf 0; our logs have no other subtrees.
"""

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from proto import merkle
from proto.merkle import ProofError
from tests.conformance import vectors

FOLDER = vectors.need("merkle-rfc6962")

STRICTER = {
    # Two different roots for one empty tree: we refuse where the reference looks at one of them.
    (
        "subtreeconsistency/additional/"
        "subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty.json"
    ),
}
"""Cases that the reference accepts and we refuse on purpose."""


def cases(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the place and the content of each case of a kind."""
    for path in sorted((FOLDER / kind).rglob("*.json")):
        yield str(path.relative_to(FOLDER)), vectors.read_json(path)


def expected(place: str, case: dict[str, Any]) -> AbstractContextManager[object]:
    """Return the context that a case must run in: a refusal, or nothing special."""
    refused = case["wantErr"] or place in STRICTER
    return pytest.raises(ProofError) if refused else nullcontext()


def proof_of(case: dict[str, Any]) -> list[bytes]:
    """Return the proof's hashes, of any length; null is an empty proof."""
    return [base64.b64decode(one) for one in case["proof"] or []]


def verify_inclusion(case: dict[str, Any], *, size: int) -> None:
    """Run our verifier on an inclusion case."""
    leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
    merkle.verify_inclusion(leaf, proof_of(case), index=case["leafIdx"], size=size, root=root)


def verify_consistency(
    case: dict[str, Any], *, old: int, new: int, old_root: str, new_root: str
) -> None:
    """Run our verifier on a consistency case whose roots stand under these names."""
    merkle.verify_consistency(
        proof_of(case),
        old=old,
        new=new,
        old_root=base64.b64decode(case[old_root]),
        new_root=base64.b64decode(case[new_root]),
    )


INCLUSION = list(cases("inclusion"))
CONSISTENCY = list(cases("consistency"))
SUBTREE_INCLUSION = [one for one in cases("subtreeinclusion") if one[1]["start"] == 0]
SUBTREE_CONSISTENCY = [one for one in cases("subtreeconsistency") if one[1]["start"] == 0]


def test_the_vectors_are_all_here() -> None:
    """A folder that was copied in part would prove less than it seems."""
    counts = [len(one) for one in (INCLUSION, CONSISTENCY, SUBTREE_INCLUSION, SUBTREE_CONSISTENCY)]
    assert counts == [98, 98, 101, 102]


@pytest.mark.parametrize(("place", "case"), INCLUSION, ids=[place for place, _ in INCLUSION])
def test_inclusion(place: str, case: dict[str, Any]) -> None:
    """A leaf is in a tree at its index, or the proof is refused."""
    with expected(place, case):
        verify_inclusion(case, size=case["treeSize"])


@pytest.mark.parametrize(("place", "case"), CONSISTENCY, ids=[place for place, _ in CONSISTENCY])
def test_consistency(place: str, case: dict[str, Any]) -> None:
    """A tree extends an earlier one, or the proof is refused."""
    with expected(place, case):
        verify_consistency(
            case, old=case["size1"], new=case["size2"], old_root="root1", new_root="root2"
        )


@pytest.mark.parametrize(
    ("place", "case"), SUBTREE_INCLUSION, ids=[place for place, _ in SUBTREE_INCLUSION]
)
def test_inclusion_in_a_subtree_that_is_a_whole_tree(place: str, case: dict[str, Any]) -> None:
    """The same as inclusion in the tree of `end` leaves."""
    with expected(place, case):
        verify_inclusion(case, size=case["end"])


@pytest.mark.parametrize(
    ("place", "case"), SUBTREE_CONSISTENCY, ids=[place for place, _ in SUBTREE_CONSISTENCY]
)
def test_consistency_of_a_subtree_that_is_a_whole_tree(place: str, case: dict[str, Any]) -> None:
    """The same as consistency with the tree of `end` leaves."""
    with expected(place, case):
        verify_consistency(
            case, old=case["end"], new=case["size"], old_root="root1", new_root="root2"
        )
