"""Secrets where machines of a clinic print them.

They are tokens that issuers mark, hashes, configurations of network gear, credential files,
cookies, command lines and what people say about passwords. Beside `secrets`, whose patterns tell by form alone, each family here has its own gate, and most
values are asked whether they are more than a word.
"""

import re
from collections.abc import Callable
from functools import partial

from proto.phi.fitness import is_prose, secretive
from proto.phi.logins import is_computer
from proto.phi.plans import plan
from proto.phi.record import Record
from proto.phi.scan import Pattern, Sought
from proto.phi.secrets import is_plain_value
from proto.phi.values import Kind

ISSUED = Pattern(
    r"(?:\b|bot)(?:[0-9]{8,10}:AA[A-Za-z0-9_-]{32,35}|ATATT3[A-Za-z0-9_=-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|gl(?:sa|c)_[A-Za-z0-9_+/=-]{20,}|NR(?:AK|JS|II)-[A-Za-z0-9]{16,}"
    r"|dapi[0-9a-f]{32}|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{20,}|hf_[A-Za-z0-9]{30,}"
    r"|PMAK-[A-Za-z0-9-]{20,}|lin_api_[A-Za-z0-9]{20,}|dp\.(?:pt|st|ct|sa)\.[A-Za-z0-9._-]{16,}|GOCSPX-[A-Za-z0-9_-]{20,}"
    r"|1//0[A-Za-z0-9_-]{30,}|xapp-[0-9]-[A-Za-z0-9-]{20,}|rubygems_[a-f0-9]{40,}|oy2[a-z0-9]{40,}|nfp_[A-Za-z0-9]{30,}"
    r"|figd_[A-Za-z0-9_-]{20,}|ntn_[A-Za-z0-9]{30,}|CFPAT-[A-Za-z0-9_-]{30,}|dckr_oat_[A-Za-z0-9_-]{20,}|whsec_[A-Za-z0-9+/=]{20,}"
    r"|[sr]k_test_[A-Za-z0-9]{10,}|bkua_[a-f0-9]{30,}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,}|sbp_[a-f0-9]{30,}|xkeysib-[a-f0-9]{40,}"
    r"|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{16,}|shp(?:ss|ca|pa)_[a-fA-F0-9]{20,}|sntrys_[A-Za-z0-9+/=_-]{20,}|pul-[a-f0-9]{40}|rnd_[A-Za-z0-9]{20,}"
    r"|EAAA[A-Za-z0-9_-]{40,}|EAAC[A-Za-z0-9]{20,}|AAAA[A-Za-z0-9_-]{6,12}:APA91b[A-Za-z0-9_-]{40,}|AKCp[A-Za-z0-9]{20,}|SK[0-9a-f]{32}"
    r"|[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{30,}|(?:ABIA|ACCA)[0-9A-Z]{16}"
    r"|(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{40,}|amzn\.mws\.[0-9a-f-]{36}|Atz[ar]\|[A-Za-z0-9_-]{40,}|hv[bs]\.[A-Za-z0-9_-]{20,}"
    r"|access_token\$production\$[a-z0-9$]{20,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{40,}|ops_[A-Za-z0-9_-]{40,}|v2\.(?:local|public)\.[A-Za-z0-9_-]{30,}"
    r"|vault:v[0-9]+:[A-Za-z0-9+/=]{12,})"
)
_THREE_PARTS = Pattern(r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}")
HASHED = Pattern(
    r"(\$(?:apr1|krb5[a-z]{2,8}|pbkdf2[a-z0-9_-]*|scrypt|sha1|sha256|md5|argon2[a-z]*|8|9|14|s[0-2]|gy|y|P|H|DCC2)\$[^\s\"'<>,;|\x01]{8,}"
    r"|\{(?:SSHA|SHA|SMD5|MD5|CRYPT|PBKDF2|ARGON2|BCRYPT)[A-Z0-9-]{0,8}\}[A-Za-z0-9+/=$./]{12,}"
    r"|\*[0-9A-F]{40}\b|\b0x0[12]00[0-9A-Fa-f]{40,}|\bmd5[0-9a-f]{32}\b|SCRAM-SHA-(?:1|256|512)\$[^\s\"'\x01]{20,}"
    r"|\b(?:pbkdf2|scrypt|bcrypt|argon2)[_:a-z0-9]*[$:][0-9]{2,8}[$:][^\s\"'\x01]{16,}|01000000d08c9ddf[0-9a-fA-F]{40,}"
    r"|AQAAANCMnd8BFdERjHoAwE[A-Za-z0-9+/=]{20,}|\bENC\([^)\s\x01]{8,}\)|\{cipher\}[A-Za-z0-9+/=]{16,}|\{AQAAABAAAA[A-Za-z0-9+/=]{12,}\}|\{[A-Za-z0-9+/]{42,90}={1,2}\}"
    r"|\b[0-9a-f]{32}:[0-9a-f]{32}\b|::[A-Za-z0-9.-]{1,40}:[0-9a-f]{16}:[0-9a-f]{32}:[0-9a-f]{12,})"
)
_VALUE = r"[\"']?([^\s\"';,<>\x01][^\s\"'<>\x01]{3,})"
_FAMILIES = {
    "gear": (
        ("passw|secret|key|md5|sha|passphrase|psk|community", r"(?i)\b(?:password|passwd|secret|key|md5|sha1?|sha-?256|key-string|passphrase|authentication-key|psk|community)[ \t]+"
        r"(?:ENC|[0-9]{1,2}|encrypted|ascii|hex|ascii-text|hexadecimal|simple|cipher|plain)[ \t]+" + _VALUE),
        ("secret|key|md5|psk|password|authentication", r"(?i)\b(?:radius|tacacs|ntp|hsrp|vrrp|ospf|bgp|eigrp|isis|isakmp|ike[v12]*|ipsec|l2tp|ppp|pptp|wlan|wpa[23]?|dot1x|macsec|stack|standby|nhrp|glbp)"
        r"\b[^\n]{0,80}?[ -](?:shared[- ]secret|shared[- ]key|secret|key|authentication-key(?: [0-9]+ [a-z0-9]+)?|authentication md5|md5|pre-?shared-?key|psk|password|authentication)"
        r"[: ]{1,2}(?:[0-9]{1,2} |ascii |ENC |key-string |key-chain )?" + _VALUE),
        ("community|com2sec", r"(?i)\b(?:snmp-server community|r[ow]community6?|trapcommunity|community-string|community name|com2sec6?(?: -Cn [^\s]+)? [^\s]+ [^\s]+)[: ]{1,2}" + _VALUE),
        ("md5|sha|des|aes", r"(?i)\b(?:auth(?:entication)?|priv(?:acy)?)[- ](?:password |key )?(?:md5|sha(?:-?[0-9]{1,3})?|des(?:56)?|3des|aes(?:-?[ ]?(?:128|192|256))?)[ \t:]{1,2}" + _VALUE),
        ("createuser ", r"(?i)\bcreateuser [^\s]+ (?:md5|sha[0-9-]*) [\"']?([^\s\"'\x01]{4,})"),
        ("createuser ", r"(?i)\bcreateuser [^\s]+ (?:md5|sha[0-9-]*) [^\s]+ (?:aes|des)[0-9-]* [\"']?([^\s\"'\x01]{4,})"),
        ("snmp", r"(?i)\bsnmp[a-z]* [^\n]{0,120}? -[AXcax] " + _VALUE),
        ("snmp", r"(?i)\bsnmp[a-z]* [^\n]{0,160}? -X " + _VALUE),
        ("\"|'", r"(?m)^[\"']?[A-Za-z0-9_.@\\-]{2,40}[\"']?[ \t]+[\"']?(?:\*|l2tpd|pptpd|[a-z0-9-]{2,20})[\"']?[ \t]+[\"']([^\s\"'\x01]{4,})[\"'][ \t]+[\"']?(?:\*|[0-9]{1,3}\.)"),
        (": psk ", r"(?i): PSK [\"']([^\"'\x01]{4,})[\"']"),
        ("-pre-shared-key|-passphrase|-password|-secret|-psk|-shared-key", r"(?i)\b[a-z0-9]+(?:-[a-z0-9]+)*-(?:pre-shared-key|passphrase|password|secret|psk|shared-key)[= ]{1,2}" + _VALUE),
    ),
    "files": (
        ("login ", r"(?i)\blogin [^\s]{1,80}\s{1,4}password " + _VALUE),
        ("securestring", r"(?i)\bsecurestring\b[^\n\"']{0,30}[\"']([^\"'\n\x01]{4,})[\"']"),
        ("-p |-pw |-w ", r"(?i)(?:^|[ \"'])-(?:p|pw|w) [\"']?([^\s\"'\x01-][^\s\"'\x01]{3,})[\"']? (?:[^\n]{0,60} )?(?:-u|-user|--user|-l) "),
        ("\n", r"(?i)\bkey(?: file)?:?[ \t]{0,4}\r?\n((?:[0-9a-f]{32,}\s{0,4})+)"),
        (":", r"(?m)^[^\s:/]{1,80}:(?:[0-9]{4,5}|\*):[^\s:]{1,60}:[^\s:]{1,60}:([^\s:\x01]{4,})$"),
        ("private-lines", r"Private-Lines: [0-9]{1,3}\r?\n([A-Za-z0-9+/=\r\n]{20,})"),
        ("private-mac", r"Private-MAC: ([0-9a-f]{32,})"),
        ("<value>", r"(?i)<[a-z:]{0,24}(?:password|secret|passphrase|apikey|token)\b[^<>]{0,60}>\s{0,8}<value>([^<\x01]{3,})<"),
        ("pass|pw", r"(?i)\b(?:login|user(?:name)?|uid|u) [^\s,;]{1,80},? {1,4}(?:password|passwd|pass|pw|pwd) [\"']?([^\s\"'\x01]{4,})"),
        ("reg_", r"(?i)password[a-z]{0,12}[\"']?\s{1,8}(?:/t\s)?reg_(?:sz|binary|expand_sz|dword|multi_sz)\s{1,8}(?:/d\s)?[\"']?([^\s\"'\x01]{3,})"),
        ("$ansible_vault", r"(?i)\$ANSIBLE_VAULT;[0-9.]{1,6};AES256[^\n]{0,40}((?:\r?\n\s{0,20}[0-9a-f]{16,})+)"),
        ("@", r"(?i)\b(?:sqlplus|rman|expdp|impdp|exp|imp|thin:|connect|conn|login|srv|oci:?)[ :]?(?:-[a-z] )?[a-z_][a-z0-9_]{0,30}/([^\s/@\"'\x01]{4,})@"),
        ("@", r"(?i)\b[a-z][a-z0-9_]{2,30}/([^\s/@\"'\x01]*[0-9][^\s/@\"'\x01]*)@[a-z][a-z0-9_]{2,30}\b(?:[^.a-z0-9_-]|$)"),
        ("webhook", r"(?i)\bwebhooks?[a-z0-9]{0,4}/([A-Za-z0-9@/_-]{20,})"),
        ("webhook", r"(?i:\bwebhooks?\b[^\n]{0,40}?)\b(T[A-Z0-9]{8,11}/B[A-Z0-9]{8,11}/[A-Za-z0-9]{20,})"),
        ("ntlm|hash|rc4_hmac|aes256", r"(?i)\b(?:ntlm|nt ?hash|lm ?hash|rc4_hmac(?:_nt)?|aes256_cts[a-z_0-9-]*|aes256_hmac|nthash)\s{0,4}[:=]\s{0,4}([0-9a-f]{32,64})\b"),
        ("numerical password", r"(?i)\bnumerical password:?\s{1,8}([0-9]{6}-[0-9-]{20,})"),
    ),
    "spelt": (
        ("passw|identified by|passphrase|pwd", r"(?i)(?:\b[a-z_]{0,24}password|\b(?:passwd|identified by|passphrase|pwd))[ \t]+N?[\"']([^\"'\n\x01]{4,})[\"']"),
        ("identified ", r"(?i)\bidentified (?:with|via) [a-z0-9_]{1,40} (?:by|as|using) [\"']([^\"'\n\x01]{4,})[\"']"),
        ("ugfzc3dvcmq6", r"(?i)(?:334 )UGFzc3dvcmQ6\s{1,4}(?:[<>CS:]{1,3} )?([A-Za-z0-9+/=]{4,})"),
        ("auth", r"(?i)\bauth(?:enticate)?[ =](?:plain|login|xoauth2|cram-md5|digest-md5)[ =]{1,2}([A-Za-z0-9+/=]{8,})"),
        (" login ", r"(?i)\b[a-z]{0,2}[0-9]{1,4} login [\"']?[^\s\"']{1,80}[\"']? [\"']?([^\s\"'\x01]{4,})"),
        ("pass ", r"(?:USER|user) [^\s]{1,60}\s[^\n]{0,80}\n?(?:[^\n]{0,80}\n)?[^\n]{0,24}\bPASS ([^\s\x01]{4,})"),
        ("user ", r"(?m)(?:ftp> |---> |--> )?\buser [a-z0-9._-]{2,40} ([^\s\x01]{4,}) (?:230|331|530|logged)"),
        ("passw|pw|passphrase", r"(?i)\b(?:passwords?|passwd|pwd?|passphrase)\b[^\n\"'=:;,.]{1,40} ?= ?[\"']?([^\s\"'\x01]{4,})"),
        ("send", r"(?i)\bsend(?:line)? (?:-- )?[\"']([^\s\"'\\$\x01]{4,})\\{1,2}[rn]"),
        ("tried|attempted|typed|entered|sent", r"(?i)\b(?:tried|attempted|typed|entered|sent)(?: with)?(?: password| pass| pw)? [\"']([^\"'\n\x01]{4,})[\"']"),
    ),
    "options": (
        (" -p| -w| --p| /p| -rp| /rp", (
            r"(?i)[ \"'](?:-u|-l|--user(?:name)?|/u|/user|-user(?:name)?|--login|-d)[ :=][^\s]{1,80}(?: [^\s]{1,60}){0,3}? (?:-p|-w|-pw|-pass(?:word)?|--pass(?:word)?|/p|/pw|/pass(?:word)?|-rp|/rp)[ :=]?"
            r"[\"']?([^\s\"'\x01/-][^\s\"'\x01]{2,})"
        )),
        ("pass|secret|token|key|psk|cred|pwd", r"(?i)[ \"'](?:--?|/)[a-z0-9-]{0,24}(?:password|passwd|passphrase|passcode|secret|token|api-?key|access-?key|psk|cred|authkey|pwd)[ =:]{1,2}[\"']?([^\s\"'\x01/-][^\s\"'\x01]{3,})"),
        ("setx |export |set |env |declare -x ", r"(?i)\b(?:setx|export|set|env|declare -x)[ ]{1,2}[\"']?[a-z0-9_]{0,40}(?:password|passwd|secret|token|apikey|api_key|_pw|_pass|_key|pwd)[\"']?[ =]{1,2}[\"']?([^\s\"'\x01]{4,})"),
        ("echo|printf", r"(?i)\b(?:echo|printf)(?: -n| -e)? [\"']?([^\s\"'|\x01]{4,})[\"']? ?\| ?(?:sudo -s|passwd|smbpasswd|chpasswd|openssl|docker login|kinit|cryptsetup|gpg)\b"),
        ("<<<", r"(?i)(?:^|[^<])<<< ?[\"']([^\"'\n\x01]{4,})[\"']"),
        (" -a| --a", r"(?i) --?a(?:uth)?[ =][\"']?[a-z0-9._@-]{1,60}:([^\s\"'\x01]{4,})"),
        ("_p|_secret ", r"(?i)\b[a-z]{2,12}_(?:pw|pass|password|passwd|pwd|secret) ([^\s\"'=:\x01]{4,})"),
        ("_user |_password |htpasswd|_passwd|autologon|net user |-login ", r"(?i)\b(?:add_user|change_password|set_password|htpasswd(?: -[a-z]+)*(?: [^\s]+)?|mosquitto_passwd(?: -[a-z]+)*(?: [^\s]+)?|autologon(?:\.exe)? [^\s]+|net user|-login) [^\s]{1,80} ([^\s\"'\x01]{4,})"),
        ("redis", r"(?i)\bredis\b[^\n]{0,60}? auth [\"']?([^\s\"'\x01]{4,})"),
        ("set-password |setpassword ", r"(?i)\bset-?password [\"']?([^\s\"'\x01]{4,})"),
        ("sp_", r"(?i)\bsp_(?:add|change|set|update)[a-z]{0,20}(?:login|password|linkedsrvlogin|user)\b[^\n]{0,120}?, ?N?'([^'\n\x01]{4,})'(?:$|[^,'])"),
        ("<<<", r"(?i)(?:^|[^<])<<< ?([^\s\"'<\x01]{4,})"),
        (" -u ", r"(?i) -u [\"']?[a-z0-9._@-]{1,60},([^\s\"'\x01]{4,})"),
        ("community ", r"(?i)\bcommunity (?:set|add)\b[^\n]{0,40}?\bname=[\"']?([^\s\"'\x01]{4,})"),
        ("key-string ", r"(?i)\bkey-string (?:[0-9] )?[\"']?([^\s\"'\x01]{4,})"),
        ("chpasswd", r"(?i)\bchpasswd\b[^\n]{0,20}?<<<? ?[\"']?[a-z0-9_-]{1,40}:([^\s\"'\x01]{4,})"),
        ("pscredential|networkcredential", r"(?i)(?:\bnew-object|\[)[^\n]{0,60}?(?:pscredential|networkcredential)(?:\]::new)?[\])(: ]{1,6}[\"'][^\"'\n]{1,80}[\"'] ?, ?[\"']([^\"'\n\x01]{3,})[\"']"),
        ("auth", r"(?i)\bauth\s?\(\s?[\"'][^\"'\n]{1,80}[\"'] ?, ?[\"']([^\"'\n\x01]{3,})[\"']"),
        ("", r"(?i)\b(?:admin|root|sa|user|login|service|svc)[a-z0-9_.-]{0,24}(?: ?/ ?|:)([^\s\"'/:=\x01]*[0-9][^\s\"'/:=\x01]*[!@#$%^&*][^\s\"'/:=\x01]{0,24})"),
    ),
}  # fmt: skip
_ANNOUNCED = {
    family: tuple(Sought.of(*one) for one in forms) for family, forms in _FAMILIES.items()
}
_SPOKEN = {
    "saidpw": (
        Sought.of(
            "typed |entered |tried ",
            r"(?i)\b(?:typed|entered|tried) ([^\s\"'\x01]{5,}) (?:at|as|for|in|into) [^\n]{0,30}?\b(?:password|passphrase|pin)\b",
        ),
        Sought.of(
            "pwd|passw|passphrase",
            r"(?i)\b[a-z-]{2,30}(?:pwd|password|passwd|passphrase)[ :=]{1,3}([^\s\"'\x01]{6,})",
        ),
        Sought.of(
            " pass| pw| pswd| psswd| login",
            r"(?i)\b(?:says?|said|typed|entered|tried|uses?|used|using|with|temp(?:orary)?|new|old|his|her|my|our|their|the|your|default|same|current|initial|correct|wrong)"
            r" (?:pass|pw|pwd|passwd|password|passcode|passphrase|pswd|psswd|login)[ :=]{1,2}(?:is |was |of |to |now )?[\"']?([^\s\"'\x01]{4,})",
        ),
        Sought.of(
            "pass|pswd|pw",
            r"(?i)\b(?:passwords?|passwd|pswd|pwd?|pass|passphrase)\b[^\n\"'=:]{0,48}? (?:is|to|was|as|now|contains|holds|reads|->|=>)[: ]{1,2}[\"']?([^\s\"'\x01]{5,})",
        ),
        Sought.of(
            "pass|pswd|pw",
            r"(?i)\b(?:passwords?|passwd|pswd|pwd?|passphrase) (?:for|of|on|to) [^\n\"'=:;]{2,48}: ([^\s\"'\x01]{5,})",
        ),
        Sought.of(
            "pass|pswd|pw",
            r"(?i)\b(?:passwords?|passwd|pswd|pwd?|pass|passphrase)\b[^\n\"'=:]{0,24}? (?:log|sign)[a-z]{0,4}[ -]?(?:in|on) ?to [^\s\"']{2,40} (?:is|was|now|->|=>)[: ]{1,2}[\"']?([^\s\"'\x01]{5,})",
        ),
    ),
    "wifi": (
        Sought.of(
            "key|psk|pass",
            r"(?i)\b(?:wi-?fi|ssid|wlan|hotspot|wpa[23]?|psk)\b[^\n]{0,16}?\b(?:key|psk|password|passphrase|passcode)\b[^\n]{0,40}? (?:is|was|to|now|=|->)[: ]{1,2}[\"']?([^\s\"'\x01]{6,})",
        ),
        Sought.of(
            "wifi|wi-fi|ssid|wlan|hotspot",
            r"(?i)\b(?:wi-?fi|ssid|wlan|hotspot)\b[^\n]{0,40}? (?:[/|,:] |key |pass |pw |password )([^\s\"'\x01]{6,})",
        ),
    ),
    "creds": (
        Sought.of(
            " / ",
            r"(?i)\b(?:use|try|using|with) (?:[a-z]{2,12} ){0,2}?[a-z][a-z0-9._-]{1,30} / ([^\s\"'/\x01]{5,})",
        ),
        Sought.of(
            "\\",
            r"(?i)\bcred(?:ential)?s? (?:[^\s]{1,40} )?[^\s\\]{1,40}\\[^\s\\]{1,40} ([^\s\"'\x01]{4,})",
        ),
        Sought.of(
            "",
            r"(?i)\b(?:creds?|credentials?|log-?in|logon|sign-?in|basic auth|u/p|user/pass)\b(?: is| are| for [a-z]{2,20}(?: is)?)?[:= ]{1,3}[^\s/|]{1,60} ?(?:[/|]|with) ?([^\s\"'/\x01]{4,})(?:[\s\"'.,;)]|$)",
        ),
    ),
}
_STRONG = Pattern(r"[^\s\"'`,;:=<>()\[\]{}|/\\\x01][^\s\"'`,;<>|/\\\x01]{5,40}")
_STRONG_CUE = re.compile(
    rb"pass(?:word|wd|phrase|code)|securestring|credential|(?:^|[^a-z])(?:pass|pwd?|creds?)(?:$|[^a-z])"
)
STRONG_CHARS_MAX = 120
_MARKS = frozenset(b"!@#$%^&*?+~")
_AFTER_COLON = Pattern(
    r"(?i)\b(?:pass(?:word|wd|phrase|code)?|pwd?)\b[^\n:=]{0,40}?(?: ?[:=]| -) [\"']?([A-Za-z0-9!@#$%^&*._+~?-]{6,40})[\"']?(?:[\s,;)]|$)"
)
_ALGORITHM = re.compile(
    rb"(?i)(?:sha|md|aes|rsa|ssh|ntlm|tls|ssl|utf|v|x|hmac|argon|bcrypt|pbkdf|base|win|oauth|http|ed|ipv|krb|des|rc|p)[-_]?[a-z]{0,4}[-_.]?\d+.*"
)
_OPAQUE = Pattern(
    r"(?i)\b(?:key|signature|secret|token)[\"']? ?[:=] ?[\"']?([A-Za-z0-9+/_=-]{32,})"
)
_LINK = Pattern(r"(?i)https?://[^\s\"'<>]{1,200}?/([A-Za-z0-9_-]{32,})(?:[/?\s\"'<>]|$)")
_SESSION = Pattern(
    r"(?i)\b(?:phpsessid|jsessionid|asp\.net_sessionid|connect\.sid|laravel_session|sessionid|csrftoken|xsrf-token)[ =:\"']{1,4}([A-Za-z0-9%._+/=-]{16,})"
)
_PHRASE = Pattern(
    r"(?i)\b(?:recovery|seed|backup|mnemonic|emergency)[ _-](?:phrase|words?|keys?|codes?|kit|secret)\b[^\n]{0,40}?[ :=\"']([a-z]{3,9}(?:[- ][a-z]{3,9}){3,23}|[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){1,7}|[A-Za-z]{0,8}[0-9][A-Za-z0-9]{6,11}(?:[ ,]{1,2}[A-Za-z0-9]{8,12}){0,15})"
)
_LICENCE = Pattern(
    r"(?i)\b(?:licen[sc]e|activation|product[ -]?key|registration|unlock|serial(?: number| key| code)?|subscription|cd[ -]?key|[a-z]+ key\b)[^\n]{0,48}?\b([A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){2,7})\b"
)
_KEYED = Pattern(
    r"(?i)\b(?:2fa|mfa|totp|otp|encryption|signing|backup|deploy|webhook|application|integration|api|access|old|new|auth|client|subscription|app|application|device|host|functions?|master|shared|secret|private|license|instrumentation)[ _-]?(?:key|token|secret|seed)s?(?: for [^\s:=]{1,40})?(?: is | was |[:=] ?| )[\"']?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[A-Za-z0-9_+/=-]{20,}|[A-Z2-7]{16})"
)
_ENCRYPTED = Pattern(
    r"(?i)\b(?:enc|encrypted|encpw|encpass|crypt|cipher|obfuscated|hash(?:ed)?_?(?:pw|pass(?:word)?)|pw_?hash|password_?hash|passhash|nt_?hash|lm_?hash)[\"']?\s?[=:]\s?[\"']?([A-Za-z0-9+/=_$.*-]{12,})"
)
_CODES = (
    Sought.of(
        "pin|code|combo|combination|otp|password",
        r"(?i)\b((?:alarm|arm|arming|disarm|door|gate|safe|keypad|panel|lock ?box|garage|vm|voicemail|mailbox|mfa|2fa|otp|one[- ]time|backup|entry|access|master|unlock|verification|verify|sms|login|security|duo|sign-?in|authenticator|debit|bank|parent|kiosk|release|duress)\b[^\n=]{0,28}?\b(?:pins?|(?:pass|pin)?codes?|combo|combination|otp|password)\b[^\n0-9;]{0,32}?(?:\b(?:ext\.? ?|box |mailbox |extension |for )[0-9]{2,4} (?:\([^)\n]{1,48}\) )?[a-z ]{0,20}|\((?:badge|ext|id|emp)[^)\n]{1,24}\)[: ]{0,3})?)([0-9]{4,8}|[0-9]{3}[ -][0-9]{3})\b",
    ),
)
_LONE_CODES = (
    Sought.of(
        "pin|passcode",
        r"\b(?:PIN|[Pp]in|PIN code|[Pp]asscode)(?: (?:number|code))?(?: (?:for|of) [^\n0-9]{0,40}(?:[0-9]{2,5}\)?)?)?(?: (?:is|was|changed to|set to|reset to|now|to)|:|=)[ :]{0,2}([0-9]{4,8})\b",
    ),
    Sought.of(
        "code|pin|otp|token",
        r"(?i)\b(?:(?:enter|use|type)(?: this| the| your| our)?(?: [a-z-]+)? (?:code|pin|otp|passcode)|(?:mfa|2fa|otp|totp|rsa|securid|duo|authenticator)(?: [a-z]+)? token(?: code)?)[ :]{1,3}([0-9]{4,8}|[0-9]{3}[ -][0-9]{3})\b",
    ),
    Sought.of(" => ", r"(?m)(?:^|: )[0-9]{3,4} => ([0-9]{4,8}),"),
    Sought.of(
        "otp|2fa|mfa|passcode", r"(?i)\b(?:otp|totp|2fa|mfa|passcode)[ :=]{1,2}([0-9]{6,8})\b"
    ),
)
_TICKET = Pattern(
    r"(?i)[?&;](?:session|sid|sess|sessionid|auth|ticket|key|jwt|t|k|invite|magic|otp|reset|confirm|verify|access|sso|saml(?:response|request|art)?|assertion|login_token|wresult|samlart)=([A-Za-z0-9_%.~+/=-]{16,})"
)
_CODE_OF_MACHINES = re.compile(
    rb"error|exit|status|return|result|zip|reason|http|response|event|country|area|source|country|version|postal"
    rb"|procedure|diagnosis|billing|cpt|icd|failed with|ascii|key ?code|bar ?code|qr|expired|port"
)
_MORE_CODES = re.compile(rb"[ ,/;]{1,2}([0-9]{4,8})(?![0-9:./-])")
CODES_MAX = 16
_GROUPS = re.compile(rb"-[A-Za-z0-9]{4,6}-[A-Za-z0-9]{4}")
"""What a licence has, found faster than the words before it."""
_COOKIE = Pattern(
    r"(?i)\b(?:set-)?cookie2?[\"']?\]?\)?\s?[:=][ \t]{0,2}[\"'\[{]{0,2}([^\r\n\"\x01]{4,999})"
)
_CRUMB = re.compile(
    rb"(?:\A|[;,&{\[] ?|'|: ?)([A-Za-z0-9_.:~%!#$*+^|-]{1,80})=([^;,\s&\"'\x01]{6,2000})"
)
_CRUMBS_LET = frozenset(
    b"path domain expires max-age samesite version comment priority lang locale theme consent".split()
)
_CIPHER = re.compile(
    rb"(?i)(?:TLS|SSL|ECDHE?|DHE|EDH|ADH|RSA|3?DES|AES|RC4|CHACHA20|CAMELLIA|ARIA|PSK|GCM|CBC)[0-9]{0,3}[-_]"
)
WORD_DIGITS = re.compile(rb"[0-9]")


