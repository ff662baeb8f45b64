"""An appliance on a machine with a TPM: enrolled, started anew, checked in; and its stolen disk."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemons import DaemonError, until
from tests.e2e.pair import Pair, pair
from tests.e2e.test_hub_restored import until_the_same
from tests.e2e.test_rotation_appliance_running import hears_check_ins, refusals, renew
from tests.fakes.soft_tpm import SoftTpm, require_soft_tpm, soft_tpm

SEALED = (b"osiris sealed key", b"osiris key sealed by a TPM")


@pytest.fixture
def tpm() -> Iterator[SoftTpm]:
    require_soft_tpm()
    with soft_tpm() as made:
        yield made


def keys(two: Pair) -> dict[str, bytes]:
    directory = two.directory / "appliance" / "keys"
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def told(two: Pair) -> dict[str, Any]:
    """Return what `osiris appliance keys list` says."""
    verbs = "from appliance.cli import appliance; appliance()"
    config = two.directory / "appliance.toml"
    argv = [sys.executable, "-c", verbs, "keys", "list", "-o", "json", "--config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def say_tpm(two: Pair, *, former: str, now: str) -> None:
    """Write another setting into the appliance's configuration."""
    config = two.directory / "appliance.toml"
    config.write_text(config.read_text().replace(f'tpm = "{former}"', f'tpm = "{now}"'))


def does_not_start(two: Pair, words: str) -> None:
    before, said = keys(two), len(two.appliance.said())
    with pytest.raises(DaemonError):
        two.appliance.start()
    text = two.appliance.said()[said:]
    assert words in text
    assert "Traceback" not in text
    assert keys(two) == before


def test_enrolled_and_started_anew_it_checks_in_and_its_keys_are_sealed(
    tmp_path: Path, tpm: SoftTpm
) -> None:
    with pair(tmp_path, tpm=tpm.device) as two:
        assert all(raw.startswith(SEALED) for raw in keys(two).values())
        tpm.cycle()
        two.appliance.start()
        hears_check_ins(two)
        limits = Path(f"/proc/{two.appliance.pid}/limits").read_text("ascii")
        assert re.search(r"Max core file size +0 ", limits), "a core would hold the keys"
        assert told(two)["is_sealed"]
        assert told(two)["kept_so"] == "sealed by this machine's TPM"
        renewed = renew(two)
        two.grow(2)
        until_the_same(two)
        two.appliance.kill()
        tpm.cycle()
        two.appliance.start()
        assert two.status()["public_key"] == renewed["public_key"]
        hears_check_ins(two)
        assert refusals(two) == []
        names = {"rest.key", "sealing.former.key", "signing.key", "tpm.key"}
        assert names <= set(keys(two))
        assert all(raw.startswith(SEALED) for raw in keys(two).values())


def test_keys_that_were_plain_are_sealed_at_the_next_start_and_are_in_no_file_after(
    tmp_path: Path, tpm: SoftTpm
) -> None:
    with pair(tmp_path) as two:
        two.appliance.start()
        hears_check_ins(two)
        before, public = keys(two), two.status()["public_key"]
        assert told(two)["kept"] == "off"
        assert all(len(raw) == 32 for raw in before.values())
        two.appliance.kill()
        say_tpm(two, former="off", now=tpm.device)
        two.appliance.start()
        assert two.status()["public_key"] == public
        hears_check_ins(two)
        assert refusals(two) == []
        two.appliance.kill()
        for path in filter(Path.is_file, tmp_path.rglob("*")):
            raw = path.read_bytes()
            for seed in before.values():
                assert seed not in raw, path
                assert seed.hex().encode() not in raw, path


def test_a_disk_in_another_machine_starts_nothing_and_in_its_own_goes_on(
    tmp_path: Path, tpm: SoftTpm
) -> None:
    with soft_tpm() as another, pair(tmp_path, tpm=tpm.device) as two:
        tpm.cycle()
        two.appliance.start()
        hears_check_ins(two)
        two.appliance.kill()
        tpm_key = str(tmp_path / "appliance" / "keys" / "tpm.key")
        for device in ("off", another.device):
            say_tpm(two, former=tpm.device, now=device)
            does_not_start(two, tpm_key)
            say_tpm(two, former=device, now=tpm.device)
        tpm.off()
        does_not_start(two, tpm_key)
        tpm.on()
        two.appliance.start()
        hears_check_ins(two)
        until(lambda: refusals(two) == [], "nothing was refused")


@pytest.mark.parametrize("name", ["rest.key", "signing.key", "sealing.key", "tpm.key"])
def test_a_key_that_is_missing_is_not_made_anew(tmp_path: Path, tpm: SoftTpm, name: str) -> None:
    with pair(tmp_path, tpm=tpm.device) as two:
        tpm.cycle()
        two.appliance.start()
        two.appliance.kill()
        path = tmp_path / "appliance" / "keys" / name
        whole = path.read_bytes()
        path.unlink()
        tpm.cycle()
        does_not_start(two, "back from")
        path.write_bytes(whole)
        path.chmod(0o600)
        tpm.cycle()
        two.appliance.start()
        hears_check_ins(two)


def test_plain_keys_and_a_tpm_that_is_named_and_gone_start_nothing(
    tmp_path: Path, tpm: SoftTpm
) -> None:
    with pair(tmp_path) as two:
        tpm.off()
        say_tpm(two, former="off", now=tpm.device)
        does_not_start(two, "tpm: Failed to initialize TCTI context")
        say_tpm(two, former=tpm.device, now="off")
        two.appliance.start()
        hears_check_ins(two)
