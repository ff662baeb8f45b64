"""Orders on the console: of the fleet, of a site, one order's life. No page here sees a key."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import RedirectResponse, Response

from central import order_desk
from central.console.frame import page
from central.console.order_said import said_steps
from central.console.order_words import NEXT, STAGES, code_words
from central.console.site import site_of
from central.core.order_stage import OVER, AtAppliance, Stage
from central.state import ConsoleVisit
from central.store import sites
from central.store.views.orders import OrderView
from proto.ids import SiteId
from proto.order import parse_order
from proto.order_words import (
    CHANGES,
    Line,
    needs,
    order_in_words,
    params_in_words,
    shown,
)
from proto.orders.registry import kind_of
from runtime.web import people
from runtime.web.people import count
from runtime.web.words import Tone, Words

SHOWN_MAX: Final = 100
SID_CHARS: Final = 16
HERE: Final = "/orders"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list."""

    view: OrderView
    title: str
    label: str
    stage: Words
    signed: str
    address: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of an order's life; `at_ms` is None where nobody told a time."""

    label: str
    sentence: str
    at_ms: int | None
    tone: Tone


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What one appliance made of an order."""

    appliance: str
    stage: Words
    code: str
    why: str
    until_ms: int | None
    at_ms: int | None


async def show_fleet(visit: ConsoleVisit) -> Response:
    """Show the fleet's newest orders."""
    views = await order_desk.listed(visit.app.hub, None, limit=SHOWN_MAX)
    labels = await _labels(visit)
    values = {
        **_sections([_row(view, labels.get(view.draft.wish.site, "")) for view in views]),
        "sites": sorted(labels.items(), key=lambda one: one[1].lower()),
        "limit": SHOWN_MAX,
    }
    return page(visit, "orders.html", values, here=HERE)


async def show_site(visit: ConsoleVisit) -> Response:
    """Show one site's newest orders."""
    site = site_of(visit)
    label = await _label(visit, site)
    views = await order_desk.listed(visit.app.hub, site, limit=SHOWN_MAX)
    values = {
        **_sections([_row(view, label) for view in views]),
        "site": site,
        "label": label,
        "limit": SHOWN_MAX,
    }
    return page(visit, "site_orders.html", values, here=HERE)


def _sections(rows: list[OrderRow]) -> dict[str, object]:
    moving = [row for row in rows if row.view.stage not in OVER]
    return {
        "waiting": [row for row in moving if row.view.stage is Stage.WAITS_FOR_PEOPLE],
        "moving": [row for row in moving if row.view.stage is not Stage.WAITS_FOR_PEOPLE],
        "over": [row for row in rows if row.view.stage in OVER],
    }


async def show_order(visit: ConsoleVisit) -> Response:
    """Show one order: what it says, who signed, where it stands, what each appliance answered."""
    site, label, view = await _found(visit)
    sid = view.draft.fixed.sid.hex() if view.draft.fixed else None
    values = {
        "site": site,
        "label": label,
        "view": view,
        "title": kind_of(view.draft.wish.type).title,
        "stage": STAGES[view.stage],
        "why": code_words(view.code),
        "next_step": NEXT.get(view.stage, ""),
        "sid": sid,
        "approve": f"osiris order approve {sid[:SID_CHARS]}" if sid else "",
        "veto": f"osiris order veto {sid[:SID_CHARS]} --reason WHY" if sid else "",
        "may_stop": view.leaf is not None and view.stage not in OVER,
        "may_withdraw": view.leaf is None and view.stage not in OVER,
        "lines": _lines(visit, view),
        "steps": _steps(view),
        "answers": [_answer(one) for one in view.answers],
        "address": _address(view),
    }
    return page(visit, "order.html", values, here=HERE)