def _each(
    record: Record,
    *,
    read: Callable[[Record, Pattern], None],
    sought: tuple[Sought, ...],
) -> None:
    lower = record.lower
    for needs, pattern in sought:
        for need in needs:
            if need in lower:
                read(record, pattern)
                break


def _announced(record: Record, pattern: Pattern) -> None:
    for spans in pattern.each(record.data):
        start, end = _trimmed(record.data, *spans[1])
        if end - start >= 3 and not is_plain_value(record, record.data[start:end]):
            record.hit(Kind.SECRET, start, end, "a secret where its command or file has it")


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    while end > start and data[end - 1] in b",;)]}>":
        end -= 1
    return start, end


_MACHINE = re.compile(rb"[A-Z]{2,12}(?:-[A-Z]{1,8})?-[0-9]{1,3}")
_ENTERED = re.compile(
    rb"(?:log|sign)(?:s|ged|ging|ning|ned)?[ -]?(?:in|on) ?to \Z|(?:termsrv|https?|cifs|host|ldap|mssqlsvc|rpcss|wsman|nfs|imap)/\Z"
)
SLASH = ord("/")
"""`log in to PACSGW-09`: a machine's name is one only there. People choose `SUMMER-25` too."""
ENTERED_CHARS_MAX = 16


def _said(record: Record, pattern: Pattern) -> None:
    data = record.data
    for spans in pattern.each(data):
        start, end = _trimmed(data, *spans[1])
        while end > start and data[end - 1] in b".?":
            end -= 1
        before = max(0, start - ENTERED_CHARS_MAX)
        if _ENTERED.search(record.lower, before, start) and (
            _MACHINE.fullmatch(data, start, end) or data[start - 1] == SLASH
        ):
            continue
        if _is_number(data, start, end) or (
            _chosen(record, data[start:end]) and not is_plain_value(record, data[start:end])
        ):
            record.hit(Kind.SECRET, start, end, "what is said to be a password")


