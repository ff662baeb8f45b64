"""Between the two steps of adding a target its credential is sealed, and not for long."""

import pickle
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.handlers import waiting
from appliance.handlers.targets import Shown, Wanted
from appliance.handlers.waiting import LIFE_MS, WAITING_MAX, WaitingRoom
from appliance.ports import Credential, Sudo
from appliance.shell.seal import KEY_BYTES, KeySealer
from proto.errors import NotFoundError
from proto.secret import Secret
from runtime.clock import system_entropy
from tests.fakes.scanner import FakeScanner
from tests.fakes.shell import FakeShell, credential
from tests.unit.discovery_site import SmallSite, small_site

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
SHOWN = Shown("10.0.0.5", 22, KEY, "SHA256:x", None)
PASSWORD = "a passphrase nobody sees"  # noqa: S105 - of a test
GIVEN = credential(key="PEM", password=PASSWORD, sudo_password=PASSWORD)
WANTED = Wanted("10.0.0.5", 22, "osiris", Sudo.ASK, GIVEN, "", "the EMR")
MARIA = "maria"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, scanner=FakeScanner([]), shell=FakeShell({})) as opened:
        yield opened


@pytest.fixture
def room(site: SmallSite) -> WaitingRoom:
    """A room that seals with a real key."""
    sealer = KeySealer(Secret(system_entropy(KEY_BYTES)), system_entropy)
    return WaitingRoom(replace(site.work, sealer=sealer, entropy=system_entropy))


def test_what_waits_is_taken_once_with_its_credential_and_the_shown_key(room: WaitingRoom) -> None:
    ticket = room.put(WANTED, SHOWN, account=MARIA)
    taken = room.take(ticket, account=MARIA)
    assert taken == replace(WANTED, host_key=KEY)
    with pytest.raises(NotFoundError, match="Nothing was added"):
        room.take(ticket, account=MARIA)


def test_what_is_shown_of_it_holds_no_secret(room: WaitingRoom) -> None:
    ticket = room.put(WANTED, SHOWN, account=MARIA)
    shown = room.look(ticket, account=MARIA)
    assert shown.wanted.credential == Credential(None, None, None)
    assert shown.shown == SHOWN


def test_what_is_kept_is_sealed(room: WaitingRoom) -> None:
    """Nothing reachable from the room's memory but the key and the sealed bytes holds it."""
    room.put(WANTED, SHOWN, account=MARIA)
    kept = pickle.dumps(
        [(held.account, held.shown, sealed) for held, sealed in room._waiting.values()]  # noqa: SLF001 - this is about what is inside
    )
    assert PASSWORD.encode() not in kept
    assert b"PEM" not in kept


def test_another_account_has_nothing_of_it(room: WaitingRoom) -> None:
    ticket = room.put(WANTED, SHOWN, account=MARIA)
    for do in (room.look, room.take):
        with pytest.raises(NotFoundError):
            do(ticket, account="omar")
    assert room.take(ticket, account=MARIA).user == "osiris"


def test_it_waits_five_minutes_and_no_longer(site: SmallSite, room: WaitingRoom) -> None:
    early, late = room.put(WANTED, SHOWN, account=MARIA), room.put(WANTED, SHOWN, account=MARIA)
    site.clock.advance(LIFE_MS - 1)
    room.take(early, account=MARIA)
    site.clock.advance(1)
    with pytest.raises(NotFoundError):
        room.take(late, account=MARIA)
    assert room._waiting == {}  # noqa: SLF001 - it is forgotten, not only refused


def test_the_oldest_of_many_goes(room: WaitingRoom) -> None:
    tickets = [room.put(WANTED, SHOWN, account=MARIA) for _ in range(WAITING_MAX + 1)]
    assert len(set(tickets)) == WAITING_MAX + 1
    with pytest.raises(NotFoundError):
        room.take(tickets[0], account=MARIA)
    assert room.take(tickets[1], account=MARIA).user == "osiris"


def test_a_ticket_is_too_long_to_guess() -> None:
    assert waiting.TICKET_BYTES >= 16
