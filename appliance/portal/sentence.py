"""The overview's one plain sentence: what was looked at, what was done, who has to act.

It never says more than what is known: computers without an answer in the last hour are named as
such, and checks without a current answer are counted as unknown, not as fine.
"""

from dataclasses import dataclass

from appliance.store.views.inventory import TodayView
from proto.findings import Verdict
from runtime.web.people import count, plural
from runtime.web.words import Tone


@dataclass(frozen=True, slots=True)
class Summary:
    """The sentence, its tone, and what `verdicts` come to.

    Attributes:
        judged: findings that count: compliant, drifted and unknown, never not_applicable.
        waiting: what needs a person: escalated incidents, devices that were mixed up, and
            computers that look medical all of a sudden.
    """

    text: str
    tone: Tone
    judged: int
    compliant: int
    drifted: int
    unknown: int
    not_applicable: int
    waiting: int


def summary(today: TodayView, *, observe_only: bool, orders: int = 0) -> Summary:
    """Return the overview's sentence and the numbers behind it.

    Args:
        today: what the site's numbers are.
        observe_only: whether the site is set so.
        orders: how many orders run by themselves unless somebody here vetoes them.
    """
    compliant, drifted, unknown = (
        today.verdicts.get(verdict, 0)
        for verdict in (Verdict.COMPLIANT, Verdict.DRIFTED, Verdict.UNKNOWN)
    )
    waiting = today.escalated + today.conflicts + today.medical
    parts = [_looked(today)]
    if today.targets:
        parts.append(_repaired(today, observe_only=observe_only))
    if unknown and today.targets:
        parts.append(f"{count(unknown, 'check has', 'checks have')} no current answer")
    if orders:
        which = plural(orders, "it", "them")
        runs = count(orders, "order runs", "orders run")
        parts.append(f"{runs} unless somebody here vetoes {which}")
    parts.append(_waiting(waiting, orders=orders))
    return Summary(
        text="; ".join(parts) + ".",
        tone=_tone(today, waiting=waiting + orders, unknown=unknown, drifted=drifted),
        judged=compliant + drifted + unknown,
        compliant=compliant,
        drifted=drifted,
        unknown=unknown,
        not_applicable=today.verdicts.get(Verdict.NOT_APPLICABLE, 0),
        waiting=waiting,
    )


def _looked(today: TodayView) -> str:
    targets, checked = today.targets, today.checked
    if targets == 0:
        return "No computer is looked after yet"
    if checked == targets:
        which = "The one computer was" if targets == 1 else f"All {targets:,} computers were"
        return f"{which} checked in the last hour"
    if checked == 0:
        which = "The one computer" if targets == 1 else f"None of the {targets:,} computers"
        return f"{which} {'was not' if targets == 1 else 'was'} checked in the last hour"
    was = plural(checked, "was", "were")
    return f"{checked:,} of {count(targets, 'computer')} {was} checked in the last hour"


def _repaired(today: TodayView, *, observe_only: bool) -> str:
    if observe_only and not today.healed:
        return "nothing is repaired while this site is set to observe only"
    if not today.healed:
        return "no repair was needed today" if not today.repairs else "no repair was proved today"
    return f"{count(today.healed, 'problem was', 'problems were')} repaired today and proved"


def _waiting(waiting: int, *, orders: int) -> str:
    if not waiting:
        return f"nothing {'else ' if orders else ''}needs a person"
    return f"{waiting:,} {plural(waiting, 'needs', 'need')} a person"


def _tone(today: TodayView, *, waiting: int, unknown: int, drifted: int) -> Tone:
    if waiting:
        return Tone.WARN
    if unknown or today.checked < today.targets or not today.targets:
        return Tone.UNKNOWN
    return Tone.INFO if drifted or today.in_hand else Tone.GOOD
