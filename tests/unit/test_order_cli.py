"""`osiris order` on a person's own machine: keys that stay there, and proofs without a hub."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proto import strict_json
from proto.keysets import Role
from tests.unit import order_world as world
from tests.unit.order_evidence import order_file

WORDS = "correct horse battery"


def osiris(desk: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the real command at a desk."""
    argv = [sys.executable, "-m", "osiris", "order", *arguments, "--desk", str(desk)]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A desk that trusts the usual people."""
    place = tmp_path / "desk"
    place.mkdir(mode=0o700)
    (place / "authority.json").write_bytes(strict_json.dumps(world.authority()))
    (place / "grants.json").write_bytes(strict_json.dumps(world.grants()))
    return place


def test_a_new_key_is_its_owners_alone_and_shown_without_its_secret(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    made = osiris(place, "key", "new", "ada", "-o", "json", stdin=f"{WORDS}\n")
    assert made.returncode == 0, made.stderr
    file = place / "operator.key"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (place, file)] == [0o700, 0o600]
    told = json.loads(made.stdout)
    assert (told["person"], told["role"], told["sealed"]) == ("ada", Role.OPERATOR, True)
    shown = osiris(place, "key", "show", "-o", "json")
    assert json.loads(shown.stdout) == told
    sealed = json.loads(file.read_text())["sealed"]
    assert sealed not in made.stdout + made.stderr + shown.stdout
    again = osiris(place, "key", "new", "ada", stdin=f"{WORDS}\n")
    assert again.returncode == 3
    assert "never written over" in again.stderr


@pytest.mark.parametrize("stdin", ["short\n", ""], ids=["a short passphrase", "none at all"])
def test_no_key_is_made_without_a_passphrase(tmp_path: Path, stdin: str) -> None:
    done = osiris(tmp_path / "mine", "key", "new", "ada", stdin=stdin)
    assert done.returncode == 3
    assert not (tmp_path / "mine" / "operator.key").exists()


def test_an_order_is_verified_at_a_desk_that_trusts_its_signers(desk: Path) -> None:
    file = desk / "order.json"
    file.write_text(json.dumps(order_file("ada", "bea")))
    box = f"{world.APPLIANCE}={world.key('box').public.b64()}"
    done = osiris(desk, "verify", str(file), "--appliance-key", box)
    assert done.returncode == 0, done.stderr
    assert "Cut a target off the network" in done.stdout
    assert "NOT VERIFIED" not in done.stdout
    assert "not checked" in done.stdout


def test_an_order_that_too_few_signed_ends_with_status_1_and_says_why(desk: Path) -> None:
    file = desk / "order.json"
    file.write_text(json.dumps(order_file("ada")))
    done = osiris(desk, "verify", str(file), "-o", "json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["verified"] is False
    assert [one["what"] for one in told["checks"] if one["held"] == "failed"] == ["people"]


def test_a_desk_that_trusts_nobody_verifies_nothing(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(order_file("ada", "bea")))
    done = osiris(tmp_path / "none", "verify", str(file))
    assert done.returncode == 1
    assert "NOT VERIFIED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("verify", "/nowhere/order.json"), "/nowhere/order.json"),
        (("key", "show"), "operator.key"),
        (("desk", "--hub", "http://hub.example"), "--hub"),
    ],
    ids=["no file", "no key", "no https"],
)
def test_what_is_wrong_at_the_desk_ends_with_the_operators_status(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = osiris(tmp_path / "mine", *arguments)
    assert done.returncode == 3
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_hub_is_written_down_with_who_vouches_for_its_tls(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    place = tmp_path / "mine"
    asked = ("desk", "--hub", "https://hub.example:8443", "--hub-tls-ca", str(pem))
    assert osiris(place, *asked).returncode == 0
    assert 'hub = "https://hub.example:8443"' in (place / "desk.toml").read_text()
    assert (place / "hub-tls-ca.pem").read_text() == pem.read_text()
