"""A desk's way to its hub: signed asks out, answers in, over TLS that the desk itself vouches for.

Nothing secret crosses: the private key signs here. An answer is bounded, of a closed schema, and
only ever the hub's word; what is signed or verified is judged by `reading` and `order_proof`.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import httpx

from osiris.desk.place import Hub
from proto import strict_json
from proto.asks import Ask
from proto.envelope import Kind, sign
from proto.errors import (
    ConfigError,
    ConflictError,
    MalformedError,
    NotFoundError,
    OsirisError,
    RejectedError,
    UnreachableError,
)
from proto.hub.desk import (
    PATH_ASK,
    PATH_DRAFT,
    PATH_OPINION,
    REPLY_BYTES_MAX,
    DeskAsk,
    OrdersListed,
    Taken,
)
from proto.keys import SigningKey
from proto.message import Message
from runtime.clock import Clock, Entropy, seconds
from runtime.no_answer import in_words

CONNECT_S: Final = 10.0
REPLY_S: Final = 60.0
NONCE_BYTES: Final = 16
SAID_CHARS_MAX: Final = 300

M = TypeVar("M", bound=Message)
_FAMILIES: Final[dict[int, type[OsirisError]]] = {
    400: MalformedError,
    404: NotFoundError,
    409: ConflictError,
    503: UnreachableError,
}


class HubLink:
    """One person's connection to one hub, for one command."""

    def __init__(
        self,
        hub: Hub,
        client: httpx.Client,
        *,
        person: str,
        key: SigningKey,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Speak through an open client as a person."""
        self.hub = hub
        self.person = person
        self._client = client
        self._key = key
        self._clock = clock
        self._entropy = entropy

    @property
    def now_s(self) -> int:
        """Seconds since the epoch, by this machine's clock."""
        return seconds(self._clock)

    def stamp(self) -> dict[str, Any]:
        """Return the members that every ask has: who, when, and a nonce."""
        return {
            "by": self.person,
            "iat": self.now_s,
            "nonce": self._entropy(NONCE_BYTES).hex(),
        }

    def draft(self, ask: Ask) -> tuple[bytes, OrdersListed]:
        """Ask for orders to be drafted; return the ask as it was signed, and what the hub made."""
        signed = sign(Kind.ASK, ask.to_bytes(), self._key)
        return signed, self._post(PATH_DRAFT, signed, OrdersListed)

    def ask(self, ask: DeskAsk, reply: type[M]) -> M:
        """Ask anything else.

        Raises:
            OsirisError: of the family of the hub's refusal.
            UnreachableError: the hub does not answer.
        """
        return self._post(PATH_ASK, sign(Kind.ASK, ask.to_bytes(), self._key), reply)

    def opinion(self, kind: Kind, body: bytes) -> Taken:
        """Hand the hub a veto, for every appliance of its site."""
        return self.send_opinion(sign(kind, body, self._key))

    def send_opinion(self, signed: bytes) -> Taken:
        """Hand the hub a veto or the end of a hold, signed by whoever must."""
        return self._post(PATH_OPINION, signed, Taken)

    def _post(self, path: str, body: bytes, reply: type[M]) -> M:
        where = f"{self.hub.origin}{path}"
        try:
            with self._client.stream("POST", where, content=body) as answer:
                data = _bounded(answer)
        except httpx.HTTPError as error:
            msg = f"{self.hub.origin}: {in_words(error)}"
            raise UnreachableError(msg) from error
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer.status_code, data)
        return reply.from_bytes(data, "hub's answer", size_bytes_max=REPLY_BYTES_MAX)


@contextmanager
def linked(
    hub: Hub, *, person: str, key: SigningKey, clock: Clock, entropy: Entropy
) -> Iterator[HubLink]:
    """Open the way to a hub for one command.

    Raises:
        ConfigError: the desk's TLS authority file holds none.
    """
    try:
        context = ssl.create_default_context(cadata=hub.tls_ca_pem)
    except (ssl.SSLError, ValueError) as error:
        msg = f"the hub's TLS authority: not a PEM certificate: {error}"
        raise ConfigError(msg) from error
    timeout = httpx.Timeout(REPLY_S, connect=CONNECT_S)
    with httpx.Client(
        verify=context, timeout=timeout, trust_env=False, follow_redirects=False
    ) as client:
        yield HubLink(hub, client, person=person, key=key, clock=clock, entropy=entropy)


def _bounded(answer: httpx.Response) -> bytes:
    received = bytearray()
    for chunk in answer.iter_raw():
        received += chunk
        if len(received) > REPLY_BYTES_MAX:
            msg = f"the hub's answer is longer than {REPLY_BYTES_MAX} bytes"
            raise MalformedError(msg)
    return bytes(received)


def _refusal(status: int, data: bytes) -> OsirisError:
    family = _FAMILIES.get(status, RejectedError)
    try:
        found = strict_json.members(
            strict_json.loads(data, size_bytes_max=4096), "answer", required=("code", "message")
        )
        said = f"{found['message']} [{found['code']}]"
    except MalformedError:
        said = f"status {status}"
    return family(f"the hub refused: {said[:SAID_CHARS_MAX]}")
