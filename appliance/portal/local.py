"""What the command line may ask through the daemon's own socket: JSON in, JSON out.

The socket's mode (0600) is the sign-in. Errors are {code, message} with the status of their family.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from pydantic_core import to_json
from starlette.responses import Response

from appliance.core.identity import fingerprint
from appliance.core.site_rules import Matter, Ordered
from appliance.handlers import targets as target_handlers
from appliance.handlers.heal_now import heal_now
from appliance.handlers.off_limits import require_free
from appliance.handlers.people import People
from appliance.handlers.work import Work
from appliance.portal import (
    local_clock,
    local_devices,
    local_held_back,
    local_keys,
    local_limits,
    local_program,
)
from appliance.portal.asked import OPERATOR, Answer, Body, number_in, number_of, text_of
from appliance.portal.frame import freshness
from appliance.portal.offer import offer_for
from appliance.portal.state import Portal, PortalVisit
from appliance.portal.text import sentence
from appliance.ports import Credential, Sudo
from appliance.store import (
    accounts,
    devices,
    evidence,
    findings,
    health,
    incidents,
    meta,
    ordered,
    targets,
    waivers,
    withheld,
)
from appliance.store.proof import verify
from appliance.store.views import incidents as incident_views
from appliance.store.views import inventory, site
from proto import strict_json
from proto.errors import MalformedError, NotFoundError, OsirisError
from proto.ids import parse_incident_id, parse_target_id
from proto.incidents import State
from proto.secret import Secret
from runtime.local_door import status_of
from runtime.web.access import Access, Entry
from runtime.web.passwords import check_new, hashed

BODY_BYTES_MAX = 64 * 1024


def entries(work: Work, more: Sequence[tuple[str, str, Answer]] = ()) -> Sequence[Entry[Portal]]:
    """Return the socket's routes, and more of the same kind."""
    return [
        Entry(method, path, Access.LOCAL, _endpoint(work, answer))
        for method, path, answer in (*_ROUTES, *more)
    ]


def _endpoint(work: Work, answer: Answer) -> Callable[[PortalVisit], Awaitable[Response]]:
    async def serve(visit: PortalVisit) -> Response:
        try:
            value = await answer(work, visit, await _body(visit))
        except OsirisError as error:
            return _json({"code": error.code, "message": str(error)}, status=status_of(error))
        return _json(value, status=200)

    return serve


def _json(value: object, *, status: int) -> Response:
    # It writes values as they are; `dataclasses.asdict` would copy every row deeply before.
    return Response(to_json(value, fallback=str), status, media_type="application/json")


async def _body(visit: PortalVisit) -> Body:
    if visit.request.method == "GET":
        return {}
    received = bytearray()
    async for chunk in visit.request.stream():
        received += chunk
        if len(received) > BODY_BYTES_MAX:
            msg = f"body: more than {BODY_BYTES_MAX} bytes"
            raise MalformedError(msg)
    value = strict_json.loads(bytes(received), size_bytes_max=BODY_BYTES_MAX, where="body")
    if not isinstance(value, dict):
        msg = "body: not an object"
        raise MalformedError(msg)
    return value


async def status(work: Work, visit: PortalVisit, _: Body) -> object:
    """Say how the appliance is."""
    async with work.store.read() as conn:
        head = await evidence.head(conn)
        conditions = await health.raised(conn)
        live = await incidents.due(
            conn, work.scribe.site, states=frozenset(State) - {State.CLOSED}, now_ms=2**53
        )
        result: dict[str, object] = {
            "site": work.scribe.site,
            "appliance": work.scribe.appliance,
            "version": work.version,
            "fingerprint": visit.app.identity.fingerprint,
            "public_key": work.scribe.key.public.b64(),
            "sealing_key": visit.app.identity.sealing.b64(),
            "sealing_fingerprint": visit.app.identity.sealing.fingerprint(),
            "hub": visit.app.identity.hub,
            "first_root": visit.app.identity.first_root,
            "hub_seen_ms": await meta.get_int(conn, meta.Key.HUB_SEEN_MS),
            "hub_acknowledged": head.acked_size,
            "evidence": head.tree.size,
            "evidence_root": strict_json.b64_encode(head.tree.root),
            "content": work.content().digest,
            "checks": len(work.content().checks),
            "targets": len(await targets.every(conn)),
            "last_discovery_ms": await meta.get_int(conn, meta.Key.LAST_DISCOVERY_MS),
            "last_scan_ms": await meta.get_int(conn, meta.Key.LAST_SCAN_MS),
            "observe_only": await meta.get(conn, meta.Key.OBSERVE_ONLY) == "1",
            "health": sorted(one.value for one in conditions.keys() | site.now(work.store)),
            "accounts": await accounts.names(conn),
            "withheld": [sentence(one) for one in await withheld.every(conn)],
            "known_people": _people(visit),
        }
    states = [incident.state.value for incident in live]
    result["incidents"] = {name: states.count(name) for name in sorted(set(states))}
    return result


