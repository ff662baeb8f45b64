"""A catalogue of lamps for tests of faults: repairs whose every script leaves a line on its target.

A lamp is a file: lit when it is there, dim when something is in it. Its check asks that, or prints
what a file beside it holds (`<lamp>.says`) where a test wants a wrong answer; its runbook captures
a random token and puts the file there in three steps. Each script appends "begin" and "end" lines
with its token to a log on the target, so the target itself tells what ran, how often, and for which
run of a repair: the appliance stores the token of each run with the capture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proto.catalog.load import load
from proto.catalog.model import Content
from tests.unit.reference_set import HIPAA, NIST, as_files, reference_texts

PLACE = "/var/lib/lamps"
LOG = f"{PLACE}/log"
STEPS = 3


@dataclass(frozen=True, slots=True)
class Lamp:
    """One safeguard.

    Attributes:
        name: of its file, of its check (`lin.lamp.<name>`) and so on.
        severity: worse ones are repaired first.
        lights_at: the step that puts the file there: 0, or the last for a repair that was for
            nothing when it is cut short.
        takes_s: how long each step sleeps.
        cooldown_s, per_day: the limits of its rule.
        dims: it may be dim too, which drifted as well and is no case of its rule.
    """

    name: str
    severity: str = "medium"
    lights_at: int = 0
    takes_s: str = "0.1"
    cooldown_s: int = 0
    per_day: int = 24
    dims: bool = False

    @property
    def check(self) -> str:
        """The check's id."""
        return f"lin.lamp.{self.name}"

    @property
    def answers(self) -> str:
        """What its check may report, as YAML."""
        return '["lit", "dark", "dim"]' if self.dims else '["lit", "dark"]'


def texts(lamps: tuple[Lamp, ...]) -> dict[str, str]:
    """Return the files of a whole content set, by path."""
    found = {path: reference_texts()[path] for path in (HIPAA, NIST)}
    for lamp in lamps:
        found[f"checks/linux/{lamp.check}.yaml"] = _check(lamp)
        found[f"runbooks/linux/rb.{lamp.check}.yaml"] = _runbook(lamp)
        found[f"l1/linux/l1.{lamp.check}.yaml"] = _rule(lamp)
    return found


def content(lamps: tuple[Lamp, ...]) -> Content:
    """Return the content set, as the appliance loads it."""
    return load(as_files(texts(lamps)))


def write(directory: Path, files: Mapping[str, str]) -> Path:
    """Write a content set below a directory and return it."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def _check(lamp: Lamp) -> str:
    return f"""id: {lamp.check}
title: The lamp {lamp.name} is lit
platform: linux
severity: {lamp.severity}
controls:
  hipaa:164.312(a)(2)(i): a lamp to see by
  nist_800_53:AC-6(2): a lamp to see by
interval_s: 86400
freshness_s: 86400
probe:
  kind: sh
  as_root: true
  timeout_s: 20
  script: |
    if [ -e {PLACE}/{lamp.name}.says ]; then exec cat {PLACE}/{lamp.name}.says; fi
    if [ -e {PLACE}/{lamp.name} ]; then v=lit; else v=dark; fi
    if [ -s {PLACE}/{lamp.name} ]; then v=dim; fi
    printf '{{"value":"%s"}}\\n' "$v"
answer:
  value: {{enum: {lamp.answers}, report: true}}
judge: [{{field: value, operator: eq, value: "lit"}}]
examples:
  - {{answer: {{value: "lit"}}, verdict: compliant}}
  - {{answer: {{value: "dark"}}, verdict: drifted}}
  - {{answer: {{}}, verdict: unknown}}
"""


def _runbook(lamp: Lamp) -> str:
    steps = "".join(_step(lamp, number) for number in range(STEPS))
    return f"""id: rb.{lamp.check}
title: Light the lamp {lamp.name}
platform: linux
autonomy: auto
disruption: none
as_root: true
requires: []
params: {{}}
writes: ["file:{PLACE}/{lamp.name}"]
capture: |
  set -eu; mkdir -p {PLACE}
  if [ -e {PLACE}/{lamp.name} ]; then was=lit; else was=dark; fi
  printf '{{"token":"%s","was":"%s"}}\\n' "$(cat /proc/sys/kernel/random/uuid)" "$was"
steps:
{steps}undo: |
  set -eu
  echo "begin {lamp.name} undo $token" >>{LOG}
  [ "$was" = lit ] || rm -f {PLACE}/{lamp.name}
  echo "end {lamp.name} undo $token" >>{LOG}
  echo '{{"changed":true}}'
verify: [{lamp.check}]
examples: [{{params: {{}}, accepted: true}}, {{params: {{value: "x"}}, accepted: false}}]
"""


def _step(lamp: Lamp, number: int) -> str:
    light = f": >{PLACE}/{lamp.name}" if number == lamp.lights_at else ":"
    return f"""  - id: step_{number}
    timeout_s: 30
    script: |
      set -eu
      echo "begin {lamp.name} {number} $token" >>{LOG}
      {light}
      sleep {lamp.takes_s}
      echo "end {lamp.name} {number} $token" >>{LOG}
      echo '{{"changed":true}}'
"""


def _rule(lamp: Lamp) -> str:
    return f"""id: l1.{lamp.check}
conditions:
  - {{field: check, operator: eq, value: {lamp.check}}}
  - {{field: seen.value, operator: eq, value: "dark"}}
action: execute_runbook
runbook_id: rb.{lamp.check}
params: {{}}
limits: {{cooldown_s: {lamp.cooldown_s}, per_day: {lamp.per_day}}}
scope: global
tests:
  - {{incident: {{check: {lamp.check}, seen: {{value: "dark"}}}}, expect: rb.{lamp.check}}}
  - {{incident: {{check: {lamp.check}, seen: {{value: "lit"}}}}, expect: none}}
"""
