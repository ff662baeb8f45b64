"""A repair that is cut off at every single point goes on after the restart and doubles nothing.

The appliance here is the real heal loop's parts over a real SQLite file; its target is a host in
memory that counts what was done to it. A cut is what kill -9 is: no further database call and no
further word to the target gets through, and what was not committed is gone. Time is virtual.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from appliance.core.healing import Kind
from appliance.handlers.record import record
from appliance.handlers.repair import carry
from appliance.handlers.work import HubTrust, Work
from appliance.ports import Login, Ran, Script, Sudo
from appliance.store import incidents, journal
from appliance.store.db import Store
from appliance.store.evidence import Scribe
from appliance.store.proof import verify
from appliance.tasks.heal import consider
from proto.catalog.model import Content
from proto.errors import NoRoomError
from proto.findings import Finding, Vantage, Verdict
from proto.ids import ApplianceId, SiteId, TargetId
from proto.incidents import IN_HAND, Cause, Incident, State
from proto.keys import SEED_BYTES, Holder, KeyRing, SigningKey, Threshold
from tests.e2e.clinic_scene_content import Lamp, content
from tests.fakes.clock import SeededEntropy
from tests.fakes.scanner import FakeScanner
from tests.fakes.scrubbing import scrubber_over
from tests.fakes.sealer import FakeSealer
from tests.fakes.shell import FakeHost, FakeSession, FakeShell, Table, Variables, credential, ran
from tests.fakes.tls import FakeTlsProbe
from tests.unit.cut_process import CutError, LoopClock, Process, virtual
from tests.unit.discovery_site import NoHub, settings
from tests.unit.known_target import know

SITE, TARGET = SiteId("s-aaaaaaaaaa"), TargetId("t-aaaaaaaaaa")
ADDRESS, KEY = "10.0.0.5", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
LAMP = Lamp("one")
POINTS_MAX = 2_000
"""No repair here makes as many database calls."""


class Point(StrEnum):
    """Where a command can be cut off."""

    BEFORE_START = "before its start is stored"
    STARTED = "after its start is stored, before it reaches the target"
    DONE = "after it was done, before its result is stored"
    STORED = "after its result is stored"


@dataclass
class Bulb:
    """The target's lamp: what it does when asked, and everything that was done to it.

    Attributes:
        works: a lamp that does not work stays dark whatever is done.
        fails: the step that fails, if any.
        is_gone: the socket was taken out: there is nothing to judge any more.
    """

    works: bool = True
    fails: int | None = None
    undo_fails: bool = False
    is_lit: bool = False
    is_gone: bool = False
    did: list[tuple[str, str]] = field(default_factory=list)
    captures: int = 0

    def host(self) -> FakeHost:
        """Return the host that has this lamp."""
        table = Table(
            ("if \\[ -e .*token", self._capture),
            ("if \\[ -e ", lambda _, __: self._probe()),
            (r"begin one (?P<step>\d)", self._step),
            ("begin one undo", self._undo),
        )
        users = {"osiris": credential(key="PEM")}
        return FakeHost(table, KEY, users=users, sudo={"osiris": Sudo.NOPASSWD})

    def counts(self) -> Counter[str]:
        """Return how often each thing was done."""
        return Counter(what for what, _ in self.did)

    def _capture(self, _: re.Match[str], __: Variables) -> Ran:
        self.captures += 1
        self.did.append(("capture", f"token-{self.captures}"))
        return ran(f'{{"token":"token-{self.captures}","was":"dark"}}')

    def _probe(self) -> Ran:
        self.did.append(("verify", ""))
        value = "gone" if self.is_gone else "lit" if self.is_lit else "dark"
        return ran(f'{{"value":"{value}"}}')

    def _step(self, found: re.Match[str], variables: Variables) -> Ran:
        step = int(found["step"])
        self.did.append((f"step {step}", variables["token"]))
        if step == self.fails:
            return ran(status=1)
        self.is_lit = self.works
        return ran('{"changed":true}')

    def _undo(self, _: re.Match[str], variables: Variables) -> Ran:
        self.did.append(("undo", variables["token"]))
        if self.undo_fails:
            return ran(status=1)
        self.is_lit = variables["was"] == "lit"
        return ran('{"changed":true}')


class CutShell:
    """`ports.Shell` that a process speaks through: it ends with the process."""

    def __init__(self, process: Process, host: FakeHost) -> None:
        """Reach one host."""
        self._process = process
        self._inner = FakeShell({(ADDRESS, 22): host})

    @asynccontextmanager
    async def session(self, login: Login) -> AsyncIterator["CutSession"]:
        """Log in; see `ports.Shell.session`."""
        async with self._inner.session(login) as inner:
            yield CutSession(self._process, inner)

    async def host_key(self, address: str, port: int) -> str:
        """Return a host's key; see `ports.Shell.host_key`."""
        return await self._inner.host_key(address, port)


