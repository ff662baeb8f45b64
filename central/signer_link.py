"""The hub's way to its signer: it asks, and holds no key that signs.

`SocketTalk` speaks to the process; whatever else takes a frame and gives one serves as well.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from central.core import order_refusals
from central.core.orders import Approval, Fixed, OrderLeaf, Wish
from central.core.signer_talk import (
    FRAME_BYTES_MAX,
    HEADS_MAX,
    LENGTH_BYTES,
    Approved,
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
    Logged,
    Promoted,
    Refused,
    Renewed,
    Stand,
    Status,
)
from proto import note, strict_json
from proto.envelope import BODY_BYTES_MAX, Signature
from proto.errors import OsirisError, UnreachableError
from proto.ids import ApplianceId, SiteId
from proto.keys import SIGNATURE_BYTES, PublicKey
from proto.merkle import leaf_hash
from proto.message import Message
from proto.note import Checkpoint, NoteSignature
from proto.strict_json import b64_decode, b64_encode
from runtime.repository.hub_keys import Voucher

M = TypeVar("M", bound=Message)
Talk = Callable[[bytes], Awaitable[bytes]]
ANSWER_S: Final = 10.0
CONTENT_S: Final = 60.0
"""For a whole release to be read and checked, on a machine that is busy."""

NO_SITE: Final = SiteId("s-aaaaaaaaaa")


class SocketTalk:
    """Frames to and from the signer's socket, one question after another."""

    def __init__(
        self, path: Path, *, answer_s: float = ANSWER_S, process: int | None = None
    ) -> None:
        """Name the socket; it is connected to when it is first needed.

        Args:
            path: the socket.
            answer_s: how long an answer is waited for.
            process: who has to be at the other end; None for whoever listens. The signer of a hub
                that was killed may answer a moment longer than it.
        """
        self._path = path
        self._process = process
        self._answer_s = answer_s
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __call__(self, frame: bytes) -> bytes:
        """Return the answer to a frame.

        Raises:
            UnreachableError: the signer is not there, or did not answer.
        """
        async with self._turn:
            answer: bytes | None = None
            try:
                async with asyncio.timeout(self._answer_s):
                    answer = await self._exchange(frame)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                msg = f"the signer does not answer: {type(error).__name__}"
                raise UnreachableError(msg) from error
            finally:
                if answer is None:
                    # What comes next on this connection might answer the question that was cut off.
                    await self.close()
            return answer

    async def _exchange(self, frame: bytes) -> bytes:
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(
                str(self._path), limit=FRAME_BYTES_MAX + LENGTH_BYTES
            )
        reader, writer = self._streams
        if self._process not in {None, _peer(writer)}:
            msg = "another process than the signer listens there"
            raise ConnectionRefusedError(msg)
        writer.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        return await reader.readexactly(length)

    async def __aenter__(self) -> Self:
        """Give itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the process at the other end of a Unix socket, see unix(7)."""
    form = struct.Struct("3i")
    told = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, form.size
    )
    return int(form.unpack(told)[0])


