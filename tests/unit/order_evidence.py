"""An order as an auditor is given it: logged, run, with its proofs and receipts."""

from typing import Any

from osiris.desk.kept_trust import KeptTrust
from osiris.desk.order_proof import Keys
from proto import envelope, merkle, note, strict_json
from proto.appliance_keys import Place, keys_leaf
from proto.envelope import Kind
from proto.evidence import NO_FLEET, commit
from proto.ids import ApplianceId
from proto.keys import SealingKey
from proto.note import Checkpoint
from proto.order import sid_of
from proto.orders.kinds import OrderType
from proto.receipts import FIRST_PREV, receipt_sid
from tests.unit import order_world as world
from tests.unit.core_values import SITE

ORIGIN = f"hub.example/site/{SITE}/orders"
KEYS = Keys(KeptTrust.of(world.TRUST), {world.APPLIANCE: world.key("box").public})


def receipt_bodies(leaf: bytes, index: int, sid: str, changes: dict[str, Any]) -> list[bytes]:
    """An appliance's intent and result for a leaf; `changes` go into the intent."""
    common = {"v": 1, "site": SITE, "appliance": world.APPLIANCE, "fleet": NO_FLEET}
    where = {"leaf": index, "leaf_hash": merkle.leaf_hash(leaf).hex(), "order": sid}
    nonce = {"nonce": world.body()["nonce"]}
    times = {"at": world.NOW, "floor": world.NOW - 5}
    intent = {
        **common,
        "type": "intent",
        "seq": 4,
        **times,
        "prev": FIRST_PREV,
        **where,
        **nonce,
        "order_type": "isolate_host",
        "tier": 3,
        "people": ["ada", "bea"],
        "deadline": world.NOW + 600,
    }
    first = strict_json.dumps(intent | changes)
    result = {
        **common,
        "type": "result",
        "seq": 5,
        **times,
        "prev": receipt_sid(first),
        **where,
        **nonce,
        "outcome": "done",
        "commit": strict_json.b64_encode(commit(b"salt", b"detail")),
    }
    return [first, strict_json.dumps(result)]


def renewal(seq: int, *, former: str, following: str) -> dict[str, Any]:
    """A renewal of the appliance's keys, as an auditor is given it."""
    place = Place(SITE, ApplianceId(world.APPLIANCE), seq, world.NOW)
    before = world.key(former)
    sealing = SealingKey(b"s" * 32).public
    leaf = keys_leaf(place, former=before.public, signing=world.key(following), sealing=sealing)
    return {
        "appliance": world.APPLIANCE,
        "former": before.public.b64(),
        "envelope": strict_json.b64_encode(envelope.sign(Kind.EVIDENCE, leaf.to_bytes(), before)),
    }


def order_file(
    *people: str,
    document: dict[str, Any] | None = None,
    intent: dict[str, Any] | None = None,
    signers: tuple[str, str] = ("box", "box"),
    **changes: Any,  # noqa: ANN401 - members of the file
) -> dict[str, Any]:
    """An order that was logged and ran, as an auditor is given it."""
    log = world.OrderLog()
    body = strict_json.dumps(document or world.body(OrderType.ISOLATE_HOST))
    leaf = world.signed(body, *people)
    index = log.append(leaf)
    log.append(b"later")
    head = log.place()
    bodies = receipt_bodies(leaf, index, sid_of(body).hex(), intent or {})
    made = {
        "v": 1,
        "origin": ORIGIN,
        "envelope": strict_json.b64_encode(leaf),
        "leaf": {
            "index": index,
            "path": [strict_json.b64_encode(one) for one in log.delivery(index).proof],
        },
        "checkpoint": note.sign_checkpoint(
            Checkpoint(ORIGIN, head.size, head.root), signer=world.key("log")
        ).decode(),
        "receipts": [
            strict_json.b64_encode(envelope.sign(Kind.RECEIPT, one, world.key(signer)))
            for one, signer in zip(bodies, signers, strict=True)
        ],
    }
    return made | changes
