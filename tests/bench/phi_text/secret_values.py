"""Invented secrets in the forms that machines of a clinic print them, each drawn from a seed.

None opens anything: every one is random within its form. The prefixes are those that issuers
publish so that scanners can find what leaked.
"""

import base64
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

Draw = random.Random

ALNUM = string.ascii_letters + string.digits
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE64 = ALNUM + "+/"
HEX = "0123456789abcdef"
URL = ALNUM + "-_"
_CHOSEN = (
    "Autumn{n}", "smile{n}!", "P@ssw0rd{n}", "letmein{n}", "Molar#{n}", "dentist{n}", "Zq7!{r}",
    "changeme", "{r}{r}",
    "correct-horse-{n}", "Welcome.{n}", "F1uoride${n}", "Adm1n!{n}", "xray{n}X",
    "{r}%{n}", "Clinic*{n}*", "T&h{r}", "Bl00dPressure", "iloveflossing", "{n}{n}",
)  # fmt: skip


def run(draw: Draw, alphabet: str, count: int) -> str:
    """So many characters of an alphabet."""
    return "".join(draw.choices(alphabet, k=count))


def chosen(draw: Draw) -> str:
    """A password as a person chose it."""
    form = draw.choice(_CHOSEN)
    return form.format(n=draw.randint(11, 2029), r=run(draw, ALNUM, 4))


def encoded(draw: Draw, count: int) -> str:
    """So many random bytes in base64."""
    return base64.b64encode(draw.randbytes(count)).decode()


def _jwt(draw: Draw) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    claims = json.dumps(
        {"sub": run(draw, HEX, 8), "exp": draw.randint(1_700_000_000, 1_790_000_000)}
    )
    body = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    return f"{head}.{body}.{run(draw, URL, 43)}"


def _pair(draw: Draw) -> str:
    return base64.b64encode(f"svc_{run(draw, HEX, 3)}:{chosen(draw)}".encode()).decode()


def _pem(draw: Draw) -> str:
    return "\n".join(run(draw, BASE64, 64) for _ in range(3)) + "\n" + run(draw, BASE64, 22) + "=="


def _groups(draw: Draw, alphabet: str, *, size: int, count: int) -> str:
    return "-".join(run(draw, alphabet, size) for _ in range(count))


def _prefixed(prefix: str, alphabet: str, count: int) -> Callable[[Draw], str]:
    return lambda draw: prefix + run(draw, alphabet, count)


