"""Adding, testing and removing targets.

Adding is two questions. `look` shows the host key that the host shows, for a person to compare;
`add` pins exactly the confirmed one, tries the login, asks what the host is and whether root can be
had, and stores all of it in one transaction. Until that transaction nothing has changed, whatever
fails. A device that is off limits is refused before the first connect but the three medical ports.

Each way to fail has its own code or reason, and a sentence on what to do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

import aiosqlite

from appliance.core.classify import device_class, off_limits
from appliance.core.identity import AttributeKind, Identified, Sighting, fingerprint
from appliance.handlers.approach import (
    Approached,
    approach,
    explained,
    refuse_held,
    refuse_off_limits,
)
from appliance.handlers.discover import NOTHING, keep, observe, place
from appliance.handlers.logins import login_of
from appliance.handlers.run_time import note_run, run_ms
from appliance.handlers.work import Work
from appliance.ports import Credential, Login, Script, Session, ShellError, Sudo
from appliance.store import conflicts, devices, limits, targets
from appliance.store.devices import PortAnswer, Seen
from appliance.store.targets import Target
from proto import strict_json
from proto.errors import ConflictError, MalformedError
from proto.findings import Reason
from proto.ids import TargetId
from proto.inventory import Platform

LABEL_CHARS_MAX = 64
FACTS_BYTES_MAX = 4096
SCRIPT_TIMEOUT_S = 20
PORT_MAX = 65_535

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_WORD = re.compile(r"[A-Za-z0-9._-]{0,64}")

# Everything that could end a JSON string is dropped where it is read.
FACTS_SCRIPT = r"""
PATH=$PATH:/usr/sbin:/sbin
clean() { tr -cd 'A-Za-z0-9._-' | cut -c1-64; }
release=/etc/os-release; [ -r "$release" ] || release=/usr/lib/os-release
field() { sed -n "s/^$1=//p" "$release" 2>/dev/null | head -n 1 | clean; }
printf '{"kernel":"%s","os":"%s","os_version":"%s","name":"%s","uid":%d}\n' \
  "$(uname -s | clean)" "$(field ID)" "$(field VERSION_ID)" "$(uname -n | clean)" "$(id -u)"
"""
ROOT_SCRIPT = """printf '{"uid":%d}\\n' "$(id -u)"\n"""


class IdentityConflictError(ConflictError):
    """What was seen points at two devices; a person decides which it is."""

    code = "identity_conflict"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a host shows before anybody logs in.

    Attributes:
        target: the target that has this address or host key already; None when there is none.
    """

    address: str
    port: int
    host_key: str
    fingerprint: str
    target: TargetId | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A target as a person asks for it.

    Attributes:
        host_key: what the person confirmed: the whole key, or its `SHA256:` fingerprint.
        label: what to call it, "" to leave its name as it is.
    """

    address: str
    port: int
    user: str
    sudo: Sudo
    credential: Credential
    host_key: str
    label: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a login found.

    Attributes:
        name: the host's own name.
        is_root: whether checks and repairs that need root can run.
    """

    target: TargetId
    address: str
    fingerprint: str
    os: str
    os_version: str
    name: str
    is_root: bool

    def sentence(self) -> str:
        """Say it to a person."""
        system = f"{self.os or 'an unnamed Linux'} {self.os_version}".strip()
        root = (
            "it can become root, so every check can run and drift can be repaired"
            if self.is_root
            else "it cannot become root, so checks that need root stay unknown and nothing that"
            " needs root is repaired"
        )
        return f"{self.name or self.address} runs {system}; {root}."


@dataclass(frozen=True, slots=True)
class _Facts:
    os: str
    os_version: str
    name: str
    is_root: bool