_COUNTED = re.compile(
    rb"(?i) ?(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|ms|weeks?|months?|years?|char(?:acter)?s?|digits?|letters?|bytes?|bits?|times|attempts?|tries|users?|accounts?|entries|records?|rows?|of|or|%)\b"
)


def _is_number(data: bytes, start: int, end: int) -> bool:
    """Whether what is said to be a password is a number, and counts nothing."""
    return data[start:end].isdigit() and _COUNTED.match(data, end) is None


def _chosen(record: Record, value: bytes) -> bool:
    """Whether what is said to be a password looks chosen: no word, or words run together."""
    strange = value.isalpha() and value.islower() and len(value) >= RUN_TOGETHER_MIN
    return secretive(value) or (strange and not record.lexicon.flags(value))


RUN_TOGETHER_MIN = 8


def _codes(record: Record) -> None:
    _each(record, read=_code, sought=_CODES)
    _each(record, read=_lone_code, sought=_LONE_CODES)


def _code(record: Record, pattern: Pattern) -> None:
    for spans in pattern.each(record.data):
        if _CODE_OF_MACHINES.search(record.lower, *spans[1]):
            continue
        record.hit(Kind.SECRET, *spans[2], "a code that opens something")
        end = spans[2][1]
        for _ in range(CODES_MAX):
            more = _MORE_CODES.match(record.data, end)
            if more is None:
                break
            record.hit(Kind.SECRET, *more.span(1), "a code beside another")
            end = more.end()


