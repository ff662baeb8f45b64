"""What no key stands before: changed values, owners, labels, credentials of every kind."""

import re

import pytest

from proto.phi import default_names, scrub_text

pytestmark = pytest.mark.skipif(
    default_names() is None, reason="the gazetteer was not compiled here (extra gazetteer)"
)

TOKEN = re.compile(r"\[[A-Z0-9_]+-[a-z2-7]{7}\]")
HEX = "4c1d9e0b7fa2386154c1d9e0b7fa2386"
LONG = "q8ZrT2mVx0LkW9sYb3NcHd7FgJ5pAeRu1oXiQz"

CASES = [
    ('{"field":"ssn","old":"219345678","new":"219345679"}', ["219345678", "219345679"]),
    ('{"value":"Petrov","name":"lastName"}', ["Petrov"]),
    ("<field><name>ssn</name><value>219345678</value></field>", ["219345678"]),
    ("<key>PatientName</key>\n<string>Petrov, Ivan</string>", ["Petrov", "Ivan"]),
    ("field lastName changed from 'Petrov' to 'Ivanov'", ["Petrov", "Ivanov"]),
    ("last_name: old=Petrov new=Ivanov", ["Petrov", "Ivanov"]),
    ('phone: "813-555-1212" -> "8135551213"', ["813-555-1212", "8135551213"]),
    ('form-data; name="ssn"\r\n\r\n219345678\r\n--b', ["219345678"]),
    ('lease 10.1.1.5 to "Karen\'s iPad"', ["Karen"]),
    ("joined: mariagonzalez-laptop.lan", ["mariagonzalez"]),
    ("^XA^FO5,5^FDPETROV, MARIA^FS^FO5,9^FD01/02/1960^FS^XZ", ["PETROV", "MARIA", "01/02/1960"]),
    ("[10:14] Karen: thanks, it prints now", ["Karen"]),
    ("GET /r?pid=44112233&ln=Petrov HTTP/1.1", ["44112233", "Petrov"]),
    ("patient Maria Lopez will see us on April 7 at noon", ["Maria Lopez", "April 7"]),
    ("merged 44112233 into patient Maria Lopez id=55667788", ["Maria Lopez", "55667788"]),
    (f"alert bot4123456789:AA{LONG[:33]} failed", [LONG[:33]]),
    (f"mailgun key-{HEX} refused", [HEX]),
    ("htpasswd frontdesk:$apr1$FFsfOpcS$io3yG0zEv8gJeYHODLyx", ["io3yG0zEv8gJeYHODLyx"]),
    ("dn: cn=x\nuserPassword: {SSHA}pkfXE0YPC7+jl3MZtya5kYigNm+FE7ir", ["pkfXE0YPC7"]),
    ("username admin privilege 15 password 7 11B754898448D6AA00", ["11B754898448D6AA00"]),
    ("snmp-server user mon ADM v3 auth sha Cl1nicAuth! priv aes 128 Cl1nicPriv!", ["Cl1nic"]),
    ("radius-server host 10.1.1.5 key Zq7!dlU8", ["Zq7!dlU8"]),
    ("machine git.local login deploy password iloveflossing", ["iloveflossing"]),
    ("db01:5432:ehr:reporting:YCsaYCsa", ["YCsaYCsa"]),
    ("Cookie: lang=en; connect.sid=s%3AtcepLIbIs3I1aTaV.x", ["tcepLIbIs3I1aTaV"]),
    ("psexec64 \\\\PC01 -u CLINIC\\deploy -p dentist1095 cmd", ["dentist1095"]),
    ("USER scanner\n331 Password required\nPASS xray840X\n530", ["xray840X"]),
    ("334 UGFzc3dvcmQ6 QmxhaDEyMyE=", ["QmxhaDEyMyE="]),
    ("my password is T&haRyq7 can you log in", ["T&haRyq7"]),
    ("MFA backup codes for svc_admin: 967294 114872", ["967294", "114872"]),
    ("arm the alarm with code 462854 at night", ["462854"]),
    ("license key for the suite: 4B09-2068-C841-E878-4F8E", ["4B09-2068"]),
    ("recovery phrase comet-garnet-onyx-tulip was shown", ["comet-garnet"]),
    (f"Private-Lines: 1\n{LONG}AA==\nPrivate-MAC: {HEX}", [LONG, HEX]),
]
CLEAN = [
    "tokenUrl: https://idp.local/oauth, passwordExpires in 12 days, secretName db-creds",
    "Set-ADAccountPassword -Identity $user -Reset -NewPassword $secure",
    "mysql -u root -p for a prompt; curl -u USER:PASS; usage: pass -p",
    "status changed from open to closed; name changed from 'vm-01' to 'vm-02'",
    "This computer was restarted; exit code 118223; error code 4411 at port 8443",
    "snmpd: refused; ntp: key not trusted; radius server is up; wpa_supplicant: key added",
    "door 2 opened; zip code lookup 200 ms; area code table loaded; event code 4663",
    "cookie consent accepted; session cookie expired; Set-Cookie header missing",
    "Apr 7 10:11:12 host01 systemd[1]: Started; next window April 12",
    '{"field":"status","old":"open","new":"closed"}',
    "^XA^FO50,50^FDASSET 004118^FS^XZ",
]


@pytest.mark.parametrize(("text", "gone"), CASES)
def test_a_value_whose_key_stands_elsewhere_goes(text: str, gone: list[str]) -> None:
    out = scrub_text(text)
    left = TOKEN.sub("\0", out)
    assert not [piece for piece in gone if piece in left]
    assert scrub_text(out) == out


@pytest.mark.parametrize("text", CLEAN)
def test_what_only_speaks_about_such_values_stays(text: str) -> None:
    assert scrub_text(text) == text
