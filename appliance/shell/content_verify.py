"""Verifying a repository's state: python-tuf's client workflow, and above it people and lives.

TUF 1.0's detailed client workflow is `tuf.ngclient`'s; it refuses rollback, freeze, mix-and-match,
endless data and a root that the held one's keys did not sign. It counts key ids and knows no people
and no lives, so every root and delegation is also read by `proto.release_keys`, whose rules make a
count of ids a count of people, before any of it is believed. In order:

- each root, before tuf is given it: `read_root`; a real trust never turns into a development one;
- tuf's refresh, at the time that is given, never the machine's own;
- no part's version below the one held, even if tuf's own files were lost;
- release people signed the targets, as many as must; the online roles live as long as they may;
- authority and policy are new and unexpired, or the ones held; grants, counted by the operators
  that the authority names; promoted rules, which end with the operator who signed them;
- the content, when the policy's rollout has reached this site, with the digest that it announces.

This module imports tuf: import it only when there is something to verify, in a thread.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Metadata, Root, TargetFile, Targets
from tuf.ngclient import Updater, UpdaterConfig

from appliance.core.content_refusals import (
    ContentRefusedError,
    ExpiredError,
    RolledBackError,
    WithheldError,
)
from appliance.core.trusted import Carrier, Part, SignedSet
from appliance.shell.content_fetcher import Fetcher, signed_part, translated
from appliance.shell.content_source import Source
from proto.authority import AUTHORITY_BYTES_MAX, AuthoritySet, accept_authority
from proto.catalog.load import FILES_MAX, content_digest
from proto.catalog.strict_yaml import SIZE_BYTES_MAX
from proto.grants import GRANTS_BYTES_MAX, GrantSet, Trust, accept_grants
from proto.keys import KeyRing, PublicKey
from proto.keysets import DAY_S, Role
from proto.policy import POLICY_BYTES_MAX, Policy, Turn
from proto.release_keys import (
    AUTHORITY_TARGET,
    CONTENT_PREFIX,
    DELEGATED,
    GRANTS_TARGET,
    POLICY_TARGET,
    PROMOTED_PREFIX,
    TUF_NAMES,
    RoleKeys,
    RootKeys,
    read_delegations,
    read_life,
    read_root,
)
from proto.rules.promoted import PROMOTED_MAX, promoted_rules

METADATA: Final = "metadata/"
TARGETS: Final = "targets/"
CONTENT_BYTES_MAX: Final = 32 * 1024 * 1024
AHEAD_S_MAX: Final = DAY_S
"""How far ahead of our clock something may say it was made: a clock may be set wrong by a day."""

_LIMITS: Final = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=4,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=4 * 1024 * 1024,
)
_STEP: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}"
_NAME: Final = re.compile(rf"(?:{_STEP}/){{0,5}}{_STEP}")
_PATH_CHARS_MAX: Final = 256
_DELEGATED_PATHS: Final = tuple(f"{TUF_NAMES[role]}/" for role in DELEGATED)
_OF_SEVERAL: Final = frozenset({Role.RELEASE, Role.GRANTS})
"""What several people sign, and often: their word on the time is a floor for clocks."""

_PARTS: Final = {
    Role.ROOT: Part.ROOT,
    Role.RELEASE: Part.RELEASE,
    Role.SNAPSHOT: Part.SNAPSHOT,
    Role.TIMESTAMP: Part.TIMESTAMP,
    Role.GRANTS: Part.GRANTS,
    Role.PROMOTED: Part.PROMOTED,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is verified against what.

    Attributes:
        home: the directory of tuf's own files.
        first_root: the bytes that the enrollment pinned.
        held: the set that is held, None for none yet.
        runs: the digest of the content that the site runs now.
        at_hand: files that need not be fetched, by hex SHA-256.
    """

    home: Path
    first_root: bytes
    held: SignedSet | None
    site: str
    runs: str
    at_hand: Mapping[str, bytes]
    carrier: Carrier
    now_s: int


def verify(asked: Asked, source: Source) -> SignedSet:
    """Return the repository's newest state, verified whole.

    Raises:
        ContentRefusedError: it is refused; the class says as which attack.
        RejectedError: a document in it is refused by its own rules.
        UnreachableError: the repository did not answer.
    """
    return _Verifying(asked, Fetcher(source)).run()


