"""A desk and its hub over the network: whose trust, what runs where, and a rule of what healed.

Three people made the hub's trust in a ceremony; the hub and its signer are real processes, and an
appliance is there by its real envelopes.
"""

import json
import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from appliance.core.promoted import with_promoted
from appliance.core.trusted import read_set
from central import config as hub_config
from central import setup
from proto.catalog.load import load
from proto.claim import parse_claim_code
from proto.evidence import Result, Turn
from proto.findings import Verdict
from proto.hub import check_in, enroll, evidence
from proto.hub.check_in import FullState, TargetGroup, state_of
from proto.hub.devices import NOTHING_HELD
from proto.incidents import Cause
from proto.inventory import DeviceClass, Platform
from proto.keysets import Role
from proto.merkle import Tree, leaf_hash
from proto.rules.matcher import decide
from proto.strict_json import b64_encode
from runtime.clock import system_entropy
from runtime.repository.layout import Place, digest_of
from tests.e2e.daemons import Daemon, until
from tests.e2e.desk_world import PASSPHRASE, Ran, command, now_s
from tests.e2e.order_people import ADA, BEA, CYD, TYPED, People
from tests.e2e.rotating import Served
from tests.fakes.box import Box
from tests.unit.content_world import Reader
from tests.unit.promoting_world import CHECK, narrowed
from tests.unit.release_world import Ceremony

TARGET, HEALED = "t-aaaaaaaaaa", "i-aaaaaaaaaa"
TAKEN_IN_WITHIN_S = 300.0


@dataclass(frozen=True)
class World:
    """People at their desks, a hub that serves what they signed, and one appliance."""

    people: People
    hub: Daemon
    box: Box

    @property
    def state(self) -> Path:
        """The hub's state directory."""
        return self.hub.config.with_name("hub")

    @property
    def served(self) -> Place:
        """What the hub serves."""
        return Place(self.state / "content")

    def content(self, person: str, *words: str, typed: str = "", folder: bool = True) -> Ran:
        """Give a command of `osiris content` at a person's desk."""
        at = ["--folder", str(self.people.directory / "release")] if folder else []
        desk = ("--desk", str(self.people.desk(person)))
        return command(["content", *words, *desk, *at], typed or f"{PASSPHRASE}\n")

    def told_content(self) -> str:
        """Return the digest of what is rolled out."""
        ran = command(
            ["content", "rollout", "-o", "json", "--folder", str(self.people.directory / "release")]
        )
        return str(ran.json()["content"])

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Give an appliance's way to the hub."""
        port = hub_config.read(self.hub.config).file.listen.port
        tls = ssl.create_default_context(cafile=str(self.state / "tls" / "ca.pem"))
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=tls, timeout=60, trust_env=False
        ) as client:
            yield client

    def post(self, path: str, body: bytes) -> bytes:
        """Post an appliance's envelope, which must be taken."""
        with self.client() as client:
            answer = client.post(path, content=body)
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("desk-content")
    people = People(directory / "people")
    people.directory.mkdir()
    texts = {path: data.decode() for path, data in narrowed().items()}
    with ExitStack() as stack:
        hub = people.hub(stack, directory, texts)
        made = World(people, hub, Box.make(system_entropy))
        join(made)
        tell(made)
        yield made


def join(world: World) -> None:
    """Enroll the appliance at a new site."""
    argv = ["hub", "site", "add", "Clinic", "-o", "json", "--config", str(world.hub.config)]
    claim = command(argv).json()["claim_code"]
    asked = world.box.enroll_request(parse_claim_code(claim), now_s=now_s())
    root = setup.load_root(setup.Place(world.state))[1]
    world.box.enrolled(world.post(enroll.PATH_ENROLL, asked), root)


def tell(world: World) -> None:
    """Let the appliance tell what it healed, and what it runs."""
    box, at_s = world.box, now_s()
    box.scan(TARGET, {CHECK: (Verdict.DRIFTED, {"value": "yes"})}, at_s=at_s - 9)
    box.turn(HEALED, TARGET, CHECK, kind=Turn.OPENED, cause=None, at_s=at_s - 8)
    box.heal(HEALED, TARGET, CHECK, result=Result.HEALED, at_s=at_s - 7)
    box.turn(HEALED, TARGET, CHECK, kind=Turn.CLOSED, cause=Cause.PASSED, at_s=at_s - 6)
    world.post(evidence.PATH, box.batch())
    full = FullState(
        version="0.1.0",
        content=world.told_content(),
        evidence_size=len(box.leaves),
        evidence_root=b64_encode(Tree().extend(leaf_hash(one) for one in box.leaves).root),
        health=("breaker_open",),
        devices=(),
        targets=(
            TargetGroup(platform=Platform.LINUX, device_class=DeviceClass.SERVER, ids=(TARGET,)),
        ),
        targets_total=1,
        device_list=NOTHING_HELD,
        observe_only=False,
    )
    said = box.check_in(now_s=now_s(), state=state_of(full), full=full)
    world.post(check_in.PATH, said)


