"""Reads columns of a Parquet file: what the baby-names table needs and no more.

It saves the build from installing pyarrow (about 150 MB) for one table. Supported: columns without
nulls of INT32 or BYTE_ARRAY, Snappy or uncompressed, version 1 data pages, plain or dictionary
encoding. Everything else is refused by name. Source: the Apache Parquet format and its
`parquet.thrift`; the Snappy format description.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from proto.errors import MalformedError

MAGIC = b"PAR1"
PAGE_BYTES_MAX = 64 * 1024 * 1024
INT32, BYTE_ARRAY = 1, 6
UNCOMPRESSED, SNAPPY = 0, 1
DATA_PAGE, DICTIONARY_PAGE = 0, 2
PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY = 0, 2, 8

# Members of the Thrift structs, by their field numbers.
FILE_ROW_GROUPS, GROUP_COLUMNS, CHUNK_META = 4, 1, 3
META_TYPE, META_PATH, META_CODEC, META_VALUES, META_DATA_AT, META_DICTIONARY_AT = 1, 3, 4, 5, 9, 11
PAGE_TYPE, PAGE_SIZE, PAGE_COMPRESSED, PAGE_DATA, PAGE_DICTIONARY = 1, 2, 3, 5, 7
DATA_VALUES, DATA_ENCODING = 1, 2

Struct = dict[int, Any]


def column(raw: bytes, name: str) -> list[Any]:
    """Return every value of a column, in order: ints, or strings for BYTE_ARRAY.

    Raises:
        MalformedError: no such column, or a feature this reader does not have.
    """
    if raw[:4] != MAGIC or raw[-4:] != MAGIC:
        _refuse("not a Parquet file")
    footer_bytes = int.from_bytes(raw[-8:-4], "little")
    footer = _Thrift(raw, len(raw) - 8 - footer_bytes).struct()
    values: list[Any] = []
    for group in footer[FILE_ROW_GROUPS]:
        metas = [chunk[CHUNK_META] for chunk in group[GROUP_COLUMNS]]
        chosen = [meta for meta in metas if meta[META_PATH] == [name.encode()]]
        if not chosen:
            _refuse(f"no column {name!r}")
        values.extend(_chunk(raw, chosen[0]))
    return values


def _refuse(what: str) -> NoReturn:
    msg = f"parquet: {what}"
    raise MalformedError(msg)


def _chunk(raw: bytes, meta: Struct) -> list[Any]:
    at = min(meta.get(META_DICTIONARY_AT, meta[META_DATA_AT]), meta[META_DATA_AT])
    dictionary: list[Any] = []
    values: list[Any] = []
    while len(values) < meta[META_VALUES]:
        reader = _Thrift(raw, at)
        header = reader.struct()
        at = reader.at + header[PAGE_COMPRESSED]
        page = _decompress(raw[reader.at : at], header[PAGE_SIZE], codec=meta[META_CODEC])
        if header[PAGE_TYPE] == DICTIONARY_PAGE:
            count = header[PAGE_DICTIONARY][DATA_VALUES]
            dictionary = _plain(page, meta[META_TYPE], count=count)
        elif header[PAGE_TYPE] == DATA_PAGE:
            data = header[PAGE_DATA]
            if data[DATA_ENCODING] in {PLAIN_DICTIONARY, RLE_DICTIONARY}:
                width, count = page[0], data[DATA_VALUES]
                values += [dictionary[index] for index in _indexes(page, width, count=count)]
            elif data[DATA_ENCODING] == PLAIN:
                values += _plain(page, meta[META_TYPE], count=data[DATA_VALUES])
            else:
                _refuse(f"encoding {data[DATA_ENCODING]}")
        else:
            _refuse(f"page type {header[PAGE_TYPE]}")
    return values


def _decompress(block: bytes, size: int, *, codec: int) -> bytes:
    if size > PAGE_BYTES_MAX:
        _refuse(f"a page of {size} bytes")
    if codec == UNCOMPRESSED:
        return block
    if codec != SNAPPY:
        _refuse(f"compression {codec}")
    page = _unsnap(block)
    if len(page) != size:
        _refuse("a page that does not unpack to its size")
    return page


def _plain(page: bytes, kind: int, *, count: int) -> list[Any]:
    if kind == INT32:
        return list(struct.unpack_from(f"<{count}i", page))
    if kind != BYTE_ARRAY:
        _refuse(f"physical type {kind}")
    values, at = [], 0
    for _ in range(count):
        end = at + 4 + int.from_bytes(page[at : at + 4], "little")
        values.append(page[at + 4 : end].decode())
        at = end
    return values


def _indexes(page: bytes, width: int, *, count: int) -> list[int]:
    """Runs of one repeated value, or groups of eight packed ones, after a byte with the width."""
    indexes: list[int] = []
    at = 1
    value_bytes = (width + 7) // 8
    mask = (1 << width) - 1
    while len(indexes) < count:
        header, at = _varint(page, at)
        if header & 1:
            for _ in range(header >> 1):
                packed = int.from_bytes(page[at : at + width], "little")
                at += width
                indexes += [packed >> (width * place) & mask for place in range(8)]
        else:
            value = int.from_bytes(page[at : at + value_bytes], "little")
            at += value_bytes
            indexes += [value] * (header >> 1)
    return indexes[:count]


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that another byte follows
            return value, at
        shift += 7


def _unsnap(block: bytes) -> bytes:
    size, at = _varint(block, 0)
    out = bytearray()
    while at < len(block):
        tag = block[at]
        kind, at = tag & 3, at + 1
        if kind == 0:
            length = (tag >> 2) + 1
            extra = max(0, length - 60)
            if extra:
                length = int.from_bytes(block[at : at + extra], "little") + 1
            at += extra
            out += block[at : at + length]
            at += length
            continue
        if kind == 1:
            length, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | block[at]
            at += 1
        else:
            offset_bytes = 2 if kind == 2 else 4  # noqa: PLR2004 - the format's tag numbers
            length = (tag >> 2) + 1
            offset = int.from_bytes(block[at : at + offset_bytes], "little")
            at += offset_bytes
        start = len(out) - offset
        if start < 0 or not offset:
            _refuse("a Snappy copy from before the beginning")
        piece = bytes(out[start : start + length])
        out += (piece * (length // len(piece) + 1))[:length]  # it may overlap what it makes
    if len(out) != size:
        _refuse("a Snappy block that does not unpack to its size")
    return bytes(out)


@dataclass(slots=True)
class _Thrift:
    """Thrift's compact protocol, into dictionaries by field number."""

    raw: bytes
    at: int

    def struct(self) -> Struct:
        found: Struct = {}
        for number, kind in self._fields():
            found[number] = self._value(kind)
        return found

    def _fields(self) -> Iterator[tuple[int, int]]:
        number = 0
        while head := self._byte():
            delta = head >> 4
            number = number + delta if delta else self._zigzag()
            yield number, head & 0x0F

    def _value(self, kind: int) -> Any:  # noqa: ANN401 - a struct member has any type
        readers: dict[int, Callable[[], Any]] = {
            1: lambda: True,
            2: lambda: False,
            3: self._byte,
            4: self._zigzag,
            5: self._zigzag,
            6: self._zigzag,
            7: lambda: self._take(8),
            8: lambda: self._take(self._varint()),
            9: self._list,
            12: self.struct,
        }
        if kind not in readers:
            _refuse(f"Thrift type {kind}")
        return readers[kind]()

    def _list(self) -> list[Any]:
        head = self._byte()
        size = head >> 4
        if size == 0x0F:  # noqa: PLR2004 - a long list's size follows its head
            size = self._varint()
        return [self._value(head & 0x0F) for _ in range(size)]

    def _byte(self) -> int:
        self.at += 1
        return self.raw[self.at - 1]

    def _take(self, count: int) -> bytes:
        self.at += count
        return self.raw[self.at - count : self.at]

    def _varint(self) -> int:
        value, self.at = _varint(self.raw, self.at)
        return value

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
