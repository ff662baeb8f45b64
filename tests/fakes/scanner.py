"""`ports.Scanner` in memory: a network of devices that is asked nothing but what a scan asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from appliance.ports import SeenHost, SeenPorts
from appliance.shell import nmap
from proto.errors import OsirisError


@dataclass
class FakeDevice:
    """A device on the fake network."""

    address: str
    mac: str = ""
    vendor: str = ""
    open: tuple[int, ...] = ()
    is_up: bool = True


class FakeScanner:
    """Sees the devices it was given; `ports.Scanner`.

    Attributes:
        devices: what is on the network; change it as the network changes.
        failure: raised by every scan while it is set.
        touched: every (address, port) that was ever connected to.
    """

    def __init__(self, devices: Sequence[FakeDevice]) -> None:
        """Start with these devices."""
        self.devices = list(devices)
        self.failure: OsirisError | None = None
        self.touched: set[tuple[str, int]] = set()

    async def sweep(self, networks: Sequence[str]) -> list[SeenHost]:
        """Say which devices are up; see `ports.Scanner.sweep`."""
        nmap.sweep_argv(networks)
        self._fail()
        swept = [IPv4Network(text) for text in networks]
        return [
            SeenHost(device.address, device.mac, device.vendor, "")
            for device in self._up()
            if any(IPv4Address(device.address) in network for network in swept)
        ]

    async def connect(self, addresses: Sequence[str], ports: Sequence[int]) -> list[SeenPorts]:
        """Say which ports are open; see `ports.Scanner.connect`."""
        if not addresses:
            return []
        nmap.connect_argv(addresses, ports)
        self._fail()
        self.touched |= {(address, port) for address in addresses for port in ports}
        asked = tuple(sorted(set(ports)))
        return [
            SeenPorts(device.address, asked, tuple(p for p in asked if p in device.open))
            for device in self._up()
            if device.address in addresses
        ]

    def _up(self) -> list[FakeDevice]:
        return sorted((d for d in self.devices if d.is_up), key=lambda device: device.address)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
