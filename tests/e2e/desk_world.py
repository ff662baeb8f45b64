"""Operators at their desks: a real hub process, key files, and the real command line."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from central import setup
from central.cli import hub as hub_verbs
from central.core import signer_place
from osiris.cli import app
from proto.claim import parse_claim_code
from proto.envelope import Kind, sign
from proto.hub import enroll, orders
from proto.hub.desk import PATH_ASK
from proto.hub.orders import OrdersReply, OrdersRequest, batch_of
from proto.keysets import Role
from proto.order_log import Mirror, follow, origin_of
from proto.secret import Secret
from proto.strict_json import b64_encode
from runtime import keyfile, tls
from runtime.clock import SystemClock, seconds, system_entropy
from runtime.keyfile import Cost
from runtime.repository.development import PEOPLE
from tests.fakes.box import Box
from tests.fakes.hub_process import HubProcess, hub_process

PASSPHRASE = "correct horse battery"  # noqa: S105 - an example
CHEAP = Cost(passes=1, memory_kib=64)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command gave."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it printed, however the lines were broken."""
        return " ".join(self.out.split())

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return what it printed, as JSON."""
        return json.loads(self.out)


def command(argv: Sequence[str], typed: str = "") -> Ran:
    """Give a command of the real command line, to which a person types these lines."""
    done = CliRunner().invoke(app, list(argv), input=typed)
    error = done.exception
    if error is not None and not isinstance(error, SystemExit):
        status = getattr(error, "exit_status", None)
        if status is None:
            raise error
        return Ran(status, done.stdout, f"{done.stderr}{error}")
    return Ran(done.exit_code, done.stdout, done.stderr)


@dataclass
class Desks:
    """A hub that serves, one site with one appliance, and three people with a desk each."""

    hub: HubProcess
    folder: Path
    box: Box
    mirror: Mirror
    checkpoint: str | None = None
    opinions: tuple[str, ...] = ()

    def run(self, person: str, *arguments: str, word: str = "") -> Ran:
        """Run one command at a person's desk, who types the passphrase and then `word`."""
        argv = ["order", *arguments, "--desk", str(self.folder / person)]
        return command(argv, f"{PASSPHRASE}\n{word}\n")

    def another_site(self) -> str:
        """Add a site with an appliance that has said how far its log is; return its id."""
        box = _enrolled(self.hub)
        origin = origin_of(self.hub.origin.removeprefix("https://"), box.site)
        Desks(self.hub, self.folder, box, Mirror(origin)).fetch()
        return box.site

    def fetch(self, *, held: int | None = None) -> int:
        """Have the appliance take what is new in its order log; return how many orders it has."""
        asked = OrdersRequest(
            appliance=self.box.appliance,
            iat=now_s(),
            challenge=b64_encode(system_entropy(16)),
            size=self.mirror.tree.size,
            root=b64_encode(self.mirror.tree.root),
            checkpoint=self.checkpoint,
            waiting=(),
            held=held,
        )
        with self.hub.client() as client:
            body = sign(Kind.ORDERS, asked.to_bytes(), self.box.key)
            answer = client.post(orders.PATH, content=body)
        assert answer.status_code == 200, answer.text
        reply = OrdersReply.from_bytes(answer.content, "reply", size_bytes_max=4 * 1024 * 1024)
        batch = batch_of(reply)
        if batch is not None:
            self.mirror = follow(self.mirror, batch, log_keys=self.hub.root.log_keys)
            self.checkpoint = reply.checkpoint
        self.opinions = reply.opinions
        return self.mirror.tree.size


def now_s() -> int:
    """Return seconds since the epoch."""
    return seconds(SystemClock())


def _sealed_again(people: Path, person: str, desk: Path) -> None:
    """Take a development key over to a desk, sealed with a passphrase as a person's own is."""
    held = keyfile.read(people / f"{person}.operator.key").open(None)
    seeds = [held.reveal_seed()]

    def entropy(size_bytes: int) -> bytes:
        return seeds.pop() if seeds else system_entropy(size_bytes)

    keyfile.make(
        desk / "operator.key",
        person=person,
        role=Role.OPERATOR,
        passphrase=Secret(PASSPHRASE),
        now_s=now_s(),
        entropy=entropy,
        cost=CHEAP,
    )


def _desk(folder: Path, hub: HubProcess) -> None:
    """Give a desk what the people behind it know of their hub."""
    state = hub.config.state_dir
    for name in (signer_place.AUTHORITY, signer_place.GRANTS):
        (folder / Path(name).name).write_bytes((state / name).read_bytes())
    pem = setup.Place(state).tls / tls.CA_CERT
    (folder / "hub-tls-ca.pem").write_bytes(pem.read_bytes())
    (folder / "desk.toml").write_text(f'hub = "{hub.origin}"\nhub_tls_ca = "hub-tls-ca.pem"\n')


@contextmanager
def desks(folder: Path) -> Iterator[Desks]:
    """Set a hub up with its development trust, serve it, and enroll an appliance."""
    with hub_process(folder) as hub:
        hub.start()
        box = _enrolled(hub)
        with hub.client() as client:
            # Before anybody is heard, the signer takes over what the people of its trust published.
            nobodys = sign(Kind.ASK, b"{}", box.key)
            answer = client.post(PATH_ASK, content=nobodys)
            assert answer.status_code == 403, answer.text
        people = setup.Place(hub.config.state_dir).repository.people
        for name in PEOPLE:
            desk = folder / name
            desk.mkdir(mode=0o700)
            _sealed_again(people, name, desk)
            _desk(desk, hub)
        origin = origin_of(hub.origin.removeprefix("https://"), box.site)
        made = Desks(hub, folder, box, Mirror(origin))
        made.fetch()
        yield made


def _enrolled(hub: HubProcess) -> Box:
    argv = ["site", "add", "Clinic", "-o", "json", "--config", str(hub.file)]
    claim = json.loads(CliRunner().invoke(hub_verbs, argv).stdout)["claim_code"]
    box = Box.make(system_entropy)
    request = box.enroll_request(parse_claim_code(claim), now_s=now_s())
    with hub.client() as client:
        answer = client.post(enroll.PATH_ENROLL, content=request)
    box.enrolled(answer.content, hub.root)
    return box
