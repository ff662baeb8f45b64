"""Start `tests.sim.campaign` as a program: many seeds, or one of them again."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
runpy.run_module("tests.sim.campaign", run_name="__main__")
