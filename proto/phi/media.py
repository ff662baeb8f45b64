r"""Pictures, documents, sounds, archives and prints of fingers that lie in a record encoded.

Nothing can be read inside them, and a face, a voice or a scanned card is somebody: all of it goes.
They are told by their first bytes, in base64 (RFC 4648; a slash may be escaped, as some JSON has
it), in hexadecimal (`0xFFD8FF…` and `\xffd8ff…` of databases) and in lists of numbers.
"""

import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from proto.phi.record import Record
from proto.phi.scan import Pattern
from proto.phi.values import Kind

GATES: Final = frozenset({"blob", "hex", "escape"})
HEAD_BYTES: Final = 272
"""DICOM has its mark behind 128 bytes (PS3.10, section 7.1), tar behind 257 (POSIX, ustar)."""
UNPACKED_BYTES_MAX: Final = 4096
BYTES_MIN: Final = 24
"""Fewer show nobody: a hash or a key may begin as a file does."""
_BREAK: Final = r"(?:\r?\n|(?:\\{1,3}r)?\\{1,3}n)"
"""The end of a line, which JSON may have escaped."""
_BASE64: Final = Pattern(
    r"(?:[A-Za-z0-9+/_-]|\\{1,3}/){32,}"
    rf"(?:(?:{_BREAK}[A-Za-z0-9+/]{{60,100}})+(?:{_BREAK}[A-Za-z0-9+/]{{2,100}})?|{_BREAK}[A-Za-z0-9+/]{{2,100}}=)?={{0,2}}"
)
_HEX: Final = Pattern(
    r"[0-9A-Fa-f]{66,}|(?:(?:0x)?[0-9A-Fa-f]{2}(?:[:-]|[ ,] ?)){24,}(?:0x)?[0-9A-Fa-f]{2}"
)
_ESCAPED: Final = Pattern(r"\\{1,2}x(?:[fF]{2}\\{1,2}x[dD]8\\{1,2}x[fF]{2}|89PNG)[^\n\"']{60,}")
"""A picture as Python and C write bytes."""
_NUMBERS: Final = Pattern(r"[0-9]{1,3}(?:, ?[0-9]{1,3}){23,}")
_PICTURE: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM....\0\0\0\0|II\*\0|MM\0\*|RIFF....WEBP"
    rb"|....ftyp(?:heic|heix|hevc|mif1|msf1|avif)|\0\0\0\x0cjP  |FAC\0|.{128}DICM",
    re.DOTALL,
)
"""Those of ISO 19794-5 too, which are of faces."""
_PRINT: Final = re.compile(rb"FMR\0|FIR\0|IIR\0")
"""Records of fingers and irises (ISO 19794-2, -4, -6)."""
_FILE: Final = re.compile(
    rb"%PDF|PK\x03\x04|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|RIFF....(?:WAVE|AVI )|OggS\0|ID3[\x02-\x04]|fLaC"
    rb"|....ftyp|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\xfd7zXZ\0|BZh[1-9]1AY|SQLite format 3\0|!BDN|ElfFile\0"
    rb"|.{257}ustar|#!AMR|\x1aE\xdf\xa3",
    re.DOTALL,
)
_GZIP: Final = b"\x1f\x8b\x08"
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a]{2}")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_JOINS: Final = re.compile(rb"\\+[rn]|[\\\r\n]")
_CODES: Final = 256


def read(record: Record) -> None:
    """Find what is a file of one of these kinds."""
    shapes, data = record.shapes, record.data
    if "escape" in shapes and b"\\x" in data:
        for start, end in _spans(_ESCAPED, data):
            record.hit(Kind.PHOTO, start, end, "a picture, its bytes escaped")
    if "blob" in shapes:
        for start, end in _spans(_BASE64, data):
            _take(record, start, end, _of_base64(data[start : min(end, start + 4 * HEAD_BYTES)]))
    if "hex" in shapes:
        for start, end in _spans(_HEX, data):
            _take(record, start, end, _of_hex(data[start : min(end, start + 4 * HEAD_BYTES)]))
        if data.count(b",") >= BYTES_MIN - 1:
            _in_numbers(record)


def _in_numbers(record: Record) -> None:
    data = record.data
    for start, end in _spans(_NUMBERS, data):
        _take(record, start, end, _of_numbers(data[start : min(end, start + 5 * HEAD_BYTES)]))


def kind_of(head: bytes) -> Kind | None:
    """Tell what a file is by its first bytes; None for what can be read, or is nothing known."""
    if head.startswith(_GZIP):
        return _kind_packed(head)
    if _PICTURE.match(head):
        return Kind.PHOTO
    if _PRINT.match(head):
        return Kind.BIOMETRIC
    return Kind.BLOB if _FILE.match(head) else None


def _kind_packed(head: bytes) -> Kind | None:
    """Tell what lies in a packed file; one whose text can be read is no matter of this module."""
    try:
        inside = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, UNPACKED_BYTES_MAX)
    except zlib.error:
        return Kind.BLOB
    if inside.startswith(_GZIP):
        return Kind.BLOB
    return kind_of(inside) or (Kind.BLOB if _BINARY.search(inside) else None)


def _spans(pattern: Pattern, data: bytes) -> Iterator[tuple[int, int]]:
    for spans in pattern.each(data):
        yield spans[0]


def _take(record: Record, start: int, end: int, head: bytes) -> None:
    kind = kind_of(head) if len(head) >= BYTES_MIN else None
    if kind is not None:
        record.hit(kind, start, end, "a file of somebody's, encoded")


def _of_base64(run: bytes) -> bytes:
    body = _JOINS.sub(b"", run).rstrip(b"=").translate(_STANDARD)
    try:
        return binascii.a2b_base64(body[: len(body) // 4 * 4])
    except binascii.Error:
        return b""


def _of_hex(run: bytes) -> bytes:
    digits = run.replace(b"0x", b"").translate(None, b" :,-")
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _of_numbers(run: bytes) -> bytes:
    codes = [int(code) for code in run.rpartition(b",")[0].split(b",")]  # the last may be cut
    return bytes(codes) if max(codes, default=_CODES) < _CODES else b""
