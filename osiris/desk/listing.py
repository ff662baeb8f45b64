"""Orders as a desk lists them: what the hub says of each one's life, in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from osiris.desk.words import moment
from proto.evidence import SaidBy
from proto.hub.desk import Answered, LanWord, OrderLine
from proto.order_codes import REASONS, Code
from proto.order_words import Line, shown
from proto.orders.registry import kind_of
from runtime.terminal import Output, print_json, print_rows

SID_SHOWN: Final = 16

STAGES: Final = {
    "drafted": "drafted, not built by the signer yet",
    "unsigned": "the signer refused it",
    "waits_for_people": "waits for people's signatures",
    "waits_for_signer": "waits for the hub's signer",
    "withdrawn": "withdrawn",
    "expired": "expired",
    "logged": "logged, not fetched yet",
    "fetched": "fetched by the appliance",
    "waiting": "waits at the appliance",
    "executing": "runs",
    "done": "done",
    "failed": "failed",
    "unknown": "outcome unknown: it is never run again",
    "refused": "refused by the appliance",
    "vetoed": "vetoed",
}
"""An order's stage -> what people read."""


OVER: Final = frozenset(
    {"unsigned", "withdrawn", "expired", "done", "failed", "unknown", "refused", "vetoed"}
)
"""The stages that no order leaves."""

LAN_SAID: Final = {"veto": "vetoed", "consent": "consent given"}
"""What people say of an order on the LAN -> what operators read."""


def stage(name: str, code: str | None, *, until: int | None = None) -> str:
    """Return a stage in words, with its reason code and what that means."""
    said, meaning = STAGES.get(name, name), ""
    if code is not None:
        meaning = REASONS[Code(code)].meaning if code in set(Code) else ""
    if code not in {None, name}:
        said = f"{said}: {code}"
    said = f"{said} ({meaning})" if meaning else said
    return f"{said}, until {moment(until)}" if until is not None else said


def row(line: OrderLine) -> dict[str, Any]:
    """Return an order as a row: all that the hub says, and the words of the table."""
    needed = f"{len(line.approved)} of {line.people}" if line.people else "none needed"
    return {
        **line.to_value(),
        "name": (line.sid or line.draft)[:SID_SHOWN],
        "where": line.appliance or f"all of {line.site}",
        "stands": _short(line),
        "signed": needed,
        "drafted": moment(line.asked),
    }


def _short(line: OrderLine) -> str:
    said = STAGES.get(line.stage, line.stage)
    return said if line.code in {None, line.stage} else f"{said}: {line.code}"


def print_lines(lines: Iterable[OrderLine], *, output: Output) -> None:
    """Print orders, newest first."""
    found = [line.to_value() for line in lines] if output is Output.JSON else []
    if output is Output.JSON:
        print_json(found)
        return
    columns = {
        "name": "name (sid)",
        "type": "type",
        "where": "where",
        "stands": "stands",
        "signed": "signed",
        "by": "by",
        "drafted": "drafted",
    }
    print_rows([row(line) for line in lines], columns, output=output)


def counted(lines: Sequence[OrderLine]) -> str:
    """Return how many of some orders stand where, the most first."""
    found = Counter(_short(line) for line in lines).most_common()
    return f"{len(lines)} orders: " + "; ".join(f"{many} {said}" for said, many in found)


def life(line: OrderLine) -> tuple[Line, ...]:
    """Return one order's life in words, as the hub heard it."""
    signed = ", ".join(line.approved) or "nobody"
    needed = f" ({line.people} must)" if line.people else " (nobody must)"
    lines = [
        Line("Drafted", f"{moment(line.asked)} by {line.by}, batch {line.batch}"),
        Line("Signed by", signed + needed),
    ]
    if line.vetoed:
        lines.append(Line("Vetoed by", ", ".join(line.vetoed)))
    lines += [Line("On the LAN", word(one)) for one in line.said]
    if line.leaf is not None:
        lines.append(Line("Logged", f"leaf {line.leaf} of the site's order log"))
    lines.append(Line("Stands", stage(line.stage, line.code)))
    return (*lines, *(_answer(one) for one in line.answers))


def word(one: LanWord) -> str:
    """Return what somebody said at an appliance, as a sentence."""
    if one.by == SaidBy.NEIGHBOUR:
        said = f"{one.appliance} heard that account {one.actor} vetoed it at another appliance"
    else:
        what = LAN_SAID.get(one.what, one.what)
        said = f"{what} on the LAN of {one.appliance} by account {one.actor}"
    return f"{said}, {moment(one.at)}"


def _answer(one: Answered) -> Line:
    at = f", {moment(one.at)}" if one.at is not None else ""
    return Line(f"At {one.appliance}", stage(one.stage, one.code, until=one.until) + at)


def summary(line: OrderLine) -> tuple[Line, ...]:
    """Return what the hub calls an order whose bytes are not there to be read."""
    return (
        Line("What", f"{kind_of(line.type).title} ({line.type.value}), says the hub"),
        Line("Why", shown(line.reason)),
    )


def stopped_by(line: OrderLine) -> str:
    """Return what a veto or a cancel that was just given still stops, as the hub tells it."""
    if line.stage in OVER:
        said = stage(line.stage, line.code)
        return f"It stops nothing: the hub says that the order was over before: {said}."
    late = [one.appliance for one in line.answers if one.stage in {*OVER, "executing"}]
    if late:
        return f"It stops nothing at {', '.join(late)}, where the order was begun or over before."
    if line.leaf is None:
        return "It was not delivered yet."
    return f"It counts once the appliance has heard it. Follow it: osiris order show {line.sid}"
