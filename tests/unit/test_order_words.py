"""Whoever signs an order reads all of it, and nobody's text can pass for another part of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris.desk.words import laid_out, moment
from proto import strict_json
from proto.errors import MalformedError
from proto.order import parse_order, sid_of
from proto.order_words import LABELS, Line, order_in_words, params_in_words, shown, span
from proto.orders.kinds import OrderType
from proto.orders.registry import KINDS
from tests.unit import order_world as world
from tests.unit.core_values import SITE, TARGET


def words_of(document: dict[str, object]) -> dict[str, str]:
    body = strict_json.dumps(document)
    lines = order_in_words(parse_order(body), sid=sid_of(body), moment=moment)
    assert len({line.label for line in lines}) == len(lines)
    return {line.label: line.text for line in lines}


def test_an_order_says_what_where_until_when_why_and_by_whom() -> None:
    said = words_of(world.body(OrderType.ISOLATE_HOST))
    assert said["What"] == "Cut a target off the network (isolate_host)"
    assert said["Where"] == f"appliance {world.APPLIANCE} of site {SITE}"
    assert (said["Target"], said["Action"], said["Minutes"]) == (TARGET, "isolate", "10")
    assert said["Why"] == '"asked for in a test"'
    assert said["Asked by"] == "ada"
    assert said["Void from"].startswith("2026-01-01 00:50:00 UTC")
    assert "two people's signatures" in said["Needs"]


@pytest.mark.parametrize(("order_type", "changes"), world.BY_TWO.values(), ids=world.BY_TWO)
def test_what_two_must_sign_is_not_called_a_thing_of_one(
    order_type: OrderType, changes: dict[str, object]
) -> None:
    params = world.PARAMS[order_type] | changes
    said = words_of(world.body(order_type, params=params))
    assert said["Needs"].startswith("two people's signatures")
    assert said["Needs"].endswith("(tier 3)")
    tame = words_of(world.body(order_type))
    assert tame["Needs"].endswith("(tier 2; the appliance may ask for more than this)")


def test_every_appliance_of_a_site_is_said_aloud() -> None:
    said = words_of(world.body(target={"site": SITE}))
    assert said["Where"] == f"EVERY appliance of site {SITE}"


@pytest.mark.parametrize("order_type", OrderType)
def test_no_parameter_of_any_type_is_left_out(order_type: OrderType) -> None:
    for example in KINDS[order_type].accepted:
        lines = params_in_words(order_type, example.params, moment=moment)
        told = {line.label for line in lines}
        wanted = {LABELS[name] for name, value in example.params.items() if name != "params"}
        assert wanted <= told
        inner = example.params.get("params", {})
        assert {f"With {name}" for name in inner} <= told


def test_every_parameter_of_every_type_has_a_name_for_people() -> None:
    names = {name for kind in KINDS.values() for name in kind.params.model_fields}
    assert names - {"params"} == set(LABELS)


def test_two_sets_of_parameters_never_read_alike() -> None:
    for order_type, kind in KINDS.items():
        made = [
            params_in_words(order_type, example.params, moment=moment) for example in kind.accepted
        ]
        assert len(set(made)) == len(made)


def test_what_does_not_fit_its_type_is_not_put_into_words() -> None:
    with pytest.raises(MalformedError, match="params"):
        params_in_words(OrderType.DIAGNOSTIC, {"look": "shell"}, moment=moment)


FORGERIES = {
    "a new line": "x\nWhere       appliance a-zzzzzzzzzz",
    "a carriage return": "x\rWhere  elsewhere",
    "an escape sequence": "x\x1b[2K\x1b[1GWhere elsewhere",
    "text turned around": "x\u202eecalpsesle",
    "an isolate": "x\u2066y\u2069",
    "a zero-width space": "a\u200bb",
    "a filler that looks empty": "a\u3164b",
    "a blank pattern": "a\u2800b",
    "marks over the text before": "a\u0338\u0338",
    "another width of space": "a\u00a0b",
    "a line separator": "a\u2028b",
    "a tab": "a\tb",
    "delete": "a\x7fb",
    "a C1 control": "a\x9b2Jb",
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_what_a_screen_would_obey_or_hide_is_shown_as_its_escape(forged: str) -> None:
    text = shown(forged)
    assert text.isprintable()
    assert "\\" in text
    changed = [char for char in forged if not (char.isascii() and char.isprintable())]
    assert not any(char in text for char in changed)


def test_a_quote_cannot_end_its_quotation_nor_spaces_push_text_away() -> None:
    assert shown('x" Where "y') == r'"x\" Where \"y"'
    assert shown("a" + " " * 4 + "b") == r'"a \x20\x20\x20b"'
    assert shown("a\\nb") == r'"a\\nb"'


def test_a_value_of_a_repair_cannot_pass_for_a_line_of_the_order() -> None:
    value = "x" + " " * 300 + "\u202eWhere  appliance a-zzzzzzzzzz"
    params = {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": {"note": value}}
    lines = params_in_words(OrderType.HEALING, params, moment=moment)
    shown_lines = laid_out(lines, columns=60).split("\n")
    assert [line.split("  ")[0] for line in shown_lines if not line.startswith(" ")] == [
        "Incident",
        "Runbook",
        "With note",
    ]


@settings(max_examples=60)
@given(st.text(max_size=300), st.integers(60, 100))
def test_no_text_ever_reaches_the_column_of_the_labels(text: str, columns: int) -> None:
    screen = laid_out((Line("Why", shown(text)), Line("Asked by", "ada")), columns=columns)
    rows = screen.split("\n")
    assert rows[0].startswith("Why       ")
    assert rows[-1] == "Asked by  ada"
    assert all(row.startswith(" " * 10) for row in rows[1:-1])
    assert all(row.isprintable() for row in rows)


@settings(max_examples=60)
@given(st.text(max_size=40), st.text(max_size=40))
def test_two_texts_never_look_the_same(one: str, two: str) -> None:
    assert (shown(one) == shown(two)) == (one == two)


def test_a_time_that_is_no_date_is_still_said() -> None:
    assert "no date" in moment(2**53 - 1)


def test_a_length_of_time_is_said_exactly() -> None:
    assert [span(n) for n in (0, 45, 5400, 86_400, 90_061)] == [
        "0 s",
        "45 s",
        "1 h 30 min",
        "1 d",
        "1 d 1 h 1 min 1 s",
    ]


@pytest.mark.parametrize("reason", ["a\x1b[31mred", "all\u202e is well", " x", "a\nb"])
def test_what_is_said_of_a_text_that_is_refused_holds_nothing_that_a_screen_obeys(
    reason: str,
) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_order(strict_json.dumps(world.body(reason=reason)))
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert "reason" in str(caught.value)
