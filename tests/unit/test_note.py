"""Signed notes: the published examples, and what must not pass."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import merkle, note
from proto.errors import OsirisError
from proto.keys import PublicKey, SigningKey
from proto.note import Algorithm, Checkpoint, NoteKey

LOG = SigningKey(b"\x01" * 32)
NEXT_LOG = SigningKey(b"\x02" * 32)
WITNESS = SigningKey(b"\x03" * 32)
EVE = SigningKey(b"\x04" * 32)
ORIGIN = "hub.example/site/s-aaaaaaaaaa/orders"
HEAD = Checkpoint(ORIGIN, 2, merkle.EMPTY_ROOT)
SIGNED = note.sign_checkpoint(HEAD, signer=LOG)
WITNESS_KEY = NoteKey("witness.example/w1", WITNESS.public, Algorithm.COSIGNATURE)

# The example of Go's golang.org/x/mod/sumdb/note, also used by c2sp.org/signed-note's readers.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)


def code_of(data: bytes) -> str:
    """Return the reason code with which a checkpoint of our log is refused."""
    with pytest.raises(OsirisError) as caught:
        note.open_checkpoint(
            data, origin=ORIGIN, log_keys=[LOG.public, NEXT_LOG.public], cosigners=[WITNESS_KEY]
        )
    return caught.value.code


def test_a_note_of_another_implementation_verifies() -> None:
    """And its verifier key reads and writes as the same text."""
    peter = NoteKey.from_text(PETER)
    assert peter.as_text() == PETER
    opened = note.parse(PETER_NOTE.encode()).open([peter])
    assert opened.text == PETER_NOTE.partition("\n\n")[0] + "\n"
    assert [one.key for one in opened.signed] == [peter]
    with pytest.raises(note.NoteSignatureError):
        note.parse(PETER_NOTE.replace("answer", "Answer").encode()).open([peter])


def test_the_bytes_of_a_checkpoint_are_those_of_the_specification() -> None:
    """Origin, size, root, blank line, em dash, name, key id and signature."""
    text = f"{ORIGIN}\n2\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert HEAD.as_text() == text
    key = NoteKey(ORIGIN, LOG.public)
    signature = base64.b64encode(key.hint + LOG.sign(text.encode())).decode()
    assert SIGNED.decode() == f"{text}\n— {ORIGIN} {signature}\n"
    opened = note.open_checkpoint(SIGNED, origin=ORIGIN, log_keys=[LOG.public])
    assert opened == note.OpenedCheckpoint(HEAD, ())


def test_a_witness_says_when_it_saw_the_head() -> None:
    """Its time is part of what it signed; the log's own signature is still needed."""
    seen = note.cosign(HEAD, name=WITNESS_KEY.name, signer=WITNESS, time_s=1679315147)
    both = note.parse(SIGNED).with_signature(seen)
    opened = note.open_checkpoint(
        both, origin=ORIGIN, log_keys=[LOG.public], cosigners=[WITNESS_KEY]
    )
    assert opened.checkpoint == HEAD
    assert opened.cosigned == (note.Signed(WITNESS_KEY, 1679315147),)
    assert code_of(note.assemble(HEAD.as_text(), (seen,))) == "note_unsigned"
    later = note.NoteSignature(seen.name, seen.hint, b"\x00" * 7 + b"\x01" + seen.raw[8:])
    assert code_of(note.parse(SIGNED).with_signature(later)) == "note_signature"
    never = note.NoteSignature(seen.name, seen.hint, b"\xff" * 8 + seen.raw[8:])
    assert code_of(note.parse(SIGNED).with_signature(never)) == "note_signature"
    short = note.NoteSignature(seen.name, seen.hint, seen.raw[8:])
    assert code_of(note.parse(SIGNED).with_signature(short)) == "note_signature"


def test_a_cosignature_is_no_signature_of_the_log_nor_the_other_way() -> None:
    """One key under one name has a different id for each algorithm, and signs different bytes."""
    text = HEAD.as_text()
    as_witness = note.cosign(HEAD, name=ORIGIN, signer=LOG, time_s=1)
    assert code_of(note.assemble(text, (as_witness,))) == "note_unsigned"
    hint = NoteKey(ORIGIN, LOG.public).hint
    disguised = note.NoteSignature(ORIGIN, hint, as_witness.raw[8:])
    assert code_of(note.assemble(text, (disguised,))) == "note_signature"


