"""Secrets that tell by their form: keys, tokens, PEM, credentials in URLs and command lines."""

import binascii
import re

from proto.phi.fitness import is_variable
from proto.phi.lexicon import NAMEY, WORD
from proto.phi.record import LETTERS, Record, digits
from proto.phi.scan import Pattern
from proto.phi.takers import NO_SECRET
from proto.phi.values import Kind

# Group 1 is the secret when there is a group.
_FORMS = tuple(
    Pattern(pattern)
    for pattern in (
        r"\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]{3,}){0,4}",
        r"-----BEGIN [A-Za-z0-9 ]{2,40}-----((?:[^-]|-[^-])*)(?:-----END|--|$)",
        r"://[^\s/:@\"'\x01]{0,80}:([^\s;\"'/\x01]{1,120})@",
        r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,20}\b",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,}|sk[-_](?:live|test|proj|ant)[-_A-Za-z0-9]{10,}|pk_live_[A-Za-z0-9]{10,}|rk_live_[A-Za-z0-9]{10,}|AIza[0-9A-Za-z_-]{30,}|npm_[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|dckr_pat_[A-Za-z0-9_-]{10,}|ya29\.[A-Za-z0-9_-]{10,}|hvs\.[A-Za-z0-9]{10,}|dop_v1_[a-f0-9]{20,}|shpat_[a-f0-9]{20,}|pypi-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{20,})",
        r"(?i)\b(?:basic|bearer|negotiate|ntlm|apikey|token) ([a-z0-9._~+/=-]{12,})",
        r"[0-9]{6}(?:-[0-9]{6}){7}",
        r"(?i)hooks\.slack\.com/services/([A-Z0-9/]{10,})",
        r"(?i)[?&;](?:sig|signature|x-amz-signature|x-amz-security-token|sv_sig|code)=([^\s&\"'\x01]{8,})",
        r"(\$(?:1|2[aby]|5|6|y|argon2id?|7|pbkdf2[a-z0-9-]{0,16})\$[A-Za-z0-9./$=,+-]{12,})",
        r"(?i)cpassword=\"([^\"\x01]+)\"",
        r"\b[a-fA-F0-9]{32}:[a-fA-F0-9]{32}\b",
        r"(?i)\bnet1? use [^\n]{0,120}? /user:[^\s]{1,80} ([^\s/\"\x01][^\s\"\x01]{2,})",
        r"(?i)\bnet1? use (?:[a-z]:|\*)? ?\\\\[^\s]{1,120} ([^\s/\"\x01][^\s\"\x01]{2,}) /user",
        r"(?i)\bnet1? user(?:/[a-z]+)? [^\s/]{1,40} ([^\s/*\"\x01][^\s\"\x01]{3,})(?: /|$)",
        r"(?i)\b(?:psexec|plink|putty|pscp|sqlcmd|osql|bcp|wmic|winexe|smbclient|mysql|mysqldump|sshpass|schtasks|runas|cmdkey|rdesktop|xfreerdp|kinit|ldapsearch|snmpwalk|snmpget|zip|7z|unrar|openssl|curl|wget|net|redis-cli|mongo|isql|pg_dump)\b[^\n]{0,160}?[ \"'](?:(?:-pw?|-P|-w|-a|-c|-pass pass:|--pass[a-z]*)[ =:]?|/(?:p|rp|pass(?:word)?)[ =:])[\"']?([^\s\"'\x01/-][^\s\"'\x01]{3,})",
        r"(?i)\bcurl\b[^\n]{0,200}? (?:(?:-u|--user)[ =]?|-[a-z]{1,6}u )[\"']?[^\s:\"'\x01]{1,80}:([^\s\"'\x01]{3,})",
        r"(?i)[ \"'](?:-U|--user)[ =]?[\"']?[^\s%\"']{1,80}%([^\s\"'\x01]{3,})",
        r"(?i)\bpass(?:in|out)?[ =:]pass:([^\s\"'\x01]{3,})",
        r"(?i)\b(?:password|passphrase|passcode|pin)\b[^\n\"'=:]{0,60} (?:is|to|was|as)[: ]{1,2}[\"']([^\"'\n\x01]{4,})[\"']",
        r"\bWIFI:[^\n]{0,80}?;P:([^;\s\x01]{4,})",
        r"(?i)\bConvertTo-SecureString (?:-[A-Za-z]+ ){0,3}[\"']([^\"'\x01]{3,})[\"']",
        r"(?i)\bConvertTo-SecureString (?:-[A-Za-z]+ ){0,3}([^\s\"'$()\x01-][^\s\"')\x01]{3,})",
        r"(?i)\b(?:registered_?users|basic_?auth|http_?users|htpasswd|user_?passwords)[\"']?\s?[:=]\s?\{\s?[\"'][^\"'\n]{1,60}[\"']\s?:\s?[\"']([^\"'\n\x01]{4,80})[\"']",
        r"(?i)\b(?:aws|secret)[a-z_ ]{0,20}[=: ]{1,3}[\"']?([A-Za-z0-9/+]{40})\b",
        r"\b[A-Za-z0-9]{5}(?:-[A-Z0-9]{5}){4}\b",
    )
)
_ANY = Pattern(
    r"(?i:eyJ[a-z0-9_-]{5}|registered_?users|basic_?auth|http_?users|htpasswd|user_?passwords|-----BEGIN|://[^\s/@]*:[^\s/@]*@|AKIA[0-9A-Z]{12}|ASIA[0-9A-Z]{12}|gh[pousr]_[a-z0-9]{20}|xox[abprs]-|sk[-_](?:live|test|proj|ant)|AIza[0-9a-z_-]{20}|glpat-|(?:basic|bearer) [a-z0-9._~+/=-]{12}|npm_[a-z0-9]{20}|SG\.[a-z0-9_-]{10}|[\"' ](?:-pw?|/p[ :=]|/rp[ :=]|/pass|-a|-u|-w|-c|--user|--pass[a-z]*|-[a-z]{1,6}u)[ :=]?[^\s]{3}|pass:|net1? use|cpassword|github_pat_|pypi-|hvs\.|dop_v1_|shpat_|aroa[0-9a-z]|aida[0-9a-z]|[rp]k_live|securestring|negotiate |ntlm |apikey |token [a-z0-9._~+/=-]{12}|net1? user|sk-[a-z0-9]{20}|[?&;](?:code|signature|x-amz-s|sv_sig)|[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}-|(?:aws|secret)[a-z_ ]*[=: ]|(?:passw|passph|passc|\bpin)|wifi:|[0-9]{6}-[0-9]{6}-|\$[0-9a-z-]{1,24}\$|hooks\.slack|sig=|[0-9a-f]{8}:[0-9a-f]{8}|AQ[A-Z][a-z0-9]{20}|dckr_pat|EAAC|ya29\.|AC[a-f0-9]{8})"
)


