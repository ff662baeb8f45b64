"""The list of Debian packages says why each is needed, and what to type when one is missing."""

import pytest

from osiris import packages


def test_every_package_has_a_reason() -> None:
    """A package without a why would stay for ever."""
    known = packages.features()
    assert {"clinic", "discovery", "browser", "tpm", "softtpm"} <= set(known)
    for wanted in known.values():
        assert all(isinstance(why, str) and len(why) > 10 for why in wanted.values())


def test_what_is_missing_keeps_the_order_of_the_list() -> None:
    """Only what is not there is asked for."""
    assert packages.missing_of({"b": "", "a": "", "c": ""}, {"a"}) == ["b", "c"]


def test_a_package_that_nobody_has_is_missing() -> None:
    """Dpkg itself is asked; its own package is always installed."""
    assert packages.installed(["dpkg", "osiris-no-such-package"]) == {"dpkg"}


def test_an_unknown_feature_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing mistake in the Makefile must not pass in silence."""
    with pytest.raises(SystemExit) as stopped:
        packages.main(["missing", "clinci"])
    assert stopped.value.code == 2
    assert "clinci" in capsys.readouterr().err


def test_the_command_can_be_typed() -> None:
    """One line, with every package."""
    assert packages.install_command(["a", "b"]).endswith("install --no-install-recommends a b")