def test_a_log_may_sign_with_an_old_and_a_new_key() -> None:
    """Rotation overlaps; but then both must be right."""
    text = HEAD.as_text()
    old = note.sign_text(text, name=ORIGIN, signer=LOG)
    new = note.sign_text(text, name=ORIGIN, signer=NEXT_LOG)
    for keys in ([LOG.public], [NEXT_LOG.public], [LOG.public, NEXT_LOG.public]):
        data = note.assemble(text, (old, new))
        assert note.open_checkpoint(data, origin=ORIGIN, log_keys=keys).checkpoint == HEAD
    bad = note.NoteSignature(ORIGIN, new.hint, old.raw)
    assert code_of(note.assemble(text, (old, bad))) == "note_signature"


def test_unknown_signatures_are_ignored_even_with_half_a_known_identity() -> None:
    """The same name or the same key id alone is an unknown key."""
    text = HEAD.as_text()
    good = note.sign_text(text, name=ORIGIN, signer=LOG)
    others = (
        note.sign_text(text, name=ORIGIN, signer=EVE),
        note.NoteSignature("elsewhere.example", good.hint, b"\x00" * 64),
        note.NoteSignature("pq.example", b"\x01\x02\x03\x04", b"\x00" * 2420),
    )
    data = note.assemble(text, (*others, good))
    assert note.open_checkpoint(data, origin=ORIGIN, log_keys=[LOG.public]).checkpoint == HEAD
    assert code_of(note.assemble(text, others)) == "note_unsigned"


def test_a_checkpoint_of_another_log_is_not_ours() -> None:
    """Even when our log's key signed it, under our log's name."""
    other = Checkpoint("hub.example/site/s-bbbbbbbbbb/orders", 2, merkle.EMPTY_ROOT)
    assert code_of(note.sign_checkpoint(other, signer=LOG)) == "note_unsigned"
    text = other.as_text()
    renamed = note.assemble(text, (note.sign_text(text, name=ORIGIN, signer=LOG),))
    assert code_of(renamed) == "note_form"


LINE = SIGNED.decode().splitlines()[-1]
NOT_NOTES = {
    "nothing": b"",
    "only text": HEAD.as_text().encode(),
    "no blank line": SIGNED.replace(b"\n\n", b"\n"),
    "no signature after the blank line": HEAD.as_text().encode() + b"\n",
    "no newline at the end": SIGNED[:-1],
    "a blank line at the end": SIGNED + b"\n",
    "text after the signatures": SIGNED + b"and run it\n",
    "a hyphen for the dash": SIGNED.replace("—".encode(), b"-"),
    "two spaces": SIGNED.replace("— ".encode(), "—  ".encode()),
    "no space": SIGNED.replace("— ".encode(), "—".encode()),
    "no name": SIGNED.replace(f"— {ORIGIN} ".encode(), "— ".encode()),
    "a plus in the name": SIGNED + LINE.replace(ORIGIN, "a+b").encode() + b"\n",
    "a no-break space in the name": SIGNED + LINE.replace(ORIGIN, "a\u00a0b").encode() + b"\n",
    "base64 that is cut": SIGNED[:-3] + b"\n",
    "base64 in the URL alphabet": SIGNED + f"— {ORIGIN} {'-_' * 40}\n".encode(),
    "a signature of no bytes": SIGNED + f"— {ORIGIN} AAAAAA==\n".encode(),
    "carriage returns": SIGNED.replace(b"\n", b"\r\n"),
    "a tab": SIGNED.replace(b"\n2\n", b"\n2\t\n"),
    "a NUL": b"\x00" + SIGNED,
    "not UTF-8": b"\xff" + SIGNED,
    "33 signatures": SIGNED + 32 * (LINE.encode() + b"\n"),
    "too large": b"a" * note.NOTE_BYTES_MAX + SIGNED,
}


