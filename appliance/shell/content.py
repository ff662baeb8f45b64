"""`ports.Repository`: the signed set on this disk, and how a newer one comes to be beside it.

```
content/active.zip    the set: set.json names every file by SHA-256; whole or not there at all
content/tuf/          tuf's own files: what it has seen, against rollback
content/carried.zip   a file that a person carried in, while it is looked at
content/first.json    the first root, whose SHA-256 the enrollment pinned
```

A set is one file, written beside the old one and renamed over it: a crash at any step leaves the
old or the new one, never a mixture. tuf is imported only when there is something to verify.
"""

import asyncio
import hashlib
import ssl
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Protocol

from pydantic import Field

from appliance.core.content_refusals import (
    ContentRefusedError,
    DamagedError,
    MixedError,
    RootRefusedError,
    WithheldError,
)
from appliance.core.trusted import Carrier, Part, SignedSet
from appliance.shell.content_source import CONTENT_PATH, AbsentError, FileSource, HubSource, Source
from proto.catalog.load import content_digest
from proto.errors import MalformedError, NoRoomError, NotFoundError
from proto.keysets import Role
from proto.message import Count, Hex256, Message, Seconds, VersionOne
from proto.policy import Policy, Turn
from proto.release_keys import POLICY_TARGET, Life, read_life
from runtime.private import make_private
from runtime.repository.layout import target_file
from runtime.tls import write_private

if TYPE_CHECKING:
    from appliance.shell.content_verify import Asked

SET_BYTES_MAX: Final = 16 * 1024 * 1024
FILES_BYTES_MAX: Final = 48 * 1024 * 1024
FIRST_ROOT: Final = "metadata/1.root.json"
ROOT_BYTES_MAX: Final = 256 * 1024
_TIMESTAMP = "metadata/timestamp.json"
_MANIFEST = "set.json"
_DOCUMENTS, _CONTENT = "documents/", "content/"
_WHEN = (1980, 1, 1, 0, 0, 0)


class HubReader(Protocol):
    """The kept-open connection to the hub."""

    async def read(self, path: str) -> bytes:
        """Return what the hub has at a path; raises `NotFoundError` and `UnreachableError`."""
        ...


class _Manifest(Message):
    """set.json."""

    v: VersionOne = 1
    documents: dict[str, Hex256]
    content: dict[str, Hex256] | None
    listed: dict[str, Hex256]
    versions: dict[Annotated[Part, Field(strict=False)], Count]
    ends: dict[Annotated[Part, Field(strict=False)], Seconds]
    made_s: Seconds
    root_s: Seconds = 0
    taken_s: Seconds
    content_s: Seconds
    mark: Hex256
    carrier: Annotated[Carrier, Field(strict=False)]
    is_development: bool


def pack(kept: SignedSet) -> bytes:
    """Return a set as the bytes of one file."""
    content = kept.content
    manifest = _Manifest(
        documents=_digests(kept.documents),
        content=None if content is None else _digests(content),
        listed=dict(kept.listed),
        versions=dict(kept.versions),
        ends=dict(kept.ends),
        made_s=kept.made_s,
        root_s=kept.root_s,
        taken_s=kept.taken_s,
        content_s=kept.content_s,
        mark=kept.mark,
        carrier=kept.carrier,
        is_development=kept.is_development,
    )
    files = {f"{_DOCUMENTS}{path}": data for path, data in kept.documents.items()}
    files |= {f"{_CONTENT}{path}": data for path, data in (content or {}).items()}
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as outlet:
        for name, data in {_MANIFEST: manifest.to_bytes(), **files}.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            outlet.writestr(entry, data)
    return made.getvalue()