def _lone_code(record: Record, pattern: Pattern) -> None:
    for spans in pattern.each(record.data):
        record.hit(Kind.SECRET, *spans[1], "a PIN or a code")


def _strong(record: Record) -> None:
    """Take what reads as a chosen password near a word for one: letters, digits and a mark."""
    data = record.data
    for cue in _STRONG_CUE.finditer(record.lower):
        limit = min(len(data), cue.end() + STRONG_CHARS_MAX)
        line = data.find(b"\n", cue.end(), limit)
        near = data[cue.end() : line if line >= 0 else limit]
        for spans in _STRONG.each(near):
            start, end = _trimmed(near, *spans[0])
            value = near[start:end].rstrip(b".")
            kinds = (WORD_DIGITS.search(value), re.search(rb"[A-Za-z]", value))
            if all(kinds) and not _MARKS.isdisjoint(value) and not _is_known_form(value):
                at = cue.end() + start
                if is_computer(data, at, at + len(value)):
                    continue
                record.hit(
                    Kind.SECRET, at, at + len(value), "reads as a password near a word for one"
                )
    for spans in _AFTER_COLON.each(data):
        start, end = spans[1]
        value = data[start:end].rstrip(b".")
        mixed = WORD_DIGITS.search(value) and re.search(rb"[A-Za-z]", value)
        if mixed and not _is_known_form(value) and _ALGORITHM.fullmatch(value) is None:
            record.hit(
                Kind.SECRET, start, start + len(value), "reads as a password behind a word for one"
            )


