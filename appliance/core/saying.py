"""What evidence says of people on the LAN: what they set, and what they said of orders.

Closed types only: who by the account's code, what, when. Why stays on the appliance.
"""

from dataclasses import dataclass
from typing import Final

from appliance.core.records import Author, Draft, Salts
from appliance.core.site_rules import Span
from proto import strict_json
from proto.errors import MalformedError
from proto.evidence import (
    NO_FLEET,
    SALT_BYTES,
    STATEMENT_CHARS_MAX,
    LanAct,
    LanLeaf,
    SaidBy,
    SaidLeaf,
    SaidWhat,
    WaivedCheck,
    WindowSpan,
    commit,
)
from proto.ids import TargetId
from proto.opinions import Clear, Consent, LanVeto

Word = LanVeto | Consent | Clear

STATEMENT_BYTES_MAX: Final = STATEMENT_CHARS_MAX // 4 * 3
"""What a leaf has room for; each statement that people make is far shorter."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why somebody vetoed, and what opens the commitment to it; it stays here."""

    reason: str = ""
    salt: bytes | None = None

    @staticmethod
    def of(reason: str, salts: Salts) -> "Why":
        """Return a reason with a fresh salt."""
        return Why(reason, salts(SALT_BYTES))

    def sealed(self) -> str:
        """Return the commitment, base64."""
        detail = strict_json.dumps({"reason": self.reason})
        return strict_json.b64_encode(commit(self.salt or b"", detail))


NO_REASON = Why()


def lan_draft(
    author: Author,
    act: LanAct,
    actor: str,
    *,
    target: TargetId | None = None,
    window: Span | None = None,
    waiver: WaivedCheck | None = None,
    program: str | None = None,
) -> Draft:
    """Return the leaf of what a person set or took back."""
    span = None if window is None else _span(window)
    return Draft(
        lambda seq: LanLeaf(
            site=author.site,
            appliance=author.appliance,
            seq=seq,
            at=author.at,
            act=act,
            actor=actor,
            target=target,
            window=span,
            waiver=waiver,
            program=program,
        ),
        {},
    )


def _span(window: Span) -> WindowSpan:
    return WindowSpan(
        days=tuple(sorted(window.days)),
        start_min=window.start_min,
        length_min=window.length_min,
    )


def said_draft(author: Author, word: Word, statement: bytes, *, by: SaidBy) -> Draft:
    """Return the leaf of a word that took hold here.

    Args:
        author: who writes.
        word: what was said, read from the statement.
        statement: the envelope, exactly as it was signed.
        by: whose word it is.

    The draft raises `MalformedError` where the statement does not fit into a leaf.
    """
    said = {
        "v": 1,
        "type": "said",
        "site": author.site,
        "appliance": author.appliance,
        "fleet": NO_FLEET,
        "at": author.at,
        "what": what_of(word),
        "by": by,
        "actor": word.by,
        "order": None if isinstance(word, Clear) else word.order,
        "since": word.since if isinstance(word, Clear) else None,
        "statement": strict_json.b64_encode(statement),
    }
    return Draft(lambda seq: SaidLeaf.from_value({**said, "seq": seq}, "evidence"), {})


def require_room(statement: bytes) -> None:
    """Refuse a statement for which a leaf has no room, before anything is made of it.

    Whoever signs may fill a statement with blanks.

    Raises:
        MalformedError: it is too long.
    """
    if len(statement) > STATEMENT_BYTES_MAX:
        msg = f"a statement of {len(statement)} bytes, at most {STATEMENT_BYTES_MAX} are taken"
        raise MalformedError(msg)


def what_of(word: Word) -> SaidWhat:
    """Return what kind of word it is."""
    match word:
        case LanVeto():
            return SaidWhat.VETO
        case Consent():
            return SaidWhat.CONSENT
        case Clear():
            return SaidWhat.CLEAR
