"""A hub says that its trust is several people's only where a pinned root says so."""

import hashlib
from pathlib import Path

import pytest

from central.repository import HubRepository
from proto.keysets import Role
from runtime.repository.documents import Making, make_root
from tests.fakes.repository import RepositoryWorld


@pytest.mark.parametrize("is_development", [False, True])
def test_the_root_itself_says_whose_it_is(tmp_path: Path, *, is_development: bool) -> None:
    world = RepositoryWorld(tmp_path / "people")
    plan = world.root_plan(is_development=is_development)
    repository = HubRepository(tmp_path / "hub")
    root = make_root(plan, Making.of(Role.ROOT, 1, now_s=world.now_s))
    repository.place.write(Role.ROOT, 1, root)
    pinned = hashlib.sha256(root).digest()
    assert repository.is_development(pinned=pinned) is is_development
    repository.people.mkdir()
    assert repository.is_development(pinned=pinned) is is_development


def test_a_root_that_is_not_the_pinned_one_or_not_there_claims_no_people(tmp_path: Path) -> None:
    world = RepositoryWorld(tmp_path / "people")
    repository = HubRepository(tmp_path / "hub")
    assert repository.is_development(pinned=b"p" * 32)
    plan = world.root_plan(is_development=False)
    repository.place.write(
        Role.ROOT, 1, make_root(plan, Making.of(Role.ROOT, 1, now_s=world.now_s))
    )
    assert repository.is_development(pinned=b"p" * 32)
    assert repository.is_development(pinned=None)
