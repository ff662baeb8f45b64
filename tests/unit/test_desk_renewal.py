"""A person renews a key at their desk: nothing is lost on the way, and they can sign meanwhile."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from osiris.desk import ceremony_cli
from osiris.desk.folder import Folder
from osiris.desk.place import Desk
from osiris.desk.session import at
from proto import strict_json
from proto.authority import AuthoritySet
from proto.errors import ConfigError
from proto.keys import PublicKey
from proto.keysets import DAY_S, Role
from runtime import keyfile
from runtime.clock import SystemClock, seconds, system_entropy
from runtime.keyfile import PassphraseError
from tests.unit import order_world as world

WORDS = "correct horse battery"
NEXT_WORDS = "staple of another horse"


def key_file(path: Path, *, person: str = "ada", role: Role = Role.OPERATOR) -> PublicKey:
    """Make a person's key file that no passphrase seals; return its public key."""
    made = keyfile.make(
        path, person=person, role=role, passphrase=None, now_s=world.NOW, entropy=system_entropy
    )
    return made.public


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return ada's desk, which has a hub and no key."""
    place = Desk(tmp_path / "desk")
    place.set_hub("https://hub.example", tls_ca=None)
    return place


def give(desk: Desk, *listed: PublicKey, days: int = 30) -> None:
    """Give a desk an authority that lists these keys for ada, until so many days from now."""
    now_s = seconds(SystemClock())
    start, end = now_s - 20 * DAY_S, now_s + days * DAY_S
    keys = [{"key": one.b64(), "not_before": start, "not_after": end} for one in listed]
    said = world.authority(
        created=now_s - DAY_S,
        expires=now_s + 60 * DAY_S,
        people=[world.person("ada", keys=keys)],
        head_keys=[world.use("head", start=start, end=now_s + 60 * DAY_S)],
        log_keys=[world.use("log", start=start, end=now_s + 60 * DAY_S)],
    )
    data = strict_json.dumps(said)
    AuthoritySet.from_bytes(data)
    (desk.directory / "authority.json").write_bytes(data)


def opened(desk: Desk) -> PublicKey:
    """Return the public key that signs when the person sits down."""
    with at(desk) as session:
        return session.key.public


