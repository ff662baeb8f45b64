"""What the hub decides about presence, pauses, claims and health."""

import pytest

from central.core import enrollment, fleet, health
from central.core.enrollment import Asked, Claim
from central.core.fleet import Presence, presence
from central.core.refusals import (
    ClaimRefusedError,
    ClockError,
    ForkError,
    KeyInUseError,
    ReplayedError,
    RollbackError,
)
from central.core.settings import NEXT_S_MAX, HubSettings, next_check_in_s
from central.core.signing import ClaimKey, evidence_origin, log_name
from proto.claim import claim_proof
from proto.errors import IntegrityError, MalformedError
from proto.ids import ApplianceId, SiteId
from proto.keys import SEED_BYTES, SealingKey, SigningKey
from tests.fakes.clock import SeededEntropy

SETTINGS = HubSettings()
NOW_MS = 1_767_225_600_000
SITE, BOX = SiteId("s-aaaaaaaaaa"), ApplianceId("a-aaaaaaaaaa")


@pytest.mark.parametrize(
    ("quiet_s", "expected"),
    [
        (0, Presence.ONLINE),
        (299, Presence.ONLINE),
        (300, Presence.LATE),
        (1799, Presence.LATE),
        (1800, Presence.SILENT),
        (10**6, Presence.SILENT),
    ],
)
def test_an_appliance_that_is_not_heard_of_is_late_and_then_silent(
    quiet_s: int, expected: Presence
) -> None:
    seen_ms = NOW_MS - quiet_s * 1000
    as_of_s = NOW_MS // 1000
    assert (
        presence(last_seen_ms=seen_ms, as_of_s=as_of_s, now_ms=NOW_MS, settings=SETTINGS)
        is expected
    )


def test_an_appliance_that_talks_but_knows_nothing_new_is_blind() -> None:
    old_s = NOW_MS // 1000 - SETTINGS.findings_old_after_s
    found = presence(last_seen_ms=NOW_MS, as_of_s=old_s, now_ms=NOW_MS, settings=SETTINGS)
    assert found is Presence.BLIND


def test_an_appliance_without_a_finding_yet_is_not_blind() -> None:
    found = presence(last_seen_ms=NOW_MS, as_of_s=0, now_ms=NOW_MS, settings=SETTINGS)
    assert found is Presence.ONLINE


def test_a_site_is_as_its_worst_appliance_and_never_seen_without_one() -> None:
    assert fleet.worst([Presence.ONLINE, Presence.LATE]) is Presence.LATE
    assert fleet.worst([Presence.SILENT, Presence.LATE]) is Presence.SILENT
    assert fleet.worst([]) is Presence.NEVER


def test_every_presence_is_counted_also_at_nought() -> None:
    assert fleet.counts([Presence.LATE, Presence.LATE]) == {
        Presence.ONLINE: 0,
        Presence.BLIND: 0,
        Presence.LATE: 2,
        Presence.SILENT: 0,
        Presence.NEVER: 0,
    }


@pytest.mark.parametrize(
    ("appliances", "expected"), [(0, 60), (12_000, 60), (12_001, 61), (10**9, NEXT_S_MAX)]
)
def test_a_large_fleet_is_asked_for_longer_pauses_and_never_to_stop(
    appliances: int, expected: int
) -> None:
    assert next_check_in_s(SETTINGS, appliances=appliances) == expected


def asked(secret: bytes, entropy: SeededEntropy) -> Asked:
    key, sealing = SigningKey(entropy(SEED_BYTES)), SealingKey(entropy(SEED_BYTES))
    proof = claim_proof(secret, ed25519=key.public, x25519=sealing.public)
    name = enrollment.claim_name(secret)
    return Asked(name, key.public, sealing.public, proof, "challenge")


def test_a_claim_is_used_once_and_answers_the_same_keys_again() -> None:
    entropy = SeededEntropy()
    secret = entropy(16)
    request, other = asked(secret, entropy), asked(secret, entropy)
    fresh = Claim(SITE, request.claim, secret, NOW_MS + 1, None, None)
    assert enrollment.decide(request, fresh, now_ms=NOW_MS) is None
    digest = enrollment.proof_digest(request.proof)
    used = Claim(SITE, request.claim, None, NOW_MS + 1, BOX, digest)
    assert enrollment.decide(request, used, now_ms=NOW_MS) == BOX
    with pytest.raises(ClaimRefusedError):
        enrollment.decide(other, used, now_ms=NOW_MS)


def test_a_claim_that_is_over_is_refused_used_or_not() -> None:
    entropy = SeededEntropy()
    secret = entropy(16)
    request = asked(secret, entropy)
    for found in (
        Claim(SITE, request.claim, secret, NOW_MS, None, None),
        Claim(SITE, request.claim, None, NOW_MS, BOX, enrollment.proof_digest(request.proof)),
    ):
        with pytest.raises(ClaimRefusedError):
            enrollment.decide(request, found, now_ms=NOW_MS)


def test_a_sealed_claim_opens_with_this_hubs_key_alone() -> None:
    entropy = SeededEntropy()
    keys, others = ClaimKey(entropy(32)), ClaimKey(entropy(32))
    sealed = keys.seal(b"s" * 16, nonce=entropy(24))
    assert keys.open(sealed) == b"s" * 16
    for holder, box in ((others, sealed), (keys, sealed[:-1] + b"\x00")):
        with pytest.raises(IntegrityError):
            holder.open(box)


def test_the_keys_of_a_hub_are_not_shown() -> None:
    keys = ClaimKey(SeededEntropy()(32))
    assert keys.raw.hex() not in repr(keys)
    assert repr(keys.raw) not in repr(keys)


def test_a_logs_origin_begins_with_the_name_under_which_the_hub_cosigns() -> None:
    origin = evidence_origin("https://hub.example:8443", SITE, BOX)
    assert origin == "hub.example:8443/site/s-aaaaaaaaaa/evidence/a-aaaaaaaaaa"
    assert origin.partition("/site/")[0] == log_name("https://hub.example:8443")


def test_every_condition_has_words() -> None:
    assert set(health.WORDS) == set(health.Condition)


@pytest.mark.parametrize("kind", [ForkError, RollbackError, ReplayedError, ClockError])
def test_a_fault_of_the_appliance_raises_its_condition(kind: type[Exception]) -> None:
    assert health.condition_of(kind("x")) in set[object](health.Condition)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [MalformedError, KeyInUseError])
def test_what_anybody_can_send_says_nothing_of_an_appliance(kind: type[Exception]) -> None:
    assert health.condition_of(kind("x")) is None  # type: ignore[arg-type]


def test_only_what_ends_by_itself_is_cleared_by_a_good_message() -> None:
    cleared = {
        *health.CLEARED_BY_CHECK_IN,
        *health.CLEARED_BY_EVIDENCE,
        *health.CLEARED_BY_ALL_EVIDENCE,
    }
    assert cleared == {one for one, said in health.WORDS.items() if said.ends_by_itself}
