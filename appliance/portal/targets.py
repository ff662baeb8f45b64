"""Computers that are looked after: adding one in two steps, trying its login, letting it go.

The first step gets the host key and stores nothing; the second is the person's word that it is the
right one. A key or a password that was typed never comes back on a page: between the steps it waits
sealed in memory, and after a mistake it is typed again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from appliance.handlers.targets import LABEL_CHARS_MAX, Wanted, malformed
from appliance.handlers.waiting import LIFE_MS
from appliance.portal.devices import Said, device_page, target_of
from appliance.portal.frame import freshness, page
from appliance.portal.state import PortalVisit
from appliance.ports import Credential, ShellError, Sudo
from appliance.store.views import inventory
from proto.errors import (
    ConflictError,
    NotFoundError,
    RejectedError,
    TargetError,
    UnreachableError,
)
from proto.findings import Reason
from proto.secret import Secret
from runtime.web.words import Tone

KEY_FILE = "key_file"
"""The one field of the form that may be a file."""

SUDO_FIELD = "sudo_password"
PLAIN = ("address", "port", "user", "sudo", "label")
"""Fields that a page may show again; all others are secrets."""

BEGUN = dict.fromkeys(PLAIN, "") | {"port": "22", "sudo": Sudo.NOPASSWD.value}
_PORT = re.compile(r"[0-9]{1,5}")
KEY_MARK = "PRIVATE KEY-----"
OVER = Said(
    Tone.WARN,
    "Begin again",
    "This waited longer than five minutes, or was answered before. The key or password is"
    " forgotten, and nothing was added.",
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as a person filled it: what may be shown again, and what was read of it."""

    shown: dict[str, str]
    wanted: Wanted
    problems: dict[str, str]


async def ask(visit: PortalVisit) -> Response:
    """Show the form."""
    query = visit.request.query_params
    filled = BEGUN | {"address": query.get("address", "")[:64]}
    return _form(visit, filled, {}, said=OVER if query.get("over") == "1" else None)


async def look(visit: PortalVisit) -> Response:
    """Take the form, get the machine's host key, and go on to ask about it."""
    filled = _filled(visit)
    if filled.problems:
        return _form(visit, filled.shown, filled.problems, status=400)
    try:
        ticket = await visit.app.commands.look_at_target(filled.wanted, account=visit.person.person)
    except (RejectedError, TargetError, UnreachableError) as error:
        return _form(visit, filled.shown, {"address": str(error)}, status=409)
    return RedirectResponse(f"/targets/add/{ticket}", status_code=303)


async def confirm(visit: PortalVisit) -> Response:
    """Show the host key that the machine showed, and ask whether it is its own."""
    ticket = visit.request.path_params["ticket"]
    try:
        waiting = visit.app.commands.waiting_target(ticket, account=visit.person.person)
    except NotFoundError:
        return RedirectResponse("/targets/add?over=1", status_code=303)
    kind = waiting.shown.host_key.partition(" ")[0].removeprefix("ssh-").partition("-")[0]
    values = {
        "waiting": waiting,
        "ticket": ticket,
        "sudo": SUDO[waiting.wanted.sudo],
        "command": f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub",
        "minutes": LIFE_MS // 60_000,
    }
    return page(visit, "target_confirm.html", "/devices", values)


async def add(visit: PortalVisit) -> Response:
    """Add the target whose host key was confirmed, and say what was found on it."""
    ticket, account = visit.request.path_params["ticket"], visit.person.person
    try:
        waiting = visit.app.commands.waiting_target(ticket, account=account)
        found = await visit.app.commands.add_target(ticket, account=account)
    except NotFoundError:
        return RedirectResponse("/targets/add?over=1", status_code=303)
    except (RejectedError, TargetError, UnreachableError) as error:
        again = {name: str(getattr(waiting.wanted, name)) for name in PLAIN}
        reason = error.reason if isinstance(error, ShellError) else None
        wrong = {
            "key": "Give the key or the password again: it is not kept.",
            FIELDS.get(reason, "address"): str(error),
        }
        return _form(visit, again, wrong, status=409)
    said = Said(Tone.GOOD, "Added", f"{found.sentence()} Its checks are being asked now.")
    return await device_page(visit, found.target, said=said)


async def forget(visit: PortalVisit) -> Response:
    """Forget a target that was not confirmed."""
    ticket = visit.request.path_params["ticket"]
    try:
        visit.app.commands.forget_target(ticket, account=visit.person.person)
    except NotFoundError:
        return RedirectResponse("/targets/add?over=1", status_code=303)
    return RedirectResponse("/devices", status_code=303)


