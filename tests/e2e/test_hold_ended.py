"""Two operators end the hold of a real appliance, over a real hub, each at a desk of their own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from central import config as hub_config
from osiris.desk.place import Desk
from proto.opinions import open_operators_clear
from runtime.repository.development import PEOPLE
from tests.e2e.daemons import until
from tests.e2e.desk_world import Ran, command, now_s
from tests.e2e.pair import Pair, pair

ADA, BEA, _ = PEOPLE
SINCE = 1_700_000_000
WITHIN_S = 240.0
PAUSE_S = 0.7
"""An operator may ask their hub 120 times within a minute."""


class Desks:
    """A hub and an appliance that takes orders, and two operators' desks."""

    def __init__(self, two: Pair) -> None:
        """Start the appliance, and set up the desks."""
        self.two = two
        two.appliance.start()
        ask = two.appliance.ask
        until(lambda: bool(ask("GET", "/api/content").get("orders")), "content is in force")
        port = hub_config.read(two.hub.config).file.listen.port
        hub = ("--hub", f"https://127.0.0.1:{port}", "--development", str(two.directory / "hub"))
        for person in (ADA, BEA):
            ran = self.order(person, "desk", *hub, "--person", person)
            assert ran.status == 0, ran.err

    def order(self, person: str, *arguments: str, word: str = "") -> Ran:
        """Give a command at a person's desk, who then types a word."""
        desk = self.two.directory / person
        return command(["order", *arguments, "--desk", str(desk)], f"{word}\n")

    def hold(self, since: int) -> None:
        """Leave the appliance in a hold, as three forged orders do, while it is stopped."""
        self.two.appliance.stop()
        store = self.two.directory / "appliance" / "osiris.db"
        with closing(sqlite3.connect(store, timeout=30)) as held, held:
            held.execute("UPDATE order_state SET held_since_s = ?", (since,))
        self.two.appliance.start()
        until(
            lambda: self.told() == since,
            "the hub heard of the hold",
            within_s=WITHIN_S,
            pause_s=PAUSE_S,
        )

    def told(self) -> int | None:
        """Return since when the appliance holds orders back, as the hub passes it on."""
        ran = self.order(ADA, "holds", "-o", "json")
        assert ran.status == 0, ran.err
        return next((int(row["since"]) for row in ran.json()), None)

    def asked_ms(self) -> int:
        """Return when the appliance last asked for orders, and so was told of every opinion."""
        (row,) = self.two.hub_rows("SELECT at_ms FROM order_fetches")
        return int(row["at_ms"])

    def held(self) -> int | None:
        """Return since when it does, as it has it itself."""
        (row,) = self.two.rows("SELECT held_since_s FROM order_state")
        since = row["held_since_s"]
        return None if since is None else int(since)


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with pair(tmp_path_factory.mktemp("hold")) as two:
        yield Desks(two)


def test_a_hold_ends_when_the_second_operator_signed_and_no_later_one_ends_by_it(
    desks: Desks,
) -> None:
    box = desks.two.status()["appliance"]
    desks.hold(SINCE)
    first = desks.order(ADA, "clear", box, word="clear")
    assert first.status == 0, first.err
    assert desks.held() == SINCE, "one operator ends nothing"
    second = desks.order(BEA, "clear", box, word="clear")
    assert second.status == 0, second.err
    until(lambda: desks.held() is None, "the hold is over", within_s=WITHIN_S, pause_s=PAUSE_S)
    until(
        lambda: desks.told() is None, "the hub heard that it is", within_s=WITHIN_S, pause_s=PAUSE_S
    )

    def words() -> list[dict[str, object]]:
        return desks.two.hub_rows("SELECT what, by_whom, since_s, statement FROM order_words")

    until(lambda: bool(words()), "its evidence arrived", within_s=WITHIN_S, pause_s=PAUSE_S)
    (word,) = words()
    assert (word["what"], word["by_whom"], word["since_s"]) == ("clear", "operators", SINCE)
    authority = Desk(desks.two.directory / BEA).authority()
    assert authority is not None
    statement = word["statement"]
    assert isinstance(statement, bytes)
    said = open_operators_clear(statement, authority=authority, now_s=now_s())
    assert (said.by, said.appliance, said.since) == (ADA, box, SINCE)
    # The hub goes on passing the statement on; a hold that began later stays.
    desks.hold(SINCE + 1)
    asked_ms = desks.asked_ms()
    until(
        lambda: desks.asked_ms() > asked_ms,
        "it asked once more",
        within_s=WITHIN_S,
        pause_s=PAUSE_S,
    )
    assert desks.held() == SINCE + 1
