"""Receipts stand in the appliance's evidence log, and neither kind passes for the other."""

import pytest

from proto import strict_json
from proto.envelope import EnvelopeKindError, Kind, ThresholdError, sign
from proto.errors import MalformedError
from proto.evidence import NO_FLEET, RESULT_PART, HealthLeaf, commit, commits_of, open_leaf
from proto.keys import SigningKey, trust_one
from proto.message import Message
from proto.receipts import FIRST_PREV, Outcome, Result

KEY, OTHER = SigningKey(bytes([1]) * 32), SigningKey(bytes([2]) * 32)
TRUST = trust_one("appliance", KEY.public)
COMMIT = strict_json.b64_encode(commit(b"salt", b"detail"))
RESULT = Result(
    v=1,
    type="result",
    site="s-aaaaaaaaaa",
    appliance="a-aaaaaaaaaa",
    seq=3,
    fleet=NO_FLEET,
    at=100,
    floor=50,
    prev=FIRST_PREV,
    leaf=7,
    leaf_hash="ab" * 32,
    order="cd" * 32,
    nonce="ef" * 16,
    outcome=Outcome.DONE,
    commit=COMMIT,
)
HEALTH = HealthLeaf(
    site="s-aaaaaaaaaa", appliance="a-aaaaaaaaaa", seq=3, at=100, code="disk_low", ok=True
)


@pytest.mark.parametrize(("kind", "leaf"), [(Kind.RECEIPT, RESULT), (Kind.EVIDENCE, HEALTH)])
def test_a_log_holds_both(kind: Kind, leaf: Message) -> None:
    assert open_leaf(sign(kind, leaf.to_bytes(), KEY), TRUST) == leaf


@pytest.mark.parametrize(
    ("kind", "leaf"), [(Kind.EVIDENCE, RESULT), (Kind.RECEIPT, HEALTH), (Kind.CHECKIN, HEALTH)]
)
def test_one_does_not_pass_for_the_other(kind: Kind, leaf: Message) -> None:
    with pytest.raises((MalformedError, EnvelopeKindError)):
        open_leaf(sign(kind, leaf.to_bytes(), KEY), TRUST)


def test_another_key_signs_no_receipt() -> None:
    with pytest.raises(ThresholdError):
        open_leaf(sign(Kind.RECEIPT, RESULT.to_bytes(), OTHER), TRUST)


def test_only_a_result_commits_to_what_a_run_told() -> None:
    assert commits_of(RESULT) == {RESULT_PART: COMMIT}
