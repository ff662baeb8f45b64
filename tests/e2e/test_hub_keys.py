"""The hub's own keys as its administrator sees them: listed, renewed, and told of in time."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from central.core.signer_place import SIGNER_KEYS
from central.main import TEMPLATES
from central.routes import PEOPLE_ROUTES
from central.state import Console
from central.store.accounts import HubAccounts, put_account
from proto.authority import AuthoritySet
from proto.grants import GrantSet, Trust
from proto.keys import PublicKey
from proto.keysets import DAY_S, Role
from proto.secret import Secret
from runtime.clock import system_entropy
from runtime.repository.hub_keys import HubKeys
from runtime.repository.renewal import published_authority, published_grants
from runtime.web import people
from runtime.web.access import Door, Serving, application
from runtime.web.passwords import hashed
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages
from tests.e2e.desk_world import Ran, command
from tests.e2e.front_door import PASSWORD, FrontDoor
from tests.fakes.hub import trial
from tests.fakes.hub_process import HubProcess, hub_process
from tests.fakes.repository import RepositoryWorld

PERSON = "ann"
HEADING = "Somebody must sign something anew"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub_process(tmp_path_factory.mktemp("hub")) as made:
        yield made


@pytest.fixture(scope="module")
def served(hub: HubProcess) -> HubProcess:
    hub.start()
    return hub


def keys(hub: HubProcess, *words: str) -> Ran:
    return command(["hub", "keys", *words, "--config", str(hub.file)])


def listed(hub: HubProcess) -> list[tuple[str, bool]]:
    """Return every key's kind, and whether it is to follow another."""
    ran = keys(hub, "list", "-o", "json")
    assert ran.status == 0, ran.err
    return [(row["kind"], row["follows"]) for row in ran.json()["keys"]]


def told_of(hub: HubProcess) -> HubKeys:
    """Return what the file says that a ceremony asks for."""
    file = hub.config.state_dir / "trust" / "hub-keys.json"
    return HubKeys.from_bytes(file.read_bytes().strip())


def test_keys_are_the_signers_and_without_it_nothing_is_told(hub: HubProcess) -> None:
    ran = keys(hub, "list")
    assert ran.status == 5
    assert "the signer does not answer" in ran.err


def test_every_key_of_the_signer_is_listed_with_its_fingerprint(served: HubProcess) -> None:
    assert sorted(listed(served)) == sorted((kind, False) for kind in SIGNER_KEYS)
    shown = keys(served, "list").words
    for kind in SIGNER_KEYS:
        assert f"{kind} {getattr(told_of(served), kind).fingerprint()} signs" in shown


@pytest.mark.parametrize("kind", SIGNER_KEYS)
def test_a_next_key_is_made_told_and_written_down_and_asked_again_it_is_the_same(
    served: HubProcess, kind: str
) -> None:
    former = getattr(told_of(served), kind)
    first = keys(served, "renew", kind, "-o", "json")
    assert first.status == 0, first.err
    made = first.json()
    public = PublicKey.from_b64(made["public"])
    assert public == getattr(told_of(served), kind) != former
    assert told_of(served).vouched_by(kind) == former
    assert (made["kind"], made["fingerprint"]) == (kind, public.fingerprint())
    assert keys(served, "renew", kind, "-o", "json").json() == made
    assert (kind, True) in listed(served)
    assert f"{public.fingerprint()} to follow" in keys(served, "list").words
    assert "Next: osiris hub init" in first.err, "one person has every key of this hub"


@pytest.mark.parametrize("kind", ["root", "claims", "../order", "order.next", "", "%00"])
def test_no_other_key_is_made(served: HubProcess, kind: str) -> None:
    before = listed(served)
    ran = keys(served, "renew", kind)
    assert ran.status == 4, ran.err
    assert listed(served) == before


