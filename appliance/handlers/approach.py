"""Getting near one host: nothing but the medical ports is touched until it is known to be none.

The same order as a discovery, for one address: the sweep, which connects to nothing; then, unless
the vendor forbids even that, the three medical ports; and only then may somebody log in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from appliance.core.classify import MEDICAL_PORTS, device_class, next_ports, off_limits
from appliance.core.identity import Sighting
from appliance.handlers.discover import NOTHING, keep, observe, place, sighting_of
from appliance.handlers.work import Work
from appliance.ports import ShellError
from appliance.store import devices
from appliance.store.devices import Device, PortAnswer, Seen
from proto.errors import RejectedError
from proto.findings import Reason

RECENT_MS = 300_000
"""For so long what a discovery learned of a device is not asked again."""

ADVICE: Mapping[Reason, str] = {
    Reason.UNREACHABLE: (
        "Check that it is switched on, that its SSH server runs, and that no firewall stands"
        " between it and the appliance."
    ),
    Reason.HOST_KEY_CHANGED: (
        "Compare the fingerprint on the machine's own screen"
        " (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) before you confirm it. If the machine"
        " was installed anew, remove the target and add it again."
    ),
    Reason.AUTH_REFUSED: (
        "Check the user's name and its key or password. Nothing is tried again by itself, so that"
        " the account is not locked."
    ),
    Reason.SUDO_REFUSED: (
        "Allow the user to use sudo, give the right sudo password, or add the target with"
        " --sudo none: checks that need root are unknown then."
    ),
    Reason.NO_CREDENTIAL: (
        "Give a private key or a password, and a sudo password where sudo asks for one."
    ),
    Reason.TIMEOUT: "It took too long to answer. Try again when it is less busy.",
    Reason.PROBE_FAILED: "Its shell could not run a simple script. Give the user a POSIX shell.",
    Reason.BAD_ANSWER: (
        "What it printed is not an answer. Only Linux hosts can be targets; check that the login's"
        " shell is a POSIX shell."
    ),
    Reason.STALE: "Try again.",
}
"""What a person can do about each reason."""


class OffLimitsError(RejectedError):
    """A device that looks medical, or that a person put off limits: nobody logs in on it."""

    code = "off_limits"


@dataclass(frozen=True, slots=True)
class Approached:
    """A host that may be connected to, with what was learned to know that."""

    sighting: Sighting
    answers: Mapping[int, bool]


async def approach(work: Work, address: str) -> Approached:
    """Learn enough of a host to know that it may be connected to.

    Raises:
        OffLimitsError: it may not; that is stored.
        ShellError: with reason unreachable, when it did not answer for the medical ports.
        UnreachableError, MalformedError: as `ports.Scanner`.
    """
    async with work.store.read() as conn:
        identified, known = await place(conn, work, [_bare(address)])
    device = known.get(identified.placed[0].device)
    if device is not None and _is_recent(device, address, now_ms=work.clock.now_ms()):
        sighting = _last_sighting(device, address)
        refuse_off_limits(address, off_limits(device.observed()))
        return Approached(sighting, {})
    swept = await work.scanner.sweep([f"{address}/32"])
    sightings = [sighting_of(host) for host in swept if host.address == address]
    return await _ask_medical(work, sightings[0] if sightings else _bare(address))


async def _ask_medical(work: Work, sighting: Sighting) -> Approached:
    """Ask the medical ports of a host whose vendor does not forbid even that."""
    address = sighting.address
    async with work.store.read() as conn:
        identified, known = await place(conn, work, [sighting])
    device = identified.placed[0].device
    observed = observe(known[device].observed() if device in known else NOTHING, sighting)
    answers: dict[int, bool] = {}
    if ports := next_ports(observed, ()):
        for answer in await work.scanner.connect([address], ports):
            answers |= {port: port in answer.open for port in answer.asked}
        is_open = frozenset(port for port, opened in answers.items() if opened)
        observed = replace(observed, asked=frozenset(answers), open=observed.open | is_open)
    if reason := off_limits(observed):
        seen = Seen(device, device_class(observed), reason, identified.placed[0].attributes)
        said = [PortAnswer(device, port, is_open=opened) for port, opened in answers.items()]
        now_ms = work.clock.now_ms()
        async with work.store.write() as conn:
            await keep(conn, identified, seen=[seen], now_ms=now_ms)
            await devices.record_ports(conn, said, at_ms=now_ms)
    refuse_off_limits(address, off_limits(observed))
    if not answers.keys() >= set(MEDICAL_PORTS):
        msg = f"{address} did not answer when it was asked whether it is a medical device"
        raise explained(ShellError(Reason.UNREACHABLE, msg))
    return Approached(sighting, answers)


def _bare(address: str) -> Sighting:
    return Sighting(address=address, mac="", vendor="", name="", host_key="")


def _is_recent(device: Device, address: str, *, now_ms: int) -> bool:
    """Tell whether a discovery has just seen the device here and heard of its medical ports."""
    asked = [device.ports.get(port) for port in MEDICAL_PORTS]
    return (
        device.address == address
        and not device.waits_for_a_look
        and now_ms - device.last_ms <= RECENT_MS
        and all(seen is not None and now_ms - seen.seen_ms <= RECENT_MS for seen in asked)
    )


def _last_sighting(device: Device, address: str) -> Sighting:
    """Return a device as the last sweep saw it."""
    last = {a.kind.value: a.value for a in device.attributes if a.last_ms == device.last_ms}
    return Sighting(
        address=address,
        mac=last.get("mac", ""),
        vendor=last.get("vendor", ""),
        name=last.get("name", ""),
        host_key="",
    )


def refuse_off_limits(address: str, reason: str | None) -> None:
    """Raise `OffLimitsError` when there is a reason to."""
    if reason is not None:
        msg = (
            f"{address} is off limits: {reason}. Osiris connects to nothing that is off limits; a"
            " medical device is looked after by its maker or your biomedical engineer."
        )
        raise OffLimitsError(msg)


def refuse_held(device: Device) -> None:
    """Raise `OffLimitsError` when nobody may log in on a device now."""
    if device.held:
        msg = f"{device.id} is not signed in to: {device.held}"
        raise OffLimitsError(msg)


def explained(error: ShellError) -> ShellError:
    """Return the same failure with what to do about it."""
    said = str(error).rstrip(".")
    return ShellError(error.reason, f"{said}. {ADVICE[error.reason]}")
