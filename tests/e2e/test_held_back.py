"""What was stopped at the door, as people of the site see it: on the portal and as a verb."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance import config
from appliance.handlers.held_back import Stopped, hold_back
from appliance.shell.identity import Place
from osiris.cli import app
from proto.phi.inside import look_inside
from runtime.serve import serve
from runtime.unix_socket import listen_unix
from tests.e2e.portal_world import PortalWorld, portal_world

PERSON = b"Maria Gonzalez, SSN 521-44-9921"


@dataclass(frozen=True)
class Desk:
    """An administrator's terminal on the appliance, whose daemon runs."""

    world: PortalWorld
    config: Path

    async def types(self, *words: str) -> str:
        """Run a verb of `osiris phi` and return what it says."""
        arguments = ["phi", *words, "--config", str(self.config)]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert done.exit_code == 0, done.exception
        return done.stdout

    async def health(self) -> str:
        """Return the portal's page on health."""
        async with self.world.signed_in() as client:
            return (await client.get("/health")).text


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    state, file = tmp_path / "state", tmp_path / "appliance.toml"
    file.write_text(
        config.as_toml(
            address="127.0.0.1", networks=(), time_zone="UTC", state_dir=state, label="x"
        )
    )
    place = Place(state)
    place.prepare()
    async with portal_world(tmp_path) as world:
        stop, up = asyncio.Event(), listen_unix(place.socket)
        serving = asyncio.create_task(serve(world.socket, up, stop=stop))
        try:
            yield Desk(world, file)
        finally:
            stop.set()
            await serving


async def test_what_was_held_back_is_listed_without_its_text_and_ends_when_looked_into(
    desk: Desk,
) -> None:
    assert json.loads(await desk.types("held-back", "-o", "json")) == []
    stopped = Stopped("evidence detail", PERSON, look_inside(PERSON))
    for _ in range(2):
        await hold_back(desk.world.work, stopped)
    (row,) = json.loads(await desk.types("held-back", "-o", "json"))
    assert (row["what"], row["forms"], row["times"]) == ("evidence detail", ["ssn"], 2)
    assert row["size_bytes"] == len(PERSON)
    said, page = await desk.types("held-back"), await desk.health()
    assert "evidence detail" in said
    assert "Text was stopped at the door" in page
    assert "1 held back: ssn" in page
    for shown in (said, page, json.dumps(row)):
        assert "Gonzalez" not in shown
        assert "521-44" not in shown

    assert "1" in await desk.types("held-back", "--forget")
    assert json.loads(await desk.types("held-back", "-o", "json")) == []
    assert "Text was stopped at the door" not in await desk.health()