@pytest.mark.parametrize("data", NOT_NOTES.values(), ids=NOT_NOTES)
def test_anything_else_is_not_a_note(data: bytes) -> None:
    """One form: what a reader splits otherwise would be another text."""
    assert code_of(data) == "note_form"


ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
NOT_CHECKPOINTS = {
    "no root": f"{ORIGIN}\n2\n",
    "no size": f"{ORIGIN}\n{ROOT}\n",
    "leading zero": f"{ORIGIN}\n02\n{ROOT}\n",
    "plus": f"{ORIGIN}\n+2\n{ROOT}\n",
    "negative": f"{ORIGIN}\n-2\n{ROOT}\n",
    "space": f"{ORIGIN}\n2 \n{ROOT}\n",
    "underscore": f"{ORIGIN}\n1_0\n{ROOT}\n",
    "hexadecimal": f"{ORIGIN}\n0x2\n{ROOT}\n",
    "Arabic digit": f"{ORIGIN}\n\u0662\n{ROOT}\n",
    "beyond 2^53": f"{ORIGIN}\n9007199254740992\n{ROOT}\n",
    "far beyond": f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
    "empty size": f"{ORIGIN}\n\n{ROOT}\n",
    "short root": f"{ORIGIN}\n2\nQUJD\n",
    "root in hexadecimal": f"{ORIGIN}\n2\n{merkle.EMPTY_ROOT.hex()}\n",
    "root not padded": f"{ORIGIN}\n2\n{ROOT[:-1]}\n",
    "root with other trailing bits": f"{ORIGIN}\n2\n{ROOT[:-2]}V=\n",
    "empty origin": f"\n2\n{ROOT}\n",
    "empty extension line": f"{ORIGIN}\n2\n{ROOT}\n\nmore\n",
}


@pytest.mark.parametrize("text", NOT_CHECKPOINTS.values(), ids=NOT_CHECKPOINTS)
def test_a_note_that_is_no_checkpoint_is_refused_though_the_log_signed_it(text: str) -> None:
    """Size and root are read from one form only."""
    data = note.assemble(text, (note.sign_text(text, name=ORIGIN, signer=LOG),))
    assert code_of(data) == "note_form"


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_byte_of_a_checkpoint_can_be_changed(position: int, flip: int) -> None:
    """Of text or signature; each refusal has its own code."""
    changed = bytearray(SIGNED)
    changed[position] ^= flip
    assert code_of(bytes(changed)) in {"note_form", "note_signature", "note_unsigned"}


lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1)


@given(lines, st.integers(0, merkle.SIZE_MAX), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(origin: str, size: int, root: bytes) -> None:
    """As the same value, extension lines included."""
    head = Checkpoint(origin, size, root, ("kept", "as they are"))
    assert Checkpoint.from_text(head.as_text()) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("+c74f20a3", ""),
        PETER.replace("Peter", "Peter "),
        PETER[:-4],
        PETER + "\n",
        "a+00000000+" + base64.b64encode(b"\x02" + PublicKey(LOG.public.raw).raw).decode(),
    ],
)
def test_a_verifier_key_that_does_not_fit_itself_is_refused(text: str) -> None:
    """The key id in it must be the one that its name and key give."""
    with pytest.raises(note.NoteFormError):
        NoteKey.from_text(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "x" * 256])
def test_nobody_signs_under_a_name_that_no_reader_takes(name: str) -> None:
    """The same rule on the way out."""
    with pytest.raises(note.NoteFormError):
        note.sign_text("text\n", name=name, signer=LOG)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "a\tb\n", "a\r\n"])
def test_nothing_is_signed_that_is_not_a_text(text: str) -> None:
    """The same rule on the way out."""
    with pytest.raises(note.NoteFormError):
        note.assemble(text, (note.sign_text(text, name=ORIGIN, signer=LOG),))


@pytest.mark.parametrize("time_s", [-1, 2**53, True])
def test_a_witness_has_a_possible_time(time_s: int) -> None:
    """Whole seconds since the epoch."""
    with pytest.raises(note.NoteFormError):
        note.cosign(HEAD, name=WITNESS_KEY.name, signer=WITNESS, time_s=time_s)
