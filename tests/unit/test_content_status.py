"""One screen for release people: what ends when, which site runs what, what is halted and why."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from osiris.cli import app
from osiris.desk import drafting, promoting, publishing, review
from osiris.desk.drafting import Rollout
from osiris.desk.promoting import Wish
from proto.errors import ConfigError, MalformedError
from proto.hub.desk import SitesTold
from proto.keysets import DAY_S, Role
from proto.policy import Policy
from proto.rules.promoted import digest_with, path_of
from runtime.repository.layout import Place, digest_of
from tests.unit.promoting_world import narrowed, publish, told
from tests.unit.release_world import NOW_S, Ceremony

CANARY, LATER = "s-aaaaaaaaaa", "s-bbbbbbbbbb"
CHECK = "checks/linux/lin.ssh.root_login.yaml"
WHY = "the clinic in the north lost its printer"
RINGS = f"""
[[ring]]
name = "canary"
after_s = 0
sites = ["{CANARY}"]

[[ring]]
name = "rest"
after_s = 86400
sites = "all"
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what was published twice: the second release has other content, and two rings."""
    directory = tmp_path_factory.mktemp("prepared")
    made = Ceremony(directory)
    publish(made, narrowed())
    decisions = made.folder.decisions_file
    head, _, rest = decisions.read_text().partition("[[ring]]")
    _, _, operators = rest.partition('sites = "all"\n')
    decisions.write_text(f"{head}{RINGS}{operators}")
    content = narrowed()
    content[CHECK] += b"# reworded\n"
    drafting.draft_release(made.folder, content, now_s=NOW_S + 60)
    made.sign("ada", "bo")
    assert not made.publish(now_s=NOW_S + 60).problem
    return directory


@pytest.fixture
def people(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def contents(people: Ceremony) -> dict[int, str]:
    """Return the content that each release rolls out."""
    found = {}
    for version in (1, 2):
        signed = json.loads(people.folder.repository.read(Role.RELEASE, version))["signed"]
        digest = signed["targets"]["policy.json"]["hashes"]["sha256"]
        data = people.folder.repository.read_target("policy.json", digest)
        found[version] = Policy.read(data).rollout.content
    return found


def sites(*rows: tuple[str, str | None]) -> SitesTold:
    """Return what a hub says of an appliance at each of these sites."""
    said = [
        {
            "site": site,
            "label": f"clinic {site[-1]}",
            "appliance": "a-aaaaaaaaaa",
            "presence": "online",
            "version": "0.1.0",
            "content": content,
            "health": ["content_withheld"] if content is None else [],
            "seen": NOW_S,
        }
        for site, content in rows
    ]
    return SitesTold.from_value({"v": 1, "appliances": said, "total": len(said)}, "sites")


def halted(people: Ceremony, reason: str | None) -> None:
    drafting.draft_release(
        people.folder, None, rollout=Rollout.HALT, reason=reason, now_s=NOW_S + 120
    )
    people.sign("ada", "bo")
    publishing.publish(people.folder, Place(people.directory / "incoming"), now_s=NOW_S + 120)


def osiris(people: Ceremony, *words: str) -> Result:
    folder = ("--folder", str(people.folder.directory))
    return CliRunner().invoke(app, ["content", *words, *folder], env={"COLUMNS": "160"})


def test_what_ends_is_listed_the_soonest_first(people: Ceremony) -> None:
    rows = review.endings(people.folder, now_s=NOW_S + 60)
    names = [row["document"] for row in rows]
    assert names[0] == "what the hub's order key may do"
    assert {"operator key of ada", "operator key of bo", "root", "release", "grants"} <= set(names)
    assert [row["ends_s"] for row in rows] == sorted(row["ends_s"] for row in rows)
    assert rows[0]["left"] == "6 d"


def test_what_has_ended_and_what_should_be_renewed_say_so(people: Ceremony) -> None:
    states = {
        row["document"]: (row["state"], row["left"])
        for row in review.endings(people.folder, now_s=NOW_S + 10 * DAY_S)
    }
    ended = "published; HAS ENDED: nothing new is taken"
    assert states["what the hub's order key may do"] == (ended, "ended")
    assert states["grants"] == ("published; renew it", "4 d")
    assert states["root"][0] == "published"


def test_each_site_is_shown_with_what_it_runs_and_when_its_turn_is(people: Ceremony) -> None:
    first, second = contents(people).values()
    hub = sites(
        (CANARY, second), (LATER, first), ("s-cccccccccc", None), ("s-dddddddddd", "ab" * 32)
    )
    rows = review.running(people.folder, hub, now_s=NOW_S + 90)
    shown = [(row["ring"], row["runs"], row["state"], row["is_current"]) for row in rows]
    turn = "its ring's turn is "
    assert shown[0] == ("0 canary", "release 2", "runs it", True)
    assert shown[1][:2] == ("1 rest", "release 1")
    assert shown[1][2].startswith(turn)
    assert shown[2][1] == "not said yet"
    assert shown[3][1] == "abababababab.., of no release here"
    assert rows[2]["unwell"] == ["content_withheld"]
    late = review.running(people.folder, hub, now_s=NOW_S + 2 * DAY_S)
    assert late[1]["state"].startswith("may take it since ")


def test_a_site_with_a_promoted_rule_runs_its_release_still(people: Ceremony) -> None:
    found = promoting.promotion_of(people.folder, told(), Wish(when=()))
    promoting.draft_promoted(people.folder, [found], now_s=NOW_S + 90)
    people.sign("cy")
    publishing.publish(people.folder, Place(people.directory / "incoming"), now_s=NOW_S + 90)
    content = digest_with(contents(people)[2], [digest_of(found.data)])
    (row,) = review.running(people.folder, sites((CANARY, content)), now_s=NOW_S + 90)
    assert (row["runs"], row["is_current"]) == ("release 2 and 1 promoted", True)


def test_beside_many_promoted_rules_what_cannot_be_told_is_not_called_late(
    people: Ceremony,
) -> None:
    one = promoting.promotion_of(people.folder, told(), Wish(when=()))
    name = one.rule.encode()
    rules = [one, *(_like(one, name, b"%s_%d" % (name, number)) for number in range(12))]
    promoting.draft_promoted(people.folder, rules, now_s=NOW_S + 90)
    people.sign("cy")
    publishing.publish(people.folder, Place(people.directory / "incoming"), now_s=NOW_S + 90)
    digests = [digest_of(rule.data) for rule in rules]
    release = contents(people)[2]
    hub = sites(
        (CANARY, digest_with(release, digests)),
        (LATER, digest_with(release, digests[:6])),
        ("s-cccccccccc", release),
        ("s-dddddddddd", None),
    )
    rows = review.running(people.folder, hub, now_s=NOW_S + 90)
    assert [row["is_current"] for row in rows] == [True, None, True, False]
    assert (rows[0]["runs"], rows[1]["state"]) == ("release 2 and 13 promoted", "cannot be told")


def _like(one: promoting.Promotion, name: bytes, other: bytes) -> promoting.Promotion:
    return replace(
        one, rule=other.decode(), path=path_of(other.decode()), data=one.data.replace(name, other)
    )


def test_every_mix_of_twelve_promoted_rules_is_told_and_of_more_those_near_all_or_none() -> None:
    dozen = [f"{number:064x}" for number in range(12)]
    every = {frozenset(some) for some in islice(review.subsets(dozen), review.SUBSETS_TRIED_MAX)}
    assert len(every) == review.SUBSETS_TRIED_MAX == 2 ** len(dozen)
    many = [f"{number:064x}" for number in range(60)]
    tried = {len(some) for some in islice(review.subsets(many), review.SUBSETS_TRIED_MAX)}
    assert {0, 1, 2, 58, 59, 60} <= tried


def test_a_halt_says_why_wherever_it_is_shown_and_whoever_signs_reads_it(
    people: Ceremony,
) -> None:
    drafting.draft_release(people.folder, None, rollout=Rollout.HALT, reason=WHY, now_s=NOW_S + 120)
    assert any(WHY in line for line in people.words(Role.RELEASE, now_s=NOW_S + 120))
    halted(people, WHY)
    assert review.rings(people.folder, now_s=NOW_S + 130)["reason"] == WHY
    first, second = contents(people).values()
    hub = sites((CANARY, second), (LATER, first))
    states = [row["state"] for row in review.running(people.folder, hub, now_s=NOW_S + 130)]
    assert states == ["runs it", f"halted: {WHY}"]
    drafting.draft_release(people.folder, None, now_s=NOW_S + 140)
    assert any(WHY in line for line in people.words(Role.RELEASE, now_s=NOW_S + 140)), "it stands"
    drafting.draft_release(people.folder, None, rollout=Rollout.START, now_s=NOW_S + 150)
    words = people.words(Role.RELEASE, now_s=NOW_S + 150)
    assert any(line.startswith("  - ") and WHY in line for line in words)


def test_only_a_halt_has_a_reason_and_a_policy_without_one_is_as_before(
    people: Ceremony,
) -> None:
    drafting.draft_release(people.folder, None, rollout=Rollout.HALT, now_s=NOW_S + 120)
    draft = people.folder.draft
    signed = json.loads(draft.read(Role.RELEASE, 3))["signed"]
    data = draft.read_target("policy.json", signed["targets"]["policy.json"]["hashes"]["sha256"])
    assert set(json.loads(data)["rollout"]) == {"content", "started", "is_halted"}
    value = json.loads(data)
    value["rollout"] |= {"is_halted": False, "reason": WHY}
    with pytest.raises(MalformedError, match="no reason to be halted"):
        Policy.from_value(value, "policy")


def test_the_screen_shows_all_of_it(people: Ceremony) -> None:
    halted(people, WHY)
    shown = osiris(people, "status")
    assert shown.exit_code == 0, shown.output
    for word in ("operator key of ada", "0     canary", WHY, "halted: no further site takes it"):
        assert word in shown.stdout, word
    found = json.loads(osiris(people, "status", "-o", "json").stdout)
    assert (found["rollout"]["release"], found["rollout"]["reason"]) == (2, WHY)
    assert "sites" not in found


def test_a_folder_in_which_nothing_was_published_yet_shows_no_rollout(tmp_path: Path) -> None:
    made = Ceremony(tmp_path)
    drafting.draft_root(made.folder, now_s=NOW_S)
    found = json.loads(osiris(made, "status", "-o", "json").stdout)
    assert found["rollout"] is None
    assert [row["document"] for row in found["documents"]] == ["root"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("halt",), "halt needs --reason"),
        (("resume", "--reason", "x"), "--reason is for halt"),
        (("stop",), "show, halt or resume"),
    ],
)
def test_a_rollout_is_halted_with_a_reason_alone(
    people: Ceremony, words: tuple[str, ...], why: str
) -> None:
    refused = osiris(people, "rollout", *words)
    assert isinstance(refused.exception, ConfigError)
    assert why in str(refused.exception)
    done = osiris(people, "rollout", "halt", "--reason", WHY)
    assert done.exit_code == 0, done.output
