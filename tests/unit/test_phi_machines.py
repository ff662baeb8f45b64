# ruff: noqa: E501 - examples stand unbroken
"""Lines of machines stay as they are, and what machines say of themselves stays beside people."""

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

CLEAN = [
    # A process's number speaks of no patient.
    "host kernel: Killed process 1234 pid=7192 (agent) total-vm:19344kB Jasmine plugin",
    "helm upgrade: chart nginx-15.1.0 of Jasmine release 7 deployed",
    # What follows a key, and can be nothing of its class.
    "pam_unix(sshd:auth): Failed password for user from 172.18.1.100 port 43042 ssh2",
    "[ERROR|auth] 2025-07-16T19:43:16: Incorrect username or password from 127.0.0.1",
    'GET /cgi-bin/../etc/passwd HTTP/1.1" 400 166',
    "cipher=EDH-RSA-DES-CBC3-SHA, sasl_method=PLAIN; type `Get-Help Get-Credential`.",
    "System.Xml, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089",
    "PasswordExpirationTime : 4/22/2023 8:45:29 AM",
    "PSChildName  : Wbem",
    '{"providerName":"chromoting","providerGuid":"{54849625-5478-4994-A5BA-3E3B0328C30D}"}',
    "type=ANOM_ABEND msg=audit(1222174623.498:608): subj=system_u:system_r:cupsd_t:s0-s0:c0.c1023 pid=7192",
    "%ASA-4-405001: Received ARP response collision from 10.233.250.16/0016.a421.94ef on interface inside",
    "Auth: [SMB2,(null)] status [NT_STATUS_NO_SUCH_USER]; VShellSSH2 auth 44268 - - failed",
    "Command line: '/usr/sbin/apache2'; Address(Int32 ) is a method",
    "The backup keys are deleted but the service keeps its own copy of them",
    "order number 2201 skipped; EXAM-22 at 10/02/2024 08:14:11 is up",
    "the resource named Cluster Name and the GPO named TestGpo were moved",
    # Things that are called as people are.
    "Robin Hood hash; Rose Pine theme; Grant Read access to Group Front Desk on share Forms",
    "Stack: Erlang/OTP 26, Elixir, Scala, Julia 1.10, Ada; printers: Snoopy, Woodstock",
    "profile: C:\\Users\\admin\\Documents\\WindowsPowerShell\\profile.ps1; token algorithm RsaSha256",
    "CN=TR-DC-FW-INT-B-5600,O=Internet-QRO",
]


@pytest.mark.parametrize("text", CLEAN)
def test_a_line_of_machines_stays_as_it_is(text: str) -> None:
    assert scrub_text(text) == text


KEPT = [
    ("reject: RCPT from unknown[73.181.237.123]: 450 <whorvath47@icloud.com>: rejected", ["RCPT from unknown[", "]: 450 <"]),
    ('vsftpd[9311]: OK UPLOAD: "/outbound/KIM_HEATHER_744443081842.835", 9374909250 bytes', ["9374909250 bytes"]),
    ("C-STORE-RQ: (0010,0010) PatientName=[CHEN^MAUD] (0010,0020) PatientID=[004193048]", ["(0010,0010) PatientName=[", "(0010,0020) PatientID=["]),
    ("CN=Wei Reyes,OU=Nurses,DC=clinic,DC=local", [",OU=Nurses,DC=clinic,DC=local"]),
    ("badge[2550]: deny card=800000 holder=Waban Moor door=PHARM", ["badge[2550]:"]),
    ("call log: Maud Lefevre, 1-427-866-7643, Inbound, Missed, Dec 12 19:57:54, ext 104", ["Dec 12 19:57:54"]),
    ("call 6319420d-7a65-59e1-9aba-e1e8750cd6d6 from 917 484 2312 (NKECHI CHEN) queue billing", ["6319420d-7a65-59e1-9aba-e1e8750cd6d6"]),
    ('FaxUtil: received 3pp CID "HILL FRANK" -> inbox\\e48ebd5f-3a4c-354d-35f1-8e7fdef6843d.tif', ["e48ebd5f-3a4c-354d-35f1-8e7fdef6843d"]),
    ("SELECT 1 FROM Patients WHERE LastName LIKE 'Tesfaye%' -- 412 ms on PACSGW-14", ["412 ms on PACSGW-14"]),
    ("{'user': 'Ann Lee', 'sid': 'S-1-5-18', 'dob': '1961-02-03'}", ["S-1-5-18"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), KEPT)
def test_what_machines_say_of_themselves_stays_beside_people(text: str, kept: list[str]) -> None:
    out = scrub_text(text)
    assert out != text
    assert not [piece for piece in kept if piece not in out]


GONE = [
    ("HL7 segment PID|1||4411223||MOOR^ANN", "MOOR"),
    ("GET /x?pid=4411223&ln=Moor&fn=Ann", "4411223"),
    ("recovery phrase comet-garnet-onyx-tulip was shown", "comet-garnet"),
    ("password for the tablet is Tulip-4411!", "Tulip-4411"),
    ("order 884411223 for lab", "884411223"),
    ("ssn4 7323 of the caller", "7323"),
    ("patient: De-Vries, Maud", "De-Vries"),
]


@pytest.mark.parametrize(("text", "gone"), GONE)
def test_what_only_looks_like_a_machines_goes(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)
