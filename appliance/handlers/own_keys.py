"""This appliance's own keys: made by nobody else, renewed by a leaf that the former key signs.

What a renewal does, in this order, so that a crash anywhere leaves a state that goes on:

1. the next private keys are written to their files; nobody knows of them;
2. ONE transaction appends the leaf that names them, signed with the former key, and notes them as
   this appliance's own. From here on, and not before, they count;
3. the files are called by what they are now. A start does that again.

Cut off before the second step, asking again goes on with the same next keys; behind it, with the
keys that the store names. The hub cannot ask for a renewal, and none is made of its own.

A renewal waits for two things. The hub must have said, in this process, that it holds no more of
this log than is here: a disk that was put back would name a second key at one place. And it must
hold the leaf of the renewal before: an appliance keeps few former keys, for a hub or a store that
is put back to a day before them.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiosqlite

from appliance.core.box_keys import BoxKeys
from appliance.core.records import Draft
from appliance.handlers.work import Work
from appliance.ports import FORMERS_MAX, OwnHeld, OwnKeyKeeper
from appliance.store import evidence, own_keys
from appliance.store.evidence import Head, Scribe
from appliance.store.own_keys import OwnKeys
from proto.appliance_keys import (
    DUE_BEFORE_S,
    ENROLLED,
    LIFE_S,
    TURNS_MAX,
    Place,
    keys_leaf,
)
from proto.errors import ConfigError, ConflictError, IntegrityError, RejectedError
from proto.evidence import KeysLeaf, open_leaf
from proto.keys import PublicKey, SealingKey, SealingPublicKey, SigningKey, trust_one
from runtime.clock import seconds
from runtime.log import logger

log = logger("keys")


class RenewalWaitsError(ConflictError):
    """The keys cannot be renewed yet; the message says what is waited for."""

    code = "renewal_waits"


class TooManyRenewalsError(ConflictError):
    """The keys were renewed so often that no hub takes a further renewal."""

    code = "renewals_max"


@dataclass(frozen=True, slots=True)
class KeysView:
    """The keys that count now, for people.

    Attributes:
        since_s: since when they do, as evidence says; None before the first leaf.
        is_heard: the hub holds the leaf that names them, or they are those of the enrollment.
        is_due: they should be renewed by now.
        kept: how the private ones are kept, a word of `core.keeping.How`; "" where none are here.
        kept_so: the same for people.
        is_sealed: only this machine's TPM opens them.
    """

    public_key: str
    fingerprint: str
    sealing_key: str
    sealing_fingerprint: str
    since_s: int | None
    is_heard: bool
    is_due: bool
    kept: str
    kept_so: str
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """What a store says of this appliance's keys.

    Attributes:
        rows: what renewals named, oldest first.
        hub_holds: leaves of evidence that the hub acknowledged.
        newest: the newest leaf that is here; None before the first.
    """

    rows: Sequence[OwnKeys]
    hub_holds: int
    newest: bytes | None


async def begun(conn: aiosqlite.Connection) -> Begun:
    """Return what a store says of this appliance's keys."""
    head = await evidence.head(conn)
    return Begun(await own_keys.every(conn), head.acked_size, await evidence.newest(conn))


def begin(found: Begun, keeper: OwnKeyKeeper, scribe: Scribe) -> BoxKeys:
    """Let a starting appliance go on with the keys that its store names; return what opens logins.

    Args:
        found: what the store says.
        keeper: the private keys.
        scribe: who writes evidence from now on; told which key signs.

    Raises:
        ConfigError: the store knows a key that is not here.
    """
    rows, held = found.rows, keeper.held()
    signing = held.signing
    scribe.key, scribe.hub_holds = signing.current, found.hub_holds
    scribe.others = tuple(one for one in signing.every if one is not scribe.key)
    if rows:
        scribe.go_on_with(rows[-1].signing, named_at=rows[-1].leaf)
        keeper.succeed(rows[-1].signing, _named(rows[-1]))
    else:
        # Never renewed, or a store from before: what was kept aside may be the key that it knows.
        scribe.go_on_with(_before_all(found.newest, signing), named_at=ENROLLED)
    return _box_keys(rows, held.sealing, like=_age(scribe.key, signing))


def _before_all(newest: bytes | None, held: OwnHeld[SigningKey]) -> PublicKey:
    """Return the key of a store that no renewal ever named: the one that signed what is in it.

    Raises:
        ConfigError: it is not here.
    """
    keys = (held.current, *held.formers)
    if newest is None:
        return keys[-1].public
    for one in keys:
        with suppress(RejectedError):
            open_leaf(newest, trust_one("appliance", one.public))
            return one.public
    msg = (
        "no signing key that is here signed the evidence in the store: put the appliance's keys/"
        " back from the backup that its store is from, or from a later one"
    )
    raise ConfigError(msg)


def _age(key: SigningKey, held: OwnHeld[SigningKey]) -> int:
    """Return how many renewals ago a key was given up."""
    keys = [one.public for one in (held.current, *held.formers)]
    return keys.index(key.public) if key.public in keys else 0


