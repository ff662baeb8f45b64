"""Counts words of machines and plain English in manuals, for `rules/phi/words.yaml`.

A word is kept when it stands in lower case in enough documents, mostly in lower case, and is not
first of all somebody's name. Addresses are left out before counting, because logins and hosts in
them are names in lower case. No labelled text is among the sources: what is measured on such text
would otherwise be measured on what was learnt from it.

`python -m osiris.gazetteer words FOLDER... > rules/phi/words.yaml` makes the file anew.
"""

import gzip
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zlib import error as zlib_error

FOLDERS = ("/usr/share/doc", "/usr/share/man", "/usr/lib/python3.11", "/usr/lib/systemd/catalog")
DOCUMENTS_MIN = 6
LOWER_SHARE_MIN = 0.5
LETTERS_MIN, LETTERS_MAX = 3, 22
NAME_WEIGHT_MAX = 127
TEXT_BYTES_MAX = 1 << 20
_SUFFIXES = frozenset(
    {"", ".gz", ".txt", ".md", ".py", ".html", ".rst", ".catalog", ".java", ".yaml"}
)
_ADDRESS = re.compile(r"\S+@\S+|[a-z]{2,8}://\S+|<[^<>\s]{1,80}>")
_WORD = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]?[a-z]+|[A-Z]+)(?![a-z0-9])")
_HEX = re.compile(r"[a-f]+")
_ENGLISH_CHARS = 400
"""English has an article at least once in so many characters."""
_ENGLISH = re.compile(r"man[1-9]")
HEAD = """\
# Words of machines and plain English that are no names by themselves, counted where they stand in
# lower case; kept sorted. Made by `python -m osiris.gazetteer words` from the manuals of a Debian
# machine and its Python packages, our own checks and runbooks, and the manuals of PowerShell and
# Sysinternals. No labelled text is among them.
words: >-
"""

NameWeight = Callable[[str], int]
"""How surely a lower-case word is somebody's name, 0..255."""


def documents(folders: Iterable[Path]) -> Iterator[str]:
    """Yield the text of every document below the folders, manuals in English only."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix not in _SUFFIXES or not path.is_file() or path.is_symlink():
                continue
            if folder.name == "man" and not _ENGLISH.fullmatch(path.parent.name):
                continue
            text = _text(path)
            if text is not None and text.count("the ") * _ENGLISH_CHARS >= len(text):
                yield text


def _text(path: Path) -> str | None:
    raw = path.read_bytes()[:TEXT_BYTES_MAX]
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)[:TEXT_BYTES_MAX]
        except (OSError, EOFError, zlib_error):
            return None
    return None if b"\0" in raw else raw.decode("utf-8", "replace")


def count(texts: Iterable[str], weight: NameWeight) -> list[str]:
    """Return the words that are kept, sorted."""
    found, lower, every = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        written = Counter(_WORD.findall(_ADDRESS.sub(" ", text)))
        here = set[str]()
        for word, times in written.items():
            folded = word.lower()
            every[folded] += times
            if word.islower():
                lower[folded] += times
                here.add(folded)
        found.update(here)
    return sorted(
        word
        for word, documents_of in found.items()
        if documents_of >= DOCUMENTS_MIN
        and LETTERS_MIN <= len(word) <= LETTERS_MAX
        and lower[word] >= LOWER_SHARE_MIN * every[word]
        and weight(word) <= NAME_WEIGHT_MAX
        and _HEX.fullmatch(word) is None
    )


def as_yaml(words: Iterable[str]) -> str:
    """Return the words as the file of the scrubber's content."""
    lines = textwrap.wrap(" ".join(words), width=98)
    return HEAD + "".join(f"  {line}\n" for line in lines)
