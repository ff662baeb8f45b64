"""What stands around every page, and how a device and a check are called on it."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import HTMLResponse

from appliance.portal.state import PortalVisit
from proto.catalog.model import Content
from proto.incidents import Severity
from runtime.web import words
from runtime.web.words import Words

MENU = (
    ("Overview", "/"),
    ("Devices", "/devices"),
    ("Incidents", "/incidents"),
    ("Waivers", "/waivers"),
    ("Orders", "/orders"),
    ("Limits", "/limits"),
    ("Health", "/health"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """The values of the base template; `here` is the menu entry that the page belongs to."""

    place: str
    menu: tuple[tuple[str, str], ...]
    here: str
    person: str
    csrf: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class CheckText:
    """A check in words; one that the active content lacks is called by its id."""

    id: str
    title: str
    description: str
    severity: Words
    rank: int
    controls: tuple[tuple[str, str], ...]
    freshness_s: int
    is_known: bool


SEVERITY_ORDER = tuple(words.SEVERITIES)


def check_text(content: Content, check: str) -> CheckText:
    """Return a check in words, with the controls it supports and why."""
    found = content.checks.get(check)
    if found is None:
        return CheckText(
            check, check, "", words.UNNAMED, len(SEVERITY_ORDER), (), 0, is_known=False
        )
    return CheckText(
        id=found.id,
        title=found.title,
        description=found.description,
        severity=words.SEVERITIES[found.severity],
        rank=SEVERITY_ORDER.index(found.severity),
        controls=tuple(found.controls.items()),
        freshness_s=found.freshness_s,
        is_known=True,
    )


def severity_words(severity: Severity) -> Words:
    """Return a severity in words."""
    return words.SEVERITIES[severity]


def freshness(content: Content) -> dict[str, int]:
    """Return for how long each check of the content may be believed, seconds."""
    return {check.id: check.freshness_s for check in content.checks.values()}


def shown(value: object) -> str:
    """Return a reported value as a page shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "(empty)"


def pairs(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return reported values as (name, shown value), by name."""
    return [(name.replace("_", " "), shown(values[name])) for name in sorted(values)]


def page(
    visit: PortalVisit,
    template: str,
    here: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
) -> HTMLResponse:
    """Return a page inside its frame; `here` is the menu entry it belongs to."""
    frame = Frame(
        place=visit.app.identity.place,
        menu=MENU,
        here=here,
        person=visit.person.person,
        csrf=visit.person.csrf,
        now_ms=visit.now_ms,
    )
    return visit.app.pages.answer(template, {"frame": frame, **values}, status=status)
