"""Whole records out of pieces: what is scrubbed is never half of something.

A source says how its records end; pieces are kept until one is whole, so the same bytes give the
same records however they were cut. A record that grows beyond the limit is not cut to fit: it is
given as oversize, with the hash of all of it, and nothing of its text.
"""

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Frame(StrEnum):
    """How a source's records end."""

    LINE = "line"
    """At a line feed; a line that begins with a blank belongs to the record before it."""
    DOCUMENT = "document"
    """With the stream: one document, one command's output."""
    MLLP = "mllp"
    """HL7 over TCP: from 0x0B to 0x1C 0x0D (HL7 v2 transport, appendix C)."""
    NUL = "nul"
    """At a NUL character, as in journald's and syslog's octet streams."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        text: the record, "" when it is oversize.
        oversize_sha256: SHA-256 in hex of a record that was too long, else None.
    """

    text: str
    oversize_sha256: str | None = None


class Framer:
    """Takes pieces of one stream, gives records."""

    def __init__(self, frame: Frame, *, record_chars_max: int) -> None:
        """Begin at the start of a stream."""
        self._frame = frame
        self._max = record_chars_max
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: list[str] = []
        self._chars = 0
        self._hash = hashlib.sha256()
        self._over = False
        self._tail = ""

    def feed(self, piece: bytes) -> Iterator[Record]:
        """Take the next bytes; yield every record that is whole now."""
        yield from self._take(self._tail + self._decoder.decode(piece), last=False)

    def end(self) -> Iterator[Record]:
        """Yield what the end of the stream makes whole."""
        yield from self._take(self._tail + self._decoder.decode(b"", final=True), last=True)
        if self._chars or self._over:
            yield self._whole()

    def _take(self, text: str, *, last: bool) -> Iterator[Record]:
        self._tail = ""
        if self._frame is Frame.DOCUMENT:
            self._keep(text)
            return
        mark = _ENDS[self._frame]
        at = 0
        while (found := text.find(mark, at)) >= 0:
            stop = found + len(mark)
            if self._frame is Frame.LINE and stop == len(text) and not last:
                break  # the next line may belong to this one
            if self._frame is Frame.LINE and text[stop : stop + 1] in {" ", "\t"}:
                self._keep(text[at:stop])
                at = stop
                continue
            self._keep(text[at:found])
            if self._chars or self._over:
                yield self._whole()
            at = stop
        rest = text[at:]
        if last:
            self._keep(rest.removesuffix("\n") if self._frame is Frame.LINE else rest)
            return
        # A mark that begins at the very end may go on in the next piece.
        held = next((size for size in range(len(mark), 0, -1) if rest.endswith(mark[:size])), 0)
        self._keep(rest[: len(rest) - held])
        self._tail = rest[len(rest) - held :]

    def _keep(self, text: str) -> None:
        if not text:
            return
        self._hash.update(text.encode("utf-8", "surrogatepass"))
        self._chars += len(text)
        if self._chars > self._max:
            self._over = True
            self._kept.clear()
        else:
            self._kept.append(text)

    def _whole(self) -> Record:
        if self._over:
            record = Record("", self._hash.hexdigest())
        else:
            record = Record("".join(self._kept).removeprefix("\x0b"))
        self._kept.clear()
        self._chars, self._over = 0, False
        self._hash = hashlib.sha256()
        return record


_ENDS = {Frame.LINE: "\n", Frame.MLLP: "\x1c\r", Frame.NUL: "\x00"}