async def follow_store(work: Work) -> None:
    """Let logins be sealed to the key that the store names, after it was brought up to date."""
    if work.own_keys is None or work.box_keys is None:
        return
    async with work.store.read() as conn:
        rows = await own_keys.every(conn)
    found = _box_keys(rows, work.own_keys.held().sealing, like=0)
    if found.former is not None:
        former, given_up_s = found.former, found.given_up_s
        work.box_keys.go_on_with(found.key, former=former, given_up_s=given_up_s)


def _named(row: OwnKeys) -> SealingPublicKey:
    if row.sealing is None:
        msg = "own_keys: a renewal names no key for sealed logins"
        raise IntegrityError(msg)
    return row.sealing


def _box_keys(rows: Sequence[OwnKeys], held: OwnHeld[SealingKey], *, like: int) -> BoxKeys:
    """Return what opens logins; `like`: how many renewals ago the signing key was given up."""
    if not rows:
        keys = (held.current, *held.formers)
        return BoxKeys(keys[min(like, len(keys) - 1)])
    newest, former = (
        next((one for one in held.every if one.public == row.sealing), None)
        for row in (rows[-1], rows[-2])
    )
    if newest is None:
        msg = "the newest key for sealed logins is not here: put the appliance's keys/ back"
        raise ConfigError(msg)
    return BoxKeys(newest, former, rows[-1].at_s if former else 0)


async def renew(work: Work, *, account: str) -> KeysView:
    """Go on with other keys and return them.

    Raises:
        RenewalWaitsError: not yet; nothing was changed.
        TooManyRenewalsError: never again; nothing was changed.
        ConfigError: the next keys cannot be written; nothing was changed.
        NoRoomError: the disk is full; nothing was changed.
    """
    keeper, box_keys = work.own_keys, work.box_keys
    if keeper is None or box_keys is None:
        msg = "this appliance keeps no keys of its own"
        raise ConfigError(msg)
    if not work.word.is_level:
        msg = "the hub did not say yet what evidence it holds of this appliance: ask again later"
        raise RenewalWaitsError(msg)
    scribe = work.scribe
    async with scribe.turning(work.store) as conn:
        _require_heard(await evidence.head(conn), scribe)
        if await own_keys.count(conn) >= TURNS_MAX:
            msg = f"the keys were renewed {TURNS_MAX} times: enroll this appliance anew"
            raise TooManyRenewalsError(msg)
        # Nothing is looked at before this transaction began: another renewal may be under way.
        keeper.succeed(scribe.key.public, box_keys.key.public)
        signing, sealing = keeper.follow()
        former, former_sealing = scribe.key, box_keys.key
        make = _leaf_of(work, signing=signing, sealing=sealing)
        (index,) = await evidence.append(conn, scribe, [Draft(make, {})])
        leaf = make(index)
        await own_keys.add(conn, leaf, former=former.public, sealing=former_sealing.public)
        # Whoever writes next waits for this transaction, and must sign with the next key.
        scribe.others = (signing, *scribe.others)
        scribe.go_on_with(signing.public, named_at=index)
        scribe.others = scribe.others[:FORMERS_MAX]
    box_keys.go_on_with(sealing, former=former_sealing, given_up_s=leaf.at)
    log.warning("keys renewed", by=account, leaf=index, fingerprint=signing.public.fingerprint())
    _settle(keeper, signing, sealing)
    work.bells.uplink.ring()
    return await view(work)


def _require_heard(head: Head, scribe: Scribe) -> None:
    if scribe.named_at >= head.acked_size:
        msg = "the hub has not yet taken the renewal before this one: try again once it has"
        raise RenewalWaitsError(msg)


def _leaf_of(work: Work, *, signing: SigningKey, sealing: SealingKey) -> Callable[[int], KeysLeaf]:
    scribe, former, at = work.scribe, work.scribe.key.public, seconds(work.clock)

    def leaf(seq: int) -> KeysLeaf:
        place = Place(scribe.site, scribe.appliance, seq, at)
        return keys_leaf(place, former=former, signing=signing, sealing=sealing.public)

    return leaf


def _settle(keeper: OwnKeyKeeper, signing: SigningKey, sealing: SealingKey) -> None:
    """Call the files by what they are now; what fails is done again at the next start."""
    try:
        keeper.succeed(signing.public, sealing.public)
    except ConfigError as error:
        log.warning("the files of the keys are named at the next start", error=str(error))


async def view(work: Work) -> KeysView:
    """Return the keys that count now."""
    scribe, box_keys = work.scribe, work.box_keys
    async with work.store.read() as conn:
        rows = await own_keys.every(conn)
        head = await evidence.head(conn)
        since_s = rows[-1].at_s if rows else await evidence.began_s(conn)
    public, sealing = scribe.key.public, box_keys.key.public if box_keys else None
    now_s, keeping = seconds(work.clock), work.own_keys.keeping if work.own_keys else None
    return KeysView(
        public_key=public.b64(),
        fingerprint=public.fingerprint(),
        sealing_key=sealing.b64() if sealing else "",
        sealing_fingerprint=sealing.fingerprint() if sealing else "",
        since_s=since_s,
        is_heard=not rows or head.acked_size > rows[-1].leaf,
        is_due=since_s is not None and now_s >= since_s + LIFE_S - DUE_BEFORE_S,
        kept=keeping.how.value if keeping else "",
        kept_so=keeping.sentence if keeping else "",
        is_sealed=keeping is not None and keeping.is_sealed,
    )