async def order_file(visit: ConsoleVisit) -> Response:
    """Give one order with its proofs as a file, for `osiris order verify`."""
    _, _, view = await _found(visit)
    sid = view.draft.fixed.sid if view.draft.fixed else b""
    _, file = await order_desk.shown(visit.app.hub, sid)
    if file is None:
        return RedirectResponse(_address(view), status_code=303)
    name = f"osiris-order-{sid.hex()[:SID_CHARS]}.json"
    return Response(
        file.to_bytes() + b"\n",
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def withdraw(visit: ConsoleVisit) -> Response:
    """Take back an order that was not logged yet."""
    _, _, view = await _found(visit)
    await order_desk.withdraw_draft(visit.app.hub, view.draft, by=console_name(visit.person.person))
    return RedirectResponse(_address(view), status_code=303)


def console_name(account: str) -> str:
    """Return the code by which orders name an account of the console: nobody's own signature."""
    return f"console:{account.replace('@', ':at:')}"


async def _found(visit: ConsoleVisit) -> tuple[SiteId, str, OrderView]:
    site = site_of(visit)
    draft = visit.request.path_params["draft"]
    view = await order_desk.one_draft(visit.app.hub, site, draft=draft)
    return site, await _label(visit, site), view


async def _label(visit: ConsoleVisit, site: SiteId) -> str:
    async with visit.app.hub.store.read() as connection:
        return (await sites.find_site(site, connection)).label


async def _labels(visit: ConsoleVisit) -> dict[str, str]:
    async with visit.app.hub.store.read() as connection:
        return {one.site: one.label for one in await sites.all_sites(connection)}


def _address(view: OrderView) -> str:
    return f"/sites/{view.draft.wish.site}/orders/{view.draft.draft}"


def _row(view: OrderView, label: str) -> OrderRow:
    wish = view.draft.wish
    signed = f"{len(view.approved)} of {wish.people}" if wish.people else "nobody must"
    return OrderRow(
        view=view,
        title=kind_of(wish.type).title,
        label=label,
        stage=STAGES[view.stage],
        signed=signed,
        address=_address(view),
    )


def _lines(visit: ConsoleVisit, view: OrderView) -> tuple[Line, ...]:
    """Return what the order says: its bytes once there are any, what was asked for before."""
    where = visit.app.pages.where

    def moment(seconds: int) -> str:
        return people.moment(seconds * 1000, where)

    fixed, wish = view.draft.fixed, view.draft.wish
    if fixed is not None:
        return order_in_words(parse_order(fixed.body), sid=fixed.sid, moment=moment)
    place = wish.appliance or f"every appliance of {wish.site}"
    return (
        Line("What", f"{kind_of(wish.type).title} ({wish.type.value})"),
        Line("Where", place),
        *params_in_words(wish.type, wish.params, moment=moment),
        Line("Changes", CHANGES[kind_of(wish.type).touches]),
        Line("Why", shown(wish.reason)),
        Line("Asked by", wish.by),
        Line("Needs", needs(wish.type, tier=wish.tier)),
    )


def _steps(view: OrderView) -> list[StepRow]:
    """Return an order's life up to the log, oldest first."""
    draft, wish = view.draft, view.draft.wish
    word = "signed by their own key" if draft.ask else "on a page of this console"
    steps = [StepRow("Drafted", f"Asked for by {wish.by}, {word}.", draft.asked_ms, Tone.INFO)]
    if draft.fixed is not None:
        said = "The signer built its bytes; from here on its name never changes."
        steps.append(StepRow("Fixed", said, draft.fixed.iat_s * 1000, Tone.INFO))
    steps += [
        StepRow("Signed", f"{person} signed its exact bytes.", None, Tone.GOOD)
        for person in view.approved
    ]
    missing = wish.people - len(view.approved)
    if view.stage is Stage.WAITS_FOR_PEOPLE:
        steps.append(
            StepRow(
                "Waits",
                f"{count(missing, 'signature is', 'signatures are')} missing.",
                None,
                Tone.WARN,
            )
        )
    if draft.ended_ms is not None:
        said = f"Taken back by {draft.ended_by}, before anything was sent."
        steps.append(StepRow("Withdrawn", said, draft.ended_ms, Tone.QUIET))
    if view.leaf is not None:
        said = f"Leaf {view.leaf} of the site's order log, which each appliance mirrors whole."
        steps.append(StepRow("Logged", said, view.logged_ms, Tone.INFO))
    steps += [
        StepRow("Vetoed", f"{person} signed a veto; every appliance is told.", None, Tone.QUIET)
        for person in view.vetoed
    ]
    steps += [
        StepRow(one.label, one.sentence, one.at_ms, one.tone) for one in said_steps(view.said)
    ]
    return steps


def _answer(one: AtAppliance) -> AnswerRow:
    return AnswerRow(
        appliance=one.appliance,
        stage=STAGES[one.stage],
        code=one.code or "",
        why=code_words(one.code),
        until_ms=None if one.until_s is None else one.until_s * 1000,
        at_ms=None if one.at_s is None else one.at_s * 1000,
    )
