"""Signed content from a hub to its appliance, both as real processes, and from hand to hand.

The hub is set up as `osiris hub init` does it: a development trust over what the program ships.
"""

import asyncio
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from central import config as hub_config
from central import setup as hub_setup
from proto.catalog.load import content_digest
from runtime.clock import SystemClock, system_entropy
from runtime.content import read_installed
from tests.e2e.daemons import until
from tests.e2e.pair import Pair, pair

NOTE = b"# a release later\n"
SHIPPED = read_installed()
CHANGED = next(path for path in sorted(SHIPPED) if path.startswith("l1/"))
NEXT = {**SHIPPED, CHANGED: SHIPPED[CHANGED] + NOTE}
LAST = {**SHIPPED, CHANGED: SHIPPED[CHANGED] + NOTE + NOTE}


@dataclass(slots=True)
class Both(Pair):
    """A hub and its appliance, of which the tests of this module tell one story."""

    older_stamp: bytes = b""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with pair(tmp_path_factory.mktemp("signed")) as made:
        stamp = made.directory / "hub" / "content" / "metadata" / "timestamp.json"
        yield Both(made.hub, made.appliance, made.directory, stamp.read_bytes())


def publish(hub: Both, content: Mapping[str, bytes]) -> None:
    """Publish content as the one person of a development trust does."""
    config = hub_config.read(hub.hub.config)
    asyncio.run(
        hub_setup.init(config, clock=SystemClock(), entropy=system_entropy, content=content)
    )


def told(both: Both) -> dict[str, Any]:
    found: dict[str, Any] = both.appliance.ask("GET", "/api/content")
    return found


def runs(both: Both, content: Mapping[str, bytes]) -> bool:
    """Tell whether this content runs, from the repository."""
    said = told(both)
    return bool(said["origin"] == "signed" and said["digest"] == content_digest(content))


def carried(both: Both) -> Path:
    """Return the hub's repository in a file, as somebody would carry it to a site."""
    served, file = both.directory / "hub" / "content", both.directory / "carried-here.zip"
    with zipfile.ZipFile(file, "w") as outlet:
        for path in served.rglob("*.*"):
            if path.is_file():
                outlet.write(path, path.relative_to(served))
    return file


def verb(both: Both, *words: str) -> subprocess.CompletedProcess[str]:
    """Give a command on the appliance."""
    config = str(both.appliance.config)
    return subprocess.run(
        [sys.executable, "-m", "osiris", "appliance", "content", *words, "--config", config],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"},
    )


def test_a_hub_with_another_root_than_the_pinned_one_is_refused(both: Both) -> None:
    root = both.directory / "hub" / "content" / "metadata" / "1.root.json"
    pinned = root.read_bytes()
    root.write_bytes(pinned.replace(b'"spec_version"', b' "spec_version"', 1))
    both.appliance.start()
    until(lambda: "content_root_refused" in both.status()["health"], "somebody is told of the root")
    said = told(both)
    assert (said["origin"], said["digest"]) == ("program", content_digest(SHIPPED))
    assert said["trust"] == "none"
    both.appliance.kill()
    root.write_bytes(pinned)


def test_what_people_signed_is_taken_and_then_what_they_sign_next(both: Both) -> None:
    both.appliance.start()
    until(lambda: runs(both, SHIPPED), "the first release is in force")
    said = told(both)
    assert said["trust"] == "development"
    assert said["orders"] is True
    assert said["troubles"] == {}
    assert said["release"] == 1
    publish(both, NEXT)
    until(lambda: runs(both, NEXT), "the next release is in force")
    assert both.status()["content"] == content_digest(NEXT)


def test_a_hub_put_back_to_an_older_copy_takes_nothing_back(both: Both) -> None:
    stamp = both.directory / "hub" / "content" / "metadata" / "timestamp.json"
    newer = stamp.read_bytes()
    stamp.write_bytes(both.older_stamp)
    until(
        lambda: "content_rolled_back" in both.status()["health"], "somebody is told of the rollback"
    )
    assert runs(both, NEXT)
    stamp.write_bytes(newer)


def test_without_its_hub_an_appliance_keeps_it_and_takes_more_from_a_file(both: Both) -> None:
    both.hub.kill()
    both.appliance.kill()
    both.appliance.start()
    assert runs(both, NEXT), "what was signed runs from the first moment on"
    old = carried(both)
    publish(both, LAST)
    result = verb(both, "load", str(both.directory / "hub" / "content"))
    assert result.returncode == 0, result.stderr
    assert "other content runs now" in result.stdout
    assert "development" in result.stdout
    assert runs(both, LAST)
    assert told(both)["carrier"] == "file"
    assert not list((both.directory / "appliance" / "content").glob("carried*"))

    result = verb(both, "load", str(old))
    assert result.returncode == 4
    assert "version" in result.stderr
    assert runs(both, LAST)
