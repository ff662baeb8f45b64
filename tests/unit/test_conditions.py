"""The condition language means what its page says, whoever evaluates it."""

import math
import re
import shutil
import subprocess
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proto.conditions import (
    ConditionError,
    Group,
    Operator,
    conjunct_holds,
    disjuncts,
    explain,
    holds,
    parse,
)
from proto.conditions.disjuncts import DISJUNCTS_MAX
from proto.conditions.model import TEXT_CHARS_MAX
from proto.conditions.parse import DEPTH_MAX, MEMBERS_MAX
from proto.conditions.versions import compare_versions

NOW_S = 1_800_000_000

ORDERED_VERSIONS = (
    "0~",
    "1.0~rc1",
    "1.0",
    "1.0-1",
    "1.0-1+deb12u1",
    "1.0a",
    "1.2",
    "1.10",
    "1:0.1",
)
NETWORKS = {"10.0.0.0/8": (0x0A000000, 8), "192.0.2.0/24": (0xC0000200, 24), "0.0.0.0/0": (0, 0)}
ADDRESSES = {"10.1.2.3": 0x0A010203, "192.0.2.255": 0xC00002FF, "192.0.3.0": 0xC0000300}
PATTERNS = ("^a", "b$", "a.*b", "[0-9]+", "")

TEXTS = ("", "a", "A", "ab", "aXb", "5", "true", "yes", "ß", "SS", *ORDERED_VERSIONS, *ADDRESSES)
SCALARS: tuple[bool | int | str, ...] = (True, False, 0, 1, 5, -3, NOW_S - 10, NOW_S, *TEXTS)
FIELDS = ("a", "b", "seen.value")


class Naive:
    """RULES.md read out loud: slow, plain, and sharing nothing with the real interpreter."""

    def __init__(self, fields: Mapping[str, object], now_s: int) -> None:
        """Hold the fields that are looked at."""
        self.fields = fields
        self.now_s = now_s

    def everything(self, raw: list[dict[str, object]]) -> bool:
        return all([self.one(member) for member in raw])  # noqa: C419 - nothing is cut short here

    def one(self, raw: dict[str, object]) -> bool:
        for kind, members in raw.items():
            if kind in {"all", "any", "none"}:
                assert isinstance(members, list)
                verdicts = [self.one(member) for member in members]
                return {"all": False not in verdicts, "any": True in verdicts}.get(
                    kind, True not in verdicts
                )
        return self.comparison(raw)

    def comparison(self, raw: dict[str, object]) -> bool:
        operator, value = raw["operator"], raw.get("value", True)
        present = raw["field"] in self.fields
        if operator in ("exists", "missing"):
            return present is ((operator == "exists") is value)
        if not present:
            return operator in ("ne", "not_in") and not raw.get("strict", False)
        seen = self.fields[str(raw["field"])]
        if isinstance(seen, float) and math.isnan(seen):
            return False
        return self.present(str(operator), seen, value)

    def present(self, operator: str, seen: object, value: object) -> bool:
        key = (type(seen), seen)
        if operator == "eq":
            return key == (type(value), value)
        if operator == "ne":
            return key != (type(value), value)
        if operator in ("in", "not_in"):
            assert isinstance(value, list)
            return (key in [(type(one), one) for one in value]) is (operator == "in")
        if operator == "field_eq":
            return value in self.fields and key == (
                type(self.fields[str(value)]),
                self.fields[str(value)],
            )
        if operator in ("gt", "gte", "lt", "lte", "between", "age_gt"):
            return type(seen) is int and self.number(operator, seen, value)
        return type(seen) is str and self.text(operator, seen, value)

    def number(self, operator: str, seen: int, value: object) -> bool:
        if operator == "between":
            assert isinstance(value, list)
            return seen in range(value[0], value[1] + 1)
        assert isinstance(value, int)
        return {
            "gt": seen > value,
            "gte": seen >= value,
            "lt": seen < value,
            "lte": seen <= value,
            "age_gt": self.now_s - seen > value,
        }[operator]

    def text(self, operator: str, seen: str, value: object) -> bool:
        if operator == "cidr":
            return seen in ADDRESSES and self.inside(ADDRESSES[seen], value)
        wanted = str(value)
        if operator.startswith("version"):
            if seen not in ORDERED_VERSIONS:
                assert re.match("[0-9]", seen) is None or seen in {*ADDRESSES, "5"}
                return seen in {*ADDRESSES, "5"} and (operator == "version_gte")
            order = ORDERED_VERSIONS.index
            return (order(seen) < order(wanted)) is (operator == "version_lt")
        return {
            "contains": wanted in seen,
            "icontains": wanted.casefold() in seen.casefold(),
            "startswith": seen[: len(wanted)] == wanted,
            "endswith": seen[max(0, len(seen) - len(wanted)) :] == wanted,
            "regex": operator == "regex" and re.search(wanted, seen) is not None,
        }[operator]

    @staticmethod
    def inside(address: int, value: object) -> bool:
        for network in value if isinstance(value, list) else [value]:
            base, bits = NETWORKS[str(network)]
            if address >> (32 - bits) == base >> (32 - bits):
                return True
        return False


