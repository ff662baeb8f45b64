"""What a repair's scripts may not hold, and which variables a script reads."""

import re

from proto.inventory import FACT_NAMES

SCRIPT_CHARS_MAX = 16 * 1024

_FACT_VARIABLES = frozenset(f"fact_{name.replace('.', '_')}" for name in FACT_NAMES)
_FACT = re.compile(r"\$\{?(fact_[A-Za-z0-9_]*)")


def unknown_facts(script: str) -> list[str]:
    """Return the `fact_...` variables of a shell script that are no facts."""
    return sorted(set(_FACT.findall(script)) - _FACT_VARIABLES)


def uses_variable(script: str, name: str) -> bool:
    """Tell whether a shell script expands this variable."""
    return (
        re.search(rf"\$(?:{name}(?![A-Za-z0-9_])|\{{#?{name}(?![A-Za-z0-9_]))", script) is not None
    )


_SED_SEARCH = re.compile(r"\bs([/|#,@])(?:\\.|(?!\1).)*\1")
_GREP_TEXT = re.compile(r"\b[ef]?grep\b(?:\s+-\S+)*\s+(?:'[^']*'|\"[^\"]*\")")

_AWK_PATTERN = re.compile(r"(?<=['!&|(~\s])/(?:\\.|[^/\n])+/")

_STOPS_SAFEGUARD = (
    r"\bsystemctl\s+(?:--\S+\s+)*(?:stop|disable|mask)\s+(?:[^\s;|&]+\s+)*?"
    r"(?:nftables|ufw|firewalld|auditd|apparmor|fail2ban|unattended-upgrades|rsyslog|chrony"
    r"|systemd-journald|systemd-timesyncd|apt-daily(?:-upgrade)?)(?:\.\w+)?(?=\s|;|&|\||$)"
)

_WEAKENING: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"\bPermitRootLogin[\s=]+yes\b", "lets root log in over SSH"),
        (r"\bPermitEmptyPasswords[\s=]+yes\b", "lets empty passwords in"),
        (r"\bPasswordAuthentication[\s=]+yes\b", "turns SSH passwords on"),
        (r"\bHostbasedAuthentication[\s=]+yes\b", "trusts other hosts"),
        (r"\bIgnoreRhosts[\s=]+no\b", "trusts .rhosts files"),
        (r"\bStrictModes[\s=]+no\b", "lets sshd accept files that others can write"),
        (r"\bStrictHostKeyChecking[\s=]+(?:no|accept-new)\b", "accepts unknown host keys"),
        (r"\bchmod\s+(?:-\S+\s+)*[0-7]?[0-7]{2}[2367]\b", "lets everybody write"),
        (r"\bchmod\s+(?:-\S+\s+)*(?:[ugo]*[ao][ugo]*)?\+[rxst]*w", "lets others write"),
        (r"\bNOPASSWD\s*:\s*ALL\b", "gives root away without a password"),
        (r"!authenticate\b", "gives root away without a password"),
        (r"\bufw\s+(?:--\S+\s+)*(?:disable|reset)\b", "turns the firewall off"),
        (r"\bnft\s+flush\s+ruleset\b", "empties the firewall"),
        (r"\bip6?tables\s+(?:-t\s+\S+\s+)?(?:-F|--flush|-X)\b", "empties the firewall"),
        (r"\bip6?tables\s+(?:-P|--policy)\s+INPUT\s+ACCEPT\b", "opens the firewall"),
        (_STOPS_SAFEGUARD, "stops a safeguard"),
        (r"\bsetenforce\s+0\b|\bSELINUX=(?:disabled|permissive)\b", "turns SELinux off"),
        (r"\baa-(?:teardown|disable|complain)\b", "turns AppArmor off"),
        (r"\bauditctl\s+(?:-e\s*0|-D)\b", "turns the audit off"),
        (r"\b(?:curl|wget)\b[^;|]*\|\s*(?:sudo\s+)?(?:ba|da)?sh\b", "runs what it downloads"),
        (r"\bcurl\b[^;|]*\s(?:-k|--insecure)\b", "does not verify TLS"),
        (r"--no-check-certificate\b", "does not verify TLS"),
        (
            r"--allow-unauthenticated\b|\btrusted=yes\b|\bAllowUnauthenticated\b|--no-gpg-check\b",
            "installs unsigned packages",
        ),
        (
            r"\b(?:ssl_protocols|SSLProtocol)\b[^;\n]*\b(?:SSLv[23]|TLSv1(?:\.[01])?)(?![.\d])",
            "offers old TLS",
        ),
        (r"\bAllowUnencrypted\b.*\b(?:true|1)\b", "turns unencrypted WinRM on"),
        (r"\bTrustedHosts\b.*['\"]?\*", "trusts every WinRM host"),
        (r"\bAdd-MpPreference\b.*-Exclusion", "hides files from the virus scanner"),
        (r"\bDisableRealtimeMonitoring\b.*\b(?:true|1)\b", "turns the virus scanner off"),
    )
)
"""Settings a repair may never make (each happened somewhere as a "fix")."""


def weakenings(script: str) -> list[tuple[int, str]]:
    """Return what a repair's script would weaken: the script's line, from 0, and what it does.

    Comments, the search part of sed's `s` and the patterns of grep and awk are looked past: reading
    a bad setting, or replacing it, is not making it.
    """
    found: list[tuple[int, str]] = []
    for number, line in enumerate(script.splitlines()):
        plain = _GREP_TEXT.sub(" ", _SED_SEARCH.sub(" ", _without_comment(line)))
        if "awk" in plain:
            plain = _AWK_PATTERN.sub(" ", plain)
        found += [(number, what) for pattern, what in _WEAKENING if pattern.search(plain)]
    return found


def _without_comment(line: str) -> str:
    """Cut a comment off; a `#` inside quotes begins none."""
    for match in re.finditer(r"(?:^|(?<=[\s;]))#", line):
        before = line[: match.start()]
        if before.count("'") % 2 == 0 and before.count('"') % 2 == 0:
            return before
    return line
