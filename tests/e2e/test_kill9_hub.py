"""Kill -9 of the hub while it takes evidence and check-ins: what it answered for, it holds.

The appliance here is real keys, real envelopes and a real log, sent over TLS to the daemon's own
process; it sends again whatever it got no answer for, as the appliance's uplink does.
"""

import os
import random
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from central import config as hub_config
from proto.claim import parse_claim_code
from proto.findings import Verdict
from proto.hub import check_in, enroll
from proto.hub.evidence import PATH, EvidenceReply
from proto.trust_root import TrustRoot, open_first
from runtime.clock import system_entropy
from tests.e2e.clinic_scene import read_rows, start_hub
from tests.e2e.daemons import Daemon
from tests.fakes.box import Box, read_head

KILLS = 12
LIFE_S_MAX = 0.25
LEAVES, BATCH = 2_000, 20
CHECK = "lin.ssh.root_login"


@dataclass(slots=True)
class Sender:
    """An appliance that sends until it has no answer.

    Attributes:
        acked: how many leaves the hub said it holds.
        answered: the number of the last check-in that it answered.
    """

    url: str
    context: ssl.SSLContext
    box: Box
    root: TrustRoot
    acked: int = 0
    answered: int = -1

    def send_until_cut_off(self) -> None:
        """Send evidence and check in by turns, until the hub is gone or has everything."""
        try:
            with httpx.Client(base_url=self.url, verify=self.context, timeout=30) as client:
                while self.acked < len(self.box.leaves):
                    self._send_batch(client)
                    self._check_in(client)
        except httpx.HTTPError:
            return

    def _send_batch(self, client: httpx.Client) -> None:
        end = min(self.acked + BATCH, len(self.box.leaves))
        body = self.box.batch(self.acked, end, checkpoint=self.box.checkpoint(end))
        answer = client.post(PATH, content=body)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return  # the signer of the hub's life before just ended: nothing is answered for
        assert answer.status_code == 200, answer.text
        reply = EvidenceReply.from_bytes(answer.content, "reply", size_bytes_max=65536)
        assert reply.have >= end, "the hub forgot what it had answered for"
        self.acked = reply.have

    def _check_in(self, client: httpx.Client) -> None:
        answer = client.post(check_in.PATH, content=self.box.check_in(now_s=int(time.time())))
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return
        assert answer.status_code == 200, answer.text
        read_head(answer.content, self.root)
        self.answered = self.box.seq


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Daemon]:
    with ExitStack() as stack:
        yield start_hub(stack, tmp_path, origin="https://127.0.0.1:{port}")


@pytest.fixture
def sender(hub: Daemon, tmp_path: Path) -> Sender:
    context = ssl.create_default_context(cafile=str(tmp_path / "hub" / "tls" / "ca.pem"))
    claim = parse_claim_code(hub.ask("POST", "/local/sites", {"label": "Kill"})["claim_code"])
    box = Box.make(system_entropy)
    url = hub_config.read(hub.config).file.origin
    with httpx.Client(base_url=url, verify=context, timeout=30) as client:
        root = open_first(client.get(enroll.PATH_ROOT).content, pinned=claim.root_fingerprint)
        request = box.enroll_request(claim, now_s=int(time.time()))
        box.enrolled(client.post(enroll.PATH_ENROLL, content=request).content, root)
    for number in range(LEAVES):
        verdict = Verdict.DRIFTED if number % 2 else Verdict.COMPLIANT
        value = {"value": "yes" if number % 2 else "no"}
        box.scan("t-aaaaaaaaaa", {CHECK: (verdict, value)}, at_s=int(time.time()))
    return Sender(url, context, box, root)


def test_a_hub_killed_again_and_again_holds_what_it_answered_for_and_nothing_twice(
    hub: Daemon, sender: Sender, tmp_path: Path
) -> None:
    seed = int(os.environ.get("OSIRIS_SEED") or time.time_ns() % 1_000_000)
    print(f"OSIRIS_SEED={seed}")  # noqa: T201 - shown when the test fails
    moments = random.Random(seed)  # noqa: S311 - moments, not secrets
    store = tmp_path / "hub" / "hub.db"
    with ThreadPoolExecutor(1) as pool:
        for _ in range(KILLS):
            sending = pool.submit(sender.send_until_cut_off)
            time.sleep(moments.uniform(0, LIFE_S_MAX))  # the moment is the test
            assert not_done(sending, sender)
            hub.kill()
            sending.result()
            held = read_rows(store, "SELECT count(*) AS n FROM leaves")[0]["n"]
            assert held >= sender.acked, "a leaf that was answered for is gone"
            (row,) = read_rows(store, "SELECT seq FROM appliances")
            assert row["seq"] >= sender.answered, "a check-in that was answered is gone"
            hub.start()
    sender.send_until_cut_off()
    assert sender.acked == LEAVES
    rows = read_rows(store, "SELECT leaf, envelope FROM leaves ORDER BY leaf")
    assert [row["leaf"] for row in rows] == list(range(LEAVES))
    assert [row["envelope"] for row in rows] == sender.box.leaves
    (finding,) = read_rows(store, "SELECT verdict, leaf FROM findings")
    assert (finding["verdict"], finding["leaf"]) == ("drifted", LEAVES - 1)
    assert read_rows(store, "SELECT * FROM refusals") == []


def not_done(sending: "Future[None]", sender: Sender) -> bool:
    """Tell whether there was still something to send, and raise what the sender ran into."""
    if sending.done():
        sending.result()
    return sender.acked < LEAVES
