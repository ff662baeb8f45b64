"""The openly named stand-in for systemd, for worlds without a delegated control group.

Real systemd needs a control group of its own; an ordinary user often has none. There, PID 1 of a
Linux host is `boot`, and `systemctl` in /usr/local/bin is `verbs`: it starts and stops what the
real unit files say and hands everything about enabling to the real systemctl. What it lacks: the
journal, timers that fire, restarts, ordering, resource limits and sandboxing, D-Bus.
"""

from pathlib import Path

DIRECTORY = "usr/local/lib/osiris-stand-in"
COMMAND = "usr/local/bin/systemctl"
STAND_IN_INIT = (f"/{COMMAND}", "--as-init")

LAUNCHER = f"""#!/usr/bin/python3 -IS
# A STAND-IN for systemctl, put here by the Osiris demo: this world has no control group for real
# systemd. The real one is /usr/bin/systemctl; what this one can do is written in
# /{DIRECTORY}/osiris/demo/world/standin/__init__.py
import sys

sys.path.insert(0, "/{DIRECTORY}")
from osiris.demo.world.standin.verbs import main

sys.exit(main(sys.argv[1:]))
"""

# Read when imported: later, inside a world, our ids may not be allowed to read the files.
_MODULES = {path.name: path.read_text() for path in Path(__file__).parent.glob("*.py")}


def install(root: Path) -> None:
    """Put the stand-in into a host's file system, where it comes before the real systemctl."""
    package = root / DIRECTORY / "osiris/demo/world/standin"
    package.mkdir(parents=True)
    for name, text in _MODULES.items():
        (package / name).write_text(text)
    launcher = root / COMMAND
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
