"""What the scrubber knows: one frozen value, read from the strict YAML of `rules/phi/`.

`read_policy` is pure. `default_policy` alone reads files, through importlib.resources, once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

from proto.catalog.reader import Problems, Reader
from proto.catalog.strict_yaml import YamlError, parse_yaml
from proto.errors import CatalogError
from proto.phi.composed import Composed
from proto.phi.gazetteer import read_gazetteer
from proto.phi.keys import Keys, Phrases
from proto.phi.names import Names as SiteNames
from proto.phi.values import Names

FILES = ("keys.yaml", "policies.yaml", "segments.yaml", "vocabulary.yaml", "words.yaml")
GAZETTEER_FILE = "names.gaz"
DEFAULT = "infra_facts"

TEXT_CHARS_MAX = 200_000
RECORD_CHARS_MAX = 1 << 22

_VOCABULARIES = (
    "months", "titles", "credentials", "streets", "states", "roots", "web_roots", "documents",
    "accounts", "account_parts", "brands", "implants", "nothing", "clinic",
)  # fmt: skip
_LATER_VOCABULARIES = (
    "companies",
    "eponyms",
    "eponymous",
    "called_after",
    "makers",
    "equipment",
    "workplaces",
    "zones",
)
"""Lists that content may lack: what people signed for an earlier program stays in force."""
_CLASS = re.compile(r"[A-Z][A-Z0-9_]{0,14}[A-Z0-9]")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}|[A-Z0-9]{2,3}|[0-9a-f]{8}")


class Infra(StrEnum):
    """Whether facts about equipment stay."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Closed lists of lower-case words, as bytes."""

    words: frozenset[bytes]
    lists: Mapping[str, frozenset[bytes]]

    def __getitem__(self, name: str) -> frozenset[bytes]:
        """Return one list."""
        return self.lists[name]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One frozen value: what is scrubbed and by which words.

    Attributes:
        name: as in `rules/phi/policies.yaml`.
        infra: whether facts about equipment stay.
        record_chars_max: a longer record is withheld whole.
        keys: classes by names of keys and by cues.
        vocabulary: words that are no names, months, streets, folders and so on.
        segments: class by place of the formats whose places are fixed (HL7 v2, X12, DICOM).
    """

    name: str
    infra: Infra
    record_chars_max: int
    keys: Keys
    vocabulary: Vocabulary
    segments: Mapping[str, Mapping[str, Mapping[int, str]]]


def read_policies(files: Mapping[str, bytes]) -> Mapping[str, Policy]:
    """Read every policy.

    Args:
        files: the bytes of each of `FILES` by its name.

    Raises:
        CatalogError: with every problem, each `file:line: what`.
    """
    problems = Problems()
    for name in FILES:
        if name not in files:
            problems.add(f"phi/{name}", 1, "is missing")
    for name in sorted(set(files) - set(FILES)):
        problems.add(f"phi/{name}", 1, "is no file of the scrubber")
    problems.refuse_if_any()
    readers = {name: _reader(name, files[name], problems) for name in FILES}
    problems.refuse_if_any()
    keys = _keys(readers["keys.yaml"], problems)
    vocabulary = _vocabulary(readers["vocabulary.yaml"], readers["words.yaml"])
    segments = _segments(readers["segments.yaml"])
    policies: dict[str, Policy] = {}
    listed = readers["policies.yaml"].inner("policies")
    for name in listed.names():
        one = listed.inner(name)
        one.text("title")
        policies[name] = Policy(
            name=name,
            infra=one.choice("infra", Infra),
            record_chars_max=one.integer("record_chars_max", low=1024, high=RECORD_CHARS_MAX),
            keys=keys,
            vocabulary=vocabulary,
            segments=segments,
        )
        one.finish()
    if DEFAULT not in policies:
        listed.fail(f"there is no policy {DEFAULT}")
    readers["policies.yaml"].finish()
    problems.refuse_if_any()
    return MappingProxyType(policies)


def default_policy() -> Policy:
    """Return the policy `infra_facts` of the installed content, read once.

    Raises:
        CatalogError: the content does not hold together.
    """
    return installed_policies()[DEFAULT]


@cache
def installed_policies() -> Mapping[str, Policy]:
    """Return every policy of the installed content, read once."""
    folder = resources.files("rules").joinpath("phi")
    return read_policies({name: folder.joinpath(name).read_bytes() for name in FILES})


@cache
def default_names() -> Names | None:
    """Return the installed gazetteer's names, None when it was never compiled.

    Raises:
        IntegrityError: the file is there and is not whole.
    """
    file = resources.files("proto.phi").joinpath(GAZETTEER_FILE)
    if not file.is_file():
        return None
    return SiteNames(read_gazetteer(file.read_bytes()))


def _reader(name: str, data: bytes, problems: Problems) -> Reader:
    try:
        return Reader(parse_yaml(data, f"phi/{name}"), problems)
    except YamlError as error:
        raise CatalogError([str(error)]) from error


def _words(reader: Reader, name: str) -> tuple[str, ...]:
    return tuple(reader.text(name, chars_max=TEXT_CHARS_MAX).split())


def _later_words(reader: Reader, name: str) -> tuple[str, ...]:
    """Return words of a list that content made for an earlier program lacks: then none."""
    return tuple(reader.optional_text(name, chars_max=TEXT_CHARS_MAX).split())


def _phrases(reader: Reader, name: str) -> tuple[str, ...]:
    value = reader.plain(name)
    if value == "":
        reader.raw(name)
        return ()
    text = reader.text(name, chars_max=TEXT_CHARS_MAX)
    return tuple(" ".join(phrase.split()) for phrase in text.split("|") if phrase.strip())


def _keys(reader: Reader, problems: Problems) -> Keys:
    classes: dict[str, Phrases] = {}
    listed = reader.inner("classes")
    for name in listed.names():
        if _CLASS.fullmatch(name) is None:
            listed.fail(f"{name} is no name of a class", name)
        one = listed.inner(name)
        classes[name] = Phrases(
            anywhere=_phrases(one, "anywhere"),
            whole=_phrases(one, "whole"),
            person=_phrases(one, "person"),
            spoken=_phrases(one, "spoken"),
        )
        one.finish()
    persons, fillers, infra = (_words(reader, name) for name in ("persons", "fillers", "infra"))
    facts = _later_words(reader, "facts")
    listed_later = reader.each("composed") if reader.has("composed") else ()
    composed = tuple(_composed(one, classes) for one in listed_later)
    reader.finish()
    problems.refuse_if_any()
    return Keys(
        classes, persons=persons, fillers=fillers, infra=infra, facts=facts, composed=composed
    )


def _composed(reader: Reader, classes: Mapping[str, Phrases]) -> Composed:
    kind = reader.text("kind")
    if kind not in classes:
        reader.fail(f"{kind} is no class", "kind")
    heads, of = (
        frozenset(word.encode() for word in _words(reader, name)) for name in ("heads", "of")
    )
    reader.finish()
    return Composed(kind, heads, of)


def _vocabulary(lists: Reader, words: Reader) -> Vocabulary:
    found = {
        name: frozenset(word.lower().encode() for word in _words(lists, name))
        for name in _VOCABULARIES
    }
    found |= {
        name: frozenset(word.lower().encode() for word in _later_words(lists, name))
        for name in _LATER_VOCABULARIES
    }
    lists.finish()
    every = found["clinic"] | {word.encode() for word in _words(words, "words")}
    words.finish()
    return Vocabulary(every, MappingProxyType(found))


def _segments(reader: Reader) -> Mapping[str, Mapping[str, Mapping[int, str]]]:
    """Read `format: segment: {class: [places]}` into class by place."""
    formats: dict[str, Mapping[str, Mapping[int, str]]] = {}
    for name in reader.names():
        one = reader.inner(name)
        segments: dict[str, Mapping[int, str]] = {}
        for segment in one.names():
            if _SEGMENT.fullmatch(segment) is None:
                one.fail(f"{segment} is no name of a segment", segment)
            places: dict[int, str] = {}
            inner = one.inner(segment)
            for kind in inner.names():
                for place in inner.items(kind):
                    if type(place) is not int or place in places:
                        inner.fail(f"{place!r:.20} must be a place, named once", kind)
                    else:
                        places[place] = kind
            segments[segment] = MappingProxyType(places)
        formats[name] = MappingProxyType(segments)
    return MappingProxyType(formats)
