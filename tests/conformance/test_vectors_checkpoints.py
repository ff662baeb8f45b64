"""Real checkpoints of public logs: Sigstore's Rekor v2 and Go's checksum database.

`expected-checkpoint-step.json` beside Sigstore's bundles says what a reference made of this one
step: the checkpoint's signature by the log's Ed25519 key, and the entry's inclusion under it.
"""

import base64
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from proto import merkle, note
from proto.errors import OsirisError
from proto.keys import PublicKey
from proto.note import Checkpoint, NoteKey
from tests.conformance import vectors

SIGSTORE = vectors.need("sigstore-conformance")
SUMDB = vectors.need("witness") / "sumdb-add-checkpoint.hurl"
EXPECTED = vectors.read_json(SIGSTORE / "expected-checkpoint-step.json")

CODES = {
    "rekor2-checkpoint-missing-log-signature_fail": "note_form",
    "rekor2-checkpoint-missing-origin_fail": "note_signature",
    "rekor2-checkpoint-missing-root-hash_fail": "note_signature",
    "rekor2-checkpoint-missing-size_fail": "note_signature",
    "rekor2-checkpoint-no-matching-signature_fail": "note_unsigned",
}
"""The code with which each damaged checkpoint is refused."""


def bundle(name: str) -> tuple[dict[str, Any], str, PublicKey]:
    """Return a bundle's log entry, and the origin and key of the trusted log it names."""
    folder = SIGSTORE / "bundle-verify" / name
    material = vectors.read_json(folder / "bundle.sigstore.json")["verificationMaterial"]
    entry = material["tlogEntries"][0]
    logs = vectors.read_json(folder / "trusted_root.json")["tlogs"]
    (log,) = (log for log in logs if log["logId"] == entry["logId"])
    key = PublicKey(base64.b64decode(log["publicKey"]["rawBytes"])[-32:])
    return entry, urlsplit(log["baseUrl"]).netloc, key


def verify(name: str) -> Checkpoint:
    """Verify the checkpoint of a bundle and that its entry is in the tree; return the head."""
    entry, origin, key = bundle(name)
    proof = entry["inclusionProof"]
    signed = proof["checkpoint"]["envelope"].encode()
    head = note.open_checkpoint(signed, origin=origin, log_keys=[key]).checkpoint
    merkle.verify_inclusion(
        merkle.leaf_hash(base64.b64decode(entry["canonicalizedBody"])),
        [base64.b64decode(one) for one in proof["hashes"]],
        index=int(proof["logIndex"]),
        size=head.size,
        root=head.root,
    )
    return head


def test_there_are_sixteen() -> None:
    """A folder that was copied in part would prove less than it seems."""
    assert (len(EXPECTED["ok"]), len(EXPECTED["refuse"])) == (10, 6)


@pytest.mark.parametrize("name", EXPECTED["ok"])
def test_an_honest_checkpoint_carries_its_entry(name: str) -> None:
    """Whatever cosignatures and second signatures stand beside the log's own, in any order."""
    assert verify(name).size > 0


@pytest.mark.parametrize(("name", "code"), CODES.items(), ids=CODES)
def test_a_damaged_checkpoint_is_refused_with_its_own_code(name: str, code: str) -> None:
    """A line left out, no signature at all, or another log's name."""
    assert name in EXPECTED["refuse"]
    with pytest.raises(OsirisError) as caught:
        verify(name)
    assert caught.value.code == code


def test_a_bundle_without_a_proof_has_nothing_to_verify() -> None:
    """The sixth refusal: no checkpoint is there to be opened."""
    (without,) = set(EXPECTED["refuse"]) - set(CODES)
    entry, _, _ = bundle(without)
    assert "checkpoint" not in (entry.get("inclusionProof") or {})
    with pytest.raises(KeyError):
        verify(without)


@pytest.mark.parametrize("name", EXPECTED["ok"])
def test_no_honest_bundle_survives_another_root_or_entry(name: str) -> None:
    """The signature binds size and root, the proof binds the entry."""
    entry, origin, key = bundle(name)
    text = entry["inclusionProof"]["checkpoint"]["envelope"]
    _, size, root, *_ = text.split("\n")
    for damaged in (
        text.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"),
        text.replace(root, base64.b64encode(merkle.EMPTY_ROOT).decode()),
    ):
        with pytest.raises(note.NoteSignatureError):
            note.open_checkpoint(damaged.encode(), origin=origin, log_keys=[key])
    head = verify(name)
    with pytest.raises(merkle.ProofError):
        merkle.verify_inclusion(
            merkle.leaf_hash(b"another entry"),
            [base64.b64decode(one) for one in entry["inclusionProof"]["hashes"]],
            index=int(entry["inclusionProof"]["logIndex"]),
            size=head.size,
            root=head.root,
        )


def test_a_checkpoint_of_the_go_checksum_database() -> None:
    """Its key's name is not its origin, so it is opened as a note and then read."""
    key = NoteKey.from_text("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    request = SUMDB.read_text(encoding="utf-8")
    found = re.search(
        r"^go\.sum database tree\n.*?\n\n(?:— [^\n]+\n)+", request, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    opened = note.parse(found[0].encode()).open([key])
    head = Checkpoint.from_text(opened.text)
    assert (head.origin, head.size) == ("go.sum database tree", 35225469)
    with pytest.raises(note.NoteSignatureError):
        note.parse(found[0].replace("35225469", "35225470").encode()).open([key])
