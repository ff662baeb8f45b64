"""Operators at their own machines, over a real hub: drafted, read, signed, followed, stopped."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from osiris.desk import draft_cli, places
from osiris.desk.place import Desk
from proto import strict_json
from proto.envelope import Kind, sign
from proto.hub.desk import PATH_ASK, PATH_DRAFT, PATH_OPINION, ListOrders
from proto.keys import SEED_BYTES, SealingKey
from proto.opinions import open_operators_clear
from proto.order import sid_of
from proto.sealed_login import open_box
from proto.secret import Secret
from runtime import keyfile, terminal
from runtime.repository.development import PEOPLE
from tests.e2e.desk_world import PASSPHRASE, Desks, command, desks, now_s
from tests.unit.order_world import key

ADA, BEA, CYD = PEOPLE


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with desks(tmp_path_factory.mktemp("desks")) as made:
        yield made


def where(world: Desks) -> tuple[str, ...]:
    return ("--site", world.box.site, "--appliance", world.box.appliance, "--reason", "a test")


def drafted(world: Desks, person: str, order_type: str, *params: str) -> str:
    """Draft an order and return its name."""
    ran = world.run(person, "draft", order_type, *where(world), *params, "-o", "json")
    assert ran.status == 0, ran.err
    (line,) = ran.json()
    return str(line["sid"])


def stage(world: Desks, sid: str) -> dict[str, object]:
    (line,) = [one for one in world.run(BEA, "list", "-o", "json").json() if one["sid"] == sid]
    return dict(line)


ISOLATE = ("isolate_host", "--target", "t-aaaaaaaaaa", "--action", "isolate", "--minutes", "5")


def test_an_order_that_needs_nobody_is_logged_at_once(world: Desks) -> None:
    before = world.fetch()
    sid = drafted(world, ADA, "run_drift", "--on", "all", "--checks", "all")
    assert world.fetch() == before + 1
    assert stage(world, sid)["leaf"] == before


def test_two_people_read_and_sign_it_and_an_auditor_verifies_it(
    world: Desks, tmp_path: Path
) -> None:
    before = world.fetch()
    sid = drafted(world, ADA, *ISOLATE)
    assert stage(world, sid)["stage"] == "waits_for_people"
    assert world.fetch() == before, "nothing is delivered before people signed"
    first = world.run(ADA, "approve", sid[:12], word="sign")
    assert first.status == 0, first.err
    assert "delivered once 1 more person signs" in first.err
    assert "Cut a target off the network (isolate_host)" in first.out
    assert "you, at this desk" in first.out
    assert world.fetch() == before
    second = world.run(BEA, "approve", sid, word="sign")
    assert second.status == 0, second.err
    assert f"{ADA}, who signed the ask" in second.out
    assert world.fetch() == before + 1
    line = stage(world, sid)
    assert line["approved"] == [ADA, BEA]
    file = tmp_path / "order.json"
    saved = world.run(BEA, "show", sid, "--save", str(file))
    assert saved.status == 0, saved.err
    assert f"leaf {before} of the site's order log" in saved.out
    verified = world.run(CYD, "verify", str(file), "-o", "json")
    assert verified.status == 0, verified.out
    held = {one["what"]: one["held"] for one in verified.json()["checks"]}
    assert held["people"] == held["order log"] == held["grant"] == "passed"
    assert held["receipts"] == "not checked"


def test_nobody_signs_twice_for_two_people(world: Desks) -> None:
    sid = drafted(world, ADA, *ISOLATE)
    assert world.run(ADA, "approve", sid, word="sign").status == 0
    again = world.run(ADA, "approve", sid, word="sign")
    assert again.status == 4
    assert f"you signed it already: another operator must: osiris order approve {sid}" in again.err
    assert stage(world, sid)["approved"] == [ADA]
    assert world.run(BEA, "approve", sid, word="sign").status == 0
    late = world.run(BEA, "approve", sid, word="sign")
    assert late.status == 4
    assert late.err.strip().endswith("you signed it already")


def test_bytes_that_a_hub_changed_after_the_draft_are_never_signed(world: Desks) -> None:
    sid = drafted(world, ADA, *ISOLATE)
    other = replaced(world, sid, b'"minutes":5', b'"minutes":9')
    for person in (ADA, BEA):
        ran = world.run(person, "approve", other, word="sign")
        assert ran.status == 7
        assert "differs in parameters" in ran.err
    assert stage(world, other)["approved"] == []


def replaced(world: Desks, sid: str, old: bytes, new: bytes) -> str:
    """Be a hub that was taken over: change an order's bytes in its store; return their name."""
    with closing(sqlite3.connect(world.hub.config.state_dir / "hub.db", timeout=30)) as store:
        row = store.execute("SELECT body FROM order_drafts WHERE sid = ?", [bytes.fromhex(sid)])
        body = row.fetchone()[0].replace(old, new)
        name = sid_of(body)
        change = "UPDATE order_drafts SET body = ?, sid = ? WHERE sid = ?"
        store.execute(change, [body, name, bytes.fromhex(sid)])
        store.commit()
    return name.hex()


