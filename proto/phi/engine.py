"""The scrubber's order of work on one record.

A record is looked at through its view; a gate and the words tell what can be there; formats with
fixed places are read first, then keys and cues, secrets, values that tell by their form, folders
and files, names, and what only counts in a record about people. Decoded layers are looked at the
same way, and a hit inside redacts what carries it. The work is repeated on its own output until
nothing new is found, so scrubbing twice is scrubbing once.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter

from proto.phi import (
    accounts,
    addressed,
    around,
    beside,
    beyond,
    blobs,
    cards,
    changes,
    commanded,
    company,
    compounds,
    context,
    credentials,
    daemons,
    deeds,
    eponyms,
    glued,
    infra,
    introduced,
    known,
    labels,
    makes,
    media,
    nested,
    numbered,
    own_hosts,
    owners,
    paired,
    pairs,
    parts,
    paths,
    repeated,
    runs,
    secrets,
    segments,
    sessions,
    shapes,
    spelled,
    strangers,
    tables,
    tokens,
    vcards,
)
from proto.phi.forms import lit
from proto.phi.lexicon import (
    BRAND,
    EPONYM,
    KNOWN,
    LIKELY,
    NAMELIKE,
    ROOT,
    SMALL,
    SOMEBODY,
    STRANGER,
    TELLS,
    Lexicon,
)
from proto.phi.policy import Infra, Policy
from proto.phi.record import TAKEN, Found, Record
from proto.phi.rest import at_rest
from proto.phi.shape_json import fit, is_json
from proto.phi.values import Hit, Kind, Names, Result, TokenVault, Withheld, seal
from proto.phi.views import View, look

ROUNDS_MAX = 6
PLANS_MAX = 4096
ANY = -1
NUMBERS = 1 << 30
"""Beside the flags of words: somebody of the site has numbers."""
_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
LAYERS_MAX = 3
LEXICONS_MAX = 4


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
    try:
        result = _at_rest(text, _lexicon(policy, names), vault)
    except _FAILURES as error:  # a fault of ours lets nothing through
        return withhold(text, f"the scrubber failed: {type(error).__name__}", vault=vault)
    return result or withhold(text, "it does not come to rest", vault=vault)


def _at_rest(text: str, lexicon: Lexicon, vault: TokenVault) -> Result | None:
    """Scrub until nothing new is found; None when that does not end."""
    view = look(text, vault.knows)
    record = examine(view, lexicon, LAYERS_MAX)
    found = found_in(record, view)
    if not found:
        return Result(seal(text), ())
    hits = tuple([_hit(Hit, (kind, start, end, why)) for start, end, kind, why in found])
    document = is_json(text)
    current, bare = text, _NOWHERE
    for _ in range(ROUNDS_MAX):
        if document:
            found, bare = fit(current, found)
        if not found:
            return Result(seal(current), hits)
        current, data = _replaced(current, view, found, bare, vault)
        if view.starts is not None or view.strangers:
            view = look(current, vault.knows)
        elif lexicon.policy.infra is Infra.KEEP and at_rest(
            data, record.shapes, lexicon, inside(lexicon, LAYERS_MAX)
        ):
            return Result(seal(current), hits)
        else:
            view = View(data, data.lower())  # nothing is folded: it is known
        record = examine(view, lexicon, LAYERS_MAX)
        found = found_in(record, view)
    return None


_hit = tuple.__new__
"""Makes a hit without a call of Python's for each."""


def withhold(text: str, reason: str, *, vault: TokenVault) -> Result:
    """Return a token in place of a whole record."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    token = tokens.make(Kind.WITHHELD, vault.body(Kind.WITHHELD, digest))
    if text.lstrip()[:1] in {"{", "[", '"'}:
        token = f'"{token}"'  # what was JSON stays JSON
    return Result(seal(token), (), Withheld(reason, digest))


def examine(view: View, lexicon: Lexicon, layers: int) -> Record:
    """Return a record with all that must go in one view and the layers inside it."""
    data, lower = view.data, view.lower
    record = Record(data, lower, lexicon)
    record.shapes = forms = lit(data, lower)
    flags = record.every & _FLAGS | (NUMBERS if lexicon.numbers else 0)
    about_people = record.person
    for read in _plan(forms, flags):
        read(record)
    if layers and not _LAYERED.isdisjoint(forms):
        blobs.read(record, inside(lexicon, layers))
    if lexicon.policy.infra is Infra.DROP:
        infra.read(record)
    if record.found:
        if record.maybe:
            labels.again(record)
        if record.person:
            strangers.read(record, about_people)
        deeds.made_of_names(record)
        own_hosts.read(record)
        numbered.rest_of_row(record)
        numbered.before_ages(record)
        beyond.spread(record)
        repeated.read(record)
    return record


def inside(lexicon: Lexicon, layers: int) -> Callable[[View], list[Found]]:
    """Return how a decoded layer of one view is looked at."""
    return lambda view: _mapped(examine(view, lexicon, layers - 1), view)


def _mapped(record: Record, view: View) -> list[Found]:
    """Return what must go by offsets of the view's text."""
    if view.starts is None:
        return record.found
    return [(*view.span(start, end), kind, why) for start, end, kind, why in record.found]


