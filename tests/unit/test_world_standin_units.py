"""The stand-in for systemd reads unit files as systemd does."""

from pathlib import Path

import pytest

from osiris.demo.world.standin.units import (
    Command,
    NoSuchUnitError,
    command,
    environment_of,
    expand,
    full_name,
    load,
)
from osiris.demo.world.standin.verbs import Options

UNIT = """
[Unit]
Description=A daemon
# a comment
[Service]
Type=forking
ExecStartPre=-/bin/mkdir -p /run/x
ExecStart=/usr/sbin/daemon -g 'daemon on; \\
  master on;' $OPTIONS
Environment=A=1 "B=two words"
EnvironmentFile=-/nowhere/at/all
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def directories(tmp_path: Path) -> tuple[Path, Path]:
    """/etc and /lib of a machine, in the order they are searched."""
    etc, lib = tmp_path / "etc", tmp_path / "lib"
    etc.mkdir()
    lib.mkdir()
    return etc, lib


def test_a_unit_is_read_with_its_continued_lines(directories: tuple[Path, Path]) -> None:
    """A backslash joins lines, comments vanish, quotes hold words together."""
    (directories[1] / "d.service").write_text(UNIT)
    unit = load("d.service", directories)
    assert unit.one("Service", "Type") == "forking"
    [start] = unit.all("Service", "ExecStart")
    assert command(start).words == (
        "/usr/sbin/daemon",
        "-g",
        "daemon on;  master on;",
        "$OPTIONS",
    )
    assert environment_of(unit) == {"A": "1", "B": "two words"}


def test_a_drop_in_resets_a_list_with_an_empty_value(directories: tuple[Path, Path]) -> None:
    """An administrator replaces ExecStart by emptying it first."""
    (directories[1] / "d.service").write_text(UNIT)
    (directories[0] / "d.service.d").mkdir()
    (directories[0] / "d.service.d/10.conf").write_text(
        "[Service]\nExecStart=\nExecStart=/bin/other\n"
    )
    assert load("d.service", directories).all("Service", "ExecStart") == ["/bin/other"]


def test_etc_wins_over_lib_and_null_masks(directories: tuple[Path, Path]) -> None:
    """`systemctl mask` puts a link to /dev/null in /etc."""
    (directories[1] / "d.service").write_text(UNIT)
    (directories[0] / "d.service").symlink_to("/dev/null")
    assert load("d.service", directories).masked


def test_an_alias_is_the_unit_it_links_to(directories: tuple[Path, Path]) -> None:
    """`sshd` and `ssh` are one service with one state."""
    (directories[1] / "ssh.service").write_text(UNIT)
    (directories[0] / "sshd.service").symlink_to(directories[1] / "ssh.service")
    assert load("sshd.service", directories).name == "ssh.service"


def test_an_instance_comes_from_its_template(directories: tuple[Path, Path]) -> None:
    """%i is what stands after the @."""
    (directories[0] / "t@.service").write_text("[Service]\nExecStart=/bin/t %i 100%%\n")
    assert load("t@7.service", directories).all("Service", "ExecStart") == ["/bin/t 7 100%"]


def test_an_unknown_unit_is_said_to_be_unknown(directories: tuple[Path, Path]) -> None:
    """The caller prints its name."""
    with pytest.raises(NoSuchUnitError, match=r"no\.service"):
        load("no.service", directories)


def test_prefixes_of_a_command_are_read() -> None:
    """`-` allows failure; `!` and `+` keep root where User= is set."""
    assert command("-/bin/a b") == Command(("/bin/a", "b"), may_fail=True, as_root=False)
    assert command("!/bin/a") == Command(("/bin/a",), may_fail=False, as_root=True)


def test_variables_split_only_as_words_of_their_own() -> None:
    """`$X` becomes words, `${X}` stays one, an unset one leaves nothing."""
    found = {"X": "a 'b c'"}
    assert expand(("$X", "-${X}-", "$Y"), found) == ["a", "b c", "-a 'b c'-"]


def test_an_environment_file_must_be_there_without_a_dash(
    directories: tuple[Path, Path], tmp_path: Path
) -> None:
    """Empty lines and comments set nothing."""
    file = tmp_path / "default"
    (directories[0] / "d.service").write_text(f"[Service]\nEnvironmentFile={file}\n")
    unit = load("d.service", directories)
    with pytest.raises(FileNotFoundError):
        environment_of(unit)
    file.write_text('# A=0\n\nSSHD_OPTS=\nDAEMON_OPTS="-x -F 1"\n')
    assert environment_of(unit) == {"SSHD_OPTS": "", "DAEMON_OPTS": "-x -F 1"}


def test_a_name_without_a_kind_is_a_service() -> None:
    """As for systemctl, though the name may have dots."""
    assert full_name("ssh") == "ssh.service"
    assert full_name("a.b") == "a.b.service"
    assert full_name("telnet.socket") == "telnet.socket"


def test_options_stand_anywhere_on_the_line() -> None:
    """`-p X` and `--property=X` ask the same."""
    options = Options(["--quiet", "show", "-p", "MainPID", "ssh", "--property=Id"])
    assert (options.verb, options.names, options.quiet) == ("show", ["ssh.service"], True)
    assert options.values == {"-p": ["MainPID"], "--property": ["Id"]}
