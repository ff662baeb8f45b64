"""A hub's next key is worth what the key before it says: whoever took the web process has none."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from osiris.cli import app
from osiris.desk import drafting, vouching
from proto.errors import IntegrityError, RejectedError
from proto.keys import SigningKey
from runtime.repository.hub_keys import KINDS, HubKeys, Voucher
from tests.unit.release_world import GRANTED, NOW_S, Ceremony

NAMED_BY = {kind: role for role, kinds in vouching.NAMED_BY.items() for kind in kinds}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("published")
    return Ceremony(directory).publish_first()


@pytest.fixture
def published(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Ceremony(tmp_path)


def hub_of(made: Ceremony) -> HubKeys:
    return made.folder.hub_keys()


def another(made: Ceremony, kind: str) -> tuple[HubKeys, SigningKey]:
    """Return the hub's keys with a next one of a kind, and its private half."""
    hub, key = hub_of(made), made.key()
    keys = {one: getattr(hub, one) for one in KINDS} | {kind: key.public}
    return HubKeys(hub.origin, **keys), key


def begin(made: Ceremony, hub: HubKeys, *more: str) -> Result:
    """Carry the hub's file to the people."""
    file = made.directory / "carried.json"
    file.write_bytes(hub.to_bytes() + b"\n")
    folder = ("--folder", str(made.folder.directory))
    argv = ["hub", "ceremony", "begin", "--hub-keys", str(file), *folder, *more]
    return CliRunner().invoke(app, argv)


def words(made: Ceremony, kind: str) -> str:
    """Return what somebody reads before they sign the draft that names a kind."""
    drafting.draft_root(made.folder, now_s=NOW_S + 60)
    drafting.draft_release(made.folder, None, now_s=NOW_S + 60)
    drafting.draft_grants(made.folder, GRANTED, now_s=NOW_S + 60)
    for role in vouching.NAMED_BY:
        told = [line for line in made.words(role, now_s=NOW_S + 60) if " is new: " in line]
        assert bool(told) is (role is NAMED_BY[kind])
        if told:
            (line,) = told
    return line


def test_every_kind_is_named_by_one_document() -> None:
    assert sorted(NAMED_BY) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_the_one_before_signed_for_is_taken_and_told(
    published: Ceremony, kind: str
) -> None:
    hub, key = another(published, kind)
    voucher = Voucher.of(kind, published.online[kind], key.public)
    ran = begin(published, replace(hub, vouched={kind: voucher}))
    assert ran.exit_code == 0, ran.output
    assert key.public.fingerprint() in ran.output
    line = words(published, kind)
    assert f"the hub's {kind} key {key.public.fingerprint()} is new: the key before it" in line


def _none(_made: Ceremony, _kind: str, _key: SigningKey) -> dict[str, Voucher]:
    return {}


def _by_itself(_made: Ceremony, kind: str, key: SigningKey) -> dict[str, Voucher]:
    return {kind: Voucher.of(kind, key, key.public)}


def _by_a_stranger(made: Ceremony, kind: str, key: SigningKey) -> dict[str, Voucher]:
    return {kind: Voucher.of(kind, made.key(), key.public)}


def _in_the_formers_name(made: Ceremony, kind: str, key: SigningKey) -> dict[str, Voucher]:
    forged = Voucher.of(kind, key, key.public)
    return {kind: replace(forged, former=made.online[kind].public)}


def _for_another_key(made: Ceremony, kind: str, _key: SigningKey) -> dict[str, Voucher]:
    return {kind: Voucher.of(kind, made.online[kind], made.key().public)}


def _by_the_key_of_another_kind(made: Ceremony, kind: str, key: SigningKey) -> dict[str, Voucher]:
    other = "log" if kind != "log" else "head"
    return {kind: Voucher.of(kind, made.online[other], key.public)}


def _for_another_kind(made: Ceremony, kind: str, key: SigningKey) -> dict[str, Voucher]:
    other = "log" if kind != "log" else "head"
    return {kind: Voucher.of(other, made.online[kind], key.public)}


Attack = Callable[[Ceremony, str, SigningKey], dict[str, Voucher]]
ATTACKS: tuple[Attack, ...] = (
    _none,
    _by_itself,
    _by_a_stranger,
    _in_the_formers_name,
    _for_another_key,
    _by_the_key_of_another_kind,
    _for_another_kind,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_whoever_took_the_web_process_is_refused(
    published: Ceremony, kind: str, attack: Attack
) -> None:
    before = published.folder.hub_keys_file.read_bytes()
    hub, key = another(published, kind)
    ran = begin(published, replace(hub, vouched=attack(published, kind, key)))
    assert isinstance(ran.exception, IntegrityError)
    told = f"the hub's {kind} key {key.public.fingerprint()} is new: NO KEY BEFORE IT"
    assert told in str(ran.exception)
    assert published.folder.hub_keys_file.read_bytes() == before


def test_keys_that_were_lost_are_taken_on_a_persons_word_and_every_signer_is_warned(
    published: Ceremony,
) -> None:
    hub, key = another(published, "order")
    assert begin(published, hub, "--unvouched").exit_code == 0
    line = words(published, "order")
    assert f"{key.public.fingerprint()} is new: NO KEY BEFORE IT SIGNED FOR IT" in line


def test_the_same_keys_again_and_the_first_ones_need_no_word(
    published: Ceremony, tmp_path: Path
) -> None:
    assert begin(published, hub_of(published)).exit_code == 0
    first = Ceremony(tmp_path / "first")
    hub, _ = another(first, "order")
    assert begin(first, hub).exit_code == 0


def test_a_voucher_that_is_none_names_its_place(published: Ceremony) -> None:
    data = hub_of(published).to_bytes()
    forged = data.replace(b'"vouched":{}', b'"vouched":{"order":{"former":"x","signature":"y"}}')
    assert forged != data
    with pytest.raises(RejectedError, match=r"hub keys\.vouched\.order"):
        HubKeys.from_bytes(forged)
