"""Drafts of a root, a release and grants, from a release folder; none of them is signed here.

A draft has the version after what was published last, and replaces an unsigned or half-signed draft
of the same: its signatures were over other bytes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from osiris.desk.folder import CARD_ROLES, Folder
from proto.authority import Authority, AuthoritySet, KeyUse
from proto.catalog.load import content_digest, load
from proto.errors import ConfigError
from proto.grants import Grants
from proto.keys import Holder, KeyRing
from proto.keysets import DAY_S, ROLES, Role
from proto.policy import Policy
from proto.release_keys import (
    AGENTS_PREFIX,
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    GRANTS_TARGET,
    POLICY_TARGET,
    read_root,
)
from runtime.repository.check import files_of
from runtime.repository.documents import (
    DelegationPlan,
    Making,
    RootPlan,
    described,
    make_root,
    make_targets,
    signed_part,
)
from runtime.repository.renewal import (
    named_with_former,
    overlapping,
    published_authority,
    published_grants,
    with_former,
)

GRANT_DAYS_MAX: Final = ROLES[Role.ORDER].life_s // DAY_S


class Rollout(StrEnum):
    """What a release says of the rollout of its content."""

    AS_IS = "as_is"
    START = "start"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Granted:
    """What the hub's order key is to be granted."""

    days: int
    types: tuple[str, ...] | str
    sites: tuple[str, ...] | str
    ttl_s: int
    per_hour: int


def draft_root(folder: Folder, *, now_s: int) -> int:
    """Draft the next root from the people's cards and the hub's keys; return its version.

    A hub's former snapshot and timestamp keys are listed once more beside new ones, so that the hub
    can go over from one to the other without a gap.

    Raises:
        ConfigError: too few people have a card, or the hub's keys are not there.
    """
    people = _people(folder)
    for role in (Role.ROOT, Role.RELEASE):
        holders = people[role]
        if len(holders) <= ROLES[role].people:
            msg = (
                f"{folder.directory}/people: {len(holders)} people have a {role} card; at least "
                f"{ROLES[role].people + 1} make one, so that the loss of one key stops nobody"
            )
            raise ConfigError(msg)
    hub = folder.hub_keys()
    plan = RootPlan(
        root=people[Role.ROOT],
        release=people[Role.RELEASE],
        snapshot=named_with_former(folder.repository, Role.SNAPSHOT, hub.snapshot),
        timestamp=named_with_former(folder.repository, Role.TIMESTAMP, hub.timestamp),
    )
    version = folder.repository.newest(Role.ROOT) + 1
    document = make_root(plan, Making.of(Role.ROOT, version, now_s=now_s))
    read_root(signed_part(document, Role.ROOT))
    _replace(folder, Role.ROOT, version, document)
    return version


def _people(folder: Folder) -> Mapping[Role, tuple[Holder, ...]]:
    """Return who has a card for what.

    Raises:
        MalformedError: one key is on two cards.
    """
    people = {role: folder.holders(role) for role in CARD_ROLES}
    KeyRing(tuple(holder for holders in people.values() for holder in holders))
    return people


def draft_release(
    folder: Folder,
    content: Mapping[str, bytes] | None,
    *,
    agents: Mapping[str, bytes] | None = None,
    rollout: Rollout = Rollout.AS_IS,
    reason: str | None = None,
    lost: Collection[str] = (),
    now_s: int,
) -> int:
    """Draft the next release; return its version.

    Args:
        folder: the release folder.
        content: the checks, rules and runbooks; None for those of the release before.
        agents: agent files by name; None for those of the release before.
        rollout: whether the content's rollout goes on as it is, starts now or is halted. New
            content always starts now.
        reason: why it is halted, for everybody to read.
        lost: operators whose former key counts no more from now on, whatever waits with it.
        now_s: seconds since the epoch.

    Raises:
        ConfigError: there is nothing to build from, or an operator is missing.
        CatalogError: the content does not hold together.
    """
    files = _kept(folder, with_content=content is None, with_agents=agents is None)
    files |= {f"{CONTENT_PREFIX}{path}": data for path, data in (content or {}).items()}
    files |= {f"{AGENTS_PREFIX}{name}": data for name, data in (agents or {}).items()}
    held = {
        path.removeprefix(CONTENT_PREFIX): data
        for path, data in files.items()
        if path.startswith(CONTENT_PREFIX)
    }
    load(held)
    version = folder.repository.newest(Role.RELEASE) + 1
    decided = folder.decided()
    authority = _authority(folder, version=version, lost=lost, now_s=now_s)
    said = _rollout(folder, content_digest(held), rollout, reason=reason, now_s=now_s)
    value = {
        **_life(Role.RELEASE, version, now_s),
        "rings": [ring.to_value() for ring in decided.ring],
        "rollout": said,
        "download_hosts": list(decided.download_hosts),
    }
    files[AUTHORITY_TARGET] = authority.to_bytes()
    files[POLICY_TARGET] = Policy.from_value(value, str(folder.decisions_file)).to_bytes()
    for path, data in files.items():
        folder.draft.write_target(path, data)
    plan = DelegationPlan(folder.holders(Role.OPERATOR), folder.hub_keys().promoted)
    document = make_targets(
        {path: described(path, data) for path, data in files.items()},
        Making.of(Role.RELEASE, version, now_s=now_s),
        delegations=plan,
    )
    _replace(folder, Role.RELEASE, version, document)
    return version


