"""A clinic for measuring: the demo's own scene, a meter before its hub, content without cooldowns.

The rules that are shipped let a repair run again on the same target after an hour. So that one host
can drift from each check several times, the bench gives its appliance a copy of the shipped content
in which every rule's cooldown is 0 and its daily limit 24; nothing else differs.
"""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from osiris.demo import neglect
from osiris.demo.scene import Scene
from proto.catalog.model import Action, Autonomy, Content, Disruption
from runtime.content import read_installed
from tests.bench.meter import Meter

_LIMITS = re.compile(rb"\{cooldown_s: \d+, per_day: \d+\}")
_WITHOUT = b"{cooldown_s: 0, per_day: 24}"


class MeteredScene(Scene):
    """The demo's scene whose appliance reaches its hub through a meter."""

    meter: Meter

    def _enroll(self, hub_port: int) -> None:
        self.meter = Meter(self.directory / "hub", hub_port)
        super()._enroll(self.meter.port)


def content_without_cooldowns() -> dict[str, bytes]:
    """Return the shipped content, by path, with nothing changed but the rules' limits."""
    return {
        path: _LIMITS.sub(_WITHOUT, data) if path.startswith("l1/") else data
        for path, data in read_installed().items()
    }


def write(directory: Path, files: Mapping[str, bytes]) -> Path:
    """Write a content set below a directory and return it."""
    for path, data in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
    return directory


def healing_checks(content: Content) -> list[str]:
    """Return the Linux checks that heal by themselves and can be made to drift, in order."""
    scripts = resources.files("osiris.demo.drift")
    found = set[str]()
    for rule in content.rules.values():
        runbook = content.runbooks.get(rule.runbook_id or "")
        if (
            rule.action is Action.EXECUTE_RUNBOOK
            and runbook is not None
            and runbook.autonomy is Autonomy.AUTO
            and runbook.disruption in {Disruption.NONE, Disruption.SERVICE}
            and (scripts / f"{rule.check}.sh").is_file()
        ):
            found.add(rule.check)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Life:
    """How an incident of a check stands: when it was found, and how its last repair ended.

    Attributes:
        result: of the last repair, None while none has ended.
    """

    state: str
    cause: str | None
    found_ms: int
    done_ms: int
    result: str | None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more happens by itself."""
        return self.state in {"healed", "closed", "escalated", "waived"}


_LIFE = """
SELECT i.state, i.cause, i.opened_ms, r.done_ms, r.result FROM incidents AS i
LEFT JOIN repairs AS r ON r.incident = i.id
WHERE i.target = ? AND i.check_id = ? AND i.opened_ms >= ?
ORDER BY i.opened_ms, r.run DESC LIMIT 1
"""


def life_of(store: Path, target: str, check: str, *, since_ms: int) -> Life | None:
    """Read the first incident of a check found since then from the appliance's own store."""
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        row = connection.execute(_LIFE, (target, check, since_ms)).fetchone()
    return Life(row[0], row[1], row[2], row[3] or 0, row[4]) if row else None


def drift(scene: Scene, host: str, check: str) -> None:
    """Make a host drift from one check, as whoever neglects it."""
    done = scene.world.exec(host, ["sh", "-eu"], stdin=neglect.script(check).encode())
    if done.exit_status != 0:
        msg = f"{host} did not drift from {check}: {done.output[-300:]}"
        raise RuntimeError(msg)
