"""How common a folded token is as a first name, as a last name and as an English word.

The compact file is made at setup by `osiris.gazetteer` and read here from its bytes; this module
does no input of its own. Its rules:

- All of it is checked before any of it is used: magic, length and checksum. A file that fails is
  refused whole, so that a scrubber without names never looks like one with names.
- A token is found by its 32-bit hash. Among about 350,000 entries a stranger is taken for a rare
  name once in about 12,000 look-ups, which only ever scrubs too much.
- Loading copies two to three megabytes and builds no objects per name.

Layout, little-endian: magic (8), number of entries (u32), CRC-32 of the body (u32), SHA-256 of
what it was compiled from (32); body: hashes (u32 each, ascending), then a byte an entry for first
names, for last names, and for words.
"""

import struct
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from zlib import crc32

from proto.errors import IntegrityError

MAGIC = b"OSNAMES1"
HEADER = struct.Struct("<8sII32s")
ENTRY_BYTES = 7
FILE_BYTES_MAX = 4 * 1024 * 1024

Weights = tuple[int, int, int]
UNKNOWN: Weights = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Weights of tokens, found by hash.

    Attributes:
        source: SHA-256 of what it was compiled from.
        hashes: ascending, one an entry.
        first: how surely the entry is a first name, 0..255.
        last: how surely it is a last name, 0..255.
        words: how common it is as a word, 0..255.
    """

    source: bytes
    hashes: "array[int]"
    first: bytes
    last: bytes
    words: bytes

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.hashes)

    def weights(self, folded: str) -> Weights:
        """Return first, last and word weight of a folded token; zeros when it is unknown."""
        wanted = token_hash(folded)
        at = bisect_left(self.hashes, wanted)
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return UNKNOWN
        return self.first[at], self.last[at], self.words[at]


def token_hash(folded: str) -> int:
    """Return the 32-bit hash by which a folded token is found."""
    return crc32(folded.encode())


def read_gazetteer(raw: bytes) -> Gazetteer:
    """Read the compact file from its bytes.

    Raises:
        IntegrityError: it is not such a file, was cut, or was altered.
    """
    if len(raw) < HEADER.size or len(raw) > FILE_BYTES_MAX:
        msg = f"gazetteer: {len(raw)} bytes, a compiled one has {HEADER.size}..{FILE_BYTES_MAX}"
        raise IntegrityError(msg)
    magic, entries, checksum, source = HEADER.unpack_from(raw)
    body = raw[HEADER.size :]
    if magic != MAGIC:
        msg = "gazetteer: not a compiled gazetteer of this version"
        raise IntegrityError(msg)
    if len(body) != entries * ENTRY_BYTES or crc32(body) != checksum:
        msg = "gazetteer: cut or altered since it was compiled"
        raise IntegrityError(msg)
    hashes = array("I")
    hashes.frombytes(body[: 4 * entries])
    if sys.byteorder == "big":
        hashes.byteswap()
    first, last, words = (body[at * entries : (at + 1) * entries] for at in (4, 5, 6))
    return Gazetteer(source, hashes, first, last, words)
