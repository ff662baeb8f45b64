"""What the console calls the stages of an order, and what a person can do about each."""

from central.core.order_stage import Stage
from proto.order_codes import REASONS, Code
from runtime.web.words import Tone, Words

STAGES: dict[Stage, Words] = {
    Stage.DRAFTED: Words(
        "Drafted", "The signer has not built its bytes yet; it is tried again by itself.", Tone.INFO
    ),
    Stage.UNSIGNED: Words(
        "Refused by the signer", "The hub's signer will not sign this; nothing was sent.", Tone.BAD
    ),
    Stage.WAITS_FOR_PEOPLE: Words(
        "Waits for people", "Nothing is sent before people have signed it.", Tone.WARN
    ),
    Stage.WAITS_FOR_SIGNER: Words(
        "Waits for the signer",
        "Everybody who must has signed it; the hub's signer logs it once it can.",
        Tone.INFO,
    ),
    Stage.WITHDRAWN: Words("Withdrawn", "It was taken back before it was sent.", Tone.QUIET),
    Stage.EXPIRED: Words("Expired", "Its time was over before it ran.", Tone.QUIET),
    Stage.LOGGED: Words(
        "In the log", "It stands in the site's order log and was not fetched yet.", Tone.INFO
    ),
    Stage.FETCHED: Words("Fetched", "The appliance has it, and has not answered yet.", Tone.INFO),
    Stage.WAITING: Words("Waits there", "The appliance accepted it and waits.", Tone.WARN),
    Stage.EXECUTING: Words("Running", "The appliance carries it out.", Tone.INFO),
    Stage.FAILED: Words("Failed", "It ran, and what it should do was not done.", Tone.BAD),
    Stage.UNKNOWN: Words(
        "Outcome unknown",
        "The run was cut off. It is never run again by itself; look, and order anew if need be.",
        Tone.UNKNOWN,
    ),
    Stage.REFUSED: Words("Refused", "The appliance refused it, and nothing was done.", Tone.BAD),
    Stage.VETOED: Words("Vetoed", "A person stopped it, and nothing was done.", Tone.QUIET),
    Stage.DONE: Words("Done", "The appliance says that it was done.", Tone.GOOD),
}

NEXT: dict[Stage, str] = {
    Stage.UNSIGNED: "Correct what the code names, and draft it anew.",
    Stage.WAITS_FOR_PEOPLE: (
        "Each person who is to sign reads it on their own machine and signs it there with their"
        " own key, with the command below."
    ),
    Stage.WAITING: "Nothing, or have an operator veto it if it should not run.",
    Stage.FAILED: "Look at the incident or the target, and order anew if need be.",
    Stage.UNKNOWN: "Look at the target before anything is ordered anew.",
    Stage.REFUSED: "The reason code says why; if it is right, there is nothing to do.",
}
"""What a person can do, where there is something."""

SIGNER_CODES: dict[str, str] = {
    "no_trust": "There is no authority or no grant that holds: the ceremony comes first.",
    "grant_absent": "No grant names this hub's order key.",
    "scope_type": "Orders of this type are for one appliance, or live less long.",
    "prev_window": "It was drafted too long ago: draft it anew.",
    "malformed": "What was asked for does not fit the type.",
}
"""The signer's codes that the appliances' gate does not have."""


def code_words(code: str | None) -> str:
    """Return what a reason code means, "" for none."""
    if code is None:
        return ""
    if code in set(Code):
        return REASONS[Code(code)].meaning
    return SIGNER_CODES.get(code, "")
