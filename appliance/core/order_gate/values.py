"""What the gate looks at and what it answers, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.core.order_gate.ledger import Entry, LedgerView
from proto.catalog.model import Content, Rule
from proto.findings import Scalar
from proto.grants import Trust
from proto.incidents import Incident
from proto.keys import Holder
from proto.order import Order
from proto.order_codes import REASONS, Code, Reason
from proto.orders.kinds import OrderKind, OrderType, Params, Setting, Tier


@dataclass(frozen=True, slots=True)
class Delivery:
    """A leaf of the mirrored order log.

    Attributes:
        leaf: the envelope exactly as logged.
        index: its place, counted from 0.
        proof: the inclusion proof to the mirrored head.
    """

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LeafRef:
    """What a receipt says of a leaf; `sid` and `nonce` are None for bytes not to be believed."""

    index: int
    leaf_hash: bytes
    sid: str | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """An order whose bytes, signatures, place in the log and schema hold; nothing else is decided.

    Attributes:
        ref: its leaf, its sid in hex and its nonce: what the ledger is asked for.
        signers: the known holders whose signatures verified.
        kind: its type.
    """

    ref: LeafRef
    order: Order
    signers: tuple[Holder, ...]
    kind: OrderKind

    @property
    def sid(self) -> str:
        """The order's name, hex."""
        return self.ref.sid or ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the gate stands.

    Attributes:
        enrolled_at: the order log's size when this appliance was enrolled.
        ring: its stage in rollouts, 0 for a canary.
        sealing_keys: hex SHA-256 of each X25519 key of its own that opens logins now.
        abilities: the types whose machinery is on this appliance.
    """

    site: str
    appliance: str
    enrolled_at: int
    ring: int
    sealing_keys: frozenset[str]
    abilities: frozenset[OrderType]


@dataclass(frozen=True, slots=True)
class Footing:
    """What people signed offline, as far as orders stand on it: who counts, and what may be named.

    Attributes:
        files: hex SHA-256 of every current target of the signed content.
        expires_s: when the metadata of that content expires.
        ring: this site's stage in rollouts, 0 for a canary.
        promoted: hex SHA-256 of a current promoted target -> the rule in it.
    """

    trust: Trust
    files: frozenset[str]
    expires_s: int
    ring: int
    promoted: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """The time, on two clocks: see `clock.py`.

    Attributes:
        now_s: `Floor.now_s` of the appliance's clock: by it things end.
        clock_s: the appliance's own clock, which nobody's signature moves: by it things wait, are
            fresh, and are counted within an hour.
        answered_s: when a head last answered our own challenge, on the own clock; None for never.
    """

    now_s: int
    clock_s: int
    answered_s: int | None


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """What a person approved for one incident."""

    runbook: str
    params: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Known:
    """What an order's names are held against.

    Attributes:
        files: hex SHA-256 of every current target of the signed content.
        expires_s: when the metadata of that content expires.
        catalog: the active checks, runbooks and rules.
        promoted: hex SHA-256 of a current promoted target -> the rule in it.
        incidents: this appliance's incidents that are not closed, by id.
        plans: incident id -> the plan that was approved for it.
        targets: the ids of all targets here.
        boxes: hex SHA-256 of every sealed box that arrived.
    """

    files: frozenset[str]
    expires_s: int
    catalog: Content
    promoted: Mapping[str, Rule] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    plans: Mapping[str, ApprovedPlan] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    boxes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """The site's maintenance window: whether it is open, and when the next one begins."""

    is_open: bool
    opens_s: int


@dataclass(frozen=True, slots=True)
class LanRules:
    """What people set on the LAN, and no order lifts.

    Attributes:
        site: how far automation may go by itself.
        checks: a check's id -> its own setting, by the LAN or by an earlier order.
        waived_until_s: a waived check's id -> the end of its waiver.
        protected: targets that nothing changes.
        orders_per_hour: changes that orders may make.
        window: None where the site set no maintenance windows.
    """

    site: Setting
    checks: Mapping[str, Setting]
    waived_until_s: Mapping[str, int]
    is_observe_only: bool
    protected: frozenset[str]
    orders_per_hour: int
    window: Window | None


@dataclass(frozen=True, slots=True)
class History:
    """What happened within the last hour, and whether orders are held back.

    Attributes:
        by_orders: changes made by orders.
        touched: the targets that were changed, by whatever.
        grant_uses: a grant's id -> orders accepted under it.
        held_since_s: since when refusals hold orders back; None when they do not.
    """

    by_orders: int = 0
    touched: frozenset[str] = frozenset()
    grant_uses: Mapping[str, int] = field(default_factory=dict)
    held_since_s: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What people and orders said about one order, each verified; a name or a sid, or None."""

    vetoed_by: str | None = None
    consented_by: str | None = None
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that an order is judged by, beside itself."""

    place: Place
    trust: Trust
    moment: Moment
    ledger: LedgerView
    known: Known
    rules: LanRules
    history: History
    said: Said

    def about(self, ledger: LedgerView, *, history: History, said: Said) -> "Situation":
        """Return the situation of one order among several that are judged on the same ground."""
        return Situation(
            self.place,
            self.trust,
            self.moment,
            ledger,
            self.known,
            self.rules,
            history,
            said,
        )


@dataclass(frozen=True, slots=True)
class Accepted:
    """Run it: write `entry` and the intent receipt in one transaction first.

    Attributes:
        people: who signed beside the order key, sorted.
        grant: the id of the grant that it used.
        deadline_s: when the run ends as unknown.
    """

    read: ReadOrder
    params: Params
    tier: Tier
    people: tuple[str, ...]
    grant: str
    entry: Entry
    deadline_s: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Look again at `until_s`, or when something changed; `entry` holds its place meanwhile.

    `entry` is None while nothing may be written.
    """

    code: Code
    until_s: int
    entry: Entry | None
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It never runs: write a final receipt.

    Attributes:
        is_believed: people stand behind the order, and no other leaf is it: only then are its sid
            and nonce used up.
    """

    code: Code
    detail: str
    leaf: LeafRef
    is_believed: bool = False

    @property
    def reason(self) -> Reason:
        """The table's row."""
        return REASONS[self.code]


Verdict = Accepted | Waiting | Refused
