"""When a new program takes over: its store is free and every page answers as it should."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance import handover
from appliance.handover import Phase, Program, ProgramPlace, Record
from appliance.ready import prove_ready
from proto.errors import IntegrityError
from tests.unit.test_restart_every_point import Bulb, alive, box_with

NEW, FORMER = Program("ab" * 32, "1.1.0"), Program("", "1.0.0")


@pytest.fixture(autouse=True)
def _runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(handover.ENV_PROGRAM, NEW.digest)


def answering(status: int) -> Starlette:
    def page(_: Request) -> Response:
        return Response(status_code=status)

    return Starlette(routes=[Route("/page", page)])


async def phase_after(
    folder: Path, path: str, app: Starlette, phase: Phase = Phase.TRYING
) -> Phase:
    """Start as a program that is tried, with this one page; return how the record stands."""
    place = ProgramPlace(folder)
    place.directory.mkdir(mode=0o700)
    handover.write(place, Record(phase, NEW, FORMER, "cd" * 32, at_s=1, within_s=120))
    box = await box_with(folder, Bulb())
    async with alive(box) as work:
        try:
            await prove_ready(work, {path: app}, folder)
        finally:
            record = handover.read(place)
    assert record is not None
    return record.phase


@pytest.mark.parametrize("status", [200, 303])
async def test_a_program_whose_page_answers_takes_over(tmp_path: Path, status: int) -> None:
    assert await phase_after(tmp_path, "/page", answering(status)) is Phase.TAKEN


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_a_program_whose_page_fails_does_not(tmp_path: Path, status: int) -> None:
    with pytest.raises(IntegrityError, match=f"/page with status {status}"):
        await phase_after(tmp_path, "/page", answering(status))


async def test_a_program_without_its_page_does_not(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="/other with status 404"):
        await phase_after(tmp_path, "/other", answering(200))


async def test_a_program_that_took_over_before_asks_nothing(tmp_path: Path) -> None:
    assert await phase_after(tmp_path, "/other", answering(500), Phase.TAKEN) is Phase.TAKEN
