"""Promoting: what healed one incident becomes a rule, which one operator and the hub sign.

Rules kept here, before anybody signs:

- Only a repair whose re-check passed is promoted from, and only with what it ran.
- The rule is held against the limits that an appliance holds it against (`proto.rules.promoted`),
  and has to hold together with the release as a release rule would: what can never act, or what a
  release rule does already, is refused.
- The promoted rules are one document, of which each version holds all: those of before stay unless
  they are dropped by name, and live 30 days more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from osiris.desk.folder import Folder
from proto import strict_json
from proto.catalog.load import load
from proto.catalog.model import Action, Content, Rule
from proto.errors import ConfigError, ConflictError, RejectedError
from proto.evidence import Result
from proto.findings import Scalar
from proto.hub.desk import IncidentTold
from proto.keysets import Role
from proto.release_keys import CONTENT_PREFIX
from proto.rules.matcher import decide
from proto.rules.promoted import path_of, promoted_rules, require_promoted
from proto.rules.space import space_of
from runtime.repository.check import files_of
from runtime.repository.documents import Making, described, make_targets, signed_part
from runtime.repository.layout import Place

FIELDS_TRIED_MAX: Final = 8
RULE_PREFIX: Final = "l1.p."


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of a promoted rule.

    Attributes:
        when: the reported fields whose answers must be those of the incident; None for every one.
        like: the release rule that gives the parameters; None where only one can.
        cooldown_s: how long a target is left alone after it ran.
        per_day: how often it may run on one target in a day.
    """

    when: tuple[str, ...] | None = None
    like: str | None = None
    cooldown_s: int = 3600
    per_day: int = 3


@dataclass(frozen=True, slots=True)
class Promotion:
    """A rule's file as it would be promoted, and what it would act on beside the release."""

    rule: str
    path: str
    data: bytes


def promotion_of(folder: Folder, told: IncidentTold, wish: Wish) -> Promotion:
    """Return the rule that an incident's repair would be promoted to.

    Raises:
        ConflictError: the repair did not heal, or is not proved.
        RejectedError: the rule may not act; the code is that with which an appliance refuses it.
        ConfigError: it could never act, or cannot be told from what the hub knows.
    """
    if told.result != Result.HEALED.value or not told.proved:
        why = "is not proved yet" if told.result == Result.HEALED.value else f"was {told.result}"
        msg = f"{told.incident}: its repair {why}: a rule is promoted from what healed"
        raise ConflictError(msg)
    files = release_files(folder)
    content = load(files)
    return _promotion(files, content, told, wish, when=_fields(told, wish.when))


def _fields(told: IncidentTold, when: tuple[str, ...] | None) -> tuple[str, ...]:
    if when == ():
        return ()
    if told.seen is None:
        msg = f"{told.incident}: what was seen is not at the hub: say --any"
        raise ConfigError(msg)
    absent = sorted(set(when or ()) - told.seen.keys())
    if absent:
        msg = f"--when {absent[0]}: the check reported {', '.join(sorted(told.seen))}"
        raise ConfigError(msg)
    return tuple(told.seen) if when is None else when


def release_files(folder: Folder) -> Mapping[str, bytes]:
    """Return the checks, rules and runbooks of the newest release in the folder.

    Raises:
        ConfigError: there is none.
    """
    version = folder.draft.newest(Role.RELEASE)
    if not version:
        msg = f"{folder.directory}: there is no release yet beside which a rule could act"
        raise ConfigError(msg)
    named = files_of(signed_part(folder.draft.read(Role.RELEASE, version), Role.RELEASE))
    return {
        path.removeprefix(CONTENT_PREFIX): folder.draft.read_target(path, digest)
        for path, digest in named.items()
        if path.startswith(CONTENT_PREFIX)
    }


def _promotion(
    files: Mapping[str, bytes],
    content: Content,
    told: IncidentTold,
    wish: Wish,
    *,
    when: tuple[str, ...],
) -> Promotion:
    params = _params(content, told, wish)
    name = f"{RULE_PREFIX}{told.check}.{told.incident.replace('-', '_')}"
    check = content.checks.get(told.check)
    if check is None:
        msg = f"{told.check}: the release has no such check"
        raise ConfigError(msg)
    seen = {field: told.seen[field] for field in when} if told.seen is not None else {}

    def text(test: Mapping[str, Scalar]) -> bytes:
        return rule_text(name, told, wish, params=params, seen=seen, test=test)

    path = path_of(name)
    (rule,) = promoted_rules({path: text({})}).values()
    require_promoted(rule, content)
    test = _acts_on(rule, content)
    if test is None:
        msg = (
            f"{name}: {_others(content, rule)} on all of it already.{_choices(content, told, wish)}"
        )
        raise ConflictError(msg)
    data = text(test)
    load({**files, f"l1/{check.platform.value}/{name}.yaml": data})
    return Promotion(name, path, data)


def _params(content: Content, told: IncidentTold, wish: Wish) -> Mapping[str, Scalar]:
    """Return the parameters that a release rule gives this runbook for this check."""
    fitting = {
        rule.id: rule
        for rule in content.rules_by_check.get(told.check, ())
        if rule.runbook_id == told.runbook and not rule.is_promoted
    }
    wanted = wish.like or (told.rule if told.rule in fitting else None)
    if wanted is not None and wanted not in fitting:
        msg = f"--like {wanted}: no release rule of that name runs {told.runbook} for {told.check}"
        raise ConfigError(msg)
    if wanted is not None:
        return fitting[wanted].params
    given = {repr(sorted(rule.params.items())): rule.params for rule in fitting.values()}
    if len(given) > 1:
        msg = f"{told.runbook}: runs with different parameters: --like one of {', '.join(fitting)}"
        raise ConfigError(msg)
    # With none, the limits say in an appliance's own words why it may not be.
    return next(iter(given.values()), {})


