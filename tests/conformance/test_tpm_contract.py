"""What every `ports.Tpm` promises, held by the fake and by systemd-creds with a real TPM 2.0."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from appliance.ports import Tpm, TpmError
from proto.secret import Secret
from tests.fakes.soft_tpm import Rested, require_soft_tpm, soft_tpm
from tests.fakes.tpm import FakeTpm

Maker = Callable[[str], Tpm]
SECRET = Secret(b"\x00\xff thirty-two bytes of a key \x0a")
NAME = "osiris-keys"


@pytest.fixture(params=["fake", "real"])
def make(request: pytest.FixtureRequest) -> Iterator[Maker]:
    if request.param == "fake":
        yield FakeTpm
        return
    require_soft_tpm()
    with ExitStack() as stack:
        yield lambda _: Rested(stack.enter_context(soft_tpm()))


def test_what_was_sealed_opens_again_and_again(make: Maker) -> None:
    tpm = make("one")
    sealed = tpm.seal(SECRET, name=NAME)
    assert [tpm.unseal(sealed, name=NAME) for _ in range(3)] == [SECRET] * 3


def test_sealed_bytes_say_nothing_and_differ_each_time(make: Maker) -> None:
    tpm = make("one")
    first, second = (tpm.seal(SECRET, name=NAME) for _ in range(2))
    assert first != second
    assert b"thirty-two" not in first


def test_another_tpm_does_not_open_it(make: Maker) -> None:
    sealed = make("one").seal(SECRET, name=NAME)
    with pytest.raises(TpmError, match="integrity"):
        make("other").unseal(sealed, name=NAME)


def test_another_name_does_not_open_it(make: Maker) -> None:
    tpm = make("one")
    sealed = tpm.seal(SECRET, name=NAME)
    with pytest.raises(TpmError):
        tpm.unseal(sealed, name="osiris-other")


def test_changed_or_cut_bytes_do_not_open(make: Maker) -> None:
    tpm = make("one")
    sealed = tpm.seal(SECRET, name=NAME)
    middle = len(sealed) // 2
    changed = (
        sealed[:middle] + (b"A" if sealed[middle] != ord("A") else b"B") + sealed[middle + 1 :]
    )
    for wrong in (changed, sealed[:middle], sealed[:10], b""):
        with pytest.raises(TpmError) as refused:
            tpm.unseal(wrong, name=NAME)
        assert "thirty-two" not in str(refused.value)


def test_bytes_that_no_tpm_sealed_do_not_open(make: Maker) -> None:
    with pytest.raises(TpmError):
        make("one").unseal(b"a plain key of thirty-two bytes.", name=NAME)


def test_what_systemd_opens_without_any_tpm_is_refused() -> None:
    """Whoever can write to the disk can make it; systemd-creds opens it and only warns."""
    require_soft_tpm()
    with soft_tpm() as soft:
        real = soft.real()
        argv = [real.program, "encrypt", "--with-key=tpm2-absent", f"--name={NAME}", "-", "-"]
        done = subprocess.run(argv, input=b"planted", capture_output=True, check=True)
        with pytest.raises(TpmError, match="not what a TPM sealed"):
            real.unseal(done.stdout, name=NAME)
