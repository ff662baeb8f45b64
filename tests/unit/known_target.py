"""A Linux target as a person added it, with its device and its login in the store."""

from appliance.handlers.run_time import run_ms
from appliance.handlers.work import Work
from appliance.ports import Sudo
from appliance.store import devices, limits, targets
from appliance.store.devices import Seen
from proto.ids import TargetId
from proto.inventory import DeviceClass, Platform
from tests.fakes.shell import credential


async def know(work: Work, target: TargetId, *, address: str, host_key: str, added_ms: int) -> None:
    """Store a target that can be logged in on, and the device that it is."""
    row = targets.Target(
        id=target,
        platform=Platform.LINUX,
        address=address,
        port=22,
        login="osiris",
        sudo=Sudo.NOPASSWD,
        host_key=host_key,
        os="debian",
        os_version="12",
        device_class=DeviceClass.SERVER,
        label="",
        added_ms=added_ms,
    )
    async with work.store.write() as conn:
        await devices.upsert(conn, [Seen(target, DeviceClass.SERVER, "", {})], at_ms=added_ms)
        await targets.add(conn, work.sealer, row, credential=credential(key="PEM"))
        # `added_ms` is on the clock on the wall; whether it is new is told by the running clock.
        fresh_ms = await run_ms(conn, work) - (work.clock.now_ms() - added_ms)
        await limits.added(conn, target, now_ms=fresh_ms)