SECRETS: dict[str, Callable[[Draw], str]] = {
    "pw": chosen,
    "pin4": lambda draw: run(draw, string.digits, 4),
    "pin6": lambda draw: run(draw, string.digits, 6),
    "hex16": lambda draw: run(draw, HEX, 16),
    "hex32": lambda draw: run(draw, HEX, 32),
    "hex40": lambda draw: run(draw, HEX, 40),
    "hex64": lambda draw: run(draw, HEX, 64),
    "HEX32": lambda draw: run(draw, HEX, 32).upper(),
    "b64s9": lambda draw: encoded(draw, 9),
    "b64s20": lambda draw: encoded(draw, 20),
    "b64s32": lambda draw: encoded(draw, 32),
    "b64s64": lambda draw: encoded(draw, 64),
    "aln10": lambda draw: run(draw, ALNUM, 10),
    "aln24": lambda draw: run(draw, ALNUM, 24),
    "aln40": lambda draw: run(draw, ALNUM, 40),
    "b32s16": lambda draw: run(draw, BASE32, 16),
    "b32s32": lambda draw: run(draw, BASE32, 32),
    "jwt": _jwt,
    "pair64": _pair,
    "pem": _pem,
    "akia": _prefixed("AKIA", BASE32, 16),
    "ghp": _prefixed("ghp_", ALNUM, 36),
    "glpat": _prefixed("glpat-", URL, 20),
    "xoxb": lambda draw: f"xoxb-{draw.randint(10**11, 10**12)}-{run(draw, ALNUM, 24)}",
    "stripe": _prefixed("sk_live_", ALNUM, 24),
    "twilio": _prefixed("SK", HEX, 32),
    "sendgrid": lambda draw: f"SG.{run(draw, URL, 22)}.{run(draw, URL, 43)}",
    "gcp": _prefixed("AIza", URL, 35),
    "openai": _prefixed("sk-proj-", ALNUM, 48),
    "anthropic": _prefixed("sk-ant-api03-", URL, 60),
    "npmtok": _prefixed("npm_", ALNUM, 36),
    "pypitok": _prefixed("pypi-AgEIcHlwaS5vcmc", URL, 60),
    "hftok": _prefixed("hf_", ALNUM, 34),
    "vaulttok": _prefixed("hvs.", URL, 24),
    "mailgun": _prefixed("key-", HEX, 32),
    "mailchimp": lambda draw: f"{run(draw, HEX, 32)}-us12",
    "telegram": lambda draw: f"{draw.randint(10**8, 10**10)}:AA{run(draw, URL, 33)}",
    "atlassian": _prefixed("ATATT3xFfGF0", URL, 60),
    "grafana": lambda draw: f"glsa_{run(draw, ALNUM, 32)}_{run(draw, HEX, 8)}",
    "newrelic": _prefixed("NRAK-", BASE32, 27),
    "databricks": _prefixed("dapi", HEX, 32),
    "square": _prefixed("sq0atp-", URL, 22),
    "tailscale": lambda draw: f"tskey-auth-{run(draw, ALNUM, 12)}-{run(draw, ALNUM, 32)}",
    "agekey": _prefixed("AGE-SECRET-KEY-1", BASE32, 58),
    "azclient": lambda draw: f"{run(draw, ALNUM, 3)}8Q~{run(draw, ALNUM + '_-~.', 34)}",
    "azkey": lambda draw: encoded(draw, 64),
    "sas": lambda draw: quote(encoded(draw, 32), safe=""),
    "slackhook": lambda draw: (
        f"T{run(draw, BASE32, 8)}/B{run(draw, BASE32, 8)}/{run(draw, ALNUM, 24)}"
    ),
    "sha512crypt": lambda draw: f"$6${run(draw, ALNUM, 12)}${run(draw, ALNUM + './', 86)}",
    "bcrypt": lambda draw: f"$2b$12${run(draw, ALNUM + './', 53)}",
    "apr1": lambda draw: f"$apr1${run(draw, ALNUM, 8)}${run(draw, ALNUM + './', 22)}",
    "ntlm": lambda draw: run(draw, HEX, 32),
    "ssha": lambda draw: "{SSHA}" + encoded(draw, 24),
    "mysqlhash": lambda draw: "*" + run(draw, HEX, 40).upper(),
    "cisco7": lambda draw: f"{draw.randint(0, 15):02}{run(draw, '0123456789ABCDEF', 16)}",
    "juniper9": lambda draw: f"$9${run(draw, ALNUM + './-', 22)}",
    "krbtgs": lambda draw: (
        f"$krb5tgs$23$*svc_sql$CLINIC.LOCAL*${run(draw, HEX, 32)}${run(draw, HEX, 120)}"
    ),
    "dpapi": lambda draw: "01000000d08c9ddf0115d1118c7a00c04fc297eb" + run(draw, HEX, 96),
    "bitlocker": lambda draw: _groups(draw, string.digits, size=6, count=8),
    "winkey": lambda draw: _groups(draw, "BCDFGHJKMPQRTVWXY2346789", size=5, count=5),
    "licence4": lambda draw: _groups(draw, "ABCDEF0123456789", size=4, count=5),
    "uuidkey": lambda draw: (
        f"{run(draw, HEX, 8)}-{run(draw, HEX, 4)}-4{run(draw, HEX, 3)}"
        f"-a{run(draw, HEX, 3)}-{run(draw, HEX, 12)}"
    ),
    "words4": lambda draw: "-".join(
        draw.choices(["maple", "onyx", "tulip", "garnet", "comet", "ember"], k=4)
    ),
}  # fmt: skip
