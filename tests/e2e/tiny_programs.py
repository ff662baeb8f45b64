"""Programs of a few lines, for the start: it knows nothing of a program but its files.

The packaged one is the real start and hand-over with a daemon of two lines; a released one is a
wheel with the same two modules and whatever a test gives it to do.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from appliance import handover
from appliance.handover import Phase, Program, ProgramPlace, Record
from tests.e2e.program_wheels import ROOT
from tests.unit.test_wheel import packed

PACKAGED = Program("", "0.1.0")
ORDER = "ab" * 32
SAYS = """
import json, os, sys
from appliance import handover
from pathlib import Path
state = Path(sys.argv[sys.argv.index("--config") + 1]).parent
place = handover.ProgramPlace(state)
def say(what):
    with (state / "said").open("a") as file:
        file.write(json.dumps([NAME, what]) + "\\n")
def ready():
    record = handover.read(place)
    if record.phase is handover.Phase.TRYING:
        handover.write(place, handover.taken(record))
        from appliance import start
        start.rest()
say(os.getpid())
"""
BUILT_IN = ("__init__.py", "handover.py", "start.py")
INSERT = """
import sqlite3
conn = sqlite3.connect(state / "osiris.db")
conn.execute("INSERT INTO rows VALUES ('new')")
conn.commit()
"""


@dataclass
class Machine:
    """A state directory, a packaged program, and the service manager that starts it."""

    directory: Path
    place: ProgramPlace = field(init=False)

    def __post_init__(self) -> None:
        """Install the packaged program and make a store."""
        self.place = ProgramPlace(self.directory / "state")
        self.place.directory.mkdir(parents=True, mode=0o700)
        (self.place.state_dir / "appliance.toml").write_text(
            f'state_dir = "{self.place.state_dir}"\n'
        )
        package = self.directory / "packaged"
        for name in (*BUILT_IN, "__main__.py"):
            (package / "appliance").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / "appliance" / name, package / "appliance" / name)
        shutil.copytree(ROOT / "runtime", package / "runtime")
        (package / "appliance" / "main.py").write_text(f"NAME = 'packaged'{SAYS}def main(): pass\n")
        schema = package / "appliance" / "store" / "schema"
        schema.mkdir(parents=True)
        (schema / "0001_first.sql").write_text("")
        with closing(sqlite3.connect(self.place.store)) as conn:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("CREATE TABLE migrations (name TEXT)")
            conn.execute("INSERT INTO migrations VALUES ('0001_first.sql')")
            conn.execute("CREATE TABLE rows (row TEXT)")
            conn.commit()

    def wheel(self, does: str, version: str = "1.4.2") -> Program:
        """Keep a released program, unpacked."""
        info = f"osiris-{version}.dist-info"
        files = {f"appliance/{name}": (ROOT / "appliance" / name).read_bytes() for name in BUILT_IN}
        files["appliance/__main__.py"] = f"NAME = {version!r}{SAYS}{does}\n".encode()
        files["appliance/store/schema/0001_first.sql"] = b""
        files[f"{info}/METADATA"] = f"Name: osiris\nVersion: {version}\n".encode()
        files[f"{info}/RECORD"] = b""
        data = packed(files)
        program = Program(sha256(data).hexdigest(), version)
        self.place.wheel(program).write_bytes(data)
        handover.unpack(self.place, program)
        return program

    def ordered(
        self, program: Program, *, before: Program = PACKAGED, within_s: int = 60
    ) -> Program:
        """Note that the next start tries a program."""
        record = Record(Phase.TRYING, program, before, ORDER, at_s=1, within_s=within_s)
        handover.write(self.place, record)
        return program

    def start(self) -> int:
        """Start the service once, and wait until it ended; return its exit status."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.directory / "packaged"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        config = str(self.place.state_dir / "appliance.toml")
        argv = [sys.executable, "-P", "-m", "appliance", "--config", config]
        with (self.directory / "log").open("ab") as sink:
            done = subprocess.run(argv, env=env, stderr=sink, check=False, timeout=60)
        return done.returncode

    def said(self) -> list[str]:
        """Return which program said that it runs, in order."""
        file = self.place.state_dir / "said"
        lines = file.read_text().splitlines() if file.exists() else []
        return [str(json.loads(line)[0]) for line in lines]

    def record(self) -> Record:
        """Return what the record says."""
        found = handover.read(self.place)
        assert found is not None
        return found

    def rows(self) -> list[str]:
        """Return what the store holds."""
        with closing(sqlite3.connect(self.place.store)) as conn:
            return [row[0] for row in conn.execute("SELECT row FROM rows")]
