"""The scrubber's order of work on one record.

A record is looked at through its view; a gate and the words tell what can be there; formats with
fixed places are read first, then keys and cues, secrets, values that tell by their form, folders
and files, names, and what only counts in a record about people. Decoded layers are looked at the
same way, and a hit inside redacts what carries it. The work is repeated on its own output until
nothing new is found, so scrubbing twice is scrubbing once.
"""

import hashlib
from collections.abc import Callable

from proto.phi import (
    blobs,
    context,
    known,
    labels,
    pairs,
    paths,
    people,
    secrets,
    segments,
    shapes,
    tables,
    tokens,
)
from proto.phi.forms import lit
from proto.phi.lexicon import Lexicon
from proto.phi.policy import Infra, Policy
from proto.phi.record import Found, Record
from proto.phi.shape_json import fit, is_json
from proto.phi.values import Hit, Kind, Names, Result, TokenVault, Withheld, seal
from proto.phi.views import View, look

ROUNDS_MAX = 6
_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
LAYERS_MAX = 3
LEXICONS_MAX = 8


_LEXICONS: dict[tuple[int, int], Lexicon] = {}


def _lexicon(policy: Policy, names: Names) -> Lexicon:
    """Return what is made of a policy and names, by their identity: both are frozen."""
    key = (id(policy), id(names))
    found = _LEXICONS.get(key)
    if found is None:
        if len(_LEXICONS) >= LEXICONS_MAX:
            _LEXICONS.clear()
        found = _LEXICONS[key] = Lexicon(policy, names)  # it keeps both alive, and so their ids
    return found


def scrub_record(text: str, *, policy: Policy, names: Names | None, vault: TokenVault) -> Result:
    """Scrub one whole record; see `proto.phi.scrub`."""
    if names is None:
        return withhold(text, "there are no names to compare with", vault=vault)
    if len(text) > policy.record_chars_max:
        return withhold(text, f"longer than {policy.record_chars_max} characters", vault=vault)
    lexicon = _lexicon(policy, names)
    hits: tuple[Hit, ...] = ()
    current = text
    document: bool | None = None
    for turn in range(ROUNDS_MAX):
        try:
            found = find(current, lexicon, vault)
        except _FAILURES as error:  # a fault of ours lets nothing through
            return withhold(text, f"the scrubber failed: {type(error).__name__}", vault=vault)
        if not found:
            return Result(seal(current), hits)
        if document is None:
            document = is_json(text)
        bare: frozenset[int] = frozenset()
        if document:
            found, bare = fit(current, found)
            if not found:  # what was found is no value of the document
                return Result(seal(current), hits)
        if turn == 0:
            hits = tuple(Hit(kind, start, end, why) for start, end, kind, why in found)
        current = _replaced(current, found, bare, vault)
    return withhold(text, "it does not come to rest", vault=vault)


def withhold(text: str, reason: str, *, vault: TokenVault) -> Result:
    """Return a token in place of a whole record."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    token = tokens.make(Kind.WITHHELD, vault.body(Kind.WITHHELD, digest))
    if text.lstrip()[:1] in {"{", "[", '"'}:
        token = f'"{token}"'  # what was JSON stays JSON
    return Result(seal(token), (), Withheld(reason, digest))


def find(text: str, lexicon: Lexicon, vault: TokenVault) -> list[Found]:
    """Return what must go, in order and apart from each other, by offsets of the text."""
    view = look(text, vault.knows)
    found = find_in(view, lexicon, LAYERS_MAX)
    for start, end in view.strangers:
        kind = tokens.kind_of(str(view.data[start:end], "ascii"))
        found.append((*view.span(start, end), kind, "a token that was never given out here"))
    return settled(found)


def find_in(view: View, lexicon: Lexicon, layers: int) -> list[Found]:
    """Return what must go in one view and the layers inside it, by offsets of its text."""
    record = Record(view.data, view.lower, lexicon)
    record.shapes = lit(view.data, view.lower)
    if not record.every and not record.shapes and not lexicon.numbers:
        return []
    for read in _READERS:
        read(record)
    if layers:
        blobs.read(record, lambda inner: find_in(inner, lexicon, layers - 1))
    if lexicon.policy.infra is Infra.DROP:
        shapes.read_infra(record)
    if record.found:
        people.spread(record)
    if view.starts is None:
        return record.found
    return [(*view.span(start, end), kind, why) for start, end, kind, why in record.found]


_READERS: tuple[Callable[[Record], None], ...] = (
    segments.read,
    tables.read,
    labels.read,
    pairs.read,
    known.read,
    secrets.read,
    shapes.read,
    paths.read,
    shapes.read_old_days,
    people.loose,
    people.beside,
    shapes.read_in_context,
    context.read,
)


def settled(found: list[Found]) -> list[Found]:
    """Return hits in order, those that overlap as their union under the longest one's class."""
    found.sort(key=lambda one: (one[0], -one[1]))
    merged: list[Found] = []
    for one in found:
        if merged and one[0] < merged[-1][1]:
            last = merged[-1]
            if one[1] > last[1]:
                longer = one if one[1] - one[0] > last[1] - last[0] else last
                merged[-1] = (last[0], one[1], longer[2], longer[3])
            continue
        merged.append(one)
    return merged


def _replaced(text: str, found: list[Found], bare: frozenset[int], vault: TokenVault) -> str:
    pieces: list[str] = []
    at = 0
    for start, end, kind, _ in found:
        pieces.append(text[at:start])
        token = tokens.make(kind, vault.body(kind, text[start:end]))
        pieces.append(f'"{token}"' if start in bare else token)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)
