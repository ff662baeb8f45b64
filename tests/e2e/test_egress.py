"""Every door of a running appliance, with people planted at each, and a collector that listens.

The appliance is the real daemon with a real host; the collector ends TLS as the hub, records every
byte and passes it on, so that everything that would ever be sent is sent.
"""

import base64
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from osiris.demo.free_port import free_port
from osiris.demo.lab import LabHost
from proto.phi import default_names
from tests.e2e.clinic_scene import SSH_PORT, Clinic, clinic
from tests.e2e.clinic_scene_content import PLACE, Lamp
from tests.e2e.collector import Collector, seen_in
from tests.e2e.daemons import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(
        default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
    ),
]

LAMP = Lamp("lamp", takes_s="0.01")
PERSON = "Maria Gonzalez"
SSN, MRN, MAIL = "521-44-9921", "MRN 44718823", "maria.gonzalez@example.com"
SECRET = "hunter2-and-more"  # noqa: S105 - planted to be looked for
PLANTED = ("gonzalez", "521-44-9921", "521449921", "44718823", MAIL, SECRET, "mgonz")

RESIDENT_KB_MAX = 120 * 1024

CHECK = "lin.lamp.greeting"
GREETING = f"""id: {CHECK}
title: The greeting is plain
platform: linux
severity: low
controls:
  hipaa:164.312(a)(2)(i): a greeting
  nist_800_53:AC-6(2): a greeting
interval_s: 900
freshness_s: 3600
probe:
  kind: sh
  as_root: false
  timeout_s: 20
  script: |
    cat /var/tmp/greeting.json
answer:
  state: {{enum: ["plain", "personal"], report: true}}
  text: {{type: text, max_chars: 400, report: true}}
  user: {{type: text, max_chars: 60, report: true}}
  kept: {{type: text, max_chars: 400}}
applies: []
judge: [{{field: state, operator: eq, value: plain}}]
examples:
  - {{answer: {{state: plain, text: a, user: b, kept: c}}, verdict: compliant}}
  - {{answer: {{state: personal, text: a, user: b, kept: c}}, verdict: drifted}}
  - {{answer: {{state: plain}}, verdict: unknown}}
"""
RULE = f"""id: l1.{CHECK}
conditions:
  - {{field: check, operator: eq, value: {CHECK}}}
action: escalate
scope: global
tests:
  - {{incident: {{check: {CHECK}, seen: {{state: personal}}}}, expect: escalate}}
"""
ANSWER = (
    '{"state":"personal","text":"Welcome Maria Gonzalez, SSN 521-44-9921, MRN 44718823,'
    f' mail {MAIL} password={SECRET}","user":"mgonzalez","kept":"for Maria Gonzalez only"}}'
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic(tmp_path_factory.mktemp("egress"), (LAMP,), hosts=1) as made:
        content = made.directory / "content"
        (content / f"checks/linux/{CHECK}.yaml").write_text(GREETING)
        (content / f"l1/linux/l1.{CHECK}.yaml").write_text(RULE)
        config = made.appliance.config
        config.write_text(
            config.read_text().replace('label = "Faults"', f'label = "{PERSON} {SSN} clinic"')
        )
        yield made


@pytest.fixture(scope="module")
def collector(scene: Clinic) -> Iterator[Collector]:
    """Stand where the hub stood; the hub moves to another port."""
    scene.hub.stop()
    text = scene.hub.config.read_text()
    ports = re.findall(r"(?m)^port = ([0-9]+)$", text)
    assert len(ports) == 1, text
    port, moved = int(ports[0]), free_port()
    scene.hub.config.write_text(text.replace(f"port = {port}", f"port = {moved}"))
    tls = scene.directory / "hub" / "tls"
    with Collector(port, moved, tls / "server.pem", tls / "server.key") as listening:
        scene.hub.start()
        yield listening


def add_target(scene: Clinic, host: LabHost) -> str:
    """Add the host under a label that names a person; return its id."""
    shown = host.sh("cat /etc/ssh/ssh_host_ed25519_key.pub").output
    body = {
        "address": host.address,
        "port": SSH_PORT,
        "user": host.login,
        "sudo": "nopasswd",
        "private_key": host.key.private.read_text(),
        "host_key": " ".join(shown.split()[:2]),
        "label": f"{PERSON} {SSN} laptop",
    }
    return str(scene.appliance.ask("POST", "/api/targets", body)["target"])


def plant_name(scene: Clinic) -> None:
    """Give the device a name on the network, as a discovery would; the appliance is stopped."""
    with closing(sqlite3.connect(scene.state / "osiris.db")) as store, store:
        (device,) = store.execute("SELECT id FROM targets").fetchone()
        now_ms = int(time.time() * 1000)
        store.execute(
            "INSERT INTO device_attributes VALUES (?, 'name', 'maria-gonzalez-laptop.lan', ?, ?)",
            (device, now_ms, now_ms),
        )


def test_nothing_of_a_person_reaches_the_collector_from_any_source(
    scene: Clinic, collector: Collector
) -> None:
    box, (host,) = scene.appliance, scene.hosts
    host.sh(f"cat >/var/tmp/greeting.json <<'END'\n{ANSWER}\nEND\n")
    box.start()
    target = add_target(scene, host)
    box.stop()
    plant_name(scene)
    box.start()
    box.ask("POST", "/api/accounts", {"name": "mgonzalez", "password": "correct horse battery"})
    box.ask("POST", f"/api/targets/{target}/check", {})
    box.ask(
        "POST",
        "/api/waivers",
        {
            "target": target,
            "check": CHECK,
            "reason": f"Dr. {PERSON} asked for it, {MRN}",
            "until_ms": int(time.time() * 1000) + 86_400_000,
            "account": "mgonzalez",
        },
    )
    box.ask("POST", "/api/observe-only", {"on": True})
    host.sh(f"printf '%s' '{PERSON} {SSN}' >{PLACE}/lamp.says")  # an answer that is none
    box.ask("POST", f"/api/targets/{target}/check", {})
    scene.assert_evidence_arrived()
    until(
        lambda: bool(scene.hub_rows("SELECT * FROM devices WHERE label IS NOT NULL")),
        "the hub has the list of devices",
    )

    sent = bytes(collector.recorded)
    assert seen_in(sent, (CHECK, "vnd.osiris.checkin", "vnd.osiris.devices", "[NAME-")) == {
        CHECK,
        "vnd.osiris.checkin",
        "vnd.osiris.devices",
        "[NAME-",
    }, "the collector hears what is said, and reads what is wrapped"
    assert seen_in(sent, PLANTED) == set()
    assert seen_in(scene.appliance.log.read_bytes(), PLANTED) == set()
    assert "text_held_back" not in scene.conditions()


def test_the_hub_has_the_words_and_shows_tokens_for_people(
    scene: Clinic, collector: Collector
) -> None:
    del collector
    (device,) = scene.hub_rows("SELECT label, name FROM devices WHERE label IS NOT NULL")
    assert "[NAME-" in device["label"]
    assert device["label"].endswith(" laptop")
    details = [row["detail"] for row in scene.hub_rows("SELECT detail FROM details")]
    told = [one for one in details if '"state":"personal"' in one]
    assert told
    assert all("[NAME-" in one and "[SSN-" in one for one in told)
    assert scene.hub_rows("SELECT * FROM quarantine") == []
    assert scene.hub_rows("SELECT * FROM conditions WHERE cleared_ms IS NULL") == []


def test_a_person_on_the_site_still_reads_what_was_seen(scene: Clinic) -> None:
    seen = [row["seen"] for row in scene.rows("SELECT seen FROM findings")]
    assert any("Maria Gonzalez" in one for one in seen)


def test_names_and_scrubber_keep_the_appliance_within_its_memory(scene: Clinic) -> None:
    status = Path(f"/proc/{scene.appliance.pid}/status").read_text()
    (resident_kb,) = re.findall(r"(?m)^VmRSS:\s+([0-9]+) kB$", status)
    assert int(resident_kb) <= RESIDENT_KB_MAX, resident_kb


def test_the_search_finds_what_a_leak_would_look_like() -> None:
    """The collector's own eyes: a planted name in each wrapping is found."""
    detail = json.dumps({"text": f"Welcome {PERSON}"})
    payload = base64.b64encode(json.dumps({"detail": detail}).encode()).decode()
    for wrapped in (detail, json.dumps({"detail": detail}), json.dumps({"payload": payload})):
        assert seen_in(b"POST / HTTP/1.1\r\n\r\n" + wrapped.encode(), ("gonzalez",))
