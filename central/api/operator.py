"""The operators' JSON API, for signed-in people; the same answers serve this machine's socket.

Times are as stored: `_ms` milliseconds by the hub's clock, `_s` seconds as an appliance signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from central import commands, renewals
from central.core.health import Condition
from central.repository import HubRepository
from central.state import ConsoleVisit, Hub
from central.store import devices, quarantine
from central.store.accounts import all_accounts, put_account, shut_account
from central.store.conditions import newest_refusals
from central.store.migrate import current_revision
from central.store.views.fleet import fleet
from central.store.views.incident import incident_view
from central.store.views.site import appliance_views, finding_views, incident_lines, site_view
from proto import ids, strict_json
from proto.errors import MalformedError, NotFoundError, OsirisError, UnreachableError
from proto.keysets import Role
from proto.message import Message
from proto.secret import Secret
from runtime.terminal import when
from runtime.web.passwords import MADE_ENTROPY_BYTES, check_new, hashed, make_password

M = TypeVar("M", bound=Message)
T = TypeVar("T")

LINES_MAX = 200
BODY_BYTES_MAX = 4096


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a view as JSON values: dataclasses and mappings become objects, bytes hex."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.hex() if isinstance(value, bytes) else value


def _answer(value: object, *, status: int = 200) -> Response:
    return JSONResponse(plain(value), status_code=status)


async def list_sites(visit: ConsoleVisit) -> Response:
    """Answer with every site and how it stands."""
    hub = visit.app.hub
    async with hub.store.read() as connection:
        return _answer(await fleet(connection, settings=hub.settings, now_ms=visit.now_ms))


async def show_site(visit: ConsoleVisit) -> Response:
    """Answer with one site."""
    hub = visit.app.hub
    async with hub.store.read() as connection:
        found = await site_view(
            _site(visit), connection, settings=hub.settings, now_ms=visit.now_ms
        )
    return _answer(found)


async def list_findings(visit: ConsoleVisit) -> Response:
    """Answer with the current findings of one site."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await finding_views(_site(visit), connection))


async def list_incidents(visit: ConsoleVisit) -> Response:
    """Answer with one site's incidents, at most 200."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await incident_lines(_site(visit), connection, limit=LINES_MAX))


async def show_incident(visit: ConsoleVisit) -> Response:
    """Answer with one incident and its repairs."""
    incident = ids.parse_incident_id(visit.request.path_params["incident"])
    async with visit.app.hub.store.read() as connection:
        return _answer(await incident_view(_site(visit), connection, incident=incident))


async def list_appliances(visit: ConsoleVisit) -> Response:
    """Answer with one site's appliances and their fingerprints."""
    hub = visit.app.hub
    async with hub.store.read() as connection:
        found = await appliance_views(
            _site(visit), connection, settings=hub.settings, now_ms=visit.now_ms
        )
    return _answer(found)


async def list_devices(visit: ConsoleVisit) -> Response:
    """Answer with one site's devices and what they are called, as scrubbed on the site."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await devices.of_site(_site(visit), connection))


async def list_quarantine(visit: ConsoleVisit) -> Response:
    """Answer with what was set aside of one site, newest first, without any of its text."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await quarantine.of_site(_site(visit), connection, limit=LINES_MAX))


async def list_refusals(visit: ConsoleVisit) -> Response:
    """Answer with the newest refusals."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await newest_refusals(connection, LINES_MAX))


async def confirm(visit: ConsoleVisit) -> Response:
    """Note that the caller compared an appliance's fingerprint."""
    appliance = ids.parse_appliance_id(visit.request.path_params["appliance"])
    if visit.session:
        by, shown = visit.session.person, visit.form.get("fingerprint", "")
    else:
        by, shown = "local", (await _body(visit, Compared)).fingerprint
    await commands.confirm_appliance(visit.app.hub, appliance, by=by, shown=shown)
    return _answer({"appliance": appliance, "confirmed": True})


async def clear(visit: ConsoleVisit) -> Response:
    """Note that a person dealt with a condition of an appliance."""
    appliance = ids.parse_appliance_id(visit.request.path_params["appliance"])
    code = visit.request.path_params["code"]
    if code not in set(Condition):
        msg = f"condition: there is no {code!a:.40}"
        raise MalformedError(msg)
    await commands.clear_condition(visit.app.hub, appliance, Condition(code))
    return _answer({"appliance": appliance, "cleared": code})


