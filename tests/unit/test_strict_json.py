"""Strict JSON: bytes that two readers could read differently are refused, naming the place."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto import strict_json
from proto.errors import MalformedError

SIZE_BYTES_MAX = 4096


def read(data: bytes) -> strict_json.Json:
    """Read with this file's limit."""
    return strict_json.loads(data, size_bytes_max=SIZE_BYTES_MAX, where="body")


REFUSED = {
    "nothing": b"",
    "only white space": b" \n",
    "two documents": b"{} {}",
    "trailing comma": b"[1,]",
    "comment": b"/* */ 1",
    "single quotes": b"{'a':1}",
    "bare name": b"{a:1}",
    "duplicate name": b'{"a":1,"a":1}',
    "duplicate name, escaped differently": b'{"a":1,"\\u0061":2}',
    "duplicate name, nested": b'[{"x":{"b":1,"c":2,"b":3}}]',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a":1}'.encode("utf-16-le"),
    "overlong UTF-8": b'"\xc0\xaf"',
    "Latin-1": b'"\xe9"',
    "encoded surrogate": b'"\xed\xa0\x80"',
    "escaped half of a pair": b'"\\ud800"',
    "escaped half of a pair in a name": b'{"\\udfff":1}',
    "escaped halves in the wrong order": b'["\\udc00\\ud800"]',
    "control character in a string": b'"a\nb"',
    "NUL after the document": b"{}\x00",
    "float": b"1.0",
    "float that is whole": b"[100000000000000000000.0]",
    "exponent": b"1e3",
    "exponent without a fraction": b"1E0",
    "NaN": b"NaN",
    "Infinity": b"[Infinity]",
    "minus Infinity": b"-Infinity",
    "minus zero": b"-0",
    "leading zero": b"01",
    "plus": b"+1",
    "hexadecimal": b"0x10",
    "underscore": b"1_000",
    "Arabic digit": "\u0661".encode(),
    "2^53": b"9007199254740992",
    "-2^53": b"-9007199254740992",
    "a number that int() would take minutes for": b"9" * 4000,
    "True": b"True",
    "vertical tab as white space": b"\x0b1",
    "no-break space": b"\xc2\xa01",
    "depth 17": b"[" * 17 + b"]" * 17,
    "depth that is never closed": b"[" * 4000,
    "depth in objects": b'{"a":' * 17 + b"1" + b"}" * 17,
    "depth after a string of brackets": b'["]]]]]]]]]]",' + b"[" * 16 + b"]" * 17,
    "too long": b" " * SIZE_BYTES_MAX + b"1",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    """Each case is one that some JSON reader takes, or takes differently."""
    with pytest.raises(MalformedError, match=r"\Abody: "):
        read(data)


ACCEPTED: dict[bytes, strict_json.Json] = {
    b"0": 0,
    b" \t\r\n7 ": 7,
    b"9007199254740991": 2**53 - 1,
    b"-9007199254740991": -(2**53) + 1,
    b"null": None,
    b"true": True,
    b'"\\u00e9\xc3\xa9"': "éé",
    b'"\\ud83d\\ude00"': "😀",
    b'"\\\\\\""': '\\"',
    b'["[[[[[[[[[[[[[[[[[[[["]': ["[" * 20],
    b"[" * 16 + b"]" * 16: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],
    b'{"a":{"b":[]},"b":{"a":{}}}': {"a": {"b": []}, "b": {"a": {}}},
}


@pytest.mark.parametrize(("data", "value"), ACCEPTED.items())
def test_plain_documents_are_read(data: bytes, value: strict_json.Json) -> None:
    """What is left is ordinary JSON."""
    found = read(data)
    assert found == value
    assert type(found) is type(value)


def test_hostile_text_of_quotes_and_backslashes_is_refused_at_once() -> None:
    """The depth check reads each character once: 64 KiB of escapes cost no more than any text."""
    for data in (b'\\"' * 32768, b'"' + b'\\"' * 32767, b'"\\' * 32768, b'"' * 65535):
        with pytest.raises(MalformedError):
            strict_json.loads(data, size_bytes_max=65536)


def test_many_names_with_one_twice_name_the_culprit() -> None:
    """The message says which name, so that whoever wrote it can look."""
    names = ",".join(f'"n{i}":0' for i in range(300))
    with pytest.raises(MalformedError, match="'n299' appears twice"):
        read(f'{{{names},"n299":1}}'.encode())


scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_what_we_write_we_read_back(value: strict_json.Json) -> None:
    """Writing is deterministic and gives back the same value, types included."""
    data = strict_json.dumps(value)
    assert strict_json.loads(data, size_bytes_max=len(data)) == value
    assert strict_json.dumps(json.loads(data)) == data


LEXEMES = (
    *'"\\[]{}:,01-.e \n\t\x0bé\ufeffa',
    "\\u00",
    "\\ud800",
    "NaN",
    "true",
    "null",
    '"a":',
    "9" * 16,
)
fragments = st.sampled_from(LEXEMES)


@given(st.lists(fragments, max_size=12).map("".join))
def test_strict_never_reads_what_the_standard_library_reads_differently(text: str) -> None:
    """Whatever is accepted, json.loads reads as the same value with the same types."""
    data = text.encode()
    try:
        found = read(data)
    except MalformedError:
        return
    assert repr(found) == repr(json.loads(data))


