"""Merkle trees over logs: RFC 6962 hashes, proofs, and their verification (RFC 9162, section 2.1).

```
leaf hash = SHA-256(0x00 || leaf)     node = SHA-256(0x01 || left || right)     empty = SHA-256("")
```

A `Tree` is a compact range: the roots of the complete subtrees that n leaves fall into, at most
log2(n) + 1 hashes. That is all the state an append needs. Proofs are built over stored hashes of
complete subtrees, named by (level, index): the node that covers the leaves
[index * 2^level, (index + 1) * 2^level). A log that keeps only leaf hashes can use
`nodes_over_leaves`; one that also keeps what `Tree.extend_listing` lists answers in O(log n).

Verifying returns None or raises `ProofError`. Sizes and indexes count leaves.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from proto.errors import IntegrityError
from proto.invariants import require

HASH_BYTES: Final = 32
SIZE_MAX: Final = 2**53 - 1
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

PROOF_LENGTH_MAX: Final = 2 * 64
"""No proof in a tree of at most 2^64 leaves is longer."""

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (level, index)."""

Span = tuple[int, int]
"""The leaves [start, end) below one node of a tree."""

_sha256 = hashlib.sha256


class ProofError(IntegrityError):
    """A Merkle proof does not show what it should show."""

    code = "proof"


def _refuse(what: str) -> NoReturn:
    raise ProofError(what)


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf's bytes."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two subtrees."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree that an append finished: level 0 is a leaf's own hash."""

    level: int
    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """The compact state of a log of `size` leaves.

    Attributes:
        size: the number of leaves.
        peaks: the roots of its complete subtrees, from the largest (oldest) to the smallest.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Hold the shape: one peak for each bit of the size."""
        require(0 <= self.size <= SIZE_MAX, f"tree size {self.size}")
        require(len(self.peaks) == self.size.bit_count(), f"{len(self.peaks)} peaks")
        require(all(len(peak) == HASH_BYTES for peak in self.peaks), "a peak is a hash")

    @property
    def root(self) -> bytes:
        """The root over all leaves; of no leaves, SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found

    def append(self, leaf_hash: bytes) -> "Tree":
        """Return the tree with one more leaf, given by its hash."""
        return self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Tree":
        """Return the tree with more leaves, given by their hashes, in order."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaf_hashes:
            found, covered = leaf, size
            while covered & 1:
                found = _sha256(b"\x01" + peaks.pop() + found).digest()
                covered >>= 1
            peaks.append(found)
            size += 1
        return Tree(size, tuple(peaks))

    def extend_listing(self, leaf_hashes: Iterable[bytes]) -> tuple["Tree", tuple[Node, ...]]:
        """Return the extended tree and every subtree it completed, for a store to keep."""
        peaks, size = list(self.peaks), self.size
        nodes: list[Node] = []
        for leaf in leaf_hashes:
            found, level = leaf, 0
            nodes.append(Node(0, size, leaf))
            while size >> level & 1:
                found = node_hash(peaks.pop(), found)
                level += 1
                nodes.append(Node(level, size >> level, found))
            peaks.append(found)
            size += 1
        return Tree(size, tuple(peaks)), tuple(nodes)


def tree_of(size: int, nodes: NodeReader) -> Tree:
    """Return the compact state of a stored log, or of what it was at an earlier size."""
    peaks: list[bytes] = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(nodes(level, start >> level))
            start += 1 << level
    return Tree(size, tuple(peaks))


def nodes_over_leaves(leaf_hashes: Sequence[bytes]) -> NodeReader:
    """Return a reader that computes complete subtrees from leaf hashes, remembering them."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hashes[index]
        found = known.get((level, index))
        if found is None:
            found = node_hash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))
            known[level, index] = found
        return found

    return read


def root_of(size: int, nodes: NodeReader) -> bytes:
    """Return the root of the first `size` leaves."""
    return tree_of(size, nodes).root


def span_hash(span: Span, nodes: NodeReader) -> bytes:
    """Return the hash of the leaves of a subtree, complete or not; see `inclusion_path`."""
    start, end = span
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return nodes(level, start >> level)
    split = start + _split(width)
    return node_hash(span_hash((start, split), nodes), span_hash((split, end), nodes))


def _split(width: int) -> int:
    """Return the largest power of two below `width`, which is at least 2."""
    return 1 << (width - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, nodes: NodeReader) -> tuple[bytes, ...]:
    """Return the audit path of leaf `index` in the tree of `size` leaves, from the leaf upward."""
    return tuple(span_hash(span, nodes) for span in inclusion_path(index, size))


def inclusion_path(index: int, size: int) -> tuple[Span, ...]:
    """Return whose hashes make the audit path of leaf `index`: neighbours share most of them."""
    require(0 <= index < size <= SIZE_MAX, f"leaf {index} of {size}")
    path: list[Span] = []
    below = _levels_below(index, size)
    for level in range(below):
        start = (index >> level ^ 1) << level
        path.append((start, min(start + (1 << level), size)))
    for level in range(below, index.bit_length()):
        if index >> level & 1:
            end = index >> level << level
            path.append((end - (1 << level), end))
    return tuple(path)


def _levels_below(index: int, size: int) -> int:
    """Return on how many levels, from the leaf upward, its path is not yet the last leaf's.

    On these a sibling stands on either side; above, only complete subtrees before the leaf are
    left to hash, one for each bit that is set in what is left of the index.
    """
    return (index ^ (size - 1)).bit_length()


