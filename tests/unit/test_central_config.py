"""The hub's configuration file: strict, and its errors name file and key."""

from pathlib import Path

import pytest

from central import config as configuration
from proto.errors import ConfigError

GOOD = 'origin = "https://hub.example:8443"\n'


def read(tmp_path: Path, text: str) -> configuration.Config:
    path = tmp_path / "hub.toml"
    path.write_text(text, "utf-8")
    return configuration.read(path)


def test_an_origin_is_all_that_must_be_said(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert found.file.listen.port == 8443
    assert found.store_url == "sqlite:////var/lib/osiris-hub/hub.db"


def test_what_init_writes_is_read_back(tmp_path: Path) -> None:
    text = configuration.as_toml(
        origin="https://hub.example", state_dir=tmp_path, host="127.0.0.1", port=444
    )
    found = read(tmp_path, text)
    assert (found.file.origin, found.state_dir) == ("https://hub.example", tmp_path)
    assert (found.file.listen.host, found.file.listen.port) == ("127.0.0.1", 444)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "origin"),
        ('origin = "http://hub.example"', "origin"),
        ('origin = "https://Hub.example"', "origin"),
        (GOOD + "nonsense = 1", "nonsense"),
        (GOOD + "[listen]\nport = 70000", "listen.port"),
        (GOOD + '[listen]\nport = "8443"', "listen.port"),
        (GOOD + "[listen]\nport = true", "listen.port"),
        (GOOD + "[fleet]\ncheck_in_s = 0", "fleet.check_in_s"),
        (GOOD + "[fleet]\nlate_after_s = 2000", "fleet.silent_after_s"),
        (GOOD + '[console]\ntime_zone = "Mars/Olympus"', "console.time_zone"),
        ("origin = ", "not TOML"),
    ],
)
def test_a_mistake_is_named_by_its_place(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read(tmp_path, text)


def test_a_missing_file_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="osiris hub init"):
        configuration.read(tmp_path / "none.toml")
