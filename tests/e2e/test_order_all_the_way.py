"""Orders from people's own machines to a real host and back, through every real process.

One clinic is set up for all of these; each test asks for orders of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clinic_scene import lamp_log, lit
from tests.e2e.daemons import until
from tests.e2e.front_door import PASSWORD
from tests.e2e.order_people import ADA, BEA, CYD
from tests.e2e.order_way import FIRST, LONG, LOOKED, SLOW, Way, form_token, order_way, saved

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    with order_way(tmp_path_factory.mktemp("way")) as made:
        yield made


def test_a_look_needs_nobody_and_its_whole_life_is_told_and_proved(
    way: Way, tmp_path: Path
) -> None:
    sid = way.people.drafted(ADA, "diagnostic", *way.here, "--look", "disk")
    way.until_stage(sid, "done")
    assert way.receipts(sid) == [("intent", None), ("result", "done")]
    shown = way.people.order(BEA, "show", sid).words
    for words in ("Asked by ada", "leaf 0 of the site's order log", f"At {way.box} done"):
        assert words in shown
    key = way.clinic.appliance.ask("GET", "/api/status")["public_key"]
    file = saved(way, sid, tmp_path)
    verified = way.people.order(CYD, "verify", str(file), "--appliance-key", f"{way.box}={key}")
    assert verified.status == 0
    assert f"life at {way.box} passed: {way.box}: done" in verified.words
    assert "Verified. Nothing failed." in verified.words


def test_a_host_is_looked_at_again_at_once(way: Way) -> None:
    way.host.sh(f'echo \'{{"value":"lit"}}\' >/var/lib/lamps/{LOOKED.name}.says')
    words = ("run_drift", *way.here, "--on", way.target, "--checks", LOOKED.check)
    way.until_stage(way.people.drafted(ADA, *words), "done")
    assert way.incident(LOOKED)["state"] == "closed"
    way.host.sh(f"rm /var/lib/lamps/{LOOKED.name}.says")


def test_an_open_incident_is_healed_by_an_order_and_evidence_names_it(way: Way) -> None:
    name = way.incident(SLOW)["id"]
    sid = way.people.drafted(ADA, *way.heals(SLOW))
    way.until_stage(sid, "executing")
    way.until_stage(sid, "done")
    assert SLOW.name in lit(way.host)
    assert way.incident(SLOW)["state"] in {"healed", "closed"}
    way.clinic.assert_evidence_arrived()
    assert way.causes(name) == [{"order": sid}]
    told = way.clinic.hub.ask("GET", f"/local/sites/{way.site}/incidents/{name}")
    assert f"order:{sid[:16]}" in str(told)


def waived(way: Way, check: str) -> tuple[str, ...]:
    return ("waive", *way.here, "--check", check, "--on", way.target, "--until", "+7d")


def test_a_change_by_one_person_waits_for_its_ring_and_any_operator_may_veto(way: Way) -> None:
    sid = way.people.drafted(ADA, *waived(way, FIRST.check))
    assert way.people.line(sid)["stage"] == "waits_for_people"
    read = way.people.approve(sid, BEA).words
    assert "Waive a check until a date (waive)" in read
    assert "ada, who signed the ask: it says what they asked for" in read
    assert way.until_stage(sid, "waiting")["code"] == "ring_wait"
    assert way.people.order(CYD, "veto", sid, "--reason", "not this week").status == 0
    way.until_stage(sid, "vetoed")
    assert way.receipts(sid) == [("vetoed", "vetoed")]
    assert "Vetoed by cyd" in way.people.order(ADA, "show", sid).words
    assert way.in_force("waiver") == {}


def test_a_change_that_waits_is_cancelled_by_whoever_comes_first(way: Way) -> None:
    sid = way.people.drafted(ADA, *waived(way, FIRST.check))
    way.people.approve(sid, BEA)
    way.until_stage(sid, "waiting")
    ran = way.people.order(CYD, "cancel", sid, "--reason", "a mistake", "-o", "json")
    assert ran.status == 0, ran.err
    way.until_stage(ran.json()[0]["sid"], "done")
    assert way.until_stage(sid, "refused")["code"] == "cancelled"


def test_a_change_by_two_people_at_once_does_not_wait(way: Way) -> None:
    sid = way.people.drafted(ADA, *waived(way, FIRST.check), "--people", "2")
    way.people.approve(sid, ADA)
    assert way.people.line(sid)["approved"] == [ADA]
    way.people.approve(sid, BEA)
    way.until_stage(sid, "done")
    assert way.in_force("waiver") == {sid: FIRST.check}


def test_a_dangerous_order_runs_once_the_site_consents_on_its_portal(way: Way) -> None:
    words = ("disable_healing", *way.here, "--check", FIRST.check, "--until", "+7d")
    sid = way.people.drafted(ADA, *words)
    way.people.approve(sid, ADA, BEA)
    line = way.until_stage(sid, "waiting")
    assert line["code"] == "time_lock"
    with way.portal() as browser:
        page = browser.get(f"/orders/{line['leaf']}").text
        form = {"csrf": form_token(page), "password": "not the password"}
        assert browser.post(f"/orders/{line['leaf']}/consent", data=form).status_code == 400
        form["password"] = PASSWORD
        assert browser.post(f"/orders/{line['leaf']}/consent", data=form).status_code == 303
        way.until_stage(sid, "done")
        assert "let it run without waiting" in browser.get(f"/orders/{line['leaf']}").text
    assert way.receipts(sid) == [("intent", None), ("result", "done")]


def test_an_order_that_waits_while_the_appliances_keys_are_renewed_is_let_run_and_proved(
    way: Way, tmp_path: Path
) -> None:
    """The site consents with the next key; the file is verified with the key of before."""
    box = way.clinic.appliance
    former = box.ask("GET", "/api/status")["public_key"]
    words = ("disable_healing", *way.here, "--check", LOOKED.check, "--until", "+7d")
    sid = way.people.drafted(ADA, *words)
    way.people.approve(sid, ADA, BEA)
    line = way.until_stage(sid, "waiting")
    box.ask("POST", "/api/keys/renew", {})
    until(lambda: bool(box.ask("GET", "/api/keys")["is_heard"]), "the hub took the renewal")
    assert box.ask("GET", "/api/status")["public_key"] != former
    with way.portal() as browser:
        page = browser.get(f"/orders/{line['leaf']}").text
        form = {"csrf": form_token(page), "password": PASSWORD}
        assert browser.post(f"/orders/{line['leaf']}/consent", data=form).status_code == 303
        way.until_stage(sid, "done")
    assert way.receipts(sid) == [("intent", None), ("result", "done")]
    given = f"{way.box}={former}"
    verified = way.people.order(
        CYD, "verify", str(saved(way, sid, tmp_path)), "--appliance-key", given
    )
    assert verified.status == 0
    assert f"life at {way.box} passed: {way.box}: done" in verified.words
    way.clinic.assert_evidence_arrived()
    rows = way.clinic.hub_rows("SELECT what FROM order_words WHERE sid = ?", bytes.fromhex(sid))
    assert [row["what"] for row in rows] == ["consent"], "the next key bears the word out"


def test_what_an_appliance_cannot_do_is_refused_with_a_code_that_everybody_sees(way: Way) -> None:
    words = ("isolate_host", *way.here, "--target", way.target, "--action", "isolate")
    sid = way.people.drafted(ADA, *words, "--minutes", "5")
    way.people.approve(sid, ADA, BEA)
    assert way.until_stage(sid, "refused")["code"] == "not_on_this_appliance"
    assert "not_on_this_appliance" in way.people.order(CYD, "show", sid).words
    with way.console() as browser:
        draft = way.people.line(sid)["draft"]
        page = browser.get(f"/sites/{way.site}/orders/{draft}")
        assert page.status_code == 200
        assert "not_on_this_appliance" in page.text


def test_a_hub_killed_between_any_two_steps_logs_it_once_and_it_runs_once(way: Way) -> None:
    hub = way.clinic.hub
    sid = way.people.drafted(ADA, *waived(way, SLOW.check), "--people", "2")
    hub.kill()
    hub.start()
    way.people.approve(sid, ADA)
    hub.kill()
    hub.start()
    way.people.approve(sid, BEA)
    hub.kill()
    hub.start()
    way.until_stage(sid, "done")
    assert way.receipts(sid) == [("intent", None), ("result", "done")]
    leaves = way.clinic.hub_rows("SELECT leaf FROM order_leaves WHERE sid = ?", bytes.fromhex(sid))
    assert len(leaves) == 1
    assert way.in_force("waiver")[sid] == SLOW.check


def test_an_appliance_killed_in_the_middle_says_unknown_and_never_runs_it_again(way: Way) -> None:
    box = way.clinic.appliance
    sid = way.people.drafted(ADA, *way.heals(LONG))
    until(lambda: ("begin", "0") in way.ran(LONG), "the repair has begun")
    box.kill()
    box.start()
    way.until_stage(sid, "unknown")
    assert way.receipts(sid) == [("intent", None), ("result", "unknown")]
    runs = {token for _, name, _, token in lamp_log(way.host) if name == LONG.name}
    assert len(runs) == 1
