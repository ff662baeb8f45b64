"""What of this hub's trust ends when, and how each of its signer's keys stands.

What is read is what people signed, as it lies here; nothing is verified for being shown.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from central.core import box_ages
from central.core.endings import Ending, Kind, of_authority, sentences
from central.operators import NoAuthorityError, NoAuthorityYetError
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
    keys, vouchers = await hub.signer.keys(), await hub.signer.vouchers()
    await asyncio.to_thread(tell_renewed, repository, keys, vouchers)
    return {
        "kind": kind,
        "public": public.b64(),
        "fingerprint": public.fingerprint(),
        "hub_keys": str(repository.hub_keys),
        "trust": hub.trust,
    }


@dataclass(frozen=True, slots=True)
class Endings:
    """What ends, and what could not be read.

    Attributes:
        damaged: what is wrong with each document that cannot be read, a sentence each.
    """

    found: tuple[Ending, ...]
    damaged: tuple[str, ...]


def endings(hub: Hub) -> Endings:
    """Return when everything that people signed for this hub ends, as far as it can be read."""
    if hub.content is None:
        return Endings((), ())
    repository = HubRepository(hub.content.parent)
    found: list[Ending] = []
    damaged: list[str] = []
    for kind, ends_s in (
        (Kind.ROOT, partial(_end_of, repository, Role.ROOT)),
        (Kind.RELEASE, partial(_end_of, repository, Role.RELEASE)),
        (Kind.TIMESTAMP, partial(_end_of, repository, Role.TIMESTAMP)),
        (Kind.PROMOTED, partial(_end_of, repository, Role.PROMOTED)),
        (Kind.GRANTS, repository.grants_end_s),
    ):
        try:
            end_s = ends_s()
        except OsirisError as error:
            damaged.append(f"The {kind} cannot be read: {error}")
        else:
            found += [] if end_s is None else [Ending(kind, "", end_s)]
    try:
        found += of_authority(hub.desk.authority(hub.now_ms // 1000))
    except NoAuthorityYetError:
        pass  # a hub before its ceremony has nothing that ends
    except NoAuthorityError as error:
        damaged.append(f"Nothing can be ordered: {error}")
    return Endings(tuple(found), tuple(damaged))


def _end_of(repository: HubRepository, role: Role) -> int | None:
    life = repository.life_of(role)
    return None if life is None else life.expires


async def notices(hub: Hub) -> tuple[str, ...]:
    """Return in words what cannot be read, and what people should renew by now."""
    told, now_s = await asyncio.to_thread(endings, hub), hub.now_ms // 1000
    old = box_ages.sentences(hub.registry.keys_since(), now_s=now_s)
    return told.damaged + sentences(told.found, now_s=now_s, trust=hub.trust) + old
