"""`osiris site limits|window|protect` and `osiris waiver list` as an administrator types them."""

import asyncio
import json

from typer.testing import CliRunner

from appliance.core.site_rules import ALL, Matter, Ordered
from appliance.store import ordered
from osiris.cli import app
from proto.catalog.model import Autonomy
from proto.evidence import COMMAND_LINE, LanAct, LanLeaf, open_leaf
from proto.keys import trust_one
from tests.e2e import clinic_rows as rows
from tests.e2e.test_device_verbs import Desk, desk

__all__ = ["desk"]


async def types(desk: Desk, *words: str) -> str:
    """Run a verb that must work, and return what it printed, however the lines were broken."""
    arguments = [*words, "--config", str(desk.config)]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert done.exit_code == 0, done.exception
    return " ".join(done.stdout.split())


async def test_limits_and_waivers_list_what_orders_set_too(desk: Desk) -> None:
    until_ms = rows.NOW_MS + rows.DAY
    waiver = Ordered(Matter.WAIVER, "net.telnet.open", rows.LAB, None, until_ms, "cd" * 32)
    level = Ordered(Matter.AUTONOMY, ALL, ALL, Autonomy.ALERT, until_ms, "ab" * 32)
    before = await types(desk, "site", "limits")
    async with desk.world.store.write() as conn:
        for one in (waiver, level):
            await ordered.add(conn, one, now_ms=rows.NOW_MS)
    limits = await types(desk, "site", "limits")
    assert "a person is told" not in before
    assert "Every check: a person is told" in limits
    assert "abababababababab" in limits
    assert "t-labaaaaaaa net.telnet" in await types(desk, "waiver", "list")
    (waived,) = [
        one for one in json.loads(await types(desk, "waiver", "list", "-o", "json")) if one["order"]
    ]
    assert (waived["target"], waived["account"]) == (rows.LAB, "order cdcdcdcdcdcdcdcd")


async def test_each_verb_that_sets_a_limit_writes_one_leaf(desk: Desk) -> None:
    await types(desk, "site", "protect", rows.LAB, "--reason", "the analyser's own")
    await types(desk, "site", "window", "add", "--days", "sat", "--start", "22:00", "--hours", "2")
    await types(desk, "site", "window", "remove", "1")
    await types(desk, "site", "unprotect", rows.LAB)
    trust = trust_one("appliance", desk.world.work.scribe.key.public)
    async with desk.world.store.read() as conn:
        found = await conn.execute_fetchall("SELECT leaf FROM evidence WHERE type = 'lan'")
    leaves = [open_leaf(one["leaf"], trust) for one in found]
    told = [(one.act, one.actor) for one in leaves if isinstance(one, LanLeaf)]
    acts = (LanAct.PROTECTED, LanAct.WINDOW_ADDED, LanAct.WINDOW_REMOVED, LanAct.UNPROTECTED)
    assert told == [(act, COMMAND_LINE) for act in acts]
