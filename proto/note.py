r"""Signed notes, checkpoints and cosignatures: how the head of a log is signed.

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature.

```
<origin>
<size in decimal>
<root in base64>
                                                            (a blank line ends the text)
— <key name> <base64(key id, 4 bytes || signature)>         (one line for each signature)
```

Key id = first 4 bytes of SHA-256(name || 0x0A || algorithm || public key). Two algorithms: 0x01 is
Ed25519 over the text; 0x04 is a cosignature, 8 bytes of time and Ed25519 over
"cosignature/v1\ntime <seconds>\n" and the text: "at that time this was the largest consistent
tree I had seen of this log".

Rules:

- A key is known by name and key id together. Signatures by unknown keys are ignored; a bad one by
  a known key refuses the note; a note that no known key signed is refused.
- The text is handed out only by `open`, after a signature over it was verified.
- Stricter than the source: base64 re-encodes to itself, and a note is at most 64 KiB and 32
  signatures.
"""

import hashlib
import re
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NoReturn, Self

from proto import strict_json
from proto.errors import MalformedError, SignatureError
from proto.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey, SigningKey
from proto.merkle import HASH_BYTES, SIZE_MAX

NOTE_BYTES_MAX: Final = 64 * 1024
SIGNATURES_MAX: Final = 32
NAME_LENGTH_MAX: Final = 255
TIME_S_MAX: Final = 2**53 - 1

_HINT_BYTES = 4
_TIME_BYTES = 8
_MARK = "\u2014 "
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([0-9A-Za-z+/=]+)")


class NoteFormError(MalformedError):
    """Bytes that are not a signed note, or text that is not a checkpoint."""

    code = "note_form"


class NoteSignatureError(SignatureError):
    """A signature by a known key does not verify over the note."""

    code = "note_signature"


class NoteUnsignedError(SignatureError):
    """No known key has signed the note."""

    code = "note_unsigned"


def _refuse(where: str, what: str) -> NoReturn:
    msg = f"{where}: {what}"
    raise NoteFormError(msg)


class Algorithm(IntEnum):
    """The signature type byte that goes into a note's key id."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A known key of a note: who signs under which name, and in which way.

    Attributes:
        name: not empty, without spaces or plus; for a log, its origin.
        public: the key.
        algorithm: whether it signs notes or cosigns checkpoints.
        hint: the 4 bytes that stand before its signatures.
    """

    name: str
    public: PublicKey
    algorithm: Algorithm = Algorithm.ED25519
    hint: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Check the name and work out the hint."""
        _check_name(self.name, "note key")
        material = bytes([self.algorithm]) + self.public.raw
        digest = hashlib.sha256(self.name.encode("utf-8") + b"\n" + material).digest()
        object.__setattr__(self, "hint", digest[:_HINT_BYTES])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text form of a verifier key: name+hex of the key id+base64."""
        where = "verifier key"
        match = _VERIFIER_KEY.fullmatch(text)
        if match is None:
            _refuse(where, "is not name+key id+key")
        material = _decode(match[3], where)
        if len(material) != 1 + KEY_BYTES or material[0] not in tuple(Algorithm):
            _refuse(where, "is not an Ed25519 key for notes or cosignatures")
        found = cls(match[1], PublicKey(material[1:]), Algorithm(material[0]))
        if found.hint.hex() != match[2]:
            _refuse(where, f"its key id is {found.hint.hex()}, not {match[2]}")
        return found

    def as_text(self) -> str:
        """Return the text form of this verifier key."""
        material = strict_json.b64_encode(bytes([self.algorithm]) + self.public.raw)
        return f"{self.name}+{self.hint.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: a name and a hint, which say who claims it, and the signature."""

    name: str
    hint: bytes
    raw: bytes

    def line(self) -> str:
        """Return the line that stands in the note, with its newline."""
        return f"{_MARK}{self.name} {strict_json.b64_encode(self.hint + self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified signature: by which key, and for a cosignature its time in seconds."""

    key: NoteKey
    time_s: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note's verified text, and the known keys that signed it."""

    text: str
    signed: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was taken apart and not verified; `open` gives the text."""

    signatures: tuple[NoteSignature, ...]
    _text: str = field(repr=False)

    def open(self, keys: Collection[NoteKey]) -> OpenedNote:
        """Return the text if at least one of `keys` signed it.

        Raises:
            NoteSignatureError: a signature by a known key is bad.
            NoteUnsignedError: no signature is by a known key.
        """
        known = {(key.name, key.hint): key for key in keys}
        signed: list[Signed] = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.hint))
            if key is not None:
                signed.append(_verify(self._text, signature, key=key))
        if not signed:
            names = ", ".join(sorted({key.name for key in keys})) or "nobody"
            msg = f"note: not signed by a known key of {names}"
            raise NoteUnsignedError(msg)
        return OpenedNote(self._text, tuple(signed))

    def with_signature(self, signature: NoteSignature) -> bytes:
        """Return the note's bytes with one more signature line at the end."""
        return assemble(self._text, (*self.signatures, signature))


