"""What every `ports.Scanner` promises, held by nmap on a real network and by the fake alike."""

from collections.abc import Iterator

import pytest

from appliance.ports import Scanner
from proto.errors import ConfigError
from tests.fakes.scanner import FakeDevice, FakeScanner
from tests.lab import boxes
from tests.lab.scan_in_world import WorldScanner


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def scanner(request: pytest.FixtureRequest) -> Iterator[Scanner]:
    if request.param == "fake":
        yield FakeScanner(
            [
                FakeDevice("10.77.0.1"),
                FakeDevice(boxes.SERVER, boxes.SERVER_MAC, "Intel", boxes.SERVER_PORTS),
                FakeDevice(boxes.DEVICE, boxes.DEVICE_MAC, "Fortinet", boxes.DEVICE_PORTS),
                FakeDevice("10.77.0.50", is_up=False),
            ]
        )
        return
    with boxes.boxes() as world:
        yield WorldScanner(world)


async def test_a_sweep_sees_who_is_there_with_mac_and_vendor(scanner: Scanner) -> None:
    found = {host.address: host for host in await scanner.sweep([boxes.NETWORK])}
    assert found.keys() == {"10.77.0.1", boxes.SERVER, boxes.DEVICE}
    assert found[boxes.SERVER].mac == boxes.SERVER_MAC
    assert found[boxes.DEVICE].mac == boxes.DEVICE_MAC
    assert found[boxes.SERVER].vendor.startswith("Intel")
    assert found["10.77.0.1"].mac == ""


async def test_a_sweep_keeps_to_its_networks(scanner: Scanner) -> None:
    assert [host.address for host in await scanner.sweep(["10.77.0.21/32"])] == [boxes.SERVER]
    assert await scanner.sweep(["10.77.0.96/29"]) == []


async def test_a_connect_tells_open_from_closed(scanner: Scanner) -> None:
    seen = await scanner.connect([boxes.SERVER, boxes.DEVICE], [22, 104, 8080, 9])
    assert [(host.address, host.asked, host.open) for host in seen] == [
        (boxes.SERVER, (9, 22, 104, 8080), boxes.SERVER_PORTS),
        (boxes.DEVICE, (9, 22, 104, 8080), boxes.DEVICE_PORTS),
    ]


async def test_of_a_host_that_is_not_there_no_port_is_open(scanner: Scanner) -> None:
    seen = await scanner.connect([boxes.ABSENT, boxes.SERVER], [22])
    assert {host.address: host.open for host in seen if host.open} == {boxes.SERVER: (22,)}


async def test_twenty_ports_are_asked_and_each_is_told(scanner: Scanner) -> None:
    ports = list(range(8061, 8081))
    (seen,) = await scanner.connect([boxes.SERVER], ports)
    assert (seen.asked, seen.open) == (tuple(ports), (8080,))


async def test_nobody_asked_is_nobody_told(scanner: Scanner) -> None:
    assert await scanner.connect([], [22]) == []


@pytest.mark.parametrize(
    "networks",
    [
        [],
        ["10.0.0.0/8"],
        ["0.0.0.0/0"],
        ["10.77.0.1/24"],
        ["10.77.0.21"],
        ["clinic.example"],
        ["-iL/etc/passwd"],
        ["10.77.0.0/24 --script=vuln"],
        ["fd00::/120"],
        ["10.77.0.0/32"] * 65,
    ],
)
async def test_only_networks_of_a_sane_size_are_swept(
    scanner: Scanner, networks: list[str]
) -> None:
    with pytest.raises(ConfigError, match="network"):
        await scanner.sweep(networks)


@pytest.mark.parametrize(
    ("addresses", "ports"),
    [
        ([boxes.SERVER], []),
        ([boxes.SERVER], list(range(1, 22))),
        ([boxes.SERVER], [0]),
        ([boxes.SERVER], [65_536]),
        ([boxes.SERVER], [True]),
        ([boxes.NETWORK], [22]),
        (["--script=vuln"], [22]),
        (["localhost"], [22]),
        ([boxes.SERVER] * 4097, [22]),
    ],
)
async def test_only_a_few_ports_of_addresses_are_connected_to(
    scanner: Scanner, addresses: list[str], ports: list[int]
) -> None:
    with pytest.raises(ConfigError, match=r"address|port"):
        await scanner.connect(addresses, ports)
