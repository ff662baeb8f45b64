"""Pages: Jinja2 with escaping always on, our filters, and the shared templates and stylesheet.

Text from devices and people reaches a page only through an escaped expression; no template marks
anything as safe. An undefined name is an error, so that a page never shows a blank for a value.
"""

import hashlib
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from runtime.web import people, words

SHARED = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
STYLESHEET = "osiris.css"


def _stylesheet_version() -> str:
    return hashlib.sha256((STATIC / STYLESHEET).read_bytes()).hexdigest()[:12]


class Pages:
    """The pages of one application: its own templates first, the shared ones behind them."""

    def __init__(self, own: Path, where: tzinfo, zone_name: str) -> None:
        """Read templates from `own`; show times in the zone `where`, called `zone_name`."""
        self.where = where
        self.zone_name = zone_name
        self._environment = Environment(
            loader=FileSystemLoader([own, SHARED]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            moment=lambda ms: people.moment(ms, where),
            clock_time=lambda ms: people.clock_time(ms, where),
            date=lambda ms: people.date(ms, where),
            rfc3339=people.rfc3339,
            control=words.control_name,
        )
        self._environment.globals.update(
            zone_name=zone_name,
            style_version=_stylesheet_version(),
            count=people.count,
            plural=people.plural,
            share=people.share,
            ago=people.ago,
            Tone=words.Tone,
        )

    def text(self, template: str, values: Mapping[str, object]) -> str:
        """Return a rendered page."""
        return self._environment.get_template(template).render(values)

    def answer(
        self, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> HTMLResponse:
        """Return a rendered page as an answer."""
        return HTMLResponse(self.text(template, values), status_code=status)
