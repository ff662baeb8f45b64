"""An auditor's look at one order needs no hub, and nothing passes for want of what it needs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Held, Keys, Report, verify
from proto import envelope, note, strict_json
from proto.authority import AuthoritySet
from proto.envelope import Kind
from proto.grants import GrantSet, Trust
from proto.keysets import DAY_S
from proto.note import Checkpoint
from proto.orders.kinds import OrderType
from tests.unit import order_world as world
from tests.unit.order_evidence import KEYS, ORIGIN, order_file


def look(file: dict[str, Any], keys: Keys = KEYS) -> Report:
    return verify(json.dumps(file).encode(), keys)


def failed(report: Report) -> list[str]:
    return [one.what for one in report.failed]


def test_an_order_that_two_people_signed_and_that_ran_is_verified() -> None:
    report = look(order_file("ada", "bea"))
    assert failed(report) == []
    assert report.is_verified
    held = {one.what: one.held for one in report.looks}
    assert held["order log"] is held[f"life at {world.APPLIANCE}"] is Held.PASSED
    assert held["completeness"] is Held.NOT_CHECKED


def test_without_keys_nothing_is_verified_though_nothing_failed() -> None:
    report = look(order_file("ada", "bea"), Keys())
    assert failed(report) == []
    assert not report.is_verified


def test_a_bare_envelope_is_verified_as_far_as_it_goes() -> None:
    report = verify(world.signed(world.body(), "ada"), KEYS)
    assert report.is_verified
    assert {one.what for one in report.looks if one.held is Held.NOT_CHECKED} >= {
        "order log",
        "receipts",
    }


@pytest.mark.parametrize(
    ("people", "what"),
    [((), "people"), (("ada",), "people"), (("ada", "cyd"), "people"), (("ada", "dot"), "people")],
    ids=["nobody", "one of two", "one outside their sites", "one with an old key"],
)
def test_too_few_people_fail(people: tuple[str, ...], what: str) -> None:
    assert what in failed(look(order_file(*people)))


@pytest.mark.parametrize(("order_type", "changes"), world.BY_TWO.values(), ids=world.BY_TWO)
def test_what_two_must_sign_by_its_own_bytes_is_not_passed_with_one(
    order_type: OrderType, changes: dict[str, Any]
) -> None:
    document = world.body(order_type, params=world.PARAMS[order_type] | changes)
    alone = verify(world.signed(document, "ada"), KEYS)
    assert failed(alone) == ["people"]
    assert verify(world.signed(document, "ada", "bea"), KEYS).is_verified


def test_one_changed_byte_of_the_body_fails() -> None:
    file = order_file("ada", "bea")
    leaf = json.loads(strict_json.b64_decode(file["envelope"], "x"))
    body = strict_json.b64_decode(leaf["payload"], "x").replace(b'"minutes":10', b'"minutes":90')
    changed = strict_json.dumps({**leaf, "payload": strict_json.b64_encode(body)})
    report = look(file | {"envelope": strict_json.b64_encode(changed)})
    assert failed(report) == ["signatures"]
    assert report.order is None


def test_a_grant_that_does_not_cover_it_fails() -> None:
    narrow = world.grant_set(world.grants(world.grant(types=["run_drift"])))
    keys = replace(KEYS, kept=KeptTrust.of(Trust(world.authority_set(), narrow)))
    assert failed(look(order_file("ada", "bea"), keys)) == ["grant"]


def test_a_life_that_no_order_may_have_fails() -> None:
    document = world.body(OrderType.ISOLATE_HOST, exp=world.NOW + 2 * DAY_S)
    assert "times" in failed(look(order_file("ada", "bea", document=document)))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"origin": "hub.example/site/s-zzzzzzzzzz/orders"}, "order log"),
        ({"leaf": {"index": 3, "path": []}}, "order log"),
        ({"leaf": None}, "file"),
        ({"surprise": 1}, "file"),
    ],
    ids=["another site's log", "another place", "a checkpoint for nothing", "an unknown member"],
)
def test_a_place_in_the_log_that_is_not_proved_fails(changes: dict[str, Any], what: str) -> None:
    assert failed(look(order_file("ada", "bea", **changes)))[0] == what


def test_a_checkpoint_by_another_key_fails() -> None:
    file = order_file("ada", "bea")
    head = Checkpoint(ORIGIN, 1, b"\0" * 32)
    forged = note.sign_checkpoint(head, signer=world.key("mallory")).decode()
    assert failed(look(file | {"checkpoint": forged})) == ["order log"]


def test_an_order_drafted_after_its_place_in_the_log_fails() -> None:
    later = world.OrderLog()
    later.leaves += [b"x"] * 9
    document = world.body(OrderType.ISOLATE_HOST, prev=later.place().as_text())
    assert failed(look(order_file("ada", "bea", document=document))) == ["window"]


@pytest.mark.parametrize(
    "intent",
    [
        {"leaf_hash": "0" * 64},
        {"order": "0" * 64},
        {"leaf": 1},
        {"nonce": "f" * 32},
        {"site": "s-zzzzzzzzzz"},
        {"appliance": "a-zzzzzzzzzz"},
        {"tier": 2},
    ],
    ids=["bytes", "sid", "leaf", "nonce", "site", "appliance", "lower tier"],
)
def test_a_receipt_of_something_else_fails(intent: dict[str, Any]) -> None:
    assert "receipt 1" in failed(look(order_file("ada", "bea", intent=intent)))


def test_an_appliance_that_says_it_ran_with_more_people_than_signed_fails() -> None:
    document = world.body(OrderType.WAIVE)
    report = look(order_file("ada", document=document, intent={"order_type": "waive"}))
    assert "receipt 1" in failed(report)


def test_a_result_without_its_intent_and_a_double_one_fail() -> None:
    receipts = order_file("ada", "bea")["receipts"]
    life = f"life at {world.APPLIANCE}"
    assert failed(look(order_file("ada", "bea", receipts=receipts[1:]))) == [life]
    assert failed(look(order_file("ada", "bea", receipts=[*receipts, receipts[1]]))) == [life]


def test_receipts_are_not_passed_without_the_appliances_key() -> None:
    report = look(order_file("ada", "bea"), Keys(KeptTrust.of(world.TRUST)))
    held = {one.held for one in report.looks if one.what.startswith("receipt")}
    assert held == {Held.NOT_CHECKED}
    assert report.is_verified


def test_a_receipt_by_a_key_that_was_not_given_is_not_checked() -> None:
    keys = replace(KEYS, appliances={world.OTHER_APPLIANCE: world.key("other box").public})
    report = look(order_file("ada", "bea"), keys)
    held = {one.what: one.held for one in report.looks}
    assert held["receipt 1"] is held["receipt 2"] is Held.NOT_CHECKED
    assert not [what for what in held if what.startswith("life")], "nothing is told of it"
    assert report.is_verified


def test_a_receipt_that_was_changed_after_it_was_signed_fails() -> None:
    file = order_file("ada", "bea")
    signed = json.loads(strict_json.b64_decode(file["receipts"][1], "x"))
    body = strict_json.b64_decode(signed["payload"], "x").replace(b'"done"', b'"fail"')
    changed = strict_json.dumps({**signed, "payload": strict_json.b64_encode(body)})
    receipts = [file["receipts"][0], strict_json.b64_encode(changed)]
    assert failed(look(order_file("ada", "bea", receipts=receipts))) == ["receipt 2"]


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1]", b'{"payload":1}', b"\xff\xfe"])
def test_what_is_no_order_fails_and_does_not_crash(junk: bytes) -> None:
    assert failed(verify(junk, KEYS)) == ["file"]


def test_a_statement_of_another_kind_fails() -> None:
    head = envelope.sign(Kind.HEAD, b"{}", world.key("order"))
    assert failed(verify(head, KEYS)) == ["file"]


LATER = world.NOW + 8 * DAY_S


def later_authority(*people: str, log: str = "log") -> AuthoritySet:
    """Return the next authority file: these people, whose keys count from then on."""
    keys = {"start": LATER, "end": LATER + 30 * DAY_S}
    document = world.authority(
        version=2,
        created=LATER,
        expires=LATER + 60 * DAY_S,
        people=[world.person(name, keys=[world.use(name, **keys)]) for name in people],
        log_keys=[world.use(log, **keys)],
    )
    return world.authority_set(document)


def later_grants() -> GrantSet:
    """Return the next grants file, for the same key."""
    grant = world.grant(id="g2", not_before=LATER, not_after=LATER + 5 * DAY_S)
    document = world.grants(grant, version=2, created=LATER, expires=LATER + 10 * DAY_S)
    return world.grant_set(document)


def kept(authority: AuthoritySet, *, with_former: bool) -> Keys:
    """Return what a desk has that took another authority and grants since."""
    now = KeptTrust.of(Trust(authority, later_grants()))
    former = KeptTrust.of(world.TRUST)
    if with_former:
        now = KeptTrust((*former.authorities, *now.authorities), (*former.grants, *now.grants))
    return replace(KEYS, kept=now)


def test_an_old_order_is_held_against_the_files_of_its_time() -> None:
    """A grant ends within a week, and ada has left since."""
    report = look(order_file("ada", "bea"), kept(later_authority("bea"), with_former=True))
    assert failed(report) == []
    assert report.is_verified
    too_few = look(order_file("ada"), kept(later_authority("bea"), with_former=True))
    assert "people" in failed(too_few), "with the files of its time nothing is left open"


@pytest.mark.parametrize("people", [("ada", "bea"), ("bea",), ("dot",)])
def test_files_that_were_made_after_an_order_leave_open_what_they_do_not_carry(
    people: tuple[str, ...],
) -> None:
    report = look(order_file(*people), kept(later_authority("bea"), with_former=False))
    assert failed(report) == []
    assert not report.is_verified, "what is open is not verified either"
    assert set(report.unchecked) == {"grant", "people"}
    seen = {one.what: one.seen for one in report.looks}
    assert "made after this order" in seen["grant"]


def test_an_order_whose_signers_later_files_do_not_list_is_not_checked() -> None:
    rotated = world.grant(
        id="g2",
        key=world.key("order 2").public.b64(),
        not_before=LATER,
        not_after=LATER + 5 * DAY_S,
    )
    document = world.grants(rotated, version=2, created=LATER, expires=LATER + 10 * DAY_S)
    trust = Trust(later_authority("cyd"), world.grant_set(document))
    report = look(order_file("ada", "bea"), replace(KEYS, kept=KeptTrust.of(trust)))
    assert (failed(report), report.order) == ([], None)
    assert report.unchecked == ("signatures", "grant", "people")


def test_an_order_log_that_has_another_key_since_is_still_its_log() -> None:
    later = kept(later_authority("bea", log="log 2"), with_former=True)
    file = order_file("ada", "bea")
    head = note.parse(file["checkpoint"].encode()).open(
        [note.NoteKey(ORIGIN, world.key("log").public)]
    )
    again = note.sign_checkpoint(
        Checkpoint.from_text(head.text), signer=world.key("log 2")
    ).decode()
    assert look(file, later).is_verified
    assert look(file | {"checkpoint": again}, later).is_verified
    alone = look(file, kept(later_authority("bea", log="log 2"), with_former=False))
    (log,) = [one for one in alone.looks if one.what == "order log"]
    assert log.held is Held.NOT_CHECKED