def test_nothing_is_signed_unless_the_word_is_typed(world: Desks) -> None:
    sid = drafted(world, ADA, *ISOLATE)
    ran = world.run(ADA, "approve", sid, word="yes")
    assert ran.status == 4
    assert stage(world, sid)["approved"] == []


def test_a_batch_is_shown_once_and_each_of_its_orders_is_signed(world: Desks) -> None:
    other = world.another_site()
    asked = ("draft", "waive", "--site", world.box.site, "--site", other, "--reason", "a test")
    ran = world.run(
        ADA,
        *asked,
        "--check",
        "lin.ssh.root_login",
        "--on",
        "all",
        "--until",
        "+30d",
        "-o",
        "json",
    )
    assert ran.status == 0, ran.err
    lines = ran.json()
    assert {line["site"] for line in lines} == {world.box.site, other}
    signed = world.run(BEA, "approve", lines[0]["batch"], word="sign")
    assert signed.status == 0, signed.err
    assert signed.out.count("Waive a check until a date") == 1
    assert all(line["sid"] in signed.out.replace(" ", "").replace("\n", "") for line in lines)
    assert [stage(world, line["sid"])["approved"] for line in lines] == [[BEA], [BEA]]


WAIVE = ("waive", "--reason", "a test", "--check", "lin.ssh.root_login", "--on", "all")
UNTIL = ("--until", "+30d")


def sites_file(folder: Path, *sites: str) -> tuple[str, str]:
    """Write a list of sites; return the option that names it."""
    file = folder / "sites.txt"
    file.write_text("\n".join(["# two clinics", *sites]))
    return "--sites", str(file)


def test_more_sites_than_one_ask_names_are_drafted_signed_and_followed_together(
    world: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "TARGETS_MAX", 1)
    sites = (world.box.site, world.another_site())
    ran = world.run(ADA, "draft", *WAIVE, *UNTIL, *sites_file(tmp_path, *sites), "-o", "json")
    assert ran.status == 0, ran.err
    batches = [line["batch"] for line in ran.json()]
    assert [line["site"] for line in ran.json()] == list(sites)
    assert len(set(batches)) == 2
    assert f"osiris order approve {' '.join(batches)}" in ran.err
    signed = world.run(BEA, "approve", *batches, word="sign")
    assert signed.status == 0, signed.err
    assert all(site in signed.words for site in sites)
    assert "2 orders" in signed.out
    followed = world.run(BEA, "list", "--batch", batches[0], "--batch", batches[1])
    assert followed.status == 0, followed.err
    assert "2 orders: 2 logged, not fetched yet" in followed.err


def test_batches_that_do_not_say_the_same_are_not_signed_together(world: Desks) -> None:
    other = world.another_site()
    asked = ("--site", world.box.site, "--site", other)
    drafted = [world.run(ADA, "draft", *WAIVE, *UNTIL, *asked, "-o", "json") for _ in range(2)]
    batches = [ran.json()[0]["batch"] for ran in drafted]
    ran = world.run(BEA, "approve", *batches, word="sign")
    assert ran.status == 4
    assert "do not say the same" in ran.err
    assert all(one["approved"] == [] for one in world.run(BEA, "list", "-o", "json").json()[:4])


def test_what_was_drafted_before_the_hub_refused_the_rest_is_told(
    world: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "TARGETS_MAX", 1)
    sites = (world.box.site, "s-zzzzzzzzzz")
    ran = world.run(ADA, "draft", *WAIVE, *UNTIL, *sites_file(tmp_path, *sites), "-o", "json")
    assert ran.status != 0
    (line,) = ran.json()
    assert line["site"] == world.box.site
    assert "for none from s-zzzzzzzzzz on" in ran.err


