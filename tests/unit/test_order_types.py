"""Every type of order: its module, its limits, and examples that people can read."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto import orders
from proto.errors import MalformedError
from proto.orders.kinds import LIFE_S_MAX, OrderKind, OrderType, Params, Tier, Touches
from proto.orders.registry import KINDS, kind_of

SUPPORT = {"__init__", "kinds", "registry", "sensors"}
ALL = list(KINDS.values())
TIERS = {
    Tier.OBSERVE: {
        "run_drift",
        "force_checkin",
        "sync_rules",
        "view_logs",
        "sensor_status",
        "diagnostic",
        "cancel",
    },
    Tier.HEAL: {"healing", "restart_agent"},
    Tier.CHANGE: {
        "update_agent",
        "deploy_sensor",
        "remove_sensor",
        "deploy_linux_sensor",
        "remove_linux_sensor",
        "update_credentials",
        "sync_promoted_rule",
        "enable_healing",
        "waive",
        "set_policy",
    },
    Tier.DANGEROUS: {"nixos_rebuild", "update_iso", "isolate_host", "disable_healing"},
}
"""The tier table, written a second time: a type that slips down a tier is seen here."""

CARRIES_CODE = {"script", "command", "cmd", "shell", "url", "host", "path", "args", "env", "code"}


def named(kind: OrderKind) -> str:
    return kind.name.value


def test_every_module_is_in_the_registry_and_every_type_has_one() -> None:
    files = {path.stem for path in Path(orders.__file__).parent.glob("*.py")} - SUPPORT
    assert files == {kind.name.value for kind in ALL} == {one.value for one in OrderType}


def test_tiers_are_those_of_the_table() -> None:
    assert {tier: {kind.name.value for kind in ALL if kind.tier is tier} for tier in Tier} == TIERS


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_examples_are_accepted_and_refused(kind: OrderKind) -> None:
    assert kind.accepted
    assert len(kind.refused) >= 2
    for example in kind.accepted:
        params = kind.params.from_value(dict(example.params), "params")
        assert params.to_value() == json.loads(json.dumps(example.params)), example.why
    for example in kind.refused:
        assert example.why
        with pytest.raises(MalformedError):
            kind.params.from_value(dict(example.params), "params")


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_limits_hold_together(kind: OrderKind) -> None:
    assert 0 < kind.life_s_max <= LIFE_S_MAX
    assert 0 < kind.timeout_s <= 7200
    assert kind.title
    assert kind_of(kind.name) is kind
    if kind.tier is Tier.OBSERVE:
        assert kind.touches is Touches.NOTHING
    else:
        assert kind.touches is not Touches.NOTHING
    if kind.touches is Touches.TARGETS:
        assert not kind.is_for_sites


@pytest.mark.parametrize("kind", ALL, ids=named)
def test_no_type_has_a_place_for_code_or_addresses(kind: OrderKind) -> None:
    assert not CARRIES_CODE & set(kind.params.model_fields)


@pytest.mark.parametrize("kind", ALL, ids=named)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_member_more_or_less_is_always_refused(kind: OrderKind, data: st.DataObject) -> None:
    example = dict(data.draw(st.sampled_from(kind.accepted)).params)
    more = data.draw(st.text(min_size=1, max_size=8).filter(lambda one: one not in example))
    with pytest.raises(MalformedError):
        kind.params.from_value({**example, more: 1}, "params")
    for name in example:
        less = {key: value for key, value in example.items() if key != name}
        with pytest.raises(MalformedError):
            kind.params.from_value(less, "params")


TEXTS = ("\n", "\r", "\x00", ";id", "$(id)", "`id`", "../", "\u0661", "\u202e", " ")


@pytest.mark.parametrize("kind", ALL, ids=named)
@pytest.mark.parametrize("tail", TEXTS, ids=ascii)
def test_no_text_takes_a_tail_that_means_something_elsewhere(kind: OrderKind, tail: str) -> None:
    """After an id, a digest, a version or a word: newlines, shell characters, other digits."""
    for example in kind.accepted:
        for name, value in example.params.items():
            if isinstance(value, str):
                with pytest.raises(MalformedError):
                    kind.params.from_value({**example.params, name: value + tail}, "params")


def test_content_is_named_by_digests_that_the_params_list() -> None:
    """A digest in the parameters that `content` forgot would never be checked."""
    outside = {"sealed_sha256"}
    for kind in ALL:
        digests = {name for name in kind.params.model_fields if name.endswith("_sha256")} - outside
        for example in kind.accepted:
            params: Params = kind.params.from_value(dict(example.params), "params")
            assert set(params.content()) == {getattr(params, name) for name in digests}


def test_targets_and_checks_are_named_where_there_are_any() -> None:
    for kind in ALL:
        for example in kind.accepted:
            params: Params = kind.params.from_value(dict(example.params), "params")
            text = json.dumps(example.params)
            assert bool(params.named_targets()) == ("t-" in text), kind.name
            assert bool(params.named_checks()) == ("lin." in text and "rb." not in text), kind.name
            assert set(params.targets()) <= set(params.named_targets())
