"""Who signed an order: which grant it uses, and which people count for its tier, site and type."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.core.order_gate.values import ReadOrder, Situation
from proto.grants import ORDER_KEY, Grant, Trust
from proto.order_codes import Code
from proto.orders.kinds import Tier


@dataclass(slots=True)
class Signers:
    """The signers of one order, looked at once.

    Attributes:
        grant: the grant that covers the order whole; None when there is none.
        grant_code: then, the first test that none of its order keys' grants passes.
        signed: the different people who signed.
        current: those of them whose key counts, when it was drafted and now.
        allowed: those of them who may sign for this tier, site and type.
    """

    grant: Grant | None
    grant_code: Code
    signed: frozenset[str]
    current: frozenset[str]
    allowed: frozenset[str]


def look_at(found: ReadOrder, situation: Situation, *, tier: Tier) -> Signers:
    """Hold an order's verified signers against authority and grants as they are now."""
    grant, code = _grant(found, situation.trust)
    signed = frozenset([one.person for one in found.signers if one.person != ORDER_KEY])
    current, allowed = _people(found, situation, tier) if signed else (signed, signed)
    return Signers(grant, code, signed, current, allowed)


def _fits_type(grant: Grant, found: ReadOrder) -> bool:
    return grant.covers_type(found.order.type)


def _fits_site(grant: Grant, found: ReadOrder) -> bool:
    return grant.covers_site(found.order.target.site)


def _fits_ttl(grant: Grant, found: ReadOrder) -> bool:
    return found.order.exp - found.order.iat <= grant.ttl_s


def _fits_time(grant: Grant, found: ReadOrder) -> bool:
    return grant.not_before <= found.order.iat and found.order.exp <= grant.not_after


_TESTS: Final[tuple[tuple[Code, Callable[[Grant, ReadOrder], bool]], ...]] = (
    (Code.GRANT_TYPE, _fits_type),
    (Code.GRANT_SITE, _fits_site),
    (Code.GRANT_TTL, _fits_ttl),
    (Code.GRANT_TIME, _fits_time),
)


def _grant(found: ReadOrder, trust: Trust) -> tuple[Grant | None, Code]:
    """Return the first grant that passes every test, or the test at which the last one fell."""
    held = [
        grant
        for signer in found.signers
        if signer.person == ORDER_KEY
        for grant in trust.grants.by_key.get(signer.key.raw, ())
    ]
    for grant in held:
        if _covers(grant, found):
            return grant, Code.GRANT_ABSENT
    return None, _code_of_last(held, found)


def _covers(grant: Grant, found: ReadOrder) -> bool:
    return (
        _fits_type(grant, found)
        and _fits_site(grant, found)
        and _fits_ttl(grant, found)
        and _fits_time(grant, found)
    )


def _code_of_last(left: list[Grant], found: ReadOrder) -> Code:
    fell_at = Code.GRANT_ABSENT
    for code, fits in _TESTS:
        if left:
            fell_at, left = code, [grant for grant in left if fits(grant, found)]
    return fell_at


def _people(
    found: ReadOrder, situation: Situation, tier: Tier
) -> tuple[frozenset[str], frozenset[str]]:
    authority, now_s = situation.trust.authority, situation.moment.now_s
    keys = (authority.by_key.get(signer.key.raw) for signer in found.signers)
    current = frozenset(
        key.holder.person
        for key in keys
        if key is not None and key.counts_at(found.order.iat) and key.counts_at(now_s)
    )
    site, order_type = found.order.target.site, found.order.type
    allowed = frozenset(
        person
        for person in current
        if authority.people[person].may_sign(tier=tier, site=site, order_type=order_type)
    )
    return current, allowed