async def look(work: Work, address: str, port: int) -> Shown:
    """Return the host key that a host shows, for a person to compare.

    Raises:
        MalformedError: no IPv4 address, or no port.
        OffLimitsError: the device looks medical.
        ShellError: unreachable or timeout, with what to do.
        UnreachableError: the scanner could not run.
    """
    _require_place(address, port)
    near = await approach(work, address)
    key = await _host_key(work, address, port)
    async with work.store.read() as conn:
        identified, _ = await place(conn, work, [replace(near.sighting, host_key=key)])
        known = {target.id for target in await targets.every(conn)}
    device = identified.placed[0].device
    return Shown(address, port, key, fingerprint(key), device if device in known else None)


async def add(work: Work, wanted: Wanted) -> Found:
    """Add a target; on any failure nothing has changed but what is on record of the device.

    Raises:
        MalformedError: something asked for has the wrong form; the message names it.
        OffLimitsError: the device looks medical.
        ConflictError: the device is a target already.
        IdentityConflictError: its host key or MAC belongs to another device.
        ShellError: with the reason, and what to do about it.
        UnreachableError: the scanner could not run.
    """
    _require_form(wanted)
    near = await approach(work, wanted.address)
    key = await _host_key(work, wanted.address, wanted.port)
    if wanted.host_key not in {key, fingerprint(key)}:
        msg = f"{wanted.address} shows the host key {fingerprint(key)}, not the confirmed one"
        raise explained(ShellError(Reason.HOST_KEY_CHANGED, msg))
    near = replace(near, sighting=replace(near.sighting, host_key=key))
    await _require_new(work, near.sighting)
    login = Login(
        target=TargetId(""),  # nobody's yet; the shell uses it for nothing but messages
        address=wanted.address,
        port=wanted.port,
        user=wanted.user,
        host_key=key,
        sudo=wanted.sudo,
        credential=wanted.credential,
    )
    facts = await _try_login(work, login)
    target = await _store(work, wanted, near=near, facts=facts)
    work.bells.scan.ring()
    return _found(target, facts)


async def test(work: Work, target: TargetId) -> Found:
    """Log in on a target anew and say what was found; what it runs is remembered.

    Raises:
        NotFoundError: there is no such target.
        OffLimitsError: it is off limits.
        ShellError: with the reason, and what to do about it.
    """
    async with work.store.read() as conn:
        known = await targets.get(conn, target)
        refuse_held(await devices.get(conn, target))
    try:
        login = await login_of(work, target)
    except ShellError as error:
        raise explained(error) from error
    facts = await _try_login(work, login)
    async with work.store.write() as conn:
        await targets.set_os(conn, target, os=facts.os, os_version=facts.os_version)
    return _found(known, facts)


async def change_login(
    work: Work, target: TargetId, *, user: str, sudo: Sudo, credential: Credential
) -> Found:
    """Try another login on a target and keep it in place of the old one; else nothing changes.

    Raises:
        NotFoundError: there is no such target.
        OffLimitsError: it is off limits.
        ConflictError: the target was changed while the login was tried.
        ShellError: the login does not open it, with the reason.
    """
    async with work.store.read() as conn:
        known = await targets.get(conn, target)
        refuse_held(await devices.get(conn, target))
    login = Login(
        target=target,
        address=known.address,
        port=known.port,
        user=user,
        host_key=known.host_key,
        sudo=sudo,
        credential=credential,
    )
    facts = await _try_login(work, login)
    async with work.store.write() as conn:
        if await targets.get(conn, target) != known:
            msg = f"{target} was changed while its new login was tried; nothing was kept"
            raise ConflictError(msg)
        await targets.set_login(
            conn, work.sealer, target, user=user, sudo=sudo, credential=credential
        )
        await targets.set_os(conn, target, os=facts.os, os_version=facts.os_version)
    work.bells.scan.ring()
    return _found(known, facts)


async def remove(work: Work, target: TargetId) -> Target:
    """End a target: its credentials and its pinned host key go, the device and its history stay.

    Raises:
        NotFoundError: there is no such target.
    """
    async with work.store.write() as conn:
        return await remove_in(conn, work, target)


