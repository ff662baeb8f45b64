"""`osiris order holds` and `osiris order clear`: the end of a hold, by two operators.

After three security refusals within ten minutes an appliance takes no order above tier 0. A person
there ends that on the portal; elsewhere two operators do, each at their own desk: both sign the
same bytes, which name one appliance and one hold. The hub keeps the first signature until the
second comes and passes the whole on; the appliance verifies both, and a later hold has another
name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from osiris.desk import asking
from osiris.desk.person_key import Directory, Format
from osiris.desk.place import Desk
from osiris.desk.reading import BytesChangedError
from osiris.desk.session import Session, at
from osiris.desk.words import laid_out, moment, width
from proto.authority import AuthoritySet
from proto.envelope import Kind, parse, sign, signature_of
from proto.errors import ConfigError, ConflictError, NotFoundError
from proto.hub.desk import Hold, HoldsListed, ListHolds
from proto.opinions import Clear, is_begun, open_operators_clear
from proto.order_words import Line
from proto.strict_json import b64_decode
from runtime.terminal import Output, note, print_fields, print_json, print_rows, say

CLEAR_WORD: Final = "clear"


@dataclass(frozen=True, slots=True)
class Half:
    """The end of a hold as one operator signed it: verified, and the bytes that they signed."""

    clear: Clear
    envelope: bytes
    body: bytes


def mount(order: typer.Typer) -> None:
    """Add these verbs to `osiris order`."""
    order.command("holds")(list_holds)
    order.command("clear")(clear)


def list_holds(desk: Directory, output: Format = Output.TABLE) -> None:
    """List the appliances that hold orders back after security refusals.

    Each last said so itself; the hub passes that on.
    """
    with at(Desk(desk)) as session:
        found, now_s = _holds(session), session.link.now_s
    if output is Output.JSON:
        print_json([one.to_value() for one in found])
        return
    columns = {
        "site": "site",
        "appliance": "appliance",
        "since_words": "in force since",
        "signed": "its end",
        "told": "last said",
    }
    print_rows([_row(one, now_s=now_s) for one in found], columns, output=output)


def _row(hold: Hold, *, now_s: int) -> dict[str, Any]:
    signed = "nobody signed it yet" if hold.half is None else "signed by 1 of 2"
    told, since = moment(hold.told), moment(hold.since)
    if not is_begun(hold.since, at_s=now_s):
        since = f"wrong, not begun yet: {since}"
    return {**hold.to_value(), "since_words": since, "signed": signed, "told": told}


def clear(
    appliance: Annotated[str, typer.Argument(help="The appliance that holds orders, a-....")],
    desk: Directory,
    output: Format = Output.TABLE,
) -> None:
    """End the hold on orders at one appliance; two operators must, each at their own desk.

    First find out why orders were refused: `osiris order list` and the appliance's health say it. A
    hub in the wrong hands causes exactly this hold, and its end lets orders above tier 0 run again.
    The first gives this command and signs; the second gives the same, reads the same words and
    signs the same bytes. It ends this hold and no later one. Nothing is signed unless you type the
    word.
    """
    place = Desk(desk)
    with at(place) as session:
        hold = _hold_of(session, appliance)
        _require_begun(hold, now_s=session.link.now_s)
        half = _half(hold, place.authority(), session)
        said = half.clear if half is not None else _clear(hold, session)
        say(laid_out(_words(said, is_second=half is not None), columns=width()))
        question = f"Type {CLEAR_WORD} to sign this as {session.link.person}:"
        if not asking.agrees(question, word=CLEAR_WORD):
            msg = "not signed: the word was not typed"
            raise ConflictError(msg)
        session.link.send_opinion(_signed(said, half, session))
        signed = [said.by] if half is None else [said.by, session.link.person]
    print_fields({"clear": said.appliance, "since": said.since, "signed": signed}, output=output)
    if half is None:
        note(f"It takes hold once another operator signs: osiris order clear {said.appliance}")
    else:
        note("Now the hub passes it on; it is over when osiris order holds no longer lists it.")


def _holds(session: Session) -> Sequence[Hold]:
    return session.link.ask(ListHolds(**session.link.stamp()), HoldsListed).holds


def _hold_of(session: Session, appliance: str) -> Hold:
    found = [one for one in _holds(session) if one.appliance == appliance]
    if len(found) != 1:
        msg = f"{appliance}: the hub knows of no hold there: osiris order holds"
        raise NotFoundError(msg)
    return found[0]


def _require_begun(hold: Hold, *, now_s: int) -> None:
    """Refuse what the hub calls a hold and has not begun: its end would be ready for a later one.

    Raises:
        ConflictError: it begins later than now.
    """
    if not is_begun(hold.since, at_s=now_s):
        msg = (
            f"{hold.appliance}: wrong: the hub names a hold that begins at {moment(hold.since)},"
            " which is yet to come. The hub or that appliance's clock is not right: nothing was"
            " signed. A person at the site can end it on the portal"
        )
        raise ConflictError(msg)


def _half(hold: Hold, authority: AuthoritySet | None, session: Session) -> Half | None:
    """Return what the first operator signed, verified here; None where it is of no use.

    Raises:
        ConfigError: this desk cannot tell whose signature counts.
        ConflictError: it is this person's own.
        RejectedError: no operator signed it.
        BytesChangedError: it is about another appliance than the hub says.
    """
    if hold.half is None:
        return None
    if authority is None:
        msg = "this desk has no authority to hold the first signature against: osiris content trust"
        raise ConfigError(msg)
    data, now_s = b64_decode(hold.half, "hold.half"), session.link.now_s
    said = open_operators_clear(data, authority=authority, now_s=now_s, people=1)
    if (said.site, said.appliance) != (hold.site, hold.appliance):
        msg = f"the hub gave a statement about {said.appliance} as one about {hold.appliance}"
        raise BytesChangedError(msg)
    if said.since != hold.since:
        return None  # of a hold that is over
    if said.by == session.link.person:
        msg = f"you signed it already: another operator must: osiris order clear {hold.appliance}"
        raise ConflictError(msg)
    trust = authority.operators(now_s=now_s)
    return Half(said, data, parse(data).open(kind=Kind.CONSENT, trust=trust).body)


def _clear(hold: Hold, session: Session) -> Clear:
    stamp = session.link.stamp()
    return Clear(
        v=1,
        type="clear",
        site=hold.site,
        appliance=hold.appliance,
        since=hold.since,
        by=stamp["by"],
        iat=stamp["iat"],
    )


def _words(said: Clear, *, is_second: bool) -> tuple[Line, ...]:
    first = f"{said.by}, who signed these bytes, at {moment(said.iat)}"
    return (
        Line("What", "End the hold on orders after security refusals (clear)"),
        Line("Where", f"appliance {said.appliance} of site {said.site}"),
        Line("In force since", f"{moment(said.since)}, by that appliance's clock"),
        Line("Then", "orders above tier 0 are judged there again as before"),
        Line("Needs", "two operators' signatures over the same bytes"),
        Line("Signed by", first if is_second else "nobody yet: you are the first"),
    )


def _signed(said: Clear, half: Half | None, session: Session) -> bytes:
    if half is None:
        return sign(Kind.CONSENT, said.to_bytes(), session.key)
    mine = signature_of(Kind.CONSENT, half.body, signer=session.key)
    return parse(half.envelope).with_signature(mine)
