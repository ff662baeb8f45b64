"""What the signer decides, pure: the body of an order, whose signature counts, what a grant covers.

Rules, each with its code (`central.core.order_refusals`):

- a body is built here, from a wish: its times, its nonce and where its site's log stands are the
  signer's own;
- a type, a site, a life and an end that no grant of this order key covers are refused;
- an approval is a signature over exactly this body, by an operator's key that counted when it was
  drafted and counts now, of a person who may sign for this tier, site and type;
- people are counted, not signatures; as many as the tier needs, or as were asked for, must have
  signed.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from central.core.order_refusals import (
    ApprovalPersonError,
    ApprovalSignatureError,
    GrantAbsentError,
    GrantSiteError,
    GrantTimeError,
    GrantTtlError,
    GrantTypeError,
    PeopleTooFewError,
    PersonScopeError,
    ScopeTypeError,
    SignerRefusal,
)
from central.core.orders import Fixed
from central.core.signer_talk import AskDraft
from proto import strict_json
from proto.asks import SKEW_S
from proto.envelope import (
    BODY_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    Kind,
    Signature,
    assemble,
    pae,
    parse,
    signature_of,
)
from proto.errors import MalformedError
from proto.grants import Grant, Trust
from proto.keys import SigningKey
from proto.order import ApplianceTarget, LogPlace, Order, SiteTarget, parse_order, sid_of
from proto.orders.kinds import PEOPLE_BY_TIER, Tier
from proto.orders.registry import kind_of, least_tier

NONCE_BYTES: Final = 16
PREV_WINDOW: Final = 4096
"""An order is logged fewer than so many leaves after the log that it was drafted on."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How much the signer does within an hour, whoever asks.

    Attributes:
        drafts: bodies built for one site.
        site: orders logged for one site.
        fleet: orders logged in all.
        fresh: snapshots or timestamps signed.
        promoted: documents of promoted rules signed; this count alone begins anew with the process.
    """

    drafts: int = 600
    site: int = 120
    fleet: int = 2000
    fresh: int = 60
    promoted: int = 60


def build(ask: AskDraft, *, now_s: int, nonce: bytes, place: LogPlace) -> Fixed:
    """Return the one body of a wish.

    Raises:
        MalformedError: the parameters do not fit the type.
        ScopeTypeError: the type is for one appliance, or does not live so long.
        PeopleTooFewError: fewer people were asked for than the tier needs.
    """
    kind = kind_of(ask.type)
    kind.params.from_value(ask.params, "params")
    if ask.appliance is None and not kind.is_for_sites:
        msg = f"{ask.type.value} is for one appliance: name it"
        raise ScopeTypeError(msg)
    if ask.life_s > kind.life_s_max:
        msg = f"{ask.type.value} lives at most {kind.life_s_max} s"
        raise ScopeTypeError(msg)
    tier = tier_of(ask, now_s=now_s)
    if ask.people < PEOPLE_BY_TIER[tier]:
        msg = f"tier {tier.value} needs {PEOPLE_BY_TIER[tier]} people, {ask.people} were asked for"
        raise PeopleTooFewError(msg)
    exp = now_s + ask.life_s
    not_before = max(ask.not_before, now_s)
    if not_before >= exp:
        msg = f"not_before: {not_before} is not before its end {exp}"
        raise ScopeTypeError(msg)
    order = Order(
        v=1,
        type=ask.type,
        target=SiteTarget(site=ask.site)
        if ask.appliance is None
        else ApplianceTarget(site=ask.site, appliance=ask.appliance),
        params=ask.params,
        iat=now_s,
        not_before=not_before,
        exp=exp,
        nonce=nonce.hex(),
        prev=place.as_text(),
        reason=ask.reason,
        by=ask.by,
    )
    body = order.to_bytes()
    # What every appliance will read must be what was meant here.
    parse_order(body)
    return Fixed(sid_of(body), body, now_s, exp)


def tier_of(ask: AskDraft, *, now_s: int) -> Tier:
    """Return the tier for which people must sign: never below what the parameters give it.

    Who asks may know of more; a clock that is a little ahead of this one asks for no more people.
    """
    return max(ask.tier, least_tier(ask.type, ask.params, at_s=now_s + SKEW_S))


def logged_body(leaf: bytes) -> bytes:
    """Return the body of an order as it was logged; a checkpoint vouches for the leaf's bytes.

    Raises:
        MalformedError: it is no order.
    """
    kind = parse(leaf).kind
    outer = strict_json.loads(leaf, size_bytes_max=ENVELOPE_BYTES_MAX, where="leaf")
    if kind is not Kind.ORDER or not isinstance(outer, dict):
        msg = "leaf: is no order"
        raise MalformedError(msg)
    body = strict_json.b64_decode(outer["payload"], "leaf.payload", size_bytes_max=BODY_BYTES_MAX)
    parse_order(body)
    return body


_GRANT_TESTS: Final[tuple[tuple[type[SignerRefusal], Callable[[Grant, Order], bool]], ...]] = (
    (GrantTypeError, lambda grant, order: grant.covers_type(order.type)),
    (GrantSiteError, lambda grant, order: grant.covers_site(order.target.site)),
    (GrantTtlError, lambda grant, order: order.exp - order.iat <= grant.ttl_s),
    (
        GrantTimeError,
        lambda grant, order: grant.not_before <= order.iat and order.exp <= grant.not_after,
    ),
)


def covering_grant(order: Order, trust: Trust, *, key: SigningKey) -> Grant:
    """Return a grant of this order key that covers an order whole.

    Raises:
        SignerRefusal: none does; the code is the first test that no grant passes.
    """
    left = list(trust.grants.by_key.get(key.public.raw, ()))
    if not left:
        msg = f"no grant names the order key {key.public.key_id}"
        raise GrantAbsentError(msg)
    for refusal, fits in _GRANT_TESTS:
        left = [grant for grant in left if fits(grant, order)]
        if not left:
            msg = f"no grant of the order key covers {order.type.value} at {order.target.site}"
            raise refusal(msg)
    return left[0]


def person_of(given: Signature, body: bytes, *, tier: Tier, trust: Trust, now_s: int) -> str:
    """Return who signed, if their signature counts for this order.

    Raises:
        ApprovalPersonError: the key is no operator's, or does not count.
        ApprovalSignatureError: it is not over exactly these bytes.
        PersonScopeError: the person may not sign for this.
    """
    order = parse_order(body)
    found = [key for key in trust.authority.keys if key.holder.key.key_id == given.key_id]
    if not found:
        msg = f"the key {given.key_id} is no operator's"
        raise ApprovalPersonError(msg)
    (key,) = found
    person = key.holder.person
    if not key.holder.key.accepts(given.raw, pae(Kind.ORDER, body)):
        msg = f"the signature by {person} is not over this order's bytes"
        raise ApprovalSignatureError(msg)
    if not (key.counts_at(order.iat) and key.counts_at(now_s)):
        msg = f"the key of {person} does not count now"
        raise ApprovalPersonError(msg)
    allowed = trust.authority.people[person].may_sign(
        tier=tier, site=order.target.site, order_type=order.type
    )
    if not allowed:
        where = f"tier {tier.value} at {order.target.site}"
        msg = f"{person} may not sign {order.type.value} of {where}"
        raise PersonScopeError(msg)
    return person


def cosigned(
    body: bytes,
    given: Collection[Signature],
    *,
    tier: Tier,
    people: int,
    trust: Trust,
    key: SigningKey,
    now_s: int,
) -> bytes:
    """Return the envelope, signed by the order key and by people, once these are enough.

    A signature that counts no longer is left out; one that is not over these bytes refuses all.

    Raises:
        PeopleTooFewError: too few different people whose signatures count.
        ApprovalSignatureError: a signature by an operator's key does not verify.
        SignerRefusal: no grant covers the order.
    """
    covering_grant(parse_order(body), trust, key=key)
    counted: dict[str, Signature] = {}
    for one in given:
        try:
            counted.setdefault(person_of(one, body, tier=tier, trust=trust, now_s=now_s), one)
        except (ApprovalPersonError, PersonScopeError):
            continue
    needed = max(people, PEOPLE_BY_TIER[tier])
    if len(counted) < needed:
        msg = f"signed by {len(counted)} people who count, {needed} must"
        raise PeopleTooFewError(msg)
    own = signature_of(Kind.ORDER, body, signer=key)
    ordered = tuple(counted[person] for person in sorted(counted))
    return assemble(Kind.ORDER, body, signatures=(own, *ordered))