async def remove_in(conn: aiosqlite.Connection, work: Work, target: TargetId) -> Target:
    """End a target inside the caller's transaction; see `remove`."""
    known = await targets.get(conn, target)
    await targets.remove(conn, target, at_ms=work.clock.now_ms())
    await devices.unpin(conn, target)
    await conflicts.forget_keys(conn, target)
    return known


async def every(work: Work) -> list[Target]:
    """Return the targets, by id."""
    async with work.store.read() as conn:
        return await targets.every(conn)


def misplaced(address: str, port: int) -> dict[str, str]:
    """Return what is wrong with a place, by field: a sentence on what to give."""
    problems = {}
    try:
        IPv4Address(address)
    except ValueError:
        problems["address"] = "Give an IPv4 address, as 192.0.2.10."
    if not 1 <= port <= PORT_MAX:
        problems["port"] = f"Give a number between 1 and {PORT_MAX}."
    return problems


def malformed(wanted: Wanted) -> dict[str, str]:
    """Return what is wrong with the form of a wish, by field: a sentence on what to give."""
    problems = misplaced(wanted.address, wanted.port)
    if _USER.fullmatch(wanted.user) is None:
        problems["user"] = "Give letters, digits, dot, dash and underscore, at most 32."
    if len(wanted.label) > LABEL_CHARS_MAX or not wanted.label.isprintable():
        problems["label"] = f"Give at most {LABEL_CHARS_MAX} printable characters."
    return problems


def _refuse(problems: Mapping[str, str], given: Mapping[str, object]) -> None:
    for name, said in problems.items():
        msg = f"{name} {given[name]!a:.60}: {said}"
        raise MalformedError(msg)


def _require_place(address: str, port: int) -> None:
    _refuse(misplaced(address, port), {"address": address, "port": port})


def _require_form(wanted: Wanted) -> None:
    given = {name: getattr(wanted, name) for name in ("address", "port", "user", "label")}
    _refuse(malformed(wanted), given)
    if wanted.credential.private_key is None and wanted.credential.password is None:
        raise explained(ShellError(Reason.NO_CREDENTIAL, f"no way to log in as {wanted.user}"))


async def _host_key(work: Work, address: str, port: int) -> str:
    try:
        return await work.shell.host_key(address, port)
    except ShellError as error:
        raise explained(error) from error


async def _require_new(work: Work, sighting: Sighting) -> None:
    """Refuse what is a target already or cannot be told apart; a disagreement is kept on record."""
    async with work.store.write() as conn:
        identified, known = await place(conn, work, [sighting])
        refusal = await _refusal(conn, identified)
        if identified.conflicts:
            placed = identified.placed[0]
            before = known[placed.device].observed() if placed.device in known else NOTHING
            kind = device_class(observe(before, sighting))
            seen = [Seen(placed.device, kind, "", placed.attributes)]
            await keep(conn, identified, seen=seen, now_ms=work.clock.now_ms())
    if refusal is not None:
        raise refusal


async def _refusal(conn: aiosqlite.Connection, identified: Identified) -> ConflictError | None:
    """Say why a sighting cannot become a target, None when it can."""
    placed = identified.placed[0]
    address = placed.sighting.address
    for target in await targets.every(conn):
        if target.id == placed.device:
            called = f"{target.label} ({target.id})" if target.label else target.id
            msg = (
                f"{address} is the target {called} already. To change its login, remove the target"
                " and add it again."
            )
            return ConflictError(msg)
    if not identified.conflicts:
        return None
    msg = (
        f"{address} shows the host key or hardware address of {identified.conflicts[0].other}, and"
        " something else of another device. If it is one machine with a new network card, remove"
        " that target and add it again; if two machines share a host key, make a new one on one of"
        " them (rm /etc/ssh/ssh_host_*; ssh-keygen -A)."
    )
    return IdentityConflictError(msg)


