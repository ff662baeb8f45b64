"""Drafting an order on the console: a form for each type, made from the type's own schema.

A draft is only a row. What changes anything needs people, who read the bytes and sign them on their
own machines; this page has no key and asks for none.
"""

from dataclasses import dataclass
from typing import Final

from starlette.responses import RedirectResponse, Response

from central import order_desk
from central.console.frame import page
from central.console.orders import HERE, console_name
from central.console.site import site_of
from central.state import ConsoleVisit
from central.store.views.site import site_view
from proto import strict_json
from proto.asks import Ask, parse_ask
from proto.errors import MalformedError, NotFoundError, RejectedError
from proto.order_entry import fields_of, read_typed
from proto.order_words import CHANGES, needs
from proto.orders.kinds import HOUR_S, PEOPLE_BY_TIER, OrderKind, OrderType, Tier
from proto.orders.registry import KINDS, kind_of
from runtime.web import people

NONCE_BYTES: Final = 16
EVERY: Final = "all"
PREFIX: Final = "p_"

TIERS: Final = (
    (Tier.OBSERVE, "Look, or stop", "Nothing is changed. It goes out at once."),
    (Tier.HEAL, "Repair", "Reversible, within the site's own limits. It goes out at once."),
    (
        Tier.CHANGE,
        "Change",
        "One person signs, and it waits for a veto; two sign, and it does not.",
    ),
    (Tier.DANGEROUS, "Dangerous", "Two people sign; then the site consents, or four hours pass."),
)


@dataclass(frozen=True, slots=True)
class TypeRow:
    """An order type in the list."""

    name: str
    title: str
    changes: str


async def choose(visit: ConsoleVisit) -> Response:
    """Show which types of order there are, by tier."""
    site, label, _ = await _place(visit)
    groups = [
        (title, sentence, [_type(kind) for kind in KINDS.values() if kind.tier is tier])
        for tier, title, sentence in TIERS
    ]
    values = {"site": site, "label": label, "groups": groups}
    return page(visit, "order_types.html", values, here=HERE)


def _type(kind: OrderKind) -> TypeRow:
    return TypeRow(kind.name.value, kind.title, CHANGES[kind.touches])


async def ask(visit: ConsoleVisit) -> Response:
    """Show the form of one type."""
    return await _form(visit, _kind(visit), problem="")


async def send(visit: ConsoleVisit) -> Response:
    """Draft what the form says; what is wrong with it is shown beside it."""
    kind = _kind(visit)
    try:
        made = _ask(visit, kind)
        (view,) = await order_desk.draft(visit.app.hub, made, envelope=None)
    except RejectedError as error:
        return await _form(visit, kind, problem=str(error))
    site = view.draft.wish.site
    return RedirectResponse(f"/sites/{site}/orders/{view.draft.draft}", status_code=303)


def _kind(visit: ConsoleVisit) -> OrderKind:
    name = visit.request.path_params["type"]
    if name not in set(OrderType):
        msg = "There is no such type of order."
        raise NotFoundError(msg)
    return kind_of(OrderType(name))


async def _place(visit: ConsoleVisit) -> tuple[str, str, list[str]]:
    hub, site = visit.app.hub, site_of(visit)
    async with hub.store.read() as connection:
        view = await site_view(site, connection, settings=hub.settings, now_ms=visit.now_ms)
    return site, view.label, [one.appliance for one in view.appliances]


async def _form(visit: ConsoleVisit, kind: OrderKind, *, problem: str) -> Response:
    site, label, appliances = await _place(visit)
    fields = fields_of(kind)
    filled = {name: visit.form.get(name, "") for name in ("appliance", "reason", "people", "hours")}
    values = {
        "site": site,
        "label": label,
        "kind": kind,
        "needs": needs(kind.name),
        "at_once": PEOPLE_BY_TIER[kind.tier] == 0,
        "changes": CHANGES[kind.touches],
        "appliances": appliances,
        "every": EVERY if kind.is_for_sites else "",
        "fields": [(field, visit.form.get(PREFIX + field.name, "")) for field in fields],
        "prefix": PREFIX,
        "filled": filled,
        "hours_max": kind.life_s_max // HOUR_S,
        "people_min": PEOPLE_BY_TIER[kind.tier],
        "problem": problem,
    }
    return page(visit, "order_form.html", values, here=HERE, status=422 if problem else 200)


def _ask(visit: ConsoleVisit, kind: OrderKind) -> Ask:
    """Return the form as an ask, which nobody has signed.

    Raises:
        MalformedError: a field is wrong; the message names it.
    """
    form, now_s = visit.form, visit.now_ms // 1000
    where = visit.app.pages.where

    def day_end(text: str) -> int | None:
        end_ms = people.end_of_day_ms(text, where)
        return None if end_ms is None else end_ms // 1000

    typed = {field.name: form.get(PREFIX + field.name, "") for field in fields_of(kind)}
    value = {
        "v": 1,
        "type": kind.name.value,
        "targets": [_target(visit, kind)],
        "params": read_typed(kind, typed, now_s=now_s, day_end=day_end),
        "life_s": _number(form.get("hours", ""), "Hours", kind.life_s_max // HOUR_S) * HOUR_S,
        "not_before": 0,
        "people": _number(form.get("people", ""), "Signatures", PEOPLE_BY_TIER[kind.tier]),
        "reason": form.get("reason", "").strip(),
        "by": console_name(visit.person.person),
        "iat": now_s,
        "nonce": visit.app.hub.entropy(NONCE_BYTES).hex(),
    }
    return parse_ask(strict_json.dumps(value))


def _target(visit: ConsoleVisit, kind: OrderKind) -> dict[str, str]:
    chosen = visit.form.get("appliance", "")
    if chosen == EVERY and kind.is_for_sites:
        return {"site": site_of(visit)}
    if not chosen or chosen == EVERY:
        msg = "Where: choose an appliance"
        raise MalformedError(msg)
    return {"site": site_of(visit), "appliance": chosen}


def _number(text: str, label: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 4):  # noqa: PLR2004 - any more is too many
        msg = f"{label}: not a whole number"
        raise MalformedError(msg)
    return int(text)
