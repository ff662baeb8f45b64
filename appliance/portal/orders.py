"""Orders: all that were ever asked of this site, what became of each, and a person's word on one.

A veto, a consent and the end of a hold are said with the password asked again: whoever finds a
browser signed in decides nothing.
"""

from dataclasses import dataclass

import aiosqlite
from starlette.responses import RedirectResponse, Response

from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.values import Said
from appliance.core.reasons import REASON_CHARS_MAX
from appliance.handlers.order_opinions import may_be_vetoed, waits_for_consent
from appliance.portal.asked import number_in
from appliance.portal.frame import page, pairs
from appliance.portal.health import is_development
from appliance.portal.state import PortalVisit
from appliance.store import accounts, opinions, order_state, receipts
from appliance.store import orders as ledger
from appliance.store.opinions import OpinionKind
from appliance.store.views import orders
from appliance.store.views.orders import PAGE_LEAVES, OrderView
from proto.errors import IntegrityError, MalformedError, NotFoundError
from proto.keys import Threshold
from proto.order import SiteTarget
from proto.order_codes import REASONS, Answer, Code
from proto.order_words import order_in_words, shown, what
from proto.receipts import Outcome
from runtime.web import people, words
from runtime.web.words import Tone, Words

HISTORY = Words(
    "From before", "It was logged before this appliance was enrolled: never run here.", Tone.QUIET
)
NEW = Words("Arrived", "It has arrived and is about to be looked at.", Tone.INFO)
RUNNING = Words("Running", "It was accepted, and runs now.", Tone.INFO)
UNREAD = "An order that cannot be shown"

