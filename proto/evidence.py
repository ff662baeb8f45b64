"""Evidence: what each leaf of an appliance's log says, in closed types only.

A leaf is an envelope of kind evidence whose body is one of these, or of kind receipt: what became
of an order (`proto.receipts`) stands in the same log. Details (the reported fields of an answer, or
what the run of an order told) travel and lie beside the log: the leaf carries only `commit`,
SHA-256(salt || detail), so that detail can be erased and every proof stays valid. A detail is
scrubbed before it is committed to, once: what is hashed and signed is what may leave.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, NewType

from pydantic import Field

from proto import strict_json
from proto.envelope import Kind, parse
from proto.errors import MalformedError
from proto.findings import Reason, Verdict
from proto.incidents import Cause, Severity
from proto.keys import Threshold
from proto.message import (
    ApplianceIdField,
    B64Of32,
    B64Of64,
    CodeName,
    Count,
    Hex256,
    IncidentIdField,
    Message,
    Seconds,
    SiteIdField,
    TargetIdField,
    VersionOne,
)
from proto.phi.leaving import Leaving, document
from proto.phi.values import Kind as TokenClass
from proto.phi.values import Scrubbed
from proto.receipts import ClockSet, Intent, Refusal, parse_receipt
from proto.receipts import Result as OrderResult

CHECKS_PER_LEAF_MAX = 96
SALT_BYTES = 16
BODY_BYTES_MAX = 16 * 1024
DETAIL_BYTES_MAX = 16 * 1024
RESULT_PART = "result"
"""The part of a receipt's leaf that commits to what the run of an order told."""

STATEMENT_CHARS_MAX = 8 * 1024
COMMAND_LINE = "command_line"
"""Who acted, where nobody signed in: whoever may use the appliance's own socket."""

NO_FLEET = "0:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""The checkpoint of an empty fleet log: size 0 and the hash of nothing (RFC 6962, 2.1)."""


class Outcome(StrEnum):
    """What became of the action: required, never defaulted."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_RUN = "not_run"


class Result(StrEnum):
    """How a repair ended."""

    HEALED = "healed"
    UNDONE = "undone"
    FAILED = "failed"
    UNKNOWN = "unknown"


class _Leaf(Message):
    v: VersionOne = 1
    site: SiteIdField
    appliance: ApplianceIdField
    seq: Count
    fleet: str = Field(default=NO_FLEET, pattern=r"\A[0-9]{1,16}:[A-Za-z0-9+/]{43}=\z")
    at: Seconds


class CheckLine(Message):
    """One check's verdict in a scan leaf."""

    id: CodeName
    verdict: Annotated[Verdict, Field(strict=False)]
    reason: Annotated[Reason | None, Field(strict=False)]
    commit: B64Of32


class ScanLeaf(_Leaf):
    """Verdicts of one target: written when one changed, and once a day in full.

    `period` is the interval the leaf speaks for, [from, to] in seconds.
    """

    type: Literal["scan"] = "scan"
    target: TargetIdField
    content: Hex256
    period: tuple[Seconds, Seconds] = Field(strict=False)
    full: bool
    checks: Annotated[
        tuple[CheckLine, ...], Field(strict=False, min_length=1, max_length=CHECKS_PER_LEAF_MAX)
    ]


class CauseOf(Message):
    """A rule made a repair run."""

    rule: CodeName

    @property
    def name(self) -> str:
        """What asked for the repair, as a code."""
        return self.rule


class ByOrder(Message):
    """An order made a repair run; `order` is its sid."""

    order: Hex256

    @property
    def name(self) -> str:
        """What asked for the repair, as a code: the sid's first 16 digits name it to people."""
        return f"order:{self.order[:16]}"


class Side(Message):
    """What a check said before or after."""

    verdict: Annotated[Verdict, Field(strict=False)]
    reason: Annotated[Reason | None, Field(strict=False)]
    commit: B64Of32


class Action(Message):
    """What the repair's steps came to; `changed` is true when some step changed the target."""

    outcome: Annotated[Outcome, Field(strict=False)]
    changed: bool
    commit: B64Of32


class HealLeaf(_Leaf):
    """Before, action and after of one repair, as one signed record."""

    type: Literal["heal"] = "heal"
    target: TargetIdField
    incident: IncidentIdField
    check: CodeName
    attempt: Count
    cause: CauseOf | ByOrder
    content: Hex256
    runbook: CodeName
    before: Side
    action: Action
    after: Side
    result: Annotated[Result, Field(strict=False)]