def unpack(data: bytes) -> SignedSet:
    """Read a set from its bytes.

    Raises:
        DamagedError: they are not what `pack` wrote.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as inlet:
            if sum(entry.file_size for entry in inlet.infolist()) > FILES_BYTES_MAX:
                msg = "the kept content: larger than any that was written"
                raise DamagedError(msg)
            said = _Manifest.from_bytes(
                inlet.read(_MANIFEST), _MANIFEST, size_bytes_max=SET_BYTES_MAX
            )
            documents = _checked(inlet, _DOCUMENTS, said.documents)
            content = None if said.content is None else _checked(inlet, _CONTENT, said.content)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, MalformedError) as error:
        msg = f"the kept content cannot be read: {error}"
        raise DamagedError(msg) from error
    return SignedSet(
        documents=documents,
        content=content,
        listed=said.listed,
        versions=said.versions,
        ends=said.ends,
        made_s=said.made_s,
        root_s=said.root_s,
        taken_s=said.taken_s,
        content_s=said.content_s,
        mark=said.mark,
        carrier=said.carrier,
        is_development=said.is_development,
    )


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def _checked(inlet: zipfile.ZipFile, prefix: str, digests: Mapping[str, str]) -> dict[str, bytes]:
    found = {path: inlet.read(f"{prefix}{path}") for path in digests}
    for path, data in found.items():
        if hashlib.sha256(data).hexdigest() != digests[path]:
            msg = f"the kept content: {path} is not what was written"
            raise DamagedError(msg)
    return found


@dataclass(frozen=True, slots=True)
class ContentPlace:
    """The files of the content, below the appliance's state directory."""

    directory: Path

    @property
    def active(self) -> Path:
        """The set that is held."""
        return self.directory / "active.zip"

    @property
    def tuf(self) -> Path:
        """Where tuf keeps its own files."""
        return self.directory / "tuf"

    @property
    def carried(self) -> Path:
        """Where the command line puts a file for the daemon to look at."""
        return self.directory / "carried.zip"

    @property
    def first_root(self) -> Path:
        """The pinned root's bytes, once they were fetched."""
        return self.directory / "first.json"

    def prepare(self) -> None:
        """Make the directory, readable by the appliance alone; raises `ConfigError`."""
        make_private(self.directory, key="state_dir")