_KNOWN_FORM = re.compile(
    rb"[^@\s]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9.]+)?|(?:%[0-9A-Fa-f]{2})+|0x[0-9A-Fa-f]{1,16}|\$[({A-Za-z].*|%[A-Za-z_]+%.*|[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}|[^?]*\?[A-Za-z_]+=.*|\d[\d.,-]*%|[A-Z0-9]+(?:-[A-Z0-9]+)+|\d{4}-\d{2}-\d{2}.*|\+\d+|v?\d+\.\d+.*|#\d+"
)


def _is_known_form(value: bytes) -> bool:
    """Whether a value is an address, a variable, a GUID, a share, a day or a version."""
    return _KNOWN_FORM.fullmatch(value) is not None


def _opaque(record: Record) -> None:
    """Take long random text behind a word for a key, or as the end of a link."""
    for pattern in (_OPAQUE, _LINK, _SESSION):
        for spans in pattern.each(record.data):
            value = record.data[slice(*spans[1])]
            mixed = WORD_DIGITS.search(value) and value not in {value.lower(), value.upper()}
            signed = record.lower[spans[0][0] : spans[0][0] + 9] == b"signature"
            if mixed or (signed and WORD_DIGITS.search(value)):
                record.hit(Kind.SECRET, *spans[1], "random text behind a word for a key")