class SignerLink:
    """What the hub may ask of its signer. Refusals are raised with their codes.

    Every method raises `UnreachableError` when the signer does not answer; a refusal is of
    `central.core.order_refusals`.
    """

    def __init__(self, talk: Talk) -> None:
        """Speak through `talk`."""
        self._talk = talk
        self._heads: deque[tuple[bytes, asyncio.Future[bytes]]] = deque()
        self._heads_turn = asyncio.Lock()

    async def _ask(self, ask: Message, kind: type[M]) -> M:
        frame = await self._talk(ask.to_bytes())
        value = strict_json.loads(frame, size_bytes_max=FRAME_BYTES_MAX, where="signer")
        if isinstance(value, dict) and "refused" in value:
            refused = Refused.from_value(value, "signer")
            raise order_refusals.of_code(refused.refused, refused.message)
        return kind.from_value(value, "signer")

    async def answers(self) -> None:
        """Return once the signer answered a question that costs it nothing."""
        await self.stand(NO_SITE)

    async def status(self) -> Status:
        """Return how the signer does."""
        return await self._ask(AskStatus(), Status)

    async def keys(self) -> Mapping[str, tuple[PublicKey, ...]]:
        """Return the signer's public keys by kind: the former, and the next if one is to follow."""
        told = (await self.status()).keys
        return {
            kind: tuple(PublicKey.from_b64(one, f"signer.{kind}") for one in keys)
            for kind, keys in told.items()
        }

    async def vouchers(self) -> Mapping[str, Voucher]:
        """Return what each former key of the signer says of the one that is to follow it."""
        told = await self.status()
        return {
            kind: Voucher(
                PublicKey.from_b64(told.keys[kind][0], f"signer.{kind}"),
                b64_decode(signature, f"signer.vouchers.{kind}", length=SIGNATURE_BYTES),
            )
            for kind, signature in told.vouchers.items()
        }

    async def fresh(self, ask: AskFresh) -> Fresh:
        """Have it said which content is current."""
        return await self._ask(ask, Fresh)

    async def promote(self, ask: AskPromote) -> bytes:
        """Return promoted rules that an operator signed, with the hub's signature beside."""
        return (await self._ask(ask, Promoted)).document.encode("utf-8")

    async def renew(self, kind: str) -> PublicKey:
        """Return the key that is to follow one of the signer's, made now unless it was before.

        Raises:
            MalformedError: there is no such kind.
        """
        ask = AskRenew.from_value({"op": "renew", "kind": kind}, "keys")
        return PublicKey.from_b64((await self._ask(ask, Renewed)).public, "signer.public")

    async def head(self, body: bytes) -> bytes:
        """Return a signed head; its `time` must be now.

        Heads that are wanted while the signer works are asked for together.
        """
        mine: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._heads.append((body, mine))
        async with self._heads_turn:
            while not mine.done():
                await self._sign_heads()
        return mine.result()

    async def _sign_heads(self) -> None:
        """Have the heads signed that have waited longest."""
        batch = [self._heads.popleft() for _ in range(min(len(self._heads), HEADS_MAX))]
        try:
            bodies = tuple(b64_encode(body) for body, _ in batch)
            answer = await self._ask(AskHeads(bodies=bodies), Envelopes)
            for (_, made), signed in zip(batch, answer.envelopes, strict=True):
                made.set_result(signed.encode("ascii"))
        except OsirisError as error:
            for _, made in batch:
                made.set_exception(error)
                made.exception()  # whoever wanted it may have gone
        finally:
            # Of a question that was cut off: the next in turn asks again.
            self._heads.extendleft(reversed([one for one in batch if not one[1].done()]))

    async def enroll(self, body: bytes) -> bytes:
        """Return a signed answer to an enrollment."""
        answer = await self._ask(AskEnroll(body=b64_encode(body)), Envelope)
        return answer.envelope.encode("ascii")

    async def cosigned(self, data: bytes, checkpoint: Checkpoint, *, time_s: int) -> bytes:
        """Return an evidence log's note with the hub's cosignature added."""
        ask = AskCosign(
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=b64_encode(checkpoint.root),
            time=time_s,
        )
        made = await self._ask(ask, Cosignature)
        signature = NoteSignature(
            made.name, b64_decode(made.hint, "signer.hint"), b64_decode(made.raw, "signer.raw")
        )
        return note.parse(data).with_signature(signature)

    async def draft(self, wish: Wish) -> Fixed:
        """Return the body that the signer builds of a wish.

        Raises:
            MalformedError: it does not fit its schema.
        """
        said = {
            "site": wish.site,
            "appliance": wish.appliance,
            "type": wish.type.value,
            "params": dict(wish.params),
            "tier": int(wish.tier),
            "people": wish.people,
            "life_s": wish.life_s,
            "not_before": wish.not_before_s,
            "reason": wish.reason,
            "by": wish.by,
        }
        ask = AskDraft.from_value(said, "draft")
        made = await self._ask(ask, Drafted)
        body = b64_decode(made.body, "signer.body", size_bytes_max=BODY_BYTES_MAX)
        return Fixed(bytes.fromhex(made.sid), body, made.iat, made.exp)

    async def person_of(self, sid: bytes, signature: Signature) -> str:
        """Return whose signature this is, if it counts for the order."""
        ask = AskApproval.from_value({"sid": sid.hex(), "given": _given(signature)}, "approval")
        return (await self._ask(ask, Approved)).person

    async def log(self, sid: bytes, approvals: Collection[Approval]) -> tuple[OrderLeaf, str]:
        """Have an order signed and logged; return its leaf and the checkpoint that ends with it."""
        said = {"sid": sid.hex(), "given": [_given(one.signature) for one in approvals]}
        made = await self._ask(AskLog.from_value(said, "log"), Logged)
        (leaf,) = _leaves(made)
        return leaf, made.checkpoint

    async def leaves(self, site: SiteId, *, first: int) -> tuple[list[OrderLeaf], str]:
        """Return logged orders from an index on, and the checkpoint that ends with the last."""
        made = await self._ask(AskLeaves(site=site, first=first), Logged)
        return _leaves(made), made.checkpoint

    async def hear(
        self,
        site: SiteId,
        appliance: ApplianceId,
        *,
        appliances: Sequence[ApplianceId],
        checkpoint: str | None,
    ) -> Stand:
        """Pass on where an appliance's copy of its site's order log stands."""
        said = {
            "site": site,
            "appliance": appliance,
            "appliances": list(appliances),
            "checkpoint": checkpoint,
        }
        return await self._ask(AskHear.from_value(said, "hear"), Stand)

    async def stand(self, site: SiteId) -> Stand:
        """Return where the signer's log of a site is."""
        return await self._ask(AskStand(site=site), Stand)

    async def give_back(
        self, site: SiteId, *, first: int, leaves: Sequence[str], checkpoint: str
    ) -> Stand:
        """Give back leaves that the signer lacks."""
        ask = AskBack(site=site, first=first, leaves=tuple(leaves), checkpoint=checkpoint)
        return await self._ask(ask, Stand)


def _given(signature: Signature) -> dict[str, str]:
    return {"keyid": signature.key_id, "sig": b64_encode(signature.raw)}


def _leaves(logged: Logged) -> list[OrderLeaf]:
    found: list[OrderLeaf] = []
    for place, one in enumerate(logged.leaves):
        raw = one.envelope.encode("ascii")
        index = logged.first + place
        found.append(OrderLeaf(index, bytes.fromhex(one.sid), raw, leaf_hash(raw)))
    return found
