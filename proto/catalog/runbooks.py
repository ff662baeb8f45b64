"""Reading one runbook: the schema of `rules/runbooks/<platform>/<id>.yaml`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from proto.catalog.checks import CHECK_ID, INT_BOUND, RESOURCE
from proto.catalog.model import (
    Autonomy,
    Disruption,
    Param,
    ParamKind,
    ParamsExample,
    Runbook,
    Step,
)
from proto.catalog.params import VALUE_CHARS_MAX, VARIABLES_MAX, accept_params, name_problem
from proto.catalog.reader import DESCRIPTION_CHARS_MAX, Reader
from proto.catalog.scripts import (
    SCRIPT_CHARS_MAX,
    unknown_facts,
    uses_variable,
    weakenings,
)
from proto.conditions import ALWAYS, Operator, comparisons
from proto.conditions.evaluate import PatternError, compile_pattern
from proto.conditions.parse import PATTERN_CHARS_MAX
from proto.errors import MalformedError
from proto.inventory import FACT_NAMES, Platform

RUNBOOK_ID = re.compile(r"rb\.[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
STEPS_MAX = 16
STEP_TIMEOUT_S_MAX = 900
CAPTURE_TIMEOUT_S = 60
REASON_CHARS_MIN = 20

_STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,30}")
_OWN_PATH = re.compile(
    r"""(?:file|dir|mode|owner):/etc/(?:ssh/|ssh$|sudoers|pam\.d|nftables|ufw|iptables|firewalld|network/
          |netplan|systemd/network|NetworkManager|passwd|shadow|group|gshadow|security/|login\.defs
          |hosts\.(?:allow|deny)|nsswitch)
      | file:\S*(?:authorized_keys|/\.ssh/)
      | (?:unit|service):(?:ssh|nftables|ufw|firewalld|iptables|networking|systemd-networkd
          |NetworkManager)
      | (?:user|group|firewall|nft|ufw|iptables|sshd|sudo|pam|interface|route)s?:
      | package:(?:openssh|sudo|nftables|ufw|iptables|firewalld)
    """,
    re.VERBOSE,
)
_GUARDS = ("target.login", "target.address", "appliance.address", "site.admin_networks")


def read_runbook(reader: Reader) -> Runbook:
    """Read a runbook, noting every problem."""
    has_undo = reader.has("undo")
    runbook = Runbook(
        id=reader.text("id", pattern=RUNBOOK_ID),
        title=reader.text("title", chars_max=100),
        description=reader.optional_text("description", chars_max=DESCRIPTION_CHARS_MAX),
        platform=reader.choice("platform", Platform),
        autonomy=reader.choice("autonomy", Autonomy),
        disruption=reader.choice("disruption", Disruption),
        as_root=reader.boolean("as_root"),
        requires=reader.conditions("requires", may_be_empty=True),
        params=_params(reader.inner("params")),
        writes=reader.texts("writes", low=1, high=32, pattern=RESOURCE),
        capture=_script(reader, "capture") if reader.has("capture") else "",
        steps=_steps(reader),
        undo=_script(reader, "undo") if has_undo else "",
        irreversible="" if has_undo else reader.text("irreversible"),
        verify=reader.texts("verify", low=1, high=16, pattern=CHECK_ID),
        safe_because=reader.optional_text("safe_because"),
        timeout_s=(
            reader.integer("timeout_s", low=1, high=STEP_TIMEOUT_S_MAX)
            if reader.has("timeout_s")
            else CAPTURE_TIMEOUT_S
        ),
        examples=tuple(_example(one) for one in reader.each("examples", low=1)),
        source=reader.source(),
    )
    reader.finish()
    _check_reasons(reader, runbook)
    _check_requires(reader, runbook)
    _check_own_path(reader, runbook)
    _check_scripts(reader, runbook)
    _check_examples(reader, runbook)
    return runbook


def _script(reader: Reader, name: str) -> str:
    return reader.text(name, chars_max=SCRIPT_CHARS_MAX)


def _params(reader: Reader) -> Mapping[str, Param]:
    found: dict[str, Param] = {}
    for name in reader.names():
        problem = name_problem(name)
        if problem is not None:
            reader.fail(f"a parameter's name: {problem}", name)
        found[name] = _param(reader.inner(name))
    if len(found) > VARIABLES_MAX:
        reader.fail(f"{len(found)} parameters, at most {VARIABLES_MAX} are allowed")
    return MappingProxyType(found)


def _param(reader: Reader) -> Param:
    param_kind = reader.choice("type", ParamKind)
    low = high = chars_max = 0
    values: tuple[str, ...] = ()
    pattern = ""
    if param_kind is ParamKind.ENUM:
        values = reader.texts("values", low=1, high=64)
    elif param_kind is ParamKind.INT:
        low = reader.integer("min", low=-INT_BOUND, high=INT_BOUND)
        high = reader.integer("max", low=low, high=INT_BOUND)
    elif param_kind is ParamKind.PATTERN:
        chars_max = reader.integer("max_chars", low=1, high=VALUE_CHARS_MAX)
        pattern = reader.text("pattern", chars_max=PATTERN_CHARS_MAX)
        try:
            compile_pattern(pattern)
        except PatternError as error:
            reader.fail(f"RE2 refuses the pattern: {error}", "pattern")
            pattern = "x"
    reader.finish()
    return Param(param_kind, low, high, values, pattern, chars_max)


def _steps(reader: Reader) -> tuple[Step, ...]:
    found: list[Step] = []
    for one in reader.each("steps", low=1, high=STEPS_MAX):
        step = Step(
            id=one.text("id", pattern=_STEP_ID),
            timeout_s=one.integer("timeout_s", low=1, high=STEP_TIMEOUT_S_MAX),
            script=_script(one, "script"),
        )
        one.finish()
        if any(step.id == other.id for other in found):
            one.fail(f"the step {step.id} appears twice", "id")
        found.append(step)
    return tuple(found)


def _example(reader: Reader) -> ParamsExample:
    params = reader.inner("params")
    example = ParamsExample(
        params=MappingProxyType({name: params.raw(name) for name in params.names()}),
        is_accepted=reader.boolean("accepted"),
        line=reader.line(),
    )
    reader.finish()
    return example


def _check_reasons(reader: Reader, runbook: Runbook) -> None:
    if runbook.undo and reader.has("irreversible"):
        reader.fail("a runbook with undo is not irreversible", "irreversible")
    for name in ("irreversible", "safe_because"):
        text = getattr(runbook, name)
        if text and len(text) < REASON_CHARS_MIN:
            reader.fail(f"{name} must say why in a sentence", name)


def _check_requires(reader: Reader, runbook: Runbook) -> None:
    for test in comparisons(runbook.requires):
        names = [test.field]
        if test.operator is Operator.FIELD_EQ:
            names.append(str(test.value))
        for name in names:
            if name not in FACT_NAMES:
                reader.fail(f"requires: {name} is not a fact", "requires")
        if test.operator is Operator.AGE_GT:
            reader.fail("requires: facts have no age", "requires")


def _check_own_path(reader: Reader, runbook: Runbook) -> None:
    """Refuse a repair that could cut the way it came by, unguarded and without a reason."""
    touched = [resource for resource in runbook.writes if _OWN_PATH.match(resource)]
    has_guard = runbook.requires != ALWAYS and any(
        test.field in _GUARDS for test in comparisons(runbook.requires)
    )
    if touched and not (
        has_guard or runbook.safe_because or runbook.disruption is Disruption.LOCKOUT
    ):
        reader.fail(
            f"writes {touched[0]}, which can cut its own path: say disruption: lockout, guard it in"
            f" requires ({', '.join(_GUARDS)}), or say why it cannot in safe_because",
            "writes",
        )


def _check_scripts(reader: Reader, runbook: Runbook) -> None:
    for index, step in enumerate(runbook.steps):
        for number, what in weakenings(step.script):
            message = f"line {number + 1} of the script {what}: no repair may do that"
            reader.fail(message, "steps", index, "script")
        _check_facts(reader, step.script, "steps", index, "script")
    _check_facts(reader, runbook.capture, "capture")
    _check_facts(reader, runbook.undo, "undo")
    for name in runbook.params:
        if not any(uses_variable(step.script, name) for step in runbook.steps):
            reader.fail(f"no step uses the parameter {name}", "params", name)


def _check_facts(reader: Reader, script: str, *path: str | int) -> None:
    for name in unknown_facts(script):
        reader.fail(f"${name} is not a fact", *path)


def _check_examples(reader: Reader, runbook: Runbook) -> None:
    wanted = {example.is_accepted for example in runbook.examples}
    if runbook.examples and True not in wanted:
        reader.fail("examples show no accepted parameters", "examples")
    if runbook.examples and False not in wanted:
        reader.fail("examples show no refused parameters", "examples")
    for index, example in enumerate(runbook.examples):
        try:
            accept_params(runbook, example.params)
        except MalformedError as error:
            if example.is_accepted:
                reader.fail(f"the example is refused: {error}", "examples", index)
        else:
            if not example.is_accepted:
                reader.fail("the example is accepted, not refused", "examples", index)
