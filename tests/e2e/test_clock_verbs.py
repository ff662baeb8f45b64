"""`osiris site clock set` as somebody types it: a named person's password opens it, no more."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from appliance.shell.identity import Place
from appliance.store import accounts, order_state
from osiris.cli import app
from proto.errors import OsirisError
from proto.evidence import open_leaf
from proto.keys import trust_one
from proto.receipts import ClockSet
from runtime.unix_socket import listen_unix
from tests.e2e import clinic_rows as rows
from tests.e2e.front_door import PASSWORD
from tests.e2e.portal_world import PERSON
from tests.e2e.test_device_verbs import Desk, desk

__all__ = ["desk"]

AHEAD_S = rows.NOW_MS // 1000 + 365 * 86_400
BACK = "2026-01-01T00:00"
NOBODY = 65_534


async def sets(desk: Desk, *, account: str = PERSON, password: str = PASSWORD) -> Result:
    """Set the floor back by the command line, with the password on standard input."""
    words = ("site", "clock", "set", BACK, "--account", account, "--reason", "it ran ahead")
    arguments = [*words, "--config", str(desk.config)]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=f"{password}\n")


async def ran_ahead(desk: Desk) -> None:
    async with desk.world.store.write() as conn:
        await order_state.pass_people(conn, AHEAD_S)


async def floor_s(desk: Desk) -> int:
    async with desk.world.store.read() as conn:
        return (await order_state.load(conn)).floor.at_s


async def told(desk: Desk) -> list[ClockSet]:
    trust = trust_one("appliance", desk.world.work.scribe.key.public)
    async with desk.world.store.read() as conn:
        found = await conn.execute_fetchall("SELECT leaf FROM evidence ORDER BY idx")
    leaves = [open_leaf(one["leaf"], trust) for one in found]
    return [one for one in leaves if isinstance(one, ClockSet)]


def require_refused(done: Result) -> None:
    assert isinstance(done.exception, OsirisError)
    assert "the account or its password is wrong" in str(done.exception)


async def test_the_person_themselves_sets_it_and_evidence_names_their_account(desk: Desk) -> None:
    await ran_ahead(desk)
    done = await sets(desk)
    assert done.exit_code == 0, done.exception
    assert PASSWORD not in done.output
    assert await floor_s(desk) < AHEAD_S
    async with desk.world.store.read() as conn:
        code = await accounts.code_of(conn, PERSON)
    assert [(one.by, one.account) for one in await told(desk)] == [("lan", code)]


@pytest.mark.parametrize("password", ["not the password at all", PASSWORD[:-1]])
async def test_whoever_does_not_know_the_password_sets_nothing_in_that_name(
    desk: Desk, password: str
) -> None:
    await ran_ahead(desk)
    done = await sets(desk, password=password)
    require_refused(done)
    assert (await floor_s(desk), await told(desk)) == (AHEAD_S, [])


async def test_neither_does_a_name_that_is_nobodys_or_is_shut_out(desk: Desk) -> None:
    await ran_ahead(desk)
    unknown = await sets(desk, account="nobody")
    async with desk.world.store.write() as conn:
        await accounts.shut(conn, PERSON, now_ms=1)
    shut = await sets(desk)
    for done in (unknown, shut):
        require_refused(done)
    assert (await floor_s(desk), await told(desk)) == (AHEAD_S, [])


async def test_the_network_has_no_such_door_not_even_signed_in(desk: Desk) -> None:
    body = {"to_s": 1, "account": PERSON, "password": PASSWORD, "reason": "from the LAN"}
    await ran_ahead(desk)
    async with desk.world.signed_in() as client:
        assert (await client.post("/api/clock", json=body)).status_code == 404
        assert (await client.get("/api/clock")).status_code == 404
    assert await floor_s(desk) == AHEAD_S


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user of this machine")
def test_another_user_of_this_machine_does_not_reach_the_socket(tmp_path: Path) -> None:
    """Its directory is the appliance's alone; and were it open, the socket itself is."""
    place = Place(tmp_path / "state")
    place.prepare()
    with listen_unix(place.socket):
        assert place.socket.stat().st_mode & 0o777 == 0o600
        assert refused_as(NOBODY, place.socket)
        for folder in (place.directory, *place.directory.parents):
            if folder.stat().st_uid == os.geteuid() and folder.is_relative_to(tmp_path):
                folder.chmod(0o755)
        assert refused_as(NOBODY, place.socket)
        assert not refused_as(0, place.socket)


def refused_as(user: int, path: Path) -> bool:
    """Tell whether the kernel refuses a user of this machine to connect; a child asks."""
    child = os.fork()
    if child == 0:
        said = 2
        try:
            os.setuid(user)
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(str(path))
            said = 0
        except PermissionError:
            said = 1
        finally:
            os._exit(said)
    _, status = os.waitpid(child, 0)
    found = os.waitstatus_to_exitcode(status)
    assert found in {0, 1}, "the child could not ask at all"
    return found == 1