scalars = st.sampled_from(SCALARS)
values = {
    **dict.fromkeys(("eq", "ne"), scalars),
    **dict.fromkeys(
        ("in", "not_in"),
        st.lists(scalars, min_size=1, max_size=3, unique_by=lambda v: (type(v), v)),
    ),
    **dict.fromkeys(("exists", "missing"), st.booleans()),
    **dict.fromkeys(
        ("contains", "icontains", "startswith", "endswith"),
        st.sampled_from([t for t in TEXTS if t]),
    ),
    "regex": st.sampled_from([p for p in PATTERNS if p]),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), st.integers(-4, 6)),
    "between": st.lists(st.integers(-4, 6), min_size=2, max_size=2).map(sorted),
    "cidr": st.sampled_from(list(NETWORKS))
    | st.lists(st.sampled_from(list(NETWORKS)), min_size=1, max_size=2),
    # 5 and the addresses are versions too: newer than any of these without an epoch
    **dict.fromkeys(("version_lt", "version_gte"), st.sampled_from(ORDERED_VERSIONS[:-1])),
    "age_gt": st.integers(0, 20),
}


@st.composite
def comparison(draw: st.DrawFn) -> dict[str, object]:
    operator = draw(st.sampled_from([*values, "field_eq"]))
    field = draw(st.sampled_from(FIELDS))
    if operator == "field_eq":
        value: object = draw(st.sampled_from([name for name in FIELDS if name != field]))
    else:
        value = draw(values[operator])
    raw: dict[str, object] = {"field": field, "operator": operator, "value": value}
    if operator in ("ne", "not_in") and draw(st.booleans()):
        raw["strict"] = draw(st.booleans())
    return raw


member = st.recursive(
    comparison(),
    lambda inner: st.sampled_from(["all", "any", "none"]).flatmap(
        lambda kind: st.lists(inner, min_size=1, max_size=3).map(lambda some: {kind: some})
    ),
    max_leaves=6,
)
conditions = st.lists(member, min_size=1, max_size=3)
odd: st.SearchStrategy[object] = st.sampled_from([None, 1.0, 5.0, math.nan, [], ["a"], {}, b"a"])
fields_seen = st.dictionaries(st.sampled_from(FIELDS), scalars | odd)


def depth(raw: object) -> int:
    """Return how deep groups are nested."""
    if isinstance(raw, list):
        return max(map(depth, raw), default=0)
    assert isinstance(raw, dict)
    inner = [
        members for members in raw.values() if isinstance(members, list) and "field" not in raw
    ]
    return 1 + depth(inner[0]) if inner else 0


def parsed(raw: list[dict[str, object]]) -> Group:
    """Read generated conditions, which are good but for their depth."""
    assume(depth(raw) <= DEPTH_MAX)
    return parse(raw, "conditions")


@settings(max_examples=400, deadline=None)
@given(raw=conditions, fields=fields_seen)
def test_the_interpreter_agrees_with_the_naive_reading(
    raw: list[dict[str, object]], fields: dict[str, object]
) -> None:
    condition = parsed(raw)
    expected = Naive(fields, NOW_S).everything(raw)
    assert holds(condition, fields, now_s=NOW_S) is expected


@settings(max_examples=300, deadline=None)
@given(raw=conditions, fields=fields_seen)
def test_the_expanded_alternatives_mean_the_same(
    raw: list[dict[str, object]], fields: dict[str, object]
) -> None:
    condition = parsed(raw)
    alternatives = disjuncts(condition)
    if alternatives is None:
        return
    assert len(alternatives) <= DISJUNCTS_MAX
    some = any(conjunct_holds(one, fields, now_s=NOW_S) for one in alternatives)
    assert some is holds(condition, fields, now_s=NOW_S)


