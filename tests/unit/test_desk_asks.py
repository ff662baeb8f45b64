"""An ask is good once, counted, and only for what authority lists its person for."""

import pytest

from central.core import desk_asks
from central.core.desk_asks import (
    PER_MINUTE,
    AskMemory,
    AskRateError,
    AskReplayError,
    AskScopeError,
    drafts_of,
    require_scope,
    tier_of,
)
from proto import strict_json
from proto.asks import FRESH_S, SKEW_S, parse_ask
from proto.envelope import BODY_BYTES_MAX
from proto.hub.desk import APPROVALS_MAX, Approve, OneApproval, batch_name
from proto.orders.kinds import OrderType, Tier
from proto.orders.registry import KINDS
from tests.unit import order_world as world
from tests.unit.core_values import CONTENT, SITE

NOW = world.NOW


def test_an_ask_is_good_once_as_long_as_it_is_good_at_all() -> None:
    memory = AskMemory()
    memory.take("ada", "n1", now_s=NOW)
    for later in (0, 1, FRESH_S + SKEW_S):
        with pytest.raises(AskReplayError):
            memory.take("ada", "n1", now_s=NOW + later)
    memory.take("bea", "n1", now_s=NOW)
    memory.take("ada", "n2", now_s=NOW)


def test_one_person_cannot_ask_without_end_and_does_not_slow_another() -> None:
    memory = AskMemory()
    for number in range(PER_MINUTE):
        memory.take("ada", f"n{number}", now_s=NOW)
    with pytest.raises(AskRateError) as caught:
        memory.take("ada", "one more", now_s=NOW)
    assert caught.value.retry_after_s
    memory.take("bea", "first", now_s=NOW)
    memory.take("ada", "next minute", now_s=NOW + 60)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_asks, "REMEMBERED_MAX", 10)
    memory = AskMemory()
    for number in range(12):
        memory.take(f"p{number}", "n", now_s=NOW)
    memory.take("p0", "n", now_s=NOW)
    with pytest.raises(AskReplayError):
        memory.take("p11", "n", now_s=NOW)


@pytest.mark.parametrize(
    ("person", "site", "order_type", "may"),
    [
        ("ada", SITE, OrderType.RUN_DRIFT, True),
        ("cyd", world.OTHER_SITE, OrderType.RUN_DRIFT, True),
        ("cyd", SITE, OrderType.RUN_DRIFT, False),
        ("eve", SITE, OrderType.RUN_DRIFT, False),
        ("mallory", SITE, OrderType.RUN_DRIFT, False),
    ],
)
def test_a_person_asks_only_for_their_sites_and_types(
    person: str, site: str, order_type: OrderType, *, may: bool
) -> None:
    people = [*world.authority()["people"], world.person("eve", types=["waive"])]
    authority = world.authority_set(world.authority(people=people))
    if may:
        require_scope(person, order_type, site, authority)
    else:
        with pytest.raises(AskScopeError):
            require_scope(person, order_type, site, authority)


def tier(order_type: OrderType, **changes: object) -> Tier:
    params = KINDS[order_type].params.from_value(world.PARAMS[order_type] | changes, "params")
    return tier_of(order_type, params, runbooks=CONTENT.runbooks, now_s=NOW)


def test_the_hub_asks_for_more_people_where_it_knows_of_more_harm() -> None:
    assert tier(OrderType.WAIVE) is Tier.CHANGE
    assert tier(OrderType.WAIVE, check="all") is Tier.DANGEROUS
    assert tier(OrderType.WAIVE, until=NOW + 91 * 86_400) is Tier.DANGEROUS
    assert tier(OrderType.HEALING, runbook="rb.nobody.knows") is Tier.CHANGE


def ask(**changes: object) -> dict[str, object]:
    made: dict[str, object] = {
        "v": 1,
        "type": "waive",
        "targets": [{"site": SITE}, {"site": SITE, "appliance": world.APPLIANCE}],
        "params": world.PARAMS[OrderType.WAIVE],
        "life_s": 3600,
        "not_before": 0,
        "people": 0,
        "reason": "why",
        "by": "ada",
        "iat": NOW,
        "nonce": "0" * 32,
    }
    return made | changes


def test_each_target_is_a_draft_of_one_batch_that_both_sides_can_name() -> None:
    wanted = parse_ask(strict_json.dumps(ask()))
    made = drafts_of(wanted, b"envelope", runbooks={}, now_ms=NOW * 1000)
    batch = batch_name(wanted.to_bytes())
    assert [one.draft for one in made] == [f"{batch}.0", f"{batch}.1"]
    assert [one.wish.appliance for one in made] == [None, world.APPLIANCE]
    assert {one.wish.people for one in made} == {1}
    two = parse_ask(strict_json.dumps(ask(people=2)))
    assert {one.wish.people for one in drafts_of(two, None, runbooks={}, now_ms=0)} == {2}


def test_as_many_signatures_as_may_be_handed_in_at_once_fit_into_an_ask() -> None:
    one = OneApproval(order="f" * 64, keyid="f" * 16, sig="A" * 86 + "==")
    most = Approve(approvals=(one,) * APPROVALS_MAX, by="a" * 64, iat=NOW, nonce="0" * 32)
    assert len(most.to_bytes()) <= BODY_BYTES_MAX
