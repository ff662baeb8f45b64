# ruff: noqa: E501 - examples stand unbroken
"""Accounts that commands and servers name go; those of systems, options and empty fields stay."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

GONE = [
    ("PS C:\\> Get-ADUser tomasz.prihauish -Properties *", "prihauish"),
    ("Get-ADUser -Identity quobanlia", "quobanlia"),
    ("Unlock-ADAccount -Identity 'rquoban'", "rquoban"),
    ("Get-MgUser -UserId quobanl", "quobanl"),
    ("Get-Mailbox hpriquo | fl", "hpriquo"),
    ("net user kuobanlia /domain", "kuobanlia"),
    ("C:\\>quser quobana", "quobana"),
    ("freeradius: Login incorrect (mschap: FAILED: No NT-Domain): [waban.priqua/letmein1858] (from client wlc port 13)", "letmein1858"),
    ("freeradius: Login incorrect: [waban.priqua/letmein1858] (from client wlc port 13)", "waban"),
    ("radiusd: Login OK: [RIVER\\\\quobana/<via Auth-Type = EAP>] (from client ap port 0)", "quobana"),
    ("1712923445.129 88 10.9.2.31 TCP_TUNNEL/200 CONNECT www.example.com:443 churcho HIER_DIRECT/10.2.1.35 -", "churcho"),
    ('10.1.2.3 - quobana [12/Mar/2024:09:14:27 -0500] "GET / HTTP/1.1" 200 5312', "quobana"),
    ("TWUser.exe: mullerk broke the glass on THANDIWE PARK (22-Feb-1950), ws APP-25", "mullerk"),
    ("break-the-glass access by kuobanlia, chart 4417203", "kuobanlia"),
    ("3CX: voicemail PIN for ext 214 (Sakura Sessions) reset to 1049 by admin", "1049"),
    ("new PIN for Sakura Sessions (ext 214): 7741", "7741"),
    ('Add-ADGroupMember -Identity "HP Front Desk" -Members quobanlia', "quobanlia"),
    ("su: FAILED SU (to root) quobanlia on pts/0", "quobanlia"),
    ("door code for Sakura Sessions (badge 4412): 88213", "88213"),
    ("sshd[33838]: Accepted publickey for feqaprishiy from 107.111.31.215 port 51514 ssh2", "feqaprishiy"),
    ("sample pos diff, name CARVER,GRANT, validate by bittencourth, lot A4021", "bittencourth"),
]  # fmt: skip
STAYS = [
    "Get-ADUser -Filter * -SearchBase OU=Staff",
    "Set-ADUser svc-backup -Enabled $true",
    "Get-LocalUser Administrator",
    "net user administrator *",
    "passwd: all authentication tokens updated successfully",
    "radiusd: Login incorrect: [00-11-22-33-44-55/<no User-Password attribute>]",
    "1712923445.129 88 10.9.2.31 TCP_TUNNEL/200 CONNECT www.example.com:443 - HIER_DIRECT/10.2.1.35 -",
    '10.1.2.3 - admin [12/Mar/2024:09:14:27 -0500] "GET / HTTP/1.1" 200 5312',
    '10.1.2.3 - prometheus [12/Mar/2024:09:14:27 -0500] "GET /metrics HTTP/1.1" 200 5312',
    "4776 validate the credentials. Logon Account: LABTECH04$ Source Workstation: PACSGW-40 Error Code: 0x0",
    "glass break sensor on door 3 used by the alarm",
]


@pytest.mark.parametrize(("line", "value"), GONE)
def test_accounts_that_commands_and_servers_name_go(line: str, value: str) -> None:
    assert value not in scrub_text(line)


@pytest.mark.parametrize("line", STAYS)
def test_accounts_of_systems_and_empty_fields_stay(line: str) -> None:
    assert scrub_text(line) == line
