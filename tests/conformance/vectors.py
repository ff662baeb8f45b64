"""Where the public test vectors lie: other people's files, read in place and never committed.

`OSIRIS_VECTORS` names the folder; by default it is ../shared/vectors beside the repository.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def folder() -> Path:
    """Return the folder of the vectors, whether or not it is there."""
    named = os.environ.get("OSIRIS_VECTORS")
    return Path(named) if named else REPOSITORY.parent / "shared" / "vectors"


def need(name: str) -> Path:
    """Return one set of vectors, or skip the module, saying which folder is absent."""
    found = folder() / name
    if not found.exists():
        pytest.skip(
            f"public test vectors are absent: {found} (set OSIRIS_VECTORS)", allow_module_level=True
        )
    return found


def read_json(path: Path) -> Any:  # noqa: ANN401 - vectors have many shapes, each test knows its own
    """Return a vector file's content, read leniently: these are not our statements."""
    return json.loads(path.read_bytes())
