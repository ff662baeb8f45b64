"""What the command line may ask about devices: what is off limits, and whose a value is."""

from dataclasses import asdict

from appliance.core.identity import shown_value
from appliance.handlers.off_limits import known_signs
from appliance.handlers.people import People
from appliance.handlers.settle import KINDS, called, choices
from appliance.handlers.work import Work
from appliance.portal.asked import OPERATOR, Answer, Body, number_in, text_of, texts_of
from appliance.portal.frame import freshness
from appliance.portal.state import PortalVisit
from appliance.store import conflicts, decisions, devices
from appliance.store.views import inventory
from proto.ids import TargetId, parse_target_id


def _target(visit: PortalVisit) -> TargetId:
    return parse_target_id(visit.request.path_params["target"])


async def list_devices(work: Work, visit: PortalVisit, _: Body) -> object:
    """List the devices."""
    fresh = freshness(work.content())
    async with work.store.read() as conn:
        return await inventory.devices(conn, freshness=fresh, now_ms=visit.now_ms)


async def show_device(work: Work, visit: PortalVisit, _: Body) -> object:
    """Show one device: what is known of it, what makes it look medical, what people decided."""
    target, fresh = _target(visit), freshness(work.content())
    async with work.store.read() as conn:
        device = await devices.get(conn, target)
        view = await inventory.device(conn, target, freshness=fresh, now_ms=visit.now_ms)
        said = await decisions.of_device(conn, target)
        waiting = await conflicts.waiting(conn)
    return {
        "device": view,
        "held": device.held,
        "signs": known_signs(device),
        "ports": sorted(port for port, seen in device.ports.items() if seen.is_open),
        "attributes": device.attributes,
        "decisions": said,
        "conflicts": [
            kept.id for kept in waiting if target in {kept.conflict.device, kept.conflict.other}
        ],
    }


async def put_off_limits(work: Work, visit: PortalVisit, body: Body) -> object:
    """Put a device off limits."""
    target = _target(visit)
    account = text_of(body, "account", default=OPERATOR)
    await People(work).put_off_limits(target, reason=text_of(body, "reason"), account=account)
    return {"device": target, "off_limits": True}


async def release(work: Work, visit: PortalVisit, body: Body) -> object:
    """Let a device be connected to again; `signs` are the codes that the person was shown."""
    target = _target(visit)
    await People(work).release(
        target,
        reason=text_of(body, "reason"),
        account=text_of(body, "account", default=OPERATOR),
        shown=texts_of(body, "signs"),
    )
    return {"device": target, "off_limits": False}


async def list_conflicts(work: Work, _: PortalVisit, __: Body) -> object:
    """List what two devices claim and waits for a person, with what each choice does."""
    found = []
    async with work.store.read() as conn:
        for kept in await conflicts.waiting(conn):
            one = kept.conflict
            names = {
                each: called(await devices.get(conn, each)) for each in (one.device, one.other)
            }
            found.append(
                {
                    "id": kept.id,
                    "kind": one.kind.value,
                    "what": KINDS[one.kind],
                    "value": one.value,
                    "shown": shown_value(one.kind, one.value),
                    "at_ms": kept.at_ms,
                    "device": one.device,
                    "device_label": names[one.device],
                    "other": one.other,
                    "other_label": names[one.other],
                    "choices": [
                        {**asdict(choice), "label": names[choice.to]}
                        for choice in await choices(conn, kept)
                    ],
                }
            )
    return found


async def settle(work: Work, visit: PortalVisit, body: Body) -> object:
    """Say whose a value is."""
    conflict = number_in(visit.request.path_params["conflict"], "device conflict")
    to = parse_target_id(body.get("to"), "to")
    account = text_of(body, "account", default=OPERATOR)
    await People(work).settle(conflict, to=to, reason=text_of(body, "reason"), account=account)
    return {"conflict": conflict, "to": to}


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/api/devices", list_devices),
    ("GET", "/api/devices/{target}", show_device),
    ("POST", "/api/devices/{target}/off-limits", put_off_limits),
    ("POST", "/api/devices/{target}/release", release),
    ("GET", "/api/conflicts", list_conflicts),
    ("POST", "/api/conflicts/{conflict}/settle", settle),
)