OUTCOMES = {
    Outcome.DONE: Words("Done", "It was carried out.", Tone.GOOD),
    Outcome.FAILED: Words("Failed", "It was carried out and did not succeed.", Tone.BAD),
    Outcome.UNKNOWN: Words(
        "Outcome not known",
        "The appliance stopped, or its time was over, while it ran. It is never run again.",
        Tone.UNKNOWN,
    ),
}
ANSWERS = {
    Answer.REFUSED: ("Refused", Tone.BAD),
    Answer.VETOED: ("Vetoed", Tone.WARN),
    Answer.EXPIRED: ("Expired", Tone.QUIET),
    Answer.WAITING: ("Waiting", Tone.INFO),
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in words.

    Attributes:
        why: the reason that was given for it, quoted; "" when its body cannot be shown.
        since_ms: when it came to where it stands.
    """

    index: int
    title: str
    why: str
    by: str
    state: Words
    since_ms: int | None
    until_ms: int | None
    may_be_vetoed: bool
    may_be_consented: bool


async def show_list(visit: PortalVisit) -> Response:
    """Show the newest orders, or those before a leaf."""
    return await _show_list(visit, {}, status=200)


async def _show_list(visit: PortalVisit, problems: dict[str, str], *, status: int) -> Response:
    async with visit.app.store.read() as rows:
        size, enrolled = await orders.log_size(rows)
        before = _before(visit, size)
        views = await orders.page(rows, before=before, trust=_trust(visit))
        state = await order_state.load(rows)
    held_s, live = state.watch.held_since_s, visit.app.live()
    values = {
        "rows": [order_row(view, enrolled) for view in views],
        "size": size,
        "older": before - PAGE_LEAVES if before > PAGE_LEAVES else None,
        "has_trust": live.trusted is not None and live.trusted.trust is not None,
        "development_trust": (words.DEVELOPMENT_TRUST if is_development(visit, live) else None),
        "held_ms": None if held_s is None else held_s * 1000,
        "held_s": held_s,
        "recovering": state.is_recovering,
        "problems": problems,
    }
    return page(visit, "orders.html", "/orders", values, status=status)


async def objectionable(
    visit: PortalVisit, rows: aiosqlite.Connection, *, shown_max: int
) -> tuple[list[OrderRow], int]:
    """Return the first orders that wait and that a veto stops, and how many there are."""
    waiting = [row for row in await ledger.waiting(rows) if may_be_vetoed(row)]
    _, enrolled = await orders.log_size(rows)
    found = [await orders.one(rows, row.index, trust=_trust(visit)) for row in waiting[:shown_max]]
    return [order_row(view, enrolled) for view in found if view is not None], len(waiting)


def _before(visit: PortalVisit, size: int) -> int:
    asked = visit.request.query_params.get("before", "")
    return min(number_in(asked, "order"), size) if asked else size


async def show_one(visit: PortalVisit) -> Response:
    """Show one order in words, its life, and what a person may say of it."""
    return await _show_one(visit, {}, status=200)


async def _show_one(visit: PortalVisit, problems: dict[str, str], *, status: int) -> Response:
    where = visit.app.pages.where
    async with visit.app.store.read() as rows:
        _, enrolled = await orders.log_size(rows)
        view = await _view(visit)
        told = await orders.told(rows, view.row) if view.row and view.row.final else {}
        signed = await _signed(visit, view)
        names = {one.code: one.name for one in await accounts.all_of(rows)}
        reasons = await opinions.reasons_of(rows, view.sid)
    lines = (
        order_in_words(
            view.order,
            sid=bytes.fromhex(view.sid),
            moment=lambda at_s: people.moment(at_s * 1000, where),
        )
        if view.order
        else ()
    )
    values = {
        "row": order_row(view, enrolled),
        "ledger": view.row,
        "lines": lines,
        "is_for_site": view.order is not None and isinstance(view.order.target, SiteTarget),
        "fetched_ms": view.fetched_ms,
        "said": _said(view.said, names, why=reasons.get(OpinionKind.VETO, "")),
        "signed": signed,
        "told": pairs(told),
        "problems": problems,
        "reason": visit.form.get("reason", "")[:REASON_CHARS_MAX],
        "reason_max": REASON_CHARS_MAX,
    }
    return page(visit, "order.html", "/orders", values, status=status)


async def _view(visit: PortalVisit) -> OrderView:
    index = number_in(visit.request.path_params["leaf"], "order")
    async with visit.app.store.read() as rows:
        view = await orders.one(rows, index, trust=_trust(visit))
    if view is None:
        msg = f"there is no order {index}"
        raise NotFoundError(msg)
    return view


def _trust(visit: PortalVisit) -> Threshold | None:
    """Return whose signatures on orders count now; None while nobody's does."""
    trusted = visit.app.live().trusted
    return trusted.trust.anyone if trusted is not None and trusted.trust is not None else None


async def _signed(visit: PortalVisit, view: OrderView) -> tuple[str, ...] | None:
    """Return the people who signed an order: as its receipt says, else as their keys say now."""
    row = view.row
    if row is None or row.intent is None:
        return view.signers
    async with visit.app.store.read() as rows:
        try:
            return (await receipts.intent_at(rows, visit.app.scribe, row.intent)).people
        except IntegrityError:
            return view.signers  # its evidence is with the hub and no longer here


def _said(said: Said, names: dict[str, str], *, why: str) -> list[str]:
    """Return what was said of an order; a code of an account here gets its name back.

    `why` is the reason of a veto here, which leaves this appliance for nobody.
    """

    def called(code: str) -> str:
        return f"{names[code]} ({code})" if code in names else code

    found = []
    if said.consented_by:
        found.append(f"{called(said.consented_by)} let it run without waiting.")
    if said.vetoed_by:
        told = f": {shown(why)}" if why else "."
        found.append(f"{called(said.vetoed_by)} vetoed it{told}")
    if said.cancelled_by:
        found.append(f"The order {said.cancelled_by[:16]} cancelled it.")
    return found


def order_row(view: OrderView, enrolled: int) -> OrderRow:
    """Return an order in words."""
    row, order = view.row, view.order
    title = UNREAD
    order_type = order.type if order else row.type if row else None
    if order_type is not None:
        title = what(order_type)
    is_waiting = row is not None and row.state is State.WAITING
    is_settled = row is not None and row.since_s
    return OrderRow(
        index=view.index,
        title=title,
        why=shown(order.reason) if order else "",
        by=order.by if order else "",
        state=state_words(view, enrolled),
        since_ms=row.since_s * 1000 if row is not None and is_settled else view.fetched_ms,
        until_ms=row.until_s * 1000 if row is not None and is_waiting and row.until_s else None,
        may_be_vetoed=row is not None and may_be_vetoed(row),
        may_be_consented=(
            row is not None and waits_for_consent(row) and not view.said.consented_by
        ),
    )


def state_words(view: OrderView, enrolled: int) -> Words:
    """Return where an order stands, in words."""
    row = view.row
    if row is None:
        return HISTORY if view.index < enrolled else NEW
    if row.state is State.RUNNING:
        return RUNNING
    if row.outcome is not None:
        return OUTCOMES[row.outcome]
    return _by_code(row.code)


def _by_code(code: str) -> Words:
    try:
        reason = REASONS[Code(code)]
    except ValueError:
        return words.UNNAMED
    label, tone = ANSWERS[reason.answer]
    return Words(label, reason.meaning, tone)


async def veto(visit: PortalVisit) -> Response:
    """Veto a waiting order, with the password asked again."""
    problems = await _password_problem(visit)
    reason = visit.form.get("reason", "").strip()
    if not 0 < len(reason) <= REASON_CHARS_MAX:
        problems["reason"] = f"Say why, in at most {REASON_CHARS_MAX} characters."
    if problems:
        return await _show_one(visit, problems, status=400)
    view = await _view(visit)
    try:
        await visit.app.commands.veto_order(
            _name(view), reason=" ".join(reason.split()), account=visit.person.person
        )
    except MalformedError:
        problems["reason"] = "Use plain words only: nothing invisible, on one line."
        return await _show_one(visit, problems, status=400)
    return RedirectResponse(f"/orders/{view.index}", status_code=303)


async def consent(visit: PortalVisit) -> Response:
    """Consent to a waiting order, with the password asked again."""
    if problems := await _password_problem(visit):
        return await _show_one(visit, {"consent": problems["password"]}, status=400)
    view = await _view(visit)
    await visit.app.commands.consent_to_order(_name(view), account=visit.person.person)
    return RedirectResponse(f"/orders/{view.index}", status_code=303)


async def end_hold(visit: PortalVisit) -> Response:
    """End the hold on orders that the page showed, with the password asked again."""
    if problems := await _password_problem(visit):
        return await _show_list(visit, problems, status=400)
    since_s = number_in(visit.form.get("since", ""), "hold")
    await visit.app.commands.end_order_hold(since_s, account=visit.person.person)
    return RedirectResponse("/orders", status_code=303)


def _name(view: OrderView) -> str:
    if view.row is None or view.row.sid is None:
        msg = f"order {view.index} cannot be decided about"
        raise NotFoundError(msg)
    return view.row.sid


async def _password_problem(visit: PortalVisit) -> dict[str, str]:
    """Ask for the password again; too many wrong ones are throttled as at the sign-in."""
    is_right = await visit.app.accounts.confirm(visit, password=visit.form.get("password", ""))
    return {} if is_right else {"password": "This is not your password."}
