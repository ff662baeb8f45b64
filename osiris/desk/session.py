"""One command at a desk: the person's key opened, the hub reached, and both put away after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from osiris.desk import asking
from osiris.desk.hub_link import HubLink, linked
from osiris.desk.place import Desk
from osiris.desk.reading import BytesChangedError
from osiris.desk.words import moment
from proto.asks import Ask
from proto.envelope import Kind, Signature, signature_of
from proto.errors import ConfigError, NotFoundError
from proto.hub.desk import (
    APPROVALS_MAX,
    LIST_MAX,
    Approve,
    ListOrders,
    OneApproval,
    OrderLine,
    OrderShown,
    OrdersListed,
    OrdersToSign,
    OrderToSign,
    ShowBatch,
    ShowOrder,
    Taken,
    batch_name,
)
from proto.keys import SigningKey
from proto.keysets import DAY_S, Role
from proto.strict_json import b64_encode
from runtime import keyfile
from runtime.clock import SystemClock, seconds, system_entropy
from runtime.terminal import note

SID_CHARS: Final = 64
PREFIX_CHARS_MIN: Final = 8
TOLD_BEFORE_S: Final = DAY_S
KEY_TOLD_BEFORE_S: Final = 14 * DAY_S


@dataclass(frozen=True, slots=True)
class Session:
    """A person at their desk, with their key open, and their hub."""

    desk: Desk
    link: HubLink
    key: SigningKey

    def draft(self, ask: Ask) -> OrdersListed:
        """Ask for drafts, and keep the ask to hold what comes back against.

        Raises:
            OsirisError: the hub refused, or does not answer.
        """
        batch = batch_name(ask.to_bytes())
        signed, made = self.link.draft(ask)
        self.desk.keep_ask(batch, signed, now_s=self.link.now_s)
        return made

    def listed(self, site: str | None, *, limit: int) -> tuple[OrderLine, ...]:
        """Return the newest orders of a site, or of every one."""
        asked = ListOrders(site=site, limit=limit, **self.link.stamp())
        return self.link.ask(asked, OrdersListed).orders

    def named(self, name: str) -> str:
        """Return the whole sid that a name or its first digits mean.

        Raises:
            NotFoundError: none of the newest orders is so called.
            ConfigError: several are, or it is no name.
        """
        digits = name.replace(" ", "").lower()
        if len(digits) < PREFIX_CHARS_MIN or set(digits) - set("0123456789abcdef"):
            msg = f"{name}: an order is named by its sid, or its first {PREFIX_CHARS_MIN} digits"
            raise ConfigError(msg)
        if len(digits) == SID_CHARS:
            return digits
        found = {
            line.sid
            for line in self.listed(None, limit=LIST_MAX)
            if line.sid and line.sid.startswith(digits)
        }
        if len(found) != 1:
            what = "several orders begin" if found else f"none of the {LIST_MAX} newest begins"
            msg = f"{name}: {what} so; give the whole sid"
            raise ConfigError(msg) if found else NotFoundError(msg)
        return found.pop()

    def shown(self, sid: str) -> OrderShown:
        """Return all that the hub has of one order.

        Raises:
            BytesChangedError: the hub answered with another order.
        """
        found = self.link.ask(ShowOrder(order=sid, **self.link.stamp()), OrderShown)
        if found.order.line.sid != sid:
            msg = f"order {sid}: the hub answered with order {found.order.line.sid}"
            raise BytesChangedError(msg)
        return found

    def to_sign(self, name: str) -> tuple[OrderToSign, ...]:
        """Return the orders that a sid or a batch names."""
        if not name.startswith("b-"):
            return (self.shown(self.named(name)).order,)
        asked = ShowBatch(batch=name, **self.link.stamp())
        return self.link.ask(asked, OrdersToSign).orders

    def sign(self, body: bytes) -> Signature:
        """Return this person's signature over an order's exact bytes."""
        return signature_of(Kind.ORDER, body, signer=self.key)

    def approve(self, signed: dict[str, Signature]) -> None:
        """Hand the hub signatures by the order's sid, in parts that fit into an ask."""
        pairs = [
            OneApproval(order=name, keyid=one.key_id, sig=b64_encode(one.raw))
            for name, one in signed.items()
        ]
        for start in range(0, len(pairs), APPROVALS_MAX):
            part = tuple(pairs[start : start + APPROVALS_MAX])
            self.link.ask(Approve(approvals=part, **self.link.stamp()), Taken)
            if len(pairs) > APPROVALS_MAX:
                note(f"{start + len(part)} of {len(pairs)} signatures are at the hub")


