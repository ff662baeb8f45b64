"""What evidence says of a reveal and of an erasure: who by code, of which class, how many."""

from dataclasses import dataclass

from appliance.core.records import Author, Draft
from proto import strict_json
from proto.evidence import SALT_BYTES, PhiAct, PhiLeaf, commit
from proto.phi.values import Kind


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did.

    Attributes:
        code: the account's code, as evidence names it.
        token_class: of the token revealed; None when somebody was forgotten.
        count: how many tokens.
    """

    act: PhiAct
    code: str
    token_class: Kind | None
    count: int


@dataclass(frozen=True, slots=True)
class Why:
    """The reason of an act, and what opens its leaf's commitment to it; it stays here."""

    salt: bytes
    detail: bytes


def act_draft(author: Author, act: Act, reason: str) -> tuple[Draft, Why]:
    """Return the leaf of an act, and what opens its commitment to the reason."""
    why = Why(author.salts(SALT_BYTES), strict_json.dumps({"reason": reason}))
    sealed = strict_json.b64_encode(commit(why.salt, why.detail))
    draft = Draft(
        lambda seq: PhiLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            act=act.act,
            actor=act.code,
            token_class=act.token_class,
            count=act.count,
            commit=sealed,
        ),
        {},
    )
    return draft, why
