"""Programs to be released: real wheels of this checkout with another version, whole or broken."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built(folder: Path, version: str, *, broken: str = "") -> Path:
    """Return a wheel of this checkout under another version, built without any network.

    `broken` is put into the daemon's program where it has been imported and starts.
    """
    copy = folder / f"checkout-{version}"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    wanted = [name for name in listed if not name.startswith(("tests/", "docs/"))]
    for name in (*wanted, "proto/phi/names.gaz"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    project = copy / "pyproject.toml"
    project.write_text(project.read_text().replace('version = "0.1.0"', f'version = "{version}"'))
    if broken:
        main = copy / "appliance" / "main.py"
        begins = "    parser = argparse.ArgumentParser"
        main.write_text(main.read_text().replace(begins, f"    {broken}\n{begins}"))
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    argv = [sys.executable, "-m", "pip", "wheel", *offline, "-w", str(folder), str(copy)]
    subprocess.run(argv, check=True, env={"PATH": "/usr/bin:/bin"})
    return folder / f"osiris-{version}-py3-none-any.whl"
