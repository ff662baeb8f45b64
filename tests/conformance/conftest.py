"""A fresh store of the hub for each test, on SQLite and on PostgreSQL."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from central.store import appliances, migrate, sites
from central.store.engine import Store, open_store
from proto.ids import ApplianceId, SiteId
from runtime.sqlite import inline
from tests.fakes import postgres
from tests.fakes.postgres import Postgres

SITE = SiteId("s-aaaaaaaaaa")
BOX = ApplianceId("a-aaaaaaaaaa")
NOW_MS = 1_767_225_600_000


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    binaries = postgres.find_binaries()
    if binaries is None:
        reason = f"no PostgreSQL server here: apt-get install {postgres.PACKAGE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.running(binaries) as made:
        yield made


@pytest.fixture(params=["sqlite", "sqlite inline", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        made: Postgres = request.getfixturevalue("server")
        return made.new_url()
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
async def store(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    is_inline = "inline" in request.node.name
    made = open_store(url, connect=inline if is_inline else None)
    await migrate.migrate(made)
    async with made.write() as connection:
        await sites.add_site(SITE, connection, label="One", now_ms=NOW_MS)
        await appliances.add(
            SITE, connection, appliance=BOX, ed25519=b"e" * 32, x25519=b"x" * 32, now_ms=NOW_MS
        )
    yield made
    await made.close()
