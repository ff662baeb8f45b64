"""An appliance goes on with other keys: nothing is lost, wherever the process is cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from appliance.core.keeping import How, Keeping
from appliance.core.order_gate.ledger import State
from appliance.core.order_gate.values import Accepted
from appliance.core.records import health_draft
from appliance.handlers.orders import Done
from appliance.handlers.own_keys import (
    KeysView,
    RenewalWaitsError,
    TooManyRenewalsError,
    begin,
    begun,
    renew,
    view,
)
from appliance.handlers.work import Work
from appliance.ports import FORMERS_MAX, OwnPrivate
from appliance.shell import identity
from appliance.shell.enrollment import enroll
from appliance.shell.identity import make_keys
from appliance.shell.key_files import KeyFiles
from appliance.shell.own_keys import OwnKeyFiles
from appliance.shell.seal import KEY_BYTES, KeySealer
from appliance.store import evidence, opinions, own_keys
from appliance.store.proof import verify
from appliance.tasks.recovery import catch_up
from appliance.tasks.uplink import send_all
from proto.appliance_keys import (
    DUE_BEFORE_S,
    ENROLLED,
    LIFE_S,
    OVERLAP_S,
    TURNS_MAX,
    KeyHistory,
    Place,
    keys_leaf,
)
from proto.claim import FINGERPRINT_BYTES, SECRET_BYTES, ClaimCode
from proto.envelope import Kind, sign
from proto.errors import ConfigError, ConflictError, IntegrityError
from proto.keys import PublicKey, SealingKey, SealingPublicKey, SigningKey
from proto.note import open_checkpoint
from proto.orders.kinds import OrderType
from proto.receipts import Chain, Outcome, Receipt
from proto.sealed_login import SealedLogin, digest_of, seal
from proto.secret import Secret
from tests.fakes.clock import SeededEntropy
from tests.unit.core_values import TARGET
from tests.unit.cut_process import CutError, Process, virtual
from tests.unit.known_target import know
from tests.unit.order_hub import LogHub
from tests.unit.order_site import Site, alive, leaves, mirror, row, take
from tests.unit.order_world import NOW

Watch = Callable[[Process, str], None]


@dataclass
class CutKeeper:
    """`ports.OwnKeyKeeper` over the real files, in a process that can be cut off around a step."""

    files: OwnKeyFiles
    process: Process

    @property
    def keeping(self) -> Keeping:
        return self.files.keeping

    def held(self) -> OwnPrivate:
        return self.files.held()

    def follow(self) -> tuple[SigningKey, SealingKey]:
        self.process.happens("before follow")
        made = self.files.follow()
        self.process.happens("after follow")
        return made

    def succeed(self, signing: PublicKey, sealing: SealingPublicKey) -> None:
        self.process.happens("before succeed")
        # Between the two files: the signing key has its name, the sealing key not yet.
        self.files.succeed(signing, self.files.held().sealing.current.public)
        self.process.happens("between succeed")
        self.files.succeed(signing, sealing)
        self.process.happens("after succeed")


@dataclass
class Disk:
    """An appliance's disk: its store, its keys, and the hub that it talks to."""

    folder: Path
    entropy: SeededEntropy = field(default_factory=lambda: SeededEntropy(71))
    is_sealed: bool = False

    def __post_init__(self) -> None:
        """Make the keys of the enrollment."""
        self.place = identity.Place(self.folder / "state")
        self.place.prepare()
        self.site = Site(self.folder / "appliance.db")
        self.hub = LogHub(self.site)
        make_keys(self.key_files, self.entropy)

    @property
    def key_files(self) -> KeyFiles:
        sealer = KeySealer(Secret(bytes(KEY_BYTES)), self.entropy) if self.is_sealed else None
        return KeyFiles(self.place.keys, sealer, Keeping(How.TPM if sealer else How.NO_TPM))

    @property
    def files(self) -> OwnKeyFiles:
        return OwnKeyFiles(self.key_files, self.entropy)

    @asynccontextmanager
    async def on(self, watch: Watch = lambda _, __: None) -> AsyncIterator[Work]:
        """Start the appliance as `appliance/main.py` does."""
        async with alive(self.site, watch, hub=self.hub) as (made, process):
            keeper = CutKeeper(self.files, process)
            async with made.store.read() as conn:
                found = await begun(conn)
            made.scribe.key, made.scribe.others = keeper.held().signing.current, ()
            box_keys = begin(found, keeper, made.scribe)
            yield replace(made, own_keys=keeper, box_keys=box_keys)


