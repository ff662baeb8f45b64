"""`python -m appliance.trial DIRECTORY`: can this program go on with a copy of what is there?

The directory holds a copy of an appliance's store, content and configuration, and no key. The store
is migrated, the content loaded, and everything that the daemon is made of imported; the last line
of what is printed is JSON with this program's version. Nothing is sent and no port is opened.
"""

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path

from appliance.config import read
from appliance.main import load_content
from appliance.shell.content import ContentPlace, unpack
from appliance.store.db import Store
from proto.catalog.load import load
from proto.catalog.model import Content
from proto.phi import default_names
from runtime.clock import SystemClock


async def tried(directory: Path) -> dict[str, object]:
    """Open everything, and say what it was.

    Raises:
        OsirisError: something does not go on with this program.
    """
    store = await Store.open(directory / "osiris.db", now_ms=SystemClock().now_ms())
    async with store.write():
        pass
    await store.close()
    default_names()
    content = _content(directory)
    return {"content": content.digest, "checks": len(content.checks), "version": version("osiris")}


def _content(directory: Path) -> Content:
    """Return the content that would be in force."""
    config = read(directory / "appliance.toml")
    active = ContentPlace(directory / "content").active
    if config.file.content_dir is None and active.exists():
        kept = unpack(active.read_bytes()).content
        if kept is not None:
            return load(kept)
    return load_content(config)


def main() -> None:
    """Try, and print how that went."""
    sys.stdout.write(json.dumps(asyncio.run(tried(Path(sys.argv[1])))) + "\n")


if __name__ == "__main__":
    main()