def found_in(record: Record, view: View) -> list[Found]:
    """Return what must go, in order and apart from each other, by offsets of the view's text."""
    found = _mapped(record, view)
    for start, end in view.strangers:
        kind = tokens.kind_of(str(view.data[start:end], "ascii"))
        found.append((*view.span(start, end), kind, "a token that was never given out here"))
    return settled(found) if len(found) > 1 else found


Reader = Callable[[Record], None]

_READERS: tuple[tuple[Reader, frozenset[str], int], ...] = (
    (eponyms.read, frozenset(), EPONYM),
    (segments.read, frozenset({"hl7", "x12", "dicom", "astm", "fhir"}), 0),
    (tables.read, frozenset({"rows", "sql", "arrays"}), 0),
    (cards.read, frozenset({"licensed"}), 0),
    (labels.read, frozenset(), TELLS),
    (makes.read, frozenset(), EPONYM),
    (pairs.read, frozenset({"apart"}), 0),
    (changes.read, frozenset({"member", "listed", "changed", "column", "column_ahead", "form"}), 0),
    (nested.read, frozenset({"nested"}), 0),
    (known.read, frozenset(), SOMEBODY | NUMBERS),
    (secrets.read, frozenset({"secret"}), 0),
    (credentials.read, credentials.GATES, 0),
    (shapes.read, shapes.JUDGED, 0),
    (paths.read, frozenset({"url", "file", "dated", "route", "asks"}), ROOT | BRAND),
    (shapes.read_old_days, frozenset({"date"}), 0),
    (glued.read, frozenset({"glued"}), 0),
    (parts.read, parts.GATES, 0),
    (addressed.read, addressed.GATES, 0),
    (vcards.read, vcards.GATES, 0),
    (compounds.read, compounds.GATES, 0),
    (spelled.read, spelled.GATES, 0),
    (owners.read, frozenset({"owner", "zpl", "talk"}), 0),
    (runs.loose, frozenset(), LIKELY | STRANGER | KNOWN),
    (introduced.read, frozenset(), LIKELY | NAMELIKE | SMALL),
    (
        around.read,
        around.GATES,
        0,
    ),
    (company.read, company.GATES, 0),
    (beyond.read, frozenset(), LIKELY | STRANGER | KNOWN),
    (deeds.read, frozenset({"account", "does", "kin", "aged", "slashed", "sought"}), 0),
    (accounts.read, accounts.GATES, 0),
    (commanded.read, commanded.GATES, 0),
    (sessions.read, sessions.GATES, 0),
    (daemons.read, daemons.GATES, 0),
    (media.read, media.GATES, 0),
    (numbered.read, numbered.GATES, 0),
    (paired.read, paired.GATES, 0),
    (beside.read, frozenset(), ANY),
    (shapes.read_in_context, frozenset({"date", "ip", "vin", "afar"}), 0),
    (context.read, frozenset(), ANY),
)
"""In the order of work, each with the forms and the flags of words that call for it."""
_FLAGS = EPONYM | NAMELIKE | SMALL | TELLS | ROOT | BRAND | LIKELY | STRANGER | KNOWN | SOMEBODY
_LAYERED = blobs.IN_PLACE | {"blob", "hex"}
_NOWHERE: frozenset[int] = frozenset()


@lru_cache(maxsize=PLANS_MAX)
def _plan(forms: frozenset[str], flags: int) -> tuple[Reader, ...]:
    """Return the readers to ask, in order, where these forms and flags are."""
    return tuple(
        read
        for read, wanted, flagged in _READERS
        if flagged == ANY or flags & flagged or not wanted.isdisjoint(forms)
    )


_START, _END = itemgetter(0), itemgetter(1)


def settled(found: list[Found]) -> list[Found]:
    """Return hits in order, those that overlap as their union under the longest one's class."""
    found.sort(key=_END, reverse=True)  # of those that begin together the longest comes first
    found.sort(key=_START)
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


def _replaced(
    text: str, view: View, found: list[Found], bare: frozenset[int], vault: TokenVault
) -> tuple[str, bytes]:
    """Return the text with tokens in place of what was found, and its view if nothing is folded."""
    data = view.data
    pieces: list[str] = []
    seen: list[bytes] = []
    at = 0
    for start, end, kind, _ in found:
        token = tokens.make(kind, vault.body(kind, text[start:end]))
        before, blank, stop = text[at:start], data[at:start], TAKEN * len(token)
        if start in bare:
            before, blank, token, stop = before + '"', blank + b'"', token + '"', stop + b'"'
        pieces += before, token
        seen += blank, stop
        at = end
    return "".join([*pieces, text[at:]]), b"".join([*seen, data[at:]])
