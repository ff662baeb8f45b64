"""The verbs of `osiris order` that follow an order's life: approve, list, show, cancel, veto."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from osiris.desk import asking, reading
from osiris.desk.listing import STAGES, counted, life, print_lines, stopped_by, summary
from osiris.desk.person_key import Directory, Format
from osiris.desk.place import Desk
from osiris.desk.reading import Read
from osiris.desk.session import Session, at
from osiris.desk.words import laid_out, width
from proto import strict_json
from proto.asks import parse_ask
from proto.authority import AuthoritySet
from proto.envelope import Kind
from proto.errors import ConfigError, ConflictError, MalformedError
from proto.hub.desk import LIST_MAX, OrderLine, OrderShown, OrderToSign, Taken, Withdraw
from proto.opinions import OperatorVeto
from proto.order_words import shown as quoted
from proto.orders.kinds import HOUR_S, OrderType, Tier
from proto.orders.registry import kind_of, least_tier
from runtime.terminal import Output, note, print_fields, print_json, say

SIGN_WORD: Final = "sign"
CANCEL_LIFE_S: Final = HOUR_S

Name = Annotated[str, typer.Argument(help="The order's name (sid), or its first 8 digits or more.")]
Reason = Annotated[
    str, typer.Option("--reason", "-r", help="Why, in words that everybody concerned reads.")
]


def mount(order: typer.Typer) -> None:
    """Add these verbs to `osiris order`."""
    order.command("approve")(approve)
    order.command("list")(list_orders)
    order.command("show")(show)
    order.command("cancel")(cancel)
    order.command("veto")(veto)


def approve(
    names: Annotated[
        list[str], typer.Argument(help="An order's name (sid), or batches, b-....", metavar="NAME")
    ],
    desk: Directory,
    output: Format = Output.TABLE,
) -> None:
    """Read an order and sign it, here, with your own key.

    The exact bytes are fetched and held against what was asked for; bytes that say anything else
    are refused. They are shown in words, and what you sign is what was shown. A batch, or several
    that say the same, is shown once with every place it goes to, and each of its orders is signed.
    Nothing is signed unless you type the word. If the hub goes away in between, give the same
    command again.
    """
    place = Desk(desk)
    with at(place) as session:
        orders = _read(session, place, names)
        say(laid_out(reading.in_words(orders), columns=width()))
        _warn(orders, session, place.authority())
        many = f" these {len(orders)} orders" if len(orders) > 1 else " this order"
        if not asking.agrees(
            f"Type {SIGN_WORD} to sign{many} as {session.link.person}:", word=SIGN_WORD
        ):
            msg = "not signed: the word was not typed"
            raise ConflictError(msg)
        session.approve({one.sid.hex(): session.sign(one.body) for one in orders})
        _signed(orders, by=session.link.person, output=output)
        note(_what_now(session.shown(orders[0].sid.hex()).order.line, names))


def _signed(orders: Sequence[Read], *, by: str, output: Output) -> None:
    """Print what was signed: in a table many orders are a number, their names were shown before."""
    sids = [one.sid.hex() for one in orders]
    is_told = output is Output.JSON or len(sids) == 1
    print_fields({"signed": sids if is_told else f"{len(sids)} orders", "by": by}, output=output)


def _what_now(line: OrderLine, names: Sequence[str]) -> str:
    """Return what an order that was just signed waits for."""
    missing = line.people - len(line.approved)
    if line.leaf is None and missing > 0:
        who = "1 more person signs" if missing == 1 else f"{missing} more people sign"
        return f"It is delivered once {who}: osiris order approve {' '.join(names)}"
    batches = "".join(f" --batch {name}" for name in names if name.startswith("b-"))
    return f"Now: {STAGES.get(line.stage, line.stage)}. Follow it: osiris order list{batches}"


def _read(session: Session, desk: Desk, names: Sequence[str]) -> Sequence[Read]:
    """Return what is to be signed, refused where it does not say what was asked for."""
    found = [one for name in dict.fromkeys(names) for one in _to_sign(session, name)]
    _require_unsigned(found, names, person=session.link.person)
    authority = desk.authority()
    orders = [
        reading.read_bytes(
            one,
            kept=desk.kept_ask(one.line.batch),
            authority=authority,
            now_s=session.link.now_s,
        )
        for one in found
    ]
    reading.require_in_time(orders, now_s=session.link.now_s)
    reading.require_alike(orders)
    return orders


def _to_sign(session: Session, name: str) -> Sequence[OrderToSign]:
    """Return what the hub gives under a name; what it says there is not held against anything."""
    found = session.to_sign(name)
    if not found:
        msg = f"{name}: the hub knows no such batch"
        raise ConfigError(msg)
    if name.startswith("b-") and any(one.line.batch != name for one in found):
        msg = f"{name}: the hub gave orders of another batch"
        raise reading.BytesChangedError(msg)
    return found


def _require_unsigned(found: Sequence[OrderToSign], names: Sequence[str], *, person: str) -> None:
    """Refuse what this person signed whole already: a second signature of theirs counts nothing."""
    if not all(person in one.line.approved for one in found):
        return
    told = f"you signed {'these' if len(found) > 1 else 'it'} already"
    if all(one.line.leaf is None for one in found):
        told += f": another operator must: osiris order approve {' '.join(names)}"
    raise ConflictError(told)


def _warn(orders: Sequence[Read], session: Session, authority: AuthoritySet | None) -> None:
    """Say beforehand what would make the signature count for nothing."""
    if authority is None:
        note("This desk has no authority.json: whether your signature counts is not known here.")
        return
    listed = authority.by_key.get(session.key.public.raw)
    if listed is None or not listed.counts_at(session.link.now_s):
        return  # it was said as the key was opened
    person = authority.people[listed.holder.person]
    for one in orders:
        order, site = one.order, one.order.target.site
        tier = least_tier(order.type, order.params, at_s=order.iat)
        if not person.may_sign(tier=tier, site=site, order_type=order.type):
            note(f"Authority does not let {person.person} sign this at {site}.")


def list_orders(
    desk: Directory,
    site: Annotated[str | None, typer.Option("--site", help="Only of this site, s-....")] = None,
    batch: Annotated[
        list[str] | None,
        typer.Option("--batch", help="All of this batch, b-..., and how many stand where."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="How many, newest first.")] = 50,
    output: Format = Output.TABLE,
) -> None:
    """List orders, newest first: where each stands, and who signed it.

    This is what the hub says; `osiris order verify` needs no hub.
    """
    if batch and site is not None:
        msg = "--batch: names all places of a batch; give no --site beside it"
        raise typer.BadParameter(msg)
    with at(Desk(desk)) as session:
        if not batch:
            print_lines(session.listed(site, limit=limit), output=output)
            return
        lines = [one.line for name in dict.fromkeys(batch) for one in _to_sign(session, name)]
    print_lines(lines, output=output)
    note(counted(lines))


def show(
    name: Name,
    desk: Directory,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the order with its proofs here, for osiris order verify."),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Show one order: what it says, who signed it, and what each appliance did with it."""
    place = Desk(desk)
    with at(place) as session:
        found = session.shown(session.named(name))
        now_s = session.link.now_s
    if save is not None:
        _save(found, save)
    if output is Output.JSON:
        print_json(found.to_value())
        return
    try:
        read = reading.read_bytes(
            found.order,
            kept=place.kept_ask(found.order.line.batch),
            authority=place.authority(),
            now_s=now_s,
        )
        lines = reading.in_words([read])
    except reading.NotReadyError:
        lines = summary(found.order.line)
    say(f"{laid_out(lines, columns=width())}\n")
    say(laid_out(life(found.order.line), columns=width()))