class CutSession:
    """`ports.Session` of such a shell."""

    def __init__(self, process: Process, inner: FakeSession) -> None:
        """Stand for a login."""
        self._process = process
        self._inner = inner

    async def run(self, script: Script) -> Ran:
        """Run a script; see `ports.Session.run`."""
        self._process.happens("before script")
        done = await self._inner.run(script)
        self._process.happens("after script")
        return done


@dataclass
class Box:
    """What outlives a process: the file, the key, the clock, the target."""

    path: Path
    bulb: Bulb
    content: Content
    clock: LoopClock = field(default_factory=LoopClock)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    sealer: FakeSealer = field(default_factory=FakeSealer)
    host: FakeHost = field(init=False)
    key: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        """Make the rest."""
        self.host = self.bulb.host()
        self.key = SigningKey(self.entropy(SEED_BYTES))

    async def start(self, process: Process) -> Work:
        """Open the store and wire one process to it."""
        now_ms = self.clock.now_ms()
        store = await Store.open(self.path, now_ms=now_ms, connect=process.connect)
        scrubber = await scrubber_over(
            store, sealer=self.sealer, entropy=self.entropy, clock=self.clock
        )
        return Work(
            settings=settings(()),
            store=store,
            content=lambda: self.content,
            scribe=Scribe(SITE, ApplianceId("a-aaaaaaaaaa"), "test/log", self.key),
            clock=self.clock,
            entropy=self.entropy,
            shell=CutShell(process, self.host),
            scanner=FakeScanner([]),
            tls=FakeTlsProbe({}),
            sealer=self.sealer,
            scrubber=scrubber,
            hub=NoHub(),
            trust=HubTrust(Threshold(KeyRing((Holder("hub", self.key.public),))), ()),
            version="0",
        )


@asynccontextmanager
async def alive(
    box: Box, watch: Callable[[Process, str], None] = lambda _, __: None
) -> AsyncIterator[Work]:
    """Run a process until it is done with, or cut off."""
    process = Process(watch)
    try:
        yield await box.start(process)
    finally:
        await process.bury()


async def drifted(box: Box) -> None:
    """Store a target whose lamp is dark, and the incident of it."""
    async with alive(box) as work:
        added_ms = box.clock.now_ms()
        await know(work, TARGET, address=ADDRESS, host_key=KEY, added_ms=added_ms)
        finding = Finding(
            site=SITE,
            target=TARGET,
            check=LAMP.check,
            verdict=Verdict.DRIFTED,
            reason=None,
            seen={"value": "dark"},
            at_ms=box.clock.now_ms(),
            vantage=Vantage.SSH,
            content=box.content.digest,
        )
        await record(work, [finding])


async def heal(work: Work) -> None:
    """Do what the heal loop does in one turn: gates, then every repair in hand to its end."""
    await consider(work)
    async with work.store.read() as conn:
        in_hand = await incidents.due(conn, SITE, states=IN_HAND, now_ms=2**53)
    for incident in in_hand:
        await carry(work, incident.id, at_once=asyncio.Semaphore(1))


async def cut_once(box: Box, watch: Callable[[Process, str], None]) -> bool:
    """Heal until `watch` cuts the process off; return False when it came to the end."""
    try:
        async with alive(box, watch) as work:
            await heal(work)
    except CutError:
        return True
    return False


@dataclass(frozen=True)
class After:
    """How everything stands."""

    incident: Incident
    leaves: list[str]
    unfinished: int
    results: list[str | None]
    is_sound: bool


async def restarted(box: Box) -> After:
    """Start again, heal on, and say how everything stands."""
    async with alive(box) as work:
        await heal(work)
        async with work.store.read() as conn:
            rows = await conn.execute_fetchall("SELECT id FROM incidents")
            (row,) = rows
            found = await incidents.get(conn, SITE, row["id"])
            leaves = await conn.execute_fetchall("SELECT type FROM evidence ORDER BY idx")
            runs = await conn.execute_fetchall("SELECT result FROM repairs ORDER BY run")
            rest = await journal.unfinished(conn, row["id"])
            size = await verify(conn, work.scribe, cosigners=work.trust.cosigners)
        assert found is not None
        return After(
            found,
            [leaf["type"] for leaf in leaves],
            int(rest is not None),
            [run["result"] for run in runs],
            is_sound=size == len(list(leaves)),
        )


async def box_with(folder: Path, bulb: Bulb) -> Box:
    """Return an appliance that knows of one dark lamp."""
    made = Box(folder / "appliance.db", bulb, content((LAMP,)))
    await drifted(made)
    return made


