"""Medical devices are recognised before anything intrusive, and then left alone for ever."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.classify import (
    MEDICAL_PORTS,
    PORTS_MAX,
    Observed,
    Release,
    device_class,
    medical_vendor,
    next_ports,
    off_limits,
    signs,
    waits_for_a_look,
)
from proto.inventory import DeviceClass

WANTED = (21, 22, 23, 80, 443, 3389, 6379)


def observed(
    *vendors: str,
    names: tuple[str, ...] = (),
    asked: tuple[int, ...] = (),
    open_ports: tuple[int, ...] = (),
    marked: str = "",
) -> Observed:
    return Observed(vendors, names, frozenset(asked), frozenset(open_ports), marked)


@pytest.mark.parametrize(
    "vendor",
    [
        # As nmap 7.93 prints them.
        "Philips Patient Monitoring",
        "Philips Medical Systems - Cardiac and Monitoring Systems (CM",
        "GE Healthcare",
        "GE Medical System(China)",
        "General Electric",
        "Siemens AG, Healthcare Sector",
        "Siemens AG",
        "Siemens Healthcare Diagnostics",
        "Draeger Medical Systems",
        "Dräger",
        "Mindray DS USA",
        "B.Braun Melsungen AG",
        "Becton, Dickinson  and Company",
        "Alaris",
        "Carefusion",
        "ICU Medical",
        "Smiths Medical",
        "Fresenius-vial",
        "Hill-Rom",
        "Welch Allyn",
        "Physio-Control",
        "Nihon Kohden America",
        "bioMerieux",
        "bioMrieux Italia",
        "Roche Diagnostics GmbH",
        "Abbott Point of Care",
        "Sirona Dental Systems Gmbh & KG",
        "Hitachi Aloka Medical",
        "Omron Healthcare",
        "avateramedical Mechatronics GmbH",
        "Cardiopulmonary",
        "Fujifilm",
        "Varian",
    ],
)
def test_a_vendor_of_medical_devices_is_recognised(vendor: str) -> None:
    assert medical_vendor(vendor)


@pytest.mark.parametrize(
    "vendor",
    [
        "",
        "Intel Corporate",
        "VMware",
        "Super Micro Computer",
        "Raspberry Pi Foundation",
        "Fujitsu Siemens Computers",
        "Nokia Siemens Networks GmbH & KG.",
        "Fujifilm Business Innovation",
        "Canon",
        "Electronics FOR Imaging",
        "Talaris Systems",
        "Dialog Semiconductor",
        "GE Lighting",
        "Hewlett Packard",
        "Cisco Systems",
        "Topcon Positioning Systems",
        "Varian Wireless",
        "Medion AG",
    ],
)
def test_a_vendor_of_ordinary_devices_is_not_taken_for_medical(vendor: str) -> None:
    assert medical_vendor(vendor) is None


def test_the_reason_names_the_vendor_or_the_port() -> None:
    assert "Philips Patient Monitoring" in (
        off_limits(observed("Philips Patient Monitoring")) or ""
    )
    assert off_limits(observed(open_ports=(104,))) == "port 104 is open: DICOM"
    assert off_limits(observed(open_ports=(2575,))) == "port 2575 is open: HL7"
    assert off_limits(observed("Intel Corporate", open_ports=(22, 443))) is None


def test_nothing_is_asked_of_a_listed_vendor() -> None:
    assert next_ports(observed("Philips"), WANTED) == ()


def test_the_medical_ports_are_asked_alone_and_first() -> None:
    assert next_ports(observed("Intel Corporate"), WANTED) == MEDICAL_PORTS
    assert next_ports(observed(asked=(104,)), WANTED) == (2575, 11112)


def test_the_rest_is_asked_once_the_medical_ports_are_known_to_be_closed() -> None:
    assert next_ports(observed(asked=MEDICAL_PORTS), WANTED) == WANTED
    assert next_ports(observed(asked=MEDICAL_PORTS + WANTED), WANTED) == ()


def test_a_mark_outlives_the_port_that_earned_it() -> None:
    device = observed(asked=MEDICAL_PORTS, marked="port 104 is open: DICOM")
    assert next_ports(device, WANTED) == ()
    assert device_class(device) is DeviceClass.MEDICAL


def about_a_port(port: int) -> bool:
    raise NotImplementedError(port)  # hypothesis only reads the signature


VENDORS = st.sampled_from(["", "Intel Corporate", "Philips", "GE Healthcare", "Cisco Systems"])


@given(
    vendors=st.lists(VENDORS, max_size=3),
    marked=st.sampled_from(["", "port 104 is open: DICOM"]),
    wanted=st.sets(st.integers(1, 65535), max_size=30),
    is_open=st.functions(like=about_a_port, returns=st.booleans(), pure=True),
    answers=st.functions(like=about_a_port, returns=st.booleans(), pure=True),
)
def test_no_sequence_of_results_makes_a_medical_device_be_asked_more(
    vendors: list[str],
    marked: str,
    wanted: set[int],
    is_open: Callable[[int], bool],
    answers: Callable[[int], bool],
) -> None:
    """Whatever is open and whatever stays unanswered, the rules of the module hold at each ask."""
    asked: set[int] = set()
    found: set[int] = set()
    sent: set[int] = set()
    for _ in range(PORTS_MAX):
        device = observed(*vendors, asked=tuple(asked), open_ports=tuple(found), marked=marked)
        ports = next_ports(device, wanted)
        if off_limits(device) is not None:
            assert ports == ()
        if not asked >= set(MEDICAL_PORTS):
            assert set(ports) <= set(MEDICAL_PORTS)
        assert not set(ports) & asked
        sent |= set(ports)
        answered = {port for port in ports if answers(port)}
        asked |= answered
        found |= {port for port in answered if is_open(port)}
        if not answered:
            break
    assert len(sent) <= PORTS_MAX
    if marked or any(medical_vendor(vendor) for vendor in vendors):
        assert sent == set()
    if found & set(MEDICAL_PORTS):
        assert sent <= set(MEDICAL_PORTS)


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        (observed("Philips"), DeviceClass.MEDICAL),
        (observed(open_ports=(22, 11112)), DeviceClass.MEDICAL),
        (observed("Brother industries"), DeviceClass.PRINTER),
        (observed(open_ports=(9100,)), DeviceClass.PRINTER),
        (observed("Cisco Systems", open_ports=(22, 443)), DeviceClass.NETWORK),
        (observed(names=("fw1.clinic.example",)), DeviceClass.NETWORK),
        (observed(names=("ws12",)), DeviceClass.WORKSTATION),
        (observed(open_ports=(22, 443)), DeviceClass.SERVER),
        (observed(names=("db2.server.example",)), DeviceClass.SERVER),
        (observed(names=("emr",), open_ports=(22,)), DeviceClass.SERVER),
        (observed(names=("host7.server.example",)), DeviceClass.UNKNOWN),
        (observed("Intel Corporate", open_ports=(22,)), DeviceClass.UNKNOWN),
    ],
)
def test_a_class_follows_from_vendor_names_and_ports(device: Observed, kind: DeviceClass) -> None:
    assert device_class(device) is kind


CARDS = st.frozensets(st.sampled_from(["", "00:1b:21:00:00:05", "00:1b:21:00:00:99"]))
CODES = st.frozensets(
    st.sampled_from(["vendor philips", "vendor ge healthcare", "port 104", "port 2575"])
)


@given(
    vendors=st.lists(VENDORS, max_size=3),
    found=st.frozensets(st.sampled_from([22, 104, 2575, 11112])),
    macs=CARDS,
    release=st.none() | st.builds(Release, CODES, CARDS, st.just("off limits"), st.integers(0, 9)),
    marked=st.sampled_from(["", "port 104 is open: DICOM"]),
)
def test_a_word_opens_a_device_for_what_the_person_knew_and_for_nothing_else(
    vendors: list[str],
    found: frozenset[int],
    macs: frozenset[str],
    release: Release | None,
    marked: str,
) -> None:
    """Whatever was released: an unknown sign, another card or a newer mark keeps it shut."""
    plain = observed(*vendors, open_ports=tuple(found), marked=marked)
    device = replace(plain, macs=macs, release=release)
    codes = {sign.code for sign in signs(device)}
    if off_limits(device) is not None:
        assert next_ports(device, WANTED) == ()
        assert device_class(device) is DeviceClass.MEDICAL
        return
    assert not marked
    if codes:
        assert release is not None
        assert codes <= release.signs
        assert macs <= release.macs
    assert next_ports(device, WANTED) == MEDICAL_PORTS


@given(
    asked_ms=st.dictionaries(st.sampled_from([*MEDICAL_PORTS, 22]), st.integers(0, 9)),
    at_ms=st.integers(0, 9),
)
def test_a_released_device_is_free_once_every_medical_port_was_asked_since(
    asked_ms: dict[int, int], at_ms: int
) -> None:
    release = Release(frozenset(), frozenset(), "", at_ms)
    is_asked = all(asked_ms.get(port, -1) >= at_ms for port in MEDICAL_PORTS)
    assert waits_for_a_look(release, asked_ms) is not is_asked
    assert not waits_for_a_look(None, asked_ms)
