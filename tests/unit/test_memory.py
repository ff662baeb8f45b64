"""What a daemon does not load."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADED = (
    "from runtime import memory; memory.leave_out_screens(); import sys, appliance.main;"
    " print(sorted({name.partition('.')[0] for name, found in sys.modules.items() if found}"
    " & {'rich', 'pygments', 'tuf', 'typer'}))"
)


def test_the_appliance_loads_nothing_that_draws_on_terminals_nor_what_it_seldom_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
