"""Sealed logins at the hub: only of who may ask for orders with them there."""

from pathlib import Path

import pytest

from central.store import order_tables
from proto.envelope import Kind, sign
from proto.hub.desk import PATH_ASK, SendBox
from proto.strict_json import b64_encode
from tests.e2e.order_scene import trust
from tests.fakes.box import said
from tests.fakes.hub import trial
from tests.unit.order_world import key


@pytest.mark.parametrize(("person", "status", "kept"), [("ada", 200, 1), ("cyd", 403, 0)])
async def test_a_person_sends_logins_only_to_their_own_sites(
    tmp_path: Path, person: str, status: int, kept: int
) -> None:
    """Sixteen boxes fill an appliance's places: nobody else may take them."""
    async with trial(tmp_path, trust=trust) as hub:
        box = await hub.box()
        ask = SendBox(
            by=person,
            iat=hub.now_s,
            nonce="ab" * 16,
            site=box.site,
            appliance=box.appliance,
            box=b64_encode(b"sealed"),
        )
        body = sign(Kind.ASK, ask.to_bytes(), key(person))
        found, answer = await hub.net.request("POST", PATH_ASK, body)
        assert found == status, answer
        assert status == 200 or said(answer)["code"] == "ask_scope"
        assert await hub.count(order_tables.order_boxes) == kept
