"""Templates to labelled lines.

A template is text with fields in guillemets: `«lf»` is a labelled value of the line's person,
`«q.lf»` of a second person, `«=host»` a fact that must be kept, `«~pid»` a fact that just stands
there. `«|a|b|c»` is one of several words.
"""

import re
from collections.abc import Callable

from osiris.phi_measure import Line, Span
from tests.bench.phi_text import people
from tests.bench.phi_text import values as v
from tests.bench.phi_text.secret_values import SECRETS

FIELD = re.compile(r"«([^«»]+)»")
CLASS_OF = {
    "ssn": "SSN", "ssn9": "SSN", "last4": "SSN", "mrn": "MRN", "plan": "HEALTH_PLAN",
    "mbi": "HEALTH_PLAN", "account": "ACCOUNT", "card": "ACCOUNT", "license": "LICENSE",
    "dea": "LICENSE", "npi": "LICENSE", "vin": "VEHICLE", "plate": "VEHICLE", "device": "DEVICE",
    "phone": "PHONE", "fax": "FAX", "email": "EMAIL", "street": "ADDRESS", "city": "CITY",
    "zip": "ZIP", "homeip": "IP", "login": "USERNAME", "secret": "SECRET", "claim": "OTHER_ID",
    "accession": "OTHER_ID", "visit": "OTHER_ID", "photo": "PHOTO", "template": "BIOMETRIC",
    "age": "AGE90", "url": "URL", "uid": "OTHER_ID", "byear": "AGE90", "rx": "OTHER_ID",
    "udi": "DEVICE", "homeip6": "IP", "phone10": "PHONE", "hostname": "HOST_PERSON", "zip9": "ZIP",
    "ssnsp": "SSN", "ssndot": "SSN", "bigmrn": "MRN", "county": "CITY", "emp": "OTHER_ID",
}  # fmt: skip
DAYS = {"dob": "born", "dos": "seen"}


class Scene:
    """The people and values of one line: asked twice, a field gives the same value."""

    def __init__(self, draw: v.Draw) -> None:
        """Invent two people."""
        self.draw = draw
        self._people = {"": people.person(draw), "q": people.person(draw)}
        self._made: dict[str, str] = {}

    def value(self, field: str) -> tuple[str, str]:
        """Return a field's value and its class."""
        who, what = ("q", field[2:]) if field.startswith("q.") else ("", field)
        label = CLASS_OF.get(what) or ("DATE" if what.partition(".")[0] in DAYS else "NAME")
        if what in SECRETS:
            label = "SECRET"
        if field not in self._made:
            self._made[field] = self._make(self._people[who], what)
        return self._made[field], label

    def _make(self, who: people.Person, what: str) -> str:
        head, _, form = what.partition(".")
        if head in DAYS:
            day = who.born if head == "dob" else v.a_day(self.draw)
            return v.date_forms(day)[form]
        if what in PERSONAL:
            return PERSONAL[what](self.draw, who)
        made = VALUES.get(what) or SECRETS.get(what)
        return made(self.draw) if made else people.name_forms(who)[what]


PERSONAL: dict[str, Callable[[v.Draw, people.Person], str]] = {
    "email": v.email,
    "login": v.login,
    "url": lambda draw, who: f"/patients/{who.last.lower()}-{who.born[0]}/{v.digits(draw, 6)}",
    "hostname": lambda draw, who: people.plain(who.first if draw.random() < 0.6 else who.last),
    "photo": lambda _draw, who: f"{who.last.lower()}_{who.first.lower()}_face",
}
VALUES: dict[str, Callable[[v.Draw], str]] = {
    "ssn": v.ssn,
    "ssn9": lambda draw: v.ssn(draw).replace("-", ""),
    "last4": lambda draw: v.digits(draw, 4),
    "mrn": v.mrn,
    "bigmrn": lambda draw: v.digits(draw, 8),
    "ssnsp": lambda draw: v.ssn(draw).replace("-", " "),
    "ssndot": lambda draw: v.ssn(draw).replace("-", "."),
    "plan": v.plan,
    "mbi": v.mbi,
    "account": lambda draw: v.digits(draw, 10),
    "card": v.card,
    "license": v.license_number,
    "dea": v.dea,
    "npi": v.npi,
    "vin": v.vin,
    "plate": v.plate,
    "device": v.implant,
    "udi": lambda draw: f"(01)0{v.digits(draw, 13)}(21){v.digits(draw, 8)}",
    "phone": v.phone,
    "phone10": lambda draw: f"8{v.digits(draw, 1)}3{v.digits(draw, 7)}",
    "fax": v.phone,
    "street": v.street,
    "city": v.town,
    "zip": lambda draw: v.digits(draw, 5),
    "county": v.town,
    "zip9": lambda draw: f"{v.digits(draw, 5)}-{v.digits(draw, 4)}",
    "homeip": v.public_ip,
    "homeip6": lambda draw: (
        f"2601:{v.hexes(draw, 3)}:{v.hexes(draw, 4)}:{v.hexes(draw, 3)}::{v.hexes(draw, 4)}"
    ),
    "byear": lambda draw: str(draw.randint(1918, 1932)),
    "rx": lambda draw: v.digits(draw, 7),
    "emp": lambda draw: v.digits(draw, 6),
    "secret": v.secret,
    "claim": lambda draw: v.digits(draw, 12),
    "accession": lambda draw: f"A{v.digits(draw, 8)}",
    "visit": lambda draw: v.digits(draw, 9),
    "template": lambda draw: draw.choice(("Rk1SACAyMAAA", "")) + v.hexes(draw, 120),
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
