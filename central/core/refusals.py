"""Why the hub refuses what an appliance sends: one class and one stable code each."""

from proto.errors import ConflictError, RejectedError, SignatureError


class TooLargeError(RejectedError):
    """A request whose body is larger than its route takes."""

    code = "too_large"


class UnknownKeyError(SignatureError):
    """A statement signed by a key that no enrolled appliance holds."""

    code = "unknown_key"


class OtherApplianceError(SignatureError):
    """A statement that names another appliance than the one whose key signed it."""

    code = "other_appliance"


class ClaimRefusedError(RejectedError):
    """A claim that does not exist, is over, or was not proved; which of these is not told."""

    code = "claim_refused"


class SiteFullError(RejectedError):
    """A site has as many appliances as one may have."""

    code = "site_full"


class KeyInUseError(ConflictError):
    """An enrollment with keys that already belong to an appliance."""

    code = "key_in_use"


class ReplayedError(ConflictError):
    """A check-in whose sequence number was already passed."""

    code = "replayed"


class ClockError(RejectedError):
    """A check-in whose time is too far from the hub's."""

    code = "clock"


class StateMismatchError(RejectedError):
    """A full state that is not the one the check-in names."""

    code = "state_mismatch"


class LeafRefusedError(RejectedError):
    """A leaf that is no statement of this appliance at this place of its log."""

    code = "leaf_refused"


class DetailMismatchError(RejectedError):
    """A detail that its leaf does not commit to."""

    code = "detail_mismatch"


class CheckpointRefusedError(RejectedError):
    """A checkpoint that the leaves do not lead to."""

    code = "checkpoint_refused"


class ForkError(ConflictError):
    """Two histories of one log: a leaf or a root other than the one the hub holds."""

    code = "evidence_fork"


class RollbackError(ConflictError):
    """A log that became shorter than what the hub holds of it."""

    code = "evidence_rollback"