def test_a_hub_that_goes_away_between_two_asks_leaves_open_what_became_of_the_second(
    world: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "TARGETS_MAX", 1)
    sites = (world.box.site, world.another_site())
    honest = terminal.note

    def gone(line: str) -> None:
        honest(line)
        if line == "1 of 2 drafted":
            world.hub.kill()

    monkeypatch.setattr(draft_cli, "note", gone)
    try:
        ran = world.run(ADA, "draft", *WAIVE, *UNTIL, *sites_file(tmp_path, *sites), "-o", "json")
    finally:
        world.hub.start()
    assert ran.status == 5
    assert [line["site"] for line in ran.json()] == [world.box.site]
    assert f"not known whether any was drafted from {sites[1]} on" in ran.err
    assert "for none" not in ran.err


def test_a_list_with_a_wrong_line_drafts_nothing(world: Desks, tmp_path: Path) -> None:
    before = len(world.run(BEA, "list", "-o", "json").json())
    listed = sites_file(tmp_path, world.box.site, "s-WRONG")
    ran = world.run(ADA, "draft", *WAIVE, *UNTIL, *listed)
    assert ran.status != 0
    assert "line 3" in ran.err
    assert len(world.run(BEA, "list", "-o", "json").json()) == before


def test_a_draft_without_a_place_asks_where_to(world: Desks) -> None:
    ran = world.run(ADA, "draft", *WAIVE, *UNTIL)
    assert ran.status == 2
    assert "where to?" in ran.err


def test_a_draft_is_withdrawn_and_a_logged_order_is_cancelled_by_an_order(world: Desks) -> None:
    sid = drafted(world, ADA, *ISOLATE)
    assert world.run(BEA, "cancel", sid, "--reason", "a mistake").status == 0
    assert stage(world, sid)["stage"] == "withdrawn"
    assert world.run(ADA, "approve", sid, word="sign").status == 4
    logged = drafted(world, ADA, "force_checkin")
    before = world.fetch()
    ran = world.run(BEA, "cancel", logged, "--reason", "not needed", "-o", "json")
    assert ran.status == 0, ran.err
    assert ran.json()[0]["type"] == "cancel"
    assert world.fetch() == before + 1


def test_any_operators_veto_reaches_the_appliance_with_their_own_signature(world: Desks) -> None:
    sid = drafted(world, ADA, "restart_agent", "--drain-s", "60")
    ran = world.run(CYD, "veto", sid, "--reason", "not now")
    assert ran.status == 0, ran.err
    assert "It counts once the appliance has heard it" in ran.err
    world.fetch()
    assert any(sid in _body(one) for one in world.opinions)
    assert stage(world, sid)["vetoed"] == [CYD]


def test_nobody_is_told_that_they_vetoed_what_no_veto_stops(world: Desks) -> None:
    sid = drafted(world, ADA, "force_checkin")
    ran = world.run(CYD, "veto", sid, "--reason", "not now")
    assert ran.status == 4
    assert f"no veto stops it: osiris order cancel {sid}" in ran.err
    assert stage(world, sid)["vetoed"] == []


def clears(world: Desks) -> list[str]:
    """Return the ends of holds that the appliance was last told of."""
    return [one for one in world.opinions if '"type":"clear"' in _body(one)]


def test_two_operators_end_a_hold_each_at_their_own_desk(world: Desks) -> None:
    """The second signs the very bytes that the first signed, and the appliance gets both."""
    box, since = world.box.appliance, now_s() - 120
    assert world.run(ADA, "holds", "-o", "json").json() == []
    assert world.run(ADA, "clear", box, word="clear").status == 4, "there is no hold"
    world.fetch(held=since)
    (row,) = world.run(CYD, "holds", "-o", "json").json()
    assert (row["appliance"], row["since"], row["half"]) == (box, since, None)
    assert world.run(ADA, "clear", box, word="no").status == 4
    ran = world.run(ADA, "clear", box, word="clear")
    assert ran.status == 0, ran.err
    assert "nobody yet: you are the first" in ran.words
    world.fetch(held=since)
    assert clears(world) == [], "one is not enough, and the appliance is not told"
    again = world.run(ADA, "clear", box, word="clear")
    assert (again.status, "another operator must" in again.err) == (4, True)
    ran = world.run(BEA, "clear", box, word="clear")
    assert ran.status == 0, ran.err
    assert f"{ADA}, who signed these bytes" in ran.words
    world.fetch(held=since)
    (told,) = clears(world)
    assert f'"since":{since}' in _body(told)
    authority = Desk(world.folder / CYD).authority()
    assert authority is not None
    said = open_operators_clear(told.encode(), authority=authority, now_s=now_s())
    assert (said.by, said.appliance) == (ADA, box)
    world.fetch(held=None)
    assert world.run(CYD, "holds", "-o", "json").json() == []


