"""What a release folder says: what ends when, who must sign, and how far a rollout is, and where.

What is published is read as it lies there: whoever decides by it has it verified where it counts,
when they sign, take it to their desk or publish. Which site runs what is the hub's word.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Final

from osiris.desk.drafting import current_policy
from osiris.desk.folder import Folder
from osiris.desk.promoting import published_rules
from osiris.desk.signing import standings
from osiris.desk.words import moment
from proto.errors import ConfigError
from proto.hub.desk import ApplianceTold, SitesTold
from proto.keysets import DAY_S, Role
from proto.orders.kinds import HOUR_S
from proto.policy import Policy, Turn
from proto.release_keys import POLICY_TARGET, Life, read_life
from proto.rules.promoted import digest_with
from runtime.repository.check import files_of
from runtime.repository.documents import signed_part
from runtime.repository.layout import digest_of
from runtime.repository.renewal import published_authority, published_grants

Row = Mapping[str, Any]
SUBSETS_TRIED_MAX: Final = 4096
"""Of the promoted rules, for each set of content: all of them for twelve rules or fewer."""


def is_published(folder: Folder) -> bool:
    """Tell whether a release was published from this folder."""
    return bool(folder.repository.newest(Role.RELEASE))


def published(folder: Folder, *, now_s: int) -> list[Row]:
    """Return a row for each document that was published."""
    rows = []
    for role in (Role.ROOT, Role.RELEASE, Role.GRANTS, Role.PROMOTED):
        version = folder.repository.newest(role)
        if version:
            life = read_life(signed_part(folder.repository.read(role, version), role), role)
            rows.append(_row(role.value, life, now_s=now_s, version=version))
    return rows


def endings(folder: Folder, *, now_s: int) -> list[Row]:
    """Return everything that was published and ends, the soonest end first.

    Documents, the keys of operators and of the hub as the release lists them, and what the hub's
    order key may do: of each holder the key that ends last, since a former one is not renewed.
    """
    rows = published(folder, now_s=now_s)
    authority, grants = published_authority(folder.repository), published_grants(folder.repository)
    if authority is not None:
        for person in authority.people:
            rows += _last(f"operator key of {person.person}", person.keys, now_s=now_s)
        rows += _last("the hub's head key", authority.head_keys, now_s=now_s)
        rows += _last("the hub's log key", authority.log_keys, now_s=now_s)
    if grants is not None:
        rows += _last("what the hub's order key may do", grants.grants, now_s=now_s)
    return sorted(rows, key=lambda row: row["ends_s"])


def _last(what: str, keys: Iterable[Any], *, now_s: int) -> list[Row]:
    lives = [Life(0, one.not_before, one.not_after) for one in keys]
    newest = max(lives, key=lambda one: one.expires, default=None)
    return [] if newest is None else [_row(what, newest, now_s=now_s)]


def _row(what: str, life: Life, *, now_s: int, version: int | None = None) -> Row:
    left = life.expires - now_s
    state = "published" if left > (life.expires - life.created) // 3 else "published; renew it"
    return {
        "document": what,
        "version": version,
        "state": state if left > 0 else "published; HAS ENDED: nothing new is taken",
        "ends": moment(life.expires),
        "ends_s": life.expires,
        "left": _span(left),
    }


def _span(seconds: int) -> str:
    if seconds <= 0:
        return "ended"
    size_s, unit = (DAY_S, "d") if seconds >= 2 * DAY_S else (HOUR_S, "h")
    return f"{seconds // size_s} {unit}"


def drafted(folder: Folder) -> list[Row]:
    """Return a row for each draft: who signed, and who may."""
    return [
        {
            "document": one.role.value,
            "version": one.version,
            "state": "drafted, complete" if one.is_complete else f"{one.needs} more must sign",
            "signed": list(one.signed),
            "may_sign": list(one.missing),
            "ends": moment(one.expires),
            "ends_s": one.expires,
            "left": None,
        }
        for one in standings(folder)
    ]


def rings(folder: Folder, *, now_s: int) -> Mapping[str, Any]:
    """Return how far the rollout is, ring by ring, and why it is halted where people said why.

    Raises:
        ConfigError: nothing was published yet.
    """
    policy = _policy(folder)
    rollout = policy.rollout
    reached = sum(now_s >= rollout.started + ring.after_s for ring in policy.rings)
    state = f"{reached} of {len(policy.rings)} rings may take it"
    return {
        "content": rollout.content,
        "release": _releases(folder).get(rollout.content),
        "started": moment(rollout.started),
        "state": "halted: no further site takes it" if rollout.is_halted else state,
        "reason": rollout.reason,
        "rings": [_ring(policy, number) for number in range(len(policy.rings))],
    }


def _policy(folder: Folder) -> Policy:
    policy = current_policy(folder)
    if policy is None:
        msg = f"{folder.directory}: nothing was published yet"
        raise ConfigError(msg)
    return policy


def _ring(policy: Policy, number: int) -> Mapping[str, Any]:
    ring = policy.rings[number]
    start = moment(policy.rollout.started + ring.after_s)
    return {
        "ring": number,
        "name": ring.name,
        "from": Turn.HALTED.value if policy.rollout.is_halted else start,
        "sites": "every other" if ring.sites == "all" else list(ring.sites),
    }


def _releases(folder: Folder) -> Mapping[str, int]:
    """Return the first release of each set of content, by the digest that it rolls out."""
    found: dict[str, int] = {}
    for version in folder.repository.versions(Role.RELEASE):
        files = files_of(signed_part(folder.repository.read(Role.RELEASE, version), Role.RELEASE))
        data = folder.repository.read_target(POLICY_TARGET, files[POLICY_TARGET])
        found.setdefault(Policy.read(data).rollout.content, version)
    return found


def running(folder: Folder, told: SitesTold, *, now_s: int) -> list[Row]:
    """Return which content each appliance runs, beside when its site's turn is.

    Beside more promoted rules than can be tried, some content cannot be told: `is_current` is None.

    Args:
        folder: whose releases are known by name.
        told: what the hub says.
        now_s: seconds since the epoch.

    Raises:
        ConfigError: nothing was published yet.
    """
    policy, known = _policy(folder), _known(folder)
    rows = [_runs(one, policy, known, now_s=now_s) for one in told.appliances]
    return rows if known.is_every else [_or_untold(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a digest that an appliance runs stands for."""

    release: int
    content: str
    promoted: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The digests that are known.

    Attributes:
        is_every: every subset of the promoted rules was tried.
    """

    meanings: Mapping[str, _Meaning]
    is_every: bool


def _known(folder: Folder) -> _Known:
    """Return the sets of content that the folder knows, also with promoted rules beside them.

    Which of the rules an appliance took up is found by trying.
    """
    rules = [digest_of(data) for data in published_rules(folder).values()]
    meanings = {
        digest_with(content, some): _Meaning(release, content, len(some))
        for content, release in _releases(folder).items()
        for some in islice(subsets(rules), SUBSETS_TRIED_MAX)
    }
    return _Known(meanings, is_every=2 ** len(rules) <= SUBSETS_TRIED_MAX)


def subsets(rules: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every subset, first those that lack few rules or have few."""
    for few in range(len(rules) // 2 + 1):
        for size in sorted({len(rules) - few, few}, reverse=True):
            yield from combinations(rules, size)


def _or_untold(row: Row) -> Row:
    """Return a row that does not say a site is late where its content could not be told."""
    if row["content"] is None or row["is_known"]:
        return row
    runs = f"{row['content'][:12]}.., of no release here, or with some of many promoted rules"
    return {**row, "runs": runs, "state": "cannot be told", "is_current": None}


def _runs(one: ApplianceTold, policy: Policy, known: _Known, *, now_s: int) -> Row:
    found = None if one.content is None else known.meanings.get(one.content)
    is_current = found is not None and found.content == policy.rollout.content
    ring = policy.ring_of(one.site)
    return {
        "site": one.site,
        "label": one.label or one.site,
        "ring": f"{ring} {policy.rings[ring].name}",
        "appliance": one.appliance,
        "runs": _called(one.content, found),
        "state": "runs it" if is_current else _why_not(one, policy, now_s=now_s),
        "heard": one.presence if one.seen is None else f"{one.presence}, {moment(one.seen)}",
        "unwell": list(one.health),
        "is_known": found is not None,
        "is_current": is_current,
        "content": one.content,
    }


def _called(content: str | None, found: _Meaning | None) -> str:
    if content is None:
        return "not said yet"
    if found is None:
        return f"{content[:12]}.., of no release here"
    beside = f" and {found.promoted} promoted" if found.promoted else ""
    return f"release {found.release}{beside}"


def _why_not(one: ApplianceTold, policy: Policy, *, now_s: int) -> str:
    turn = policy.turn(one.site, content=policy.rollout.content, now_s=now_s)
    if turn is Turn.HALTED:
        reason = policy.rollout.reason
        return f"halted: {reason}" if reason else "halted"
    due = moment(policy.due_s(one.site))
    return f"its ring's turn is {due}" if turn is Turn.LATER else f"may take it since {due}"
