"""The openly named stand-in for systemd, for worlds without a delegated control group."""

from pathlib import Path

STAND_IN = "usr/local/bin/systemctl"
STAND_IN_INIT = ("/usr/bin/python3", "-I", "-S", f"/{STAND_IN}", "--as-init")

# Read when imported: later, inside a world, our ids may not be allowed to read the file.
_SCRIPT = (Path(__file__).parent / "systemctl.py").read_text()


def install(root: Path) -> None:
    """Put the stand-in where it comes before the real systemctl on PATH."""
    target = root / STAND_IN
    target.write_text(_SCRIPT)
    target.chmod(0o755)
