"""Content that people signed for an earlier program is read by this one: it lacks later lists."""

import re
from importlib import resources

import pytest

from proto.errors import CatalogError
from proto.phi.policy import FILES, read_policies

LATER = (
    ("keys.yaml", "composed"),
    ("keys.yaml", "facts"),
    ("vocabulary.yaml", "companies"),
    ("vocabulary.yaml", "makers"),
    ("vocabulary.yaml", "zones"),
)


def without(name: str, member: str) -> dict[str, bytes]:
    """Return the installed files, one of them without one member at its margin."""
    folder = resources.files("rules").joinpath("phi")
    files = {one: folder.joinpath(one).read_bytes() for one in FILES}
    cut = re.compile(rf"^{member}:.*\n(?:[ #].*\n)*".encode(), re.MULTILINE)
    assert cut.search(files[name])
    files[name] = cut.sub(b"", files[name])
    return files


@pytest.mark.parametrize(("name", "member"), LATER)
def test_a_list_that_came_later_may_be_missing(name: str, member: str) -> None:
    assert read_policies(without(name, member))


@pytest.mark.parametrize(("name", "member"), [("keys.yaml", "persons"), ("keys.yaml", "classes")])
def test_what_was_always_there_may_not(name: str, member: str) -> None:
    with pytest.raises(CatalogError, match=member):
        read_policies(without(name, member))
