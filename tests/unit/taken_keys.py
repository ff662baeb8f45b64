"""What a taken hub can do with appliances' keys: name some, enroll some, and show what they signed.

The hub enrolls appliances, mirrors their evidence, and gives it back to one whose disk was put
back. Each attempt is answered by what runs: an appliance, or an auditor's `osiris order verify`.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.core.keeping import How, Keeping
from appliance.core.order_gate.ledger import State
from appliance.handlers.own_keys import renew
from appliance.ports import HubTransport
from appliance.shell.enrollment import enroll
from appliance.shell.identity import Place as Folder
from appliance.shell.identity import make_keys
from appliance.shell.key_files import KeyFiles
from appliance.store import opinions, order_state
from appliance.tasks.recovery import catch_up
from appliance.tasks.uplink import send_all
from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Keys, Report, verify
from proto import envelope, note, strict_json
from proto.appliance_keys import Place, keys_leaf
from proto.claim import SECRET_BYTES, ClaimCode
from proto.envelope import Kind
from proto.errors import OsirisError
from proto.evidence import NO_FLEET
from proto.hub.enroll import PATH_ROOT, EnrollReply, EnrollRequest
from proto.hub.evidence import EvidenceBatch, EvidenceReply
from proto.hub.outgoing import Outgoing
from proto.ids import ApplianceId
from proto.keys import SealingKey, SigningKey
from proto.note import Checkpoint
from proto.orders.kinds import OrderType
from proto.sealed_login import SealedLogin, digest_of, seal
from proto.secret import Secret
from proto.trust_root import TrustRoot, fingerprint, sign_root
from runtime import tls
from runtime.clock import SystemClock, system_entropy
from tests.fakes import tcp
from tests.sim.loop import run
from tests.unit import order_world as world
from tests.unit.core_values import SITE, TARGET
from tests.unit.known_target import know
from tests.unit.order_evidence import order_file, renewal
from tests.unit.order_site import mirror, row, take
from tests.unit.order_world import APPLIANCE, NOW, OTHER_APPLIANCE, key
from tests.unit.test_own_keys import Disk, write

DONE = "done"
MINE = SigningKey(b"\x07" * 32)
"""A key of whoever took the hub."""

PEOPLES_ROOT = "5a" * 32
YEAR_S = 365 * 86_400


def _with_disk(attack: Callable[[Disk], Awaitable[str]]) -> Callable[[], str]:
    """Let somebody attack an appliance that has renewed its keys and sent all of its evidence."""

    async def tried() -> str:
        with tempfile.TemporaryDirectory() as directory:
            disk = Disk(Path(directory))
            async with disk.on() as work:
                await mirror(disk.site, work)
                await write(work)
                await renew(work, account="somebody")
                await send_all(work)
            return await attack(disk)

    return lambda: run(tried())


async def _given_back(disk: Disk, leaf: bytes) -> str:
    """Give a leaf back behind the real ones, to the appliance as it starts."""
    disk.hub.evidence.append(leaf)
    async with disk.on() as work:
        before, work.word.is_level = work.scribe.key.public, False
        if await catch_up(work) or work.scribe.key.public != before:
            return DONE
        async with work.store.read() as conn:
            return "recovering" if (await order_state.load(conn)).is_recovering else "nothing"


async def _names_a_key(disk: Disk, *, signer: SigningKey) -> str:
    place = Place(SITE, ApplianceId(APPLIANCE), len(disk.hub.evidence), NOW)
    sealing = SealingKey(b"s" * 32).public
    made = keys_leaf(place, former=signer.public, signing=MINE, sealing=sealing)
    return await _given_back(disk, envelope.sign(Kind.EVIDENCE, made.to_bytes(), signer))


async def _names_its_own(disk: Disk) -> str:
    return await _names_a_key(disk, signer=MINE)


async def _names_with_a_former(disk: Disk) -> str:
    (former,) = disk.files.held().signing.formers
    return await _names_a_key(disk, signer=former)


async def _gives_anothers(disk: Disk) -> str:
    """Give back what another appliance of the site really signed."""
    seq = len(disk.hub.evidence)
    said = {"v": 1, "type": "health", "site": SITE, "appliance": OTHER_APPLIANCE, "seq": seq}
    said |= {"at": NOW, "fleet": NO_FLEET, "code": "disk_low", "ok": True}
    return await _given_back(
        disk, envelope.sign(Kind.EVIDENCE, strict_json.dumps(said), key("other"))
    )


class _Between:
    """A hub that answers evidence as somebody likes, and all else honestly."""

    def __init__(self, hub: HubTransport, say: Callable[[EvidenceReply], EvidenceReply]) -> None:
        self.hub, self.say = hub, say

    async def send(self, message: Outgoing, /) -> bytes:
        """Answer a message; see `ports.HubTransport.send`."""
        answer = await self.hub.send(message)
        if not isinstance(message, EvidenceBatch):
            return answer
        reply = EvidenceReply.from_bytes(answer, "", size_bytes_max=10**6)
        return self.say(reply).to_bytes()


async def _answers_another_head(disk: Disk) -> str:
    """Answer a renewal with a co-signed head that it made itself, in the appliance's own name."""
    async with disk.on() as work:
        origin = work.scribe.origin

        def say(reply: EvidenceReply) -> EvidenceReply:
            made = Checkpoint(origin, reply.have, bytes(32))
            mine = note.sign_checkpoint(made, signer=MINE)
            return EvidenceReply(have=reply.have, cosigned=mine.decode())

        await renew(work, account="somebody")
        try:
            await send_all(replace(work, hub=_Between(disk.hub, say)))
        except OsirisError as error:
            return error.code
        return DONE


