"""The signer's answers: one question at a time, so that no two can be between one another's steps.

An order is signed when all of these hold, in this order; the refusal's code is the first that does
not:

- it was logged before: then the answer is the same, whoever asks how often;
- the signer built it (`draft_unknown`), and it is in time (`expired`);
- the log is whole (`log_behind`), and the site said since this process began how far it is
  (`site_unheard`): a signer that was put back to an old backup learns of what it signed since from
  those who hold it, before it signs anything else;
- the log is not 4,096 leaves further than when it was drafted (`prev_window`);
- the hour's rate is not used up (`signer_rate`);
- a grant of the order key covers it, and enough people signed it (`central.core.order_signing`).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from central.core import order_signing
from central.core.order_refusals import (
    DraftUnknownError,
    ExpiredError,
    HeadTimeError,
    LogBehindError,
    OrderLogForkError,
    OriginError,
    PrevWindowError,
    RateError,
    SiteUnheardError,
)
from central.core.order_signing import NONCE_BYTES, PREV_WINDOW, Rates, logged_body
from central.core.orders import OrderLeaf
from central.core.signer_place import ORDER_KEY
from central.core.signer_talk import (
    Approved,
    Ask,
    AskApproval,
    AskBack,
    AskCosign,
    AskDraft,
    AskEnroll,
    AskFresh,
    AskHeads,
    AskHear,
    AskLeaves,
    AskLog,
    AskPromote,
    AskRenew,
    AskStand,
    AskStatus,
    Cosignature,
    Drafted,
    Envelope,
    Envelopes,
    Fresh,
    Given,
    Leaf,
    Logged,
    Promoted,
    Renewed,
    Stand,
    Status,
    fits_leaves,
    read_ask,
    refusal_of,
)
from central.core.signing import log_name
from central.signer.fresh import Repository
from central.signer.in_force import InForce
from central.signer.keys import OnlineKeys
from central.signer.ledger import Built, Ledger
from proto import envelope, merkle, note
from proto.envelope import BODY_BYTES_MAX, Kind, Signature
from proto.errors import OsirisError
from proto.grants import Trust
from proto.hub.check_in import Head
from proto.hub.enroll import EnrollReply
from proto.keys import SIGNATURE_BYTES, SigningKey
from proto.message import Message
from proto.note import Checkpoint
from proto.order import LogPlace, parse_order, sid_of
from proto.order_log import BATCH_LEAVES_MAX, origin_of
from proto.strict_json import b64_decode, b64_encode
from runtime.clock import Clock, Entropy

HOUR_S: Final = 3600
PATIENCE_S: Final = 900
"""After so long since the start, one appliance of a site speaks for those that are silent."""

HEAD_SKEW_S: Final = 120


class Signer:
    """Answers questions; see this module's rules."""

    def __init__(
        self,
        keys: OnlineKeys,
        ledger: Ledger,
        *,
        hub_origin: str,
        trust: Callable[[int], Trust],
        repository: Repository,
        clock: Clock,
        entropy: Entropy,
        rates: Rates | None = None,
    ) -> None:
        """Begin: no site was heard of yet.

        Args:
            keys: the online keys.
            ledger: what is kept.
            hub_origin: the hub's address, whose host begins every log's name.
            trust: returns authority and grants as they are at a second, or raises `NoTrustError`.
            repository: the content whose freshness is said here.
            clock: the time of day.
            entropy: for nonces.
            rates: bounds on what is done within an hour.
        """
        self._keys = keys
        self._force = InForce(keys, trust, repository)
        self._repository = repository
        self._ledger = ledger
        self._hub = log_name(hub_origin)
        self._trust = trust
        self._clock = clock
        self._entropy = entropy
        self._rates = rates or Rates()
        self._since_s = self._now_s
        self._heard: dict[str, set[str]] = {}
        self._known: dict[str, frozenset[str]] = {}
        self._promoted_s: deque[int] = deque()

    @property
    def _now_s(self) -> int:
        return self._clock.now_ms() // 1000

    def answer(self, frame: bytes) -> bytes:
        """Return the answer to one question, or a refusal."""
        try:
            return self._answer(read_ask(frame)).to_bytes()
        except OsirisError as error:
            return refusal_of(error)

    def _answer(self, ask: Ask) -> Message:
        match ask:
            case AskHeads() | AskEnroll() | AskCosign():
                return self._online(ask)
            case AskDraft() | AskApproval() | AskLog():
                return self._order(ask)
            case AskLeaves() | AskHear() | AskBack() | AskStand():
                return self._of_log(ask)
            case AskFresh() | AskPromote():
                return self._content(ask)
            case AskRenew():
                public = self._force.renew(ask.kind, now_s=self._now_s, entropy=self._entropy)
                return Renewed(public=public.b64())
            case AskStatus():
                return self._status()

    def _content(self, ask: AskFresh | AskPromote) -> Message:
        if isinstance(ask, AskFresh):
            return self._fresh(ask)
        now_s = self._now_s
        self._require_promotions_left(now_s)
        said = self._ledger.said()
        signed = self._repository.promote(ask, self._keys, last=said, now_s=now_s)
        self._promoted_s.append(now_s)
        return Promoted(document=signed.decode("utf-8"))

    def _require_promotions_left(self, now_s: int) -> None:
        while self._promoted_s and self._promoted_s[0] <= now_s - HOUR_S:
            self._promoted_s.popleft()
        if len(self._promoted_s) >= self._rates.promoted:
            msg = "enough promoted rules were signed within the hour"
            raise RateError(msg)

    def _of_log(self, ask: AskLeaves | AskHear | AskBack | AskStand) -> Message:
        match ask:
            case AskLeaves():
                return self._leaves(ask)
            case AskHear():
                return self._hear(ask)
            case AskBack():
                return self._back(ask)
            case AskStand():
                return self._stand(ask.site)

    def _online(self, ask: AskHeads | AskEnroll | AskCosign) -> Message:
        match ask:
            case AskHeads():
                key = self._force.head(self._now_s)
                return Envelopes(envelopes=tuple(self._head(one, key) for one in ask.bodies))
            case AskEnroll():
                return self._enroll(ask)
            case AskCosign():
                return self._cosign(ask)

    def _order(self, ask: AskDraft | AskApproval | AskLog) -> Message:
        match ask:
            case AskDraft():
                return self._draft(ask)
            case AskApproval():
                return self._approval(ask)
            case AskLog():
                return self._log(ask)

    def _draft(self, ask: AskDraft) -> Drafted:
        now_s, trust = self._now_s, self._trust(self._now_s)
        if self._ledger.drafts_since(ask.site, now_s - HOUR_S) >= self._rates.drafts:
            msg = f"{ask.site}: {self._rates.drafts} orders were drafted within the hour"
            raise RateError(msg)
        place = self._ledger.place(ask.site)
        nonce = self._entropy(NONCE_BYTES)
        fixed = order_signing.build(ask, now_s=now_s, nonce=nonce, place=place)
        self._force.order(parse_order(fixed.body), trust, now_s=now_s)
        tier = order_signing.tier_of(ask, now_s=now_s)
        self._ledger.keep_draft(Built(ask.site, fixed, tier, ask.people), now_s=now_s)
        return Drafted(
            body=b64_encode(fixed.body), sid=fixed.sid.hex(), iat=fixed.iat_s, exp=fixed.exp_s
        )

    def _built(self, sid: bytes) -> Built:
        built = self._ledger.draft(sid)
        if built is None:
            msg = f"the order {sid.hex()} was not built here: draft it anew"
            raise DraftUnknownError(msg)
        if built.fixed.exp_s <= self._now_s:
            msg = f"the order {sid.hex()} ended at {built.fixed.exp_s}"
            raise ExpiredError(msg)
        return built

    def _approval(self, ask: AskApproval) -> Approved:
        built = self._built(bytes.fromhex(ask.sid))
        now_s = self._now_s
        person = order_signing.person_of(
            _signature(ask.given),
            built.fixed.body,
            tier=built.tier,
            trust=self._trust(now_s),
            now_s=now_s,
        )
        return Approved(person=person)

    def _log(self, ask: AskLog) -> Logged:
        sid = bytes.fromhex(ask.sid)
        there = self._ledger.leaf_of(sid)
        if there is not None:
            site, leaf = there
            return self._logged(site, [leaf])
        built, now_s = self._built(sid), self._now_s
        self._check_log(built, now_s=now_s)
        trust = self._trust(now_s)
        signed = order_signing.cosigned(
            built.fixed.body,
            [_signature(one) for one in ask.given],
            tier=built.tier,
            people=built.people,
            trust=trust,
            key=self._force.order(parse_order(built.fixed.body), trust, now_s=now_s),
            now_s=now_s,
        )
        leaf = self._ledger.append(built.site, sid=sid, envelope=signed, now_s=now_s)
        return self._logged(built.site, [leaf])

    def _check_log(self, built: Built, *, now_s: int) -> None:
        site = built.site
        self._require_whole(site)
        self._require_heard(site, now_s=now_s)
        drafted = parse_order(built.fixed.body).drafted_size()
        if self._ledger.tree(site).size - drafted >= PREV_WINDOW:
            msg = f"{site}: {PREV_WINDOW} orders were logged since it was drafted"
            raise PrevWindowError(msg)
        since_s = now_s - HOUR_S
        if (
            self._ledger.logged_since(since_s, site) >= self._rates.site
            or self._ledger.logged_since(since_s) >= self._rates.fleet
        ):
            msg = f"{site}: enough orders were signed within the hour"
            raise RateError(msg)

    def _require_whole(self, site: str) -> None:
        owed = self._ledger.owed(site)
        if owed is not None:
            have = self._ledger.tree(site).size
            msg = f"{site}: {have} orders are here, {owed.size} were signed: they must come back"
            raise LogBehindError(msg)

    def _require_heard(self, site: str, *, now_s: int) -> None:
        heard = self._heard.get(site, set())
        missing = self._known.get(site, frozenset()) - heard
        if not heard or (missing and now_s - self._since_s < PATIENCE_S):
            msg = f"{site}: its appliances must first say how far their copy of the log is"
            raise SiteUnheardError(msg)

    def _logged(self, site: str, leaves: list[OrderLeaf]) -> Logged:
        """Return leaves and the checkpoint that ends with the last of them."""
        first = leaves[0].index
        size = leaves[-1].index + 1
        return Logged(
            first=first,
            leaves=tuple(
                Leaf(sid=one.sid.hex(), envelope=one.envelope.decode("ascii")) for one in leaves
            ),
            size=size,
            checkpoint=self._checkpoint(site, size),
        )

    def _checkpoint(self, site: str, size: int) -> str:
        """Sign the head of the log's first `size` leaves; the same bytes however often."""
        tree = self._ledger.tree(site)
        root = tree.root if tree.size == size else self._root_at(site, size)
        head = Checkpoint(origin_of(self._hub, site), size, root)
        return note.sign_checkpoint(head, signer=self._force.log(self._now_s)).decode("utf-8")

    def _root_at(self, site: str, size: int) -> bytes:
        hashes = self._ledger.hashes(site, upto=size)
        return merkle.root_of(size, merkle.nodes_over_leaves(hashes))

    def _leaves(self, ask: AskLeaves) -> Logged:
        found = self._ledger.leaves(ask.site, first=ask.first, limit=BATCH_LEAVES_MAX)
        if not found:
            size = self._ledger.tree(ask.site).size
            checkpoint = self._checkpoint(ask.site, size)
            return Logged(first=size, leaves=(), size=size, checkpoint=checkpoint)
        fits = fits_leaves([len(one.envelope) for one in found])
        return self._logged(ask.site, found[:fits])

    def _hear(self, ask: AskHear) -> Stand:
        if ask.checkpoint is not None:
            self._hold_against(ask.site, self._own(ask.site, ask.checkpoint))
        self._heard.setdefault(ask.site, set()).add(ask.appliance)
        self._known[ask.site] = frozenset(ask.appliances)
        return self._stand(ask.site)

    def _own(self, site: str, text: str) -> Checkpoint:
        """Return a checkpoint that a log key of this hub signed."""
        opened = note.open_checkpoint(
            text.encode("utf-8"),
            origin=origin_of(self._hub, site),
            log_keys=self._force.log_keys(self._now_s),
        )
        return opened.checkpoint

    def _hold_against(self, site: str, told: Checkpoint) -> None:
        tree = self._ledger.tree(site)
        if told.size > tree.size:
            self._ledger.owe(site, LogPlace(told.size, told.root))
        elif (tree.root if told.size == tree.size else self._root_at(site, told.size)) != told.root:
            msg = f"{site}: this hub signed another log of {told.size} orders than it holds"
            raise OrderLogForkError(msg)

    def _stand(self, site: str) -> Stand:
        size = self._ledger.tree(site).size
        if self._ledger.owed(site) is None:
            return Stand(size=size, wanted=None)
        return Stand(size=size, wanted=size + self._ledger.pending(site))

    def _back(self, ask: AskBack) -> Stand:
        self._hold_against(ask.site, self._own(ask.site, ask.checkpoint))
        stand = self._stand(ask.site)
        if stand.wanted is not None and ask.first <= stand.wanted:
            new = ask.leaves[stand.wanted - ask.first :]
            self._ledger.take_back(ask.site, [_returned(leaf) for leaf in new], now_s=self._now_s)
        return self._stand(ask.site)

    def _head(self, text: str, key: SigningKey) -> str:
        body = _body(text)
        said = Head.from_bytes(body, "head", size_bytes_max=BODY_BYTES_MAX)
        self._require_now(said.time)
        return envelope.sign(Kind.HEAD, body, key).decode("ascii")

    def _enroll(self, ask: AskEnroll) -> Envelope:
        body = _body(ask.body)
        said = EnrollReply.from_bytes(body, "enroll", size_bytes_max=BODY_BYTES_MAX)
        self._require_now(said.time)
        return _envelope(envelope.sign(Kind.ENROLL, body, self._force.head(self._now_s)))

    def _require_now(self, time_s: int) -> None:
        if abs(time_s - self._now_s) > HEAD_SKEW_S:
            msg = f"it is dated {time_s}, which is not now"
            raise HeadTimeError(msg)

    def _cosign(self, ask: AskCosign) -> Cosignature:
        self._require_now(ask.time)
        prefix, _, rest = ask.origin.partition("/site/")
        if prefix != self._hub or "/evidence/" not in rest:
            msg = f"{ask.origin!a:.80}: only evidence logs of this hub are cosigned"
            raise OriginError(msg)
        root = b64_decode(ask.root, "root", length=merkle.HASH_BYTES)
        head = Checkpoint(ask.origin, ask.size, root)
        signer = self._force.log(self._now_s)
        made = note.cosign(head, name=self._hub, signer=signer, time_s=ask.time)
        return Cosignature(name=made.name, hint=b64_encode(made.hint), raw=b64_encode(made.raw))

    def _fresh(self, ask: AskFresh) -> Fresh:
        now_s = self._now_s
        hour_s = now_s - HOUR_S
        if self._ledger.said_since(hour_s) >= self._rates.fresh:
            msg = "enough snapshots and timestamps were signed within the hour"
            raise RateError(msg)
        signed = self._repository.say(ask, self._keys, last=self._ledger.said(), now_s=now_s)
        if signed.documents:
            # What is told was written down before: no version is given twice.
            self._ledger.keep_said(signed.current, now_s=now_s, drop_upto_s=hour_s)
        told = {role.value: data.decode("utf-8") for role, data in signed.documents.items()}
        return Fresh(
            snapshot=signed.current.snapshot,
            timestamp=signed.current.timestamp,
            snapshot_document=told.get("snapshot"),
            timestamp_document=told.get("timestamp"),
        )

    def _status(self) -> Status:
        authority = grants = expires = None
        problem = ""
        try:
            trust = self._trust(self._now_s)
            authority = trust.authority.document.version
            grants = trust.grants.document.version
            expires = trust.expires
            if not self._force.has_grant(trust):
                newest = self._keys.of(ORDER_KEY)[-1].public
                problem = f"no grant names the order key {newest.key_id}"
        except OsirisError as error:
            problem = str(error)[:500]
        publics = self._keys.publics()
        told = {
            "keys": {kind: [key.b64() for key in keys] for kind, keys in publics.items()},
            "vouchers": {
                kind: b64_encode(one.signature) for kind, one in self._keys.vouchers().items()
            },
            "authority": authority,
            "grants": grants,
            "expires": expires,
            "problem": problem,
        }
        return Status.from_value(told, "status")


def _signature(given: Given) -> Signature:
    return Signature(given.keyid, b64_decode(given.sig, "given.sig", length=SIGNATURE_BYTES))


def _body(text: str) -> bytes:
    return b64_decode(text, "body", size_bytes_max=BODY_BYTES_MAX)


def _envelope(signed: bytes) -> Envelope:
    return Envelope(envelope=signed.decode("ascii"))


def _returned(leaf: str) -> tuple[bytes, bytes]:
    """Return an order that comes back, by its name: the checkpoint vouches for its bytes."""
    raw = leaf.encode("utf-8")
    return sid_of(logged_body(raw)), raw
