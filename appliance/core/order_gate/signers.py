"""The steps grant, people and scope: who signed an order, and may they for this place and type."""

from typing import Final

from appliance.core.order_gate.bench import Bench, Found
from appliance.core.order_gate.values import ReadOrder
from proto.grants import Grant
from proto.order import SiteTarget
from proto.order_codes import Code
from proto.orders.kinds import Tier

PEOPLE_BY_TIER: Final = {Tier.OBSERVE: 0, Tier.HEAL: 0, Tier.CHANGE: 1, Tier.DANGEROUS: 2}


def on_grant(bench: Bench) -> Found:
    """Step grant: the first test that no grant of its order keys passes gives the code."""
    if fitting_grant(bench) is not None:
        return
    order, left = bench.read.order, bench.grants
    for code, fits in _GRANT_TESTS:
        if not left:
            yield Code.GRANT_ABSENT, "no order key that is granted anything signed it"
            return
        left = tuple(grant for grant in left if fits(grant, bench.read))
        if not left:
            yield code, f"{order.type} at {order.target.site}"
            return


def _fits_ttl(grant: Grant, found: ReadOrder) -> bool:
    return found.order.exp - found.order.iat <= grant.ttl_s


def _fits_time(grant: Grant, found: ReadOrder) -> bool:
    return grant.not_before <= found.order.iat and found.order.exp <= grant.not_after


def _fits_type(grant: Grant, found: ReadOrder) -> bool:
    return grant.covers_type(found.order.type)


def _fits_site(grant: Grant, found: ReadOrder) -> bool:
    return grant.covers_site(found.order.target.site)


_GRANT_TESTS: Final = (
    (Code.GRANT_TYPE, _fits_type),
    (Code.GRANT_SITE, _fits_site),
    (Code.GRANT_TTL, _fits_ttl),
    (Code.GRANT_TIME, _fits_time),
)


def fitting_grant(bench: Bench) -> Grant | None:
    """Return the grant that the order uses, or None when none covers it whole."""
    for grant in bench.grants:
        if all(fits(grant, bench.read) for _, fits in _GRANT_TESTS):
            return grant
    return None


def counting_people(bench: Bench) -> tuple[frozenset[str], frozenset[str]]:
    """Return who signed with a key that counts, and who of them may sign for this order."""
    found, authority = bench.read, bench.situation.trust.authority
    now_s = bench.situation.moment.now_s
    current = frozenset(
        signer.person
        for signer in found.signers
        if (key := authority.by_key.get(signer.key.raw)) is not None
        and key.counts_at(found.order.iat)
        and key.counts_at(now_s)
    )
    allowed = frozenset(
        person
        for person in current
        if authority.people[person].may_sign(
            tier=bench.tier, site=found.order.target.site, order_type=found.order.type
        )
    )
    return current, allowed


def on_people(bench: Bench) -> Found:
    """Step people: enough different people by tier, with keys that count, each within bounds."""
    needed = PEOPLE_BY_TIER[bench.tier]
    current, allowed = counting_people(bench)
    if len(allowed) >= needed:
        return
    told = f"tier {bench.tier.value} needs {needed}, {len(allowed)} count"
    if len(bench.people) < needed:
        yield Code.PEOPLE_TOO_FEW, told
    elif len(current) < needed:
        yield Code.PERSON_KEY_EXPIRED, told
    else:
        yield Code.PERSON_SCOPE, told


def on_scope(bench: Bench) -> Found:
    """Step scope: this site, this appliance, and a type that may be for a whole site."""
    target, place = bench.read.order.target, bench.situation.place
    if target.site != place.site:
        yield Code.SCOPE_SITE, target.site
    elif isinstance(target, SiteTarget):
        if not bench.read.kind.is_for_sites:
            yield Code.SCOPE_TYPE, bench.read.order.type.value
    elif target.appliance != place.appliance:
        yield Code.SCOPE_APPLIANCE, target.appliance
