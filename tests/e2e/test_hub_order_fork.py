"""A hub that signed two histories of a site's orders: it is said at the hub, and orders stop."""

from pathlib import Path

import pytest

from central.console.frame import CONDITIONS
from central.core.health import WORDS, Condition
from central.store import tables
from proto import envelope
from proto.envelope import Kind
from proto.errors import OsirisError
from proto.hub import orders as messages
from proto.note import Checkpoint, sign_checkpoint
from proto.order_log import origin_of
from tests.e2e.test_hub_orders import Kept, World, running


async def standing(world: World) -> dict[str, str]:
    """Return what the hub found wrong, by code."""
    async with world.trial.net.hub.store.read() as connection:
        rows = await connection.execute(tables.conditions.select())
        return {row.code: row.message for row in rows if row.cleared_ms is None}


def other_history(world: World) -> str:
    """Return a checkpoint that this hub's own key signed, over another log of the same size."""
    origin = origin_of("hub.example:8443", world.site)
    held = Checkpoint(origin, world.copy.mirror.tree.size, b"r" * 32)
    return sign_checkpoint(held, signer=world.trial.secrets.keys.of("log")[0]).decode()


async def test_a_second_history_is_a_condition_of_its_own_and_nothing_is_served(
    tmp_path: Path,
) -> None:
    async with running(Kept.make(tmp_path)) as world:
        await world.copy.fetch()
        await world.draft("d1")
        await world.copy.fetch()
        assert await standing(world) == {}
        body = world.copy.request(checkpoint=other_history(world))
        status, answer = await world.trial.net.request("POST", messages.PATH, body)
        assert status == 409
        assert b'"order_log_fork"' in answer
        assert set(await standing(world)) == {"order_log_fork"}
        # The honest copy of the same appliance still gets its answer.
        assert (await world.copy.fetch()).head is not None
        assert set(await standing(world)) == {"order_log_fork"}, "a person says when it is over"


def test_people_are_told_what_it_means_and_what_to_do() -> None:
    said = CONDITIONS[Condition.ORDER_LOG_FORK].sentence
    assert "two different backups" in said
    assert "treat the hub as taken over" in said
    assert not WORDS[Condition.ORDER_LOG_FORK].ends_by_itself


async def test_a_checkpoint_by_anybody_else_says_nothing(tmp_path: Path) -> None:
    """Nobody but the hub's own log key can make the hub call itself forked."""
    async with running(Kept.make(tmp_path)) as world:
        await world.copy.fetch()
        origin = origin_of("hub.example:8443", world.site)
        made = Checkpoint(origin, 0, b"r" * 32)
        forged = sign_checkpoint(made, signer=world.copy.box.key).decode()
        body = world.copy.request(checkpoint=forged)
        assert envelope.parse(body).kind is Kind.ORDERS
        with pytest.raises(OsirisError):
            await world.trial.net.post(messages.PATH, body)
        assert await standing(world) == {}
