"""Policy: a rollout reaches sites ring by ring, and people can halt it."""

from typing import Any

import pytest

from proto.errors import MalformedError
from proto.keysets import DAY_S
from proto.policy import Policy, Turn

NOW_S = 1_790_000_000
CANARY, EARLY, OTHER = "s-aaaaaaaaaa", "s-bbbbbbbbbb", "s-cccccccccc"
NEW, OLD = "a" * 64, "b" * 64


def value(**changed: object) -> dict[str, Any]:
    return {
        "v": 1,
        "version": 1,
        "created": NOW_S,
        "expires": NOW_S + 90 * DAY_S,
        "rings": [
            {"name": "canary", "after_s": 0, "sites": [CANARY]},
            {"name": "early", "after_s": 7200, "sites": [EARLY]},
            {"name": "rest", "after_s": DAY_S, "sites": "all"},
        ],
        "rollout": {"content": NEW, "started": NOW_S, "is_halted": False},
        "download_hosts": ["files.example:8443"],
        **changed,
    }


def policy(**changed: object) -> Policy:
    return Policy.from_value(value(**changed), "policy")


@pytest.mark.parametrize(
    ("site", "ring", "due_s"), [(CANARY, 0, 0), (EARLY, 1, 7200), (OTHER, 2, DAY_S)]
)
def test_a_site_waits_for_its_ring(site: str, ring: int, due_s: int) -> None:
    said = policy()
    assert said.ring_of(site) == ring
    assert said.turn(site, content=NEW, now_s=NOW_S + due_s) is Turn.NOW
    if due_s:
        assert said.turn(site, content=NEW, now_s=NOW_S + due_s - 1) is Turn.LATER


def test_a_halt_stops_every_ring_that_has_not_begun() -> None:
    halted = policy(rollout={"content": NEW, "started": NOW_S, "is_halted": True})
    for site in (CANARY, EARLY, OTHER):
        assert halted.turn(site, content=NEW, now_s=NOW_S + 30 * DAY_S) is Turn.HALTED


def test_only_the_announced_set_is_taken() -> None:
    assert policy().turn(CANARY, content=OLD, now_s=NOW_S + DAY_S) is Turn.NOT_ANNOUNCED


def test_it_reads_its_own_bytes() -> None:
    assert Policy.read(policy().to_bytes()) == policy()


ALL = {"name": "rest", "after_s": 0, "sites": "all"}


@pytest.mark.parametrize(
    "changed",
    [
        {"rings": []},
        {"rings": [{"name": "canary", "after_s": 0, "sites": [CANARY]}]},
        {"rings": [ALL, {"name": "late", "after_s": 5, "sites": [CANARY]}]},
        {"rings": [ALL, {**ALL, "name": "again"}]},
        {"rings": [{"name": "rest", "after_s": 0, "sites": [CANARY]}, ALL]},
        {"rings": [{"name": "late", "after_s": 9, "sites": [CANARY]}, ALL]},
        {
            "rings": [
                {"name": "one", "after_s": 0, "sites": [CANARY]},
                {"name": "two", "after_s": 0, "sites": [CANARY]},
                ALL,
            ]
        },
        {"expires": NOW_S + 91 * DAY_S},
        {"expires": NOW_S},
        {"version": 0},
        {"download_hosts": ["https://files.example/"]},
        {"download_hosts": ["files.example/path"]},
        {"download_hosts": ["files.example\n"]},
        {"scripts": []},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="policy"):
        policy(**changed)
