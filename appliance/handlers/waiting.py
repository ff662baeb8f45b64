"""Targets that were asked for on a page and wait for a person to confirm their host key.

Between the two steps the credential is here and nowhere else: never on a page, never in the store,
in memory only sealed, for `LIFE_MS` at most. A ticket names it: random, good once, and only for the
account that asked.
"""

import base64
from collections import OrderedDict
from dataclasses import dataclass, replace

from appliance.handlers.targets import Shown, Wanted
from appliance.handlers.work import Work
from appliance.ports import Credential
from proto.errors import NotFoundError

LIFE_MS = 300_000
WAITING_MAX = 16
TICKET_BYTES = 16

_KINDS = ("private_key", "password", "sudo_password")
_GONE = (
    "This is over: it waited longer than five minutes, or was used. Nothing was added. Begin again."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person.

    Attributes:
        wanted: what was asked for, without any secret.
        shown: the host key that the machine showed.
        account: who asked.
    """

    wanted: Wanted
    shown: Shown
    account: str
    until_ms: int


class WaitingRoom:
    """The waiting ones: a bounded number, and none for long."""

    def __init__(self, work: Work) -> None:
        """Begin empty."""
        self._work = work
        self._waiting: OrderedDict[str, tuple[Waiting, dict[str, bytes]]] = OrderedDict()

    def put(self, wanted: Wanted, shown: Shown, *, account: str) -> str:
        """Keep what was asked for; return the ticket."""
        now_ms = self._work.clock.now_ms()
        raw = self._work.entropy(TICKET_BYTES)
        ticket = base64.b32encode(raw).decode("ascii").rstrip("=").lower()
        sealed = {
            kind: self._work.sealer.seal(secret, context=_context(ticket, kind))
            for kind in _KINDS
            if (secret := getattr(wanted.credential, kind)) is not None
        }
        bare = replace(wanted, credential=Credential(None, None, None))
        waiting = Waiting(bare, shown, account, now_ms + LIFE_MS)
        self._forget(now_ms)
        self._waiting[ticket] = (waiting, sealed)
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popitem(last=False)
        return ticket

    def look(self, ticket: str, *, account: str) -> Waiting:
        """Return what waits under a ticket, without its secrets.

        Raises:
            NotFoundError: nothing waits under it for this account.
        """
        self._forget(self._work.clock.now_ms())
        waiting, _ = self._waiting.get(ticket, (None, {}))
        if waiting is None or waiting.account != account:
            raise NotFoundError(_GONE)
        return waiting

    def take(self, ticket: str, *, account: str) -> Wanted:
        """Return what waits under a ticket with its credential; the ticket is spent.

        Raises:
            NotFoundError: as `look`.
        """
        waiting = self.look(ticket, account=account)
        _, sealed = self._waiting.pop(ticket)
        opened = {
            kind: self._work.sealer.open(sealed[kind], context=_context(ticket, kind))
            if kind in sealed
            else None
            for kind in _KINDS
        }
        return replace(
            waiting.wanted, host_key=waiting.shown.host_key, credential=Credential(**opened)
        )

    def _forget(self, now_ms: int) -> None:
        over = [one for one, (held, _) in self._waiting.items() if held.until_ms <= now_ms]
        for ticket in over:
            del self._waiting[ticket]


def _context(ticket: str, kind: str) -> str:
    return f"waiting:{ticket}:{kind}"