def test_the_end_of_an_earlier_hold_is_not_cosigned_for_a_later_one(world: Desks) -> None:
    box, since = world.box.appliance, now_s() - 600
    world.fetch(held=since)
    assert world.run(ADA, "clear", box, word="clear").status == 0
    world.fetch(held=since + 300)
    ran = world.run(BEA, "clear", box, word="clear")
    assert ran.status == 0, ran.err
    assert "nobody yet: you are the first" in ran.words
    world.fetch(held=None)


def test_the_end_of_a_hold_that_has_not_begun_is_called_wrong_and_not_signed(world: Desks) -> None:
    """A hub that was taken names a hold to come: its end would be there before it begins."""
    box, since = world.box.appliance, now_s() + 9000
    world.fetch(held=since)
    (before,) = world.run(ADA, "holds", "-o", "json").json()
    listed = world.run(ADA, "holds")
    assert (listed.status, "wrong," in listed.out) == (0, True)
    ran = world.run(ADA, "clear", box, word="clear")
    assert (ran.status, "yet to come" in ran.err) == (4, True)
    (after,) = world.run(ADA, "holds", "-o", "json").json()
    assert (after["since"], after["half"]) == (since, before["half"]), "nothing was signed"
    world.fetch(held=None)


def test_a_veto_goes_where_the_order_goes_whatever_the_hub_says(world: Desks) -> None:
    """A hub that was taken over moves the order to another site, where a veto stops nothing."""
    other = world.another_site()
    sid = drafted(world, ADA, *ISOLATE)
    with closing(sqlite3.connect(world.hub.config.state_dir / "hub.db", timeout=30)) as store:
        change = "UPDATE order_drafts SET site_id = ? WHERE sid = ?"
        store.execute(change, [other, bytes.fromhex(sid)])
        store.commit()
    assert stage(world, sid)["site"] == other
    ran = world.run(CYD, "veto", sid, "--reason", "not now")
    assert (ran.status, stage(world, sid)["vetoed"]) == (4, []), "the hub took it as the other's"


def _body(envelope: str) -> str:
    return strict_json.b64_decode(json.loads(envelope)["payload"], "payload").decode()


def post(world: Desks, path: str, body: bytes) -> httpx.Response:
    with world.hub.client() as client:
        return client.post(path, content=body)


def asking(world: Desks, nonce: str, **changes: object) -> bytes:
    file = keyfile.read(world.folder / ADA / "operator.key")
    value = {"v": 1, "do": "list", "site": None, "limit": 5, "by": ADA, "iat": now_s()}
    body = strict_json.dumps({**value, "nonce": nonce, **changes})
    return sign(Kind.ASK, body, file.open(Secret(PASSPHRASE)))


def test_the_same_ask_is_not_answered_twice(world: Desks) -> None:
    ask = asking(world, "a" * 32)
    assert post(world, PATH_ASK, ask).status_code == 200
    again = post(world, PATH_ASK, ask)
    assert (again.status_code, again.json()["code"]) == (403, "ask_replay")


@pytest.mark.parametrize("path", [PATH_ASK, PATH_DRAFT, PATH_OPINION])
def test_whom_authority_does_not_list_is_not_heard(world: Desks, path: str) -> None:
    ask = ListOrders(site=None, limit=5, by=ADA, iat=now_s(), nonce="b" * 32)
    kind = Kind.VETO if path == PATH_OPINION else Kind.ASK
    answer = post(world, path, sign(kind, ask.to_bytes(), key("mallory")))
    assert (answer.status_code, answer.json()["code"]) == (403, "signature_threshold")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"by": BEA}, "ask_signer"),
        ({"iat": 1}, "ask_time"),
        ({"do": "shell"}, "malformed"),
        ({"limit": 10_000}, "malformed"),
        ({"more": 1}, "malformed"),
    ],
)
def test_an_ask_that_is_not_theirs_now_or_known_is_refused(
    world: Desks, changes: dict[str, object], code: str
) -> None:
    answer = post(world, PATH_ASK, asking(world, "c" * 32, **changes))
    assert answer.json()["code"] == code


