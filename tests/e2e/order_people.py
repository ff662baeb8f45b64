"""Three people who make a hub's trust and give its orders, with the commands that people use.

Each has a desk of their own and a key for each role; a release folder passes between them. No key
of theirs ever lies at the hub. What is not done by a command here is what people do with an editor,
and that most of the keys are sealed at a lower cost than a command's.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from central import config as hub_config
from proto.hub.desk import LIST_MAX
from proto.keysets import Role
from proto.secret import Secret
from runtime import keyfile
from runtime.clock import system_entropy
from tests.e2e.clinic_scene import hub_file, serve_hub
from tests.e2e.clinic_scene_content import write
from tests.e2e.daemons import Daemon
from tests.e2e.desk_world import CHEAP, PASSPHRASE, Ran, command, now_s

ADA, BEA, CYD = PEOPLE = ("ada", "bea", "cyd")
ROLES: Final = ("operator", "release", "root")
SIGNERS: Final = (ADA, BEA)
TYPED: Final = "\n".join(["sign", *[PASSPHRASE] * len(ROLES)]) + "\n"

SECOND_RING: Final = """
[[ring]]
name = "canary"
after_s = 0
sites = ["s-aaaaaaaaaa"]
"""
"""With canaries elsewhere, a site of the next ring waits before a change by one person."""


@dataclass(frozen=True, slots=True)
class People:
    """Their desks and their release folder, below one directory."""

    directory: Path

    def desk(self, person: str) -> Path:
        """Return a person's desk."""
        return self.directory / person

    def order(self, person: str, *arguments: str, word: str = "") -> Ran:
        """Give a command of `osiris order` at a desk, whose person then types a word."""
        argv = ["order", *arguments, "--desk", str(self.desk(person))]
        return command(argv, f"{PASSPHRASE}\n{word}\n")

    def drafted(self, person: str, *arguments: str) -> str:
        """Draft an order that must be taken; return its name."""
        ran = self.order(person, "draft", *arguments, "-o", "json")
        assert ran.status == 0, ran.err
        (line,) = ran.json()
        return str(line["sid"])

    def approve(self, sid: str, *persons: str) -> Ran:
        """Have people read and sign an order; return what the last of them saw."""
        for person in persons:
            ran = self.order(person, "approve", sid, word="sign")
            assert ran.status == 0, ran.err
        return ran

    def line(self, sid: str) -> Mapping[str, Any]:
        """Return where an order stands, as `osiris order list` tells it."""
        ran = self.order(CYD, "list", "--limit", str(LIST_MAX), "-o", "json")
        assert ran.status == 0, ran.err
        (line,) = [one for one in ran.json() if one["sid"] == sid]
        return dict(line)

    def hub(
        self, stack: ExitStack, directory: Path, content: Mapping[str, str], *, origin: str = ""
    ) -> Daemon:
        """Make a hub whose trust is theirs, publish this content, and serve it."""
        file = hub_file(directory, origin=origin)
        for ran in self._ceremony(file, write(self.directory / "rules", content)):
            assert ran.status == 0, ran.err
        return serve_hub(stack, file)

    def _ceremony(self, file: Path, rules: Path) -> Iterator[Ran]:
        """Give every command of `osiris hub ceremony --help`, in its order."""
        hub = hub_config.read(file)
        state, folder = hub.state_dir, ("--folder", str(self.directory / "release"))
        init = ("hub", "init", "--trust", "people", "--config", str(file))
        yield command(init)
        keys = str(state / "trust" / "hub-keys.json")
        yield command(["hub", "ceremony", "begin", "--hub-keys", keys, *folder])
        for person in PEOPLE:
            desk = ("--desk", str(self.desk(person)))
            self._quick_keys(person)
            for role in ROLES:
                argv = ["hub", "ceremony", "key", person, "--role", role, *desk, *folder]
                yield command(argv, f"{PASSPHRASE}\n")
        yield command(["hub", "ceremony", "root", *folder])
        yield command(["content", "build", "--rules", str(rules), *folder])
        self._decide_on_rings()
        yield command(["content", "build", "--rules", str(rules), *folder])
        yield command(["content", "grant", *folder])
        for person in SIGNERS:
            yield command(["content", "sign", "--desk", str(self.desk(person)), *folder], TYPED)
        yield command(["content", "publish", "--to", str(state / "incoming"), *folder])
        yield command(init)
        for person in PEOPLE:
            desk = ("--desk", str(self.desk(person)))
            yield command(["content", "trust", *desk, *folder])
            port = hub.file.listen.port
            at = ("--hub", f"https://127.0.0.1:{port}", "--hub-tls-ca", str(state / "tls/ca.pem"))
            yield command(["order", "desk", *at, *desk])

    def _quick_keys(self, person: str) -> None:
        """Make a person's keys so that they open quickly; the command makes the last one itself."""
        self.desk(person).mkdir(mode=0o700)
        for role in ROLES[: -1 if person == CYD else None]:
            keyfile.make(
                self.desk(person) / f"{role}.key",
                person=person,
                role=Role(role),
                passphrase=Secret(PASSPHRASE),
                now_s=now_s(),
                entropy=system_entropy,
                cost=CHEAP,
            )

    def _decide_on_rings(self) -> None:
        """Write into release.toml, as a person does in an editor."""
        decisions = self.directory / "release" / "release.toml"
        first, ring, rest = decisions.read_text().partition("\n[[ring]]")
        decisions.write_text(first + SECOND_RING + ring + rest)
