"""An appliance as the hub sees one: real keys, real envelopes, a real log; no store and no LAN."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from proto import strict_json
from proto.appliance_keys import Place, keys_leaf
from proto.claim import ClaimCode, claim_proof
from proto.envelope import Kind, open_envelope, sign
from proto.evidence import (
    SALT_BYTES,
    Action,
    CauseOf,
    CheckLine,
    HealLeaf,
    HealthLeaf,
    IncidentLeaf,
    Leaf,
    Outcome,
    Result,
    ScanLeaf,
    Side,
    Turn,
    commit,
)
from proto.findings import Reason, Scalar, Verdict
from proto.hub.check_in import CheckIn, FullState, Head
from proto.hub.devices import NOTHING_HELD
from proto.hub.enroll import EnrollReply, EnrollRequest
from proto.ids import ApplianceId, SiteId
from proto.incidents import Cause, Severity
from proto.keys import SEED_BYTES, SealingKey, SigningKey
from proto.merkle import Tree, leaf_hash
from proto.note import Checkpoint, sign_checkpoint
from proto.strict_json import b64_encode
from proto.trust_root import TrustRoot
from runtime.clock import Entropy

CONTENT = "ab" * 32


@dataclass(slots=True)
class Box:
    """An enrolled appliance; `leaves` are the envelopes of its log and `details` lie beside."""

    key: SigningKey
    sealing: SealingKey
    entropy: Entropy
    site: str = ""
    appliance: str = ""
    origin: str = ""
    seq: int = -1
    page_seq: int = -1
    leaves: list[bytes] = field(default_factory=list)
    details: dict[int, list[dict[str, object]]] = field(default_factory=dict)

    @classmethod
    def make(cls, entropy: Entropy) -> "Box":
        """Make one with keys of its own, not enrolled yet."""
        return cls(SigningKey(entropy(SEED_BYTES)), SealingKey(entropy(SEED_BYTES)), entropy)

    def enroll_request(
        self, code: ClaimCode, *, now_s: int, signer: SigningKey | None = None
    ) -> bytes:
        """Return a request to enroll by a claim code."""
        proof = claim_proof(code.secret, ed25519=self.key.public, x25519=self.sealing.public)
        request = EnrollRequest(
            claim=b64_encode(claim_name(code.secret)),
            ed25519=self.key.public.b64(),
            x25519=self.sealing.public.b64(),
            proof=b64_encode(proof),
            iat=now_s,
            challenge=b64_encode(self.entropy(16)),
        )
        return sign(Kind.ENROLL, request.to_bytes(), signer or self.key)

    def enrolled(self, answer: bytes, root: TrustRoot) -> EnrollReply:
        """Verify and keep the hub's answer."""
        opened = open_envelope(answer, kind=Kind.ENROLL, trust=root.heads())
        reply = EnrollReply.from_bytes(opened.body, "reply", size_bytes_max=4096)
        self.site, self.appliance, self.origin = reply.site, reply.appliance, reply.log_origin
        return reply

    def check_in(
        self,
        *,
        now_s: int,
        state: bytes = bytes(32),
        full: FullState | None = None,
        seq: int | None = None,
        appliance: str | None = None,
    ) -> bytes:
        """Return the next check-in, or one with another number."""
        self.seq = self.seq + 1 if seq is None else seq
        said = CheckIn(
            appliance=appliance or self.appliance,
            seq=self.seq,
            iat=now_s,
            challenge=b64_encode(self.entropy(16)),
            as_of=now_s,
            state=b64_encode(state),
            full=full,
        )
        return sign(Kind.CHECKIN, said.to_bytes(), self.key)

    def append(self, leaf: Leaf, openings: Mapping[str, tuple[bytes, bytes]] | None = None) -> int:
        """Sign a leaf and append it to the log, with its details beside; return its index."""
        index = len(self.leaves)
        self.leaves.append(sign(Kind.EVIDENCE, leaf.to_bytes(), self.key))
        self.details[index] = [
            {"leaf": index, "part": part, "salt": b64_encode(salt), "detail": raw.decode()}
            for part, (salt, raw) in (openings or {}).items()
        ]
        return index

    def scan(
        self,
        target: str,
        verdicts: Mapping[str, tuple[Verdict, Mapping[str, Scalar]]],
        *,
        at_s: int,
    ) -> int:
        """Append a scan of one target; return its index."""
        lines: list[CheckLine] = []
        openings: dict[str, tuple[bytes, bytes]] = {}
        for place, (check, (verdict, seen)) in enumerate(verdicts.items()):
            salt, raw = self.entropy(SALT_BYTES), strict_json.dumps(dict(seen))
            openings[f"checks.{place}"] = (salt, raw)
            reason = Reason.UNREACHABLE if verdict is Verdict.UNKNOWN else None
            sealed = b64_encode(commit(salt, raw))
            lines.append(CheckLine(id=check, verdict=verdict, reason=reason, commit=sealed))
        leaf = ScanLeaf(
            site=self.site,
            appliance=self.appliance,
            seq=len(self.leaves),
            at=at_s,
            target=target,
            content=CONTENT,
            period=(at_s, at_s),
            full=False,
            checks=tuple(lines),
        )
        return self.append(leaf, openings)

    def turn(
        self, incident: str, target: str, check: str, *, kind: Turn, cause: Cause | None, at_s: int
    ) -> int:
        """Append a turn of an incident's life; return its index."""
        leaf = IncidentLeaf(
            site=self.site,
            appliance=self.appliance,
            seq=len(self.leaves),
            at=at_s,
            target=target,
            incident=incident,
            check=check,
            platform="linux",
            severity=Severity.HIGH,
            turn=kind,
            cause=cause,
            actor="engine",
            content=CONTENT,
        )
        return self.append(leaf)

    def heal(self, incident: str, target: str, check: str, *, result: Result, at_s: int) -> int:
        """Append a repair whose re-check passed if it healed; return its index."""
        after = Verdict.COMPLIANT if result is Result.HEALED else Verdict.DRIFTED
        told: dict[str, dict[str, Scalar]] = {
            "before": {"value": "yes"},
            "action": {"steps": 1},
            "after": {"value": "no" if result is Result.HEALED else "yes"},
        }
        openings = {
            part: (self.entropy(SALT_BYTES), strict_json.dumps(seen)) for part, seen in told.items()
        }
        sealed = {part: b64_encode(commit(*opening)) for part, opening in openings.items()}
        leaf = HealLeaf(
            site=self.site,
            appliance=self.appliance,
            seq=len(self.leaves),
            at=at_s,
            target=target,
            incident=incident,
            check=check,
            attempt=1,
            cause=CauseOf(rule=f"l1.{check}"),
            content=CONTENT,
            runbook=f"rb.{check}",
            before=Side(verdict=Verdict.DRIFTED, reason=None, commit=sealed["before"]),
            action=Action(outcome=Outcome.DONE, changed=True, commit=sealed["action"]),
            after=Side(verdict=after, reason=None, commit=sealed["after"]),
            result=result,
        )
        return self.append(leaf, openings)

    def health(self, code: str, *, ok: bool, at_s: int) -> int:
        """Append a word about the appliance's own health; return its index."""
        leaf = HealthLeaf(
            site=self.site,
            appliance=self.appliance,
            seq=len(self.leaves),
            at=at_s,
            code=code,
            ok=ok,
        )
        return self.append(leaf)

    def renew(self, *, at_s: int, signer: SigningKey | None = None) -> SigningKey:
        """Go on with other keys by a leaf, signed with the former, which is returned."""
        former = self.key
        following, self.sealing = (
            SigningKey(self.entropy(SEED_BYTES)),
            SealingKey(self.entropy(SEED_BYTES)),
        )
        place = Place(SiteId(self.site), ApplianceId(self.appliance), len(self.leaves), at_s)
        leaf = keys_leaf(
            place, former=former.public, signing=following, sealing=self.sealing.public
        )
        self.key = signer or former
        self.append(leaf)
        self.key = following
        return former

    def checkpoint(self, size: int | None = None, *, root: bytes | None = None) -> str:
        """Return the signed head of the log at a size, by default the whole."""
        end = len(self.leaves) if size is None else size
        tree = Tree().extend(leaf_hash(one) for one in self.leaves[:end])
        head = Checkpoint(self.origin, end, root or tree.root)
        return sign_checkpoint(head, signer=self.key).decode()

    def batch(
        self, first: int = 0, end: int | None = None, *, checkpoint: str | None = None
    ) -> bytes:
        """Return the evidence request for the leaves [first, end)."""
        stop = len(self.leaves) if end is None else end
        # As JSON, not as a message: a box says whatever a test makes it say, scrubbed or not.
        return strict_json.dumps(
            {
                "v": 1,
                "appliance": self.appliance,
                "first": first,
                "leaves": [one.decode() for one in self.leaves[first:stop]],
                "details": [one for index in range(first, stop) for one in self.details[index]],
                "checkpoint": checkpoint or self.checkpoint(),
            }
        )

    def devices(
        self,
        entries: Sequence[Mapping[str, object]],
        *,
        now_s: int,
        after: str | None = None,
        until: str | None = None,
        seq: int | None = None,
        appliance: str | None = None,
    ) -> bytes:
        """Return the next page of the list of devices, or one with another number."""
        self.page_seq = self.page_seq + 1 if seq is None else seq
        body = strict_json.dumps(
            {
                "v": 1,
                "appliance": appliance or self.appliance,
                "seq": self.page_seq,
                "iat": now_s,
                "digest": NOTHING_HELD,
                "after": after,
                "until": until,
                "entries": list(entries),
            }
        )
        return sign(Kind.DEVICES, body, self.key)


def claim_name(secret: bytes) -> bytes:
    """Return which claim a secret belongs to: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(secret).digest()[:16]


def read_head(answer: bytes, root: TrustRoot) -> Head:
    """Verify a head and return it."""
    opened = open_envelope(answer, kind=Kind.HEAD, trust=root.heads())
    return Head.from_bytes(opened.body, "head", size_bytes_max=4096)


def said(answer: bytes) -> dict[str, object]:
    """Return a JSON answer."""
    value = strict_json.loads(answer, size_bytes_max=65536)
    assert isinstance(value, dict)
    return dict(value)
