"""Measure what the documents claim: one table, with how noisy the machine was.

    python tests/bench/run.py [--quick] [--only NAME ...] [--json FILE] [--docs]

A full run takes about ten minutes. Times depend on what else the machine does, so a fixed loop is
timed before and after; look at its spread before you believe a miss.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import demo_once, heal, order_gate, order_store, phi_compare  # noqa: E402 - the path above comes first
from tests.bench.rows import Noise, Row, listen, machine, table  # noqa: E402

DOCS = ROOT / "docs" / "benchmarks.md"
LOAD = ROOT / "tests" / "bench" / "checkin_load.py"
LOAD_WITHIN_S = 600.0
CHECK_INS_BAR_PER_S = 500
USUAL = ("demo", "heal", "load", "gate")
EXTRA = ("phi",)
"""Only when named: it installs two other scrubbers, 650 MB, and takes some minutes."""


def load_rows() -> list[Row]:
    """Run the load generator against a real hub, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(LOAD), "--json"],
        capture_output=True,
        text=True,
        timeout=LOAD_WITHIN_S,
        check=False,
    )
    what = "signed check-ins, one hub on SQLite, 1,000 kept TLS connections"
    bar = f">= {CHECK_INS_BAR_PER_S}/s, 0 errors"
    if not done.stdout:
        return [Row(what, bar, f"failed: {done.stderr[-200:]}", ok=False)]
    found = json.loads(done.stdout)
    kept, each, paced = found["saturated"], found["handshake_each"], found["paced"]
    errors = sum(run["errors"] for run in (kept, each, paced))
    is_ok = kept["per_s"] >= CHECK_INS_BAR_PER_S and errors == 0
    cost_ms = found["hub_cpu_ms_per_check_in"]
    kept_said = f"{kept['per_s']}/s, {errors} errors, {cost_ms} ms of the hub's processor each"
    size = found["quiet_check_in_bytes"]
    return [
        Row(what, bar, kept_said, is_ok),
        Row("- with a TLS handshake each", "", f"{each['per_s']}/s", None),
        Row(
            "- evenly at the rate of the bar",
            "",
            f"p50 {paced['p50_ms']} ms, p99 {paced['p99_ms']} ms",
            None,
        ),
        Row("- bytes of one, by the generator", "<= 1024 bytes", f"{size} bytes", size <= 1024),
    ]


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each drift once instead of 5 times")
    parser.add_argument("--only", nargs="+", choices=(*USUAL, *EXTRA), default=USUAL)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--docs", action="store_true", help=f"write {DOCS.relative_to(ROOT)}")
    options = parser.parse_args()
    repetitions = 1 if options.quick else heal.REPETITIONS
    parts: dict[str, Callable[[], list[Row]]] = {
        "demo": demo_once.rows,
        "heal": lambda: heal.rows(repetitions),
        "load": load_rows,
        "gate": lambda: [*order_gate.rows(), *order_store.rows()],
        "phi": phi_compare.rows,
    }
    before, rows = listen(), []
    sys.stderr.write(f"before: {before.sentence()}\n")
    for name, measure in parts.items():
        if name in options.only:
            began = time.monotonic()
            rows += measure()
            sys.stderr.write(f"{name}: took {time.monotonic() - began:.0f} s\n")
    report = _report(rows, before, listen(), repetitions=repetitions)
    sys.stdout.write(report)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", "utf-8")
    if options.docs:
        DOCS.write_text(_page(report), "utf-8")
    return 1 if any(row.ok is False for row in rows) else 0


def _report(rows: list[Row], before: Noise, after: Noise, *, repetitions: int) -> str:
    return (
        f"{table(rows)}\n"
        f"- machine: {machine()}; run as {'root' if os.geteuid() == 0 else 'an ordinary user'};"
        f" each drift {repetitions} times\n"
        f"- noise before: {before.sentence()}\n"
        f"- noise after: {after.sentence()}\n"
    )


def _page(report: str) -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `python tests/bench/run.py --docs`; `make bench` measures again and prints.\n"
        "How each number comes about is told at the top of the files in `tests/bench`.\n\n"
        f"{report}"
    )


if __name__ == "__main__":
    sys.exit(main())
