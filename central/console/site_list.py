"""Which sites of a fleet a page lists: those of one kind, those with some words, a page at a time.

A fleet may have thousands of sites, and somebody who looks at it wants those that need somebody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from central.core.fleet import Presence
from central.store.views.fleet import FleetRow

PER_PAGE: Final = 50
WORDS_CHARS_MAX: Final = 80
PAGE_DIGITS_MAX: Final = 6
EVERY: Final = "all"

KINDS: Final[Mapping[str, tuple[str, Callable[[FleetRow], bool]]]] = {
    EVERY: ("All", lambda _: True),
    "people": (
        "Need a person",
        lambda row: bool(row.escalated or row.conditions or row.unconfirmed),
    ),
    "silent": ("Not online", lambda row: row.presence is not Presence.ONLINE),
    "open": ("Open incidents", lambda row: row.open_incidents > 0),
}
"""What an address names -> what people read, and which sites are of that kind."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see: a kind of sites, words in a label or id, and a page from 1 on."""

    kind: str
    words: str
    page: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        """Read an address's query; what is not understood means everything, from the beginning."""
        kind, page = query.get("show", EVERY), query.get("page", "1")
        return cls(
            kind=kind if kind in KINDS else EVERY,
            words=" ".join(query.get("find", "")[:WORDS_CHARS_MAX].split()),
            page=max(1, int(page))
            if page.isascii() and page.isdigit() and len(page) <= PAGE_DIGITS_MAX
            else 1,
        )

    def address(self, *, kind: str | None = None, page: int = 1) -> str:
        """Return the address of another kind with the same words, or of another page."""
        said = {"show": kind or self.kind, "find": self.words, "page": str(page)}
        plain = {"show": EVERY, "find": "", "page": "1"}
        query = urlencode({name: one for name, one in said.items() if one != plain[name]})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the sites that were wanted.

    Attributes:
        found: how many sites there are of this kind with these words, on all pages.
        first: the number of the first one here, from 1; 0 where there is none.
    """

    rows: tuple[FleetRow, ...]
    found: int
    first: int
    before: str | None
    after: str | None


def listed(rows: Sequence[FleetRow], wanted: Wanted) -> Listed:
    """Return the page that is wanted, or the last one there is."""
    _, is_of_kind = KINDS[wanted.kind]
    found = [row for row in rows if is_of_kind(row) and _has(row, wanted.words)]
    last = max(1, -(-len(found) // PER_PAGE))
    page = min(wanted.page, last)
    start = (page - 1) * PER_PAGE
    return Listed(
        rows=tuple(found[start : start + PER_PAGE]),
        found=len(found),
        first=start + 1 if found else 0,
        before=wanted.address(page=page - 1) if page > 1 else None,
        after=wanted.address(page=page + 1) if page < last else None,
    )


def kinds(rows: Sequence[FleetRow], wanted: Wanted) -> list[tuple[str, str, int, bool]]:
    """Return every kind's address, name, how many sites are of it, and whether it is shown."""
    return [
        (wanted.address(kind=kind), name, sum(map(is_of_kind, rows)), kind == wanted.kind)
        for kind, (name, is_of_kind) in KINDS.items()
    ]


def _has(row: FleetRow, words: str) -> bool:
    """Tell whether every word stands in a site's label or id, whatever its case."""
    text = f"{row.label} {row.site}".casefold()
    return all(word in text for word in words.casefold().split())