def _verify(text: str, signature: NoteSignature, *, key: NoteKey) -> Signed:
    message, raw, time_s = text.encode("utf-8"), signature.raw, None
    if key.algorithm is Algorithm.COSIGNATURE:
        if len(raw) != _TIME_BYTES + SIGNATURE_BYTES:
            msg = f"note: the cosignature by {key.name} is {len(raw)} bytes long"
            raise NoteSignatureError(msg)
        (time_s,) = struct.unpack(">Q", raw[:_TIME_BYTES])
        if time_s > TIME_S_MAX:
            msg = f"note: the cosignature by {key.name} has no possible time"
            raise NoteSignatureError(msg)
        message, raw = _cosigned(text, time_s), raw[_TIME_BYTES:]
    if not key.public.accepts(raw, message):
        msg = f"note: the signature by {key.name} ({key.hint.hex()}) is bad"
        raise NoteSignatureError(msg)
    return Signed(key, time_s)


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def parse(data: bytes) -> Note:
    """Take a note apart without verifying it.

    Raises:
        NoteFormError: the bytes are not a signed note.
    """
    if len(data) > NOTE_BYTES_MAX:
        _refuse("note", f"{len(data)} bytes, at most {NOTE_BYTES_MAX} are allowed")
    try:
        whole = bytes(data).decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        _refuse("note", f"not UTF-8 at byte {error.start}")
    text, blank, block = whole.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        _refuse("note", "has no blank line and signature lines after its text")
    text += "\n"
    _check_text(text)
    lines = block[:-1].split("\n")
    _check_count(len(lines))
    return Note(tuple(_signature(line, n) for n, line in enumerate(lines, start=1)), text)


def _signature(line: str, number: int) -> NoteSignature:
    where = f"note: signature line {number}"
    if not line.startswith(_MARK):
        _refuse(where, "does not begin with an em dash and a space")
    name, space, encoded = line.removeprefix(_MARK).partition(" ")
    if not space:
        _refuse(where, "is not a key name and a signature")
    _check_name(name, where)
    raw = _decode(encoded, where)
    if len(raw) <= _HINT_BYTES:
        _refuse(where, "is too short for a key id and a signature")
    return NoteSignature(name, raw[:_HINT_BYTES], raw[_HINT_BYTES:])


def _decode(encoded: str, where: str) -> bytes:
    try:
        return strict_json.b64_decode(encoded, where)
    except MalformedError as error:
        raise NoteFormError(*error.args) from None


def _check_name(name: str, where: str) -> None:
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        _refuse(where, f"a key name has 1 to {NAME_LENGTH_MAX} characters, not {len(name)}")
    if "+" in name or any(one.isspace() or not one.isprintable() for one in name):
        _refuse(where, f"a key name holds no spaces, plus or unprintable characters: {name!a:.60}")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n":
        _refuse("note", "its text is empty or does not end a line")
    if _CONTROL.search(text):
        _refuse("note", "its text holds a control character")


def _check_count(count: int) -> None:
    if not 1 <= count <= SIGNATURES_MAX:
        _refuse("note", f"{count} signatures, between 1 and {SIGNATURES_MAX} are allowed")


def sign_text(text: str, *, name: str, signer: SigningKey) -> NoteSignature:
    """Return the signature line of `signer`, under its key name, over a note's text."""
    key = NoteKey(name, signer.public)
    return NoteSignature(name, key.hint, signer.sign(text.encode("utf-8")))


