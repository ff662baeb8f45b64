"""Kill -9 and the vault: every token that left can be revealed, by a named account, in evidence."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.core.keeping import How, Keeping
from appliance.shell.key_files import KeyFiles, rest_key
from appliance.shell.seal import KeySealer
from appliance.store.db import Store
from appliance.store.vault import Vault
from proto.phi import default_names
from runtime.clock import system_entropy
from tests.e2e.daemons import until
from tests.e2e.pair import Pair, pair

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

KILLS = 5
LIVES_S = (0.0, 0.02, 0.1, 0.25)
ACCOUNT, PASSWORD = "maria", "correct horse battery"
REASON = "asked for by the privacy officer"

CHILD = """
import asyncio, itertools, sys
from pathlib import Path
from appliance.core.keeping import How, Keeping
from appliance.shell.key_files import KeyFiles, rest_key
from appliance.shell.seal import KeySealer
from appliance.store import meta
from appliance.store.db import Store
from appliance.store.vault import Vault
from proto.phi import tokens
from proto.phi.values import Kind
from runtime.clock import system_entropy

async def main(folder, life):
    store = await Store.open(folder / "osiris.db", now_ms=1)
    files = KeyFiles(folder, None, Keeping(How.NO_TPM))
    sealer = KeySealer(rest_key(files, system_entropy), system_entropy)
    vault = await Vault.open(store, sealer, system_entropy)
    for number in itertools.count():
        value = f"MR{life:02}{number:06}"
        token = tokens.make(Kind.MRN, vault.body(Kind.MRN, value))
        if number % 2:
            await vault.settle()
        else:
            async with store.write() as conn:
                await meta.put(conn, meta.Key.HUB_STATE, token)
        print(value, token, flush=True)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def live_and_die(folder: Path, life: int, *, live_s: float) -> dict[str, str]:
    """Let a process give tokens out, kill it some moment later; return what left it."""
    argv = [sys.executable, "-c", CHILD, str(folder), str(life)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(live_s)  # the moment is the test
        child.kill()
        told = [first, *child.stdout.read().split("\n")]
    pairs = [line.split() for line in told if line.rstrip().endswith("]")]
    return {token: value for value, token in pairs}


async def test_every_token_that_left_is_revealed_after_any_kill(tmp_path: Path) -> None:
    left: dict[str, str] = {}
    for life in range(KILLS):
        given = live_and_die(tmp_path, life, live_s=LIVES_S[life % len(LIVES_S)])
        assert given
        assert not given.keys() & left.keys()
        left.update(given)
    store = await Store.open(tmp_path / "osiris.db", now_ms=1)
    try:
        sealer = KeySealer(
            rest_key(KeyFiles(tmp_path, None, Keeping(How.NO_TPM)), system_entropy), system_entropy
        )
        vault = await Vault.open(store, sealer, system_entropy)
        for token, value in left.items():
            assert vault.knows(token)
            assert (await vault.reveal(token)).reveal() == value
    finally:
        await store.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Pair]:
    with pair(tmp_path) as made:
        yield made


def osiris(two: Pair, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the real command on the appliance."""
    argv = [sys.executable, "-m", "osiris", *words, "--config", str(two.appliance.config)]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)


def test_a_token_of_a_killed_appliance_is_revealed_and_a_person_is_forgotten(two: Pair) -> None:
    two.appliance.start()

    def planted() -> list[str]:
        lines = [json.loads(line) for line in two.appliance.said().splitlines() if line[:1] == "{"]
        return [str(line["note"]) for line in lines if line.get("event") == "canary_planted"]

    until(lambda: bool(planted()), "the log has its canary")
    note = planted()[0]
    token = re.findall(r"\[MRN-[a-z2-7]{7}\]", note)[0]
    until(lambda: bool(two.rows("SELECT 1 FROM vault WHERE kind = 'MRN'")), "it is stored")
    two.appliance.kill()
    two.appliance.start()
    two.appliance.ask("POST", "/api/accounts", {"name": ACCOUNT, "password": PASSWORD})
    asker = {"account": ACCOUNT, "password": PASSWORD, "reason": REASON}
    with pytest.raises(httpx.HTTPStatusError):
        two.appliance.ask(
            "POST", "/api/phi/reveal", {**asker, "token": token, "password": "wrong password"}
        )
    verbs = ("--as", ACCOUNT, "--reason", REASON)
    shown = osiris(two, "phi", "reveal", token, *verbs, stdin=f"{PASSWORD}\n")
    assert shown.returncode == 0, shown.stderr
    number = shown.stdout.strip()
    assert re.fullmatch(r"[0-9]{10}", number)

    gone = osiris(two, "phi", "forget", "--mrn", number, "--yes", *verbs, stdin=f"{PASSWORD}\n")
    assert gone.returncode == 0, gone.stderr
    assert "forgot what 1 token stands for" in gone.stdout
    again = osiris(two, "phi", "reveal", token, *verbs, stdin=f"{PASSWORD}\n")
    assert again.returncode == 4
    assert number not in again.stdout + again.stderr
    listed = two.appliance.ask("GET", "/api/phi/disclosures")
    assert [one["act"] for one in listed] == ["forgotten", "revealed"]
    two.appliance.ask("POST", "/api/evidence/verify", {})

    leaves = "SELECT leaf FROM evidence WHERE type = 'phi'"
    assert len(two.rows(leaves)) == 2
    until(lambda: len(two.hub_rows("SELECT 1 FROM leaves WHERE kind = 'phi'")) == 2, "told")
    told = two.hub_store.read_bytes()
    for private in (number, ACCOUNT, REASON):
        assert private.encode() not in told