@dataclass(frozen=True, slots=True)
class ContentRepository:
    """The repository of the hub that this appliance was enrolled at.

    Attributes:
        pinned: SHA-256 of the first root, which the enrollment pinned.
        at_hand: the files that the program ships, which need not be fetched.
    """

    place: ContentPlace
    origin: str
    tls: Callable[[], ssl.SSLContext]
    reader: HubReader
    pinned: bytes
    site: str
    at_hand: Callable[[], Mapping[str, bytes]]
    steady_s: Callable[[], float]

    def kept(self) -> SignedSet | None:
        """Return the set that is held; see `ports.Repository.kept`."""
        try:
            return unpack(self.place.active.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"{self.place.active}: cannot be read: {error.strerror}"
            raise DamagedError(msg) from error

    def newest_root(self) -> Life | None:
        """Return the newest verified root's life; see `ports.Repository.newest_root`.

        tuf keeps a root as soon as those before it vouch for it, whatever comes behind.
        """
        from appliance.shell.content_fetcher import signed_part  # noqa: PLC0415 - imports tuf

        try:
            data = (self.place.tuf / "root.json").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"{self.place.tuf}: cannot be read: {error.strerror}"
            raise DamagedError(msg) from error
        return read_life(signed_part(data), Role.ROOT)

    async def look(self, held: SignedSet | None, *, runs: str, now_s: int) -> SignedSet | None:
        """Return a newer verified set; see `ports.Repository.look`."""
        if held is not None and not await self._is_news(held, runs=runs, now_s=now_s):
            return None
        return await asyncio.to_thread(
            self._fetch, partial(self._asked, held, Carrier.HUB, runs=runs, now_s=now_s)
        )

    async def carried(self, held: SignedSet | None, *, runs: str, now_s: int) -> SignedSet:
        """Return what the carried file holds; see `ports.Repository.carried`."""
        return await asyncio.to_thread(
            self._open, partial(self._asked, held, Carrier.FILE, runs=runs, now_s=now_s)
        )

    async def keep(self, new: SignedSet) -> None:
        """Keep a set in place of the one held; see `ports.Repository.keep`."""
        await asyncio.to_thread(self._keep, new)

    def _keep(self, new: SignedSet) -> None:
        with _room(self.place.directory):
            self.place.prepare()
            write_private(self.place.active, pack(new))
            self.place.carried.unlink(missing_ok=True)

    async def target(self, path: str, digest: str, *, size_bytes_max: int) -> bytes:
        """Return a current target's bytes from the hub; see `ports.Programs.fetch`."""
        return await asyncio.to_thread(
            self._target, path, digest=digest, size_bytes_max=size_bytes_max
        )

    def _target(self, path: str, *, digest: str, size_bytes_max: int) -> bytes:
        name, found = f"targets/{target_file(path, digest)}", bytearray()
        with HubSource(self.origin, tls=self.tls(), steady_s=self.steady_s) as source:
            try:
                for chunk in source.chunks(name):
                    found += chunk
                    if len(found) > size_bytes_max:
                        msg = f"{name}: more than {size_bytes_max} bytes"
                        raise ContentRefusedError(msg)
            except AbsentError as error:
                msg = f"{name}: the repository does not give it"
                raise WithheldError(msg) from error
        if hashlib.sha256(found).hexdigest() != digest:
            msg = f"{name}: not the file that signed metadata name"
            raise MixedError(msg)
        return bytes(found)

    async def _is_news(self, held: SignedSet, *, runs: str, now_s: int) -> bool:
        stamp = await self._read(_TIMESTAMP)
        if stamp is None:
            msg = f"{self.origin}: no timestamp is given any more"
            raise WithheldError(msg)
        seen = {hashlib.sha256(one).hexdigest() for one in (stamp, self._last_seen())}
        if seen != {held.mark} or self._is_due(held, runs, now_s):
            return True
        return await self._read(f"metadata/{held.versions[Part.ROOT] + 1}.root.json") is not None

    def _last_seen(self) -> bytes:
        """Return the newest timestamp that tuf ever believed, which may never have led to a set."""
        try:
            return (self.place.tuf / "timestamp.json").read_bytes()
        except FileNotFoundError:
            return b""

    def _is_due(self, held: SignedSet, runs: str, now_s: int) -> bool:
        policy = Policy.read(held.documents[POLICY_TARGET])
        wanted = policy.rollout.content
        has = held.content is not None and content_digest(held.content) == wanted
        turn = policy.turn(self.site, content=wanted, now_s=now_s)
        return not has and (turn is Turn.NOW or wanted == runs)

    async def _read(self, name: str) -> bytes | None:
        try:
            return await self.reader.read(f"{CONTENT_PATH}{name}")
        except NotFoundError:
            return None

    def _fetch(self, asked: "Callable[[bytes], Asked]") -> SignedSet:
        with HubSource(self.origin, tls=self.tls(), steady_s=self.steady_s) as source:
            return self._verified(asked, source)

    def _open(self, asked: "Callable[[bytes], Asked]") -> SignedSet:
        with FileSource(self.place.carried) as source:
            return self._verified(asked, source)

    def _verified(self, asked: "Callable[[bytes], Asked]", source: Source) -> SignedSet:
        from appliance.shell.content_verify import verify  # noqa: PLC0415 - imports tuf

        with _room(self.place.directory):
            return verify(asked(self._first_root(source)), source)

    def _asked(
        self, held: SignedSet | None, carrier: Carrier, first_root: bytes, *, runs: str, now_s: int
    ) -> "Asked":
        from appliance.shell.content_verify import Asked  # noqa: PLC0415 - imports tuf

        at_hand = {hashlib.sha256(data).hexdigest(): data for data in self.at_hand().values()}
        for some in () if held is None else (held.documents, held.content or {}):
            at_hand |= {hashlib.sha256(data).hexdigest(): data for data in some.values()}
        return Asked(
            home=self.place.tuf,
            first_root=first_root,
            held=held,
            site=self.site,
            runs=runs,
            at_hand=at_hand,
            carrier=carrier,
            now_s=now_s,
        )

    def _first_root(self, source: Source) -> bytes:
        """Return the pinned root's bytes, from here or from the repository.

        Raises:
            RootRefusedError: what is offered is not the pinned root.
            WithheldError: it is not given.
        """
        self.place.prepare()
        kept = self.place.first_root
        if kept.exists() and _is_pinned(found := kept.read_bytes(), self.pinned):
            return found
        found = b""
        try:
            for chunk in source.chunks(FIRST_ROOT):
                found += chunk
                if len(found) > ROOT_BYTES_MAX:
                    break
        except AbsentError as error:
            msg = f"{FIRST_ROOT}: the repository does not give the root that was pinned"
            raise WithheldError(msg) from error
        if not _is_pinned(found, self.pinned):
            msg = f"{FIRST_ROOT}: is not the root that the claim code pinned"
            raise RootRefusedError(msg)
        write_private(kept, found)
        return found


def _is_pinned(data: bytes, pinned: bytes) -> bool:
    return hashlib.sha256(data).digest() == pinned


@contextmanager
def _room(directory: Path) -> Iterator[None]:
    """Say that the disk gave no room, or failed."""
    try:
        yield
    except OSError as error:
        msg = f"{directory}: cannot be written: {error.strerror}"
        raise NoRoomError(msg) from error
