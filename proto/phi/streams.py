"""Framed records through the scrubber: one that was too long to be framed is withheld unseen."""

from proto.phi import tokens
from proto.phi.engine import scrub_record
from proto.phi.framing import Record
from proto.phi.policy import Policy
from proto.phi.values import Kind, Names, Result, TokenVault, Withheld, seal


def scrub_framed(
    record: Record, *, policy: Policy, names: Names | None, vault: TokenVault
) -> Result:
    """Scrub one record of a stream; see `proto.phi.scrub`."""
    digest = record.oversize_sha256
    if digest is None:
        return scrub_record(record.text, policy=policy, names=names, vault=vault)
    token = tokens.make(Kind.WITHHELD, vault.body(Kind.WITHHELD, digest))
    return Result(seal(token), (), Withheld(too_long(policy), digest))


def too_long(policy: Policy) -> str:
    """Return the reason for which a record that is too long is withheld."""
    return f"longer than {policy.record_chars_max} characters"
