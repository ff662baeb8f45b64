"""Targets as state machines that answer the real catalogue's scripts without running them.

A script is known by its text: it is the probe of a check, or the capture, a step or the undo of a
runbook. Each safeguard of a target is good or drifted; its runbook's steps make it good once all of
them are done, its capture tells the state, and its undo restores what the capture told. A script
may hang, fail half-way, or go on for a moment after its connection was lost, as on a real host.

Every start and every effect of a script is written to `Target.acts`, which is what a test judges
the appliance by.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from appliance.ports import Credential, Login, Ran, Script, ShellError, Sudo
from proto.catalog.model import Check, Content, Runbook
from proto.findings import Reason, Scalar, Verdict
from proto.ids import TargetId
from proto.inventory import Facts, as_fields
from proto.judge import judge_fields
from tests.fakes.shell import FakeHost, FakeSession, FakeShell, Variables, ran

LAST_BREATH_S = 2.0
"""How long a script may live on after its connection was lost: TERM, then KILL."""

STATE = "was"
CHECK = "of"
"""The captured values by which an undo knows what to restore."""


class Kind(StrEnum):
    """What a script is."""

    PROBE = "probe"
    CAPTURE = "capture"
    STEP = "step"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Op:
    """What a script text does; `check` is "" for an undo that several runbooks share."""

    kind: Kind
    check: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a script did on a target.

    Attributes:
        run: which repair it belongs to, as `Target.on_change` said; "" for a probe.
        begun: this is the start of the script, else its end.
        good: the check would pass now.
        state: everything about the safeguard that a repair can change.
        opened_s: when its session was opened.
    """

    at_s: float
    op: Op
    run: str
    session: int
    opened_s: float
    begun: bool
    good: bool
    state: str


@dataclass(slots=True)
class Safeguard:
    """One check's state on one target.

    Attributes:
        drift: which drifted answer it gives; None when it is good.
        done: steps that have their effect while it is not good yet.
        torn: a script was ended in the middle.
        stubborn: its steps succeed and nothing becomes good: a policy sets it back at once.
        moves: how often the world, not a script, changed it.
    """

    good: Mapping[str, Scalar]
    drifted: tuple[Mapping[str, Scalar], ...]
    steps: int
    drift: int | None = None
    done: frozenset[int] = frozenset()
    torn: bool = False
    stubborn: bool = False
    moves: int = 0

    @property
    def is_good(self) -> bool:
        """Tell whether its check would pass now."""
        return self.drift is None and not self.torn

    def answer(self) -> Mapping[str, Scalar]:
        """Return what its probe prints now."""
        if self.is_good:
            return self.good
        return self.drifted[self.drift or 0]

    def state(self) -> str:
        """Return everything about it that a repair can change, as text."""
        return json.dumps([self.drift, sorted(self.done), self.torn])

    def restore(self, state: str) -> None:
        """Bring it back to what `state()` was."""
        self.drift, done, self.torn = json.loads(state)
        self.done = frozenset(done)

    def take_step(self, step: int) -> bool:
        """Do one step and tell whether it changed anything."""
        if self.is_good:
            return False
        self.torn = False
        self.done |= {step}
        if len(self.done) == self.steps:
            if not self.stubborn:
                self.drift = None
            self.done = frozenset()
        return True


def index_of(content: Content, checks: Iterable[str]) -> dict[str, Op]:
    """Return what each script text of these checks and of their runbooks is."""
    found: dict[str, Op] = {}
    for name in checks:
        found[content.checks[name].probe.script] = Op(Kind.PROBE, name)
    for runbook in runbooks_of(content, checks).values():
        check = runbook.verify[0]
        found[runbook.capture] = Op(Kind.CAPTURE, check)
        for place, step in enumerate(runbook.steps):
            found[step.script] = Op(Kind.STEP, check, place)
        found[runbook.undo] = Op(Kind.UNDO, "")
    found.pop("", None)
    return found