def draft_grants(folder: Folder, granted: Granted, *, now_s: int) -> int:
    """Draft the next grants, for the hub's order key; return their version.

    A hub's former order key is granted the same once more beside a new one, until its grant's end.

    Raises:
        ConfigError: the hub's keys are not there, or the grant says what none may say.
    """
    version = folder.repository.newest(Role.GRANTS) + 1
    former = published_grants(folder.repository)
    uses = overlapping(
        folder.hub_keys().order,
        former.grants if former else (),
        Role.ORDER,
        now_s=now_s,
        life_s=granted.days * DAY_S,
    )
    said = {
        "types": granted.types,
        "sites": granted.sites,
        "ttl_s": granted.ttl_s,
        "per_hour": granted.per_hour,
    }
    names = (f"g{version}", f"g{version}.former-key")
    grants = [
        {"id": name, **said, **use.to_value()} for name, use in zip(names, uses, strict=False)
    ]
    value = _life(Role.GRANTS, version, now_s) | {"grants": grants}
    data = Grants.from_value(value, "grants").to_bytes()
    folder.draft.write_target(GRANTS_TARGET, data)
    document = make_targets(
        {GRANTS_TARGET: described(GRANTS_TARGET, data)},
        Making.of(Role.GRANTS, version, now_s=now_s),
    )
    _replace(folder, Role.GRANTS, version, document)
    return version


def current_policy(folder: Folder) -> Policy | None:
    """Return the policy that was published last, None before the first release."""
    version = folder.repository.newest(Role.RELEASE)
    if not version:
        return None
    files = files_of(signed_part(folder.repository.read(Role.RELEASE, version), Role.RELEASE))
    return Policy.read(folder.repository.read_target(POLICY_TARGET, files[POLICY_TARGET]))


def _kept(folder: Folder, *, with_content: bool, with_agents: bool) -> dict[str, bytes]:
    """Return those files of the last release that are to be in the next one too."""
    version = folder.repository.newest(Role.RELEASE)
    if not version:
        if with_content:
            msg = f"{folder.directory}: nothing was published yet that could be kept"
            raise ConfigError(msg)
        return {}
    signed = signed_part(folder.repository.read(Role.RELEASE, version), Role.RELEASE)
    prefixes = [
        prefix
        for prefix, is_kept in ((CONTENT_PREFIX, with_content), (AGENTS_PREFIX, with_agents))
        if is_kept
    ]
    return {
        path: folder.repository.read_target(path, digest)
        for path, digest in files_of(signed).items()
        if path.startswith(tuple(prefixes))
    }


def _authority(folder: Folder, *, version: int, lost: Collection[str], now_s: int) -> Authority:
    decided, hub = folder.decided(), folder.hub_keys()
    holders = _people(folder)[Role.OPERATOR]
    if len(holders) < ROLES[Role.GRANTS].people:
        msg = f"{folder.directory}/people: at least two operators must have a card"
        raise ConfigError(msg)
    former = published_authority(folder.repository)
    held = {person.person: person.keys for person in former.people} if former else {}
    unknown = sorted(set(lost) - held.keys())
    if unknown:
        msg = f"--lost {unknown[0]}: the release before lists no such operator"
        raise ConfigError(msg)
    uses = {
        holder.person: with_former(
            holder.key, _of(held, holder, lost=holder.person in lost), now_s=now_s
        )
        for holder in holders
    }
    people = [
        {
            "person": holder.person,
            **decided.operators[holder.person].to_value(),
            "keys": [use.to_value() for use in uses[holder.person]],
        }
        for holder in holders
    ]
    heads = overlapping(hub.head, former.head_keys if former else (), Role.HEAD, now_s=now_s)
    logs = overlapping(hub.log, former.log_keys if former else (), Role.LOG, now_s=now_s)
    value: dict[str, Any] = {
        **_life(Role.RELEASE, version, now_s),
        "people": people,
        "head_keys": [use.to_value() for use in heads],
        "log_keys": [use.to_value() for use in logs],
    }
    return AuthoritySet(Authority.from_value(value, "authority")).document


def _of(held: Mapping[str, Sequence[KeyUse]], holder: Holder, *, lost: bool) -> Sequence[KeyUse]:
    """Return a person's keys of before that may count on: only their own, where one was lost."""
    keys = held.get(holder.person, ())
    return [one for one in keys if one.key == holder.key.b64()] if lost else keys


def _rollout(
    folder: Folder, digest: str, wanted: Rollout, *, reason: str | None, now_s: int
) -> dict[str, Any]:
    policy = current_policy(folder)
    started, is_halted = now_s, False
    if policy is not None and policy.rollout.content == digest:
        started, is_halted = policy.rollout.started, policy.rollout.is_halted
        if is_halted and reason is None:
            reason = policy.rollout.reason
        if wanted is Rollout.START:
            started, is_halted = now_s, False
    is_halted = is_halted or wanted is Rollout.HALT
    return {
        "content": digest,
        "started": started,
        "is_halted": is_halted,
        "reason": reason if is_halted else None,
    }


def _replace(folder: Folder, role: Role, version: int, document: bytes) -> None:
    for former in folder.draft.versions(role):
        folder.draft.metadata(role, former).unlink(missing_ok=True)
    folder.draft.write(role, version, document)


def _life(role: Role, version: int, now_s: int) -> dict[str, Any]:
    return {"v": 1, "version": version, "created": now_s, "expires": now_s + ROLES[role].life_s}
