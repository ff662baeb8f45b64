"""`osiris device` as an administrator types it, over the daemon's own socket."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance import config
from appliance.core.identity import AttributeKind, Conflict
from appliance.shell.identity import Place
from appliance.store import conflicts, devices
from osiris.cli import app
from proto.errors import ConfigError, ConflictError, MalformedError, OsirisError
from runtime.serve import serve
from runtime.unix_socket import listen_unix
from tests.e2e import clinic_rows as rows
from tests.e2e.portal_world import PortalWorld, portal_world

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
MAC = "00:80:77:31:ab:40"
"""Of the printer."""


@dataclass(frozen=True)
class Typed:
    """What a verb came to."""

    status: int
    said: str
    error: OsirisError | None

    def json(self) -> object:
        """Return what it printed as JSON."""
        return json.loads(self.said)


@dataclass(frozen=True)
class Desk:
    """An administrator's terminal on the appliance, whose daemon runs."""

    world: PortalWorld
    config: Path

    async def types(self, *words: str, answers: str = "") -> Typed:
        """Run a verb of `osiris device`."""
        arguments = ["device", *words, "--config", str(self.config)]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=answers)
        error = done.exception if isinstance(done.exception, OsirisError) else None
        assert error is not None or done.exit_code in {0, 2}, done.exception
        return Typed(done.exit_code, done.stdout, error)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    state = tmp_path / "state"
    file = tmp_path / "appliance.toml"
    file.write_text(
        config.as_toml(
            address="127.0.0.1", networks=(), time_zone="UTC", state_dir=state, label="x"
        )
    )
    place = Place(state)
    place.prepare()
    async with portal_world(tmp_path) as world:
        await rows.fill(world.store)
        stop, up = asyncio.Event(), listen_unix(place.socket)
        serving = asyncio.create_task(serve(world.socket, up, stop=stop))
        try:
            yield Desk(world, file)
        finally:
            stop.set()
            await serving


async def test_the_list_says_what_is_off_limits_and_why(desk: Desk) -> None:
    every = (await desk.types("list", "-o", "json")).json()
    only = (await desk.types("list", "--off-limits", "-o", "json")).json()
    table = (await desk.types("list")).said
    assert isinstance(every, list)
    assert isinstance(only, list)
    assert len(every) == 8
    assert [row["id"] for row in only] == [rows.PUMP]
    assert only[0]["because"] == "vendor B. Braun: infusion pumps"
    assert "OFF LIMITS" in table


async def test_a_device_is_put_off_limits_and_shown_with_who_and_why(desk: Desk) -> None:
    done = await desk.types("off-limits", "10.44.1.77", "--reason", "the camera of the X-ray room")
    shown = await desk.types("show", rows.CAMERA)
    told = (await desk.types("show", rows.CAMERA, "-o", "json")).json()
    again = await desk.types("off-limits", rows.CAMERA, "--reason", "again")
    assert f"{rows.CAMERA} is off limits" in done.said
    assert re.search(r"off_limits by command line, \w+: the camera of the X-ray room", shown.said)
    assert isinstance(told, dict)
    assert told["decisions"][0]["account"].startswith("command line, ")
    assert isinstance(again.error, ConflictError)
    assert again.error.exit_status == 4


async def test_the_list_of_targets_says_which_are_held_back(desk: Desk) -> None:
    async with desk.world.store.write() as conn:
        await conn.execute("UPDATE targets SET host_key = ?", (KEY,))
    await desk.types("off-limits", rows.LAB, "--reason", "it runs the analyser")
    arguments = ["target", "list", "-o", "json", "--config", str(desk.config)]
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    held = {row["id"]: row["held"] for row in json.loads(done.stdout)}
    assert "it runs the analyser" in held.pop(rows.LAB)
    assert set(held.values()) == {""}


