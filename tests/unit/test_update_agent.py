"""update_agent before anything is changed: what is refused, why, and that nothing is left of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import pytest

from appliance.core.trusted import Trusted
from appliance.core.wheel import Fault, look_through
from appliance.handlers.orders import update_agent
from appliance.handover import Phase, Program, ProgramPlace, Record, write
from appliance.shell.programs import ProgramFiles
from appliance.store import db, meta
from proto.errors import UnreachableError
from proto.orders.kinds import OrderType
from proto.receipts import Intent, Outcome
from tests.unit.test_order_handlers import accepted, ordered_run
from tests.unit.test_restart_every_point import Bulb, alive, box_with
from tests.unit.test_wheel import FILES, INFO, SQL, VERSION, packed

SHIPPED = {f"appliance/store/schema/{name}": sql for name, sql in db.migrations()}
SOUND = {name: data for name, data in FILES.items() if data != SQL} | SHIPPED
METADATA = SOUND[f"{INFO}/METADATA"]


@dataclass(frozen=True)
class Listed:
    """What of the trusted set the handler looks at: which files are current."""

    files: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """How a run ended, and what of programs lies on the disk after it."""

    outcome: Outcome
    why: str
    left: tuple[str, ...]


def offering(data: bytes) -> Callable[[str, str, int], Awaitable[bytes]]:
    async def fetched(_: str, digest: str, __: int) -> bytes:
        assert digest == sha256(data).hexdigest()
        return data

    return fetched


async def ordered(
    folder: Path, data: bytes, *, version: str = VERSION, path: str = "agents/osiris.whl"
) -> Told:
    """Order this program of an appliance of version 1.0.0."""
    box = await box_with(folder, Bulb())
    digest = sha256(data).hexdigest()
    config = folder / "appliance.toml"
    config.write_text(f'state_dir = "{folder}"\n')
    box.path = (folder / "appliance.db").rename(folder / "osiris.db")
    files = ProgramFiles(ProgramPlace(folder), config, offering(data), trial_s=5)
    async with alive(box) as made:
        trusted = cast("Trusted", Listed({digest: path}))
        work = replace(made, version="1.0.0", programs=files, trusted=lambda: trusted)
        params = {"version": version, "content_sha256": digest}
        done = await ordered_run(work, OrderType.UPDATE_AGENT, params)
    left = tuple(sorted(one.name for one in files.place.directory.glob("*")))
    return Told(done.outcome, str(done.told["why"]), left)


REFUSED: Mapping[str, tuple[dict[str, bytes], dict[str, Any], Fault]] = {
    "a file of the content": (SOUND, {"path": "content/checks/one.yaml"}, Fault.NOT_RELEASED),
    "another version than ordered": (SOUND, {"version": "1.4.3"}, Fault.OTHER_VERSION),
    "an older version": (SOUND, {"version": "0.9.9"}, Fault.NOT_NEWER),
    "the version that runs": (SOUND, {"version": "1.0.0"}, Fault.NOT_NEWER),
    "another package in it": (SOUND | {"httpx/__init__.py": b""}, {}, Fault.NOT_OURS),
    "what it needs is not here": (
        SOUND | {f"{INFO}/METADATA": METADATA.replace(b"httpx", b"absent-thing")},
        {},
        Fault.NEEDS_MORE,
    ),
    "a migration is missing": (
        {name: data for name, data in SOUND.items() if name != next(iter(SHIPPED))},
        {},
        Fault.LACKS_MIGRATION,
    ),
    "a migration is another": (
        SOUND | {next(iter(SHIPPED)): b"CREATE TABLE other (id) STRICT;"},
        {},
        Fault.LACKS_MIGRATION,
    ),
    "it cannot be tried": (SOUND, {}, Fault.TRIAL_FAILED),
    "it fails in its trial": (
        SOUND | {"appliance/trial.py": b"raise RuntimeError('no')"},
        {},
        Fault.TRIAL_FAILED,
    ),
    "it ends at once and says nothing": (
        SOUND | {"appliance/trial.py": b"pass"},
        {},
        Fault.TRIAL_FAILED,
    ),
    "it says another version": (
        SOUND | {"appliance/trial.py": b'print(\'{"version": "1.4.1"}\')'},
        {},
        Fault.TRIAL_FAILED,
    ),
    "it hangs in its trial": (
        SOUND | {"appliance/trial.py": b"while True: pass"},
        {},
        Fault.TRIAL_FAILED,
    ),
    "it takes all memory in its trial": (
        SOUND | {"appliance/trial.py": b"x = bytearray(5 * 1024**3)"},
        {},
        Fault.TRIAL_FAILED,
    ),
    "it asks the network in its trial": (
        SOUND
        | {
            "appliance/trial.py": b"import socket, json\n"
            b"s = socket.create_server(('127.0.0.1', 0)); s.settimeout(1)\n"
            b"socket.create_connection(s.getsockname(), 1)\n"
            b"print(json.dumps({'version': '1.4.2'}))"
        },
        {},
        Fault.TRIAL_FAILED,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_may_not_run_is_refused_and_nothing_is_left_of_it(
    tmp_path: Path, name: str
) -> None:
    files, how, fault = REFUSED[name]
    told = await ordered(tmp_path, packed(files), **how)
    assert told == Told(Outcome.FAILED, fault.value, ())


async def test_a_program_may_say_much_before_it_says_its_version(tmp_path: Path) -> None:
    says = b'print("x" * 1_000_000)\nprint(\'{"version": "%s"}\')' % VERSION.encode()
    box = await box_with(tmp_path, Bulb())
    box.path.rename(tmp_path / "osiris.db")
    programs = ProgramFiles(ProgramPlace(tmp_path), trial_s=5)
    wheel = look_through(packed(SOUND | {"appliance/trial.py": says}), version=VERSION)
    program = await programs.keep(wheel)
    await programs.try_out(program)


@dataclass(frozen=True)
class Named:
    """What of an intent `resume` looks at: whose it is."""

    order: str


@pytest.mark.parametrize(
    ("why", "told"), [("not_ready", "not_ready"), ("altered", "altered"), (None, "stopped")]
)
async def test_after_a_start_the_order_has_failed_unless_its_program_runs(
    tmp_path: Path, why: str | None, told: str
) -> None:
    box = await box_with(tmp_path, Bulb())
    place = ProgramPlace(tmp_path)
    place.directory.mkdir(mode=0o700)
    new, order = Program("ab" * 32, VERSION), "cd" * 32
    if why is not None:
        packaged = Program("", "0.1.0")
        write(place, Record(Phase.BACK, packaged, new, order, at_s=1, starts=2, why=why))
    async with alive(box) as made:
        work = replace(made, programs=ProgramFiles(place))
        async with work.store.write() as conn:
            await meta.put(conn, meta.Key.UPDATE_ORDER, f"{order} {new.digest}")
        done = await update_agent.resume(work, cast("Intent", Named(order)))
    assert (done.outcome, str(done.told["why"])) == (Outcome.FAILED, told)


async def test_a_hub_that_does_not_give_the_file_ends_the_order(tmp_path: Path) -> None:
    async def away(_: str, __: str, ___: int) -> bytes:
        msg = "https://hub.example: does not answer"
        raise UnreachableError(msg)

    box = await box_with(tmp_path, Bulb())
    async with alive(box) as made:
        trusted = cast("Trusted", Listed({"ab" * 32: "agents/osiris.whl"}))
        programs = ProgramFiles(ProgramPlace(tmp_path), None, away)
        work = replace(made, version="1.0.0", programs=programs, trusted=lambda: trusted)
        params = {"version": VERSION, "content_sha256": "ab" * 32}
        with pytest.raises(UnreachableError):
            await update_agent.run(work, accepted(OrderType.UPDATE_AGENT, params))