def _tickets(record: Record) -> None:
    for spans in _TICKET.each(record.data):
        value = record.data[slice(*spans[1])]
        if WORD_DIGITS.search(value) and not value.isdigit() and value != value.upper():
            record.hit(Kind.SECRET, *spans[1], "a ticket in an address")


def _cookies(record: Record) -> None:
    for spans in _COOKIE.each(record.data):
        at, end = spans[1]
        for crumb in _CRUMB.finditer(record.data[at:end]):
            name, value = crumb[1].lower(), crumb[2]
            if name in _CRUMBS_LET or value.isalpha() or (value.isdigit() and len(value) < 8):
                continue
            record.hit(Kind.SECRET, at + crumb.start(2), at + crumb.end(2), "a cookie")


def _issued(record: Record) -> None:
    for spans in ISSUED.each(record.data):
        record.hit(Kind.SECRET, *spans[0], "a token as its issuer marks them")


def _dotted(record: Record) -> None:
    for spans in _THREE_PARTS.each(record.data):
        record.hit(Kind.SECRET, *spans[0], "a token in three parts")


def _hashed(record: Record) -> None:
    for spans in HASHED.each(record.data):
        record.hit(Kind.SECRET, *spans[1], "a password's hash")
    for spans in _ENCRYPTED.each(record.data):
        value = record.data[slice(*spans[1])]
        if (WORD_DIGITS.search(value) or not value.isalpha()) and _CIPHER.match(value) is None:
            record.hit(Kind.SECRET, *spans[1], "what was encrypted")