GATED = (("secret", _FORMS),)
"""The gate with the patterns that are tried only when it is lit."""


def may_hold(data: bytes) -> bool:
    """Whether one of the forms can be in it: exacter than the gate, cheaper than the forms."""
    return _ANY.found(data)


def read(record: Record) -> None:
    """Find secrets by their form."""
    if "secret" not in record.shapes or not may_hold(record.data):
        return
    for form in _FORMS:
        for spans in form.each(record.data):
            start, end = spans[1] if len(spans) > 1 and spans[1][0] >= 0 else spans[0]
            value = record.data[start:end]
            if value.startswith((b"$(", b"${")) or set(value) <= set(b"*x.-"):
                continue
            if spans[0] != (start, end) and is_plain_value(record, value):
                continue
            if form is _FORMS[0] and _is_plain_json(value):
                continue
            record.hit(Kind.SECRET, start, end, "the form of a secret")


def _is_plain_json(value: bytes) -> bool:
    """Whether an object in base64 is none that vouches for anybody: a setting, a list of modules.

    A token's first part names how it is signed; one alone may as well hold a secret by its key.
    """
    if b"." in value:
        return False
    body = value.replace(b"-", b"+").replace(b"_", b"/")[: len(value) // 4 * 4]
    text = binascii.a2b_base64(body).lower()
    return text[:2] == b'{"' and text.isascii() and _VOUCHES.search(text) is None


_VOUCHES = re.compile(
    rb'"(?:alg|typ|kid|iss|sub|aud|enc|jti)"|tok|sec|pass|pwd|key|auth|cred|sess|sig|hash|salt|nonce|otp|pin'
)


WORD_CHARS_MAX = 20


def is_plain_value(record: Record, value: bytes) -> bool:
    """Whether what stands where a secret could is only words, an option or a variable."""
    lower = value.lower().strip(b",.;:()\"'")
    words = lower.translate(LETTERS).split() if b"=" in lower else [lower]
    wanted = WORD | NAMEY if len(words) > 1 else WORD
    said = all(word.isalpha() and record.lexicon.flags(word) & wanted for word in words)
    return (
        lower in record.lexicon.vocabulary["nothing"]
        or (said and not digits(lower) and len(words[0]) < WORD_CHARS_MAX)
        or lower.startswith((b"-", b"/"))
        or (lower.isdigit() and len(lower) < 6)
        or is_variable(value)
        or NO_SECRET.fullmatch(lower) is not None
    )
