"""When a new program takes over: its store is open and free, and its pages answer.

Until then nothing was sent, no loop ran and nobody outside was answered, so the former program may
come back on the store as it was, and nothing that anybody was told is lost (`handover.py`).
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from appliance.handlers.work import Work
from appliance.shell.programs import ProgramFiles
from proto.errors import IntegrityError, NoRoomError
from runtime.local_door import status_within

ERROR: Final = 400


async def prove_ready(work: Work, pages: Mapping[str, Starlette], state_dir: Path) -> None:
    """Let a program that is new here take over once its store and pages answer.

    Args:
        work: what its tasks work with.
        pages: the path of one page of each application.
        state_dir: where the programs lie.

    Raises:
        IntegrityError: a page does not answer as it should.
    """
    programs = ProgramFiles.of(state_dir)
    if not programs.is_trying:
        return
    await take_turn(work)
    for path, app in pages.items():
        status = await status_within(app, path)
        if status >= ERROR:
            msg = f"the new program answers {path} with status {status}"
            raise IntegrityError(msg)
    await programs.ready()


async def take_turn(work: Work) -> None:
    """Have the store's writer once, as every task waits for it; a full disk is an answer too."""
    with suppress(NoRoomError):
        async with work.store.write():
            pass
