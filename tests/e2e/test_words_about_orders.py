"""Words about orders between real desks, a real hub and a real appliance with its portal.

A person on the LAN vetoes and consents on the portal; two operators end a hold, each at a desk of
their own.
"""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest

from appliance import config as appliance_config
from central import config as hub_config
from osiris.desk.place import Desk
from proto.opinions import open_operators_clear
from runtime.repository.development import PEOPLE
from tests.e2e.daemons import until
from tests.e2e.desk_world import Ran, command, now_s
from tests.e2e.front_door import PASSWORD
from tests.e2e.order_way import form_token
from tests.e2e.pair import Pair, pair

ADA, BEA, _ = PEOPLE
SINCE = 1_700_000_000
ACCOUNT = "frontdesk"
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

    def line(self, sid: str) -> dict[str, Any]:
        """Return where an order stands, as an operator is told."""
        ran = self.order(ADA, "list", "-o", "json")
        assert ran.status == 0, ran.err
        (line,) = [one for one in ran.json() if one["sid"] == sid]
        return dict(line)

    def waiting(self, *, check: str) -> tuple[str, int]:
        """Have two people order what waits for the site; return its name and its leaf."""
        site = self.two.status()["site"]
        what = ("disable_healing", "--check", check, "--until", "+7d")
        ran = self.order(ADA, "draft", *what, "--site", site, "--reason", "a test", "-o", "json")
        assert ran.status == 0, ran.err
        sid = str(ran.json()[0]["sid"])
        for person in (ADA, BEA):
            ran = self.order(person, "approve", sid, word="sign")
            assert ran.status == 0, ran.err
        until(
            lambda: self.line(sid)["stage"] == "waiting",
            "it waits at the appliance",
            within_s=WITHIN_S,
            pause_s=PAUSE_S,
        )
        return sid, int(self.line(sid)["leaf"])

    @contextmanager
    def portal(self) -> Iterator[httpx.Client]:
        """Give a browser's way to the portal, signed in."""
        config = appliance_config.read(self.two.appliance.config).file
        authority = self.two.directory / "appliance" / "tls" / "ca.pem"
        tls = ssl.create_default_context(cafile=str(authority))
        where = f"https://127.0.0.1:{config.portal.port}"
        with httpx.Client(base_url=where, verify=tls, timeout=60, trust_env=False) as client:
            answer = client.post("/sign-in", data={"name": ACCOUNT, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield client

    def said(self, sid: str) -> list[str]:
        """Return what an operator reads that people said on the LAN."""
        ran = self.order(BEA, "show", sid)
        assert ran.status == 0, ran.err
        return [line for line in ran.out.splitlines() if line.startswith("On the LAN")]

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


def test_operators_read_who_vetoed_and_who_consented_on_the_portal(desks: Desks) -> None:
    desks.two.appliance.ask("POST", "/api/accounts", {"name": ACCOUNT, "password": PASSWORD})
    box = desks.two.status()["appliance"]
    stopped, at = desks.waiting(check="lin.ssh.root_login")
    started, here = desks.waiting(check="lin.ssh.empty_passwords")
    with desks.portal() as browser:
        form = {"csrf": form_token(browser.get(f"/orders/{at}").text), "password": PASSWORD}
        veto = browser.post(f"/orders/{at}/veto", data={**form, "reason": "Dr Okafor operates"})
        consent = browser.post(f"/orders/{here}/consent", data=form)
        assert (veto.status_code, consent.status_code) == (303, 303)
    for sid, word in ((stopped, "vetoed"), (started, "consent given")):
        until(lambda sid=sid: bool(desks.said(sid)), word, within_s=WITHIN_S, pause_s=PAUSE_S)  # type: ignore[misc]
    (account,) = desks.two.rows("SELECT code FROM accounts")
    for sid, word in ((stopped, "vetoed"), (started, "consent given")):
        (said,) = desks.said(sid)
        assert f"{word} on the LAN of {box}" in " ".join(said.split())
    until(
        lambda: desks.line(stopped)["stage"] == "vetoed",
        "the hub has the receipt of what was vetoed",
        within_s=WITHIN_S,
        pause_s=PAUSE_S,
    )
    rows = desks.two.hub_rows("SELECT actor, statement FROM order_words")
    assert {row["actor"] for row in rows} == {account["code"]}
    everything = [row["statement"] for row in rows]
    everything += [row["envelope"] for row in desks.two.hub_rows("SELECT envelope FROM leaves")]
    assert all(b"Okafor" not in one and b"T2thZm9y" not in one for one in everything)


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
        query = "SELECT by_whom, since_s, statement FROM order_words WHERE what = 'clear'"
        return desks.two.hub_rows(query)

    until(lambda: bool(words()), "its evidence arrived", within_s=WITHIN_S, pause_s=PAUSE_S)
    (word,) = words()
    assert (word["by_whom"], word["since_s"]) == ("operators", SINCE)
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