def test_members_are_sorted_and_nothing_is_escaped_that_need_not_be() -> None:
    """Equal values give equal bytes whatever order they were built in."""
    assert strict_json.dumps({"b": 1, "a": ("é", None)}) == '{"a":["é",null],"b":1}'.encode()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (1.0, r"json: a float"),
        ({"a": [0, {"b": float("nan")}]}, r"json\.a\[1\]\.b: a float"),
        ({"a": b"bytes"}, r"json\.a: a bytes"),
        ({1: "a"}, r"json \(a member's name\)"),
        (2**53, r"beyond 2\^53"),
        (["\ud800"], r"json\[0\]: .*surrogate"),
        ({"a": {1, 2}}, r"json\.a: a set"),
    ],
)
def test_what_has_no_strict_form_is_not_written(value: object, place: str) -> None:
    """The message names the place and the type, never the value: it might be a secret."""
    with pytest.raises(MalformedError, match=place):
        strict_json.dumps(value)


def test_too_deep_is_not_written() -> None:
    """A list that holds itself ends in a refusal, not in a crash."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(MalformedError, match="nested deeper than 16"):
        strict_json.dumps(endless)


class TestTakingApart:
    """Closed objects: an unknown or missing member is refused by its path."""

    def test_exact_members(self) -> None:
        """All required, none unknown; optional may be absent."""
        found = strict_json.members({"a": 1}, "body", required=("a",), optional=("b",))
        assert found == {"a": 1}

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"site": 1}, r"\Abody\.target\.appliance: is missing"),
            ({"site": 1, "appliance": 2, "all": 3}, r"\Abody\.target: unknown member 'all'"),
            (["site", "appliance"], r"\Abody\.target: must be an object, not an array"),
            (None, r"\Abody\.target: must be an object, not null"),
            ("site", r"\Abody\.target: must be an object, not text"),
        ],
    )
    def test_refusals_name_the_path(self, value: object, message: str) -> None:
        """The sender sees which member it was."""
        with pytest.raises(MalformedError, match=message):
            strict_json.members(value, "body.target", required=("site", "appliance"))

    @pytest.mark.parametrize("value", [True, False, None, "1", 1.0, [], -1, 11])
    def test_an_integer_is_of_type_int_and_in_range(self, value: object) -> None:
        """True == 1 in Python, and is not an integer here."""
        with pytest.raises(MalformedError, match=r"\An: "):
            strict_json.integer(value, "n", low=0, high=10)

    @pytest.mark.parametrize("value", [0, 1, None, "true"])
    def test_a_boolean_is_true_or_false(self, value: object) -> None:
        """1 == True in Python, and is not a boolean here."""
        with pytest.raises(MalformedError, match="must be true or false"):
            strict_json.boolean(value, "b")

    @pytest.mark.parametrize("value", ["ab\n", "a\u0661", "", "abcde", 7, None])
    def test_text_matches_in_full(self, value: object) -> None:
        """A trailing newline or a foreign digit does not slip through."""
        with pytest.raises(MalformedError, match=r"\Aname: "):
            strict_json.text(value, "name", length_max=4, pattern=re.compile(r"[a-z0-9]+"))

    def test_items_are_read_one_by_one_with_their_path(self) -> None:
        """The index stands in the path."""
        assert strict_json.items([1, 2], "ns", each=strict_json.integer) == (1, 2)
        with pytest.raises(MalformedError, match=r"\Ans\[1\]: must be an integer"):
            strict_json.items([1, "2"], "ns", each=strict_json.integer)
        with pytest.raises(MalformedError, match="has 3 items"):
            strict_json.items([1, 2, 3], "ns", each=strict_json.integer, high=2)

    def test_a_choice_is_one_of_the_listed(self) -> None:
        """The message lists what would have been taken."""
        assert strict_json.choice("a", "c", among=("b", "a")) == "a"
        with pytest.raises(MalformedError, match="'A' is none of a, b"):
            strict_json.choice("A", "c", among=("b", "a"))


@pytest.mark.parametrize(
    "text",
    [
        "QQ",  # padding left out
        "QQ=",
        "QQ===",
        "QR==",  # other trailing bits, the same byte to a lenient reader
        "QUJ=",
        "QQ==\n",
        "Q Q==",
        "Q\nQ==",
        "-_-_",  # the URL alphabet
        "QQ==QQ==",
        "=QQ=",
        "\u0410===",
        "QUJD" * 2,  # too long for the limit
    ],
)
def test_base64_variants_are_refused(text: str) -> None:
    """Each would decode somewhere; one text for one value."""
    with pytest.raises(MalformedError, match=r"\Asig: "):
        strict_json.b64_decode(text, "sig", size_bytes_max=5)


@given(st.binary(max_size=64), st.integers(1, 3))
def test_base64_round_trip_and_exact_length(raw: bytes, extra: int) -> None:
    """The bytes come back; another length than the known one is refused."""
    text = strict_json.b64_encode(raw)
    assert strict_json.b64_decode(text, "raw", length=len(raw)) == raw
    with pytest.raises(MalformedError, match="it must be"):
        strict_json.b64_decode(text, "raw", length=len(raw) + extra)


@pytest.mark.parametrize("text", ["0G", "0A", "0", "000", "00\n", " 0", "\u0660\u0660", 0, None])
def test_hexadecimal_is_lower_case_and_of_exact_length(text: object) -> None:
    """One text for one value."""
    assert strict_json.hex_decode("0a", "id", length=1) == b"\n"
    with pytest.raises(MalformedError, match=r"\Aid: "):
        strict_json.hex_decode(text, "id", length=1)
