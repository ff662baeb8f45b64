"""A process that ends at any database call loses no token that left, nor one in a committed row."""

from contextlib import suppress
from pathlib import Path

from appliance.shell.seal import KeySealer
from appliance.store import meta
from appliance.store.db import Store
from appliance.store.meta import Key
from appliance.store.vault import Vault
from proto.phi import tokens
from proto.phi.values import Kind
from proto.secret import Secret
from runtime.clock import system_entropy
from tests.unit.cut_process import CutError, Process

SEALER = KeySealer(Secret(bytes(32)), system_entropy)
VALUES = ("00481516", "77345112", "60500670", "11223344")


class CutAt:
    """Ends a process before or after its n-th database call."""

    def __init__(self, at: int) -> None:
        """Count from zero."""
        self._left = at

    def __call__(self, process: Process, _: str) -> None:
        """Count one moment."""
        if self._left == 0:
            process.cut()
        self._left -= 1


async def live(process: Process, path: Path) -> dict[str, str]:
    """Give tokens out until the end, the process's own or this; return what left."""
    left: dict[str, str] = {}
    with suppress(CutError):
        store = await Store.open(path, now_ms=1, connect=process.connect)
        vault = await Vault.open(store, SEALER, system_entropy)
        for number, value in enumerate(VALUES):
            token = tokens.make(Kind.MRN, vault.body(Kind.MRN, value))
            if number % 2:
                await vault.settle()
            else:
                async with store.write() as conn:
                    await meta.put(conn, Key.HUB_STATE, token)
            left[token] = value
    await process.bury()
    return left


async def test_wherever_a_process_ends_what_left_is_revealed(tmp_path: Path) -> None:
    cuts = 0
    while True:
        path = tmp_path / f"{cuts}.db"
        process = Process(CutAt(cuts))
        left = await live(process, path)
        store = await Store.open(path, now_ms=1)
        vault = await Vault.open(store, SEALER, system_entropy)
        async with store.read() as conn:
            committed = await meta.get(conn, Key.HUB_STATE)
        for token, value in left.items():
            assert (await vault.reveal(token)).reveal() == value
        if committed:
            assert (await vault.reveal(committed)).reveal() in VALUES
        await store.close()
        if process.is_alive:
            break
        cuts += 1
    assert len(left) == len(VALUES)
    assert cuts > 20
