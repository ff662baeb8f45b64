"""The content repository as files: whatever people signed, for whoever asks.

Nothing here is secret and nothing is believed because it came from here: readers verify every byte.
Only names that a repository can hold are looked for, as plain files of its own directory, so no
path leads elsewhere and nothing unfinished is served.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from central.state import ConsoleVisit
from proto.errors import NotFoundError
from runtime.repository.layout import METADATA_NAME, TARGET_PATH

_HASHED: Final = re.compile(r"(?:[^/]+/)*[0-9a-f]{64}\.[^/]+")
ONCE: Final = "public, max-age=31536000, immutable"
"""For what is named by its version or digest: it never changes."""

ALWAYS_ASK: Final = "no-cache"


async def serve_file(visit: ConsoleVisit) -> Response:
    """Answer with a file of the repository.

    Raises:
        NotFoundError: there is none of this name.
    """
    name = str(visit.request.path_params["path"])
    directory = visit.app.hub.content
    found = None if directory is None else _find(directory, name)
    if found is None:
        msg = "the repository has no such file"
        raise NotFoundError(msg)
    path, size = found
    kept = ALWAYS_ASK if name.endswith("/timestamp.json") else ONCE
    return FileResponse(
        path,
        headers={"Cache-Control": kept},
        media_type="application/octet-stream",
        stat_result=size,
    )


def _find(directory: Path, name: str) -> tuple[Path, os.stat_result] | None:
    """Return a file that may be served, and what is known of it."""
    kind, _, rest = name.partition("/")
    if kind == "metadata":
        is_ours = METADATA_NAME.fullmatch(rest) is not None
    else:
        is_ours = kind == "targets" and bool(
            TARGET_PATH.fullmatch(rest) and _HASHED.fullmatch(rest)
        )
    if not is_ours:
        return None
    path = directory / kind / rest
    try:
        known = path.lstat()
    except OSError:
        return None
    return (path, known) if stat.S_ISREG(known.st_mode) else None
