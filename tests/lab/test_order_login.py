"""A login that was sealed far away replaces the old one on a real sshd, or changes nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.box_keys import BoxKeys
from appliance.handlers import targets as target_handlers
from appliance.handlers.orders.table import RUNS
from appliance.handlers.targets import Found, Wanted
from appliance.handlers.work import Work
from appliance.ports import Credential, Sudo
from appliance.store import opinions
from osiris.demo.lab import LabHost
from osiris.demo.world import World
from proto.ids import TargetId
from proto.orders.kinds import OrderType
from proto.receipts import Outcome
from proto.sealed_login import SealedLogin, digest_of, seal
from proto.secret import Secret
from tests.e2e.portal_world import portal_world
from tests.lab.forwarded_shell import ForwardedShell
from tests.lab.scan_in_world import WorldScanner
from tests.unit.test_order_handlers import BOX_KEY, accepted

MAKE_KEY = "rm -f /tmp/k /tmp/k.pub; ssh-keygen -q -t ed25519 -N '' -f /tmp/k; cat /tmp/k"


@pytest.fixture
async def work(world: World, tmp_path: Path) -> AsyncIterator[Work]:
    async with portal_world(
        tmp_path, scanner=WorldScanner(world), shell=ForwardedShell(world)
    ) as made:
        yield replace(made.work, box_keys=BoxKeys(BOX_KEY))


async def added(work: Work, host: LabHost) -> Found:
    """Look after a host by its first key."""
    shown = await target_handlers.look(work, host.address, 22)
    first = Secret(host.key.private.read_text("ascii"))
    wanted = Wanted(
        host.address,
        22,
        host.login,
        Sudo.NOPASSWD,
        Credential(first, None, None),
        shown.host_key,
        "",
    )
    return await target_handlers.add(work, wanted)


async def ordered(work: Work, target: TargetId, host: LabHost, private_key: str) -> Outcome:
    """Send a sealed login and carry out the order that names it; return how it ended."""
    login = SealedLogin(target, host.login, "nopasswd", Secret(private_key), None, None)
    box = seal(login, BOX_KEY.public)
    async with work.store.write() as conn:
        await opinions.keep_box(conn, box, now_ms=work.clock.now_ms())
    wish = {
        "target": target,
        "sealed_sha256": digest_of(box),
        "sealed_to": BOX_KEY.public.digest(),
    }
    order = accepted(OrderType.UPDATE_CREDENTIALS, wish)
    done = await RUNS[OrderType.UPDATE_CREDENTIALS](work, order)
    return done.outcome


async def test_the_new_key_is_tried_first_and_then_the_old_one_is_not_needed(
    work: Work, host: LabHost
) -> None:
    found = await added(work, host)
    private_key = str(host.sh(MAKE_KEY).output)
    stranger = await ordered(work, found.target, host, private_key)
    still = await target_handlers.test(work, found.target)
    host.sh(f"cat /tmp/k.pub >> ~{host.login}/.ssh/authorized_keys")
    replaced = await ordered(work, found.target, host, private_key)
    host.sh(f"cat /tmp/k.pub > ~{host.login}/.ssh/authorized_keys")
    after = await target_handlers.test(work, found.target)
    assert (stranger, replaced) == (Outcome.FAILED, Outcome.DONE)
    assert still.is_root
    assert after.is_root
