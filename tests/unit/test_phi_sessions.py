"""Accounts where sessions, options, tokens and web servers show them go; those of systems stay."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

_QUSER = " USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME\n"
GOES = (
    ("Accepted publickey for npriert from 10.14.62.13 port 51822 ssh2", "npriert"),
    (_QUSER + ">kbrathoe               console             1  Active      none", "kbrathoe"),
    (" SESSIONNAME  USERNAME  ID  STATE\n rdp-tcp#14   mwilkens  2  Active", "mwilkens"),
    ("kthornb  pts/0        2024-11-04 08:15 (10.14.62.13)", "kthornb"),
    ("hvasquez pts/1    10.4.7.3         08:12    3:01   0.1s vim", "hvasquez"),
    ('Export -Mailbox "wsharp" -FilePath \\\\FRONTDESK-29\\pst$\\wsharp.pst', "wsharp"),
    ("Remove-ADGroupMember Billing -Members oquinnb -Confirm:$false", "oquinnb"),
    ('{"sub":"dorshia","amr":["pwd","mfa"]}', "dorshia"),
    ("APPS.PKG line 412 client_identifier=huangn host=SRV-APP-03", "huangn"),
    ("10.4.7.3 GET /ehr/api/chart - 443 CLINIC\\dayc 172.25.207.203 Mozilla/5.0", "dayc"),
    ("POST /ehr/login.aspx ReturnUrl=%2f 8080 tmbeki 172.25.207.203 HTTP/1.1", "tmbeki"),
    ('Key (mrn)=(MR538906) already exists; row ("Case","Deepa",1947-02-03)', "Case"),
    ("connector Client Proxy NURSE-04. Mailbox zaishp client address [172.31.135.76]", "zaishp"),
    ("cartridge lot W24117 operator 477469 patient 470-076-599 name SMITH,ARTA", "477469"),
)
"""What is somebody's, each with what of it may not be left."""
STAYS = (
    "Accepted publickey for ansible from 10.14.62.13 port 51822 ssh2: ED25519",
    _QUSER + " kiosk                 rdp-tcp#2           2  Disc        1:12",
    "root     pts/0        2024-11-04 08:15 (10.14.62.13)",
    '{"sub":"mirth-connect","aud":"ehr-api"} {"sub":"service_account"}',
    "10.4.7.3 GET /health - 443 - 172.25.207.203 kube-probe/1.28 200 0 0 1",
    "W3SVC1 GET /ehr/api/ping - 443 svc_monitor 172.25.207.203 - 200",
    'row ("A1","Exam 4",2024-02-11) of table room_schedule violates check',
    "operator 4412 closed valve; operator=1001 shift B autoclave load 412",
    "Mailbox database DB01 dismounted; mailbox assistants is running; mailbox quota exceeded",
    "mirth 4 Idle; worker 12  Active; Port 4 Down",
)
"""Lines of machines, whole."""


@pytest.mark.parametrize(("line", "value"), GOES)
def test_an_account_of_somebody_goes(line: str, value: str) -> None:
    assert value not in scrub_text(line)


@pytest.mark.parametrize("line", STAYS)
def test_what_systems_do_stays(line: str) -> None:
    assert scrub_text(line) == line