async def write(work: Work, code: str = "disk_low") -> None:
    async with work.store.write() as conn:
        await evidence.append(conn, work.scribe, [health_draft(work.author(), code, ok=True)])


async def sound(work: Work) -> int:
    async with work.store.read() as conn:
        return await verify(conn, work.scribe, cosigners=work.trust.cosigners)


@virtual
async def test_the_log_goes_on_with_the_next_key_and_all_of_it_verifies(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        before = work.scribe.key.public
        seen = await renew(work, account="tester")
        await write(work)
        assert seen.public_key == work.scribe.key.public.b64() != before.b64()
        assert await sound(work) == 3
        async with work.store.read() as conn:
            keys = await own_keys.history(conn, work.scribe.key.public)
        assert [keys.at(index) for index in range(3)] == [before, before, work.scribe.key.public]
    async with disk.on() as work:
        assert (await view(work)).public_key == seen.public_key
        await write(work)
        assert await sound(work) == 4


def cuts() -> list[str]:
    """Every step of a renewal: files and database calls, told by a run that nothing cuts."""
    return [
        "before follow",
        "after follow",
        "before INSERT INTO evidence ",
        "before UPDATE evidence_head",
        "before INSERT INTO own_keys",
        "after INSERT INTO own_keys",
        "before COMMIT",
        "after COMMIT",
        "before succeed, the second",
        "between succeed, the second",
        "after succeed, the second",
    ]


@pytest.mark.parametrize("point", cuts())
@pytest.mark.parametrize(("times", "is_sealed"), [(1, False), (2, False), (2, True)])
@virtual
async def test_cut_off_anywhere_a_renewal_was_or_was_not_and_the_next_start_goes_on(
    tmp_path: Path, point: str, times: int, *, is_sealed: bool
) -> None:
    disk = Disk(tmp_path, is_sealed=is_sealed)
    async with disk.on() as work:
        await write(work)
        await send_all(work)
    for _ in range(times):
        assert await cut_renewal(disk, point), f"a renewal passes {point}"
    async with disk.on() as work:
        await write(work)
        before = await sound(work)
        await send_all(work)
        assert len(disk.hub.evidence) == before, "the hub took every leaf"
        held = work.box_keys
        assert held is not None
        assert held.key.public in {one.public for one in disk.files.held().sealing.every}
        await renew(work, account="tester")
        await write(work)
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence) == before + 2


async def cut_renewal(disk: Disk, point: str) -> bool:
    """Renew in a process that ends at a point; return whether it came there.

    The names of the files are looked at twice: before anything was named, and behind it.
    """
    what, _, which = point.partition(", ")
    is_armed, left = False, 2 if which == "the second" else 1

    def watch(process: Process, happens: str) -> None:
        nonlocal left
        if is_armed and happens.startswith(what):
            left -= 1
            if left == 0:
                process.cut()

    async with disk.on(watch) as work:
        await send_all(work)
        is_armed = True
        with pytest.raises(CutError):
            await renew(work, account="tester")
    return left == 0


