"""The hub's keys change without anybody visiting an appliance: the authority names them."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.core.trusted import Trusted, read_set
from appliance.handlers.followed_trust import FollowedTrust
from appliance.handlers.work import HubTrust
from proto.envelope import Kind, open_envelope, sign
from proto.errors import MalformedError, SignatureError
from proto.keys import Holder, KeyRing, Threshold
from proto.keysets import DAY_S
from proto.note import Algorithm, NoteKey
from tests.fakes.clock import ManualClock
from tests.unit.content_world import Reader, Repository, honest, reader_of
from tests.unit.order_world import NOW, key, use

NAME = "hub.example:8443"


def cosigner(name: str) -> NoteKey:
    return NoteKey(NAME, key(name).public, Algorithm.COSIGNATURE)


class Appliance:
    """What of the hub's statements counts at an appliance that looks at a repository."""

    def __init__(self, repository: Repository, home: Path) -> None:
        """Enroll it at the repository."""
        self.repository = repository
        self.reader: Reader = reader_of(repository, home)
        self.clock = ManualClock(NOW * 1000)
        heads = Threshold(KeyRing((Holder("hub", key("pinned head").public),)))
        pinned = HubTrust(heads, (cosigner("pinned log"),))
        self.trust = FollowedTrust(pinned, NAME, self.give, self.clock)

    def give(self) -> Trusted | None:
        return None if self.reader.held is None else read_set(self.reader.held)

    def believes(self, name: str) -> bool:
        """Tell whether a head counts that a key signed."""
        try:
            open_envelope(sign(Kind.HEAD, b"{}", key(name)), kind=Kind.HEAD, trust=self.trust.heads)
        except SignatureError:
            return False
        return True


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return Appliance(honest(), tmp_path / "tuf")


def test_until_people_signed_the_pinned_root_names_the_keys(appliance: Appliance) -> None:
    assert appliance.believes("pinned head")
    assert not appliance.believes("head")
    assert appliance.trust.cosigners == (cosigner("pinned log"),)


def test_from_then_on_the_authority_does_and_nobody_else(appliance: Appliance) -> None:
    appliance.reader.look(appliance.repository)
    assert appliance.believes("head")
    assert not appliance.believes("pinned head")


def test_a_new_head_key_counts_beside_the_old_and_then_alone(appliance: Appliance) -> None:
    repository = appliance.repository
    for version, names in ((2, ("head", "next head")), (3, ("next head",))):
        uses = [use(name, end=NOW + 300 * DAY_S) for name in names]
        repository.release(version, authority={"head_keys": uses})
        repository.say_current(version)
        appliance.reader.look(repository)
        assert appliance.believes("next head")
        assert appliance.believes("head") is (version == 2)


def test_a_head_key_that_ended_stays_ended_when_the_clock_is_set_back(
    appliance: Appliance,
) -> None:
    appliance.reader.look(appliance.repository)
    ended_s = NOW + 300 * DAY_S
    trust = replace(appliance.trust, floor_s=lambda: ended_s)
    head = sign(Kind.HEAD, b"{}", key("head"))
    assert appliance.believes("head")
    with pytest.raises((SignatureError, MalformedError)):
        open_envelope(head, kind=Kind.HEAD, trust=trust.heads)


def test_a_head_key_counts_only_in_its_time(appliance: Appliance) -> None:
    appliance.reader.look(appliance.repository)
    appliance.clock.advance(300 * DAY_S * 1000)
    with pytest.raises(MalformedError):
        appliance.believes("head")


def test_what_an_older_log_key_cosigned_stays_verifiable(appliance: Appliance) -> None:
    appliance.reader.look(appliance.repository)
    assert appliance.trust.cosigners == (cosigner("pinned log"), cosigner("log"))