def cut_at(kind: Kind, step: int, point: Point) -> Callable[[Process, str], None]:
    """Return what cuts a process off at one point of one command."""
    now: list[tuple[str, int]] = []

    def watch(process: Process, what: str) -> None:
        if what.startswith("after INSERT INTO commands"):
            now[:] = [_newest(process)]
        here = bool(now) and now[0] == (kind.value, step)
        if here and what.startswith(_MARKS[point]) and point is not Point.STORED:
            process.cut()
        if point is Point.STORED and what == "after COMMIT" and _is_stored(process, kind, step):
            process.cut()

    return watch


_MARKS = {
    Point.BEFORE_START: "before UPDATE commands SET started_ms",
    Point.STARTED: "before script",
    Point.DONE: "after script",
    Point.STORED: "\0",
}


def _newest(process: Process) -> tuple[str, int]:
    (row,) = process.raws[0].execute("SELECT kind, step FROM commands ORDER BY id DESC LIMIT 1")
    return row["kind"], row["step"]


def _is_stored(process: Process, kind: Kind, step: int) -> bool:
    query = "SELECT count(*) FROM commands WHERE kind = ? AND step = ? AND done_ms IS NOT NULL"
    return bool(process.raws[0].execute(query, (kind.value, step)).fetchone()[0] == 1)


HEALED = {"capture": 1, "step 0": 1, "step 1": 1, "step 2": 1, "verify": 1}
CUT_IN_STEP_0 = {"capture": 1, "step 0": 1, "verify": 1}
CUT_IN_STEP_1 = {"capture": 1, "step 0": 1, "step 1": 1, "verify": 1}


@pytest.mark.parametrize(
    ("kind", "step", "point", "counts"),
    [
        (Kind.CAPTURE, 1, Point.BEFORE_START, HEALED),
        (Kind.CAPTURE, 1, Point.STARTED, HEALED),
        (Kind.CAPTURE, 1, Point.DONE, HEALED | {"capture": 2}),
        (Kind.CAPTURE, 1, Point.STORED, HEALED),
        (Kind.STEP, 0, Point.BEFORE_START, HEALED),
        (Kind.STEP, 0, Point.DONE, CUT_IN_STEP_0),
        (Kind.STEP, 0, Point.STORED, HEALED),
        (Kind.STEP, 1, Point.BEFORE_START, HEALED),
        (Kind.STEP, 1, Point.STARTED, {"capture": 1, "step 0": 1, "verify": 1}),
        (Kind.STEP, 1, Point.DONE, CUT_IN_STEP_1),
        (Kind.STEP, 1, Point.STORED, HEALED),
        (Kind.STEP, 2, Point.BEFORE_START, HEALED),
        (Kind.STEP, 2, Point.STARTED, CUT_IN_STEP_1),
        (Kind.STEP, 2, Point.DONE, HEALED),
        (Kind.STEP, 2, Point.STORED, HEALED),
        (Kind.VERIFY, 1, Point.BEFORE_START, HEALED),
        (Kind.VERIFY, 1, Point.STARTED, HEALED),
        (Kind.VERIFY, 1, Point.DONE, HEALED | {"verify": 2}),
        (Kind.VERIFY, 1, Point.STORED, HEALED),
    ],
)
@virtual
async def test_a_repair_cut_off_anywhere_is_healed_and_proved_after_the_restart(
    tmp_path: Path, kind: Kind, step: int, point: Point, counts: dict[str, int]
) -> None:
    """What only reads may be asked twice; a step whose end was not seen is looked at instead."""
    box = await box_with(tmp_path, Bulb())
    assert await cut_once(box, cut_at(kind, step, point))
    after = await restarted(box)
    assert box.bulb.counts() == counts
    assert (after.incident.state, after.results) == (State.HEALED, ["healed"])
    assert (after.unfinished, after.is_sound, after.leaves.count("heal")) == (0, True, 1)


@virtual
async def test_a_step_that_never_reached_the_target_is_not_run_either(tmp_path: Path) -> None:
    """Started and not seen to end is unknown, even where it was in fact never sent."""
    box = await box_with(tmp_path, Bulb())
    assert await cut_once(box, cut_at(Kind.STEP, 0, Point.STARTED))
    after = await restarted(box)
    assert box.bulb.counts() == {"capture": 1, "verify": 1, "undo": 1}
    assert (after.incident.state, after.incident.attempt) == (State.OPEN, 2)
    assert after.results == ["undone"]


