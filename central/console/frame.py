"""What stands around every page of the console, and the words that only it needs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from starlette.responses import HTMLResponse

from central.core.fleet import Presence
from central.core.health import WORDS, Condition
from central.state import ConsoleVisit
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.findings import Verdict
from runtime.content import read_installed
from runtime.web import words
from runtime.web.words import Tone, Words

MENU = (("Fleet", "/"), ("Orders", "/orders"))

PRESENCES: dict[Presence, Words] = {
    Presence.ONLINE: Words("Online", "Heard of lately, with findings of today.", Tone.GOOD),
    Presence.BLIND: Words(
        "Blind", "Heard of lately, but its findings are too old to rely on.", Tone.UNKNOWN
    ),
    Presence.LATE: Words("Late", "Not heard of for longer than usual.", Tone.WARN),
    Presence.SILENT: Words(
        "Silent", "Not heard of for so long that nothing it said counts any more.", Tone.BAD
    ),
    Presence.NEVER: Words("Never heard of", "No appliance has checked in yet.", Tone.UNKNOWN),
}

CONDITIONS: dict[str, Words] = {
    code: Words(code.replace("_", " ").capitalize(), WORDS[code].sentence, Tone.BAD)
    for code in Condition
}

_BELIEVED = frozenset({Presence.ONLINE, Presence.LATE})
_COUNTED = (Verdict.COMPLIANT, Verdict.DRIFTED, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Frame:
    """The values of the base template."""

    place: str
    menu: tuple[tuple[str, str], ...]
    here: str
    person: str
    csrf: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Verdicts as they may be believed now; `judged` leaves out not_applicable.

    Attributes:
        was: what was last known, in words, when it counts as unknown now; else "".
    """

    compliant: int
    drifted: int
    unknown: int
    not_applicable: int
    was: str

    @property
    def judged(self) -> int:
        """How many findings there are to take a share of."""
        return self.compliant + self.drifted + self.unknown


def believed(verdicts: Mapping[Verdict, int], presence: Presence) -> Counts:
    """Return counts; of an appliance that cannot speak for today, all are unknown."""
    compliant, drifted, unknown = (verdicts.get(verdict, 0) for verdict in _COUNTED)
    absent = verdicts.get(Verdict.NOT_APPLICABLE, 0)
    if presence in _BELIEVED:
        return Counts(compliant, drifted, unknown, absent, "")
    was = f"Last known: {compliant:,} compliant, {drifted:,} drifted, {unknown:,} unknown."
    total = compliant + drifted + unknown
    return Counts(0, 0, total, absent, was if total else "")


def slices(counts: Counts) -> list[tuple[str, int, Tone]]:
    """Return counts as the slices of a bar of shares."""
    numbers = (counts.compliant, counts.drifted, counts.unknown)
    return [
        (words.VERDICTS[verdict].label, number, words.VERDICTS[verdict].tone)
        for verdict, number in zip(_COUNTED, numbers, strict=True)
    ]


@lru_cache(maxsize=1)
def _shipped() -> Content:
    return load(read_installed())


async def shipped() -> Content:
    """Return the content that this package ships, for the titles of its checks and runbooks."""
    return await asyncio.to_thread(_shipped)


def check_title(content: Content, check: str) -> str:
    """Return what a check is called, its id when this package does not ship it."""
    found = content.checks.get(check)
    return found.title if found else check


def runbook_title(content: Content, runbook: str | None) -> str | None:
    """Return what a runbook is called, its id when this package does not ship it."""
    found = content.runbooks.get(runbook or "")
    return found.title if found else runbook


def pairs(values: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """Return reported values as (name, shown value), by name; none for erased ones."""
    return [
        (name.replace("_", " "), _shown(value)) for name, value in sorted((values or {}).items())
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "(empty)"


def page(
    visit: ConsoleVisit,
    template: str,
    values: Mapping[str, object],
    *,
    here: str = "/",
    status: int = 200,
) -> HTMLResponse:
    """Return a page inside its frame; `here` is the entry of the menu that it belongs to."""
    frame = Frame(
        place=visit.app.place,
        menu=MENU,
        here=here,
        person=visit.person.person,
        csrf=visit.person.csrf,
        now_ms=visit.now_ms,
    )
    return visit.app.pages.answer(template, {"frame": frame, **values}, status=status)