def _save(found: OrderShown, path: Path) -> None:
    file = found.order_file()
    if file is None:
        msg = "it is not in the order log yet: there is nothing to prove"
        raise ConflictError(msg)
    try:
        path.write_bytes(file.to_bytes() + b"\n")
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    note(f"{os.fspath(path)}: written; osiris order verify {os.fspath(path)}")


def cancel(name: Name, reason: Reason, desk: Directory, output: Format = Output.TABLE) -> None:
    """Take an order back: a draft is withdrawn, one that waits at an appliance is cancelled.

    For one that is logged already this drafts an order of type cancel to the same place, which the
    hub's order key signs alone: stopping needs nobody's signature. What runs or ran is not touched.
    """
    with at(Desk(desk)) as session:
        sid = session.named(name)
        found = session.shown(sid).order
        if found.line.leaf is None:
            done = session.link.ask(Withdraw(order=sid, **session.link.stamp()), Taken)
            print_fields({"withdrawn": list(done.names)}, output=output)
            return
        # Where it goes is what its own bytes say, whatever the hub says beside them.
        order, _ = reading.order_in(found)
        target = order.target.to_value()
        made = session.draft(
            parse_ask(strict_json.dumps(_cancelling(sid, target, reason, session)))
        )
    print_lines(made.orders, output=output)
    note(stopped_by(found.line))


def _cancelling(sid: str, target: dict[str, Any], reason: str, session: Session) -> dict[str, Any]:
    return {
        "v": 1,
        "type": OrderType.CANCEL.value,
        "targets": [target],
        "params": {"order": sid},
        "life_s": CANCEL_LIFE_S,
        "not_before": 0,
        "people": 0,
        "reason": reason,
        **session.link.stamp(),
    }


def veto(name: Name, reason: Reason, desk: Directory, output: Format = Output.TABLE) -> None:
    """Stop an order everywhere at its site, with your own signature.

    Any operator may, for whatever site; a veto only ever stops. The hub passes it on, and each
    appliance verifies your signature itself; an order that already ran is not undone. What only
    looks (tier 0) no veto stops: cancel it.
    """
    with at(Desk(desk)) as session:
        sid = session.named(name)
        found = session.shown(sid).order
        order, _ = reading.order_in(found)
        if kind_of(order.type).tier is Tier.OBSERVE:
            msg = f"{order.type} changes nothing, and no veto stops it: osiris order cancel {sid}"
            raise ConflictError(msg)
        site, stamp = order.target.site, session.link.stamp()
        try:
            said = OperatorVeto.from_value(
                {
                    "v": 1,
                    "type": "operator",
                    "site": site,
                    "order": sid,
                    "reason": reason,
                    "by": stamp["by"],
                    "iat": stamp["iat"],
                },
                "veto",
            )
        except MalformedError as error:
            raise typer.BadParameter(str(error)) from None
        session.link.opinion(Kind.VETO, said.to_bytes())
    print_fields({"vetoed": sid, "site": site, "reason": quoted(reason)}, output=output)
    note(stopped_by(found.line))
