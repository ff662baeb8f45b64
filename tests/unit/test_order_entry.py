"""Every order type can be drafted by typing, and what is typed wrong is named in words."""

from typing import Any

import pytest

from proto.errors import MalformedError
from proto.order_entry import HINTS, Field, Form, fields_of, read_typed
from proto.orders.kinds import DAY_S, OrderType
from proto.orders.registry import KINDS

NOW = 1_767_225_600
END = 1_798_761_599


def day_end(text: str) -> int | None:
    return END if text == "2026-12-31" else None


def typed(field: Field, value: Any) -> str:  # noqa: ANN401 - JSON
    """Return what a person would type for a value."""
    if field.form is Form.LIST:
        return value if isinstance(value, str) else ", ".join(value)
    if field.form is Form.DATE:
        return "2026-12-31" if value else "now"
    if field.form is Form.PAIRS:
        return "\n".join(f"{name}={one}" for name, one in value.items())
    return str(value)


@pytest.mark.parametrize("order_type", OrderType)
def test_every_accepted_example_can_be_typed(order_type: OrderType) -> None:
    kind = KINDS[order_type]
    fields = {field.name: field for field in fields_of(kind)}
    assert set(fields) == set(kind.params.model_fields)
    for example in kind.accepted:
        texts = {name: typed(fields[name], value) for name, value in example.params.items()}
        wanted = dict(example.params)
        if wanted.get("until"):
            wanted["until"] = END
        assert read_typed(kind, texts, now_s=NOW, day_end=day_end) == wanted


def test_every_field_says_what_may_be_typed() -> None:
    fields = [field for kind in KINDS.values() for field in fields_of(kind)]
    assert all(field.label and (field.hint or field.choices) for field in fields)
    assert set(HINTS) <= {field.name for field in fields}


def read(order_type: OrderType, **texts: str) -> dict[str, Any]:
    return read_typed(KINDS[order_type], texts, now_s=NOW, day_end=day_end)


def test_a_date_is_a_day_or_a_number_of_days() -> None:
    waived = {"check": "lin.ssh.root_login", "on": "all"}
    assert read(OrderType.WAIVE, **waived, until="+30d")["until"] == NOW + 30 * DAY_S
    assert read(OrderType.WAIVE, **waived, until="2026-12-31")["until"] == END


def test_values_of_a_repair_keep_their_kind() -> None:
    found = read(
        OrderType.HEALING,
        incident="i-aaaaaaaaaa",
        runbook="rb.x",
        params='port=123\n strict = true\nname=a b=c\nline="7"\n',
    )
    assert found["params"] == {"port": 123, "strict": True, "name": "a b=c", "line": "7"}


@pytest.mark.parametrize(
    ("order_type", "texts", "named"),
    [
        (OrderType.DIAGNOSTIC, {}, "Look at: is needed"),
        (
            OrderType.DIAGNOSTIC,
            {"look": "shell"},
            r"Look at: 'shell' is not what it must be \(disk",
        ),
        (OrderType.DIAGNOSTIC, {"look": "disk", "command": "id"}, "command"),
        (OrderType.RESTART_AGENT, {"drain_s": "soon"}, "not a whole number"),
        (OrderType.RESTART_AGENT, {"drain_s": "\u0663"}, "not a whole number"),
        (
            OrderType.RESTART_AGENT,
            {"drain_s": "9000"},
            r"'9000' is not what it must be \(seconds, 0 to 900\)",
        ),
        (OrderType.DISABLE_HEALING, {"check": "all", "until": "tomorrow"}, "not a day"),
        (
            OrderType.DISABLE_HEALING,
            {"check": "all", "until": "now"},
            "Until: 'now' is not what it must be",
        ),
        (
            OrderType.RUN_DRIFT,
            {"on": "t-1", "checks": "all"},
            "Targets: 't-1' is not what it must be",
        ),
        (
            OrderType.HEALING,
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": "port"},
            "name=value",
        ),
        (
            OrderType.HEALING,
            {"incident": "i-aaaaaaaaaa", "runbook": "rb.x", "params": "a=1\na=2"},
            "twice",
        ),
        (OrderType.DIAGNOSTIC, {"look": "x" * 20_000}, "too long"),
        (
            OrderType.WAIVE,
            {"check": "lin.x;rm", "on": "all", "until": "+30d"},
            "Check: 'lin.x;rm' is not what it must be",
        ),
    ],
)
def test_what_is_typed_wrong_is_refused_by_name(
    order_type: OrderType, texts: dict[str, str], named: str
) -> None:
    with pytest.raises(MalformedError, match=named):
        read(order_type, **texts)