def _people(visit: PortalVisit) -> str:
    people = visit.app.live().people
    if people is None:
        return "none listed"
    read = f"{people.count} in {people.path}" if people.read_ms else "none could be read"
    return f"{read}; {people.trouble}" if people.trouble else read


async def list_targets(work: Work, _: PortalVisit, __: Body) -> object:
    """List the targets with how many findings of each verdict they have."""
    async with work.store.read() as conn:
        every = await targets.every(conn)
        held = await devices.held(conn)
        rows = []
        for target in every:
            kept = await findings.of_target(conn, work.scribe.site, target.id)
            verdicts = [one.finding.verdict.value for one in kept.values()]
            rows.append(
                {
                    "id": target.id,
                    "label": target.label,
                    "address": target.address,
                    "port": target.port,
                    "login": target.login,
                    "sudo": target.sudo.value,
                    "os": f"{target.os} {target.os_version}".strip(),
                    "host_key": fingerprint(target.host_key),
                    "held": held.get(target.id, ""),
                    "findings": {name: verdicts.count(name) for name in sorted(set(verdicts))},
                }
            )
    return rows


async def look(work: Work, _: PortalVisit, body: Body) -> object:
    """Return the host key a host shows."""
    return await target_handlers.look(work, text_of(body, "address"), number_of(body, "port"))


async def add_target(work: Work, _: PortalVisit, body: Body) -> object:
    """Add a target."""

    def secret(name: str) -> Secret | None:
        return Secret(text_of(body, name)) if body.get(name) is not None else None

    try:
        sudo = Sudo(text_of(body, "sudo"))
    except ValueError as error:
        msg = "sudo: none, nopasswd or ask"
        raise MalformedError(msg) from error
    wanted = target_handlers.Wanted(
        address=text_of(body, "address"),
        port=number_of(body, "port"),
        user=text_of(body, "user"),
        sudo=sudo,
        credential=Credential(secret("private_key"), secret("password"), secret("sudo_password")),
        host_key=text_of(body, "host_key"),
        label=text_of(body, "label", default=""),
    )
    found = await target_handlers.add(work, wanted)
    return {**asdict(found), "sentence": found.sentence()}


async def try_target(work: Work, visit: PortalVisit, _: Body) -> object:
    """Log in on a target anew."""
    found = await target_handlers.test(work, parse_target_id(visit.request.path_params["target"]))
    return {**asdict(found), "sentence": found.sentence()}


async def remove_target(work: Work, visit: PortalVisit, _: Body) -> object:
    """End a target; what was open on it is closed."""
    target = parse_target_id(visit.request.path_params["target"])
    await People(work).remove_target(target, account=OPERATOR)
    return {"removed": target}


async def check_target(work: Work, visit: PortalVisit, _: Body) -> object:
    """Ask a target every check now and return its findings."""
    target = parse_target_id(visit.request.path_params["target"])
    await People(work).recheck(target, account=OPERATOR)
    async with work.store.read() as conn:
        kept = await findings.of_target(conn, work.scribe.site, target)
    return [
        {
            "check": one.finding.check,
            "verdict": one.finding.verdict.value,
            "reason": one.finding.reason,
            "seen": dict(one.finding.seen),
            "at_ms": one.finding.at_ms,
        }
        for _, one in sorted(kept.items())
    ]


async def heal_target(work: Work, visit: PortalVisit, _: Body) -> object:
    """Judge a target, let what may be repaired be repaired, and say how it ended."""
    target = parse_target_id(visit.request.path_params["target"])
    await require_free(work, target)
    return await heal_now(work, target)


async def list_findings(work: Work, visit: PortalVisit, _: Body) -> object:
    """List the current findings."""
    fresh = freshness(work.content())
    async with work.store.read() as conn:
        return await inventory.findings(conn, freshness=fresh, now_ms=visit.now_ms)


async def list_incidents(work: Work, _: PortalVisit, __: Body) -> object:
    """List the incidents that turned last."""
    async with work.store.read() as conn:
        return await incident_views.incidents(conn, states=frozenset(State))


async def show_incident(work: Work, visit: PortalVisit, _: Body) -> object:
    """Show one incident with its turns and repairs."""
    wanted = parse_incident_id(visit.request.path_params["incident"])
    async with work.store.read() as conn:
        found = await incident_views.incident(conn, wanted)
        if found is None:
            msg = f"there is no incident {wanted}"
            raise NotFoundError(msg)
        waiting = await incidents.get(conn, work.scribe.site, wanted)
        turns = await incident_views.turns(conn, wanted)
        repairs = await incident_views.repairs(conn, wanted)
    return {
        "incident": found,
        "turns": turns,
        "repairs": repairs,
        "offer": offer_for(work.content(), waiting),
    }


