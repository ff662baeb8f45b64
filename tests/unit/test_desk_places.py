"""A list of sites that orders go to: every id is read before anything is asked for."""

from pathlib import Path

import pytest

from osiris.desk.places import in_asks, sites_listed
from proto.asks import TARGETS_MAX
from proto.errors import ConfigError, MalformedError

ONE, OTHER = "s-aaaaaaaaaa", "s-bbbbbbbbbb"


def listed(folder: Path, text: str) -> list[str]:
    """Read a file of sites."""
    file = folder / "sites.txt"
    file.write_text(text)
    return sites_listed(file)


def test_a_file_names_a_site_a_line_with_comments(tmp_path: Path) -> None:
    text = f"# the north\n{OTHER}\n\n  {ONE}   # Main Street\n"
    assert listed(tmp_path, text) == [OTHER, ONE]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{ONE}\nMain Street\n", "line 2"),
        (f"{ONE}\n#\n{OTHER}\n{ONE}\n", "line 4: s-aaaaaaaaaa stands in line 1"),
        (f"{ONE} {OTHER}\n", "line 1"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(MalformedError, match=told):
        listed(tmp_path, text)


@pytest.mark.parametrize("text", ["", "# nobody\n"])
def test_a_file_without_sites_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="lists 0 sites"):
        listed(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        sites_listed(tmp_path / "absent.txt")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ConfigError, match="is no text"):
        sites_listed(tmp_path / "picture.png")


@pytest.mark.parametrize("many", [1, TARGETS_MAX, TARGETS_MAX + 1, 3 * TARGETS_MAX])
def test_every_place_is_in_one_ask_and_no_ask_is_too_long(many: int) -> None:
    places = [{"site": str(number)} for number in range(many)]
    asks = in_asks(places)
    assert [one for some in asks for one in some] == places
    assert all(0 < len(some) <= TARGETS_MAX for some in asks)
    assert len(asks) == -(-many // TARGETS_MAX)