class Turn(StrEnum):
    """A turn in an incident's life that evidence records."""

    OPENED = "opened"
    WAITING = "waiting"
    ESCALATED = "escalated"
    WAIVED = "waived"
    CLOSED = "closed"


class IncidentLeaf(_Leaf):
    """A turn in an incident's life, with who turned it and why. `actor` is a code, not a name."""

    type: Literal["incident"] = "incident"
    target: TargetIdField
    incident: IncidentIdField
    check: CodeName
    platform: CodeName
    severity: Annotated[Severity, Field(strict=False)]
    turn: Annotated[Turn, Field(strict=False)]
    cause: Annotated[Cause | None, Field(strict=False)]
    actor: CodeName
    content: Hex256


class HealthLeaf(_Leaf):
    """The appliance became unwell or well: `code` is one of its declared conditions."""

    type: Literal["health"] = "health"
    code: CodeName
    ok: bool


class PhiAct(StrEnum):
    """What a person did with values that tokens stand for."""

    REVEALED = "revealed"
    FORGOTTEN = "forgotten"


class PhiLeaf(_Leaf):
    """A person revealed what a token stands for, or had somebody's values erased.

    `actor` is the account's code, `token_class` what kind of value was revealed, never the value;
    it is None when a person was forgotten. `count` is how many tokens. `commit` is over the reason,
    which stays on the appliance.
    """

    type: Literal["phi"] = "phi"
    act: Annotated[PhiAct, Field(strict=False)]
    actor: CodeName
    token_class: Annotated[TokenClass | None, Field(strict=False)]
    count: Count
    commit: B64Of32


class LanAct(StrEnum):
    """What a person on the LAN set."""

    PROTECTED = "protected"
    UNPROTECTED = "unprotected"
    WINDOW_ADDED = "window_added"
    WINDOW_REMOVED = "window_removed"
    OBSERVE_ONLY = "observe_only"
    REPAIRS_ON = "repairs_on"
    WAIVED = "waived"
    WAIVER_ENDED = "waiver_ended"
    PROGRAM_BACK = "program_back"


class WindowSpan(Message):
    """A maintenance window: days on which it begins (Monday is 0), and minutes of the day."""

    days: Annotated[
        tuple[Annotated[int, Field(ge=0, le=6)], ...],
        Field(strict=False, min_length=1, max_length=7),
    ]
    start_min: Annotated[int, Field(ge=0, le=1439)]
    length_min: Annotated[int, Field(ge=15, le=1440)]


class WaivedCheck(Message):
    """The check that a target may depart from, and until when."""

    check: CodeName
    until: Seconds


ProgramVersion = Annotated[str, Field(pattern=r"\A[0-9]{1,6}(\.[0-9]{1,6}){2}\z")]


class LanLeaf(_Leaf):
    """A person on the LAN set what no rule and no order lifts, or took it back.

    `actor` is the account's code, or `COMMAND_LINE` for whoever has the machine itself; `target`
    is the host that was protected or no longer is, `window` the window that was added or removed,
    `waiver` the departure that was accepted on `target`, or ended before its time, `program` the
    version of the appliance's program that it was told to go back to. Why stays on the appliance.
    """

    type: Literal["lan"] = "lan"
    act: Annotated[LanAct, Field(strict=False)]
    actor: CodeName
    target: TargetIdField | None
    window: WindowSpan | None
    waiver: WaivedCheck | None = None
    program: ProgramVersion | None = None


class SaidWhat(StrEnum):
    """What was said of an order, or of the hold on orders."""

    VETO = "veto"
    CONSENT = "consent"
    CLEAR = "clear"


class SaidBy(StrEnum):
    """Whose word it is: a person's at this appliance, at another of the site, or operators'."""

    LAN = "lan"
    NEIGHBOUR = "neighbour"
    OPERATORS = "operators"


class SaidLeaf(_Leaf):
    """A veto, a consent or the end of a hold took hold at this appliance.

    `statement` is the signed statement itself, base64 (`proto.opinions`): whoever doubts the rest
    opens it. `actor` is the code of the account, or of the operator who spoke first; `order` is the
    order's sid, and `since` the hold that ended.
    """

    type: Literal["said"] = "said"
    what: Annotated[SaidWhat, Field(strict=False)]
    by: Annotated[SaidBy, Field(strict=False)]
    actor: CodeName
    order: Hex256 | None
    since: Seconds | None
    statement: Annotated[
        str, Field(max_length=STATEMENT_CHARS_MAX, pattern=r"\A[A-Za-z0-9+/]+={0,2}\z")
    ]

    def envelope(self) -> bytes:
        """Return the statement as it was signed, or raise `MalformedError`."""
        return strict_json.b64_decode(self.statement, "evidence.statement")


