"""Which TPM is used, and what becomes of one that does not answer."""

import os
import time
from pathlib import Path

import pytest

from appliance.config import parse
from appliance.core.keeping import WORDS, How
from appliance.ports import TpmError
from appliance.shell.tpm import Found, SystemdCreds, find_tpm
from proto.errors import ConfigError
from proto.secret import Secret
from tests.fakes.soft_tpm import require_soft_tpm, soft_tpm

SECRET = Secret("a key that nobody sees")
SEALED = b"DHzAexF2RZGcSwvqCLwg/iAA"
"""How bytes begin that a TPM sealed."""


def program(directory: Path, script: str) -> Path:
    """Write what stands in for systemd-creds, to see what it is given."""
    path = directory / "systemd-creds"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "tpmrm0"
    path.touch(0o600)
    return path


def found(setting: str, device: Path) -> Found:
    return find_tpm(setting, device=device, programs=str(device.parent))


def test_without_a_tpm_keys_are_files_and_nothing_is_looked_for(tmp_path: Path) -> None:
    none = found("auto", tmp_path / "tpmrm0")
    assert (none.tpm, none.keeping.how) == (None, How.NO_TPM)
    assert not none.keeping.needs_somebody


def test_a_tpm_that_is_there_is_used_unless_the_configuration_says_no(device: Path) -> None:
    creds = program(device.parent, "exit 1")
    assert found("auto", device).tpm == SystemdCreds(str(creds), str(device))
    assert found("off", device).keeping.how is How.OFF
    named = found("swtpm:path=/run/s", device)
    assert named.tpm == SystemdCreds(str(creds), "swtpm:path=/run/s")
    assert named.is_named


def test_without_the_program_auto_says_so_and_a_named_tpm_is_an_error(device: Path) -> None:
    assert found("auto", device).keeping.how is How.NO_PROGRAM
    assert found("auto", device).keeping.needs_somebody
    with pytest.raises(ConfigError, match="packages install tpm"):
        found("/dev/tpmrm1", device)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every device")
def test_a_tpm_that_this_user_may_not_use_is_told(device: Path) -> None:
    program(device.parent, "exit 1")
    device.chmod(0)
    assert found("auto", device).keeping.how is How.NOT_ALLOWED


def test_every_way_of_keeping_has_words() -> None:
    assert set(WORDS) == set(How)


@pytest.mark.parametrize("text", ["auto", "off", "/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321"])
def test_the_setting_is_read(text: str) -> None:
    assert parse(f'tpm = "{text}"', where="here").file.tpm == text


@pytest.mark.parametrize("text", ["", "on", "/dev/sda", "/dev/tpmrm0/../sda", "tpm x", "x:\\n--y"])
def test_another_setting_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ConfigError, match="tpm"):
        parse(f'tpm = "{text}"', where="here")


def test_a_key_is_in_no_argument_no_environment_and_no_file(tmp_path: Path) -> None:
    said = tmp_path / "said"
    creds = program(
        tmp_path, f'{{ echo "$@"; env; }} >>{said}; cat >/dev/null; printf %s {SEALED.decode()}'
    )
    tpm = SystemdCreds(str(creds), "swtpm:x")
    assert tpm.seal(SECRET, name="n") == SEALED
    assert tpm.unseal(SEALED, name="n") == Secret(SEALED)
    assert "--tpm2-device=swtpm:x" in said.read_text()
    assert "nobody" not in said.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["said", "systemd-creds"]


@pytest.mark.parametrize("sealed", ["", "c2VhbGVkIGJ5IG5vIFRQTQ==", "+hello", "Wr//"])
def test_what_the_program_sealed_without_a_tpm_is_not_taken(tmp_path: Path, sealed: str) -> None:
    """A later systemd asks another process, which may seal with a key on the same disk."""
    creds = program(tmp_path, f"cat >/dev/null; printf %s '{sealed}'")
    with pytest.raises(TpmError, match="not what a TPM sealed"):
        SystemdCreds(str(creds), "x:y").seal(SECRET, name="n")


def test_of_a_failure_the_last_line_is_told_and_never_what_was_printed(tmp_path: Path) -> None:
    script = "cat; cat >&2; printf 'noise\\n\\033[31mno TPM\\n' >&2; exit 1"
    creds = program(tmp_path, script)
    with pytest.raises(TpmError) as refused:
        SystemdCreds(str(creds), "x:y").seal(SECRET, name="n")
    assert str(refused.value) == "[31mno TPM"


def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(TpmError, match="cannot be run"):
        SystemdCreds(str(tmp_path / "nowhere"), "x:y").seal(SECRET, name="n")


def test_more_than_a_key_is_refused(tmp_path: Path) -> None:
    creds = program(tmp_path, "head -c 20000 /dev/zero")
    with pytest.raises(TpmError, match="more than"):
        SystemdCreds(str(creds), "x:y").unseal(SEALED, name="n")


def test_a_tpm_that_hangs_is_given_up_and_leaves_no_process() -> None:
    require_soft_tpm()
    with soft_tpm() as soft:
        soft.hang()
        began = time.monotonic()
        with pytest.raises(TpmError, match=r"did not answer within 0\.5 s") as refused:
            soft.real(timeout_s=0.5).seal(SECRET, name="n")
        assert time.monotonic() - began < 5
        chain = (refused.value.__cause__, refused.value.__context__)
        assert chain == (None, None), "a timeout's own error holds what was printed"
        assert not children("systemd-creds")


def children(name: str) -> list[str]:
    """Return which processes of that name this one has started and not seen end."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    found = (Path(f"/proc/{pid}/cmdline").read_text("utf-8") for pid in pids)
    return [line for line in found if name in line]
