"""Sigstore's real chain of roots through the client of ours, and a repository of tuf-on-ci.

They are other people's: their keys are no Ed25519 keys and name no person, so our own rules refuse
every one of them, which is a test of its own. For the others these rules are left out, and tuf's
are put to work exactly as the appliance does it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tuf.ngclient import Updater

from appliance.core.content_refusals import ContentRefusedError
from appliance.shell.content_fetcher import Fetcher, translated
from appliance.shell.content_source import AbsentError
from tests.conformance import vectors

STATIC = vectors.need("tuf-static")
SIGSTORE = STATIC / "sigstore-root-signing"
TUF_ON_CI = STATIC / "tuf-on-ci-0.11"
FIRST, LAST = 5, 12
OLDER = {
    1: "content_refused",
    2: "content_refused",
    3: "content_refused",
    4: "content_root_refused",
}
"""Roots in forms that TUF 1.0 does not allow: times with fractions or offsets, keys not in PEM."""

pytestmark = pytest.mark.filterwarnings("ignore:keytype 'ecdsa-sha2-nistp256' is deprecated")


@dataclass
class Folder:
    """A repository on disk, some of whose files a test replaces or takes away."""

    directory: Path
    changed: Mapping[str, bytes | None] = field(default_factory=dict)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Be a source; see `appliance.shell.content_source.Source`."""
        file = self.directory / name
        data = self.changed.get(name, file.read_bytes() if file.is_file() else None)
        if data is None:
            raise AbsentError(name)
        yield data


class Theirs(Fetcher):
    """Our way to a repository, without our own rules for roots."""

    def vet_root(self, data: bytes) -> None:
        """Leave it to tuf."""


def root(version: int) -> bytes:
    return (SIGSTORE / "metadata" / f"{version}.root.json").read_bytes()


def walk(folder: Folder, first_root: bytes, home: Path) -> Updater:
    """Go the whole way to the targets, at the time at which the repository was copied."""
    fetcher = Theirs(folder)
    with translated(fetcher):
        made = Updater(
            str(home),
            "metadata/",
            target_base_url="targets/",
            fetcher=fetcher,
            bootstrap=first_root,
        )
        at = datetime.fromisoformat((folder.directory / "faketime").read_text().strip())
        made._trusted_set.reference_time = at.astimezone(UTC)  # noqa: SLF001 - as the client does
        made.refresh()
    return made


def code(folder: Folder, first_root: bytes, home: Path) -> str:
    with pytest.raises(ContentRefusedError) as caught:
        walk(folder, first_root, home)
    return caught.value.code


@pytest.mark.parametrize("first", range(FIRST, LAST + 1))
def test_the_chain_leads_from_any_root_to_the_last(first: int, tmp_path: Path) -> None:
    updater = walk(Folder(SIGSTORE), root(first), tmp_path)
    assert json.loads((tmp_path / "root.json").read_bytes())["signed"]["version"] == LAST
    info = updater.get_targetinfo("trusted_root.json")
    assert info is not None
    (file,) = (SIGSTORE / "targets").iterdir()
    assert info.hashes["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_repository_of_another_maker_is_walked(tmp_path: Path) -> None:
    first = (TUF_ON_CI / "initial_root.json").read_bytes()
    updater = walk(Folder(TUF_ON_CI), first, tmp_path)
    assert updater.get_targetinfo((TUF_ON_CI / "targetpath").read_text().strip()) is not None


@pytest.mark.parametrize("version", range(FIRST + 1, LAST + 1))
def test_a_root_that_too_few_signed_breaks_the_chain(version: int, tmp_path: Path) -> None:
    document = json.loads(root(version))
    document["signatures"] = [one for one in document["signatures"] if one["sig"]][:2]
    changed = {f"metadata/{version}.root.json": json.dumps(document).encode()}
    assert code(Folder(SIGSTORE, changed), root(FIRST), tmp_path) == "content_root_refused"


@pytest.mark.parametrize("version", range(FIRST + 1, LAST + 1))
def test_a_root_in_anothers_place_breaks_the_chain(version: int, tmp_path: Path) -> None:
    for other in {version - 1, min(version + 1, LAST)} - {version}:
        changed = {f"metadata/{version}.root.json": root(other)}
        assert code(Folder(SIGSTORE, changed), root(FIRST), tmp_path) == "content_root_refused"


def test_a_root_that_is_withheld_leaves_an_expired_one(tmp_path: Path) -> None:
    folder = Folder(SIGSTORE, {"metadata/8.root.json": None})
    assert code(folder, root(FIRST), tmp_path) == "content_expired"


@pytest.mark.parametrize(("version", "refused"), OLDER.items())
def test_a_root_in_a_form_of_before_is_refused(version: int, refused: str, tmp_path: Path) -> None:
    assert code(Folder(SIGSTORE), root(version), tmp_path) == refused


@pytest.mark.parametrize("version", range(1, LAST + 1))
def test_our_own_rules_take_no_root_that_names_no_people(version: int) -> None:
    with pytest.raises(ContentRefusedError) as caught:
        Fetcher(Folder(SIGSTORE)).vet_root(root(version))
    assert caught.value.code == "content_root_refused"
