"""`ports.HubTransport` over HTTPS: messages to the hub, with as few headers as there can be.

Only messages go in: they are made into bytes and signed here, at the socket, and the sentry looks
at exactly those bytes and at all they wrap. What it sees is never sent. The hub's TLS authority
comes from the pinned trust root, never from the machine's own store.
"""

import ssl
from collections.abc import Sequence
from typing import Final, Protocol

import httpx

from appliance.core.sentry import Sentry
from appliance.ports import HeldBackError, HubRefusedError
from proto import strict_json
from proto.errors import MalformedError, NotFoundError, UnreachableError
from proto.hub import orders
from proto.hub.enroll import PATH_ROOT
from proto.hub.outgoing import Outgoing, wire
from proto.keys import PublicKey, SigningKey
from runtime.no_answer import in_words

CONNECT_S: Final = 10.0
REPLY_S: Final = 30.0
REPLY_BYTES_MAX: Final = orders.REPLY_BYTES_MAX
ERROR_CHARS_MAX: Final = 200
REFUSAL_BYTES_MAX: Final = 4096
RETRY_AFTER_S_MAX: Final = 86_400
WAIT_STATUSES: Final = frozenset({408, 425, 429})


_UNKNOWN_KEY: Final = "unknown_key"


class Signer(Protocol):
    """Who signs what goes to the hub."""

    @property
    def signers(self) -> Sequence[SigningKey]:
        """The keys that sign now, at least one."""
        ...

    def introduce(self) -> bool:
        """Let further keys sign from now on; False when there are none."""
        ...


class OneKey:
    """One key that signs alone."""

    def __init__(self, key: SigningKey) -> None:
        """Sign with this key."""
        self.signers = (key,)

    def introduce(self) -> bool:
        """There is no other."""
        return False


class HubClient:
    """One kept-open connection to the hub."""

    def __init__(self, origin: str, *, tls: ssl.SSLContext, signer: Signer, sentry: Sentry) -> None:
        """Talk to `origin` (https://host[:port]) whose certificate `tls` must accept.

        Args:
            origin: the hub's address.
            tls: what vouches for it.
            signer: the appliance's own keys.
            sentry: takes the last look.
        """
        self._origin = origin
        self._signer = signer
        self._sentry = sentry
        self._client = httpx.AsyncClient(
            verify=tls,
            timeout=httpx.Timeout(REPLY_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=2),
            trust_env=False,
            follow_redirects=False,
        )
        self._client.headers.clear()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def send(self, message: Outgoing) -> bytes:
        """Send a message and return the answer; see `ports.HubTransport.send`.

        A hub that knows no key that signed it may have been put back to a day on which this
        appliance had its former key: that one signs then too, once. Or the keys were renewed while
        the message was under way: those of now sign it again.
        """
        signers = self._signer.signers
        try:
            return await self._send(message)
        except HubRefusedError as refused:
            if refused.said != _UNKNOWN_KEY:
                raise
            is_renewed = _publics(self._signer.signers) != _publics(signers)
            if not (is_renewed or self._signer.introduce()):
                raise
        return await self._send(message)

    async def _send(self, message: Outgoing) -> bytes:
        first, *others = self._signer.signers
        request = wire(message, signer=first, others=others)
        if alarms := self._sentry.look(request.body):
            raise HeldBackError(request.path, request.body, alarms)
        return await self._exchange("POST", request.path, request.body)

    async def root(self) -> bytes:
        """Return the hub's trust root, for a hub that is not trusted yet; the errors of `send`."""
        return await self._exchange("GET", PATH_ROOT, None)

    async def read(self, path: str) -> bytes:
        """Return what anybody may read at a path of the hub.

        Raises:
            NotFoundError: there is nothing.
            UnreachableError: no answer, or none that says anything.
        """
        return await self._exchange("GET", path, None)

    async def _exchange(self, method: str, path: str, body: bytes | None) -> bytes:
        request = self._client.build_request(method, self._origin + path, content=body)
        try:
            reply = await self._client.send(request, stream=True)
            try:
                answer = await _bounded(reply)
            finally:
                await reply.aclose()
        except httpx.HTTPError as error:
            msg = f"{self._origin}: {in_words(error)}"
            raise UnreachableError(msg) from error
        _judge(reply, answer, where=f"{self._origin}{path}")
        return answer


def _publics(signers: Sequence[SigningKey]) -> list[PublicKey]:
    return [one.public for one in signers]


async def _bounded(reply: httpx.Response) -> bytes:
    received = bytearray()
    async for chunk in reply.aiter_raw():
        received += chunk
        if len(received) > REPLY_BYTES_MAX:
            msg = f"hub: a reply of more than {REPLY_BYTES_MAX} bytes"
            raise MalformedError(msg)
    return bytes(received)


def _judge(reply: httpx.Response, answer: bytes, *, where: str) -> None:
    status = reply.status_code
    if status == httpx.codes.OK:
        return
    said = answer[:ERROR_CHARS_MAX].decode("utf-8", "replace")
    msg = f"{where}: status {status}: {said!a}"
    if status in WAIT_STATUSES or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise UnreachableError(msg, retry_after_s=_retry_after_s(reply))
    if status == httpx.codes.NOT_FOUND:
        raise NotFoundError(msg)
    raise HubRefusedError(msg, said=_code_in(answer))


def _code_in(answer: bytes) -> str:
    """Return the code in the body of a refusal, "" where there is none."""
    try:
        found = strict_json.loads(answer, size_bytes_max=REFUSAL_BYTES_MAX, where="hub")
    except MalformedError:
        return ""
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) else ""


def _retry_after_s(reply: httpx.Response) -> int | None:
    """Return the wait that Retry-After asks for in seconds (RFC 9110, 10.2.3), bounded."""
    text = reply.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(int(text[:6]), RETRY_AFTER_S_MAX)