@dataclass(slots=True)
class _Verifying:
    asked: Asked
    fetcher: Fetcher
    documents: dict[str, bytes] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    versions: dict[Part, int] = field(default_factory=dict)
    ends: dict[Part, int] = field(default_factory=dict)
    made_s: int = 0
    root_s: int = 0

    def run(self) -> SignedSet:
        """Go through the rules in their order."""
        asked, home = self.asked, self.asked.home
        with translated(self.fetcher):
            updater = self._updater()
            updater.refresh()
            root_bytes = (home / "root.json").read_bytes()
            root = Metadata[Root].from_bytes(root_bytes)
            keys = read_root(signed_part(root_bytes))
            targets = self._release(root.signed, keys)
            delegated = read_delegations(signed_part((home / "targets.json").read_bytes()), keys)
            self._lives(keys)
            authority = self._authority(updater, root.signed, targets, keys)
            policy = self._policy(updater)
            self._grants(updater, targets.signed, delegated, authority)
            self._promoted(updater, targets.signed, delegated, authority)
            content, content_s = self._content(updater, targets.signed, policy)
        return SignedSet(
            documents=self.documents,
            content=content,
            listed=self.listed,
            versions=self.versions,
            ends=self.ends,
            made_s=self.made_s,
            root_s=self.root_s,
            taken_s=asked.now_s,
            content_s=content_s,
            mark=hashlib.sha256((home / "timestamp.json").read_bytes()).hexdigest(),
            carrier=asked.carrier,
            is_development=keys.is_development,
        )

    def _updater(self) -> Updater:
        asked = self.asked
        asked.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in asked.home.glob("tmp*"):
            left.unlink()  # what a crash left of tuf's writing
        self.fetcher.vet_root(asked.first_root)
        if asked.held is not None:
            self.fetcher.is_development = asked.held.is_development
        updater = Updater(
            str(asked.home),
            METADATA,
            target_base_url=TARGETS,
            fetcher=self.fetcher,
            config=_LIMITS,
            bootstrap=asked.first_root,
        )
        # tuf's client has no argument for the time; ours is never behind what was signed.
        updater._trusted_set.reference_time = datetime.fromtimestamp(  # noqa: SLF001
            asked.now_s, UTC
        )
        return updater

    def _note(self, part: Part, *, version: int, end: int) -> None:
        held = self.asked.held
        if part not in {Part.SNAPSHOT, Part.TIMESTAMP} and held is not None:
            before = held.versions.get(part, 0)
            if version < before:
                msg = f"{part}: version {version} was offered, {before} is held"
                raise RolledBackError(msg)
        self.versions[part] = version
        self.ends[part] = end

    def _life(self, signed: Mapping[str, Any], role: Role) -> None:
        life = read_life(signed, role)
        if life.created > self.asked.now_s + AHEAD_S_MAX:
            msg = f"{role}: says that it was made {life.created - self.asked.now_s} s from now"
            raise ContentRefusedError(msg)
        if role is Role.ROOT:
            self.root_s = life.created
        if role in _OF_SEVERAL:
            self.made_s = max(self.made_s, life.created)
        self._note(_PARTS[role], version=life.version, end=life.expires)

    def _release(self, root: Root, keys: RootKeys) -> Metadata[Targets]:
        data = (self.asked.home / "targets.json").read_bytes()
        targets = Metadata[Targets].from_bytes(data)
        signers = _signers(root, Role.RELEASE, targets)
        keys.roles[Role.RELEASE].set_for(signed_part(data)).require(signers, now_s=self.asked.now_s)
        strays = [path for path in targets.signed.targets if path.startswith(_DELEGATED_PATHS)]
        if strays:
            msg = f"the target {strays[0]}: only its own delegation may list it"
            raise ContentRefusedError(msg)
        self._list(targets.signed)
        return targets

    def _lives(self, keys: RootKeys) -> None:
        self._note(Part.ROOT, version=keys.life.version, end=keys.life.expires)
        for role in (Role.RELEASE, Role.SNAPSHOT, Role.TIMESTAMP):
            data = (self.asked.home / f"{TUF_NAMES[role]}.json").read_bytes()
            self._life(signed_part(data), role)

    def _list(self, targets: Targets) -> None:
        for path, info in targets.targets.items():
            if _NAME.fullmatch(path) is None or len(path) > _PATH_CHARS_MAX:
                msg = f"the target {path!a:.80}: not a path of the layout"
                raise ContentRefusedError(msg)
            self.listed[path] = _sha256(info)

    def _target(self, updater: Updater, path: str, *, size_bytes_max: int) -> bytes:
        """Return a target's verified bytes, fetched unless they are at hand."""
        info = updater.get_targetinfo(path)
        if info is None:
            msg = f"{path}: is not among the repository's targets"
            raise WithheldError(msg)
        if info.length > size_bytes_max:
            msg = f"{path}: {info.length} bytes, at most {size_bytes_max} are allowed"
            raise ContentRefusedError(msg)
        digest = _sha256(info)
        found = self.asked.at_hand.get(digest)
        if found is None:
            folder, slash, name = path.rpartition("/")
            url = f"{TARGETS}{folder}{slash}{digest}.{name}"
            found = self.fetcher.download_bytes(url, info.length)
        info.verify_length_and_hashes(found)
        return found

    def _authority(
        self, updater: Updater, root: Root, targets: Metadata[Targets], keys: RootKeys
    ) -> AuthoritySet:
        data = self._target(updater, AUTHORITY_TARGET, size_bytes_max=AUTHORITY_BYTES_MAX)
        held = self._held(AUTHORITY_TARGET)
        if data == held:
            authority = AuthoritySet.from_bytes(data)
        else:
            signed = signed_part((self.asked.home / "targets.json").read_bytes())
            authority = accept_authority(
                data,
                signed_by=_signers(root, Role.RELEASE, targets),
                release=keys.roles[Role.RELEASE].set_for(signed),
                held=None if held is None else AuthoritySet.from_bytes(held),
                now_s=self.asked.now_s,
            )
        everybody = (*authority.keys, *authority.head_keys, *authority.log_keys)
        roots = (one for role in keys.roles.values() for one in role.holders)
        KeyRing((*roots, *(key.holder for key in everybody)))  # refuses a key that is for two roles
        self.documents[AUTHORITY_TARGET] = data
        self._note(
            Part.AUTHORITY,
            version=authority.document.version,
            end=authority.document.expires,
        )
        return authority

    def _policy(self, updater: Updater) -> Policy:
        data = self._target(updater, POLICY_TARGET, size_bytes_max=POLICY_BYTES_MAX)
        policy = Policy.read(data)
        if data != self._held(POLICY_TARGET) and policy.expires <= self.asked.now_s:
            msg = f"policy: version {policy.version} has expired"
            raise ExpiredError(msg)
        self.documents[POLICY_TARGET] = data
        self._note(Part.POLICY, version=policy.version, end=policy.expires)
        return policy

    def _held(self, path: str) -> bytes | None:
        return None if self.asked.held is None else self.asked.held.documents.get(path)

    def _grants(
        self,
        updater: Updater,
        targets: Targets,
        delegated: Mapping[Role, RoleKeys],
        authority: AuthoritySet,
    ) -> None:
        loaded = self._delegate(updater, targets, Role.GRANTS, delegated)
        held = self._held(GRANTS_TARGET)
        if loaded is None:
            data = held  # what has ended still stands: it says since when
        else:
            self._list(loaded.signed)
            data = self._target(updater, GRANTS_TARGET, size_bytes_max=GRANTS_BYTES_MAX)
        if data is None:
            return
        if loaded is None or data == held:
            grants = GrantSet.from_bytes(data)
            Trust(authority, grants)
        else:
            grants = accept_grants(
                data,
                signed_by=_signers(targets, Role.GRANTS, loaded),
                authority=authority,
                held=None if held is None else GrantSet.from_bytes(held),
                now_s=self.asked.now_s,
            )
        self.documents[GRANTS_TARGET] = data
        end = min(grants.document.expires, self.ends.get(Part.GRANTS, grants.document.expires))
        self.ends[Part.GRANTS] = end

    def _promoted(
        self,
        updater: Updater,
        targets: Targets,
        delegated: Mapping[Role, RoleKeys],
        authority: AuthoritySet,
    ) -> None:
        loaded = self._delegate(updater, targets, Role.PROMOTED, delegated)
        if loaded is None:
            return
        signers = _signers(targets, Role.PROMOTED, loaded)
        known = (authority.by_key.get(key.raw) for key in signers)
        now_s = self.asked.now_s
        if not any(key is not None and key.counts_at(now_s) for key in known):
            # Who signed it may have left, or their key has ended: that ends the rules that they
            # promoted, and must not keep a release away.
            self.ends[Part.PROMOTED] = min(self.ends[Part.PROMOTED], now_s)
            return
        self._list(loaded.signed)
        paths = [path for path in loaded.signed.targets if path.startswith(PROMOTED_PREFIX)]
        if len(paths) > PROMOTED_MAX:
            msg = f"promoted: more than {PROMOTED_MAX} rules"
            raise ContentRefusedError(msg)
        found = {path: self._target(updater, path, size_bytes_max=SIZE_BYTES_MAX) for path in paths}
        promoted_rules(found)
        self.documents.update(found)

    def _delegate(
        self, updater: Updater, targets: Targets, role: Role, delegated: Mapping[Role, RoleKeys]
    ) -> Metadata[Targets] | None:
        """Load what a delegation signed; None where that is nothing yet, or has ended."""
        if role not in delegated:
            return None
        name = TUF_NAMES[role]
        if not self._is_listed(name):
            if self.asked.held is not None and _PARTS[role] in self.asked.held.versions:
                msg = f"{role}: was there and is left out now"
                raise RolledBackError(msg)
            return None
        try:
            updater.get_targetinfo(f"{name}/-")  # loads the delegation's metadata on the way
        except tuf_errors.ExpiredMetadataError:
            held = self.asked.held
            before = held.ends.get(_PARTS[role]) if held is not None else None
            self.ends[_PARTS[role]] = self.asked.now_s if before is None else before
            if held is not None:
                self.versions[_PARTS[role]] = held.versions.get(_PARTS[role], 0)
            return None
        data = (self.asked.home / f"{name}.json").read_bytes()
        loaded = Metadata[Targets].from_bytes(data)
        keys = delegated[role].set_for(signed_part(data))
        keys.require(_signers(targets, role, loaded), now_s=self.asked.now_s)
        self._life(signed_part(data), role)
        if not all(path.startswith(f"{name}/") for path in loaded.signed.targets):
            msg = f"{role}: lists targets that are not its own"
            raise ContentRefusedError(msg)
        return loaded

    def _is_listed(self, name: str) -> bool:
        """Tell whether the snapshot lists a delegation: nobody may have signed anything yet."""
        snapshot = signed_part((self.asked.home / "snapshot.json").read_bytes())
        return f"{name}.json" in snapshot["meta"]

    def _content(
        self, updater: Updater, targets: Targets, policy: Policy
    ) -> tuple[Mapping[str, bytes] | None, int]:
        """Return the content that the site should run, and since when it does."""
        asked, held = self.asked, self.asked.held
        before = (None, 0) if held is None else (held.content, held.content_s)
        wanted = policy.rollout.content
        if before[0] is not None and content_digest(before[0]) == wanted:
            return before
        turn = policy.turn(asked.site, content=wanted, now_s=asked.now_s)
        if turn is not Turn.NOW and wanted != asked.runs:
            return before
        paths = [path for path in targets.targets if path.startswith(CONTENT_PREFIX)]
        whole = sum(targets.targets[path].length for path in paths)
        if len(paths) > FILES_MAX or whole > CONTENT_BYTES_MAX:
            msg = f"content: {len(paths)} files of {whole} bytes are more than may be"
            raise ContentRefusedError(msg)
        files = {
            path.removeprefix(CONTENT_PREFIX): self._target(
                updater, path, size_bytes_max=SIZE_BYTES_MAX
            )
            for path in paths
        }
        digest = content_digest(files)
        if digest != wanted:
            msg = f"content: its digest is {digest}, the policy announces {wanted}"
            raise ContentRefusedError(msg)
        return files, asked.now_s


def _signers(
    delegator: Root | Targets, role: Role, document: Metadata[Targets]
) -> tuple[PublicKey, ...]:
    """Return the keys whose signatures over a document verify."""
    result = delegator.get_verification_result(
        TUF_NAMES[role], document.signed_bytes, document.signatures
    )
    return tuple(PublicKey(bytes.fromhex(key.keyval["public"])) for key in result.signed.values())


def _sha256(info: TargetFile) -> str:
    digest = info.hashes.get("sha256")
    if digest is None:
        msg = f"{info.path}: named without its SHA-256"
        raise ContentRefusedError(msg)
    return digest
