"""Hosts called after who works at them lose the person; hosts of rooms and roles stay."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ("Account Name: fifeqappanm Caller Computer Name: fifeqappan-laptop", "fifeqappan"),
    ("x.pdf owned by zaish.johnson on \\\\zaish-desktop was printed", "zaish"),
    ("x.pdf owned by vesnab on \\\\berry-desktop was printed", "berry"),
    ("client srufeqaqua@RIVERBEND.LOCAL host/rufeqaqua-surface no etype", "rufeqaqua"),
    ("jamf: checkin computer hauolia-mbp user shauolia os 14.3.1", "hauolia"),
    ("device 'hiroshi_Android_3/12/2024', UPN kealohah@riverbendhealth.org", "hiroshi"),
    ("TargetUserName=thomasb Workstation=thomas-nuc Status=0xc000006a", "thomas"),
    ("user thomasb on LAPTOP-THOMASB ok", "THOMASB"),
    ("Account Name: mullerk Workstation Name: LT-MULLERK01", "MULLERK"),
    ("vpn: user kfarouk connected from kareem-yoga os Windows 11", "kareem"),
    ("wlc: client prihauish-iphone associated AP-3W-07", "prihauish"),
    ("dnsmasq-dhcp[2274]: DHCPACK(br0) 172.22.112.4 obipauoglu-macbook-air", "obipauoglu"),
    ("Renew,10.2.1.5,fiobiolia-thinkpad.riverbend.local", "fiobiolia"),
]
STAYS = [
    ("Account Name: fifeqappanm Caller Computer Name: EXAM-LAPTOP-04", "EXAM-LAPTOP-04"),
    ("x.pdf owned by vesnab on \\\\front-desktop was printed", "front-desktop"),
    ("user thomasb on DESKTOP-8KJ2LMN ok", "DESKTOP-8KJ2LMN"),
    ("vpn: user kfarouk connected from nurse-laptop os Windows 11", "nurse-laptop"),
    ("user bwilkins logged in on billing-pc", "billing-pc"),
    ("Account Name: bwilkins Workstation Name: LAB-PC Source Network Address: -", "LAB-PC Source"),
    ("Account Name: mullerk Workstation Name: PC-09 Source Network Address: 10.0.0.4", "Source N"),
    ("DHCPACK loaner-macbook-air spare-thinkpad nurse-iphone", "loaner-macbook-air spare-thinkpad"),
]


@pytest.mark.parametrize(("line", "person"), GONE)
def test_whose_host_it_is_goes(line: str, person: str) -> None:
    assert person not in scrub_text(line)


@pytest.mark.parametrize(("line", "host"), STAYS)
def test_hosts_of_rooms_and_roles_stay(line: str, host: str) -> None:
    assert host in scrub_text(line)