async def _try_login(work: Work, login: Login) -> _Facts:
    try:
        async with work.shell.session(login) as session:
            facts = await _ask(session, FACTS_SCRIPT, as_root=False)
            root = facts
            if login.sudo is not Sudo.NONE:
                root = await _ask(session, ROOT_SCRIPT, as_root=True)
    except ShellError as error:
        raise explained(error) from error
    is_root = root.get("uid") == 0
    if login.sudo is not Sudo.NONE and not is_root:
        msg = f"{login.address}: sudo worked, but not as root"
        raise explained(ShellError(Reason.SUDO_REFUSED, msg))
    if facts.get("kernel") != "Linux":
        msg = f"{login.address} is no Linux host"
        raise explained(ShellError(Reason.BAD_ANSWER, msg))
    return _Facts(
        os=_word(facts, "os"),
        os_version=_word(facts, "os_version"),
        name=_word(facts, "name"),
        is_root=is_root,
    )


async def _ask(session: Session, text: str, *, as_root: bool) -> dict[str, strict_json.Json]:
    script = Script(text=text, variables={}, as_root=as_root, timeout_s=SCRIPT_TIMEOUT_S)
    ran = await session.run(script)
    if ran.exit_status != 0:
        msg = f"a simple script ended with status {ran.exit_status}"
        raise ShellError(Reason.PROBE_FAILED, msg)
    try:
        answer = strict_json.loads(ran.stdout, size_bytes_max=FACTS_BYTES_MAX, where="facts")
    except MalformedError as error:
        raise ShellError(Reason.BAD_ANSWER, str(error)) from error
    if not isinstance(answer, dict):
        raise ShellError(Reason.BAD_ANSWER, "facts: not an object")
    return answer


def _word(facts: Mapping[str, strict_json.Json], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str) or _WORD.fullmatch(value) is None:
        raise explained(ShellError(Reason.BAD_ANSWER, f"facts.{name}: not a word"))
    return value


async def _store(work: Work, wanted: Wanted, *, near: Approached, facts: _Facts) -> Target:
    """Store device and target in one transaction, after asking again whether it may be."""
    now_ms = work.clock.now_ms()
    sighting = near.sighting
    async with work.store.write() as conn:
        identified, known = await place(conn, work, [sighting])
        if refusal := await _refusal(conn, identified):
            raise refusal
        placed = identified.placed[0]
        before = known[placed.device].observed() if placed.device in known else NOTHING
        # The name the host gives itself is kept, but it is no reason to take it for another.
        observed = observe(before, replace(sighting, name=facts.name))
        refuse_off_limits(wanted.address, off_limits(observed))
        kind = device_class(observed)
        attributes = {**placed.attributes, AttributeKind.NAME: facts.name.lower()}
        seen = Seen(placed.device, kind, "", attributes)
        await keep(conn, identified, seen=[seen], now_ms=now_ms)
        answers = [
            PortAnswer(placed.device, port, is_open=opened) for port, opened in near.answers.items()
        ]
        await devices.record_ports(conn, answers, at_ms=now_ms)
        if wanted.label:
            await devices.set_label(conn, placed.device, wanted.label)
        target = Target(
            id=placed.device,
            platform=Platform.LINUX,
            address=wanted.address,
            port=wanted.port,
            login=wanted.user,
            sudo=wanted.sudo,
            host_key=sighting.host_key,
            os=facts.os,
            os_version=facts.os_version,
            device_class=kind,
            label=wanted.label,
            added_ms=now_ms,
        )
        await targets.add(conn, work.sealer, target, credential=wanted.credential)
        await limits.added(conn, target.id, now_ms=await run_ms(conn, work))
        await note_run(conn, work)
    return target


def _found(target: Target, facts: _Facts) -> Found:
    return Found(
        target=target.id,
        address=target.address,
        fingerprint=fingerprint(target.host_key),
        os=facts.os,
        os_version=facts.os_version,
        name=facts.name,
        is_root=facts.is_root,
    )