@virtual
async def test_a_full_disk_changes_nothing_and_the_former_key_goes_on(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        before = work.scribe.key.public
        async with work.store.write() as conn:
            await conn.execute(
                "CREATE TRIGGER no BEFORE INSERT ON own_keys BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        with pytest.raises(Exception, match="no"):
            await renew(work, account="tester")
        assert work.scribe.key.public == before
        await write(work)
        assert await sound(work) == 2


@virtual
async def test_a_second_renewal_waits_until_the_hub_took_the_first(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await renew(work, account="tester")
        with pytest.raises(RenewalWaitsError):
            await renew(work, account="tester")
        await send_all(work)
        await renew(work, account="tester")
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence) == 2


@virtual
async def test_two_who_renew_at_once_renew_once_and_the_log_stays_whole(tmp_path: Path) -> None:
    """The second waits for the first, is told so, and brings the former key not back."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        await send_all(work)
        first, second = await asyncio.gather(
            renew(work, account="one"), renew(work, account="other"), return_exceptions=True
        )
        assert isinstance(first, KeysView)
        assert isinstance(second, RenewalWaitsError)
        assert (await view(work)).public_key == work.scribe.key.public.b64() == first.public_key
        await write(work)
        assert await sound(work) == 3
        await send_all(work)
    async with disk.on() as work:
        assert (await view(work)).public_key == first.public_key
        await write(work)
        assert await sound(work) == 4


@virtual
async def test_a_disk_that_may_be_an_old_one_renews_nothing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        work.word.is_level = False
        with pytest.raises(RenewalWaitsError):
            await renew(work, account="tester")
        assert not await leaves(work)


@virtual
async def test_a_store_put_back_to_before_a_renewal_gets_it_back_from_the_hub(
    tmp_path: Path,
) -> None:
    """The keys' directory was not put back: it has the former key, and the one of now."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        await send_all(work)
        async with work.store.read() as conn:
            await conn.execute("SELECT 1")
    copy = disk.site.path.read_bytes()
    async with disk.on() as work:
        await renew(work, account="tester")
        await write(work)
        await send_all(work)
        now = work.scribe.key.public
    disk.site.path.write_bytes(copy)
    async with disk.on() as work:
        await write(work, "clock_off")
        assert work.scribe.key.public != now, "until it knows, it goes on as the store says"
        work.word.is_level = False
        assert await catch_up(work)
        assert work.scribe.key.public == now
        assert work.box_keys is not None
        assert work.box_keys.key.public == disk.files.held().sealing.current.public
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence) >= 4


async def two_renewals(disk: Disk) -> bytes:
    """Renew twice, each heard by the hub; return the store as it was before."""
    async with disk.on() as work:
        await write(work)
        await send_all(work)
    copy = disk.site.path.read_bytes()
    for _ in range(2):
        async with disk.on() as work:
            await renew(work, account="tester")
            await write(work)
            await send_all(work)
    return copy


@virtual
async def test_a_store_put_back_to_before_two_renewals_gets_both_back(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    copy = await two_renewals(disk)
    async with disk.on() as work:
        now = work.scribe.key.public
    disk.site.path.write_bytes(copy)
    async with disk.on() as work:
        await write(work, "clock_off")
        work.word.is_level = False
        assert await catch_up(work)
        assert work.scribe.key.public == now
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence) >= 6


@virtual
async def test_a_hub_from_before_two_renewals_is_shown_a_key_that_it_knows(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        first = work.scribe.key.public
    await two_renewals(disk)
    async with disk.on() as work:
        assert first not in {one.public for one in work.scribe.signers}
        assert work.scribe.introduce(), "the hub knows no key that signed"
        assert first in {one.public for one in work.scribe.signers}
        async with work.store.read() as conn:
            note = await evidence.signed_checkpoint(conn, work.scribe)
        opened = open_checkpoint(note.encode(), origin=work.scribe.origin, log_keys=(first,))
        assert opened.checkpoint.size == await sound(work)


@virtual
async def test_a_disk_put_back_to_a_renewal_that_was_cut_off_knows_the_key_of_now(
    tmp_path: Path,
) -> None:
    """The cut one had made the next key's file, which the one that was heard took up."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        await send_all(work)
    assert await cut_renewal(disk, "before INSERT INTO own_keys")
    copy = {file: file.read_bytes() for file in [disk.site.path, *disk.place.keys.iterdir()]}
    async with disk.on() as work:
        await renew(work, account="tester")
        await send_all(work)
        now = work.scribe.key.public
    for file in disk.place.keys.iterdir():
        file.unlink()
    for file, data in copy.items():
        file.write_bytes(data)
        file.chmod(0o600)
    async with disk.on() as work:
        assert now not in {one.public for one in work.scribe.signers}
        assert work.scribe.introduce(), "the hub knows the next key alone"
        assert now in {one.public for one in work.scribe.signers}
        work.word.is_level = False
        assert await catch_up(work)
        assert work.scribe.key.public == now
        await write(work)
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence)
    async with disk.on() as work:
        assert work.scribe.key.public == now


@virtual
async def test_no_more_former_keys_are_kept_than_sign_for_an_older_hub(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    given_up: list[PublicKey] = []
    async with disk.on() as work:
        for _ in range(FORMERS_MAX + 2):
            given_up.insert(0, work.scribe.key.public)
            await renew(work, account="tester")
            await send_all(work)
            kept = [one.public for one in work.scribe.others]
            assert kept == given_up[:FORMERS_MAX]
            assert [one.public for one in disk.files.held().signing.formers] == kept
        assert await sound(work) == FORMERS_MAX + 2
    async with disk.on() as work:
        assert [one.public for one in work.scribe.others] == given_up[:FORMERS_MAX]


@virtual
async def test_a_store_whose_leaves_no_key_here_signed_says_which_backup_is_missing(
    tmp_path: Path,
) -> None:
    """Else it would go on with whichever key is here, in a log that is another key's."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
    for file in disk.place.keys.glob("signing*"):
        file.unlink()
    make_keys(disk.key_files, disk.entropy)
    with pytest.raises(ConfigError, match="backup"):
        async with disk.on():
            pass


@virtual
async def test_a_store_whose_key_is_nowhere_says_which_backup_is_missing(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await renew(work, account="tester")
    for file in disk.place.keys.glob("signing*"):
        file.unlink()
    make_keys(disk.key_files, disk.entropy)
    with pytest.raises(ConfigError, match="backup"):
        async with disk.on():
            pass


@virtual
async def test_logins_sealed_to_the_former_key_open_for_two_days(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        assert work.box_keys is not None
        former = work.box_keys.key.public.digest()
        await renew(work, account="tester")
        now = work.box_keys.key.public.digest()
        assert set(work.box_keys_now) == {former, now}
    async with disk.on() as work:
        disk.site.clock.advance((OVERLAP_S - 1) * 1000)
        assert set(work.box_keys_now) == {former, now}
        disk.site.clock.advance(1000)
        assert set(work.box_keys_now) == {now}


@virtual
async def test_a_clock_that_ran_ahead_while_keys_were_renewed_opens_nothing_for_years(
    tmp_path: Path,
) -> None:
    disk = Disk(tmp_path)
    ahead_ms = LIFE_S * 1000
    async with disk.on() as work:
        disk.site.clock.advance(ahead_ms)
        assert work.box_keys is not None
        former = work.box_keys.key.public.digest()
        await renew(work, account="tester")
        now = work.box_keys.key.public.digest()
        disk.site.clock.advance(-ahead_ms)
        assert set(work.box_keys_now) == {now}
        disk.site.clock.advance(ahead_ms - (OVERLAP_S - 1) * 1000)
        assert set(work.box_keys_now) == {former, now}, "a clock that is a little behind"
    async with disk.on() as work:
        assert set(work.box_keys_now) == {former, now}


@virtual
async def test_keys_are_renewed_no_more_often_than_the_hub_takes(tmp_path: Path) -> None:
    """Else the log would go on with a leaf that every hub refuses, for ever."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await renew(work, account="tester")
        await send_all(work)
        async with work.store.write() as conn:
            await conn.executemany(
                "INSERT INTO own_keys SELECT ?, randomblob(32), x25519, 0 FROM own_keys LIMIT 1",
                [(leaf,) for leaf in range(1, TURNS_MAX)],
            )
        before = work.scribe.key.public
        with pytest.raises(TooManyRenewalsError):
            await renew(work, account="tester")
        assert work.scribe.key.public == before
        assert await size_of(work) == 1


async def size_of(work: Work) -> int:
    async with work.store.read() as conn:
        return (await evidence.head(conn)).tree.size


@virtual
async def test_people_are_told_a_month_before_the_year_is_over(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        disk.site.clock.advance((LIFE_S - DUE_BEFORE_S - 1) * 1000)
        assert not (await view(work)).is_due
        disk.site.clock.advance(1000)
        assert (await view(work)).is_due
        await renew(work, account="tester")
        assert not (await view(work)).is_due


async def test_whoever_has_the_former_key_and_the_disk_is_found(tmp_path: Path) -> None:
    """A leaf behind the renewal that the former key signed is not this appliance's."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await renew(work, account="tester")
        (former,) = work.scribe.others
        thief = replace_key(work, former)
        async with work.store.write() as conn:
            await evidence.append(conn, thief, [health_draft(work.author(), "disk_low", ok=True)])
        with pytest.raises(IntegrityError, match="leaf 1 is not what this appliance signed"):
            await sound(work)


def replace_key(work: Work, key: SigningKey) -> evidence.Scribe:
    """Return the log's scribe with another's pen."""
    return replace(work.scribe, key=key)


THIEF = SigningKey(b"\x07" * 32)


async def name_in_table(work: Work, *rows: tuple[int, PublicKey]) -> None:
    """Write to the disk which keys this appliance is to have had."""
    async with work.store.write() as conn:
        for leaf, key in rows:
            await conn.execute(
                "INSERT OR REPLACE INTO own_keys VALUES (?, ?, ?, 0)", (leaf, key.raw, bytes(32))
            )


async def test_a_renewal_of_which_only_the_table_of_keys_tells_is_found(tmp_path: Path) -> None:
    """Whoever can write to the disk and has no key of this appliance names their own there."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        await name_in_table(work, (ENROLLED, work.scribe.key.public), (0, THIEF.public))
        async with work.store.write() as conn:
            forged = health_draft(work.author(), "disk_low", ok=True)
            await evidence.append(conn, replace_key(work, THIEF), [forged])
        with pytest.raises(IntegrityError, match="another key than"):
            await sound(work)


async def test_a_log_written_anew_under_a_key_that_only_the_table_names_is_found(
    tmp_path: Path,
) -> None:
    """The thief's key signs all up to a leaf that is said to hand over to the real one."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await name_in_table(work, (ENROLLED, THIEF.public), (1, work.scribe.key.public))
        for _ in range(2):
            async with work.store.write() as conn:
                forged = health_draft(work.author(), "disk_low", ok=True)
                await evidence.append(conn, replace_key(work, THIEF), [forged])
        await write(work)
        with pytest.raises(IntegrityError, match="leaf 1 names no keys"):
            await sound(work)
        async with work.store.write() as conn:
            await conn.execute("UPDATE evidence SET leaf = NULL WHERE idx <= 1")
            await conn.execute("UPDATE evidence_head SET acked_size = 3")
        with pytest.raises(IntegrityError, match="leaf 1 is gone"):
            await sound(work)


@virtual
async def test_an_appliance_with_former_keys_is_not_enrolled_again_with_them(
    tmp_path: Path,
) -> None:
    """Its new store would go on with the former key, which its new hub has never heard of."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await renew(work, account="tester")
    keys = make_keys(disk.key_files, disk.entropy)
    code = ClaimCode("https://127.0.0.1:1", bytes(SECRET_BYTES), bytes(FINGERPRINT_BYTES))
    with pytest.raises(ConflictError, match="empty state directory"):
        await enroll(disk.place, keys, code, clock=disk.site.clock, entropy=disk.entropy)
    assert not disk.place.enrolled.exists()


@virtual
async def test_orders_on_their_way_while_the_keys_are_renewed_run_once_and_all_is_proved(
    tmp_path: Path,
) -> None:
    """One waits, one runs, one carries a login that was sealed to the former key."""
    disk = Disk(tmp_path)
    site = disk.site
    async with disk.on() as work:
        await mirror(site, work)
        first = work.scribe.key.public
        waits = site.order(OrderType.DISABLE_HEALING, "ada", "bea", exp=NOW + 20 * 3600)
        await take(site, work)
        assert (await row(work, waits)).state is State.WAITING

        async def renews(here: Work, _: Accepted) -> Done:
            await renew(here, account="tester")
            return Done(Outcome.DONE)

        site.ends[OrderType.RUN_DRIFT] = renews
        await know(work, TARGET, address="192.0.2.9", host_key="SHA256:a", added_ms=0)
        sealed = await sealed_login(work)
        runs = site.order(OrderType.RUN_DRIFT)
        await take(site, work)
        login = site.order(OrderType.UPDATE_CREDENTIALS, "ada", params=sealed)
        await take(site, work)
        assert work.scribe.key.public != first
        await send_all(work)
    async with disk.on() as work:
        site.clock.advance(5 * 3600 * 1000)
        work.word.answered_s = work.own_s
        await take(site, work)
        found = [await row(work, index) for index in (waits, runs, login)]
        assert [one.state for one in found] == [State.DONE] * 3
        assert sorted(site.ran.values()) == [1, 1, 1]
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence)
    keys, chain = KeyHistory.of(first), Chain()
    for index, envelope in enumerate(disk.hub.evidence):
        leaf = keys.open(envelope, index)
        keys = keys.after(index, leaf)
        if isinstance(leaf, Receipt):
            chain.follow(leaf.to_bytes())
    assert keys.current == work.scribe.key.public


async def sealed_login(work: Work) -> dict[str, str]:
    """Keep a login that is sealed to the key of now; return the parameters of its order."""
    assert work.box_keys is not None
    to = work.box_keys.key.public
    box = seal(SealedLogin(TARGET, "osiris", "none", None, Secret("new"), None), to)
    async with work.store.write() as conn:
        await opinions.keep_box(conn, box, now_ms=work.clock.now_ms())
    return {"target": TARGET, "sealed_sha256": digest_of(box), "sealed_to": to.digest()}


@pytest.mark.parametrize("has_former", [False, True], ids=["hub alone", "with the former key"])
@virtual
async def test_a_hub_names_no_key_for_an_appliance(tmp_path: Path, *, has_former: bool) -> None:
    """It gives "back" a renewal to a key of its own, to an appliance that starts."""
    disk = Disk(tmp_path)
    async with disk.on() as work:
        await write(work)
        former = work.scribe.key
        await renew(work, account="tester")
        await send_all(work)
        now = work.scribe.key.public
    signer = former if has_former else THIEF
    place = Place(work.scribe.site, work.scribe.appliance, 2, NOW)
    forged = keys_leaf(
        place, former=signer.public, signing=THIEF, sealing=SealingKey(b"s" * 32).public
    )
    disk.hub.evidence.append(sign(Kind.EVIDENCE, forged.to_bytes(), signer))
    async with disk.on() as work:
        work.word.is_level = False
        assert not await catch_up(work)
        assert work.scribe.key.public == now
        assert not work.word.is_level, "no order is judged on its word"
        async with work.store.read() as conn:
            assert (await own_keys.every(conn))[-1].signing == now
        del disk.hub.evidence[2:]
        assert await catch_up(work), "one bad answer holds until a good one, and not for ever"
        await send_all(work)
        assert await sound(work) == len(disk.hub.evidence)