def test_a_desk_walks_its_hubs_repository_from_the_root_that_it_pinned(world: World) -> None:
    ran = world.content(ADA, "trust", "--from-hub", "-o", "json")
    assert ran.status == 0, ran.err
    told = ran.json()
    assert told["first_root"] == digest_of(world.served.read(Role.ROOT, 1))
    assert (told["pinned"], told["operators"]) == ("before, and the same", [ADA, BEA, CYD])
    fetched = world.people.desk(ADA) / "content" / "targets" / "content"
    assert {path.read_bytes() for path in fetched.rglob("*.yaml")} == set(narrowed().values())


def test_a_hub_that_serves_another_authority_is_refused(world: World, tmp_path: Path) -> None:
    """Whoever took the hub puts a whole repository of their own there, at a higher release."""
    desk = world.people.desk(BEA)
    before = {path.name: path.read_bytes() for path in desk.glob("*.json")}
    theirs = Ceremony(tmp_path / "theirs", seed=1).publish_first() / "content"
    honest = world.served.directory
    honest.rename(tmp_path / "honest")
    try:
        shutil.copytree(theirs, honest)
        other = world.content(BEA, "trust", "--from-hub")
        (honest / "metadata" / "1.root.json").write_bytes(
            (tmp_path / "honest" / "metadata" / "1.root.json").read_bytes()
        )
        forged = world.content(BEA, "trust", "--from-hub")
    finally:
        shutil.rmtree(honest)
        (tmp_path / "honest").rename(honest)
    assert (other.status, forged.status) == (7, 4), other.err + forged.err
    assert "It is another trust" in " ".join(other.err.split())
    assert "was not signed by the people" in " ".join(forged.err.split())
    assert {path.name: path.read_bytes() for path in desk.glob("*.json")} == before
    assert world.content(BEA, "trust", "--from-hub").status == 0


def test_a_release_person_sees_which_site_runs_what(world: World) -> None:
    ran = world.content(ADA, "status", "--sites", "-o", "json")
    assert ran.status == 0, ran.err
    (row,) = ran.json()["sites"]
    assert (row["site"], row["label"], row["ring"]) == (world.box.site, "Clinic", "1 all")
    assert (row["runs"], row["state"], row["is_current"]) == ("release 1", "runs it", True)
    assert "breaker_open" in row["unwell"]
    shown = world.content(ADA, "status", "--sites")
    assert "1 of 1 appliances run what is rolled out" in shown.words


def test_what_healed_becomes_a_rule_that_one_operator_and_the_hub_signed(
    world: World, tmp_path: Path
) -> None:
    same = world.content(CYD, "promote", HEALED, "--site", world.box.site)
    assert same.status == 4
    assert "What would act: --any" in same.err
    ran = world.content(CYD, "promote", HEALED, "--site", world.box.site, "--any", "-o", "json")
    assert ran.status == 0, ran.err
    (made,) = ran.json()["rules"]
    signed = world.content(CYD, "sign", typed=TYPED)
    assert signed.status == 0, signed.err
    assert f"rule promoted/{made['rule']}.yaml" in signed.words
    folder = ("--folder", str(world.people.directory / "release"))
    carried = command(["content", "publish", "--to", str(world.state / "incoming"), *folder])
    assert carried.status == 0, carried.err

    def is_current() -> bool:
        listed = world.served.newest(Role.SNAPSHOT)
        said = json.loads(world.served.read(Role.SNAPSHOT, listed))["signed"]["meta"]
        return "promoted.json" in said

    until(is_current, "the hub took it in", within_s=TAKEN_IN_WITHIN_S, pause_s=0.5)
    reader = Reader(tmp_path / "tuf", world.served.read(Role.ROOT, 1))
    served = Served(world.served.directory, now_s())
    trusted = read_set(reader.look(served))  # type: ignore[arg-type]  # a source with the time
    assert {digest: rule.id for digest, rule in trusted.promoted.items()} == {
        made["content_sha256"]: made["rule"]
    }
    acting = with_promoted(load(narrowed()), trusted.promoted)
    drifted = {"check": CHECK, "seen.value": "without-password"}
    winner = decide(acting.rules, drifted).winner
    assert winner is not None
    assert winner.id == made["rule"], "an appliance that takes it up repairs by it"
    wish = ("--rule", made["rule"], "--content-sha256", made["content_sha256"])
    sid = world.people.drafted(
        ADA, "sync_promoted_rule", "--site", world.box.site, *wish, "--reason", "it healed"
    )
    shown = world.people.order(BEA, "show", sid)
    assert made["rule"] in shown.words
    assert world.people.line(sid)["stage"] == "waits_for_people"


def test_a_site_that_is_not_theirs_or_not_there_gives_no_incident(world: World) -> None:
    for site, incident in ((world.box.site, "i-zzzzzzzzzz"), ("s-zzzzzzzzzz", HEALED)):
        ran = world.content(CYD, "promote", incident, "--site", site, "--any")
        assert (ran.status, incident in ran.err) == (4, True), ran.err
    assert world.content(CYD, "promote", HEALED, "--any").status == 3
    assert world.content(CYD, "promote", "--renew", "--drop", "l1.p.x").status == 3