def consistency_proof(old: int, new: int, nodes: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of `new` leaves extends the tree of `old` leaves.

    From an empty tree, and between equal trees, the proof is empty.
    """
    require(0 <= old <= new <= SIZE_MAX, f"from {old} leaves to {new}")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end = 0, new
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append(span_hash((split, end), nodes))
            end = split
        else:
            path.append(span_hash((start, split), nodes))
            start = split
    if start > 0:
        path.append(span_hash((start, end), nodes))
    return tuple(reversed(path))


def _check_proof(proof: Sequence[bytes]) -> None:
    if len(proof) > PROOF_LENGTH_MAX:
        _refuse(f"a proof of {len(proof)} hashes, at most {PROOF_LENGTH_MAX} are possible")
    if set(map(len, proof)) - {HASH_BYTES}:
        _refuse("a proof holds something that is not a hash")


def verify_inclusion(
    leaf_hash: bytes, proof: Sequence[bytes], *, index: int, size: int, root: bytes
) -> None:
    """Return if the leaf stands at `index` in the tree of `size` leaves with this root.

    RFC 9162, section 2.1.3.2.

    Raises:
        ProofError: it does not, or the proof has not exactly the length it must have.
    """
    below = _check_inclusion(leaf_hash, proof, index=index, size=size)
    found, node = leaf_hash, index
    for sibling in proof[:below]:
        pair = sibling + found if node & 1 else found + sibling
        found = _sha256(b"\x01" + pair).digest()
        node >>= 1
    for sibling in proof[below:]:
        found = _sha256(b"\x01" + sibling + found).digest()
    if found != root:
        _refuse(f"leaf {index} is not in the tree of {size} leaves with root {root.hex()}")


def _check_inclusion(leaf_hash: bytes, proof: Sequence[bytes], *, index: int, size: int) -> int:
    """Hold a proof's shape, and return how many of its hashes may stand on either side."""
    if not 0 <= index < size <= SIZE_MAX:
        _refuse(f"there is no leaf {index} in a tree of {size}")
    if len(leaf_hash) != HASH_BYTES:
        _refuse("the leaf hash is not a hash")
    _check_proof(proof)
    below = _levels_below(index, size)
    length = below + (index >> below).bit_count()
    if len(proof) != length:
        _refuse(f"the inclusion proof is too {'long' if len(proof) > length else 'short'}")
    return below


class Shown:
    """What was shown to be in one tree, so that the next proof is hashed only until it meets that.

    Leaves beside each other share most of their paths: of the next one's, hardly more than its own
    hash is new. What a proof holds above the place where it meets a node that was shown is not
    looked at: it says nothing about the leaf any more.
    """

    __slots__ = ("_hashes", "_root", "_size")

    def __init__(self, size: int, root: bytes) -> None:
        """Begin with nothing but the tree's size and root."""
        self._size = size
        self._root = root
        self._hashes: dict[tuple[int, int], bytes] = {}

    def verify(self, leaf_hash: bytes, proof: Sequence[bytes], *, index: int) -> None:
        """Return if the leaf stands at `index`; raises `ProofError` as `verify_inclusion` does."""
        below = _check_inclusion(leaf_hash, proof, index=index, size=self._size)
        known, path = self._hashes, {}
        found, node = leaf_hash, index
        for level in range(below):
            if known.get((level, node)) == found:
                break
            sibling = proof[level]
            path[level, node], path[level, node ^ 1] = found, sibling
            pair = sibling + found if node & 1 else found + sibling
            found = _sha256(b"\x01" + pair).digest()
            node >>= 1
        else:
            for sibling in proof[below:]:
                found = _sha256(b"\x01" + sibling + found).digest()
            if found != self._root:
                _refuse(f"leaf {index} is not in the tree of {self._size} leaves with this root")
        known.update(path)


def verify_consistency(
    proof: Sequence[bytes], *, old: int, new: int, old_root: bytes, new_root: bytes
) -> None:
    """Return if the tree of `new` leaves extends the tree of `old` leaves: nothing was changed.

    RFC 9162, section 2.1.4.2. A tree of no leaves is extended by every tree, with an empty proof.

    Raises:
        ProofError: it does not, or the proof has not exactly the length it must have.
    """
    if not 0 <= old <= new <= SIZE_MAX:
        _refuse(f"a tree of {new} leaves cannot extend one of {old}")
    _check_proof(proof)
    if old in (0, new):
        if proof:
            _refuse("the consistency proof is too long")
        _check_trivial(old=old, new=new, old_root=old_root, new_root=new_root)
        return
    computed_old, computed_new = _walk_consistency(proof, old=old, new=new, old_root=old_root)
    if computed_old != old_root or computed_new != new_root:
        _refuse(f"the tree of {new} leaves does not extend the tree of {old}")


def _check_trivial(*, old: int, new: int, old_root: bytes, new_root: bytes) -> None:
    """Check what holds without a proof: equal trees, and growth from nothing."""
    if old == 0 and old_root != EMPTY_ROOT:
        _refuse(f"the root of no leaves is not {old_root.hex()}")
    if old == new and old_root != new_root:
        _refuse(f"two roots for one size of {new} leaves")
    if old != new and len(new_root) != HASH_BYTES:
        _refuse("the new root is not a hash")


def _walk_consistency(
    proof: Sequence[bytes], *, old: int, new: int, old_root: bytes
) -> tuple[bytes, bytes]:
    """Return the two roots that a proof leads to, for 0 < old < new."""
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        _refuse("the consistency proof is too short")
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            _refuse("the consistency proof is too long")
        if node & 1 or node == last:
            from_old = node_hash(sibling, from_old)
            from_new = node_hash(sibling, from_new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            from_new = node_hash(from_new, sibling)
        node >>= 1
        last >>= 1
    if last:
        _refuse("the consistency proof is too short")
    return from_old, from_new