async def _withholds_its_word(disk: Disk) -> str:
    """Never say that it has a renewal: the appliance waits with the next."""
    async with disk.on() as work:
        await renew(work, account="somebody")
        try:
            await renew(work, account="somebody")
        except OsirisError as error:
            return error.code
        return DONE


async def _asks_for_a_renewal(disk: Disk) -> str:
    async with disk.on() as work:
        leaf = disk.site.order(OrderType.RUN_DRIFT, type="renew_keys", params={})
        await take(disk.site, work)
        return (await row(work, leaf)).code


async def _puts_another_box(disk: Disk) -> str:
    """Put a login of its own where an operator's order names another by its digest."""
    async with disk.on() as work:
        await know(work, TARGET, address="192.0.2.9", host_key="SHA256:a", added_ms=0)
        assert work.box_keys is not None
        to = work.box_keys.key.public
        mine, peoples = (
            seal(SealedLogin(TARGET, user, "none", None, Secret("x"), None), to)
            for user in ("mallory", "osiris")
        )
        async with work.store.write() as conn:
            await opinions.keep_box(conn, mine, now_ms=work.clock.now_ms())
        params = {"target": TARGET, "sealed_sha256": digest_of(peoples), "sealed_to": to.digest()}
        leaf = disk.site.order(OrderType.UPDATE_CREDENTIALS, "ada", params=params)
        await take(disk.site, work)
        found = await row(work, leaf)
        return DONE if found.state is State.DONE else found.code


async def _has_it_done_again(disk: Disk) -> str:
    """Keep back from an appliance whose disk was put back what it did since."""
    copy = disk.site.path.read_bytes()
    held = len(disk.hub.evidence)
    async with disk.on() as work:
        disk.site.order(OrderType.RUN_DRIFT)
        await take(disk.site, work)
        await send_all(work)
    disk.site.path.write_bytes(copy)
    del disk.hub.evidence[held:]
    async with disk.on() as work:
        work.word.is_level = False
        assert await catch_up(work)
        await take(disk.site, work)
    return DONE if set(disk.site.ran.values()) == {2} else "replay_nonce"


names_its_own = _with_disk(_names_its_own)
names_with_a_former = _with_disk(_names_with_a_former)
gives_anothers = _with_disk(_gives_anothers)
answers_another_head = _with_disk(_answers_another_head)
withholds_its_word = _with_disk(_withholds_its_word)
asks_for_a_renewal = _with_disk(_asks_for_a_renewal)
puts_another_box = _with_disk(_puts_another_box)
has_it_done_again = _with_disk(_has_it_done_again)


def _body(data: bytes) -> dict[str, Any]:
    """Return what a statement says, whoever signed it."""
    found: dict[str, Any] = json.loads(strict_json.b64_decode(json.loads(data)["payload"], ""))
    return found


def _verified(file: dict[str, Any], what: str) -> str:
    """Return how an auditor, who has the appliance's real key, sees a part of an order's file."""
    known = {APPLIANCE: key("box").public, OTHER_APPLIANCE: key("other").public}
    report: Report = verify(json.dumps(file).encode(), Keys(KeptTrust.of(world.TRUST), known))
    return next(one.held for one in report.looks if one.what == what).value


def _resigned(signer: SigningKey, **changes: object) -> dict[str, Any]:
    """Return an order's file whose receipts say and bear what somebody likes."""
    file = order_file("ada", "bea")
    made = []
    for one in file["receipts"]:
        said = _body(strict_json.b64_decode(one, ""))
        data = envelope.sign(Kind.RECEIPT, strict_json.dumps(said | changes), signer)
        made.append(strict_json.b64_encode(data))
    return file | {"receipts": made}