@contextmanager
def at(desk: Desk) -> Iterator[Session]:
    """Open a person's key and the way to their hub.

    A key that was renewed signs nothing before authority lists it: until then the former is opened.

    Raises:
        ConfigError: the desk has no key or no hub, or the key is not an operator's.
        PassphraseError: the passphrase is another one.
    """
    clock = SystemClock()
    file, hub = _own_key(desk, now_s=seconds(clock)), desk.hub()
    if file.role is not Role.OPERATOR:
        msg = f"{file.path}: a key of role {file.role}, an operator's is needed"
        raise ConfigError(msg)
    tell_of_end(desk, now_s=seconds(clock))
    tell_of_key(desk, file, now_s=seconds(clock))
    secret = asking.passphrase(f"{file.person}'s passphrase: ") if file.is_sealed else None
    key = file.open(secret)
    with linked(hub, person=file.person, key=key, clock=clock, entropy=system_entropy) as link:
        yield Session(desk, link, key)


def tell_of_end(desk: Desk, *, now_s: int) -> None:
    """Say in time that what the desk goes by ends: it is taken anew by a person alone."""
    trust = desk.trust()
    if trust is None or now_s < trust.expires - TOLD_BEFORE_S:
        return
    ends = "have ended" if now_s >= trust.expires else f"end {moment(trust.expires)}"
    note(f"This desk's authority and grants {ends}: osiris content trust --from-hub")


def tell_of_key(desk: Desk, file: keyfile.KeyFile, *, now_s: int) -> None:
    """Say beforehand when what a key signs counts for nothing, or soon will."""
    authority = desk.authority()
    if authority is None:
        return
    listed = authority.by_key.get(file.public.raw)
    if listed is None:
        note(
            f"This desk's authority does not list this key of {file.person}: the hub does not hear"
            " it, and what it signs counts for nothing. Give its public key to the people who sign"
            " releases; once they have published: osiris content trust --from-hub"
        )
        return
    again = f"osiris hub ceremony key {file.person} --role operator --renew"
    if now_s < listed.not_before:
        note(f"What this key signs counts from {moment(listed.not_before)}.")
    elif now_s >= listed.not_after:
        note(f"This key ended {moment(listed.not_after)}: what it signs counts no more: {again}")
    elif now_s >= listed.not_after - KEY_TOLD_BEFORE_S:
        note(f"This key ends {moment(listed.not_after)}; in time: {again}")


def _own_key(desk: Desk, *, now_s: int) -> keyfile.KeyFile:
    """Return the person's key file: the former's while it alone counts, as this desk holds it."""
    path, former = desk.key_path, desk.former_of(Role.OPERATOR)
    if not path.exists() and not former.exists():
        msg = (
            f"{path}: there is no operator's key yet; --desk names another desk, and"
            " `osiris order key new NAME` makes a key"
        )
        raise ConfigError(msg)
    if not former.exists():
        return keyfile.read(path)
    authority = desk.authority()
    if authority is None:
        note(f"{former} is not used: this desk holds no authority to go by: osiris content trust")
        return keyfile.read(path)

    def counts(file: keyfile.KeyFile) -> bool:
        listed = authority.by_key.get(file.public.raw)
        return listed is not None and listed.counts_at(now_s)

    # A renewal that was cut may have left the former alone.
    if path.exists() and counts(found := keyfile.read(path)):
        return found
    before = keyfile.read(former)
    if not counts(before):
        return keyfile.read(path)
    note(
        f"Your former key is opened, {former}: this desk's authority does not list the next one. "
        "Once a release that lists it is published: osiris content trust"
    )
    return before
