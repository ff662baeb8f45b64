"""What people change at the hub: the command line and the console ask for it here, in one way."""

import re

from central.core.enrollment import claim_name
from central.core.health import Condition
from central.core.signing import CLAIM_NONCE_BYTES
from central.state import Hub
from central.store import appliances, conditions, sites
from proto import ids
from proto.claim import SECRET_BYTES, ClaimCode
from proto.errors import ConflictError, MalformedError
from proto.ids import ApplianceId, SiteId
from proto.keys import PublicKey
from proto.trust_root import fingerprint

LABEL_CHARS_MAX = 120
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


async def add_site(hub: Hub, label: str) -> SiteId:
    """Add a site under the name that people know it by.

    Raises:
        MalformedError: the label is empty, too long, or not printable.
    """
    shown = " ".join(label.split())
    if not 1 <= len(shown) <= LABEL_CHARS_MAX or not shown.isprintable():
        msg = f"label: must be 1 to {LABEL_CHARS_MAX} printable characters"
        raise MalformedError(msg)
    site = ids.new_site_id(hub.entropy(ids.ENTROPY_BYTES))
    async with hub.store.write() as connection:
        await sites.add_site(site, connection, label=shown, now_ms=hub.now_ms)
    return site


async def new_claim(hub: Hub, site: SiteId) -> str:
    """Return a fresh claim code of a site: shown once, kept only sealed.

    Raises:
        NotFoundError: there is no such site.
    """
    secret = hub.entropy(SECRET_BYTES)
    sealed = hub.claims.seal(secret, nonce=hub.entropy(CLAIM_NONCE_BYTES))
    now_ms = hub.now_ms
    async with hub.store.write() as connection:
        await sites.find_site(site, connection)
        await sites.add_claim(
            site,
            connection,
            claim=claim_name(secret),
            secret_sealed=sealed,
            now_ms=now_ms,
            expires_ms=now_ms + hub.settings.claim_life_s * 1000,
        )
    return ClaimCode(hub.origin, secret, fingerprint(hub.root)).as_text()


class OtherKeyError(ConflictError):
    """A fingerprint that was compared is not the appliance's any more."""

    code = "other_key"


async def confirm_appliance(hub: Hub, appliance: ApplianceId, *, by: str, shown: str) -> None:
    """Note that a person compared the appliance's fingerprint with what its portal shows.

    Args:
        hub: the hub.
        appliance: which.
        by: who.
        shown: the fingerprint that they compared; how its digits are grouped is no matter.

    Raises:
        NotFoundError: there is no such appliance.
        OtherKeyError: it has another key than that, or has renewed its keys since.
    """
    async with hub.store.write() as connection:
        found = await appliances.find_by_id(connection, appliance)
        if _digits(shown) != _digits(PublicKey(found.ed25519).fingerprint()):
            msg = (
                f"{appliance} has another fingerprint here than the one that was compared. If it"
                " renewed its keys since, compare the new one; if not, somebody else enrolled"
            )
            raise OtherKeyError(msg)
        await appliances.confirm(
            found.site, connection, appliance=appliance, by=by, now_ms=hub.now_ms
        )


def _digits(fingerprint: str) -> str:
    return "".join(fingerprint.split()).lower()


async def clear_condition(hub: Hub, appliance: ApplianceId, code: Condition) -> None:
    """Note that a person dealt with a condition.

    Raises:
        NotFoundError: there is no such appliance.
    """
    async with hub.store.write() as connection:
        found = await appliances.find_by_id(connection, appliance)
        await conditions.clear_conditions(
            found.site, connection, appliance=appliance, codes=(code,), now_ms=hub.now_ms
        )
    known = hub.registry.by_id(appliance)
    if known is not None:
        known.raised.pop(code, None)


def check_account_name(name: str) -> str:
    """Return a name that an account may have, or raise `MalformedError`."""
    if _ACCOUNT.fullmatch(name) is None:
        msg = "name: lower-case letters, digits and . _ @ -, at most 64, not beginning with a sign"
        raise MalformedError(msg)
    return name