def _acts_on(rule: Rule, content: Content) -> Mapping[str, Scalar] | None:
    """Return the reported answers of an incident on which the rule acts, None for none."""
    written = content.rules_by_check.get(rule.check, ())
    every = {one.id: one for one in (*written, rule)}
    for point in space_of(content.checks[rule.check], every.values()).incidents:
        if decide(every, point).winner is rule:
            return {
                name.removeprefix("seen."): value
                for name, value in point.items()
                if name.startswith("seen.")
            }
    return None


def _others(content: Content, rule: Rule) -> str:
    names = [
        one.id
        for one in content.rules_by_check.get(rule.check, ())
        if one.action is not Action.IGNORE
    ]
    return f"{', '.join(names)} act{'s' if len(names) == 1 else ''}"


def _choices(content: Content, told: IncidentTold, wish: Wish) -> str:
    """Return in words which other conditions would make a rule that acts."""
    fields = sorted(told.seen or {})[:FIELDS_TRIED_MAX]
    params = _params(content, told, wish)
    for size in range(len(fields), -1, -1):
        for when in combinations(fields, size):
            seen = {field: (told.seen or {})[field] for field in when}
            path = path_of(f"{RULE_PREFIX}{told.check}.tried")
            data = rule_text(
                f"{RULE_PREFIX}{told.check}.tried", told, wish, params=params, seen=seen
            )
            (rule,) = promoted_rules({path: data}).values()
            if _is_allowed(rule, content) and _acts_on(rule, content) is not None:
                said = " ".join(f"--when {field}" for field in when) or "--any"
                return f" What would act: {said}"
    return " No condition on what was seen would make a rule that acts"


def _is_allowed(rule: Rule, content: Content) -> bool:
    try:
        require_promoted(rule, content)
    except RejectedError:
        return False
    return True


def rule_text(
    name: str,
    told: IncidentTold,
    wish: Wish,
    *,
    params: Mapping[str, Scalar],
    seen: Mapping[str, Scalar],
    test: Mapping[str, Scalar] | None = None,
) -> bytes:
    """Return the rule's file; JSON is the form of YAML in which nothing is read otherwise.

    Args:
        name: the rule's id.
        told: the incident that it is promoted from.
        wish: its limits.
        params: what the runbook is given.
        seen: the reported fields whose answers must be these.
        test: the answers of an incident on which it acts, for its test.
    """
    comparisons = [
        {"field": "check", "operator": "eq", "value": told.check},
        *({"field": f"seen.{key}", "operator": "eq", "value": one} for key, one in seen.items()),
    ]
    incident = {"check": told.check, "seen": dict(test or {})}
    members = (
        ("id", name),
        ("promoted", True),
        ("action", Action.EXECUTE_RUNBOOK.value),
        ("runbook_id", told.runbook),
        ("params", dict(params)),
        ("limits", {"cooldown_s": wish.cooldown_s, "per_day": wish.per_day}),
        ("scope", "global"),
    )
    lines = [
        f"# by the hub's word: promoted from {told.incident} of {told.site}, healed by {told.rule}"
    ]
    lines += [f"{key}: {_json(value)}" for key, value in members]
    lines += ["conditions:", *(f"  - {_json(one)}" for one in comparisons)]
    lines += ["tests:", f"  - {_json({'incident': incident, 'expect': told.runbook})}"]
    return ("\n".join(lines) + "\n").encode()


def _json(value: object) -> str:
    return strict_json.dumps({"": value})[len('{"":') : -1].decode()


def published_rules(folder: Folder) -> Mapping[str, bytes]:
    """Return the files of the promoted rules that were published last, by path."""
    version = folder.repository.newest(Role.PROMOTED)
    return _rules(folder.repository, version) if version else {}


def _rules(place: Place, version: int) -> Mapping[str, bytes]:
    named = files_of(signed_part(place.read(Role.PROMOTED, version), Role.PROMOTED))
    return {path: place.read_target(path, digest) for path, digest in named.items()}


def draft_promoted(
    folder: Folder, added: Iterable[Promotion], *, drop: Collection[str] = (), now_s: int
) -> int:
    """Draft the next promoted rules: those of before and these; return their version.

    Those of before are those of the draft, where there is one: who asks for two rules gets both. It
    is another document then, and is signed anew.

    Raises:
        ConfigError: a rule to be dropped is not there.
        ConflictError: nothing would be added or dropped, and a draft is there that lives as long.
    """
    added, there = tuple(added), folder.draft.versions(Role.PROMOTED)
    if there and not added and not drop:
        msg = f"promoted {there[-1]}: is drafted, and renews what was published: sign and publish"
        raise ConflictError(msg)
    files = dict(_rules(folder.draft, there[-1]) if there else published_rules(folder))
    for name in drop:
        if files.pop(path_of(name), None) is None:
            known = ", ".join(path.split("/")[-1].removesuffix(".yaml") for path in sorted(files))
            msg = f"--drop {name}: no such rule was promoted; there is {known or 'none'}"
            raise ConfigError(msg)
    files |= {one.path: one.data for one in added}
    version = folder.repository.newest(Role.PROMOTED) + 1
    for path, data in files.items():
        folder.draft.write_target(path, data)
    document = make_targets(
        {path: described(path, data) for path, data in files.items()},
        Making.of(Role.PROMOTED, version, now_s=now_s),
    )
    for former in there:
        folder.draft.metadata(Role.PROMOTED, former).unlink(missing_ok=True)
    folder.draft.write(Role.PROMOTED, version, document)
    return version