def runbooks_of(content: Content, checks: Iterable[str]) -> dict[str, Runbook]:
    """Return the runbook that repairs each of these checks, where there is one."""
    wanted = set(checks)
    return {one.verify[0]: one for one in content.runbooks.values() if one.verify[0] in wanted}


def safeguard_of(check: Check, runbook: Runbook | None, facts: Facts) -> Safeguard | None:
    """Return a good safeguard with answers from the check's own examples; None if they lack."""
    by_verdict: dict[Verdict, list[Mapping[str, Scalar]]] = {}
    for example in check.examples:
        judged = judge_fields(check, example.answer, facts=as_fields(facts))
        by_verdict.setdefault(judged.verdict, []).append(example.answer)
    good, drifted = (by_verdict.get(one, []) for one in (Verdict.COMPLIANT, Verdict.DRIFTED))
    if not (good and drifted):
        return None
    return Safeguard(good[0], tuple(drifted), len(runbook.steps) if runbook else 0)


@dataclass(slots=True)
class Weather:
    """How bad a target's days are: chances per script or login, all 0 when it is calm."""

    lost: float = 0.0
    fails: float = 0.0
    hangs: float = 0.0
    garbles: float = 0.0
    refuses: float = 0.0

    def calm(self) -> None:
        """End every trouble."""
        self.lost = self.fails = self.hangs = self.garbles = self.refuses = 0.0


@dataclass
class Target:
    """A simulated host.

    Attributes:
        on_change: told of every capture, step and undo that starts; returns its repair's name.
        changing: how many scripts that change it run right now.
        refused_s: when logins were refused.
    """

    id: TargetId
    address: str
    credential: Credential
    host: FakeHost
    scripts: Mapping[str, Op]
    guards: dict[str, Safeguard]
    chance: Random
    weather: Weather
    on_change: Callable[["Target", Op], str]
    acts: list[Act] = field(default_factory=list)
    changing: int = 0
    sessions: int = 0
    refused_s: list[float] = field(default_factory=list)

    def happens(self, probability: float) -> bool:
        """Draw whether something that rarely happens, happens."""
        return probability > 0 and self.chance.random() < probability

    def op_of(self, script: Script) -> Op:
        """Return what a script does here."""
        op = self.scripts[script.text]
        if op.kind is Kind.UNDO:
            op = Op(Kind.UNDO, str(script.variables[CHECK]))
        return op

    def act(self, op: Op, run: str, session: tuple[int, float], *, begun: bool) -> None:
        """Write down the start or the end of a script."""
        now_s = asyncio.get_running_loop().time()
        guard = self.guards[op.check]
        self.acts.append(
            Act(now_s, op, run, session[0], session[1], begun, guard.is_good, guard.state())
        )

    def perform(self, script: Script, variables: Variables) -> Ran:
        """Have a script's effect and return what it prints; the host's behaviour."""
        op = self.op_of(script)
        guard = self.guards[op.check]
        if op.kind is not Kind.PROBE and self.happens(self.weather.fails):
            guard.torn = op.kind in {Kind.STEP, Kind.UNDO} and self.happens(0.5)
            return ran(status=1, stderr=b"failed half-way")
        match op.kind:
            case Kind.PROBE:
                answer: Mapping[str, Scalar] = guard.answer()
            case Kind.CAPTURE:
                answer = {STATE: guard.state(), CHECK: op.check}
            case Kind.STEP:
                answer = {"changed": guard.take_step(op.step)}
            case Kind.UNDO:
                answer = {"changed": guard.state() != variables[STATE]}
                guard.restore(variables[STATE])
        if self.happens(self.weather.garbles):
            return ran("Warning: something else altogether\n")
        return ran(json.dumps(dict(answer)))

    def takes_s(self, script: Script) -> float:
        """Draw how long a script takes; as long as its timeout when it hangs."""
        if self.happens(self.weather.hangs):
            return float(script.timeout_s)
        return self.chance.uniform(0.02, 1.5)


