"""A desk goes by the trust that it took first: whoever serves or hands it another is refused."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from osiris.desk import drafting, first_root
from osiris.desk.first_root import FirstRootError
from osiris.desk.place import Desk
from osiris.desk.take_trust import take_trust
from osiris.desk.walk import FILE_BYTES_MAX, HubContentError, content_of, take_from_hub
from proto.errors import ConfigError, NotFoundError, RejectedError
from proto.keysets import DAY_S, Role
from runtime.repository.layout import Place, digest_of
from tests.unit.release_world import CONTENT, NOW_S, Ceremony


@dataclass(frozen=True)
class Served:
    """A hub whose repository is a directory; whoever took the hub may write there."""

    directory: Path
    where: str = "https://hub.example:8443"

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes; see `osiris.desk.hub_files.Files`."""
        path = self.directory / name
        if not path.is_file():
            msg = f"{name}: is not there"
            raise NotFoundError(msg)
        yield path.read_bytes()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two directories: our people's publication, and another trust's, at its release 3."""
    directory = tmp_path_factory.mktemp("two-trusts")
    Ceremony(directory / "ours").publish_first()
    theirs = Ceremony(directory / "theirs", seed=1)
    theirs.publish_first()
    for version in (2, 3):
        drafting.draft_release(theirs.folder, None, now_s=NOW_S + version)
        theirs.sign("ada", "bo")
        assert not theirs.publish(now_s=NOW_S + version).problem
    return directory


@pytest.fixture
def ours(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "ours", tmp_path / "ours")
    return Ceremony(tmp_path / "ours")


@pytest.fixture
def theirs(prepared: Path, tmp_path: Path) -> Ceremony:
    shutil.copytree(prepared / "theirs", tmp_path / "theirs")
    return Ceremony(tmp_path / "theirs", seed=1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


def root_of(made: Ceremony) -> str:
    return digest_of(made.served.read(Role.ROOT, 1))


def hub_of(made: Ceremony) -> Served:
    return Served(made.served.directory)


def files_of(desk: Desk) -> dict[str, bytes]:
    """Return everything that lies in a desk."""
    return {
        str(path.relative_to(desk.directory)): path.read_bytes()
        for path in desk.directory.rglob("*")
        if path.is_file()
    }


def another_release(made: Ceremony, *, now_s: int) -> None:
    drafting.draft_release(made.folder, None, now_s=now_s)
    made.sign("ada", "bo")
    assert not made.publish(now_s=now_s).problem


class Cut(BaseException):
    """The machine stops here."""


@dataclass
class Power:
    """Cuts a run before one of its changes to a directory: Python tells of each beforehand."""

    left: int | None = None

    def __call__(self, event: str, _args: object) -> None:
        """Count one event; see `sys.addaudithook`."""
        if self.left is None or event not in {"os.rename", "os.mkdir"}:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Cut


@pytest.fixture(scope="module")
def power() -> Power:
    made = Power()
    sys.addaudithook(made)
    return made


class TestFolders:
    def test_what_is_taken_first_is_pinned_and_another_is_refused_whatever_its_versions(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        told = take_trust(ours.folder.repository, desk, now_s=NOW_S)
        assert (told["first_root"], told["pinned"]) == (root_of(ours), "now")
        before = files_of(desk)
        with pytest.raises(FirstRootError) as refused:
            take_trust(theirs.folder.repository, desk, now_s=NOW_S + 9)
        assert files_of(desk) == before
        for word in (root_of(ours), root_of(theirs), "first-root.json", "--first-root DIGEST"):
            assert word in str(refused.value)
        again = take_trust(ours.folder.repository, desk, now_s=NOW_S)
        assert again["pinned"] == "before, and the same"

    def test_a_folder_that_changed_its_first_root_under_the_pinned_one_is_refused(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        """The digest fits, and everything after it is somebody else's."""
        take_trust(ours.folder.repository, desk, now_s=NOW_S)
        forged = Place(theirs.folder.repository.directory)
        forged.metadata(Role.ROOT, 1).write_bytes(ours.served.read(Role.ROOT, 1))
        with pytest.raises(RejectedError, match="release"):
            take_trust(forged, desk, now_s=NOW_S + 9)

    def test_a_person_who_was_read_another_digest_takes_nothing(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        with pytest.raises(FirstRootError, match="--first-root says"):
            take_trust(theirs.folder.repository, desk, told=root_of(ours), now_s=NOW_S + 9)
        with pytest.raises(ConfigError, match="64 digits"):
            take_trust(ours.folder.repository, desk, told="ab12", now_s=NOW_S)
        assert not desk.directory.exists()
        take_trust(ours.folder.repository, desk, told=root_of(ours).upper(), now_s=NOW_S)
        assert first_root.pinned(desk) == ours.served.read(Role.ROOT, 1)

    def test_people_who_began_anew_take_the_place_by_the_digest_that_they_read_out(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        """The new trust's release 1 comes after the former's release 3: it is not its follower."""
        take_trust(theirs.folder.repository, desk, now_s=NOW_S + 9)
        former = files_of(desk)
        told = take_trust(ours.folder.repository, desk, told=root_of(ours), now_s=NOW_S + 9)
        assert (told["release"], told["pinned"]) == (1, "now")
        aside = {
            name.removeprefix("former-trust.1/"): data
            for name, data in files_of(desk).items()
            if name.startswith("former-trust.1/")
        }
        assert aside == former
        trust = desk.trust()
        assert trust is not None
        assert trust.authority.document.version == 1


class TestHubs:
    def test_no_hub_is_believed_which_root_is_the_first(self, ours: Ceremony, desk: Desk) -> None:
        with pytest.raises(ConfigError, match="pinned no first root yet"):
            take_from_hub(hub_of(ours), desk, now_s=NOW_S)
        told = take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S)
        assert (told["first_root"], told["release"]) == (root_of(ours), 1)

    def test_what_people_publish_reaches_the_desk_by_way_of_the_hub(
        self, ours: Ceremony, desk: Desk
    ) -> None:
        take_trust(ours.folder.repository, desk, now_s=NOW_S)
        take_from_hub(hub_of(ours), desk, now_s=NOW_S)
        another_release(ours, now_s=NOW_S + 60)
        assert take_from_hub(hub_of(ours), desk, now_s=NOW_S + 60)["release"] == 2
        trust, place = desk.trust(), content_of(desk)
        assert trust is not None
        assert (trust.authority.document.version, place.newest(Role.RELEASE)) == (2, 2)
        paths = (place.directory / "targets" / "content").rglob("*.yaml")
        assert {path.read_bytes() for path in paths} == set(CONTENT.values())

    def test_what_a_killed_walk_left_is_gone_after_the_next(
        self, ours: Ceremony, desk: Desk
    ) -> None:
        desk.make()
        left = desk.directory / ".walk-killed" / "tuf"
        left.mkdir(parents=True)
        left.joinpath("root.json").write_bytes(b"{}")
        take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S)
        assert not list(desk.directory.glob(".walk-*"))

    def test_a_hub_with_another_authority_is_refused(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S)
        before = files_of(desk)
        with pytest.raises(FirstRootError, match="another trust"):
            take_from_hub(hub_of(theirs), desk, now_s=NOW_S + 9)
        assert files_of(desk) == before

    @pytest.mark.parametrize("with_root", [False, True], ids=["behind ours", "as the next root"])
    def test_a_hub_that_shows_the_pinned_root_before_another_authority_is_refused(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk, *, with_root: bool
    ) -> None:
        take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S)
        before, metadata = files_of(desk), theirs.served.directory / "metadata"
        if with_root:
            metadata.joinpath("2.root.json").write_bytes((metadata / "1.root.json").read_bytes())
        metadata.joinpath("1.root.json").write_bytes(ours.served.read(Role.ROOT, 1))
        with pytest.raises(HubContentError):
            take_from_hub(hub_of(theirs), desk, now_s=NOW_S + 9)
        assert files_of(desk) == before

    def test_a_hub_that_goes_back_is_refused_even_if_tufs_memory_was_lost(
        self, ours: Ceremony, desk: Desk, tmp_path: Path
    ) -> None:
        older = tmp_path / "older"
        shutil.copytree(ours.served.directory, older)
        another_release(ours, now_s=NOW_S + 60)
        take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S + 60)
        with pytest.raises(HubContentError, match="older than what this desk has"):
            take_from_hub(Served(older), desk, now_s=NOW_S + 60)
        shutil.rmtree(desk.directory / "content" / "tuf")
        with pytest.raises(HubContentError, match="older than what this desk has"):
            take_from_hub(Served(older), desk, now_s=NOW_S + 60)

    def test_a_hub_that_holds_back_what_is_newer_is_noticed(
        self, ours: Ceremony, desk: Desk
    ) -> None:
        with pytest.raises(HubContentError, match="holds back what is newer"):
            take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S + 2 * DAY_S)
        assert desk.trust() is None

    def test_a_file_that_is_withheld_or_another_is_refused_and_nothing_is_kept(
        self, ours: Ceremony, desk: Desk
    ) -> None:
        path = next((ours.served.directory / "targets").glob("*.authority.json"))
        data = path.read_bytes()
        for forged in (data + b" ", b"x" * (FILE_BYTES_MAX + 1), None):
            path.unlink()
            if forged is not None:
                path.write_bytes(forged)
            with pytest.raises(HubContentError):
                take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S)
            assert files_of(desk) == {}
            path.write_bytes(data)

    def test_a_hub_without_a_repository_is_said_to_have_none(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        with pytest.raises(HubContentError, match="serves no repository"):
            take_from_hub(Served(tmp_path), desk, told="ab" * 32, now_s=NOW_S)
        with pytest.raises(ConfigError, match="holds no content yet"):
            content_of(desk)

    def test_a_trust_that_was_given_up_leaves_nothing_of_its_content_in_force(
        self, ours: Ceremony, theirs: Ceremony, desk: Desk
    ) -> None:
        take_from_hub(hub_of(theirs), desk, told=root_of(theirs), now_s=NOW_S + 9)
        take_from_hub(hub_of(ours), desk, told=root_of(ours), now_s=NOW_S + 9)
        assert content_of(desk).newest(Role.RELEASE) == 1
        assert Place(desk.directory / "former-trust.1" / "content").newest(Role.RELEASE) == 3

    @pytest.mark.parametrize("back", [False, True], ids=["on to the other", "back to the former"])
    def test_a_cut_while_a_trust_is_given_up_leaves_it_whole_on_one_side(
        self, ours: Ceremony, theirs: Ceremony, tmp_path: Path, power: Power, *, back: bool
    ) -> None:
        start = Desk(tmp_path / "start")
        take_from_hub(hub_of(theirs), start, told=root_of(theirs), now_s=NOW_S + 9)
        former = files_of(start)
        to = theirs if back else ours
        asked = 0
        for cut in range(100):
            desk = Desk(tmp_path / f"desk-{cut}")
            shutil.copytree(start.directory, desk.directory)
            root = first_root.FirstRoot(ours.served.read(Role.ROOT, 1), is_new=True)
            power.left = cut
            try:
                first_root.go_by(desk, root)
            except Cut:
                asked += _asks(desk, ours)
                take_from_hub(hub_of(to), desk, told=root_of(to), now_s=NOW_S + 9)
            else:
                break
            finally:
                power.left = None
            assert first_root.pinned(desk) == to.served.read(Role.ROOT, 1)
            assert content_of(desk).newest(Role.RELEASE) == (3 if back else 1)
            aside = {
                name.removeprefix("former-trust.1/"): data
                for name, data in files_of(desk).items()
                if name.startswith("former-trust.1/")
            }
            assert aside == ({} if back else former)
        assert asked >= 4

    def test_a_cut_while_a_trust_is_put_back_is_gone_on_with(
        self, ours: Ceremony, theirs: Ceremony, tmp_path: Path, power: Power
    ) -> None:
        half = Desk(tmp_path / "half")
        take_from_hub(hub_of(theirs), half, told=root_of(theirs), now_s=NOW_S + 9)
        former = files_of(half)
        half.directory.joinpath("former-trust.1").mkdir()
        for name in ("first-root.json", "authority.json", "content"):
            half.directory.joinpath(name).rename(half.directory / "former-trust.1" / name)
        for cut in range(100):
            desk = Desk(tmp_path / f"desk-{cut}")
            shutil.copytree(half.directory, desk.directory)
            power.left = cut
            try:
                first_root.go_on(desk, root_of(theirs))
            except Cut:
                assert _asks(desk, ours)
                first_root.go_on(desk, root_of(theirs))
            else:
                break
            finally:
                power.left = None
            assert files_of(desk) == former
        assert cut == 3


def _asks(desk: Desk, made: Ceremony) -> bool:
    """Tell whether a desk with no pin takes nothing before its person says which trust it is."""
    if first_root.pinned(desk) is not None:
        return False
    before = files_of(desk)
    with pytest.raises(ConfigError, match="cut off while it gave up"):
        take_trust(made.folder.repository, desk, now_s=NOW_S + 9)
    assert files_of(desk) == before
    return True
