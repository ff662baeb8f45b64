"""What every `ports.Sealer` promises, held by the real one and by the fake alike."""

from collections.abc import Callable

import pytest

from appliance.ports import Sealer
from appliance.shell.seal import KeySealer
from proto.errors import IntegrityError
from proto.secret import Secret
from tests.fakes.clock import SeededEntropy
from tests.fakes.sealer import FakeSealer

Maker = Callable[[int], Sealer]
SECRET = Secret("a password nobody sees")
CONTEXT = "login t-aaaaaaaaaa password"


def _real(number: int) -> Sealer:
    key = SeededEntropy(number)(32)
    return KeySealer(Secret(key), SeededEntropy(100 + number))


@pytest.fixture(params=["fake", "real"])
def make(request: pytest.FixtureRequest) -> Maker:
    return (lambda number: FakeSealer(str(number))) if request.param == "fake" else _real


@pytest.mark.parametrize("secret", [SECRET, Secret(""), Secret(b"\x00\xff"), Secret("x" * 9000)])
def test_what_was_sealed_opens(make: Maker, secret: Secret) -> None:
    sealer = make(1)
    assert sealer.open(sealer.seal(secret, context=CONTEXT), context=CONTEXT) == secret


def test_sealed_bytes_say_nothing_and_differ_each_time(make: Maker) -> None:
    sealer = make(1)
    first, second = (sealer.seal(SECRET, context=CONTEXT) for _ in range(2))
    assert first != second
    assert b"password" not in first


@pytest.mark.parametrize("context", ["", "login t-aaaaaaaaaa key", "login t-bbbbbbbbbb password"])
def test_another_context_does_not_open_it(make: Maker, context: str) -> None:
    sealer = make(1)
    sealed = sealer.seal(SECRET, context=CONTEXT)
    with pytest.raises(IntegrityError, match="sealed secret"):
        sealer.open(sealed, context=context)


def test_another_sealer_does_not_open_it(make: Maker) -> None:
    sealed = make(1).seal(SECRET, context=CONTEXT)
    with pytest.raises(IntegrityError, match=CONTEXT):
        make(2).open(sealed, context=CONTEXT)


def test_changed_or_cut_bytes_do_not_open(make: Maker) -> None:
    sealer = make(1)
    sealed = sealer.seal(SECRET, context=CONTEXT)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        for wrong in (changed, sealed[:at], sealed + bytes([at])):
            with pytest.raises(IntegrityError) as refused:
                sealer.open(wrong, context=CONTEXT)
            assert "nobody sees" not in str(refused.value)