def test_a_wrong_passphrase_reaches_nobody(world: Desks) -> None:
    file = world.folder / ADA / "operator.key"
    with pytest.raises(keyfile.PassphraseError):
        keyfile.read(file).open(Secret("another passphrase"))


def test_one_command_makes_a_desk_of_a_development_trust(tmp_path: Path, world: Desks) -> None:
    """What it takes is the trust that the hub serves, checked from its first root on."""
    desk, state = ("--desk", str(tmp_path / "desk")), str(world.hub.config.state_dir)
    made = command(["order", "desk", "--hub", world.hub.origin, "--development", state, *desk])
    assert made.status == 0, made.err
    ran = command(["order", "draft", "force_checkin", *where(world), "-o", "json", *desk])
    assert ran.status == 0, ran.err
    assert stage(world, ran.json()[0]["sid"])["by"] == ADA
    ours = ("--desk", str(world.folder / BEA))
    taken = command(["order", "desk", "--hub", world.hub.origin, "--development", state, *ours])
    assert (taken.status, "somebody's key lies there already" in taken.err) == (4, True)
    other = ("--development", str(tmp_path), "--hub", world.hub.origin, *desk)
    assert command(["order", "desk", *other]).status == 3


def test_a_hub_that_is_away_is_said_so(tmp_path: Path, world: Desks) -> None:
    place = tmp_path / ADA
    place.mkdir(mode=0o700)
    for one in (world.folder / ADA).iterdir():
        if one.is_file():
            (place / one.name).write_bytes(one.read_bytes())
            (place / one.name).chmod(0o600)
    (place / "desk.toml").write_text('hub = "https://127.0.0.1:1"\n')
    away = Desks(world.hub, tmp_path, world.box, world.mirror)
    ran = away.run(ADA, "list")
    assert ran.status == 5


BOX_KEY = SealingKey(bytes(SEED_BYTES))
NEW_LOGIN = ("--target", "t-aaaaaaaaaa", "--user", "keeper", "--sealing-key", BOX_KEY.public.b64())


def boxes(world: Desks) -> list[bytes]:
    with closing(sqlite3.connect(world.hub.config.state_dir / "hub.db")) as conn:
        return [bytes(row[0]) for row in conn.execute("SELECT box FROM order_boxes")]


def test_a_login_is_sealed_here_and_the_hub_carries_what_it_cannot_open(world: Desks) -> None:
    ran = world.run(
        ADA, "login", *NEW_LOGIN, *where(world), "-o", "json", word="same\nnew Tr0ub4dor"
    )
    assert ran.status == 0, ran.err
    assert BOX_KEY.public.fingerprint() in ran.err
    (line,) = ran.json()
    assert (line["type"], line["stage"]) == ("update_credentials", "waits_for_people")
    (box,) = boxes(world)
    found = open_box(box, BOX_KEY)
    assert (found.user, found.sudo, found.target) == ("keeper", "nopasswd", "t-aaaaaaaaaa")
    assert found.password == Secret("new Tr0ub4dor")
    for path in world.hub.config.state_dir.rglob("*"):
        assert not path.is_file() or b"new Tr0ub4dor" not in path.read_bytes(), path
    before = world.fetch()
    assert world.run(BEA, "approve", line["sid"], word="sign").status == 0
    assert world.fetch() == before + 1


def test_a_login_is_not_sealed_to_a_key_that_nobody_compared(world: Desks) -> None:
    before = boxes(world)
    ran = world.run(ADA, "login", *NEW_LOGIN, *where(world), word="yes")
    assert ran.status != 0
    assert "nothing was sealed" in ran.err
    assert boxes(world) == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--sealing-key", "AAAA"), "--sealing-key"),
        (("--target", "everything"), "target"),
        (("--user", "a;id"), "login.user"),
        (("--sudo", "always"), "login.sudo"),
        (("--key", "/etc/hostname"), "no private key"),
    ],
)
def test_a_login_that_was_typed_wrong_leaves_nothing_at_the_hub(
    world: Desks, changed: tuple[str, str], said: str
) -> None:
    before = boxes(world)
    ran = world.run(ADA, "login", *NEW_LOGIN, *where(world), *changed, word="same\nsecret")
    assert ran.status == 2, ran.out
    assert said in ran.err
    assert boxes(world) == before