def assemble(text: str, signatures: tuple[NoteSignature, ...]) -> bytes:
    """Return the bytes of a note: the text, a blank line, the signature lines.

    Raises:
        NoteFormError: the text cannot be a note's, or there are no signatures or too many.
    """
    _check_text(text)
    _check_count(len(signatures))
    data = f"{text}\n{''.join(one.line() for one in signatures)}".encode()
    if len(data) > NOTE_BYTES_MAX:
        _refuse("note", f"{len(data)} bytes, at most {NOTE_BYTES_MAX} are allowed")
    return data


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: which log; one non-empty line.
        size: its number of leaves.
        root: 32 bytes, its Merkle root at that size.
        extensions: further lines that the log signs; ours has none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be written as the text of a note."""
        if type(self.size) is not int or not 0 <= self.size <= SIZE_MAX:
            _refuse("checkpoint", f"its size is {self.size!a:.40}")
        if len(self.root) != HASH_BYTES:
            _refuse("checkpoint", f"its root has {len(self.root)} bytes, not {HASH_BYTES}")
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line or _CONTROL.search(line):
                _refuse("checkpoint", "a line is empty or holds a control character")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the verified text of a note, or raise `NoteFormError`."""
        origin, size, root, *extensions = _lines(text)
        if _SIZE.fullmatch(size) is None:
            _refuse("checkpoint", f"line 2 is not a size: {size!a:.40}")
        raw = _decode(root, "checkpoint: line 3")
        return cls(origin, int(size), raw, tuple(extensions))

    def as_text(self) -> str:
        """Return the text that is signed; each line ends with a newline."""
        lines = (self.origin, str(self.size), strict_json.b64_encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


_CHECKPOINT_LINES_MIN = 3


def _lines(text: str) -> list[str]:
    if not text.endswith("\n"):
        _refuse("checkpoint", "does not end with a newline")
    lines = text[:-1].split("\n")
    if len(lines) < _CHECKPOINT_LINES_MIN:
        _refuse("checkpoint", f"has {len(lines)} lines, not origin, size and root")
    return lines


def sign_checkpoint(checkpoint: Checkpoint, *, signer: SigningKey) -> bytes:
    """Return a checkpoint as a note signed by its log, whose key name is the origin."""
    text = checkpoint.as_text()
    return assemble(text, (sign_text(text, name=checkpoint.origin, signer=signer),))


def cosign(checkpoint: Checkpoint, *, name: str, signer: SigningKey, time_s: int) -> NoteSignature:
    """Return a cosignature of a checkpoint whose consistency the caller has verified.

    Args:
        checkpoint: the verified head.
        name: the cosigner's key name.
        signer: the cosigner's key, which signs nothing else under another name.
        time_s: seconds since the epoch at which this was the largest tree seen.
    """
    if type(time_s) is not int or not 0 <= time_s <= TIME_S_MAX:
        _refuse("cosignature", f"the time is {time_s!a:.40}")
    key = NoteKey(name, signer.public, Algorithm.COSIGNATURE)
    raw = signer.sign(_cosigned(checkpoint.as_text(), time_s))
    return NoteSignature(name, key.hint, struct.pack(">Q", time_s) + raw)


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A verified head of a log, and the cosignatures that were verified with it."""

    checkpoint: Checkpoint
    cosigned: tuple[Signed, ...]


def open_checkpoint(
    data: bytes,
    *,
    origin: str,
    log_keys: Collection[PublicKey],
    cosigners: Collection[NoteKey] = (),
) -> OpenedCheckpoint:
    """Verify a checkpoint of the log `origin` from its exact bytes.

    Cosignatures are verified and listed; how many are enough is the caller's rule.

    Raises:
        NoteFormError: not a note, not a checkpoint, or of another log.
        NoteSignatureError: a signature by a known key is bad.
        NoteUnsignedError: the log itself has not signed it.
    """
    logs = {NoteKey(origin, public) for public in log_keys}
    opened = parse(data).open({*logs, *cosigners})
    if not any(one.key in logs for one in opened.signed):
        msg = f"note: cosigned, but not signed by the log {origin}"
        raise NoteUnsignedError(msg)
    checkpoint = Checkpoint.from_text(opened.text)
    if checkpoint.origin != origin:
        _refuse("checkpoint", f"is of the log {checkpoint.origin!a:.80}, not {origin!a:.80}")
    cosigned = tuple(one for one in opened.signed if one.key.algorithm is Algorithm.COSIGNATURE)
    return OpenedCheckpoint(checkpoint, cosigned)