async def approve_repair(work: Work, visit: PortalVisit, body: Body) -> object:
    """Let the repair of an incident run that waits for a person."""
    wanted = parse_incident_id(visit.request.path_params["incident"])
    shown = text_of(body, "shown")
    await People(work).approve_repair(wanted, shown=shown, account=OPERATOR)
    return {"approved": wanted}


async def list_waivers(work: Work, visit: PortalVisit, _: Body) -> object:
    """List the waivers: what people on the LAN accepted, and what orders waive."""
    now_ms = visit.now_ms
    async with work.store.read() as conn:
        rows = await waivers.every(conn)
        by_orders = [
            one
            for one in await ordered.in_force(conn, now_ms=now_ms)
            if one.matter is Matter.WAIVER
        ]
    here = [{**asdict(row), "active": row.is_active(now_ms=now_ms), "order": ""} for row in rows]
    return here + [_ordered_waiver(one) for one in by_orders]


def _ordered_waiver(one: Ordered) -> dict[str, object]:
    """Return a waiver by an order in the form of one by a person; it ends by an order alone."""
    return {
        "id": None,
        "target": one.target,
        "check": one.check,
        "reason": "",
        "account": f"order {one.order[:16]}",
        "until_ms": one.until_ms,
        "active": True,
        "order": one.order,
    }


async def add_waiver(work: Work, _: PortalVisit, body: Body) -> object:
    """Add a waiver."""
    await People(work).add_waiver(
        parse_target_id(body.get("target")),
        text_of(body, "check"),
        reason=text_of(body, "reason"),
        until_ms=number_of(body, "until_ms"),
        account=text_of(body, "account", default=OPERATOR),
    )
    return {}


async def end_waiver(work: Work, visit: PortalVisit, _: Body) -> object:
    """End a waiver."""
    waiver = number_in(visit.request.path_params["waiver"], "waiver")
    await People(work).end_waiver(waiver, account=OPERATOR)
    return {}


async def observe_only(work: Work, _: PortalVisit, body: Body) -> object:
    """Switch observe-only."""
    on = strict_json.boolean(body.get("on"), "on")
    await People(work).set_observe_only(on=on, account=OPERATOR)
    return {"observe_only": on}


async def add_account(work: Work, _: PortalVisit, body: Body) -> object:
    """Make an account of the portal, or set the password of one that is there."""
    name = text_of(body, "name")
    kept = await hashed(check_new(Secret(text_of(body, "password"))))
    async with work.store.write() as conn:
        if body.get("replace") is True and await accounts.set_password(conn, name, kept):
            return {"account": name, "made": False}
        await accounts.add(conn, name, kept, now_ms=work.clock.now_ms())
    return {"account": name, "made": True}


async def list_accounts(work: Work, _: PortalVisit, __: Body) -> object:
    """List the portal's accounts."""
    async with work.store.read() as conn:
        return await accounts.all_of(conn)


async def shut_account(work: Work, visit: PortalVisit, _: Body) -> object:
    """Shut an account out; giving it a password again opens it."""
    name = visit.request.path_params["account"]
    async with work.store.write() as conn:
        await accounts.shut(conn, name, now_ms=work.clock.now_ms())
    return {"name": name, "may_sign_in": False}


async def verify_evidence(work: Work, _: PortalVisit, __: Body) -> object:
    """Recompute the whole evidence log."""
    async with work.store.read() as conn:
        size = await verify(conn, work.scribe, cosigners=work.trust.cosigners)
        head = await evidence.head(conn)
    return {
        "leaves": size,
        "root": strict_json.b64_encode(head.tree.root),
        "acknowledged": head.acked_size,
        "cosigned": bool(head.cosigned),
    }


_ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/status", status),
    ("GET", "/api/targets", list_targets),
    ("POST", "/api/targets", add_target),
    ("POST", "/api/targets/look", look),
    ("POST", "/api/targets/{target}/test", try_target),
    ("POST", "/api/targets/{target}/remove", remove_target),
    ("POST", "/api/targets/{target}/check", check_target),
    ("POST", "/api/targets/{target}/heal", heal_target),
    ("GET", "/api/findings", list_findings),
    ("GET", "/api/incidents", list_incidents),
    ("GET", "/api/incidents/{incident}", show_incident),
    ("POST", "/api/incidents/{incident}/approve", approve_repair),
    ("GET", "/api/waivers", list_waivers),
    ("POST", "/api/waivers", add_waiver),
    ("POST", "/api/waivers/{waiver}/end", end_waiver),
    ("POST", "/api/observe-only", observe_only),
    ("GET", "/api/accounts", list_accounts),
    ("POST", "/api/accounts", add_account),
    ("POST", "/api/accounts/{account}/shut", shut_account),
    ("POST", "/api/evidence/verify", verify_evidence),
    *local_devices.ROUTES,
    *local_held_back.ROUTES,
    *local_clock.ROUTES,
    *local_keys.ROUTES,
    *local_program.ROUTES,
    *local_limits.ROUTES,
)
