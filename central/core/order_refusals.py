"""Why the signer does not sign: one class and one stable code each.

Codes that the appliances' gate has too say the same thing there (`proto.order_codes`): the signer
refuses beforehand what would be refused at the site.
"""

from typing import ClassVar

from proto.errors import ConflictError, IntegrityError, MalformedError, OsirisError, RejectedError
from proto.grants import Trust


class SignerRefusal(RejectedError):  # noqa: N818 - a refusal is an answer
    """The signer will not do this."""

    code: ClassVar[str] = "signer_refused"


class NoTrustError(SignerRefusal):
    """There is no authority or no grant yet, or they do not hold: nothing can be ordered."""

    code = "no_trust"


class TrustEndedError(NoTrustError):
    """What there was has ended; `known` is what it said, for what goes on nevertheless."""

    def __init__(self, message: str, known: Trust) -> None:
        """Say what ended."""
        super().__init__(message)
        self.known = known


class GrantAbsentError(SignerRefusal):
    """No grant names this hub's order key."""

    code = "grant_absent"


class GrantTypeError(SignerRefusal):
    """The order key's grant is not for this type."""

    code = "grant_type"


class GrantSiteError(SignerRefusal):
    """The order key's grant is not for this site."""

    code = "grant_site"


class GrantTtlError(SignerRefusal):
    """It would live longer than the order key's grant allows."""

    code = "grant_ttl"


class GrantTimeError(SignerRefusal):
    """It would end after the order key's grant does."""

    code = "grant_time"


class ScopeTypeError(SignerRefusal):
    """Orders of this type are for one appliance, or live less long."""

    code = "scope_type"


class DraftUnknownError(SignerRefusal):
    """An order that the signer did not build: it signs no other."""

    code = "draft_unknown"


class ExpiredError(SignerRefusal):
    """Its time is over."""

    code = "expired"


class PrevWindowError(SignerRefusal):
    """It was drafted too many leaves ago: draft it anew."""

    code = "prev_window"


class ApprovalSignatureError(SignerRefusal):
    """A signature that is not over exactly the order's bytes."""

    code = "signature_bad"


class ApprovalPersonError(SignerRefusal):
    """A signature by a key that is no operator's, or whose time is over."""

    code = "person_key_expired"


class PersonScopeError(SignerRefusal):
    """A person who may not sign for this site, type or tier."""

    code = "person_scope"


class PeopleTooFewError(SignerRefusal):
    """Too few different people signed it so far."""

    code = "people_too_few"


class RateError(SignerRefusal):
    """Enough was asked of the signer for this site, or in all, within the hour."""

    code = "signer_rate"


class SiteUnheardError(SignerRefusal):
    """No appliance of the site said since the signer's start how far its log is."""

    code = "site_unheard"


class LogBehindError(SignerRefusal):
    """Leaves of the log are lost here, and not given back yet."""

    code = "log_behind"


class OrderLogForkError(IntegrityError):
    """A checkpoint that this hub signed is of another log than the signer holds."""

    code = "order_log_fork"


class HeadTimeError(SignerRefusal):
    """A head that is not dated now."""

    code = "head_time"


class OriginError(SignerRefusal):
    """A checkpoint of a log that the hub does not cosign."""

    code = "origin"


_ALL: tuple[type[OsirisError], ...] = (
    NoTrustError,
    GrantAbsentError,
    GrantTypeError,
    GrantSiteError,
    GrantTtlError,
    GrantTimeError,
    ScopeTypeError,
    DraftUnknownError,
    ExpiredError,
    PrevWindowError,
    ApprovalSignatureError,
    ApprovalPersonError,
    PersonScopeError,
    PeopleTooFewError,
    RateError,
    SiteUnheardError,
    LogBehindError,
    OrderLogForkError,
    HeadTimeError,
    OriginError,
    ConflictError,
    IntegrityError,
    MalformedError,
)
_BY_CODE = {one.code: one for one in _ALL}

WAITS = frozenset(
    one.code for one in (PeopleTooFewError, RateError, SiteUnheardError, LogBehindError)
)
"""Refusals that time or somebody else's word lifts: the order is asked for again."""

AGAIN = WAITS - {PeopleTooFewError.code}
"""Those after which it is tried again when the site's appliances next say how far they are."""


def of_code(code: str, message: str) -> OsirisError:
    """Return the refusal that crossed the socket."""
    return _BY_CODE.get(code, SignerRefusal)(message)
