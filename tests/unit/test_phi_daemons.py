"""Accounts at the places where daemons, firewalls, databases and directories log them."""

import re

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

LINES = tuple(
    r"""
type=USER_LOGIN msg=audit(1678453128.113:4411): pid=3984 acct="L" exe="/usr/sbin/sshd"
type=SYSCALL msg=audit(1.1:4): uid=1000 AUID="L" UID="root" GID="root"
type=USER_AUTH msg=audit(1.1:4): ID="L" res=failed
date=2024-01-01 type=event unauthuser="L" srcip=10.0.0.4
devname=FG60 type=utm srcuser="L" action=blocked
devname=FG60 xauthuser="L" tunnelid=4
vpn: Group = CLINIC, Username = L, IP = 10.1.1.1, Session connected
%ASA-6-113004: AAA user authentication Successful : server = 10.0.0.1 : user = L
%ASA-6-113012: AAA user authentication Rejected : local database : user = L : user IP = 10.0.0.4
device="SFW" user_name="L" usr_name="L"
src_user_name: L; dst: 10.0.0.4
{"related":{"user":["L"]},"event":"login"}
{"user":{"name":"L"},"event":{"action":"login"}}
{"user.name":"L","source.ip":"10.0.0.4"}
{"source":{"user":{"name":"L"}}}
winlog.event_data.TargetUserName: L
{"userIdentity":{"type":"IAMUser","userName":"L"}}
postgres[12]: L@ehr LOG:  connection authorized: user=L database=ehr
FATAL:  role "L" does not exist
FATAL:  password authentication failed for user "L"
Access denied for user 'L'@'10.0.0.4' (using password: YES)
Login failed for user 'L'. Reason: Password did not match.
usename=L datname=ehr state=idle
{"datname":"ehr","usename":"L","client_addr":"10.0.0.4"}
ORA-28000: the account is locked; OS_USER=L DBUSERNAME=EHR
osuser: L program: sqlplus.exe
dn: uid=L,ou=people,dc=clinic,dc=example
smbd_audit: L|10.0.0.4|share|open|ok|r|doc.txt
Auth: [SMB2,(null)] user [CLINIC]\[L] at [Mon, 01 Jan 2024] with [NTLMv2] status [NT_STATUS_OK]
vsftpd[3]: [L] OK LOGIN: Client "10.0.0.4"
proftpd[22]: USER L: Login successful.
dovecot: imap-login: Login: user=<L>, method=PLAIN, rip=10.0.0.4
dovecot: imap(L)<123><abc>: Disconnected
postfix/smtpd[1]: ABC: client=host[10.0.0.4], sasl_method=LOGIN, sasl_username=L
exim: 1abc <= a@clinic.example H=host [10.0.0.4] A=login:L S=440
	User-Name = "L"
openvpn[6]: 10.1.2.3:1433 [L] Peer Connection Initiated with [AF_INET]10.1.2.3:1433
openvpn[6]: L/10.1.2.3:1433 MULTI: Learn: 10.8.0.6 -> L/10.1.2.3:1433
openvpn: TLS: Username/Password authentication succeeded for username 'L'
cupsd page_log: PRINT-01 L 123 [01/Jan/2024:10:00:00 +0000] 1 1 - localhost
lpd: job-originating-user-name=L
CRON[22]: (L) CMD (/usr/bin/true)
su[22]: (to root) L on pts/0
su: pam_unix(su:session): session opened for user root(uid=0) by L(uid=1000)
sshd[3]: pam_unix(sshd:session): session opened for user L(uid=1000) by (uid=0)
systemd-logind[1]: New session c2 of user L.
polkitd: Operator of unix-session:2 successfully authenticated as unix-user:L
sudo:     L : TTY=pts/0 ; PWD=/home/L ; USER=root ; COMMAND=/bin/ls
sshd[3]: Disconnected from user L 10.0.0.4 port 22
sshd[3]: Connection closed by authenticating user L 10.0.0.4 port 22 [preauth]
usermod[4]: change user 'L' password
useradd[4]: new user: name=L, UID=1001, GID=1001
passwd[3]: pam_unix(passwd:chauthtok): password changed for L
groupmod: add 'L' to group 'sudo'
Started by user L
Jenkins: L started build #44
LastLoggedOnUser: CLINIC\L
{"last_logged_on_user":"L","serial":"5CG1234"}
CurrentUser=L Host=EXAM-01
console user: L
"primaryUser":"L"
assigned_user=L asset=LT-33
User L connected to \\SRV-01\scans
Disconnecting user L (idle 30 min)
Account locked out: L (source EXAM-04)
Password reset for L completed by helpdesk
MFA challenge denied for L
L has been added to group Domain Admins
Added member L to security group EHR-Users
Mapped drive H: for L -> \\FS01\home\L
Profile C:\Users\L loaded in 3122 ms
C:\Users\L\AppData\Local\Temp\x.tmp
/home/L/.ssh/authorized_keys
/Users/L/Library/Logs/x.log
\\FS01\users$\L\Desktop
file:///C:/Users/L/Documents/plan.docx
%USERPROFILE%=C:\Users\L
USERNAME=L USERDOMAIN=CLINIC
whoami: clinic\L
CLINIC\L logged on from EXAM-02
L@clinic.local logged on
L@CLINIC.LOCAL krbtgt/CLINIC.LOCAL@CLINIC.LOCAL
krb5kdc[4]: AS_REQ (4 etypes {18 17}) 10.0.0.4: NEEDED_PREAUTH: L@CLINIC for krbtgt/CLINIC@CLINIC
Session for L expired
session_user: L
Query by L took 3312 ms
explorer.exe 4412 Console 1 88,120 K Running CLINIC\L 0:00:10
tasklist /V: chrome.exe 3312 RDP-Tcp#1 2 120,000 K Running CLINIC\L
-rw-r--r-- 1 L staff 4412 Jan  1 10:00 notes.txt
net use: Remote name \\FS01\data  User name L
Get-ADUser: SamAccountName : L
Owner : CLINIC\L
Path=...; Owner=CLINIC\L; Access=CLINIC\L Allow FullControl
icacls: C:\Data CLINIC\L:(OI)(CI)(F)
Task "Backup" started by CLINIC\L
Event 4624: Account Name: L Account Domain: CLINIC Logon Type: 10
Event 4688 Creator Subject: Account Name: L New Process Name: C:\x.exe
Event 4663: Subject: Account Name:		L
Event 1149: Remote Desktop Services: User authentication succeeded: User: L Domain: CLINIC
Event 7045 A service was installed. Service Account: CLINIC\L
Event 5140 share accessed. Account Name: L Share Name: \\*\Scans$
TerminalServices: Session logon succeeded: User: CLINIC\L Session ID: 2
MSSQL: Login succeeded for user 'CLINIC\L'. Connection made using Windows authentication.
pg_stat_activity: 4412 | ehr | L | 10.0.0.4 | idle
show processlist: 12 | L | 10.0.0.4:4412 | ehr | Sleep | 10
GRANT SELECT ON patients TO L;
CREATE USER L WITH PASSWORD 'xxxx';
ALTER ROLE L NOSUPERUSER;
git: Author: L <L@clinic.example>
svn commit r4412 | L | 2024-01-01
Jira: assigned to L
Zendesk ticket 4412 requester L priority high
Teams: L joined the call
Slack: @L uploaded a file
rdesktop: connected as L
vncserver :1 started for L
TeamViewer: participant L (123 456 789) connected
AnyDesk: incoming session from L@ad
FortiGate: user="L" group="vpn" tunneltype="ssl-tunnel"
GlobalProtect: portal-auth succeeded; username: L
PaloAlto: THREAT,url,,10.0.0.4,1.1.1.1,,,rule,clinic\L,,web-browsing
SonicWall: usr="L" msg="User login"
Meraki: client_mac='aa:bb:cc:dd:ee:ff' identity='L' association
UniFi: User[aa:bb:cc:dd:ee:ff|L] connected
ISE: UserName=L, NAS-IP-Address=10.0.0.1
radiusd: (4) Login OK: [L] (from client ap1 port 0 cli AA-BB)
hostapd: wlan0: STA aa:bb:cc:dd:ee:ff IEEE 802.1X: authenticated - identity 'L'
wpa_supplicant: identity="L"
squid: 1700000.1 12 10.0.0.4 TCP_MISS/200 44 GET http://x/ L HIER_DIRECT/1.1.1.1 text/html
Exchange: RunspaceId : x  MailboxOwner : L
MessageTrace sender=L@clinic.example
MAPI: cn=L,ou=Users,dc=clinic
CN=L,OU=Users,DC=clinic,DC=local
LDAP bind: uid=L,ou=people
ldapsearch filter (sAMAccountName=L)
(uid=L)
badge reader 4: L entered suite 200
time clock: L punched in 08:01
PDQ: logged in user: L on EXAM-02
Intune: UPN L@clinic.example device LT-33
Printer: Document 44, Chart.pdf owned by L on \\EXAM-02 was printed on HP-1
PaperCut: L printed 4 pages on HP-1
scan to folder: user L, file scan001.pdf
Kaspersky: object detected user: CLINIC\L
Defender: Detection User: CLINIC\L Process Name: C:\x.exe
CrowdStrike: UserName="L" FileName="x.exe"
Sysmon: User: CLINIC\L Image: C:\x.exe
osquery: {"username":"L","uid":"1001"}
auditbeat: user.name=L process.name=vim
docker exec by L
kubectl: user "L" cannot list pods
sudo: pam_unix(sudo:auth): authentication failure; logname=L uid=1000 euid=0 ruser=L rhost=  user=L
su: FAILED SU (to root) L on pts/0
login[3]: LOGIN ON tty1 BY L
login[3]: FAILED LOGIN 1 FROM tty1 FOR L, Authentication failure
gdm: user L logged in
samba: L (10.0.0.4) connect to service scans initially as user L (uid=1001, gid=100)
nfs: mount request from 10.0.0.4 for /export/home/L
rsync: L@10.0.0.4 rsync charts
scp L@ehr01:/data/x .
ssh -i key L@10.0.0.4
sftp-server: session opened for local user L from [10.0.0.4]
ftp: L logged in from 10.0.0.4
crontab: (L) RELOAD (crontabs/L)
at: job 4 by L
mail: to=<L@clinic.example>, orig_to=<L>
vacation: L@clinic.example
finger: Login: L Name:
""".strip("\n").split("\n")
)
"""As they print, with L for the login."""
PEOPLE = ("wilsonj", "jwilson", "mwarsame")
SERVICES = ("postgres", "root", "Administrator", "svc_backup", "labsvc", "nginx", "faxserver")


def said(line: str, login: str) -> str:
    return re.sub(r"(?<![A-Za-z])L(?![A-Za-z])", login, line)


@pytest.mark.parametrize("line", LINES)
def test_the_account_of_a_person_goes(line: str) -> None:
    for login in PEOPLE:
        assert login not in scrub_text(said(line, login))


@pytest.mark.parametrize("line", [line for line in LINES if "@" not in line and "(123" not in line])
def test_the_account_of_a_service_stays_and_so_does_the_line(line: str) -> None:
    for login in SERVICES:
        text = said(line, login)
        assert scrub_text(text) == text
