"""What nmap is told, and what is believed of what it prints."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ports import SeenHost, SeenPorts
from appliance.shell.nmap import (
    XML_BYTES_MAX,
    connect_argv,
    read_ports,
    read_sweep,
    require_raw_sockets,
    sweep_argv,
)
from proto.errors import MalformedError, UnreachableError

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n'
    '<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>\n'
    "<!-- Nmap 7.93 scan initiated Sun Nov 22 01:02:58 2026 as: nmap -sn -oX - -->\n"
)
OPEN = '<nmaprun scanner="nmap" args="nmap" version="7.93" xmloutputversion="1.05">\n'
END = (
    '<runstats><finished time="1795309378" timestr="x" elapsed="0.06" exit="success"/>'
    '<hosts up="1" down="0" total="1"/>\n</runstats>\n</nmaprun>\n'
)
HOST = (
    '<host><status state="up" reason="arp-response" reason_ttl="0"/>'
    '<address addr="10.77.0.11" addrtype="ipv4"/>'
    '<address addr="00:1B:21:00:00:11" addrtype="mac" vendor="Intel Corporate"/>'
    "<hostnames>\n</hostnames></host>\n"
)
PORTS = (
    '<host><status state="up" reason="user-set" reason_ttl="0"/>'
    '<address addr="10.77.0.11" addrtype="ipv4"/><hostnames></hostnames><ports>'
    '<port protocol="tcp" portid="22"><state state="open" reason="syn-ack" reason_ttl="0"/>'
    '<service name="ssh" method="table" conf="3"/></port>'
    '<port protocol="tcp" portid="80"><state state="closed" reason="conn-refused"/></port>'
    '<port protocol="tcp" portid="104"><state state="filtered" reason="no-response"/></port>'
    "</ports></host>\n"
)


def _xml(body: str, *, head: str = HEAD, start: str = OPEN, end: str = END) -> bytes:
    return (head + start + body + end).encode()


octet = st.integers(0, 255)
address = st.builds("{}.{}.{}.{}".format, octet, octet, octet, octet)
port = st.integers(1, 65_535)
network = st.builds(lambda a, b: f"{a}.{b}.0.0/16", st.integers(1, 223), st.integers(0, 255))

KNOWN = re.compile(
    r"nmap|--privileged|-sn|-PE|-sT|-Pn|-n|-p|-oX|-|--max-retries|--max-rate|--host-timeout|30s|"
    r"\d+(?:,\d+){0,19}|(?:\d{1,3}\.){3}\d{1,3}(?:/\d\d)?"
)
"""Every argument that nmap is ever given; -sV, -O, -sU, -A, -sC and --script are not in it."""


@given(st.lists(network, min_size=1, max_size=5))
def test_a_sweep_is_told_nothing_but_to_look_who_is_there(networks: list[str]) -> None:
    argv = sweep_argv(networks)
    assert all(KNOWN.fullmatch(argument) for argument in argv), argv
    assert argv[:3] == ["nmap", "--privileged", "-sn"]
    assert not {"-p", "-sT"} & set(argv)


@given(st.lists(address, min_size=1, max_size=9), st.lists(port, min_size=1, max_size=20))
def test_a_connect_is_told_nothing_but_to_connect_to_these_ports(
    addresses: list[str], ports: list[int]
) -> None:
    argv = connect_argv(addresses, ports)
    assert all(KNOWN.fullmatch(argument) for argument in argv), argv
    assert argv[:3] == ["nmap", "-sT", "-Pn"]
    asked = [int(text) for text in argv[argv.index("-p") + 1].split(",")]
    assert asked == sorted(set(ports))
    assert argv[-len(addresses) :] == addresses


def test_a_host_is_read_with_its_mac_and_vendor() -> None:
    assert read_sweep(_xml(HOST)) == [
        SeenHost("10.77.0.11", "00:1b:21:00:00:11", "Intel Corporate", "")
    ]


def test_a_host_that_is_down_is_not_there() -> None:
    assert read_sweep(_xml(HOST.replace('state="up"', 'state="down"'))) == []


def test_open_ports_are_told_from_those_that_were_asked_in_vain() -> None:
    assert read_ports(_xml(PORTS), (22, 80, 104)) == [
        SeenPorts("10.77.0.11", asked=(22, 80, 104), open=(22,))
    ]


def test_of_a_host_that_was_given_up_on_nothing_is_said() -> None:
    given_up = re.sub(r"<ports>.*</ports>", "", PORTS).replace("<host>", '<host timedout="true">')
    assert read_ports(_xml(given_up), (22,)) == []


def test_no_host_is_an_answer_too() -> None:
    assert read_sweep(_xml("")) == []


def test_a_vendor_is_short_and_printable() -> None:
    odd = HOST.replace("Intel Corporate", "&#10;Evil&#x1b;&#9;" + "v" * 900)
    (seen,) = read_sweep(_xml(odd.replace("&#x1b;", "")))
    assert seen.vendor.isprintable()
    assert len(seen.vendor) == 80


ENTITY = '<!DOCTYPE nmaprun [<!ENTITY a "boom">]>'
BOMB = (
    '<!DOCTYPE nmaprun [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "&a;&a;">' for n in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
ELSEWHERE = '<!DOCTYPE nmaprun SYSTEM "http://192.0.2.1/nmap.dtd">'
PLAIN = '<?xml version="1.0"?>'


@pytest.mark.parametrize(
    ("xml", "named"),
    [
        (b"", "begin"),
        (b"Nmap done: 1 IP address", "begin"),
        (_xml(HOST)[:-40], "well-formed"),
        (_xml(HOST)[:500], "well-formed"),
        (_xml(HOST) + b"<more/>", "well-formed"),
        (_xml(HOST, start="<other>", end="</other>"), "begin"),
        (_xml(HOST, start="<nmaprunner>", end="</nmaprunner>"), "begin"),
        (_xml(HOST, head=PLAIN + ENTITY), "begin"),
        (_xml(HOST, head=PLAIN + BOMB), "begin"),
        (_xml(HOST, head=PLAIN + OUTSIDE), "begin"),
        (_xml(HOST, head=PLAIN + ELSEWHERE), "begin"),
        (_xml(HOST, start=OPEN + "<!DOCTYPE nmaprun>"), "well-formed"),
        (_xml(HOST.replace("Intel", "&undeclared;")), "well-formed"),
        (_xml(HOST).decode().encode("utf-16"), "UTF-8"),
        (_xml(HOST) + b"\xff", "UTF-8"),
        (_xml(HOST, end="</nmaprun>"), "missing"),
        (_xml(HOST, end=END.replace('exit="success"', 'exit="error"')), "end"),
        (_xml(HOST, end=END.replace('exit="success"', "")), "end"),
        (_xml("<host><status state='up'/></host>"), "missing"),
        (_xml(HOST.replace("10.77.0.11", "10.77.0.999")), "10.77.0.999"),
        (_xml(HOST.replace("10.77.0.11", "--script")), "--script"),
        (_xml(HOST.replace("00:1B:21:00:00:11", "00:1B")), "MAC"),
        (b"<nmaprun>" + b" " * XML_BYTES_MAX, "bytes"),
    ],
)
def test_what_is_not_nmaps_xml_is_refused_with_the_place_named(xml: bytes, named: str) -> None:
    with pytest.raises(MalformedError, match=named) as refused:
        read_sweep(xml)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (PORTS.replace('portid="80"', 'portid="eighty"'), "eighty"),
        (PORTS.replace('portid="80"', 'portid="81"'), "81"),
        (PORTS.replace('<state state="closed" reason="conn-refused"/>', ""), "missing"),
    ],
)
def test_ports_that_make_no_sense_are_refused(wrong: str, named: str) -> None:
    with pytest.raises(MalformedError, match=named):
        read_ports(_xml(wrong), (22, 80, 104))


@given(st.integers(0, len(_xml(HOST)) - len(b"</nmaprun>\n")))
def test_a_cut_anywhere_is_refused(end: int) -> None:
    with pytest.raises(MalformedError):
        read_sweep(_xml(HOST)[:end])


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_refused(xml: bytes) -> None:
    with pytest.raises(MalformedError):
        read_sweep(xml)


def test_a_sweep_without_raw_sockets_is_refused_for_it_would_connect_to_everything() -> None:
    require_raw_sockets("Name:\tx\nCapEff:\t0000000000002000\n")
    with pytest.raises(UnreachableError, match="CAP_NET_RAW"):
        require_raw_sockets("Name:\tx\nCapEff:\t0000000000000400\n")
    with pytest.raises(UnreachableError, match="CAP_NET_RAW"):
        require_raw_sockets("Name:\tx\n")
