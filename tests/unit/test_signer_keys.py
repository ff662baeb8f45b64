"""The signer's keys on a disk that fails: no key that counts is lost, and renewal goes on."""

from pathlib import Path

import pytest

from central.core import signer_place
from central.core.signer_place import ORDER_KEY, SIGNER_KEYS
from central.signer.keys import OnlineKeys, load_keys
from proto.errors import ConfigError
from proto.keys import PublicKey
from runtime.tls import write_private
from tests.fakes.clock import SeededEntropy

ENTROPY = SeededEntropy(3)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a hub's state directory with one key of each kind."""
    (tmp_path / signer_place.KEYS).mkdir()
    for kind in SIGNER_KEYS:
        write_private(tmp_path / signer_place.key_file(kind), ENTROPY(32))
    return tmp_path


def renewed(keys: OnlineKeys, counting: PublicKey) -> PublicKey:
    """Ask for the order key that is to follow while one counts."""
    return keys.renew(ORDER_KEY, counting=[counting.raw], entropy=ENTROPY)


def held(keys: OnlineKeys) -> tuple[PublicKey, ...]:
    return keys.publics()[ORDER_KEY]


@pytest.fixture
def broken(state: Path) -> Path:
    """Return what keeps a next order key from being written, until it is removed."""
    blocks = state / signer_place.key_file(ORDER_KEY, follows=True)
    return blocks.with_name(f".{blocks.name}.new")


def test_a_key_that_cannot_be_written_is_told_and_made_when_asked_again(
    state: Path, broken: Path
) -> None:
    keys = load_keys(state)
    (first,) = held(keys)
    broken.mkdir()
    with pytest.raises(ConfigError, match=r"order\.next\.key: cannot be written"):
        renewed(keys, first)
    assert held(keys) == (first,)
    broken.rmdir()
    following = renewed(keys, first)
    assert held(keys) == held(load_keys(state)) == (first, following)


@pytest.mark.parametrize("begins_again", [False, True])
def test_a_disk_that_fails_halfway_through_a_renewal_loses_no_key_that_counts(
    state: Path, broken: Path, *, begins_again: bool
) -> None:
    keys = load_keys(state)
    second = renewed(keys, held(keys)[0])
    broken.mkdir()
    for _ in range(2):
        with pytest.raises(ConfigError, match="cannot be written"):
            renewed(keys, second)
        assert held(keys)[-1] == second
        assert held(load_keys(state)) == (second,)
    broken.rmdir()
    keys = load_keys(state) if begins_again else keys
    third = renewed(keys, second)
    assert held(keys) == held(load_keys(state)) == (second, third)
