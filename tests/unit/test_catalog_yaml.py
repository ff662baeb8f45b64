"""A file of content means what a person reads in it, to every reader, or it is refused."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.catalog.strict_yaml import DEPTH_MAX, SIZE_BYTES_MAX, YamlError, parse_yaml

CORE_SCHEMA_OTHER = re.compile(
    r"null|Null|NULL|~|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
)
"""What YAML 1.2's core schema does not read as text (YAML 1.2.2, section 10.3.2)."""


def words(text: str) -> list[str]:
    """Split a table of words."""
    return text.split()


REFUSED_WORDS = words("""
    yes Yes YES no No NO on On ON off Off OFF y Y n N True TRUE False FALSE Null NULL ~
    010 0777 00 -01 0o17 0x1F 0b101 1_000 +5 1.5 -0.0 1. .5 1e3 1E+3 6.02e23 .inf -.INF .nan .NaN
    12:30 190:20:30 1:0 2024-01-31 2001-12-14T21:59:43.10-05:00 2024-1-1 << =
    9007199254740992 -9007199254740992 99999999999999999999999 -0
""")

KEPT_TEXTS = words("""
    lin.ssh.root_login 10.0.0.0/8 1.2.3 12h 5m 0-9 yes-no nobody onward a:b http://x ru/n none nil
    TRUE1 v1.5 1.2.3.4 2024-01 AC-6(2) 164.312(a)(2)(i) hipaa:164.312(b) --flag .hidden ./x null0
""")


def value_of(text: str) -> object:
    """Read a document whose only member is `k`."""
    found = parse_yaml(f"k: {text}\n".encode(), "f.yaml").value
    assert isinstance(found, dict)
    return found["k"]


@pytest.mark.parametrize("word", REFUSED_WORDS)
def test_words_that_some_yaml_reads_otherwise_are_refused(word: str) -> None:
    with pytest.raises(YamlError, match=r"^f\.yaml:2: "):
        parse_yaml(f"a: 1\nk: {word}\n".encode(), "f.yaml")
    assert value_of(f'"{word}"') == word


@pytest.mark.parametrize("word", KEPT_TEXTS)
def test_plain_texts_stay_texts(word: str) -> None:
    assert value_of(word) == word


def test_the_few_types_there_are() -> None:
    some = 'a: true\nb: false\nc: null\nd: 0\ne: -12\nf: "no"\n'
    text = f"{some}g: [1, x]\nh: {{}}\ni: |\n  two\n  lines\n"
    assert parse_yaml(text.encode(), "f").value == {
        "a": True,
        "b": False,
        "c": None,
        "d": 0,
        "e": -12,
        "f": "no",
        "g": [1, "x"],
        "h": {},
        "i": "two\nlines\n",
    }


REFUSED = [
    (b"a: 1\nb: 2\na: 3\n", 3, "appears twice"),
    (b"a: {b: 1, b: 2}\n", 1, "appears twice"),
    (b"a: &x 1\n", 1, "anchors"),
    (b"a: 1\nb: *x\n", 2, "aliases"),
    (b"a: !!str 1\n", 1, "tags"),
    (b"a: !custom {}\n", 1, "tags"),
    (b"a: ! x\n", 1, "tags"),
    (b"a: 1\nb:\n", 2, "nothing stands here"),
    (b"a: [1, , 2]\n", 1, "not YAML"),
    (b"1: a\n", 1, "key must be text"),
    (b"true: a\n", 1, "key must be text"),
    (b"on: a\n", 1, "another type"),
    (b"? [a]\n: 1\n", 1, "key must be text"),
    (b"a: 1\n---\nb: 2\n", 2, "second document"),
    (b"%YAML 1.1\n---\na: 1\n", 1, "directives"),
    (b"%TAG ! !x\n---\na: 1\n", 1, "directives"),
    (b"", 1, "no document"),
    (b"# nothing\n", 2, "no document"),
    (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
    (b"\xef\xbb\xbfa: 1\n", 1, "byte order mark"),
    (b"a: 1\nb: 'open\n", 3, "not YAML"),
    (b"a: 1\nb: x: y\n", 2, "not YAML"),
    (b"a: \x07\n", 1, "not YAML"),
    (b"a: 1\n\tb: 2\n", 2, "not YAML"),
    (b"a: " + b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), 1, "nested deeper"),
    (b"a: x" + b"x" * SIZE_BYTES_MAX, 1, "bytes, at most"),
]


@pytest.mark.parametrize(("data", "line", "what"), REFUSED)
def test_everything_else_is_refused_with_file_and_line(data: bytes, line: int, what: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(data, "checks/x.yaml")
    assert str(caught.value).startswith(f"checks/x.yaml:{line}: ")
    assert what in str(caught.value)


def test_every_place_has_its_line() -> None:
    document = parse_yaml(b"a: 1\nb:\n  - x\n  - c: 2\n    d: [1,\n        2]\n", "f.yaml")
    assert document.line(("a",)) == 1
    assert document.line(("b",)) == 2
    assert document.line(("b", 1)) == 4
    assert document.line(("b", 1, "d")) == 5
    assert document.line(("b", 1, "d", 1)) == 6
    assert document.line(("b", 1, "gone", "deeper")) == 4
    assert document.line(("gone",)) == 1


plain = st.text(st.sampled_from("0123456789_.:-+eExXobnNyYsStTaAfF~<=/ "), min_size=1, max_size=9)


@settings(max_examples=1500, deadline=None)
@given(word=plain)
def test_a_plain_word_that_is_accepted_means_the_same_to_every_reader(word: str) -> None:
    data = f"k: {word}\n"
    try:
        value = parse_yaml(data.encode(), "f").value
    except YamlError:
        return
    assert isinstance(value, dict)
    read = yaml.safe_load(data)
    assert repr(read) == repr(value)
    if isinstance(value["k"], str):
        assert CORE_SCHEMA_OTHER.fullmatch(value["k"]) is None


nodes = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(value=nodes)
def test_what_is_written_with_quoted_texts_is_read_back(value: object) -> None:
    text = yaml.dump(value, Dumper=QuotingDumper, width=10_000, sort_keys=False)
    assert repr(parse_yaml(text.encode(), "f").value) == repr(value)


class QuotingDumper(yaml.SafeDumper):
    """Writes every text in double quotes and repeats values instead of aliasing them."""

    def ignore_aliases(self, _data: object) -> bool:
        """Never write an alias."""
        return True


QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@settings(max_examples=500, deadline=None)
@given(
    data=st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes) -> None:
    refusal = None
    try:
        parse_yaml(data, "f.yaml")
    except YamlError as error:
        refusal = str(error)
    assert refusal is None or re.match(r"f\.yaml:[1-9][0-9]*: ", refusal)
