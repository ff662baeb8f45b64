"""Enrollment, against a whole hub over real SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from central.commands import new_claim
from central.core.settings import HubSettings
from central.store import tables
from proto.claim import parse_claim_code
from proto.envelope import Kind, open_envelope, sign
from proto.hub.enroll import PATH_ENROLL, PATH_ROOT
from proto.keys import SEED_BYTES, SigningKey, trust_one
from tests.fakes.box import Box, said
from tests.fakes.hub import Trial, running_hub, trial


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Trial]:
    async with trial(tmp_path) as made:
        yield made


async def refused(hub: Trial, body: bytes, status: int) -> str:
    got, answer = await hub.net.request("POST", PATH_ENROLL, body)
    assert got == status, answer
    return str(said(answer)["code"])


async def test_the_root_is_served_byte_for_byte_as_the_claim_code_pins_it(hub: Trial) -> None:
    assert await hub.net.get(PATH_ROOT) == hub.secrets.root


async def test_a_claim_code_makes_an_appliance_of_its_site(hub: Trial) -> None:
    site, code = await hub.net.claim()
    box = Box.make(hub.entropy)
    answer = await hub.net.post(PATH_ENROLL, box.enroll_request(code, now_s=hub.now_s))
    reply = box.enrolled(answer, hub.root)
    assert reply.site == site
    assert reply.log_origin == f"hub.example:8443/site/{site}/evidence/{reply.appliance}"


async def test_a_lost_reply_costs_nothing(hub: Trial) -> None:
    _, code = await hub.net.claim()
    box = Box.make(hub.entropy)
    first = box.enrolled(
        await hub.net.post(PATH_ENROLL, box.enroll_request(code, now_s=hub.now_s)), hub.root
    )
    again = box.enrolled(
        await hub.net.post(PATH_ENROLL, box.enroll_request(code, now_s=hub.now_s)), hub.root
    )
    assert again.appliance == first.appliance
    assert await hub.count(tables.appliances) == 1


async def test_a_site_has_no_more_appliances_than_its_signer_is_told_of(
    hub: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more, and no appliance of the site would get orders."""
    monkeypatch.setattr("central.api.agent.APPLIANCES_MAX", 1)
    site, first = await hub.net.claim()
    box = Box.make(hub.entropy)
    made = box.enroll_request(first, now_s=hub.now_s)
    assert box.enrolled(await hub.net.post(PATH_ENROLL, made), hub.root).site == site
    second = parse_claim_code(await new_claim(hub.net.hub, site))
    other = Box.make(hub.entropy).enroll_request(second, now_s=hub.now_s)
    assert await refused(hub, other, 403) == "site_full"
    again = await hub.net.post(PATH_ENROLL, made)
    assert said(again), "the one that is there is answered as before"


async def test_a_used_claim_makes_no_second_appliance(hub: Trial) -> None:
    _, code = await hub.net.claim()
    await hub.net.post(PATH_ENROLL, Box.make(hub.entropy).enroll_request(code, now_s=hub.now_s))
    other = Box.make(hub.entropy).enroll_request(code, now_s=hub.now_s)
    assert await refused(hub, other, 403) == "claim_refused"
    assert await hub.count(tables.appliances) == 1


async def test_a_wrong_secret_is_refused_and_recorded(hub: Trial) -> None:
    _, code = await hub.net.claim()
    wrong = type(code)(code.hub_url, bytes(16), code.root_fingerprint)
    body = Box.make(hub.entropy).enroll_request(wrong, now_s=hub.now_s)
    assert await refused(hub, body, 403) == "claim_refused"
    assert await hub.count(tables.refusals) == 1


async def test_the_right_claim_with_another_proof_is_refused_with_the_same_words(
    hub: Trial,
) -> None:
    """A guesser learns nothing from the answer: not even that the claim exists."""
    _, code = await hub.net.claim()
    box, other = Box.make(hub.entropy), Box.make(hub.entropy)
    stolen = box.enroll_request(code, now_s=hub.now_s)
    forged = replace_key(stolen, box, other)
    unknown = type(code)(code.hub_url, bytes(16), code.root_fingerprint)
    _, to_forged = await hub.net.request("POST", PATH_ENROLL, forged)
    _, to_unknown = await hub.net.request(
        "POST", PATH_ENROLL, other.enroll_request(unknown, now_s=hub.now_s)
    )
    assert to_forged == to_unknown
    assert await hub.count(tables.appliances) == 0


def replace_key(request: bytes, box: Box, thief: Box) -> bytes:
    """Return a request that carries the proof of `box` but names the keys of `thief`."""
    opened = open_envelope(request, kind=Kind.ENROLL, trust=trust_one("box", box.key.public))
    body = opened.body.replace(box.key.public.b64().encode(), thief.key.public.b64().encode())
    return sign(Kind.ENROLL, body, thief.key)


async def test_a_request_signed_by_another_key_than_it_names_is_refused(hub: Trial) -> None:
    _, code = await hub.net.claim()
    other = SigningKey(hub.entropy(SEED_BYTES))
    body = Box.make(hub.entropy).enroll_request(code, now_s=hub.now_s, signer=other)
    assert await refused(hub, body, 403) == "signature_threshold"


async def test_an_expired_claim_is_refused(hub: Trial) -> None:
    _, code = await hub.net.claim()
    hub.clock.advance(HubSettings().claim_life_s * 1000)
    body = Box.make(hub.entropy).enroll_request(code, now_s=hub.now_s)
    assert await refused(hub, body, 403) == "claim_refused"


async def test_a_key_is_of_one_appliance_for_ever(hub: Trial) -> None:
    box = await hub.box()
    _, second = await hub.net.claim("Other")
    assert await refused(hub, box.enroll_request(second, now_s=hub.now_s), 409) == "key_in_use"


async def test_the_store_holds_no_secret_of_a_claim(hub: Trial) -> None:
    """A copy of the database must enroll nothing: the secret lies sealed, and is erased by use."""
    _, code = await hub.net.claim()
    raw = b"".join(part.read_bytes() for part in hub.path.parent.iterdir())
    assert code.secret not in raw


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"payload":"AA=="}', b"[" * 5000])
async def test_what_is_no_request_is_refused_in_one_clear_sentence(hub: Trial, body: bytes) -> None:
    status, answer = await hub.net.request("POST", PATH_ENROLL, body)
    assert status == 400
    assert set(said(answer)) == {"code", "message"}
    assert await hub.count(tables.appliances) == 0


async def test_an_oversized_request_is_cut_off(hub: Trial) -> None:
    assert await refused(hub, b"x" * 70_000, 413) == "too_large"


async def test_an_appliance_is_known_again_after_a_restart(hub: Trial, tmp_path: Path) -> None:
    box = await hub.box()
    async with running_hub(
        tmp_path / "hub.db", clock=hub.clock, entropy=hub.entropy, secrets=hub.secrets
    ) as again:
        status, _ = await again.request(
            "POST", "/api/agent/check-in", box.check_in(now_s=hub.now_s)
        )
    assert status == 200
