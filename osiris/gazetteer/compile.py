"""Packs weights into the compact file, and knows whether the file that is there is current."""

import hashlib
import struct
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from zlib import crc32

from osiris.gazetteer import sources
from osiris.gazetteer.weights import Row
from proto.errors import OsirisError
from proto.phi.gazetteer import HEADER, MAGIC, read_gazetteer, token_hash

FILE_NAME = "names.gaz"
RECIPE = (
    "osiris/gazetteer/compile.py",
    "osiris/gazetteer/machine_words.txt",
    "osiris/gazetteer/sources.py",
    "osiris/gazetteer/weights.py",
    "proto/phi/names.py",
)


def place() -> Path:
    """Where the compact file lies: beside the scrubber, in a checkout and when installed."""
    return Path(str(files("proto.phi"))) / FILE_NAME


def recipe() -> bytes:
    """SHA-256 of what the file is made from: the pinned archives and the code that weighs them."""
    digest = hashlib.sha256(sources.LOCK.read_bytes())
    for name in RECIPE:
        digest.update((sources.ROOT / name).read_bytes())
    return digest.digest()


def current() -> bool:
    """Whether the file is there, whole, and made by this recipe."""
    try:
        return read_gazetteer(place().read_bytes()).source == recipe()
    except (OSError, OsirisError):
        return False


def pack(rows: Mapping[str, Row], *, source: bytes) -> bytes:
    """Return the compact file; tokens that share a hash get the higher of their weights."""
    by_hash: dict[int, Row] = {}
    for token, row in rows.items():
        key = token_hash(token)
        other = by_hash.get(key, (0, 0, 0))
        by_hash[key] = (max(row[0], other[0]), max(row[1], other[1]), max(row[2], other[2]))
    keys = sorted(by_hash)
    body = struct.pack(f"<{len(keys)}I", *keys)
    body += b"".join(bytes(by_hash[key][part] for key in keys) for part in range(3))
    return HEADER.pack(MAGIC, len(keys), crc32(body), source) + body


def write(packed: bytes) -> Path:
    """Put the file in its place at once and whole."""
    target = place()
    partial = target.with_suffix(".gaz.partial")
    partial.write_bytes(packed)
    partial.replace(target)
    return target
