"""Long random attacks on the parsers of the contract; `make fuzz` runs them, `make test` does not.

Each searches for bytes that two readers would read differently, or that end in any other way than
a value or a refusal of ours. `OSIRIS_FUZZ_EXAMPLES` sets how many inputs each tries.
"""

import json
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proto import claim, envelope, merkle, note, strict_json
from proto.envelope import Kind
from proto.errors import MalformedError, RejectedError
from proto.keys import Holder, KeyRing, SigningKey, Threshold

long_run = settings(
    max_examples=int(os.environ["OSIRIS_FUZZ_EXAMPLES"]),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

ANN, BOB, EVE = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
TRUST = Threshold(KeyRing((Holder("ann", ANN.public), Holder("bob", BOB.public))), people=2)
BODY = b'{"target":{"site":"s-aaaaaaaaaa"},"type":"run_drift","v":1}'
ORDER = envelope.sign(Kind.ORDER, BODY, ANN, BOB)
HEAD = note.Checkpoint("hub.example/site/s-aaaaaaaaaa/orders", 7, merkle.EMPTY_ROOT)
SIGNED = note.sign_checkpoint(HEAD, signer=ANN)
CODE = claim.ClaimCode("https://hub.example:8443", bytes(16), bytes(16)).as_text()

LEAVES = [merkle.leaf_hash(b"%d" % n) for n in range(3000)]
NODES = merkle.nodes_over_leaves(LEAVES)

PIECES = (
    *(character.encode() for character in '"\\[]{}:,01-+.eE \n\t\r\x00\x0b/—=\u00e9\u2028\u0661'),
    *(b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b"\\u0061", b"null"),
    *(
        b"true",
        b"NaN",
        b"-Infinity",
        b"9007199254740992",
        b'"payload":',
        b'"signatures":[',
        b"[[[[",
    ),
)


def mutations_of(original: bytes) -> st.SearchStrategy[bytes]:
    """Return a strategy of bytes made by cutting, doubling, inserting and flipping."""

    def mutate(steps: list[tuple[int, int, bytes]]) -> bytes:
        data = original
        for first, length, piece in steps:
            start = first % (len(data) + 1)
            data = data[:start] + piece + data[start + length :]
        return data

    piece = st.sampled_from(PIECES) | st.binary(max_size=3) | st.just(original[:40])
    step = st.tuples(st.integers(0, len(original)), st.integers(0, 40), piece)
    return st.lists(step, min_size=1, max_size=5).map(mutate)


@long_run
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=40).map(b"".join))
def test_strict_json_reads_as_the_standard_library_or_refuses(data: bytes) -> None:
    """And what it read, it writes and reads again as the same."""
    try:
        value = strict_json.loads(data, size_bytes_max=4096)
    except MalformedError:
        return
    assert repr(json.loads(data)) == repr(value)
    assert strict_json.loads(strict_json.dumps(value), size_bytes_max=8192) == value


@long_run
@given(mutations_of(ORDER))
def test_no_mutated_envelope_opens_as_another_statement(data: bytes) -> None:
    """It is refused, or it is the very same bytes."""
    try:
        opened = envelope.open_envelope(data, kind=Kind.ORDER, trust=TRUST)
    except RejectedError:
        return
    assert (data, opened.body) == (ORDER, BODY)


@long_run
@given(mutations_of(SIGNED))
def test_no_mutated_checkpoint_opens_as_another_head(data: bytes) -> None:
    """Signature lines of unknown keys may be added; the head stays the signed one."""
    try:
        opened = note.open_checkpoint(data, origin=HEAD.origin, log_keys=[ANN.public])
    except RejectedError:
        return
    assert opened.checkpoint == HEAD
    assert data.startswith(HEAD.as_text().encode() + b"\n")


@long_run
@given(mutations_of(CODE.encode()).map(lambda data: data.decode("utf-8", "replace")))
def test_no_mutated_claim_code_says_something_else(text: str) -> None:
    """Beyond spaces, dashes and capitals, which do not matter, nothing passes the checksum."""
    try:
        code = claim.parse_claim_code(text)
    except RejectedError:
        return
    assert code.as_text() == CODE


@long_run
@given(st.integers(1, 3000), st.integers(0), st.integers(0), st.lists(st.integers(0, 2**64)))
def test_no_proof_of_one_place_passes_for_another(
    size: int, first: int, second: int, shuffle: list[int]
) -> None:
    """For the same leaf, in the same tree, with the same hashes in any order."""
    index, other = first % size, second % size
    proof = list(merkle.inclusion_proof(index, size, NODES))
    root = merkle.root_of(size, NODES)
    merkle.verify_inclusion(LEAVES[index], proof, index=index, size=size, root=root)
    for swap in shuffle:
        if proof:
            proof.insert(swap % len(proof), proof.pop())
    honest = tuple(proof) == merkle.inclusion_proof(index, size, NODES)
    try:
        merkle.verify_inclusion(LEAVES[index], proof, index=other, size=size, root=root)
    except merkle.ProofError:
        assert not (honest and other == index)
        return
    assert honest
    assert other == index