@pytest.mark.parametrize(
    ("point", "undos", "state", "cause"),
    [
        (Point.BEFORE_START, 1, State.OPEN, None),
        (Point.STARTED, 0, State.ESCALATED, Cause.UNDO_UNKNOWN),
        (Point.DONE, 1, State.ESCALATED, Cause.UNDO_UNKNOWN),
        (Point.STORED, 1, State.OPEN, None),
    ],
)
@virtual
async def test_an_undo_is_never_run_twice(
    tmp_path: Path, point: Point, undos: int, state: State, cause: Cause | None
) -> None:
    """An undo whose end was not seen goes to a person: nobody knows what the target is now."""
    box = await box_with(tmp_path, Bulb(works=False))
    assert await cut_once(box, cut_at(Kind.UNDO, 1, point))
    after = await restarted(box)
    assert box.bulb.counts() == HEALED | ({"undo": undos} if undos else {})
    assert (after.incident.state, after.incident.cause) == (state, cause)
    assert after.results == ["unknown" if cause else "undone"]
    assert (after.unfinished, after.is_sound, after.leaves.count("heal")) == (0, True, 1)


BULBS: dict[str, Callable[[], Bulb]] = {
    "healed": Bulb,
    "undone": lambda: Bulb(works=False),
    "step fails": lambda: Bulb(fails=1),
    "undo fails": lambda: Bulb(works=False, undo_fails=True),
}


@pytest.mark.parametrize("how", BULBS)
@virtual
async def test_cut_off_around_each_write_and_script_nothing_is_lost_or_doubled(
    tmp_path: Path, how: str
) -> None:
    """Every statement that writes and every script there is, one repair each, cut off just there.

    A cut elsewhere is the same as one at the write before it: only a write leaves something behind.
    """
    start = await box_with(tmp_path, Bulb())
    stored = start.path.read_bytes()
    for number in range(POINTS_MAX):
        folder = tmp_path / str(number)
        folder.mkdir()
        box = Box(folder / "appliance.db", BULBS[how](), start.content, sealer=start.sealer)
        box.path.write_bytes(stored)
        if not await cut_once(box, _cut_after(number)):
            break
            _judge(box, await restarted(box), f"cut at {number}")
    else:
        pytest.fail("the repair never came to its end")
    assert number > 50, "there are more points than that"


_MATTER = (
    *(f"before {verb}" for verb in ("INSERT", "UPDATE", "DELETE", "COMMIT", "script")),
    "after COMMIT",
    "after script",
)


def _cut_after(number: int) -> Callable[[Process, str], None]:
    left = [number]

    def watch(process: Process, what: str) -> None:
        if not what.startswith(_MATTER):
            return
        if left[0] == 0:
            process.cut()
        left[0] -= 1

    return watch


def _judge(box: Box, after: After, where: str) -> None:
    counts = box.bulb.counts()
    asked_again = {name: counts.pop(name, 0) for name in ("capture", "verify")}
    assert all(count <= 2 for count in asked_again.values()), f"{where}: {asked_again}"
    assert all(count == 1 for count in counts.values()), f"{where}: {counts}"
    tokens = {token for what, token in box.bulb.did if what.startswith(("step", "undo"))}
    assert len(tokens) <= 1, f"{where}: steps of two captures: {tokens}"
    assert after.incident.state not in IN_HAND, f"{where}: stuck in {after.incident.state}"
    if after.incident.state is State.HEALED:
        assert box.bulb.is_lit, f"{where}: healed and dark"
        assert box.bulb.did[-1][0] == "verify", f"{where}: healed without a re-check"
    else:
        assert after.incident.state in {State.OPEN, State.ESCALATED}, where
    ended = [result for result in after.results if result is not None]
    assert after.leaves.count("heal") == len(ended), f"{where}: {after.leaves} for {ended}"
    assert (after.unfinished, after.is_sound) == (0, True), where


@virtual
async def test_no_step_is_taken_when_its_intent_cannot_be_stored(tmp_path: Path) -> None:
    """Intent before action: a journal that cannot be written keeps hands off the target."""
    box = await box_with(tmp_path, Bulb())

    def full(process: Process, what: str) -> None:
        if what.startswith("before UPDATE commands SET started_ms"):
            (pages,) = process.raws[0].execute("PRAGMA page_count").fetchone()
            process.raws[0].execute(f"PRAGMA max_page_count = {pages}")
            process.raws[0].execute("INSERT INTO meta VALUES ('too much', ?)", ("x" * 2**20,))

    async def heal_with_no_room() -> None:
        async with alive(box, full) as work:
            await heal(work)

    with pytest.raises(NoRoomError):
        await heal_with_no_room()
    assert box.bulb.did == []
    after = await restarted(box)
    assert (after.incident.state, box.bulb.counts()) == (State.HEALED, HEALED)
