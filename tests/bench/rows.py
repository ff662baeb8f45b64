"""What a bench says: rows of what, bar, measured and whether that is good enough."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CALIBRATION_ROUNDS = 9
CALIBRATION_STEPS = 400_000


@dataclass(frozen=True, slots=True)
class Row:
    """One measured claim.

    Attributes:
        ok: None where there is no bar, or where it could not be measured; `measured` says why.
    """

    what: str
    bar: str
    measured: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class Noise:
    """How steady the machine is: the time of one fixed piece of work, repeated.

    Attributes:
        best_ms: the fastest round; on the same machine it should hardly change.
        worst_ms: the slowest one.
        load: the one-minute load average, ours included.
    """

    best_ms: float
    median_ms: float
    worst_ms: float
    load: float

    def sentence(self) -> str:
        """Say it to a person."""
        return (
            f"fixed loop {self.best_ms:.0f} / {self.median_ms:.0f} / {self.worst_ms:.0f} ms"
            f" (best / median / worst of {CALIBRATION_ROUNDS},"
            f" spread {self.worst_ms / self.best_ms - 1:.0%}), load {self.load:.1f}"
        )


def listen() -> Noise:
    """Do a fixed piece of work some times over and say how long it took."""
    times_ms = sorted(_fixed_work_ms() for _ in range(CALIBRATION_ROUNDS))
    middle = times_ms[len(times_ms) // 2]
    return Noise(times_ms[0], middle, times_ms[-1], os.getloadavg()[0])


def _fixed_work_ms() -> float:
    began = time.perf_counter()
    value = 1
    for _ in range(CALIBRATION_STEPS):
        value = (value * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
    return (time.perf_counter() - began) * 1000


def machine() -> str:
    """Say what this runs on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    release = Path("/proc/sys/kernel/osrelease").read_text("ascii").strip()
    return f"{len(models)} x {models[0] if models else 'processor'}, Linux {release}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as one table of text, which is Markdown too."""
    marks = {True: "yes", False: "NO", None: "-"}
    cells = [("what", "bar", "measured", "ok")]
    cells += [(row.what, row.bar, row.measured, marks[row.ok]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that this share of the ordered values does not exceed."""
    place = max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))
    return ordered[place]
