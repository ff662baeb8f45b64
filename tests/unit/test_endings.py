"""People are told in time what of a hub's trust ends, and what to do; a former key may end."""

from dataclasses import replace
from pathlib import Path

import pytest

from central import renewals
from central.core.endings import NOTICES, Ending, Kind, of_authority, sentences
from central.operators import Operators, OrderDesk
from central.repository import HubRepository
from proto.keysets import DAY_S, Role
from tests.fakes.hub import trial
from tests.unit.order_world import NOW, TRUST, authority, authority_set, person, use


def test_each_kind_is_told_so_long_before_its_end_and_not_sooner() -> None:
    for kind, notice in NOTICES.items():
        one = Ending(kind, "", NOW + notice.before_s)
        assert sentences([one], now_s=NOW - 1, trust="people") == ()
        (said,) = sentences([one], now_s=NOW, trust="people")
        assert said.startswith(f"The {kind} ends in ")
        assert said.endswith(notice.then)


def test_what_ended_is_told_since_when_and_the_first_to_end_comes_first() -> None:
    endings = [
        Ending(Kind.RELEASE, "", NOW + 13 * DAY_S),
        Ending(Kind.GRANTS, "", NOW - 2 * DAY_S),
        Ending(Kind.OPERATOR, "ada", NOW + DAY_S),
        Ending(Kind.ROOT, "", NOW + 300 * DAY_S),
    ]
    assert sentences(endings, now_s=NOW, trust="people") == (
        "The grant of the order key ended 2 days ago: osiris content grant",
        "The operator's key of ada ends in 1 day: osiris content build --keep",
        "The release ends in 13 days: osiris content build --keep",
    )


def test_a_development_hub_is_told_the_command_that_renews_it() -> None:
    """There is no release folder, so `osiris content grant` could do nothing there."""
    for kind in Kind:
        (said,) = sentences([Ending(kind, "", NOW)], now_s=NOW, trust="development")
        wanted = NOTICES[kind].then if kind is Kind.TIMESTAMP else "osiris hub init"
        assert said == f"The {kind} ended less than a minute ago: {wanted}"


def test_a_former_key_that_ends_beside_its_next_is_nobodys_concern() -> None:
    heads = [use("head", end=NOW + DAY_S), use("head 2", end=NOW + 200 * DAY_S)]
    found_in = authority_set(authority(head_keys=heads, people=[person("ada")]))
    found = {one.kind: one.ends_s for one in of_authority(found_in)}
    assert found[Kind.HEAD_KEY] == NOW + 200 * DAY_S


@pytest.mark.parametrize(
    ("trust", "then"), [("development", "osiris hub init"), ("people", "osiris content build")]
)
async def test_a_hub_goes_by_whose_trust_its_own_is(tmp_path: Path, trust: str, then: str) -> None:
    async with trial(tmp_path, trust=lambda _now_s: TRUST) as made:
        hub = replace(made.net.hub, content=tmp_path / "content", trust=trust)
        dot, *_ = await renewals.notices(hub)
    assert dot.startswith("The operator's key of dot ended ")
    assert f": {then}" in dot


async def test_an_authority_that_does_not_hold_is_told_and_one_that_never_was_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "authority.json"
    async with trial(tmp_path) as made:
        hub = replace(
            made.net.hub, content=tmp_path / "content", desk=OrderDesk(Operators(path), {})
        )
        assert await renewals.notices(hub) == ()
        path.write_bytes(b'{"v": 1')
        (told,) = await renewals.notices(hub)
        assert told.startswith("Nothing can be ordered: authority: does not hold: ")
        path.write_bytes(TRUST.authority.document.to_bytes())
        made.clock.advance(DAY_S * 1000)
        assert not any("ordered" in one for one in await renewals.notices(hub))
        made.clock.advance(60 * DAY_S * 1000)
        (told,) = await renewals.notices(hub)
        assert told.startswith("Nothing can be ordered: authority: expired at ")


async def test_a_document_that_cannot_be_read_is_told_and_hides_no_other(tmp_path: Path) -> None:
    async with trial(tmp_path, trust=lambda _now_s: TRUST) as made:
        hub = replace(made.net.hub, content=tmp_path / "repository" / "content", trust="people")
        quiet = await renewals.notices(hub)
        place = HubRepository(tmp_path / "repository").place
        place.write(Role.RELEASE, 1, b'{"signed": "')
        release, *others = await renewals.notices(hub)
    assert release.startswith("The release cannot be read: ")
    assert tuple(others) == quiet
    assert "cannot be read" not in " ".join(quiet)
