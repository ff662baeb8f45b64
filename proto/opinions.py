"""Consent and veto: what people say about an order that waits.

```
veto     {"v":1,"type":"operator","site":"s-..","order":"<hex sid>","reason","by","iat":<s>}
veto     {"v":1,"type":"lan","site","appliance":"a-..","order","commit","by","iat"}
                                                                         signed by the appliance
consent  {"v":1,"type":"order","site","appliance","order","by","iat"}    signed by the appliance
consent  {"v":1,"type":"clear","site","appliance","since","by","iat"}
```

Any operator whose key counts may veto, for whatever site: a veto only ever stops. A person on the
LAN vetoes and consents on the portal, with the password asked again; the appliance signs and names
the account by its code; the reason stays there, and `commit`, base64 SHA-256(salt || reason as
JSON), binds it. A consent counts at the appliance that signed it and nowhere else. A veto of the
LAN of an order for a whole site is the site's: the hub passes it on to the site's other appliances
(`open_lan_veto`). They have that appliance's key from the hub, so a hub that was taken can make one
up: it stops an order then, which it can do by keeping silent as well.

`clear` ends the hold that began at `since`, after security refusals: a person on the LAN, or two
operators of that site who signed the same bytes. Operators end no hold that had not begun when they
signed, else two could be led to sign the end of a later one beforehand.

Reading verifies first; a statement by anybody else is refused, and changes nothing.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from proto.authority import AuthoritySet
from proto.envelope import Kind, Opened, open_pinned, parse
from proto.errors import MalformedError, RejectedError
from proto.keys import Holder, KeyRing, Threshold
from proto.message import (
    ApplianceIdField,
    B64Of32,
    CodeName,
    Hex256,
    Message,
    Seconds,
    SiteIdField,
    VersionOne,
)
from proto.order import PlainText

SKEW_S: Final = 120
CLEAR_PEOPLE: Final = 2


class OpinionScopeError(RejectedError):
    """A veto or consent for another site or appliance, or by a name that did not sign it."""

    code = "opinion_scope"


class OpinionTimeError(RejectedError):
    """A veto or consent that was signed in the future."""

    code = "opinion_future"


class _Opinion(Message):
    v: VersionOne
    site: SiteIdField
    by: CodeName
    iat: Seconds


class OperatorVeto(_Opinion):
    """An operator stops an order at every appliance of a site."""

    type: Literal["operator"]
    order: Hex256
    reason: PlainText


class LanVeto(_Opinion):
    """A person on the LAN stops an order at this appliance, and at its site if it is for that."""

    type: Literal["lan"]
    appliance: ApplianceIdField
    order: Hex256
    commit: B64Of32


class Consent(_Opinion):
    """A person on the LAN lets an order of tier 3 run without its time lock."""

    type: Literal["order"]
    appliance: ApplianceIdField
    order: Hex256


class Clear(_Opinion):
    """People end the hold that began at `since`; it clears no other."""

    type: Literal["clear"]
    appliance: ApplianceIdField
    since: Seconds


Veto = Annotated[OperatorVeto | LanVeto, Field(discriminator="type")]
Yes = Annotated[Consent | Clear, Field(discriminator="type")]


class _VetoDocument(Message):
    veto: Veto


class _YesDocument(Message):
    consent: Yes


def _read_veto(opened: Opened) -> OperatorVeto | LanVeto:
    return _VetoDocument.from_value({"veto": opened.json("veto")}, "").veto


def _read_yes(opened: Opened) -> Consent | Clear:
    return _YesDocument.from_value({"consent": opened.json("consent")}, "").consent


def open_veto(
    data: bytes, *, authority: AuthoritySet, site: str, appliance: Holder, now_s: int
) -> OperatorVeto | LanVeto:
    """Return a veto that counts here.

    Args:
        data: the envelope.
        authority: whose keys count.
        site: this site.
        appliance: this appliance's id and own key, which signs for people on the LAN.
        now_s: the appliance's now.

    Raises:
        SignatureError: no operator whose key counts, and not this appliance, signed it.
        OpinionScopeError: it is for another site or appliance, or another name signed.
        OpinionTimeError: it was signed in the future.
        MalformedError: it is no veto.
    """
    people = tuple(key.holder for key in authority.keys if key.counts_at(now_s))
    ring = KeyRing((*people, appliance))
    opened = parse(data).open(kind=Kind.VETO, trust=Threshold(ring))
    veto = _read_veto(opened)
    signers = {holder.person for holder in opened.signers}
    wanted = veto.by if isinstance(veto, OperatorVeto) else veto.appliance
    is_here = isinstance(veto, OperatorVeto) or veto.appliance == appliance.person
    _check(veto, is_ours=veto.site == site and is_here and wanted in signers, now_s=now_s)
    return veto


def open_lan_veto(data: bytes, *, site: str, appliance: Holder, now_s: int) -> LanVeto:
    """Return a veto that a person on the LAN gave at an appliance, which signed it.

    Raises:
        SignatureError: that appliance has not signed it.
        OpinionScopeError: it is an operator's, or for another site or appliance.
        OpinionTimeError: it was signed in the future.
        MalformedError: it is no veto.
    """
    veto = _read_veto(parse(data).open(kind=Kind.VETO, trust=Threshold(KeyRing((appliance,)))))
    if not isinstance(veto, LanVeto):
        msg = "veto.type: not a veto of the LAN"
        raise OpinionScopeError(msg)
    is_ours = veto.site == site and veto.appliance == appliance.person
    _check(veto, is_ours=is_ours, now_s=now_s)
    return veto


def open_lan_word(
    data: bytes, *, site: str, appliance: Holder, now_s: int
) -> LanVeto | Consent | Clear:
    """Return what a person on the LAN said at an appliance, for whoever tells it on.

    Raises:
        RejectedError: as `open_lan_veto`, for a veto, a consent or the end of a hold.
    """
    envelope = parse(data)
    if envelope.kind is Kind.VETO:
        return open_lan_veto(data, site=site, appliance=appliance, now_s=now_s)
    yes = _read_yes(envelope.open(kind=Kind.CONSENT, trust=Threshold(KeyRing((appliance,)))))
    is_ours = yes.site == site and yes.appliance == appliance.person
    _check(yes, is_ours=is_ours, now_s=now_s)
    return yes


def open_operators_veto(data: bytes, *, authority: AuthoritySet, now_s: int) -> OperatorVeto:
    """Return an operator's veto, for whoever passes it on; each appliance opens it again.

    Raises:
        SignatureError: no operator whose key counts signed it.
        OpinionScopeError: it is a veto of the LAN, or names somebody else.
        OpinionTimeError: it was signed in the future.
        MalformedError: it is no veto.
    """
    opened = parse(data).open(kind=Kind.VETO, trust=authority.operators(now_s=now_s))
    veto = _read_veto(opened)
    is_theirs = veto.by in {holder.person for holder in opened.signers}
    if not isinstance(veto, OperatorVeto):
        msg = "veto.type: a veto of the LAN is not the hub's to pass on"
        raise OpinionScopeError(msg)
    _check(veto, is_ours=is_theirs, now_s=now_s)
    return veto


def open_operators_clear(
    data: bytes, *, authority: AuthoritySet, now_s: int, people: int = CLEAR_PEOPLE
) -> Clear:
    """Return the end of a hold that two operators signed, for whoever passes it on.

    Args:
        data: the envelope.
        authority: whose keys count.
        now_s: the reader's now.
        people: how many must have signed; one, while it is on its way to the second.

    Raises:
        SignatureError: fewer operators of its site signed it.
        OpinionScopeError: it names somebody who did not sign it.
        OpinionTimeError: it was signed in the future, or before the hold began.
        MalformedError: it is no end of a hold, or its site has fewer operators.
    """
    envelope = parse(data)
    yes = _read_yes(envelope.open(kind=Kind.CONSENT, trust=authority.operators(now_s=now_s)))
    if not isinstance(yes, Clear):
        msg = "consent.type: not the end of a hold"
        raise MalformedError(msg)
    # Whose it is to end the hold is known once the statement says of which site it is.
    trust = authority.operators_of(yes.site, now_s=now_s, people=people)
    opened = envelope.open(kind=Kind.CONSENT, trust=trust)
    is_theirs = yes.by in {holder.person for holder in opened.signers}
    _check(yes, is_ours=is_theirs, now_s=now_s)
    _check_begun(yes)
    return yes


def open_taken_clear(data: bytes, *, digest: bytes) -> Clear:
    """Return the end of a hold that was verified before, from the exact bytes that were kept then.

    Raises:
        SignatureError: these are other bytes.
        MalformedError: they are no end of a hold.
    """
    yes = _read_yes(open_pinned(data, kind=Kind.CONSENT, digest=digest))
    if not isinstance(yes, Clear):
        msg = "consent.type: not the end of a hold"
        raise MalformedError(msg)
    return yes


def open_consent(data: bytes, *, site: str, appliance: Holder, now_s: int) -> Consent:
    """Return a consent that a person gave on this appliance's own portal.

    Raises:
        SignatureError: this appliance has not signed it.
        OpinionScopeError: it is for another site or appliance.
        OpinionTimeError: it was signed in the future.
        MalformedError: it is no consent to an order.
    """
    trust = Threshold(KeyRing((appliance,)))
    yes = _read_yes(parse(data).open(kind=Kind.CONSENT, trust=trust))
    if not isinstance(yes, Consent):
        msg = "consent.type: not a consent to an order"
        raise MalformedError(msg)
    is_ours = yes.site == site and yes.appliance == appliance.person
    _check(yes, is_ours=is_ours, now_s=now_s)
    return yes


def open_clear(
    data: bytes, *, authority: AuthoritySet, site: str, appliance: Holder, now_s: int
) -> Clear:
    """Return the end of a hold: this appliance signed it for a person, or two operators did.

    The operators are those of this site.

    Raises:
        SignatureError: neither did.
        OpinionScopeError: it is for another site or appliance, or names who did not sign it.
        OpinionTimeError: it was signed in the future, or by operators before the hold began.
        MalformedError: it is no end of a hold, or the site has fewer than two operators.
    """
    envelope = parse(data)
    is_own = appliance.key.key_id in envelope.key_ids
    trust = (
        Threshold(KeyRing((appliance,)))
        if is_own
        else authority.operators_of(site, now_s=now_s, people=CLEAR_PEOPLE)
    )
    opened = envelope.open(kind=Kind.CONSENT, trust=trust)
    yes = _read_yes(opened)
    if not isinstance(yes, Clear):
        msg = "consent.type: not the end of a hold"
        raise MalformedError(msg)
    is_theirs = is_own or yes.by in {holder.person for holder in opened.signers}
    is_ours = is_theirs and yes.site == site and yes.appliance == appliance.person
    _check(yes, is_ours=is_ours, now_s=now_s)
    # A person on the LAN reads the hold off this appliance, whose clock may have been set back.
    if not is_own:
        _check_begun(yes)
    return yes


def _check(opinion: _Opinion, *, is_ours: bool, now_s: int) -> None:
    if not is_ours:
        msg = f"the statement by {opinion.by} is not for this site and appliance, or not theirs"
        raise OpinionScopeError(msg)
    if opinion.iat > now_s + SKEW_S:
        msg = f"the statement by {opinion.by} was signed in the future"
        raise OpinionTimeError(msg)


def is_begun(since: int, *, at_s: int) -> bool:
    """Tell whether a hold of that name can have begun by then; clocks differ by `SKEW_S`."""
    return since <= at_s + SKEW_S


def _check_begun(clear: Clear) -> None:
    if not is_begun(clear.since, at_s=clear.iat):
        msg = f"the statement by {clear.by} ends a hold that had not begun when it was signed"
        raise OpinionTimeError(msg)