def test_what_is_no_kind_is_told_which_there_are(served: HubProcess) -> None:
    ran = keys(served, "renew", "orders")
    assert all(kind in ran.err for kind in SIGNER_KEYS), ran.err


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/local/keys"), ("POST", "/local/keys/order/renew")]
)
def test_keys_are_no_matter_of_the_networks(served: HubProcess, method: str, path: str) -> None:
    before = listed(served)
    with served.client() as client:
        answer = client.request(method, path, json={})
    assert answer.status_code == 404
    assert listed(served) == before


@dataclass(frozen=True, slots=True)
class HubConsole(FrontDoor):
    """A hub's console."""

    lan: ASGIApp
    person = PERSON


def trust_of(world: RepositoryWorld) -> Trust:
    """Return what the people of a repository published of themselves."""
    authority, grants = published_authority(world.place), published_grants(world.place)
    assert authority is not None
    assert grants is not None
    return Trust(AuthoritySet(authority), GrantSet(grants))


@asynccontextmanager
async def console(
    folder: Path, *, age_days: int, trust: str = "people"
) -> AsyncIterator[FrontDoor]:
    """Open the console of a hub whose people signed all of its content so long ago."""
    (folder / "hub").mkdir()
    held: list[Trust] = []
    async with trial(folder / "hub", trust=lambda _now_s: held[0]) as made:
        at_s = made.now_s - age_days * DAY_S
        world = RepositoryWorld(folder / "state", now_s=at_s)
        world.first()
        operator, promoted = world.people[Role.OPERATOR, "dev-1"], world.online["promoted"]
        world.resign(Role.PROMOTED, 1, operator, promoted)
        assert not world.take_in().problem
        held.append(trust_of(world))
        world.now_s = made.now_s
        world.take_in()
        hub = replace(made.net.hub, content=world.place.directory, trust=trust)
        async with hub.store.write() as connection:
            kept = await hashed(Secret(PASSWORD))
            await put_account(connection, PERSON, kept=kept, now_ms=hub.now_ms)
        pages = Pages(TEMPLATES, people.zone("UTC"), "UTC")
        accounts = Accounts(HubAccounts(hub.store), system_entropy)
        serving = Serving(
            app=Console(hub, accounts, pages, "Lakeside"),
            sessions=accounts,
            pages=pages,
            now_ms=hub.clock.now_ms,
            place="Lakeside",
        )
        yield HubConsole(application(PEOPLE_ROUTES, Door.LAN, serving))


async def told_on_the_first_page(door: FrontDoor) -> list[str]:
    """Return the sentences that the console's first page gives notice with."""
    async with door.signed_in() as client:
        page = (await client.get("/")).text
    if HEADING not in page:
        return []
    _, _, rest = page.partition(HEADING)
    return re.findall(r"<li>([^<]+)</li>", unescape(rest.partition("</ul>")[0]))


async def test_the_first_page_says_nothing_while_all_of_it_goes_on(tmp_path: Path) -> None:
    async with console(tmp_path, age_days=1) as door:
        assert await told_on_the_first_page(door) == []


async def test_the_first_page_says_what_ends_the_soonest_first_and_what_to_do(
    tmp_path: Path,
) -> None:
    async with console(tmp_path, age_days=25) as door:
        assert await told_on_the_first_page(door) == [
            "The grant of the order key ended 18 days ago: osiris content grant",
            "The word on promoted rules ends in 5 days: osiris content promote --renew",
        ]


async def test_a_hub_of_one_persons_trust_is_told_its_one_command(tmp_path: Path) -> None:
    async with console(tmp_path, age_days=80, trust="development") as door:
        told = await told_on_the_first_page(door)
    assert {one.partition(": ")[2] for one in told} == {"osiris hub init"}
    assert {
        "The grant of the order key ended 73 days ago: osiris hub init",
        "The release ends in 10 days: osiris hub init",
        "The operator's key of dev-1 ends in 10 days: osiris hub init",
    } <= set(told)


async def test_notices_are_for_whoever_signed_in(tmp_path: Path) -> None:
    async with console(tmp_path, age_days=25) as door, door.client() as client:
        answer = await client.get("/")
        assert answer.status_code == 303
        assert "ended" not in answer.text