async def test_a_release_without_a_person_needs_every_sign_by_name(desk: Desk) -> None:
    silent = await desk.types("release", rows.PUMP, "--reason", "it is a print server")
    wrong = await desk.types(
        "release", rows.PUMP, "--reason", "it is a print server", "--sign", "port 104"
    )
    assert isinstance(silent.error, ConfigError)
    assert "--sign" in str(silent.error)
    assert isinstance(wrong.error, ConflictError)
    async with desk.world.store.read() as conn:
        assert (await devices.get(conn, rows.PUMP)).is_off_limits
    done = await desk.types(
        "release", rows.PUMP, "-r", "it is a print server", "--sign", "vendor b braun"
    )
    told = (await desk.types("show", rows.PUMP, "-o", "json")).json()
    assert "is released" in done.said
    assert isinstance(told, dict)
    assert told["device"]["off_limits"] is False
    assert told["decisions"][0]["about"]["signs"] == ["vendor b braun"]


async def disagreement(desk: Desk) -> int:
    async with desk.world.store.write() as conn:
        conflict = Conflict(rows.CAMERA, rows.PRINTER, AttributeKind.MAC, MAC)
        await conflicts.record(conn, [conflict], at_ms=rows.NOW_MS)
        (kept,) = await conflicts.waiting(conn)
    return kept.id


async def test_a_conflict_is_listed_with_what_each_answer_does_and_settled(desk: Desk) -> None:
    assert (await desk.types("conflicts")).said.strip() == "nothing yet"
    number = await disagreement(desk)
    listed = " ".join((await desk.types("conflicts")).said.split())
    done = await desk.types("settle", str(number), "--to", "10.44.1.77", "-r", "a swapped card")
    assert f"showed the hardware address of 10.44.1.40 ({rows.PRINTER}): {MAC}" in listed
    assert f"--to {rows.PRINTER}: Nothing is moved" in listed
    assert f"--to {rows.CAMERA}: 10.44.1.40 loses this hardware address" in listed
    assert done.said.strip() == f"settled {number}: it belongs to {rows.CAMERA}"
    assert (await desk.types("conflicts", "-o", "json")).json() == []
    async with desk.world.store.read() as conn:
        assert MAC in (await devices.get(conn, rows.CAMERA)).values(AttributeKind.MAC)


@pytest.mark.parametrize(
    ("words", "family"),
    [
        (lambda _: ("show", "nowhere"), ConfigError),
        (lambda _: ("off-limits", rows.CAMERA, "-r", "x" * 401), MalformedError),
        (lambda number: ("settle", str(number), "--to", rows.FRONT, "-r", "x"), MalformedError),
        (lambda _: ("settle", "999", "--to", rows.FRONT, "-r", "x"), OsirisError),
    ],
    ids=["no such device", "too long a reason", "a third device", "no such conflict"],
)
async def test_a_wrong_wish_changes_nothing_and_ends_with_its_familys_status(
    desk: Desk, words: Callable[[int], tuple[str, ...]], family: type[OsirisError]
) -> None:
    number = await disagreement(desk)
    done = await desk.types(*words(number))
    assert isinstance(done.error, family)
    assert done.error.exit_status in {3, 4}
    async with desk.world.store.read() as conn:
        assert not (await devices.get(conn, rows.CAMERA)).is_off_limits
        assert len(await conflicts.waiting(conn)) == 1


async def test_a_reason_is_not_optional(desk: Desk) -> None:
    for words in (("off-limits", rows.CAMERA), ("release", rows.PUMP)):
        assert (await desk.types(*words)).status == 2


async def test_a_repair_is_shown_before_it_is_approved_from_the_command_line(desk: Desk) -> None:
    """What came of the click is the gates' word; a repair that nobody waits for is none."""
    async with desk.world.store.write() as conn:
        waiting = await rows.put_waiting(conn)

    async def approve(incident: str, answer: str) -> tuple[str, BaseException | None]:
        arguments = ["site", "approve", incident, "--config", str(desk.config)]
        done = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=answer)
        return done.stdout, done.exception

    said, declined = await approve(waiting, "n\n")
    _, held = await approve(waiting, "y\n")
    _, none = await approve(rows.incident("telnet"), "y\n")
    assert "Start the audit service now and at boot" in said
    assert "A service restarts: Whoever uses the service is interrupted" in said
    assert "If its re-check does not pass, the repair is taken back." in said
    assert isinstance(declined, SystemExit)
    assert isinstance(held, ConflictError)
    assert "Not repaired, and nothing was changed" in str(held)
    assert isinstance(none, ConflictError)
    assert "no repair waits for an approval" in str(none)
