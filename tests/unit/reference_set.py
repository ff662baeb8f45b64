# ruff: noqa: E501 - the design's documents stand here unchanged
"""The reference example of the design, unchanged, as a whole small set; and a network check."""

CHECK = "checks/linux/lin.ssh.root_login.yaml"
RUNBOOK = "runbooks/linux/rb.lin.ssh.root_login.yaml"
RULE = "l1/linux/l1.lin.ssh.root_login.yaml"
HIPAA = "controls/hipaa.yaml"
NIST = "controls/nist_800_53.yaml"
NET_CHECK = "checks/network/net.port.telnet.yaml"
NET_RULE = "l1/network/l1.net.port.telnet.yaml"

_CHECK_TEXT = r"""id: lin.ssh.root_login                 # rules/checks/linux/lin.ssh.root_login.yaml
title: Root cannot log in over SSH
platform: linux
severity: high
controls:
  hipaa:164.312(a)(2)(i): each administrator signs in under their own name
  nist_800_53:AC-6(2): root's rights are taken with sudo, not by logging in
interval_s: 900
freshness_s: 3600
probe:
  kind: sh
  as_root: true
  timeout_s: 20
  script: |
    PATH=$PATH:/usr/sbin
    command -v sshd >/dev/null || { echo '{"present":false,"value":"absent"}'; exit 0; }
    all=$(sshd -T -C user=root,host=localhost,addr=127.0.0.1) || exit 1
    printf '{"present":true,"value":"%s"}\n' "$(printf '%s\n' "$all" | awk '$1=="permitrootlogin"{print $2}')"
answer:
  present: {type: bool}
  value: {enum: ["no", "yes", "without-password", "prohibit-password", "forced-commands-only", "absent"], report: true}
applies: [{field: present, operator: eq, value: true}]
judge: [{field: value, operator: eq, value: "no"}]
examples:
  - {answer: {present: true, value: "no"}, verdict: compliant}
  - {answer: {present: true, value: "yes"}, verdict: drifted}
  - {answer: {present: false, value: "absent"}, verdict: not_applicable}
  - {answer: {present: true}, verdict: unknown}
"""

_RUNBOOK_TEXT = r"""id: rb.lin.ssh.root_login              # rules/runbooks/linux/
title: Refuse root logins over SSH
platform: linux
autonomy: auto
disruption: service
as_root: true
requires: [{field: target.login, operator: ne, value: "root"}]   # else it cuts its own path
params: {}
writes: ["file:/etc/ssh/sshd_config", "file:/etc/ssh/osiris.d/root_login.conf"]
capture: |
  test -e /etc/ssh/osiris.d/root_login.conf && echo '{"existed":true}' || echo '{"existed":false}'
steps:
  - id: first_include                  # sshd keeps the first value it reads
    timeout_s: 30
    script: |
      set -eu; PATH=$PATH:/usr/sbin; d=/etc/ssh/osiris.d; c=/etc/ssh/sshd_config; i="Include $d/*.conf"
      if [ "$(head -n1 $c)" = "$i" ] && [ "$(cat $d/root_login.conf 2>/dev/null)" = 'PermitRootLogin no' ]; then
        echo '{"changed":false}'; exit 0; fi
      mkdir -p $d; echo 'PermitRootLogin no' >$d/root_login.conf
      [ "$(head -n1 $c)" = "$i" ] || sed -i "1i $i" $c
      sshd -t; systemctl reload ssh; echo '{"changed":true}'
undo: |
  set -eu; PATH=$PATH:/usr/sbin; d=/etc/ssh/osiris.d
  [ "$existed" = true ] || rm -f $d/root_login.conf
  if rmdir $d 2>/dev/null; then sed -i '1{/osiris\.d/d}' /etc/ssh/sshd_config; fi
  sshd -t; systemctl reload ssh; echo '{"changed":true}'
verify: [lin.ssh.root_login]
examples: [{params: {}, accepted: true}, {params: {value: "yes"}, accepted: false}]
"""

_RULE_TEXT = r"""id: l1.lin.ssh.root_login              # rules/l1/linux/
conditions:
  - {field: check, operator: eq, value: lin.ssh.root_login}
  - {field: seen.value, operator: in, value: ["yes", "without-password", "prohibit-password", "forced-commands-only"]}
action: execute_runbook
runbook_id: rb.lin.ssh.root_login
params: {}
limits: {cooldown_s: 3600, per_day: 3}
scope: global
tests:
  - {incident: {check: lin.ssh.root_login, seen: {value: "yes"}}, expect: rb.lin.ssh.root_login}
  - {incident: {check: lin.ssh.root_login, seen: {value: "absent"}}, expect: none}
"""

_HIPAA_TEXT = """framework: hipaa
title: HIPAA Security Rule
controls:
  164.312(a)(2)(i): Unique user identification
  164.312(e)(1): Transmission security
"""

_NIST_TEXT = """framework: nist_800_53
title: NIST SP 800-53 Rev. 5
controls:
  AC-6(2): Non-privileged access for nonsecurity functions
  SC-8: Transmission confidentiality and integrity
"""

_NET_CHECK_TEXT = """id: net.port.telnet
title: Nobody offers telnet
platform: network
severity: high
controls:
  hipaa:164.312(e)(1): telnet sends passwords and PHI in the clear
  nist_800_53:SC-8: traffic is protected in transit
interval_s: 900
freshness_s: 3600
probe:
  kind: inventory
  ports: {telnet: [23, 2323]}
answer:
  telnet: {type: bool, report: true}
judge: [{field: telnet, operator: eq, value: false}]
examples:
  - {answer: {telnet: false}, verdict: compliant}
  - {answer: {telnet: true}, verdict: drifted}
"""

_NET_RULE_TEXT = """id: l1.net.port.telnet
conditions:
  - {field: check, operator: eq, value: net.port.telnet}
action: escalate
scope: global
tests:
  - {incident: {check: net.port.telnet, seen: {telnet: true}}, expect: escalate}
"""


def reference_texts() -> dict[str, str]:
    """Return the design's three documents and the controls that they name, by path."""
    return {
        CHECK: _CHECK_TEXT,
        RUNBOOK: _RUNBOOK_TEXT,
        RULE: _RULE_TEXT,
        HIPAA: _HIPAA_TEXT,
        NIST: _NIST_TEXT,
    }


def whole_texts() -> dict[str, str]:
    """Return the reference example together with a network check and its rule."""
    return {**reference_texts(), NET_CHECK: _NET_CHECK_TEXT, NET_RULE: _NET_RULE_TEXT}


def as_files(texts: dict[str, str]) -> dict[str, bytes]:
    """Return texts as the bytes that the loader takes."""
    return {path: text.encode("utf-8") for path, text in texts.items()}


def edited(path: str, old: str, new: str) -> dict[str, bytes]:
    """Return the whole set with one text replaced once, wherever it stands in one file."""
    texts = whole_texts()
    assert old in texts[path], f"{path} does not hold {old!r}"
    texts[path] = texts[path].replace(old, new, 1)
    return as_files(texts)
