"""Values of JSON and XML with the path of keys that leads to each, without building a tree.

Both are read leniently: a document may be cut, written with single quotes, or stand amid other
text. What is given is where a value stands, so that it can be replaced in place.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

DEPTH_MAX = 64
VALUES_MAX = 20_000

# Alternatives that begin apart and pieces with a cap: time stays linear in the text.
_JSON = re.compile(
    rb"\"((?:[^\"\\]|\\.){0,8192})\"?|'([^'\n]{0,8192})'?|([{}\[\],:])|([^\s{}\[\],:\"']{1,8192})",
    re.DOTALL,
)
_TAG = re.compile(
    rb"<(/?)([A-Za-z_][\w.:-]{0,80})((?:[^<>\"']|\"[^\"]{0,8192}\"|'[^']{0,8192}'){0,999}?)(/?)>([^<]{0,8192})"
)
_VALUE = re.compile(rb"\bvalue=[\"']([^\"']{0,8192})[\"']")

Path = tuple[bytes, ...]


class Value(NamedTuple):
    """A scalar: the keys that lead to it, and where it stands without its quotes."""

    path: Path
    start: int
    end: int


def json_values(data: bytes, start: int = 0) -> Iterator[Value]:
    """Yield the scalars of JSON from a place on."""
    keys: list[bytes] = []
    lists: list[bool] = []
    key, held = b"", False
    count = 0
    for match in _JSON.finditer(data, start):
        mark = match[3]
        if mark is None:
            group = match.lastindex or 0  # the one alternative that matched
            if not held and lists and not lists[-1]:
                key = match[group]
                continue
            count += 1
            if count > VALUES_MAX:
                return
            start, end = match.span(group)
            yield Value((*keys, key), start, end)
        elif mark == b":":
            held = True
            continue
        elif mark in b"{[":
            keys.append(key)
            lists.append(mark == b"[")
            if len(keys) > DEPTH_MAX:
                return
        elif mark in b"}]" and keys:
            key = keys.pop()
            lists.pop()
        held = bool(lists) and lists[-1]


def xml_values(data: bytes, start: int = 0) -> Iterator[Value]:
    """Yield the `value` attributes and the texts of elements."""
    tags: list[bytes] = []
    for count, match in enumerate(_TAG.finditer(data, start)):
        name = match[2].rpartition(b":")[2]
        if match[1]:
            if name in tags:
                del tags[len(tags) - 1 - tags[::-1].index(name) :]
            continue
        if count > VALUES_MAX or len(tags) > DEPTH_MAX:
            return
        attribute = _VALUE.search(match[3])
        if attribute is not None:
            at = match.start(3)
            yield Value((*tags, name), at + attribute.start(1), at + attribute.end(1))
        if match[4]:
            continue
        tags.append(name)
        if match[5].strip():
            yield Value(tuple(tags), match.start(5), match.end(5))
