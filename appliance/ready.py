"""When a new program takes over: its store is open and free, and its pages answer.

Until then nothing was sent, no loop ran and nobody outside was answered, so the former program may
come back on the store as it was, and nothing that anybody was told is lost (`handover.py`).
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
from starlette.applications import Starlette

from appliance.handlers.work import Work
from appliance.shell.programs import ProgramFiles
from proto.errors import IntegrityError, NoRoomError

PATHS: Final = ("/health", "/api/status")
"""A page and an answer to the command line; where one is not served, that is an answer too."""


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
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
            for path in PATHS:
                answer = await client.get(path)
                if answer.is_server_error:
                    msg = f"the new program answers {path} with status {answer.status_code}"
                    raise IntegrityError(msg)
    await programs.ready()


async def take_turn(work: Work) -> None:
    """Have the store's writer once, as every task waits for it; a full disk is an answer too."""
    with suppress(NoRoomError):
        async with work.store.write():
            pass
