"""What of this hub's trust ends when, and how each of its signer's keys stands.

What is read is what people signed, as it lies here; nothing is verified for being shown.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from central.core import box_ages
from central.core.endings import Ending, Kind, of_authority, sentences
from central.operators import NoAuthorityError
from central.repository import HubRepository, tell_renewed
from central.state import Hub
from proto.errors import NotFoundError, OsirisError
from proto.keys import PublicKey
from proto.keysets import Role

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One of the signer's keys, for people.

    Attributes:
        follows: it is to follow the key before it, once people have named it.
    """

    kind: str
    fingerprint: str
    follows: bool


async def key_rows(hub: Hub) -> list[KeyRow]:
    """Return every key of the signer.

    Raises:
        UnreachableError: the signer does not answer.
    """
    return [
        KeyRow(kind, key.fingerprint(), follows=place > 0)
        for kind, held in (await hub.signer.keys()).items()
        for place, key in enumerate(held)
    ]


async def renew(hub: Hub, kind: str) -> Mapping[str, Any]:
    """Have the signer make the key that is to follow, and write its public half down for people.

    Raises:
        MalformedError: there is no such kind.
        UnreachableError: the signer does not answer.
        NotFoundError: this hub has no repository, so nobody names keys in it.
    """
    if hub.content is None:
        msg = "this hub has no repository of content: its keys are those that its trust root names"
        raise NotFoundError(msg)
    repository = HubRepository(hub.content.parent)
    public: PublicKey = await hub.signer.renew(kind)
    keys = await hub.signer.keys()
    await asyncio.to_thread(tell_renewed, repository, keys)
    return {
        "kind": kind,
        "public": public.b64(),
        "fingerprint": public.fingerprint(),
        "hub_keys": str(repository.hub_keys),
        "trust": hub.trust,
    }


def endings(hub: Hub) -> list[Ending]:
    """Return when everything that people signed for this hub ends; nothing for what is damaged."""
    found: list[Ending] = []
    if hub.content is None:
        return found
    repository = HubRepository(hub.content.parent)
    for role, kind in (
        (Role.ROOT, Kind.ROOT),
        (Role.RELEASE, Kind.RELEASE),
        (Role.TIMESTAMP, Kind.TIMESTAMP),
        (Role.PROMOTED, Kind.PROMOTED),
    ):
        with suppress(OsirisError):
            life = repository.life_of(role)
            if life is not None:
                found.append(Ending(kind, "", life.expires))
    with suppress(OsirisError):
        ends_s = repository.grants_end_s()
        if ends_s is not None:
            found.append(Ending(Kind.GRANTS, "", ends_s))
    with suppress(NoAuthorityError):
        found += of_authority(hub.desk.authority(hub.now_ms // 1000))
    return found


async def notices(hub: Hub) -> tuple[str, ...]:
    """Return in words what people should renew by now."""
    found, now_s = await asyncio.to_thread(endings, hub), hub.now_ms // 1000
    old = box_ages.sentences(hub.registry.keys_since(), now_s=now_s)
    return sentences(found, now_s=now_s, trust=hub.trust) + old
