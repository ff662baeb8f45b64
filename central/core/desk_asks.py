"""What an operator's ask is held against before anything is done with it. Pure.

- `ask_replay`: the same ask came before; one is good for ten minutes (`proto.asks`), and as long as
  it is good it is remembered here. A process that started anew remembers none: then an ask that
  comes again finds what it made before, because drafts are named after it.
- `ask_rate`: one person asks at most so often a minute.
- `opinion_old`: a veto or the end of a hold is heard within a day after it was signed, which is as
  long as an order lives; later it is a copy of what was said about something else.
- `ask_scope`: a person asks only for sites and types that authority lists them for. Who may sign is
  the signer's and the appliances' to say.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar, Final

from central.core.orders import Draft, Wish
from proto.asks import FRESH_S, SKEW_S, Ask
from proto.authority import AuthoritySet
from proto.catalog.model import Autonomy, Runbook
from proto.errors import RejectedError, UnreachableError
from proto.hub.desk import batch_name
from proto.ids import ApplianceId, SiteId
from proto.order import ApplianceTarget
from proto.orders.kinds import (
    LIFE_S_MAX,
    PEOPLE_BY_TIER,
    Circumstances,
    OrderType,
    Params,
    Setting,
    Tier,
)
from proto.orders.registry import kind_of

PER_MINUTE: Final = 120
REMEMBERED_MAX: Final = 65_536
MINUTE_S: Final = 60


class AskReplayError(RejectedError):
    """An ask that came before."""

    code: ClassVar[str] = "ask_replay"


class AskScopeError(RejectedError):
    """An ask for a site or a type that is not this person's."""

    code: ClassVar[str] = "ask_scope"


class AskRateError(UnreachableError):
    """One person asked too often within a minute."""

    code: ClassVar[str] = "ask_rate"


class OpinionOldError(RejectedError):
    """A veto or the end of a hold that was signed more than a day ago."""

    code: ClassVar[str] = "opinion_old"


def require_recent(iat: int, *, now_s: int) -> None:
    """Return if what was signed at `iat` can still be about something that goes on.

    Raises:
        OpinionOldError: it cannot.
    """
    if iat < now_s - LIFE_S_MAX:
        msg = f"it was signed at {iat}, more than {LIFE_S_MAX} s ago"
        raise OpinionOldError(msg)


class AskMemory:
    """Which asks came lately, and how many of whom."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._until: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._counts: dict[str, tuple[int, int]] = {}

    def take(self, person: str, nonce: str, *, now_s: int) -> None:
        """Note an ask whose signature was verified.

        Raises:
            AskReplayError: it came before.
            AskRateError: the person asks too often.
        """
        self._forget(now_s)
        minute = now_s // MINUTE_S
        last, count = self._counts.get(person, (minute, 0))
        count = count + 1 if last == minute else 1
        if count > PER_MINUTE:
            msg = f"{person} asked more than {PER_MINUTE} times within a minute"
            raise AskRateError(msg, retry_after_s=MINUTE_S)
        if (person, nonce) in self._until:
            msg = f"ask.nonce: {nonce} of {person} came before"
            raise AskReplayError(msg)
        # People are those whom authority lists, so their counts are bounded with them.
        self._counts[person] = (minute, count)
        self._until[person, nonce] = now_s + FRESH_S + SKEW_S

    def _forget(self, now_s: int) -> None:
        while self._until:
            until = next(iter(self._until.values()))
            if until >= now_s and len(self._until) < REMEMBERED_MAX:
                return
            self._until.popitem(last=False)


def require_scope(person: str, order_type: OrderType, site: str, authority: AuthoritySet) -> None:
    """Return if a person may ask for this type at this site.

    Raises:
        AskScopeError: authority lists them for neither, or not at all.
    """
    found = authority.people.get(person)
    may = found is not None and (
        (found.sites == "all" or site in found.sites)
        and (found.types == "all" or order_type in found.types)
    )
    if not may:
        msg = f"{person} may not ask for {order_type.value} at {site}"
        raise AskScopeError(msg)


def tier_of(
    order_type: OrderType, params: Params, *, runbooks: Mapping[str, Runbook], now_s: int
) -> Tier:
    """Return the tier as far as the hub can tell: the site's own settings may raise it there."""
    known = Circumstances(site=Setting(Autonomy.AUTO), now_s=now_s, runbooks=runbooks)
    return params.tier_in(known, least=kind_of(order_type).tier)


def drafts_of(
    ask: Ask, envelope: bytes | None, *, runbooks: Mapping[str, Runbook], now_ms: int
) -> tuple[Draft, ...]:
    """Return one draft a target, all of one batch.

    Args:
        ask: what is wanted.
        envelope: the ask as its operator signed it; None for one that a page of the console made.
        runbooks: the current runbooks by id.
        now_ms: the hub's now.
    """
    params = kind_of(ask.type).params.from_value(ask.params, "ask.params")
    tier = tier_of(ask.type, params, runbooks=runbooks, now_s=now_ms // 1000)
    batch = batch_name(ask.to_bytes())
    return tuple(
        Draft(
            draft=f"{batch}.{number}",
            batch=batch,
            wish=Wish(
                site=SiteId(target.site),
                appliance=ApplianceId(target.appliance)
                if isinstance(target, ApplianceTarget)
                else None,
                type=ask.type,
                params=ask.params,
                tier=tier,
                people=max(ask.people, PEOPLE_BY_TIER[tier]),
                life_s=ask.life_s,
                not_before_s=ask.not_before,
                reason=ask.reason,
                by=ask.by,
            ),
            asked_ms=now_ms,
            ask=envelope,
        )
        for number, target in enumerate(ask.targets)
    )