def test_an_operator_signs_with_the_former_key_until_authority_lists_the_next(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    former = key_file(desk.directory / "operator.former.key")
    following = key_file(desk.directory / "operator.key")
    give(desk, former)
    assert opened(desk) == former
    said = capsys.readouterr().err
    assert "operator.former.key" in said
    assert "osiris content trust" in said
    give(desk, former, following)
    assert opened(desk) == following
    assert not capsys.readouterr().err


def test_a_former_key_that_has_ended_is_not_opened(desk: Desk) -> None:
    former = key_file(desk.directory / "operator.former.key")
    following = key_file(desk.directory / "operator.key")
    give(desk, former, days=-1)
    assert opened(desk) == following


def test_a_desk_that_holds_no_authority_says_that_the_former_key_is_left(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file(desk.directory / "operator.former.key")
    following = key_file(desk.directory / "operator.key")
    assert opened(desk) == following
    assert "osiris content trust" in capsys.readouterr().err


def test_an_operator_can_veto_while_a_renewal_that_was_cut_waits(desk: Desk) -> None:
    former = key_file(desk.directory / "operator.former.key")
    key_file(desk.directory / "operator.next.key")
    give(desk, former)
    assert opened(desk) == former


def renew(desk: Desk, person: str = "ada", *, typed: str, flag: str = "--renew") -> Result:
    """Give the command for a person's root key, and the lines that they type."""
    folder = str(desk.directory.parent / "release")
    places = ["--desk", str(desk.directory), "--folder", folder]
    arguments = ["key", person, "--role", "root", *places, *([flag] if flag else [])]
    return CliRunner().invoke(ceremony_cli.ceremony, arguments, input=typed)


def keys_in(desk: Desk) -> dict[str, bytes]:
    """Return the key files of a desk by name."""
    return {path.name: path.read_bytes() for path in desk.directory.glob("*.key")}


def carded(desk: Desk) -> PublicKey:
    """Return the key of the only card for a root."""
    (holder,) = Folder(desk.directory.parent / "release").holders(Role.ROOT)
    return holder.key


def test_a_renewed_key_takes_the_place_and_the_card_and_the_former_is_kept(desk: Desk) -> None:
    former = key_file(desk.directory / "root.key", role=Role.ROOT)
    done = renew(desk, typed=f"{NEXT_WORDS}\n")
    assert done.exit_code == 0, done.output
    assert sorted(keys_in(desk)) == ["root.former.key", "root.key"]
    following = keyfile.read(desk.directory / "root.key")
    assert keyfile.read(desk.directory / "root.former.key").public == former
    assert following.public == carded(desk) != former
    before = keys_in(desk)
    again = renew(desk, typed=f"{NEXT_WORDS}\n").exception
    assert isinstance(again, ConfigError)
    assert "root.former.key: delete it first" in str(again)
    assert keys_in(desk) == before


@pytest.mark.parametrize(
    ("person", "typed", "error"),
    [
        ("ada", "short\n", PassphraseError),
        ("ada", "", ConfigError),
        ("adda", f"{NEXT_WORDS}\n", ConfigError),
        ("A D A", f"{NEXT_WORDS}\n", ConfigError),
    ],
    ids=["a passphrase too short", "no answer", "another's name", "no name at all"],
)
def test_a_renewal_that_was_mistyped_moves_no_key_and_can_be_asked_for_again(
    desk: Desk, person: str, typed: str, error: type[Exception]
) -> None:
    key_file(desk.directory / "root.key", role=Role.ROOT)
    before = keys_in(desk)
    assert isinstance(renew(desk, person, typed=typed).exception, error)
    assert keys_in(desk) == before
    done = renew(desk, typed=f"{NEXT_WORDS}\n")
    assert done.exit_code == 0, done.output


def test_a_key_of_another_role_or_none_is_not_renewed(desk: Desk) -> None:
    assert "no key yet" in str(renew(desk, typed=f"{NEXT_WORDS}\n").exception)
    key_file(desk.directory / "root.key", role=Role.RELEASE)
    before = keys_in(desk)
    refused = renew(desk, typed=f"{NEXT_WORDS}\n").exception
    assert "is ada's key for release, not ada's for root" in str(refused)
    assert keys_in(desk) == before


@pytest.mark.parametrize("flag", ["--renew", ""], ids=["the same again", "without --renew"])
def test_a_renewal_that_was_cut_between_its_two_moves_is_finished(desk: Desk, flag: str) -> None:
    key_file(desk.directory / "root.key", role=Role.ROOT)
    assert renew(desk, typed=f"{NEXT_WORDS}\n").exit_code == 0
    whole = keys_in(desk)
    (desk.directory / "root.key").rename(desk.directory / "root.next.key")
    assert isinstance(renew(desk, typed=f"{WORDS}\n", flag=flag).exception, PassphraseError)
    done = renew(desk, typed=f"{NEXT_WORDS}\n", flag=flag)
    assert done.exit_code == 0, done.output
    assert keys_in(desk) == whole


def test_a_renewal_that_was_cut_before_its_moves_goes_on_with_the_key_it_made(desk: Desk) -> None:
    former = key_file(desk.directory / "root.key", role=Role.ROOT)
    following = key_file(desk.directory / "root.next.key", role=Role.ROOT)
    done = renew(desk, typed="")
    assert done.exit_code == 0, done.output
    found = {name: keyfile.read(desk.directory / name).public for name in keys_in(desk)}
    assert found == {"root.former.key": former, "root.key": following}
    assert carded(desk) == following
