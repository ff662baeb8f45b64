"""Renewing what people signed: what holds already goes on, and what would not is refused early."""

import shutil
from pathlib import Path

import pytest

from osiris.desk import drafting, publishing
from proto.keysets import DAY_S, PeopleError, Role
from tests.unit.release_world import GRANTED, NOW_S, Ceremony


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a first publication by ada and bo."""
    made = Ceremony(tmp_path_factory.mktemp("prepared"))
    made.draft()
    made.sign("ada", "bo")
    assert not made.publish().problem
    return made.directory


@pytest.fixture
def published(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def leaves(made: Ceremony, person: str) -> None:
    """Take a person's card as an operator out of the folder."""
    (made.folder.directory / "people" / f"{person}.operator.json").unlink()
    del made.keys[Role.OPERATOR, person]


def test_a_release_that_the_grants_signer_left_asks_for_new_grants(published: Ceremony) -> None:
    leaves(published, "ada")
    drafting.draft_release(published.folder, None, now_s=NOW_S + DAY_S)
    published.sign("ada", "bo")
    with pytest.raises(PeopleError, match="osiris content grant"):
        publishing.check_drafts(published.folder, now_s=NOW_S + DAY_S)
    drafting.draft_grants(published.folder, GRANTED, now_s=NOW_S + DAY_S)
    published.sign("bo", "cy")
    assert not published.publish(now_s=NOW_S + DAY_S).problem
