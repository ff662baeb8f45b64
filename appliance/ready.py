"""When a new program takes over: its store is open and free, and its pages answer.

Until then nothing was sent, no loop ran and nobody outside was answered, so the former program may
come back on the store as it was, and nothing that anybody was told is lost (`handover.py`).
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from appliance.handlers.work import Work
from appliance.shell.programs import ProgramFiles
from proto.errors import IntegrityError, NoRoomError
from runtime.local_door import status_within

PATHS: Final = ("/health", "/api/status")
"""A page and an answer to the command line; where one is not served, that is an answer too."""
SERVER_ERROR: Final = 500


async def prove_ready(work: Work, apps: Sequence[Starlette], state_dir: Path) -> None:
    """Let a program that is new here take over once its store and pages answer.

    Raises:
        IntegrityError: a page does not answer as it should.
    """
    programs = ProgramFiles.of(state_dir)
    if not programs.is_trying:
        return
    await take_turn(work)
    for app in apps:
        for path in PATHS:
            status = await status_within(app, path)
            if status >= SERVER_ERROR:
                msg = f"the new program answers {path} with status {status}"
                raise IntegrityError(msg)
    await programs.ready()


async def take_turn(work: Work) -> None:
    """Have the store's writer once, as every task waits for it; a full disk is an answer too."""
    with suppress(NoRoomError):
        async with work.store.write():
            pass