@given(raw=conditions, fields=fields_seen)
def test_explaining_is_the_same_each_time_and_names_every_comparison(
    raw: list[dict[str, object]], fields: dict[str, object]
) -> None:
    condition = parsed(raw)
    lines = explain(condition, fields, now_s=NOW_S)
    assert repr(lines) == repr(explain(condition, dict(reversed(fields.items())), now_s=NOW_S))
    assert len(lines) == repr(raw).count("'operator'")
    assert len({line.place for line in lines}) == len(lines)


def one(field: str, operator: str, value: object = None, **more: object) -> bool:
    """Evaluate one comparison over a few fields."""
    raw: dict[str, object] = {"field": field, "operator": operator, **more}
    if value is not None:
        raw["value"] = value
    fields = {"n": 5, "t": "5", "yes": True, "one": 1, "nan": math.nan, "long": "a" * 5000}
    return holds(parse([raw], "here"), fields, now_s=NOW_S)


def test_nothing_is_coerced() -> None:
    assert one("n", "eq", 5)
    assert not one("n", "eq", "5")
    assert not one("t", "eq", 5)
    assert not one("yes", "eq", 1)
    assert not one("one", "eq", True)  # noqa: FBT003 - the value of the comparison
    assert not one("one", "in", [True, "1"])
    assert not one("yes", "gte", 0)


def test_a_missing_field_is_only_unlike_what_is_wanted() -> None:
    for operator, value in (("eq", 5), ("in", [5]), ("gt", 0), ("contains", "a"), ("regex", "a")):
        assert not one("gone", operator, value)
    assert one("gone", "ne", 5)
    assert one("gone", "not_in", [5])
    assert not one("gone", "ne", 5, strict=True)
    assert not one("gone", "not_in", [5], strict=True)
    assert one("gone", "missing")
    assert not one("gone", "exists")
    assert one("n", "exists")
    assert one("gone", "exists", value=False)


def test_nan_matches_nothing_even_negatively() -> None:
    assert not one("nan", "ne", 5)
    assert not one("nan", "not_in", [5])
    assert not one("nan", "lt", 5)
    assert one("nan", "exists")


def test_texts_beyond_the_cap_never_match_by_their_inside() -> None:
    assert len("a" * 5000) > TEXT_CHARS_MAX
    for operator in ("contains", "icontains", "startswith", "endswith", "regex"):
        assert not one("long", operator, "a")


def test_age_needs_a_clock_and_lies_in_the_past() -> None:
    old = parse([{"field": "at", "operator": "age_gt", "value": 60}], "here")
    assert holds(old, {"at": NOW_S - 61}, now_s=NOW_S)
    assert not holds(old, {"at": NOW_S - 60}, now_s=NOW_S)
    assert not holds(old, {"at": NOW_S + 999}, now_s=NOW_S)
    assert not holds(old, {"at": NOW_S - 61})


def test_networks_hold_addresses_of_their_own_family_only() -> None:
    condition = parse(
        [{"field": "a", "operator": "cidr", "value": ["10.0.0.0/8", "2001:db8::/32"]}], ""
    )
    assert holds(condition, {"a": "10.255.0.1"})
    assert holds(condition, {"a": "2001:db8::1"})
    for other in ("11.0.0.1", "2001:db9::1", "10.0.0.0/8", "10.0.0.01", "", 167772161):
        assert not holds(condition, {"a": other})


def test_a_pattern_that_would_take_exponential_time_elsewhere_is_linear_here() -> None:
    condition = parse([{"field": "a", "operator": "regex", "value": "^(a+)+$"}], "here")
    assert not holds(condition, {"a": "a" * 4000 + "b"})


version = st.from_regex(r"\A([0-9]:)?[0-9][0-9a-b.+~]{0,6}(-[0-9a.~]{1,4})?\Z")


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs Debian's dpkg as the oracle")
@settings(max_examples=80, deadline=None)
@given(left=version, right=version)
def test_versions_are_ordered_as_debian_orders_them(left: str, right: str) -> None:
    relation = {-1: "lt", 0: "eq", 1: "gt"}[compare_versions(left, right)]
    result = subprocess.run(
        ["dpkg", "--compare-versions", left, relation, right], check=False, capture_output=True
    )
    assert result.returncode == 0, (left, relation, right, result.stderr)


