"""Templates to labelled lines.

A template is text with fields in guillemets: `«lf»` is a labelled value of the line's person,
`«q.lf»` of a second person, `«=host»` a fact that must be kept, `«~pid»` a fact that just stands
there. `«|a|b|c»` is one of several words.
"""

import re
from collections.abc import Callable

from osiris.phi_measure import Line, Span
from tests.bench.phi_text import values as v

FIELD = re.compile(r"«([^«»]+)»")
CLASS_OF = {
    "ssn": "SSN", "ssn9": "SSN", "last4": "SSN", "mrn": "MRN", "plan": "HEALTH_PLAN",
    "mbi": "HEALTH_PLAN", "account": "ACCOUNT", "card": "ACCOUNT", "license": "LICENSE",
    "dea": "LICENSE", "npi": "LICENSE", "vin": "VEHICLE", "plate": "VEHICLE", "device": "DEVICE",
    "phone": "PHONE", "fax": "FAX", "email": "EMAIL", "street": "ADDRESS", "city": "CITY",
    "zip": "ZIP", "homeip": "IP", "login": "USERNAME", "secret": "SECRET", "claim": "OTHER_ID",
    "accession": "OTHER_ID", "visit": "OTHER_ID", "photo": "PHOTO", "template": "BIOMETRIC",
    "age": "AGE90", "url": "URL", "uid": "OTHER_ID",
}  # fmt: skip
DAYS = {"dob": "born", "dos": "seen"}


class Scene:
    """The people and values of one line: asked twice, a field gives the same value."""

    def __init__(self, draw: v.Draw) -> None:
        """Invent two people."""
        self.draw = draw
        self._people = {"": v.person(draw), "q": v.person(draw)}
        self._made: dict[str, str] = {}

    def value(self, field: str) -> tuple[str, str]:
        """Return a field's value and its class."""
        who, what = ("q", field[2:]) if field.startswith("q.") else ("", field)
        label = CLASS_OF.get(what) or ("DATE" if what.partition(".")[0] in DAYS else "NAME")
        if field not in self._made:
            self._made[field] = self._make(self._people[who], what)
        return self._made[field], label

    def _make(self, who: v.Person, what: str) -> str:
        head, _, form = what.partition(".")
        if head in DAYS:
            day = who.born if head == "dob" else v.a_day(self.draw)
            return v.date_forms(day)[form]
        if what in PERSONAL:
            return PERSONAL[what](self.draw, who)
        return VALUES[what](self.draw) if what in VALUES else v.name_forms(who)[what]


PERSONAL: dict[str, Callable[[v.Draw, v.Person], str]] = {
    "email": v.email,
    "login": v.login,
    "url": lambda draw, who: f"/patients/{who.last.lower()}-{who.born[0]}/{v.digits(draw, 6)}",
    "photo": lambda _draw, who: f"{who.last.lower()}_{who.first.lower()}_face",
}
VALUES: dict[str, Callable[[v.Draw], str]] = {
    "ssn": v.ssn,
    "ssn9": lambda draw: v.ssn(draw).replace("-", ""),
    "last4": lambda draw: v.digits(draw, 4),
    "mrn": v.mrn,
    "plan": lambda draw: draw.choice("WXHRK") + v.digits(draw, 9),
    "mbi": v.mbi,
    "account": lambda draw: v.digits(draw, 10),
    "card": v.card,
    "license": lambda draw: draw.choice("DSWH") + v.digits(draw, 8),
    "dea": v.dea,
    "npi": v.npi,
    "vin": v.vin,
    "plate": lambda draw: f"{v.hexes(draw, 1).upper()}KT {v.digits(draw, 4)}",
    "device": lambda draw: f"{draw.choice(('PM', 'ICD', 'GX'))}{v.digits(draw, 8)}",
    "phone": v.phone,
    "fax": v.phone,
    "street": v.street,
    "city": v.town,
    "zip": lambda draw: v.digits(draw, 5),
    "homeip": v.public_ip,
    "secret": v.secret,
    "claim": lambda draw: v.digits(draw, 12),
    "accession": lambda draw: f"A{v.digits(draw, 8)}",
    "visit": lambda draw: v.digits(draw, 9),
    "template": lambda draw: "Rk1SACAyMAAA" + v.hexes(draw, 120),
    "age": lambda draw: str(draw.randint(90, 104)),
    "uid": lambda draw: f"1.2.276.0.7230010.3.1.2.{v.digits(draw, 9)}.{v.digits(draw, 10)}",
}


def render(template: str, draw: v.Draw, *, group: str, form: str, ident: str) -> Line:
    """Fill one template with an invented scene."""
    scene = Scene(draw)
    parts: list[str] = []
    spans: list[Span] = []
    keep: list[Span] = []
    at = length = 0
    for match in FIELD.finditer(template):
        parts.append(template[at : match.start()])
        length += match.start() - at
        field = match[1]
        at = match.end()
        if field[0] == "|":
            value = draw.choice(field[1:].split("|"))
        elif field[0] in "=~":
            value = v.FACTS[field[1:]](draw)
            if field[0] == "=":
                keep.append(Span(length, length + len(value), field[1:]))
        elif field == "state":
            value = draw.choice(v.STATES)
        else:
            value, label = scene.value(field)
            spans.append(Span(length, length + len(value), label))
        parts.append(value)
        length += len(value)
    parts.append(template[at:])
    return Line(ident, group, form, "".join(parts), tuple(spans), tuple(keep))
