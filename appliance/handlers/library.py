"""The content in force: what the program ships, until signed content takes its place, whole.

Rules kept here:

- What runs is what was loaded whole: a set that does not hold together changes nothing.
- The set is kept on disk before it is in force: after a crash the old one runs, or the new one.
- What is damaged on disk, or does not load with this program, be it the first or taken before, is
  told, and what the program ships runs meanwhile. What people sign beside it, of keys and grants,
  is taken all the same: else a program that is too old could be ordered nothing.
- A directory that the configuration names is in force whatever is signed; people, keys and grants
  still come from the signed set alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum

from appliance.core.content_refusals import ContentRefusedError
from appliance.core.trusted import SignedSet, Trusted, read_set
from appliance.ports import Repository
from proto.catalog.load import content_digest, load
from proto.catalog.model import Content
from proto.errors import OsirisError
from proto.release_keys import Life


class Origin(StrEnum):
    """Where the content in force comes from."""

    PROGRAM = "program"
    DIRECTORY = "directory"
    SIGNED = "signed"


class Library:
    """One appliance's content; whoever asks gets it as it is at that moment.

    Attributes:
        content: the checks, runbooks and rules in force.
        origin: where they come from.
        trusted: whose word counts; None before the first signed set.
        refusal: why what was offered last was not taken; None when it was, or nothing was offered.
        looked_s: when the repository last answered, 0 for never.
    """

    def __init__(
        self, own: Callable[[], Content], repository: Repository | None, *, origin: Origin
    ) -> None:
        """Put in force what is kept, else what `own` gives, which is from `origin`."""
        self._own = own
        self._repository = repository
        self._fixed = origin is Origin.DIRECTORY
        self._turn = asyncio.Lock()
        self._held: SignedSet | None = None
        self.trusted: Trusted | None = None
        self.refusal: OsirisError | None = None
        self.looked_s = 0
        self.content, self.origin = self._begin(origin)

    @property
    def has_repository(self) -> bool:
        """Whether the enrollment pinned a root of signed content."""
        return self._repository is not None

    def _begin(self, origin: Origin) -> tuple[Content, Origin]:
        if self._repository is None:
            return self._own(), origin
        try:
            held = self._repository.kept()
            if held is not None:
                self.trusted = read_set(held)
                self._held = held
                if held.content is not None and not self._fixed:
                    return load(held.content), Origin.SIGNED
        except OsirisError as error:
            self.refusal = error
        return self._own(), origin

    def newest_root(self) -> Life | None:
        """Return the life of the newest root that was verified, whatever became of its set."""
        if self._repository is None:
            return None
        try:
            return self._repository.newest_root()
        except OsirisError:
            return None

    async def released(self, path: str, digest: str, *, size_bytes_max: int) -> bytes:
        """Return a current target that is no content, from the repository.

        Raises:
            ContentRefusedError: it is not given, or is another file; or no repository is pinned.
            UnreachableError: the hub does not answer.
        """
        if self._repository is None:
            msg = "this appliance was enrolled at a hub without signed content: no root is pinned"
            raise ContentRefusedError(msg)
        return await self._repository.target(path, digest, size_bytes_max=size_bytes_max)

    async def look(self, *, now_s: int) -> bool:
        """Ask the repository, and take what is new; tell whether other content is in force.

        Raises:
            ContentRefusedError: it was not taken, and is in `refusal`.
            UnreachableError: the hub does not answer.
        """
        if self._repository is None:
            return False
        async with self._turn:
            try:
                new = await self._repository.look(self._held, runs=self.content.digest, now_s=now_s)
                changed = False if new is None else await self._take(new)
            except ContentRefusedError as error:
                self.refusal = error
                raise
            self.looked_s = now_s
            if self._runs_held:
                self.refusal = None
            return changed

    @property
    def _runs_held(self) -> bool:
        """Whether the held set is in force; where it does not load, that stays told."""
        return (
            self._fixed
            or self._held is None
            or self._held.content is None
            or self.origin is Origin.SIGNED
        )

    async def load_carried(self, *, now_s: int) -> bool:
        """Take the file that a person carried in; tell whether other content is in force.

        Raises:
            ContentRefusedError: it is not taken.
        """
        if self._repository is None:
            msg = "this appliance was enrolled at a hub without signed content: no root is pinned"
            raise ContentRefusedError(msg)
        async with self._turn:
            new = await self._repository.carried(self._held, runs=self.content.digest, now_s=now_s)
            return await self._take(new)

    async def _take(self, new: SignedSet) -> bool:
        assert self._repository is not None  # noqa: S101 - the callers looked
        content, origin = self.content, self.origin
        problem: OsirisError | None = None
        trusted = _read(new)
        try:
            if new.content is not None and not self._fixed:
                content, origin = await self._loaded(new), Origin.SIGNED
        except OsirisError as error:
            if not self._is_first_or_held(new.content):
                raise ContentRefusedError(str(error)) from error
            problem = error
        await self._repository.keep(new)
        changed = content.digest != self.content.digest
        self._held, self.trusted, self.content, self.origin = new, trusted, content, origin
        self.refusal = problem
        return changed

    def _is_first_or_held(self, content: Mapping[str, bytes] | None) -> bool:
        """Tell whether content that may not load here takes the place of none that does."""
        return self._held is None or self._held.content == content

    async def _loaded(self, new: SignedSet) -> Content:
        """Return the set's content, checked whole; as it is if it is in force already."""
        assert new.content is not None  # noqa: S101 - the caller looked
        if content_digest(new.content) == self.content.digest:
            return self.content
        return await asyncio.to_thread(load, new.content)


def _read(new: SignedSet) -> Trusted:
    """Return what a set says of whose word counts; raises `ContentRefusedError`."""
    try:
        return read_set(new)
    except ContentRefusedError:
        raise
    except OsirisError as error:
        raise ContentRefusedError(str(error)) from error
