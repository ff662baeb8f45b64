"""Disks that are put back to an earlier day: the appliance's, the hub's, the signer's.

A copy is taken, and put back, while the process does not run. An appliance's is put back only when
the hub holds all its evidence: last week's disk, not one whose last words nobody ever heard.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from tests.sim.build import World
from tests.sim.nodes import ApplianceNode, HubNode
from tests.sim.signer_node import SignerNode
from tests.sim.watch import rows_of

Node = ApplianceNode | HubNode | SignerNode

OnBack = Callable[[Node, float], None]
"""Told of a process and of when its copy was taken."""

SHARE: Final = 0.4
"""How many runs have a disk put back."""

COPY_S: Final = (150.0, 700.0)
BACK_S: Final = (300.0, 900.0)
"""When a copy is taken, and how long after that it is put back, virtual seconds."""


class Disks:
    """Which disks are put back in a run, and when; `on_back` is told of each."""

    def __init__(
        self, world: World, chance: Random, on_back: Callable[[Node, float], None]
    ) -> None:
        """Draw it: mostly none, else one appliance, the hub, the signer, or both of these."""
        choices: list[list[Node]] = [
            [chance.choice(world.appliances)],
            [world.hub],
            [world.signer],
            [world.hub, world.signer],
        ]
        drawn = chance.choice(choices)
        self._nodes = drawn if chance.random() < SHARE else []
        self._copy_s = chance.uniform(*COPY_S)
        self._back_s = self._copy_s + chance.uniform(*BACK_S)
        self._copied: dict[str, tuple[Path, float]] = {}
        self._done: set[str] = set()
        self._on_back = on_back
        self._trace = world.common.trace

    def look(self, now_s: float) -> None:
        """End the processes whose disk is to be copied or put back now."""
        if self._is_to_be_copied(now_s) or (now_s >= self._back_s and self._may_go_back()):
            for node in self._nodes:
                if node.life is not None:
                    node.life.kill()

    def _is_to_be_copied(self, now_s: float) -> bool:
        return now_s >= self._copy_s and any(one.name not in self._copied for one in self._nodes)

    def _may_go_back(self) -> bool:
        """Tell whether everybody is there whose disk goes back, and nobody has unheard words."""
        return all(
            one.name not in self._done
            and one.life is not None
            and one.life.is_alive
            and not _has_unheard(one)
            for one in self._nodes
        )

    def attend(self, node: Node, now_s: float) -> None:
        """Copy or put back the disk of a process that does not run."""
        if node not in self._nodes or node.name in self._done:
            return
        held = self._copied.get(node.name)
        if held is None and now_s >= self._copy_s:
            copy = node.path.with_suffix(".copy")
            _copy(node.path, copy)
            self._copied[node.name] = copy, now_s
            self._trace.note(node.name, "its disk is copied")
        elif held is not None and now_s >= self._back_s and not _has_unheard(node):
            copy, copied_s = held
            for end in ("-wal", "-shm"):
                node.path.with_name(node.path.name + end).unlink(missing_ok=True)
            # Another file of that name: what a killed process had open stays with it.
            copy.replace(node.path)
            self._done.add(node.name)
            self._trace.note(node.name, f"its disk is put back to that of {copied_s:.0f} s")
            self._on_back(node, copied_s)


def _has_unheard(node: Node) -> bool:
    """Tell whether an appliance has evidence that the hub did not acknowledge."""
    if not isinstance(node, ApplianceNode):
        return False
    (head,) = rows_of(str(node.path), "SELECT size, acked_size FROM evidence_head")
    return bool(head["size"] != head["acked_size"])


def _copy(path: Path, to: Path) -> None:
    source, copy = sqlite3.connect(path), sqlite3.connect(to)
    source.backup(copy)
    copy.close()
    source.close()
