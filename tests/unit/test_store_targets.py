"""A target's login is stored sealed, opened for its target only, and gone once it is removed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ports import Credential, Sealer, Sudo
from appliance.shell.seal import KeySealer
from appliance.store import devices, targets
from appliance.store.db import Store
from appliance.store.devices import Seen
from appliance.store.targets import Target
from proto.errors import ConflictError, IntegrityError, NotFoundError
from proto.ids import TargetId
from proto.inventory import DeviceClass, Platform
from proto.secret import Secret

A, B = TargetId("t-aaaaaaaaaa"), TargetId("t-bbbbbbbbbb")
PASSWORD = "correct horse battery staple"  # noqa: S105 - the secret that must not be found
CREDENTIAL = Credential(private_key=None, password=Secret(PASSWORD), sudo_password=None)


def entropy(size_bytes: int) -> bytes:
    return bytes(range(size_bytes))


@pytest.fixture
def sealer() -> Sealer:
    return KeySealer(Secret(b"k" * 32), entropy)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "appliance.db", now_ms=1)
    async with opened.write() as conn:
        await devices.upsert(
            conn, [Seen(one, DeviceClass.SERVER, "", {}) for one in (A, B)], at_ms=1
        )
    yield opened
    await opened.close()


def target(device: TargetId = A) -> Target:
    return Target(
        id=device,
        platform=Platform.LINUX,
        address="10.0.0.5",
        port=22,
        login="osiris",
        sudo=Sudo.ASK,
        host_key="ssh-ed25519 AAAA",
        os="debian",
        os_version="12",
        device_class=DeviceClass.SERVER,
        label="",
        added_ms=5,
    )


def stored_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_target_is_read_back_with_its_login(store: Store, sealer: Sealer) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        assert await targets.get(conn, A) == target()
        assert await targets.every(conn) == [target()]
        login = await targets.login_of(conn, sealer, A)
    assert login.credential == CREDENTIAL
    assert (login.user, login.address, login.sudo) == ("osiris", "10.0.0.5", Sudo.ASK)


async def test_every_kind_of_secret_comes_back_as_itself(store: Store, sealer: Sealer) -> None:
    credential = Credential(Secret("PEM"), Secret("login"), Secret("sudo"))
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=credential)
        assert (await targets.login_of(conn, sealer, A)).credential == credential


async def test_the_file_does_not_hold_the_secret(
    store: Store, sealer: Sealer, tmp_path: Path
) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
    stored = stored_bytes(tmp_path)
    assert b"osiris" in stored
    assert PASSWORD.encode() not in stored


async def test_a_credential_moved_to_another_target_does_not_open(
    store: Store, sealer: Sealer
) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(A), credential=CREDENTIAL)
        await targets.add(conn, sealer, target(B), credential=CREDENTIAL)
        await conn.execute(
            "UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE target = ?)"
            " WHERE target = ?",
            (A, B),
        )
        with pytest.raises(IntegrityError, match="context"):
            await targets.login_of(conn, sealer, B)


async def test_a_removal_deletes_the_credential_at_once(store: Store, sealer: Sealer) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        await targets.remove(conn, A, at_ms=9)
        assert list(await conn.execute_fetchall("SELECT * FROM credentials")) == []
        assert await targets.every(conn) == []
        with pytest.raises(NotFoundError, match=A):
            await targets.login_of(conn, sealer, A)
        with pytest.raises(NotFoundError, match=A):
            await targets.remove(conn, A, at_ms=10)


async def test_a_removed_target_can_be_added_again(store: Store, sealer: Sealer) -> None:
    again = replace(target(), login="other", added_ms=20)
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        await targets.remove(conn, A, at_ms=9)
        await targets.add(conn, sealer, again, credential=CREDENTIAL)
        assert await targets.get(conn, A) == again


async def test_a_target_is_not_added_twice_and_keeps_its_login(
    store: Store, sealer: Sealer
) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        with pytest.raises(ConflictError, match=A):
            await targets.add(
                conn, sealer, replace(target(), login="intruder"), credential=CREDENTIAL
            )
        assert (await targets.get(conn, A)).login == "osiris"


async def test_a_target_without_a_credential_cannot_be_logged_into(
    store: Store, sealer: Sealer
) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=Credential(None, None, None))
        with pytest.raises(NotFoundError, match="credential"):
            await targets.login_of(conn, sealer, A)


async def test_a_target_follows_its_device_to_another_address(store: Store, sealer: Sealer) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        await targets.moved(conn, {A: "10.0.0.9", B: "10.0.0.10"})
        assert (await targets.get(conn, A)).address == "10.0.0.9"
        await targets.set_os(conn, A, os="debian", os_version="13")
        assert (await targets.get(conn, A)).os_version == "13"


async def test_removed_targets_are_forgotten_after_a_season(store: Store, sealer: Sealer) -> None:
    async with store.write() as conn:
        await targets.add(conn, sealer, target(), credential=CREDENTIAL)
        await targets.remove(conn, A, at_ms=0)
        await targets.prune(conn, now_ms=targets.REMOVED_KEPT_MS)
        assert len(list(await conn.execute_fetchall("SELECT * FROM targets"))) == 1
        await targets.prune(conn, now_ms=targets.REMOVED_KEPT_MS + 1)
        assert list(await conn.execute_fetchall("SELECT * FROM targets")) == []
