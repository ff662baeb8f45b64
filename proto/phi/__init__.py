"""The scrubber: text in, `Scrubbed` out; the one door for text that leaves a site."""

from proto.phi.engine import scrub_record
from proto.phi.policy import Infra, Policy, default_names, default_policy, installed_policies
from proto.phi.tokens import ThrowAwayVault
from proto.phi.values import Hit, Kind, Names, Result, Scrubbed, TokenVault, Withheld

__all__ = [
    "Hit",
    "Infra",
    "Kind",
    "Names",
    "Policy",
    "Result",
    "Scrubbed",
    "ThrowAwayVault",
    "TokenVault",
    "Withheld",
    "default_names",
    "default_policy",
    "installed_policies",
    "scrub",
    "scrub_text",
]


def scrub(text: str, *, policy: Policy, names: Names | None, vault: TokenVault) -> Result:
    """Scrub one whole record: an event, a document, a message, one command's output.

    It never raises for what the text holds: what cannot be scrubbed is withheld.

    Args:
        text: the record.
        policy: what goes.
        names: what is known about names; without it everything is withheld.
        vault: where what was replaced is kept.
    """
    return scrub_record(text, policy=policy, names=names, vault=vault)


def scrub_text(text: str) -> str:
    """Scrub with the default policy and a vault that is thrown away: for tools and measurements.

    Equal text gives equal output. Without the compiled gazetteer everything is withheld.
    """
    result = scrub_record(
        text, policy=default_policy(), names=default_names(), vault=ThrowAwayVault()
    )
    return str(result.text)
