"""A hub drafts orders by the runbooks that people released, whatever its own package ships."""

from pathlib import Path

from central.operators import ReleasedRunbooks
from proto.keysets import Role
from proto.orders.kinds import is_grave
from tests.fakes.repository import RepositoryWorld
from tests.unit.reference_set import RUNBOOK, edited

NAME = "rb.lin.ssh.root_login"


def test_the_runbooks_of_the_newest_release_count_from_when_it_is_served(tmp_path: Path) -> None:
    world = RepositoryWorld(tmp_path)
    runbooks = ReleasedRunbooks(world.place, {})
    assert NAME not in runbooks()
    world.first()
    assert not is_grave(runbooks()[NAME])
    world.release(2, edited(RUNBOOK, "disruption: service", "disruption: reboot"))
    assert not is_grave(runbooks()[NAME])
    assert not world.take_in().problem
    assert is_grave(runbooks()[NAME])


def test_a_release_that_cannot_be_read_makes_nothing_known(tmp_path: Path) -> None:
    world = RepositoryWorld(tmp_path)
    runbooks = ReleasedRunbooks(world.place, {})
    world.first()
    file = world.place.metadata(Role.RELEASE, 1)
    whole = file.read_bytes()
    for broken in (b"", b"{}", whole[:-9], b'{"signed":{"targets":{"a":1}}}'):
        file.write_bytes(broken)
        assert runbooks() == {}
    file.write_bytes(whole)
    assert NAME in runbooks()
