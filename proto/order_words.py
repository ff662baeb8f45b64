"""An order in words, for whoever signs it, consents to it, vetoes it or reads it years later.

The desk, the console and the portal show the same words, made from the parsed body alone. Rules
kept here:

- Nothing of the body is left out: every parameter has its line, also one whose default looks dull.
- What somebody wrote is quoted, on one line, with every character that a screen would obey, hide
  or turn around shown as its escape; so no text can pass for another line (CWE-150, CWE-451).
- The tier that is named is the least one that the body has by itself: the appliance may know
  reasons to raise it.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from proto.order import ApplianceTarget, Order, Target
from proto.orders.kinds import DAY_S, HOUR_S, OrderType, Tier, Touches
from proto.orders.registry import kind_of, least_tier

Moment = Callable[[int], str]
"""How a time, in seconds, is written for the people who read: the zone is theirs."""

_LOOKS_EMPTY: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that screens draw as nothing."""

_MARKS: Final = frozenset({"Mn", "Me"})
"""Categories of marks that are drawn over what stands before them."""

LABELS: Final = MappingProxyType(
    {
        "action": "Action",
        "autonomy": "How far by itself",
        "check": "Check",
        "checks": "Checks",
        "content_sha256": "File (SHA-256)",
        "drain_s": "Lets repairs end for",
        "flake_sha256": "Flake (SHA-256)",
        "incident": "Incident",
        "level": "Level",
        "lines": "Lines, at most",
        "lock_sha256": "Lock (SHA-256)",
        "look": "Look at",
        "minutes": "Minutes",
        "mode": "Mode",
        "on": "Targets",
        "order": "Order",
        "part": "Part",
        "rule": "Rule",
        "runbook": "Runbook",
        "sealed_sha256": "Sealed login (SHA-256)",
        "sealed_to": "Sealed to key (SHA-256)",
        "since_s": "How far back",
        "target": "Target",
        "until": "Until",
        "version": "Version",
    }
)
"""A parameter's name -> what people read for it."""

CHANGES: Final = MappingProxyType(
    {
        Touches.NOTHING: "nothing",
        Touches.SETTINGS: "settings of the appliance",
        Touches.APPLIANCE: "the appliance itself",
        Touches.TARGETS: "targets",
    }
)

NEEDS: Final = MappingProxyType(
    {
        Tier.OBSERVE: "no person's signature: the hub's order key signs alone",
        Tier.HEAL: "no person's signature, within the site's own limits",
        Tier.CHANGE: (
            "one person's signature, then a wait by ring in which anyone may veto;"
            " with two people's it does not wait"
        ),
        Tier.DANGEROUS: (
            "two people's signatures, then the site's consent, or four hours in which anyone may"
            " veto"
        ),
    }
)
"""What must happen before an order of a tier runs."""

RAISED: Final = frozenset({OrderType.HEALING, OrderType.WAIVE, OrderType.SET_POLICY})
"""The types whose tier can be raised by what they ask for."""

_EVERY: Final = MappingProxyType(
    {"on": "every target", "checks": "every check", "check": "every check of the site"}
)
_DIGESTS: Final = frozenset(
    {"content_sha256", "flake_sha256", "lock_sha256", "sealed_sha256", "sealed_to", "order"}
)
_SECONDS: Final = frozenset({"since_s", "drain_s"})
_GROUP: Final = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that an order says, and what people call it; safe for any screen."""

    label: str
    text: str


def shown(text: str) -> str:
    """Return somebody's text in quotes, on one line, each character seen for what it is."""
    made: list[str] = []
    for char in text:
        if char in {'"', "\\"}:
            made.append(f"\\{char}")
        elif char == " " and made and made[-1] in {" ", "\\x20"}:
            made.append("\\x20")
        elif _is_plain(char):
            made.append(char)
        else:
            made.append(ascii(char)[1:-1])
    return f'"{"".join(made)}"'


def _is_plain(char: str) -> bool:
    is_seen = char not in _LOOKS_EMPTY and unicodedata.category(char) not in _MARKS
    return char.isprintable() and is_seen


def digits_in_groups(digest: str) -> str:
    """Return hex digits in groups of eight, for comparing by eye."""
    return " ".join(digest[at : at + _GROUP] for at in range(0, len(digest), _GROUP))


def where(target: Target) -> str:
    """Return whom an order is for."""
    if isinstance(target, ApplianceTarget):
        return f"appliance {target.appliance} of site {target.site}"
    return f"EVERY appliance of site {target.site}"


def what(order_type: OrderType) -> str:
    """Return what an order of this type does."""
    return f"{kind_of(order_type).title} ({order_type.value})"


def needs(order_type: OrderType, *, tier: Tier | None = None) -> str:
    """Return what must happen before an order runs; without a tier, by its type's least one."""
    tier = kind_of(order_type).tier if tier is None else tier
    is_open = order_type in RAISED and tier < Tier.DANGEROUS
    more = "; the appliance may ask for more than this" if is_open else ""
    return f"{NEEDS[tier]} (tier {tier.value}{more})"


def params_in_words(
    order_type: OrderType, params: Mapping[str, Any], *, moment: Moment
) -> tuple[Line, ...]:
    """Return one line a parameter.

    Raises:
        MalformedError: they do not fit the type: nobody should sign what cannot be said.
    """
    found = kind_of(order_type).params.from_value(dict(params), "params")
    lines: list[Line] = []
    for name, value in found.to_value().items():
        if isinstance(value, dict):
            lines += [Line(f"With {one}", _plain(two)) for one, two in sorted(value.items())]
            lines += [] if value else [Line("With", "no values")]
        else:
            lines.append(Line(LABELS.get(name, name), _said(name, value, moment)))
    return tuple(lines)


def _said(name: str, value: Any, moment: Moment) -> str:  # noqa: ANN401 - JSON
    if value == "all" and name in _EVERY:
        return _EVERY[name]
    if name == "until":
        return moment(value) if value else "now: ends what there is"
    if name in _DIGESTS:
        return digits_in_groups(value)
    if name in _SECONDS:
        return f"{value} seconds"
    if isinstance(value, list):
        return ", ".join(value)
    # What is left are numbers, ids, and words of a closed list.
    return str(value)


def _plain(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def order_in_words(order: Order, *, sid: bytes, moment: Moment) -> tuple[Line, ...]:
    """Return a parsed body in words.

    Args:
        order: the body, parsed from the very bytes that are signed.
        sid: the name of those bytes, 32 bytes.
        moment: writes a time for the reader.

    Raises:
        MalformedError: its parameters do not fit its type.
    """
    kind = kind_of(order.type)
    tier = least_tier(order.type, order.params, at_s=order.iat)
    return (
        Line("What", what(order.type)),
        Line("Where", where(order.target)),
        *params_in_words(order.type, order.params, moment=moment),
        Line("Changes", CHANGES[kind.touches]),
        Line("Why", shown(order.reason)),
        Line("Asked by", order.by),
        Line("Drafted", moment(order.iat)),
        Line("Not before", moment(order.not_before)),
        Line("Void from", f"{moment(order.exp)}, {span(order.exp - order.iat)} after drafting"),
        Line("Needs", needs(order.type, tier=tier)),
        Line("Log", f"drafted on the site's order log of size {order.drafted_size()}"),
        Line("Nonce", order.nonce),
        Line("Name (sid)", digits_in_groups(sid.hex())),
    )


def span(seconds: int) -> str:
    """Return a length of time exactly: "1 h 30 min", "45 s"."""
    days, rest = divmod(max(seconds, 0), DAY_S)
    hours, rest = divmod(rest, HOUR_S)
    minutes, rest = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