class NewSite(Message):
    """Body of a request for a new site."""

    label: str


class Compared(Message):
    """A fingerprint that somebody compared with an appliance's portal."""

    fingerprint: str


class NewUser(Message):
    """Body of a request for an account; without a password one is made and told once."""

    name: str
    password: str | None = None


async def add_site(visit: ConsoleVisit) -> Response:
    """Add a site and answer with a claim code for its first appliance, told once."""
    asked = await _body(visit, NewSite)
    site = await commands.add_site(visit.app.hub, asked.label)
    claim = await commands.new_claim(visit.app.hub, site)
    return _answer({"site": site, "label": asked.label, "claim_code": claim})


async def add_claim(visit: ConsoleVisit) -> Response:
    """Answer with another claim code of a site, told once."""
    site = _site(visit)
    return _answer({"site": site, "claim_code": await commands.new_claim(visit.app.hub, site)})


async def add_user(visit: ConsoleVisit) -> Response:
    """Make an account or set its password; a made password is told once."""
    asked = await _body(visit, NewUser)
    hub = visit.app.hub
    name = commands.check_account_name(asked.name)
    given = asked.password is not None
    password = (
        Secret(asked.password or "") if given else make_password(hub.entropy(MADE_ENTROPY_BYTES))
    )
    kept = await hashed(check_new(password))
    async with hub.store.write() as connection:
        await put_account(connection, name, kept=kept, now_ms=visit.now_ms)
    told = {} if given else {"password": password.reveal()}
    return _answer({"name": name, **told})


async def shut_user(visit: ConsoleVisit) -> Response:
    """Shut an account out; giving it a password again opens it."""
    name = commands.check_account_name(visit.request.path_params["name"])
    async with visit.app.hub.store.write() as connection:
        if not await shut_account(connection, name, now_ms=visit.now_ms):
            msg = f"there is no account {name} that may sign in"
            raise NotFoundError(msg)
    return _answer({"name": name, "may_sign_in": False})


async def list_users(visit: ConsoleVisit) -> Response:
    """Answer with every account, never with a password."""
    async with visit.app.hub.store.read() as connection:
        return _answer(await all_accounts(connection))


async def status(visit: ConsoleVisit) -> Response:
    """Answer with how the hub itself does."""
    hub = visit.app.hub
    async with hub.store.read() as connection:
        rows = await fleet(connection, settings=hub.settings, now_ms=visit.now_ms)
        refused = await newest_refusals(connection, 1)
    return _answer(
        {
            "origin": hub.origin,
            "trust": hub.trust,
            **_content(hub),
            "signer": await _signer(hub),
            "renew": list(await renewals.notices(hub)),
            "looks_at_text": hub.looker.names is not None,
            "revision": await current_revision(hub.store),
            "sites": len(rows),
            "appliances": len(hub.registry),
            "open_incidents": sum(row.open_incidents for row in rows),
            "escalated": sum(row.escalated for row in rows),
            "last_refusal": plain(refused[0]) if refused else None,
        }
    )


def _content(hub: Hub) -> dict[str, Any]:
    """Return which release is served, and until when it and the grants hold."""
    if hub.content is None:
        return {"release": None, "release_ends": None, "grants_end": None}
    repository = HubRepository(hub.content.parent)
    release = _if_it_holds(partial(repository.life_of, Role.RELEASE))
    ends_s = _if_it_holds(repository.grants_end_s)
    return {
        "release": release.version if release else None,
        "release_ends": when(release.expires * 1000) if release else None,
        "grants_end": when(ends_s * 1000) if ends_s else None,
    }


def _if_it_holds(read: Callable[[], T | None]) -> T | None:
    """Return what is read; None where it is damaged, which `renewals.notices` tells."""
    try:
        return read()
    except OsirisError:
        return None


async def _signer(hub: Hub) -> str:
    """Return whether the signer signs orders, in words."""
    try:
        problem = (await hub.signer.status()).problem
    except UnreachableError as error:
        return str(error)
    return f"signs no orders: {problem}" if problem else "signs orders"


def _site(visit: ConsoleVisit) -> ids.SiteId:
    return ids.parse_site_id(visit.request.path_params["site"])


async def _body(visit: ConsoleVisit, kind: type[M]) -> M:
    raw = await visit.request.body()
    return kind.from_value(strict_json.loads(raw, size_bytes_max=BODY_BYTES_MAX), "request")
