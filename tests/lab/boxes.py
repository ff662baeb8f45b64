"""A world with two boxes that listen on a few ports, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from osiris.demo.world import HostSpec, World
from tests.lab.ssh_host import rootfs

NETWORK = "10.77.0.0/24"
SERVER, DEVICE = "10.77.0.21", "10.77.0.22"
ABSENT = "10.77.0.99"
SERVER_PORTS, DEVICE_PORTS = (22, 8080), (104,)
SERVER_MAC, DEVICE_MAC = "00:1b:21:00:00:21", "00:09:0f:00:00:22"

LISTEN = """
import selectors, socket, sys
ready = selectors.DefaultSelector()
for port in sys.argv[1:]:
    ready.register(socket.create_server(("", int(port))), selectors.EVENT_READ)
while True:
    for key, _ in ready.select():
        key.fileobj.accept()[0].close()
"""


def _box(name: str, address: str, mac: str, ports: tuple[int, ...]) -> HostSpec:
    argv = ("/usr/bin/python3", "-c", LISTEN, *map(str, ports))
    return HostSpec(name, address, mac, argv=argv)


@contextmanager
def boxes() -> Iterator[World]:
    """Start the boxes; they are gone when the context ends."""
    with World(rootfs()) as world:
        world.start(_box("server", SERVER, SERVER_MAC, SERVER_PORTS))
        world.start(_box("device", DEVICE, DEVICE_MAC, DEVICE_PORTS))
        world.wait_ready([(SERVER, port) for port in SERVER_PORTS] + [(DEVICE, 104)])
        yield world