@pytest.mark.parametrize("place", range(len(ORDERED_VERSIONS) - 1))
def test_known_versions_are_in_order(place: int) -> None:
    assert compare_versions(ORDERED_VERSIONS[place], ORDERED_VERSIONS[place + 1]) == -1
    assert compare_versions(ORDERED_VERSIONS[place + 1], ORDERED_VERSIONS[place]) == 1


REFUSED: list[tuple[object, str]] = [
    ([], "here: must be a list"),
    ({}, "here: must be a list"),
    (["x"], "here[0]: must be"),
    ([{}], "here[0].field: not a field's name"),
    ([{"field": "A", "operator": "eq", "value": 1}], "here[0].field"),
    ([{"field": "a", "operator": "like", "value": 1}], "here[0].operator: unknown operator 'like'"),
    ([{"field": "a", "operator": "eq"}], "here[0]: eq needs a value"),
    ([{"field": "a", "operator": "eq", "value": None}], "here[0].value"),
    ([{"field": "a", "operator": "eq", "value": 1.5}], "here[0].value"),
    ([{"field": "a", "operator": "eq", "value": [1]}], "here[0].value"),
    ([{"field": "a", "operator": "eq", "value": 1, "note": 1}], "here[0].note: unknown member"),
    ([{"field": "a", "operator": "eq", "value": 1, "strict": True}], "here[0].strict"),
    ([{"field": "a", "operator": "in", "value": []}], "here[0].value: in wants a list"),
    ([{"field": "a", "operator": "in", "value": "x"}], "here[0].value"),
    ([{"field": "a", "operator": "in", "value": [1, 1]}], "names a value twice"),
    ([{"field": "a", "operator": "gt", "value": "5"}], "gt wants an integer"),
    ([{"field": "a", "operator": "lte", "value": True}], "lte wants an integer"),
    ([{"field": "a", "operator": "between", "value": [5, 1]}], "low end 5 above its high end 1"),
    ([{"field": "a", "operator": "between", "value": [5]}], "wants [low, high]"),
    ([{"field": "a", "operator": "contains", "value": ""}], "contains wants a text"),
    ([{"field": "a", "operator": "regex", "value": "(?=x)"}], "RE2 refuses"),
    ([{"field": "a", "operator": "regex", "value": r"(a)\1"}], "RE2 refuses"),
    ([{"field": "a", "operator": "regex", "value": "a" * 300}], "1 to 256 characters"),
    ([{"field": "a", "operator": "cidr", "value": "10.0.0.1/8"}], "host bits set"),
    ([{"field": "a", "operator": "cidr", "value": 10}], "wants a network"),
    ([{"field": "a", "operator": "version_lt", "value": "new"}], "wants a version"),
    ([{"field": "a", "operator": "age_gt", "value": -1}], "wants seconds"),
    ([{"field": "a", "operator": "field_eq", "value": "a"}], "compares a field with itself"),
    ([{"field": "a", "operator": "field_eq", "value": 7}], "another field's name"),
    ([{"field": "a", "operator": "exists", "value": "x"}], "exists wants true"),
    ([{"any": []}], "here[0].any: must be a list"),
    ([{"any": [], "all": []}], "here[0]: a group has one member"),
    ([{"any": [{"none": [{"field": "a"}]}]}], "here[0].any[0].none[0].operator"),
    ([{"field": "a", "operator": "missing"}] * (MEMBERS_MAX + 1), "at most 32"),
]


@pytest.mark.parametrize(("raw", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(raw: object, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(raw, "here")
    assert message in str(caught.value)


def test_groups_may_not_be_nested_without_end() -> None:
    raw: dict[str, object] = {"field": "a", "operator": "missing"}
    for _ in range(5):
        raw = {"all": [raw]}
    with pytest.raises(ConditionError, match="nested deeper"):
        parse([raw], "here")


def test_every_problem_is_told_at_once() -> None:
    raw = [{"field": "a", "operator": "gt", "value": "x"}, {"field": "", "operator": "missing"}]
    with pytest.raises(ConditionError) as caught:
        parse(raw, "here")
    assert len(caught.value.problems) == 2


def test_too_many_alternatives_are_kept_whole() -> None:
    def two(name: str) -> dict[str, object]:
        return {"any": [{"field": name, "operator": "eq", "value": n} for n in (1, 2)]}

    assert len(disjuncts(parse([two("a"), two("b")], "")) or ()) == 4
    assert disjuncts(parse([two(name) for name in "abcde"], "")) is None


def test_every_operator_is_tried_by_the_oracle() -> None:
    assert {*values, "field_eq"} == {operator.value for operator in Operator}
