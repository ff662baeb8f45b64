"""Setting up: what is written is read back, and nothing secret lies where others may go."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from appliance import config as appliance_config
from appliance.shell.identity import Place, load_root
from central import config as hub_config
from central import setup
from osiris.cli import app
from proto.errors import ConfigError, OsirisError
from runtime import toml_file
from runtime.private import make_private

ORIGIN = "https://hub.example:8443"


def osiris(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refusal(result: Result) -> str:
    """What the command would say; `main` prints it and ends with the error's status."""
    assert isinstance(result.exception, OsirisError), result.output
    return str(result.exception)


@given(text=st.text())
def test_any_text_is_read_back_from_a_configuration(text: str) -> None:
    line = f"label = {toml_file.quoted(text)}"
    try:
        line.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate is no text and stands in no file
    assert tomllib.loads(line)["label"] == text


@pytest.mark.parametrize("label", ['Main "Street" Clinic', "Back\\slash", "Käse = [x] # y", ""])
def test_a_label_of_any_letters_makes_a_configuration(label: str, tmp_path: Path) -> None:
    text = appliance_config.as_toml(
        address="127.0.0.1",
        networks=("10.0.0.0/24",),
        time_zone="UTC",
        state_dir=tmp_path / 'a"b\\c',
        label=label,
    )
    found = appliance_config.parse(text, where="here")
    assert found.file.site.label == label
    assert found.state_dir == tmp_path / 'a"b\\c'
    assert found.settings.networks == ("10.0.0.0/24",)


def test_a_hub_is_not_told_twice_who_it_is(tmp_path: Path) -> None:
    config, state = tmp_path / "hub.toml", tmp_path / "hub"
    arguments = ["hub", "init", "-c", str(config), "--state-dir", str(state), "--origin"]
    assert osiris(*arguments, ORIGIN).exit_code == 0
    assert osiris(*arguments, ORIGIN).exit_code == 0
    before = config.read_bytes()
    assert ORIGIN in refusal(osiris(*arguments, "https://other.example"))
    elsewhere = ["hub", "init", "-c", str(config), "--state-dir", str(tmp_path / "other")]
    assert str(state) in refusal(osiris(*elsewhere))
    assert not (tmp_path / "other").exists()
    assert config.read_bytes() == before
    assert hub_config.read(config).file.origin == ORIGIN


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711, 0o707])
def test_a_state_directory_that_others_may_enter_is_refused(tmp_path: Path, mode: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 700 {state}"):
        Place(state).prepare()
    assert list(state.iterdir()) == []
    config = tmp_path / "hub.toml"
    config.write_text(hub_config.as_toml(origin=ORIGIN, state_dir=state, host="::", port=1))
    assert f"chmod 700 {state}" in refusal(osiris("hub", "init", "-c", str(config)))
    assert list(state.iterdir()) == []
    state.chmod(0o700)
    Place(state).prepare()


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"state_dir: .*/file/below: cannot be made: Not a dir"):
        make_private(tmp_path / "file" / "below", key="state_dir")


def test_a_trust_root_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"root\.json: no trust root is pinned here"):
        load_root(Place(tmp_path))
    with pytest.raises(ConfigError, match="osiris hub init"):
        setup.load_root(setup.Place(tmp_path))