def _keyed(record: Record, pattern: Pattern) -> None:
    for spans in pattern.each(record.data):
        start, end = spans[1]
        joined = b"-" in {record.data[start - 1 : start], record.data[end : end + 1]}
        if WORD_DIGITS.search(record.data, start, end) and not joined:  # no middle of a GUID
            record.hit(Kind.SECRET, start, end, "a key that words announce")


def _licences(record: Record) -> None:
    if _GROUPS.search(record.data) is not None:
        _keyed(record, _LICENCE)


def _phrase(record: Record) -> None:
    for spans in _PHRASE.each(record.data):
        value = record.data[slice(*spans[1])]
        if (WORD_DIGITS.search(value) or not value.isalpha()) and not is_prose(value):
            record.hit(Kind.SECRET, *spans[1], "a recovery phrase")


_READERS: tuple[tuple[str, Callable[[Record], None]], ...] = (
    ("issued", _issued),
    ("dotted", _dotted),
    ("hashed", _hashed),
    *(
        (family, partial(_each, read=_announced, sought=sought))
        for family, sought in _ANNOUNCED.items()
    ),
    ("cookie", _cookies),
    ("ticket", _tickets),
    *((family, partial(_each, read=_said, sought=sought)) for family, sought in _SPOKEN.items()),
    ("phrase", _phrase),
    ("licence", _licences),
    ("keyed", partial(_keyed, pattern=_KEYED)),
    ("code", _codes),
    ("strong", _strong),
    ("opaque", _opaque),
)
_PLAN = plan((look, frozenset({gate})) for gate, look in _READERS)
GATES = frozenset(gate for gate, _ in _READERS)
"""The forms that call for these."""
SOUGHT = (
    *_ANNOUNCED.items(),
    *_SPOKEN.items(),
    ("code", (*_CODES, *_LONE_CODES)),
)
"""Each gate with the patterns behind it that bytes tell to match nowhere."""
GATED: tuple[tuple[str, tuple[Pattern, ...]], ...] = (
    ("issued", (ISSUED,)),
    ("dotted", (_THREE_PARTS,)),
    ("hashed", (HASHED, _ENCRYPTED)),
    *((family, tuple(one.pattern for one in sought)) for family, sought in SOUGHT),
    ("cookie", (_COOKIE,)),
    ("ticket", (_TICKET,)),
    ("phrase", (_PHRASE,)),
    ("licence", (_LICENCE,)),
    ("keyed", (_KEYED,)),
    ("strong", (_AFTER_COLON,)),
    ("opaque", (_OPAQUE, _LINK, _SESSION)),
)
"""Each gate with the patterns that are tried only when it is lit: it may not be narrower."""


def read(record: Record) -> None:
    """Find the secrets of every family whose gate is lit."""
    for look in _PLAN(record.shapes):
        look(record)
