"""Which of an appliance's keys sign what goes to the hub, while they are renewed."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.core.sentry import Sentry
from appliance.ports import HubRefusedError
from appliance.shell.hub_client import HubClient
from appliance.store.evidence import Scribe
from proto.appliance_keys import ENROLLED
from proto.envelope import parse
from proto.hub.evidence import EvidenceWanted
from proto.ids import ApplianceId, SiteId
from proto.keys import SEED_BYTES, SigningKey
from runtime import tls
from runtime.clock import SystemClock
from tests.fakes import tcp

FORMER, NEXT = (SigningKey(bytes([number]) * SEED_BYTES) for number in (1, 2))
ASKED = EvidenceWanted(appliance="a-aaaaaaaaaa", iat=1, first=0)


@dataclass
class Door:
    """A hub's door that knows one key, and says who has signed each request.

    Attributes:
        happens: what happens here while a request is under way.
    """

    known: SigningKey
    happens: Callable[[], None] = lambda: None
    signed: list[tuple[str, ...]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split()[0])
        key_ids = parse(await reader.readexactly(size)).key_ids
        self.signed.append(key_ids)
        self.happens()
        is_known = self.known.public.key_id in key_ids
        status = b"200 OK" if is_known else b"403 Forbidden"
        body = b"{}" if is_known else json.dumps({"code": "unknown_key", "message": ""}).encode()
        head = b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        writer.write(head % (status, len(body)) + body)


def scribe_of(key: SigningKey, *others: SigningKey) -> Scribe:
    named = Scribe(SiteId("s-aaaaaaaaaa"), ApplianceId("a-aaaaaaaaaa"), "hub.example", key)
    named.others = others
    return named


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[Door, ssl.SSLContext]]:
    now_ms = SystemClock().now_ms()
    material = tls.ensure(tmp_path / "tls", ["127.0.0.1"], now_ms=now_ms, common_name="door")
    made = Door(FORMER)
    authority = (tmp_path / "tls" / tls.CA_CERT).read_text("ascii")
    async with tcp.serving(made.serve, tls=tls.server_context(material)) as made.port:
        yield made, tls.client_context(authority)


async def ask(door: Door, context: ssl.SSLContext, scribe: Scribe) -> bytes:
    origin = f"https://127.0.0.1:{door.port}"
    client = HubClient(origin, tls=context, signer=scribe, sentry=Sentry())
    try:
        return await client.send(ASKED)
    finally:
        await client.close()


async def test_a_question_that_is_under_way_while_the_keys_are_renewed_is_asked_again(
    door: tuple[Door, ssl.SSLContext],
) -> None:
    """The hub takes the renewal first, and from then on the former key alone counts for nothing."""
    made, context = door
    scribe = scribe_of(FORMER)
    scribe.hub_holds = 5

    def renew() -> None:
        made.known = NEXT
        scribe.others = (NEXT,)
        scribe.go_on_with(NEXT.public, named_at=5)

    made.happens = renew
    assert await ask(made, context, scribe) == b"{}"
    first, second = made.signed
    assert first == (FORMER.public.key_id,)
    assert set(second) == {FORMER.public.key_id, NEXT.public.key_id}


async def test_a_hub_put_back_to_before_a_renewal_is_asked_once_more_with_the_former_key_too(
    door: tuple[Door, ssl.SSLContext],
) -> None:
    made, context = door
    scribe = scribe_of(NEXT, FORMER)
    scribe.named_at, scribe.hub_holds = 3, 9
    assert await ask(made, context, scribe) == b"{}"
    assert [len(one) for one in made.signed] == [1, 2]


async def test_a_hub_that_knows_no_key_at_all_is_asked_no_third_time(
    door: tuple[Door, ssl.SSLContext],
) -> None:
    made, context = door
    made.known = SigningKey(bytes([3]) * SEED_BYTES)
    scribe = scribe_of(NEXT, FORMER)
    scribe.named_at, scribe.hub_holds = 3, 9
    with pytest.raises(HubRefusedError):
        await ask(made, context, scribe)
    with pytest.raises(HubRefusedError):
        await ask(made, context, scribe)
    assert [len(one) for one in made.signed] == [1, 2, 2]
    assert scribe.hub_holds == ENROLLED
