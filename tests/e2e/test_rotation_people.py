"""Root, release and operators' keys go over to others while an order waits; nobody is stranded."""

from collections.abc import Iterable
from pathlib import Path

from proto.keys import SEED_BYTES, SigningKey
from proto.keysets import Role
from runtime.clock import system_entropy
from runtime.repository import development
from runtime.repository.documents import add_signatures
from runtime.repository.hub_keys import HubKeys
from runtime.repository.layout import Place
from tests.e2e.rotating import CONTENT, HOUR_S, Rotation, rotating


class People:
    """Everybody of a development trust, before and after they made other keys for some roles."""

    def __init__(self, running: Rotation, *changed: Role) -> None:
        """Read the keys of before, and make the others."""
        self.running = running
        repository = running.repository
        self.incoming = Place(repository.incoming, beneath=repository.place)
        self.hub = HubKeys.from_bytes(repository.hub_keys.read_bytes().strip())
        self.former = development.keep_people(
            repository.people, now_s=running.now_s, entropy=system_entropy
        )
        self.keys = {
            (role, name): SigningKey(system_entropy(SEED_BYTES)) if role in changed else key
            for (role, name), key in self.former.items()
        }

    def signers(self, role: Role) -> Iterable[SigningKey]:
        """Return the former keys of the two who sign."""
        return [self.former[role, name] for name in development.PEOPLE[: development.SIGNERS]]

    def publish(self, *, with_root: bool, by_former: bool = True) -> None:
        """Publish what follows; the former root and release people sign it too, or do not."""
        now_s = self.running.now_s
        if with_root:
            version = self.incoming.newest(Role.ROOT) + 1
            development.publish_root(
                self.incoming, self.keys, self.hub, version=version, now_s=now_s
            )
            self._sign_too(Role.ROOT, version, by_former=by_former)
        version = self.incoming.newest(Role.RELEASE) + 1
        development.publish_release(
            self.incoming, self.keys, self.hub, CONTENT, version=version, now_s=now_s
        )
        self._sign_too(Role.RELEASE, version, by_former=by_former)
        version = self.incoming.newest(Role.GRANTS) + 1
        development.publish_grants(self.incoming, self.keys, self.hub, version=version, now_s=now_s)

    def _sign_too(self, role: Role, version: int, *, by_former: bool) -> None:
        if not by_former:
            return
        document = add_signatures(self.incoming.read(role, version), self.signers(role))
        self.incoming.metadata(role, version).unlink()
        self.incoming.write(role, version, document)


async def goes_on(running: Rotation, people: People, *, with_root: bool) -> None:
    """Let people publish while an order waits and another is under way; both run, and a third."""
    later_s = running.now_s + HOUR_S
    waiting = await running.order(not_before_s=later_s, life_s=4 * HOUR_S)
    under_way = await running.order()
    await running.hear()
    people.publish(with_root=with_root)
    await running.take_in()
    before = running.versions()
    assert await running.turn() == {waiting.hex(): "not_before"}
    assert all(new > old for new, old in zip(running.versions()[1:], before[1:], strict=True))
    running.pass_time(2 * HOUR_S)
    last = await running.order()
    assert await running.turn() == {}
    assert [running.ran(sid) for sid in (waiting, under_way, last)] == [1, 1, 1]


async def test_root_and_release_people_change_and_the_appliance_follows(tmp_path: Path) -> None:
    async with rotating(tmp_path) as running:
        people = People(running, Role.ROOT, Role.RELEASE)
        await goes_on(running, people, with_root=True)
        assert running.versions()[0] == 2


async def test_operators_change_and_what_they_granted_goes_on(tmp_path: Path) -> None:
    async with rotating(tmp_path) as running:
        await goes_on(running, People(running, Role.OPERATOR), with_root=False)


async def test_a_root_that_the_former_people_did_not_sign_changes_nothing(tmp_path: Path) -> None:
    async with rotating(tmp_path) as running:
        people = People(running, Role.ROOT)
        people.publish(with_root=True, by_former=False)
        assert "root: signed by 0 people" in await running.job.look()
        sid = await running.order()
        assert await running.turn() == {}
        assert (running.ran(sid), running.versions()[0]) == (1, 1)