def makes_receipts_up() -> str:
    """Sign receipts in an appliance's name, and give its key's id as a hint."""
    file = _resigned(MINE)
    receipts = []
    for one in file["receipts"]:
        document = json.loads(strict_json.b64_decode(one, ""))
        document["signatures"][0]["keyid"] = key("box").public.key_id
        receipts.append(strict_json.b64_encode(strict_json.dumps(document)))
    return _verified(file | {"receipts": receipts}, "receipt 1")


def shows_a_key_that_it_confirmed() -> str:
    """Enroll a key, note that somebody compared it, and show receipts that it signed."""
    return _verified(_resigned(MINE), "receipt 1")


def shows_anothers_receipts() -> str:
    """Show what another appliance really signed as the answer to an order that was for this one."""
    return _verified(_resigned(key("other"), appliance=OTHER_APPLIANCE), "receipt 1")


def names_another_key_to_an_auditor() -> str:
    """Show a renewal to a key of its own, which the appliance's key never signed."""
    made = renewal(3, former="hub", following="hub 2")
    made["former"] = key("box").public.b64()
    return _verified(order_file("ada", "bea", renewals=[made]), f"keys of {APPLIANCE}")


def shows_receipts_of_a_former_key() -> str:
    """Sign a receipt with a key that was given up, and that somebody has copied."""
    chain = [renewal(2, former="box", following="box 2")]
    return _verified(order_file("ada", "bea", renewals=chain), "receipt 1")


def leaves_a_renewal_out() -> str:
    """Keep a renewal back, so that what the next key signed looks like somebody else's."""
    return _verified(order_file("ada", "bea", signers=("box", "box 2")), f"life at {APPLIANCE}")


class _FalseHub:
    """A hub whose claim codes pin a root that whoever took it made."""

    def __init__(self, directory: Path) -> None:
        self.material = tls.ensure(
            directory, ["127.0.0.1"], now_ms=SystemClock().now_ms(), common_name="hub"
        )
        self.authority = (directory / tls.CA_CERT).read_text("ascii")
        self.raw = b""

    def code(self, port: int) -> ClaimCode:
        """Print a claim code that pins its own root."""
        origin = f"https://127.0.0.1:{port}"
        mine = TrustRoot(
            version=1,
            hub_origin=origin,
            root_key=MINE.public,
            head_keys=(key("head").public,),
            log_keys=(key("log").public,),
            created=NOW,
            expires=NOW + YEAR_S,
            tls_ca_pem=self.authority,
            content_root=bytes(32),
        )
        self.raw = sign_root(mine, MINE)
        return ClaimCode(origin, bytes(SECRET_BYTES), fingerprint(self.raw))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        asked = await reader.readexactly(size)
        answer = self.raw if PATH_ROOT.encode() in head else self._enrolled(asked)
        form = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        writer.write(form % len(answer) + answer)

    def _enrolled(self, asked: bytes) -> bytes:
        """Tell whoever asks that it is an appliance of its choice."""
        request = EnrollRequest.from_value(_body(asked), "")
        reply = EnrollReply(
            challenge=request.challenge,
            site=SITE,
            appliance=APPLIANCE,
            log_origin=f"hub.example/site/{SITE}/evidence/{APPLIANCE}",
            time=NOW,
        )
        return envelope.sign(Kind.ENROLL, reply.to_bytes(), key("head"))


async def _enrolls(*, told: str | None) -> str:
    with tempfile.TemporaryDirectory() as directory:
        hub = _FalseHub(Path(directory) / "tls")
        folder = Folder(Path(directory) / "state")
        folder.prepare()
        keys = make_keys(KeyFiles(folder.keys, None, Keeping(How.NO_TPM)), system_entropy)
        async with tcp.serving(hub.serve, tls=tls.server_context(hub.material)) as port:
            try:
                await enroll(
                    folder,
                    keys,
                    hub.code(port),
                    clock=SystemClock(),
                    entropy=system_entropy,
                    first_root=told,
                )
            except OsirisError as error:
                return error.code
    return DONE


def enrolls_a_new_one() -> str:
    """Print a claim code that pins a root of its own, and enroll who trusts it."""
    return asyncio.run(_enrolls(told=None))


def enrolls_one_whose_people_asked() -> str:
    """Print it for somebody who knows what the root people say."""
    return asyncio.run(_enrolls(told=PEOPLES_ROOT))