async def test(visit: PortalVisit) -> Response:
    """Log in on a target anew and say what was found."""
    target = target_of(visit)
    try:
        found = await visit.app.commands.test_target(target)
    except (ConflictError, NotFoundError):
        raise
    except (RejectedError, TargetError, UnreachableError) as error:
        said = Said(Tone.BAD, "The sign-in did not work", str(error))
        return await device_page(visit, target, said=said, status=409)
    said = Said(Tone.GOOD, "The sign-in works", found.sentence())
    return await device_page(visit, target, said=said)


async def ask_remove(visit: PortalVisit) -> Response:
    """Ask whether a target is to be let go, and say what that does."""
    fresh = freshness(visit.app.content())
    async with visit.app.store.read() as rows:
        device = await inventory.device(
            rows, target_of(visit), freshness=fresh, now_ms=visit.now_ms
        )
    if device is None or device.target is None:
        msg = "no such target"
        raise NotFoundError(msg)
    return page(visit, "target_remove.html", "/devices", {"device": device})


async def remove(visit: PortalVisit) -> Response:
    """Let a target go."""
    target = target_of(visit)
    await visit.app.commands.remove_target(target, account=visit.person.person)
    said = Said(
        Tone.GOOD,
        "No longer looked after",
        "Its sign-in is deleted and its history stays. From now on it is only seen on the network.",
    )
    return await device_page(visit, target, said=said)


FIELDS: Mapping[Reason | None, str] = {
    Reason.AUTH_REFUSED: "user",
    Reason.NO_CREDENTIAL: "key",
    Reason.SUDO_REFUSED: "sudo",
}
"""Beside which field a failed login is told; every other failure stands beside the address."""

SUDO = {
    Sudo.NOPASSWD: "with sudo, which asks for no password",
    Sudo.ASK: "with sudo, which asks for a password",
    Sudo.NONE: "not at all: checks that need administrator rights stay unknown",
}


def _filled(visit: PortalVisit) -> Filled:
    """Read the form: every field has its own sentence when it is wrong."""
    shown = {name: visit.form.get(name, "").strip() for name in PLAIN}
    problems: dict[str, str] = {}
    if shown["sudo"] not in set(Sudo):
        problems["sudo"] = "Choose one from the list."
    credential = _credential(visit, sudo=shown["sudo"], problems=problems)
    wanted = Wanted(
        address=shown["address"],
        port=int(shown["port"]) if _PORT.fullmatch(shown["port"]) else 0,
        user=shown["user"],
        sudo=Sudo.NONE if "sudo" in problems else Sudo(shown["sudo"]),
        credential=credential,
        host_key="",
        label=shown["label"],
    )
    return Filled(shown, wanted, malformed(wanted) | problems)


def _credential(visit: PortalVisit, *, sudo: str, problems: dict[str, str]) -> Credential:
    """Read the secrets, and say what is wrong with them."""
    uploaded, pasted = (_key(visit.form.get(name, "")) for name in (KEY_FILE, "key"))
    password, sudo_password = visit.form.get("password", ""), visit.form.get("sudo_password", "")
    key = uploaded or pasted
    if uploaded and pasted:
        problems["key"] = "Give the file or paste the key, not both."
    elif key and KEY_MARK not in key:
        problems["key"] = "This is no private key: one begins with -----BEGIN OPENSSH PRIVATE KEY."
    elif not key and not password:
        problems["key"] = "Give a key file, paste a key, or give a password below."
    if sudo == Sudo.ASK and not sudo_password and not password:
        problems[SUDO_FIELD] = "Give the password that sudo asks for."
    return Credential(*(Secret(text) if text else None for text in (key, password, sudo_password)))


def _key(text: str) -> str:
    """Return a key as a file would hold it: browsers send other line ends."""
    text = text.replace("\r\n", "\n").strip()
    return f"{text}\n" if text else ""


def _form(
    visit: PortalVisit,
    shown: dict[str, str],
    problems: dict[str, str],
    *,
    said: Said | None = None,
    status: int = 200,
) -> Response:
    values = {
        "filled": shown,
        "problems": problems,
        "said": said,
        "sudo": [(code.value, text) for code, text in SUDO.items()],
        "label_max": LABEL_CHARS_MAX,
    }
    return page(visit, "target_add.html", "/devices", values, status=status)
