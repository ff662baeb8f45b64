"""What a release folder says is published: which documents until when, and how far a rollout is."""

from collections.abc import Mapping
from typing import Any

from osiris.desk.drafting import current_policy
from osiris.desk.folder import Folder
from osiris.desk.words import moment
from proto.errors import ConfigError
from proto.keysets import Role
from proto.policy import Policy, Turn
from proto.release_keys import read_life
from runtime.repository.documents import signed_part


def published(folder: Folder, *, now_s: int) -> list[Mapping[str, Any]]:
    """Return a row for each document that was published, as `osiris content status` shows it."""
    rows: list[Mapping[str, Any]] = []
    for role in (Role.ROOT, Role.RELEASE, Role.GRANTS, Role.PROMOTED):
        version = folder.repository.newest(role)
        if not version:
            continue
        life = read_life(signed_part(folder.repository.read(role, version), role), role)
        left = life.expires - now_s
        state = "published" if left > (life.expires - life.created) // 3 else "published; renew it"
        rows.append(
            {
                "document": role.value,
                "version": version,
                "state": state if left > 0 else "published; HAS ENDED: nothing new is taken",
                "ends": moment(life.expires),
            }
        )
    return rows


def rings(folder: Folder, *, now_s: int) -> Mapping[str, Any]:
    """Return how far the rollout is, ring by ring.

    Raises:
        ConfigError: nothing was published yet.
    """
    policy = current_policy(folder)
    if policy is None:
        msg = f"{folder.directory}: nothing was published yet"
        raise ConfigError(msg)
    rollout = policy.rollout
    reached = sum(now_s >= rollout.started + ring.after_s for ring in policy.rings)
    state = f"{reached} of {len(policy.rings)} rings may take it"
    return {
        "content": rollout.content,
        "started": moment(rollout.started),
        "state": "halted: no further site takes it" if rollout.is_halted else state,
        "rings": [_ring(policy, number) for number in range(len(policy.rings))],
    }


def _ring(policy: Policy, number: int) -> Mapping[str, Any]:
    ring = policy.rings[number]
    start = moment(policy.rollout.started + ring.after_s)
    return {
        "ring": number,
        "name": ring.name,
        "from": Turn.HALTED.value if policy.rollout.is_halted else start,
        "sites": "every other" if ring.sites == "all" else list(ring.sites),
    }