def new_target(
    target: TargetId,
    *,
    address: str,
    host_key: str,
    credential: Credential,
    scripts: Mapping[str, Op],
    guards: dict[str, Safeguard],
    chance: Random,
    on_change: Callable[[Target, Op], str],
) -> Target:
    """Make a target and the host that it is."""

    def behave(script: Script, variables: Variables) -> Ran:
        return made.perform(script, variables)

    host = FakeHost(behave, host_key, {"osiris": credential}, sudo={"osiris": Sudo.NOPASSWD})
    made = Target(target, address, credential, host, scripts, guards, chance, Weather(), on_change)
    host.takes_s = made.takes_s
    return made


class TargetSession:
    """`ports.Session` on a simulated target: scripts belong to the host, not to the appliance."""

    def __init__(
        self, inner: FakeSession, target: Target, *, require_alive: Callable[[], None]
    ) -> None:
        """Stand for a login that succeeded now."""
        target.sessions += 1
        self._inner = inner
        self._target = target
        self._require_alive = require_alive
        self._name = (target.sessions, asyncio.get_running_loop().time())

    async def run(self, script: Script) -> Ran:
        """Have a script run by the host; see `ports.Session.run`."""
        self._require_alive()
        target = self._target
        op = target.op_of(script)
        changes = op.kind is not Kind.PROBE
        run = target.on_change(target, op) if changes else ""
        target.act(op, run, self._name, begun=True)
        work = asyncio.get_running_loop().create_task(self._work(script, op, run))
        work.add_done_callback(_retrieve)
        try:
            return await self._wait(work)
        except (asyncio.CancelledError, ShellError):
            breath_s = target.chance.uniform(0.0, LAST_BREATH_S)
            asyncio.get_running_loop().call_later(breath_s, work.cancel)
            raise

    async def _wait(self, work: asyncio.Task[Ran]) -> Ran:
        chance = self._target.chance
        if self._target.happens(self._target.weather.lost):
            await asyncio.wait({work}, timeout=chance.uniform(0.0, 2.0))
            raise ShellError(Reason.UNREACHABLE, "the connection was lost")
        return await asyncio.shield(work)

    async def _work(self, script: Script, op: Op, run: str) -> Ran:
        target = self._target
        changes = op.kind in {Kind.STEP, Kind.UNDO}
        target.changing += changes
        try:
            answer = await self._inner.run(script)
        except (asyncio.CancelledError, ShellError):
            if changes and target.happens(0.5):
                target.guards[op.check].torn = True
            raise
        else:
            if answer.exit_status == 0:
                target.act(op, run, self._name, begun=False)
            return answer
        finally:
            target.changing -= changes


def _retrieve(work: asyncio.Task[Ran]) -> None:
    if not work.cancelled():
        work.exception()


class TargetShell:
    """`ports.Shell` of one start of one appliance: it refuses once that is no more."""

    def __init__(self, targets: Iterable[Target], *, require_alive: Callable[[], None]) -> None:
        """Know these targets by their addresses."""
        self._targets = {one.address: one for one in targets}
        self._require_alive = require_alive
        self._shell = FakeShell({(one.address, 22): one.host for one in self._targets.values()})

    @asynccontextmanager
    async def session(self, login: Login) -> AsyncIterator[TargetSession]:
        """Log in; see `ports.Shell.session`."""
        self._require_alive()
        target = self._targets[login.address]
        await asyncio.sleep(target.chance.uniform(0.01, 0.3))
        self._require_alive()
        if target.happens(target.weather.refuses):
            raise ShellError(Reason.UNREACHABLE, "no answer")
        async with AsyncExitStack() as stack:
            try:
                inner = await stack.enter_async_context(self._shell.session(login))
            except ShellError as error:
                if error.reason is Reason.AUTH_REFUSED:
                    target.refused_s.append(asyncio.get_running_loop().time())
                raise
            yield TargetSession(inner, target, require_alive=self._require_alive)

    async def host_key(self, address: str, port: int) -> str:
        """Return a host's key; see `ports.Shell.host_key`."""
        self._require_alive()
        return await self._shell.host_key(address, port)
