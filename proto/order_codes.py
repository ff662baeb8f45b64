"""Every answer that an order can get: one stable code each, in the order of the gate's steps.

`TABLE` is the one list: the gate answers only with its codes, receipts carry them, screens show
their meaning, and docs/reference/order-codes.md is made from it.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from proto.invariants import require


class Step(StrEnum):
    """The gate's steps, in their order."""

    SIZE = "size"
    ENVELOPE = "envelope"
    SIGNATURES = "signatures"
    LEAF = "leaf"
    SCHEMA = "schema"
    GRANT = "grant"
    PEOPLE = "people"
    SCOPE = "scope"
    TIME = "time"
    WINDOW = "window"
    FRESHNESS = "freshness"
    PARAMS = "params"
    CONTENT = "content"
    LIMITS = "limits"
    WAIT = "wait"
    LEDGER = "ledger"


class Answer(StrEnum):
    """What a code means for the order."""

    REFUSED = "refused"
    VETOED = "vetoed"
    EXPIRED = "expired"
    WAITING = "waiting"


class Code(StrEnum):
    """The codes. They are written into receipts, so none is ever renamed or used anew."""

    ENVELOPE_SIZE = "envelope_size"
    ENVELOPE_FORM = "envelope_form"
    ENVELOPE_KIND = "envelope_kind"
    SIGNATURE_BAD = "signature_bad"
    SIGNATURE_THRESHOLD = "signature_threshold"
    LOG_SIGNATURE = "log_signature"
    LOG_FORM = "log_form"
    LOG_SHRUNK = "log_shrunk"
    LOG_GAP = "log_gap"
    LOG_FORK = "log_fork"
    LEAF_ABSENT = "leaf_absent"
    BODY_JSON = "body_json"
    BODY_TARGET = "body_target"
    TYPE_UNKNOWN = "type_unknown"
    BODY_SCHEMA = "body_schema"
    GRANT_ABSENT = "grant_absent"
    GRANT_TYPE = "grant_type"
    GRANT_SITE = "grant_site"
    GRANT_TTL = "grant_ttl"
    GRANT_TIME = "grant_time"
    PERSON_KEY_EXPIRED = "person_key_expired"
    PERSON_SCOPE = "person_scope"
    PEOPLE_TOO_FEW = "people_too_few"
    TIER_RAISED = "tier_raised"
    SCOPE_SITE = "scope_site"
    SCOPE_APPLIANCE = "scope_appliance"
    SCOPE_TYPE = "scope_type"
    TIME_ORDER = "time_order"
    TIME_TTL = "time_ttl"
    TIME_FUTURE = "time_future"
    EXPIRED = "expired"
    NOT_BEFORE = "not_before"
    BEFORE_ENROLLMENT = "before_enrollment"
    PREV_WINDOW = "prev_window"
    PREV_FORK = "prev_fork"
    METADATA_EXPIRED = "metadata_expired"
    HEAD_CHALLENGE = "head_challenge"
    HEAD_OLD = "head_old"
    PARAMS_FORM = "params_form"
    PARAMS_END = "params_end"
    CONTENT_ABSENT = "content_absent"
    TARGET_UNKNOWN = "target_unknown"
    CHECK_UNKNOWN = "check_unknown"
    INCIDENT_NOT_OPEN = "incident_not_open"
    RUNBOOK_UNFIT = "runbook_unfit"
    PARAMS_UNAPPROVED = "params_unapproved"
    RULE_NOT_PROMOTED = "rule_not_promoted"
    RULE_WIDENS = "rule_widens"
    RULE_OUTRANKS = "rule_outranks"
    SEALED_TO_OTHER = "sealed_to_other"
    NOTHING_WAITS = "nothing_waits"
    NOT_ON_THIS_APPLIANCE = "not_on_this_appliance"
    SECURITY_HOLD = "security_hold"
    OBSERVE_ONLY = "observe_only"
    PROTECTED_HOST = "protected_host"
    GRANT_RATE = "grant_rate"
    RATE_HOUR = "rate_hour"
    BLAST_RADIUS = "blast_radius"
    MAINTENANCE_WINDOW = "maintenance_window"
    VETOED = "vetoed"
    CANCELLED = "cancelled"
    WAIT_PAST_EXP = "wait_past_exp"
    RECOVERING = "recovering"
    RING_WAIT = "ring_wait"
    TIME_LOCK = "time_lock"
    REPLAY_SID = "replay_sid"
    REPLAY_NONCE = "replay_nonce"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table.

    Attributes:
        is_security: an honest hub never causes it; three in ten minutes hold orders back.
        meaning: one sentence for people.
    """

    code: Code
    step: Step
    answer: Answer
    is_security: bool
    meaning: str


def _refused(step: Step, code: Code, meaning: str, *, is_security: bool) -> Reason:
    return Reason(code, step, Answer.REFUSED, is_security, meaning)


def _attack(step: Step, code: Code, meaning: str) -> Reason:
    return _refused(step, code, meaning, is_security=True)


def _plain(step: Step, code: Code, meaning: str) -> Reason:
    return _refused(step, code, meaning, is_security=False)


def _waits(step: Step, code: Code, meaning: str) -> Reason:
    return Reason(code, step, Answer.WAITING, is_security=False, meaning=meaning)


_BYTES = (
    _attack(Step.SIZE, Code.ENVELOPE_SIZE, "The envelope or its body is larger than any may be."),
    _attack(Step.ENVELOPE, Code.ENVELOPE_FORM, "Not an envelope in its one exact form."),
    _attack(Step.ENVELOPE, Code.ENVELOPE_KIND, "A statement of another kind than an order."),
    _attack(Step.SIGNATURES, Code.SIGNATURE_BAD, "A signature by a known key does not verify."),
    _attack(Step.SIGNATURES, Code.SIGNATURE_THRESHOLD, "Nobody who is known has signed it."),
    _attack(Step.LEAF, Code.LOG_SIGNATURE, "The order log's checkpoint is not signed by the hub."),
    _attack(Step.LEAF, Code.LOG_FORM, "The order log's checkpoint or a batch has no valid form."),
    _attack(Step.LEAF, Code.LOG_SHRUNK, "The order log is shorter than it was."),
    _attack(Step.LEAF, Code.LOG_GAP, "Leaves of the order log are missing."),
    _attack(Step.LEAF, Code.LOG_FORK, "The order log is not the one that was seen before."),
    _attack(Step.LEAF, Code.LEAF_ABSENT, "The order does not stand at its place in the order log."),
    _attack(Step.SCHEMA, Code.BODY_JSON, "The body is not one strict JSON object."),
    _attack(Step.SCHEMA, Code.BODY_TARGET, "The body does not say whom it is for."),
    _attack(Step.SCHEMA, Code.TYPE_UNKNOWN, "No such type of order."),
    _attack(Step.SCHEMA, Code.BODY_SCHEMA, "A member of the body is missing, unknown or wrong."),
)
_SIGNERS = (
    _attack(Step.GRANT, Code.GRANT_ABSENT, "No order key with a grant has signed it."),
    _attack(Step.GRANT, Code.GRANT_TYPE, "The order key's grant is not for this type."),
    _attack(Step.GRANT, Code.GRANT_SITE, "The order key's grant is not for this site."),
    _attack(Step.GRANT, Code.GRANT_TTL, "It lives longer than the order key's grant allows."),
    _attack(Step.GRANT, Code.GRANT_TIME, "Its time is not inside the order key's grant."),
    _attack(
        Step.PEOPLE,
        Code.PERSON_KEY_EXPIRED,
        "The key of a person who must sign does not count now.",
    ),
    _attack(
        Step.PEOPLE,
        Code.PERSON_SCOPE,
        "A person who must sign may not sign for this site, type or tier.",
    ),
    _attack(Step.PEOPLE, Code.PEOPLE_TOO_FEW, "Too few different people have signed it."),
    _plain(
        Step.PEOPLE,
        Code.TIER_RAISED,
        "By what is set at this site it takes more people than have signed it.",
    ),
    _attack(Step.SCOPE, Code.SCOPE_SITE, "It is for another site."),
    _plain(Step.SCOPE, Code.SCOPE_APPLIANCE, "It is for another appliance of this site."),
    _attack(Step.SCOPE, Code.SCOPE_TYPE, "Orders of this type are for one appliance only."),
)
_TIMES = (
    _attack(Step.TIME, Code.TIME_ORDER, "Its times contradict each other."),
    _attack(Step.TIME, Code.TIME_TTL, "It lives longer than any order of its type may."),
    _attack(Step.TIME, Code.TIME_FUTURE, "It was drafted in the future."),
    Reason(Code.EXPIRED, Step.TIME, Answer.EXPIRED, is_security=False, meaning="Its time is over."),
    _waits(Step.TIME, Code.NOT_BEFORE, "It is not to be run before its time."),
    _attack(
        Step.WINDOW,
        Code.BEFORE_ENROLLMENT,
        "It was logged before this appliance was enrolled: history, never run.",
    ),
    _attack(
        Step.WINDOW, Code.PREV_WINDOW, "It was drafted too many leaves ago, or after its leaf."
    ),
    _attack(Step.WINDOW, Code.PREV_FORK, "It was drafted on another history of the order log."),
    _plain(
        Step.FRESHNESS,
        Code.METADATA_EXPIRED,
        "The signed content has expired: nothing above tier 0 is accepted.",
    ),
    _attack(Step.FRESHNESS, Code.HEAD_CHALLENGE, "The hub's head answers another request."),
    _waits(
        Step.FRESHNESS,
        Code.HEAD_OLD,
        "The hub has not answered for five minutes; it is not run on old word.",
    ),
)
_WHAT = (
    _attack(Step.PARAMS, Code.PARAMS_FORM, "A parameter is missing, unknown or wrong."),
    _plain(Step.PARAMS, Code.PARAMS_END, "The setting's end date is past, or too far ahead."),
    _plain(Step.CONTENT, Code.CONTENT_ABSENT, "A file that it names is no current signed content."),
    _plain(Step.CONTENT, Code.TARGET_UNKNOWN, "A target that it names is not known here."),
    _plain(Step.CONTENT, Code.CHECK_UNKNOWN, "A check that it names is not in the active content."),
    _plain(Step.CONTENT, Code.INCIDENT_NOT_OPEN, "There is no such open incident here."),
    _attack(Step.CONTENT, Code.RUNBOOK_UNFIT, "The runbook does not verify the incident's check."),
    _attack(
        Step.CONTENT,
        Code.PARAMS_UNAPPROVED,
        "No rule or approved plan gives this runbook with these parameters.",
    ),
    _attack(Step.CONTENT, Code.RULE_NOT_PROMOTED, "The file is not the promoted rule it names."),
    _attack(
        Step.CONTENT, Code.RULE_WIDENS, "The promoted rule would do what no release rule does."
    ),
    _attack(Step.CONTENT, Code.RULE_OUTRANKS, "The promoted rule would act before a release rule."),
    _attack(Step.CONTENT, Code.SEALED_TO_OTHER, "The login was sealed to another key."),
    _plain(Step.CONTENT, Code.NOTHING_WAITS, "The order that it would cancel does not wait here."),
)
_LIMITS = (
    _plain(Step.LIMITS, Code.NOT_ON_THIS_APPLIANCE, "This appliance cannot do that."),
    _plain(
        Step.LIMITS,
        Code.SECURITY_HOLD,
        "Too many orders failed verification: held until people clear it.",
    ),
    _plain(Step.LIMITS, Code.OBSERVE_ONLY, "The site is set to observe only."),
    _plain(Step.LIMITS, Code.PROTECTED_HOST, "The site protects this host from every change."),
    _plain(Step.LIMITS, Code.GRANT_RATE, "The order key's grant is used up for this hour."),
    _plain(Step.LIMITS, Code.RATE_HOUR, "Enough was changed here within the hour."),
    _plain(
        Step.LIMITS, Code.BLAST_RADIUS, "Enough different targets were changed within the hour."
    ),
    _waits(Step.LIMITS, Code.MAINTENANCE_WINDOW, "It waits for the site's maintenance window."),
)
_WAITS = (
    Reason(Code.VETOED, Step.WAIT, Answer.VETOED, is_security=False, meaning="A person vetoed it."),
    _plain(Step.WAIT, Code.CANCELLED, "An order cancelled it."),
    _plain(Step.WAIT, Code.WAIT_PAST_EXP, "It would expire before its wait is over."),
    _waits(Step.WAIT, Code.RECOVERING, "The appliance is rebuilding what it knew from its log."),
    _waits(Step.WAIT, Code.RING_WAIT, "One person signed: it waits for its ring; anyone may veto."),
    _waits(Step.WAIT, Code.TIME_LOCK, "It waits four hours for a veto, or for the site's consent."),
    _attack(Step.LEDGER, Code.REPLAY_SID, "The same order stands in the log already."),
    _attack(Step.LEDGER, Code.REPLAY_NONCE, "Another order used its nonce."),
)

TABLE: tuple[Reason, ...] = (*_BYTES, *_SIGNERS, *_TIMES, *_WHAT, *_LIMITS, *_WAITS)
"""Every answer, in the order in which the gate looks."""

REASONS = MappingProxyType({reason.code: reason for reason in TABLE})

require(len(REASONS) == len(TABLE), "a code stands in the table once")
require(tuple(REASONS) == tuple(Code), "every code stands in the table, in the same order")
require(
    [*Step] == list(dict.fromkeys(reason.step for reason in TABLE)), "the table follows the steps"
)
