"""How a record is looked at: ASCII bytes of one character each, with the way back.

Most machine text is ASCII and is looked at as it is. Otherwise every character is folded to one
ASCII character that means the same to a reader (letters without marks, confusables of other
scripts, digits of every script, dashes, blanks, quotes) or to none (zero-width marks, combining
marks, NUL bytes of UTF-16, terminal colours), and `starts` leads back.
"""

import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from proto.phi import tokens
from proto.phi.scan import Pattern

_ANSI = Pattern(
    r"\x1b(?:\[[0-?]{0,16}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)|[@-Z\\-_])"
)

# Letters of other scripts that readers take for Latin ones (the common ones of UTS 39).
_CONFUSABLE = dict(
    zip(
        "Забвгдежзийклмнопрстуфхцчшщъыьэюяѕіјһԁԛԝґєїўꙅαβγδεζηθικλμνξοπρστυφχψωςɑɡıłøđðþßæœħŋəſƒ"
        "АВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧЁёᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ",
        "3abbrgex3nnknmhonpctyoxucwwbybeursijhdqwreiysaBydeznoikAuvEonpotuoxywcagllo"
        "ddpBaohnesfABESIJKMHOPCTYXABEZHIKMNOPTYXEeABCDEHJKLMPSTVWZ",
        strict=False,
    )
)
_PLAIN = {
    "·": ".", "•": ".", "․": ".", "。": ".", "⁄": "/", "∕": "/", "∶": ":", "：": ":",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "ʼ": "'", "′": "'",
    "−": "-", "⁃": "-", "ー": "-", "˗": "-", "﹣": "-", "－": "-", "⸺": "-", "＠": "@", "﹫": "@",
}  # fmt: skip


class View(NamedTuple):
    r"""One way to look at a text.

    Attributes:
        data: ASCII, one byte a character that is looked at; tokens are blanked with \\x01.
        lower: the same in lower case.
        starts: where each byte's character starts in the text, None when it is the same index.
        ends: where each byte's character ends in the text, None when it is the next index.
        strangers: where text stands that has a token's form and was never given out here.
    """

    data: bytes
    lower: bytes
    starts: list[int] | None = None
    ends: list[int] | None = None
    strangers: tuple[tuple[int, int], ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of this view stands in the text."""
        if self.starts is None or self.ends is None or start >= end:
            return start, end
        return self.starts[start], self.ends[end - 1]


def look(text: str, knows: Callable[[str], bool] = tokens.is_token) -> View:
    """Return the view of a whole text; `knows` tells which tokens were given out here."""
    if text.isascii() and "\x1b" not in text and "\x00" not in text and "\b" not in text:
        data, strangers = _blanked(text.encode("ascii"), knows)
        return View(data, data.lower(), strangers=strangers)
    return _folded(text, knows)


def blank_tokens(data: bytes) -> bytes:
    """Return the bytes with whole tokens blanked, so that nothing reads into them."""
    return _blanked(data, tokens.is_token)[0]


def _blanked(
    data: bytes, knows: Callable[[str], bool]
) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """Return the bytes with every token of ours blanked, and where others' stand."""
    if b"]" not in data:
        return data, ()
    blanked: bytearray | None = None
    strangers: list[tuple[int, int]] = []
    for start, end in tokens.places(data):
        if not knows(data[start:end].decode("ascii")):
            strangers.append((start, end))
            continue
        if blanked is None:
            blanked = bytearray(data)
        blanked[start:end] = b"\x01" * (end - start)
    return data if blanked is None else bytes(blanked), tuple(strangers)


def _folded(text: str, knows: Callable[[str], bool]) -> View:
    if "\x1b" not in text and "\b" not in text:
        same = text.translate(_FOLDS)
        if len(same) == len(text):  # one for one: every index is the same
            data, strangers = _blanked(_figures(same.encode("ascii")), knows)
            return View(data, data.lower(), strangers=strangers)
    colours = {at for start, end in _ansi(text) for at in range(start, end)}
    kept: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    over = -1
    for at, character in enumerate(text):
        if at in colours:
            continue
        folded = _FOLDS[ord(character)]
        if character == "\b" and kept:
            kept.pop()  # the next one is written over it
            ends.pop()
            over = starts.pop()
        elif folded and over >= 0:
            kept.append(folded)
            starts.append(over)
            ends.append(at + 1)
            over = -1
        elif folded:
            kept.append(folded)
            starts.append(at)
            ends.append(at + 1)
        elif ends:
            ends[-1] = at + 1  # a mark that combines or has no width belongs to what it follows
    data, strangers = _blanked(_figures("".join(kept).encode("ascii")), knows)
    return View(data, data.lower(), starts, ends, strangers)


_F = "[0-9lIOo]"
_FIGURES = Pattern(
    rf"(?:^|[^0-9A-Za-z_])(\(?{_F}{{3}}\)?[-. ]{{0,2}}{_F}{{3}}[-. ]{_F}{{4}}|{_F}{{3}}-{_F}{{2}}-{_F}{{4}}"
    rf"|{_F}{{1,2}}[/.-]{_F}{{1,2}}[/.-](?:{_F}{{4}}|{_F}{{2}})|{_F}{{4}}-{_F}{{2}}-{_F}{{2}}|[0-9l]{{6,12}})"
    r"(?:$|[^0-9A-Za-z_])"
)
_AS_FIGURES = bytes.maketrans(b"lIOo", b"1100")
FIGURES_MIN = 3


def _figures(data: bytes) -> bytes:
    """Read letters as the digits that they are taken for, in numbers of folded text."""
    changed: bytearray | None = None
    for start, end in _FIGURES.values(data):
        value = data[start:end]
        read = value.translate(_AS_FIGURES)
        if read != value and sum(map(value.count, _TEN)) >= FIGURES_MIN:
            changed = bytearray(data) if changed is None else changed
            changed[start:end] = read
    return data if changed is None else bytes(changed)


_TEN = b"0123456789"


def _ansi(text: str) -> Iterator[tuple[int, int]]:
    if "\x1b" in text:
        for spans in _ANSI.each(text.encode("latin-1", "replace")):
            yield spans[0]


def fold_character(character: str) -> str:
    """Return the one ASCII character that stands for a character, or nothing."""
    if character < "\x80":
        return "" if character in "\x00\x7f" else character
    found = _PLAIN.get(character) or _CONFUSABLE.get(character)
    if found and found < "\x80":
        return found
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf", "Cc"}:
        return ""
    digit = unicodedata.digit(character, None) if category[0] == "N" else None
    if digit is not None:
        return str(digit)
    if category == "Pd":
        return "-"
    if category[0] == "Z":
        return "\n" if category in {"Zl", "Zp"} else " "
    return _decomposed(character, category)


def _decomposed(character: str, category: str) -> str:
    for letter in unicodedata.normalize("NFKD", character):
        if letter < "\x80":
            return letter
        found = _CONFUSABLE.get(letter)
        if found and found < "\x80":
            return found
    if category[0] in "LM":
        return "Q" if category == "Lu" else "q"
    return "~"


class _Folds(dict[int, str]):
    """What stands for a character, by code point, each worked out once."""

    def __missing__(self, code: int) -> str:
        """Work it out; there are no more of them than Unicode has."""
        found = self[code] = fold_character(chr(code))
        return found


_FOLDS = _Folds()
