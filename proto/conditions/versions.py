"""The order of version numbers, as Debian defines it (deb-version(7), Debian Policy 5.6.12).

A version is `[epoch:]upstream[-revision]`. Epochs compare as numbers; then the upstream parts, then
the revisions, each from left to right in alternating runs: a run without digits compares by
character, where `~` sorts before the end of the text, letters before everything else, and the rest
by code point; a run of digits compares as a number. So 1.0~rc1 < 1.0 < 1.0-1 < 1.0a < 1.2 < 1.10.
"""

import re
from itertools import zip_longest

VERSION_CHARS_MAX = 128

_VERSION = re.compile(r"(?:([0-9]{1,9}):)?([0-9][A-Za-z0-9.+~-]*)")
_RUN = re.compile(r"([^0-9]*)([0-9]*)")


def is_version(text: object) -> bool:
    """Tell whether this is text with the form of a version."""
    return (
        isinstance(text, str)
        and len(text) <= VERSION_CHARS_MAX
        and _VERSION.fullmatch(text) is not None
    )


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _compare_text(left: str, right: str) -> int:
    for a, b in zip_longest(map(_weight, left), map(_weight, right), fillvalue=0):
        if a != b:
            return -1 if a < b else 1
    return 0


def _compare_part(left: str, right: str) -> int:
    pairs = zip_longest(_RUN.findall(left), _RUN.findall(right), fillvalue=("", ""))
    for (text_a, digits_a), (text_b, digits_b) in pairs:
        order = _compare_text(text_a, text_b)
        if order:
            return order
        a, b = int(digits_a or "0"), int(digits_b or "0")
        if a != b:
            return -1 if a < b else 1
    return 0


def compare_versions(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, as old as or newer than `right`.

    Raises:
        ValueError: one of them is not a version (see `is_version`).
    """
    parts = []
    for text in (left, right):
        match = _VERSION.fullmatch(text)
        if match is None:
            msg = f"not a version: {text!r:.60}"
            raise ValueError(msg)
        upstream, _, revision = match[2].rpartition("-") if "-" in match[2] else (match[2], "", "")
        parts.append((int(match[1] or "0"), upstream, revision))
    (epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b) = parts
    if epoch_a != epoch_b:
        return -1 if epoch_a < epoch_b else 1
    return _compare_part(upstream_a, upstream_b) or _compare_part(revision_a, revision_b)