class KeysLeaf(_Leaf):
    """The appliance goes on with other keys; the leaves behind this one are signed with the next.

    Signed with the former key, as the last leaf of it. `proof` is the next key's own signature over
    `proto.appliance_keys.claimed`: nobody can name a key that is somebody else's.
    """

    type: Literal["keys"] = "keys"
    ed25519: B64Of32
    x25519: B64Of32
    proof: B64Of64


EvidenceLeaf = (
    ScanLeaf | HealLeaf | IncidentLeaf | HealthLeaf | PhiLeaf | LanLeaf | SaidLeaf | KeysLeaf
)
Leaf = EvidenceLeaf | Intent | OrderResult | Refusal | ClockSet
_KINDS: dict[str, type[EvidenceLeaf]] = {
    "scan": ScanLeaf,
    "heal": HealLeaf,
    "incident": IncidentLeaf,
    "health": HealthLeaf,
    "phi": PhiLeaf,
    "lan": LanLeaf,
    "said": SaidLeaf,
    "keys": KeysLeaf,
}


def parse_leaf(body: bytes) -> EvidenceLeaf:
    """Read the verified body of an evidence envelope.

    Raises:
        MalformedError: not strict JSON, an unknown type, or a member out of its schema.
    """
    value = strict_json.loads(body, size_bytes_max=BODY_BYTES_MAX)
    kind = _KINDS.get(str(value.get("type"))) if isinstance(value, dict) else None
    if kind is None:
        msg = f"evidence.type: not one of {', '.join(_KINDS)}"
        raise MalformedError(msg)
    return kind.from_value(value, "evidence")


def open_leaf(data: bytes, trust: Threshold) -> Leaf:
    """Return the leaf of a log in an envelope of either kind.

    Args:
        data: the envelope.
        trust: the appliance's own key.

    Raises:
        RejectedError: it is no envelope of evidence or of a receipt, the appliance did not sign it,
            or its body is none of the leaves.
    """
    envelope = parse(data)
    if envelope.kind is Kind.RECEIPT:
        return parse_receipt(envelope.open(kind=Kind.RECEIPT, trust=trust).body)
    return parse_leaf(envelope.open(kind=Kind.EVIDENCE, trust=trust).body)


LeafText = NewType("LeafText", str)
"""A leaf's envelope as stored: ASCII JSON around base64 of closed types. `leaf_text` makes it."""


def leaf_text(stored: bytes, trust: Threshold) -> tuple[LeafText, Leaf]:
    """Return a stored envelope as text that may leave, and the leaf it carries.

    Args:
        stored: the envelope, as the appliance's store has it.
        trust: the appliance's own key: the store cannot make a leaf that was never signed.

    Raises:
        RejectedError: as `open_leaf`.
    """
    leaf = open_leaf(stored, trust)
    return LeafText(stored.decode("ascii")), leaf


def commits_of(leaf: Leaf) -> dict[str, str]:
    """Return a leaf's commitments, base64, by the part that a detail names."""
    if isinstance(leaf, ScanLeaf):
        return {f"checks.{place}": line.commit for place, line in enumerate(leaf.checks)}
    if isinstance(leaf, HealLeaf):
        return {
            "before": leaf.before.commit,
            "action": leaf.action.commit,
            "after": leaf.after.commit,
        }
    if isinstance(leaf, OrderResult):
        return {RESULT_PART: leaf.commit}
    return {}


def check_of(leaf: Leaf, part: str) -> str | None:
    """Return which check's answer a detail tells of; None for the words of a repair or an order."""
    if isinstance(leaf, ScanLeaf):
        place = int(part.removeprefix("checks."))
        return leaf.checks[place].id if place < len(leaf.checks) else None
    if isinstance(leaf, HealLeaf) and part != "action":
        return leaf.check
    return None


def detail_of(seen: Mapping[str, Leaving]) -> Scrubbed:
    """Return reported fields as the text that is committed to."""
    return document(seen)


def commit(salt: bytes, detail: bytes) -> bytes:
    """Return SHA-256(salt || detail), 32 bytes."""
    return hashlib.sha256(salt + detail).digest()
