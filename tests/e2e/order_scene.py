"""Orders in every stage of their life, over the hub of a test: asked, signed, logged, answered."""

from functools import cache
from typing import Any

from central import order_desk, order_life
from central.store.views.orders import OrderView
from proto import strict_json
from proto.asks import parse_ask
from proto.envelope import Kind, sign, signature_of
from proto.evidence import NO_FLEET, SALT_BYTES, commit
from proto.grants import Trust
from proto.hub import evidence, orders
from proto.hub.orders import OrdersReply, OrdersRequest, Waits
from proto.ids import SiteId
from proto.keysets import DAY_S
from proto.merkle import leaf_hash
from proto.opinions import OperatorVeto
from proto.order import parse_order
from proto.order_codes import Code
from proto.receipts import FIRST_PREV, receipt_sid
from proto.strict_json import b64_encode
from tests.e2e.clinic_rows import target
from tests.fakes.box import Box
from tests.fakes.clock import ManualClock, SeededEntropy
from tests.fakes.hub import Trial, make_secrets
from tests.unit import order_world as people

ARCHIVE = target("archive")
ISOLATE = {"target": ARCHIVE, "action": "isolate", "minutes": 30}


@cache
def _trust() -> Trust:
    # A trial makes its hub's secrets first of all, so they are the same for each.
    keys = make_secrets(SeededEntropy(), now_s=ManualClock().now_ms() // 1000).keys
    public = keys.of("log")[0].public.b64()
    log = people.use("log", end=people.NOW + 300 * DAY_S) | {"key": public}
    authority = people.authority_set(people.authority(log_keys=[log]))
    grant = people.grant(key=keys.of("order")[0].public.b64())
    return Trust(authority, people.grant_set(people.grants(grant)))


def trust(_now_s: int) -> Trust:
    """Return whose signatures count: ada's and bea's, and the keys of a trial's hub."""
    return _trust()


class Orders:
    """Orders for one appliance."""

    def __init__(self, trial: Trial, box: Box) -> None:
        """Begin with none; the appliance tells where its copy of the log stands."""
        self.trial, self.box = trial, box
        self.prev = FIRST_PREV

    async def fetch(self, *waiting: Waits, size: int = 0, held: int | None = None) -> OrdersReply:
        """Have the appliance say how far it is, what waits there, and since when it holds back."""
        asked = OrdersRequest(
            appliance=self.box.appliance,
            iat=self.trial.now_s,
            challenge=b64_encode(self.trial.entropy(16)),
            size=size,
            root=b64_encode(bytes(32)),
            checkpoint=None,
            waiting=waiting,
            held=held,
        )
        body = sign(Kind.ORDERS, asked.to_bytes(), self.box.key)
        answer = await self.trial.net.post(orders.PATH, body)
        return OrdersReply.from_bytes(answer, "reply", size_bytes_max=1 << 22)

    async def draft(
        self,
        order_type: str,
        params: dict[str, Any],
        *signers: str,
        reason: str,
        everywhere: bool = False,
    ) -> OrderView:
        """Draft an order as ada asks for it, and have people sign it."""
        box = self.box
        here = {"site": box.site} if everywhere else {"site": box.site, "appliance": box.appliance}
        value = {
            "v": 1,
            "type": order_type,
            "targets": [here],
            "params": params,
            "life_s": 3600,
            "not_before": 0,
            "people": 0,
            "reason": reason,
            "by": "ada",
            "iat": self.trial.now_s,
            "nonce": self.trial.entropy(16).hex(),
        }
        ask = parse_ask(strict_json.dumps(value))
        hub = self.trial.net.hub
        envelope = sign(Kind.ASK, ask.to_bytes(), people.key("ada"))
        (view,) = await order_desk.draft(hub, ask, envelope=envelope)
        fixed = view.draft.fixed
        assert fixed is not None, view.draft.refused
        for name in signers:
            given = signature_of(Kind.ORDER, fixed.body, signer=people.key(name))
            await order_life.approve(hub, SiteId(box.site), sid=fixed.sid, signature=given, by=name)
        return await order_desk.one_draft(hub, SiteId(box.site), draft=view.draft.draft)

    async def answered(self, view: OrderView, *receipts: dict[str, Any]) -> None:
        """Have the appliance answer an order with receipts in its evidence, and send that."""
        file = (await order_desk.shown(self.trial.net.hub, _sid(view)))[1]
        assert file is not None
        for one in receipts:
            self._receipt(view, leaf_hash(file.envelope_bytes()).hex(), one)
        await self.trial.net.post(evidence.PATH, self.box.batch())

    def _receipt(self, view: OrderView, leaf_digest: str, members: dict[str, Any]) -> None:
        assert view.draft.fixed is not None
        index = len(self.box.leaves)
        body = strict_json.dumps(
            {
                "v": 1,
                "type": members["type"],
                "site": self.box.site,
                "appliance": self.box.appliance,
                "seq": index,
                "fleet": NO_FLEET,
                "at": self.trial.now_s,
                "floor": self.trial.now_s - 5,
                "prev": self.prev,
                "leaf": view.leaf,
                "leaf_hash": leaf_digest,
                "order": _sid(view).hex(),
                "nonce": parse_order(view.draft.fixed.body).nonce,
                **members,
            }
        )
        self.prev = receipt_sid(body)
        self.box.leaves.append(sign(Kind.RECEIPT, body, self.box.key))
        self.box.details[index] = []

    def intent(self, order_type: str, *signers: str, tier: int) -> dict[str, Any]:
        """Return the members of an intent."""
        return {
            "type": "intent",
            "order_type": order_type,
            "tier": tier,
            "people": list(signers),
            "deadline": self.trial.now_s + 600,
        }

    def result(self, outcome: str) -> dict[str, Any]:
        """Return the members of a result, whose detail was kept back."""
        sealed = commit(self.trial.entropy(SALT_BYTES), b"{}")
        return {"type": "result", "outcome": outcome, "commit": b64_encode(sealed)}


def _sid(view: OrderView) -> bytes:
    assert view.draft.fixed is not None
    return view.draft.fixed.sid


async def clinic_orders(trial: Trial, box: Box) -> dict[str, OrderView]:
    """Make one order for each stage that a page shows; return them by that stage."""
    made = Orders(trial, box)
    await made.fetch()
    on_all = {"on": "all", "checks": "all"}
    done = await made.draft("run_drift", on_all, reason="after the update", everywhere=True)
    await made.answered(done, made.intent("run_drift", tier=0), made.result("done"))
    refused = await made.draft(
        "isolate_host", ISOLATE, "ada", "bea", reason="a machine that answers oddly"
    )
    await made.answered(refused, {"type": "refused", "reason": Code.PROTECTED_HOST.value})
    waive = {"check": "lin.ssh.root_login", "on": [ARCHIVE], "until": trial.now_s + 86_400}
    waiting = await made.draft("waive", waive, "bea", reason="the vendor works there this week")
    assert waiting.leaf is not None
    until = trial.now_s + 7200
    ring = Waits(leaf=waiting.leaf, code=Code.RING_WAIT, until=until)
    await made.fetch(ring, size=waiting.leaf + 1)
    vetoed = OperatorVeto(
        v=1,
        type="operator",
        site=box.site,
        order=_sid(waiting).hex(),
        reason="please wait for Monday",
        by="bea",
        iat=trial.now_s,
    )
    signed = sign(Kind.VETO, vetoed.to_bytes(), people.key("bea"))
    await order_desk.take_opinion(trial.net.hub, signed)
    people_wait = await made.draft("isolate_host", ISOLATE, "ada", reason="it scans its neighbours")
    gone = await made.draft("restart_agent", {"drain_s": 60}, reason="it answers slowly")
    taken_back = await made.draft("disable_healing", _stop(trial), reason="a maintenance night")
    await order_desk.withdraw_draft(trial.net.hub, taken_back.draft, by="ada")
    return {
        "done": done,
        "refused": refused,
        "waiting": waiting,
        "waits_for_people": people_wait,
        "logged": gone,
        "withdrawn": taken_back,
    }


def _stop(trial: Trial) -> dict[str, Any]:
    return {"check": "all", "until": trial.now_s + 86_400}
