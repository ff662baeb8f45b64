"""Revealing and forgetting: a named account, a reason, evidence first, never the value in it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from appliance.core.erasure import person
from appliance.handlers.disclosures import Disclosures
from appliance.handlers.scrubber import Scrubber
from appliance.handlers.signing_in import Asker, SignInError
from appliance.store import accounts
from appliance.store.proof import verify
from appliance.store.vault import Vault
from proto.envelope import Kind as Statement
from proto.envelope import open_envelope
from proto.errors import MalformedError, NotFoundError, OsirisError
from proto.evidence import PhiAct, PhiLeaf, commit, parse_leaf
from proto.keys import trust_one
from proto.phi import default_names, tokens
from proto.phi.values import Kind
from proto.secret import Secret
from proto.strict_json import b64_encode
from tests.e2e.front_door import PASSWORD
from tests.e2e.portal_world import PERSON, PortalWorld, portal_world

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)
LINE = "Patient: GARCIA, Maria MRN 00481516; guarantor SMITH, John MRN 77345112"
REASON = "asked for by the patient's physician"


@dataclass
class Site:
    """A portal's world with a real vault and what may be asked of it."""

    world: PortalWorld
    scrubber: Scrubber
    disclosures: Disclosures

    async def phi_leaves(self) -> list[tuple[bytes, PhiLeaf]]:
        """The leaves of this kind, with their raw envelopes."""
        async with self.world.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT leaf FROM evidence ORDER BY idx")
            work = self.world.work
            await verify(conn, work.scribe, cosigners=work.trust.cosigners)
        trust = trust_one("appliance", self.world.work.scribe.key.public)
        found = []
        for row in rows:
            body = open_envelope(row["leaf"], kind=Statement.EVIDENCE, trust=trust).body
            leaf = parse_leaf(body)
            if isinstance(leaf, PhiLeaf):
                found.append((body, leaf))
        return found


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    async with portal_world(folder) as world:
        scrubber = world.work.scrubber
        assert isinstance(scrubber, Scrubber)
        yield Site(world, scrubber, Disclosures(world.work, scrubber.vault))


def asker(*, password: str = PASSWORD, reason: str = REASON, account: str = PERSON) -> Asker:
    return Asker(account, Secret(password), reason)


def given_out(text: str, kind: Kind) -> list[str]:
    words = text.replace(";", " ").split()
    return [one for one in words if tokens.is_token(one) and tokens.kind_of(one) is kind]


async def test_a_reveal_shows_the_value_and_tells_who_by_code_and_the_class_alone(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as here:
        token = given_out(str(here.scrubber.scrub(LINE)), Kind.MRN)[0]
        value = await here.disclosures.reveal(token, asker())
        assert value.reveal() == "00481516"
        [(body, leaf)] = await here.phi_leaves()
        async with here.world.store.read() as conn:
            code = await accounts.code_of(conn, PERSON)
            [row] = await conn.execute_fetchall("SELECT salt, detail FROM disclosures")
        assert (leaf.act, leaf.actor, leaf.token_class, leaf.count) == (
            PhiAct.REVEALED, code, Kind.MRN, 1
        )  # fmt: skip
        for secret in ("00481516", PERSON, REASON, token[5:11]):
            assert secret.encode() not in body
        assert b64_encode(commit(row["salt"], row["detail"])) == leaf.commit
        [told] = await here.disclosures.latest()
        assert (told.account, told.reason, told.token_class) == (PERSON, REASON, "MRN")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (asker(password="not the password at all"), SignInError),  # noqa: S106 - a wrong one
        (asker(account="nobody"), SignInError),
        (asker(reason="  "), MalformedError),
        (asker(reason="x" * 401), MalformedError),
    ],
)
async def test_without_a_named_account_and_a_reason_nothing_is_revealed_or_forgotten(
    tmp_path: Path, wrong: Asker, error: type[OsirisError]
) -> None:
    async with site(tmp_path) as here:
        token = given_out(str(here.scrubber.scrub(LINE)), Kind.MRN)[0]
        with pytest.raises(error):
            await here.disclosures.reveal(token, wrong)
        with pytest.raises(error):
            await here.disclosures.forget(person(["Maria Garcia"], [], []), wrong)
        assert await here.phi_leaves() == []
        assert (await here.disclosures.reveal(token, asker())).reveal() == "00481516"


async def test_a_token_of_elsewhere_is_not_found_and_leaves_no_evidence(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for strange in (tokens.make(Kind.NAME, "abcdef"), "[NAME-", "", "\x00"):
            with pytest.raises(NotFoundError):
                await here.disclosures.reveal(strange, asker())
        assert await here.phi_leaves() == []


async def test_a_forgotten_person_is_gone_from_memory_and_from_the_file(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        once = str(here.scrubber.scrub(LINE))
        every = [one for kind in (Kind.NAME, Kind.MRN) for one in given_out(once, kind)]
        hers = given_out(once, Kind.MRN)[0]
        his = given_out(once, Kind.MRN)[1]
        await here.scrubber.settle()
        sealed = await _sealed(here)
        count = await here.disclosures.forget(person(["Maria Garcia"], ["00481516"], []), asker())
        assert count == len(every) // 2
        with pytest.raises(NotFoundError):
            await here.disclosures.reveal(hers, asker())
        assert (await here.disclosures.reveal(his, asker())).reveal() == "77345112"
        left = await _sealed(here)
        gone = [one for one in sealed if one not in left]
        assert len(gone) == count
        on_disk = _on_disk(tmp_path)
        assert not [one for one in gone if one in on_disk]
        # What was written stays opaque: it is no token of this vault any more, so it goes again.
        assert not here.scrubber.vault.knows(hers)
        assert hers not in str(here.scrubber.scrub(once))
        acts = [(leaf.act, leaf.count, leaf.token_class) for _, leaf in await here.phi_leaves()]
        assert acts == [(PhiAct.FORGOTTEN, count, None), (PhiAct.REVEALED, 1, Kind.MRN)]


def _on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


async def _sealed(here: Site) -> list[bytes]:
    async with here.world.store.read() as conn:
        return [
            bytes(row["sealed"]) for row in await conn.execute_fetchall("SELECT sealed FROM vault")
        ]


async def test_forgetting_holds_after_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        hers = given_out(str(here.scrubber.scrub(LINE)), Kind.MRN)[0]
        await here.disclosures.forget(person([], ["00481516"], []), asker())
        again = await Vault.open(here.world.store, here.world.work.sealer, os.urandom)
        assert not again.knows(hers)
        assert again.body(Kind.MRN, "00481516") != hers[5:11]


async def test_the_vault_is_asked_at_the_socket_and_at_no_page(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        token = given_out(str(here.scrubber.scrub(LINE)), Kind.MRN)[0]
        body = {"token": token, "account": PERSON, "password": PASSWORD, "reason": REASON}
        for app, status in ((here.world.socket, 200), (here.world.lan, 404)):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url="https://portal", trust_env=False
            ) as client:
                answer = await client.post("/api/phi/reveal", json=body)
                assert answer.status_code == status
                if status == 200:
                    assert answer.json()["value"] == "00481516"
                    gone = await client.post(
                        "/api/phi/forget",
                        json={**body, "names": [], "numbers": ["00481516"], "values": []},
                    )
                    assert gone.json() == {"forgotten": 1}
                    listed = (await client.get("/api/phi/disclosures")).json()
                    assert [one["act"] for one in listed] == ["forgotten", "revealed"]
                else:
                    assert "00481516" not in answer.text
