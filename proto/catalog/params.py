"""Values that reach scripts: which names and values a repair's parameters may have.

A shell script gets parameters, captured values and facts as quoted assignments before its text, so
a name must be harmless as a shell variable: `[a-z][a-z0-9_]{0,30}`, not the lower-case form of a
variable that shells and programs read, no shell word, and not beginning with `fact_`, which facts
have for themselves.
"""

import ipaddress
import re
from collections.abc import Mapping

from proto.catalog.model import Param, ParamKind, Runbook
from proto.conditions.evaluate import compile_pattern
from proto.errors import MalformedError
from proto.findings import Scalar

VARIABLES_MAX = 32
VALUE_CHARS_MAX = 4096


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_SHADOWING = _words(
    """bash_env cdpath dash_env debug display editor enable_bash env euid fignore funcnest
    globignore groups histfile home hostname hosttype http_proxy https_proxy ifs ignoreeof kshrc
    lang language lc_all lc_ctype lc_messages lc_numeric ld_library_path ld_preload lineno logname
    mail mailcheck mailpath no_proxy oldpwd optarg opterr optind ostype pager path posixly_correct
    ppid prompt_command ps1 ps2 ps4 pwd pythonpath random reply seconds shell shellopts shlvl
    sudo_user sudo_uid term tmpdir tz uid umask user visual"""
)
_SHELL_WORDS = _words(
    """alias bg break builtin case cd command continue coproc declare do done echo elif else esac
    eval exec exit export false fg fi for function getopts if in jobs kill let local printf read
    readonly return select set shift source test then time times trap true type typeset ulimit
    unalias unset until wait while"""
)


def name_problem(name: str) -> str | None:
    """Return why a name may not become a shell variable, or None when it may."""
    if _NAME.fullmatch(name) is None:
        return f"{name!r:.60} does not have the form {_NAME.pattern}"
    if name in _SHADOWING:
        return f"{name} would shadow the shell's {name.upper()}"
    if name in _SHELL_WORDS:
        return f"{name} is a word of the shell"
    if name.startswith("fact_"):
        return f"{name} begins with fact_, which facts have for themselves"
    return None


def accept_params(runbook: Runbook, params: Mapping[str, object]) -> dict[str, Scalar]:
    """Return parameters that fit a runbook's closed schema; all of them are required.

    Raises:
        MalformedError: naming the runbook and the parameter.
    """
    for name in params:
        if name not in runbook.params:
            _refuse(runbook, f"unknown parameter {name!r:.40}")
    accepted: dict[str, Scalar] = {}
    for name, param in runbook.params.items():
        if name not in params:
            _refuse(runbook, f"parameter {name} is missing")
        value = params[name]
        if not _fits(param, value):
            _refuse(runbook, f"parameter {name} does not take {value!r:.60}")
        if isinstance(value, bool | int | str):
            accepted[name] = value
    return accepted


def _refuse(runbook: Runbook, what: str) -> None:
    msg = f"{runbook.id}: {what}"
    raise MalformedError(msg)


def _fits(param: Param, value: object) -> bool:
    if param.kind is ParamKind.BOOL:
        return isinstance(value, bool)
    if param.kind is ParamKind.INT:
        return type(value) is int and param.low <= value <= param.high
    if type(value) is not str or len(value) > VALUE_CHARS_MAX:
        return False
    if param.kind is ParamKind.ENUM:
        return value in param.values
    if param.kind is ParamKind.ADDRESS:
        return _is_address(value)
    return len(value) <= param.chars_max and _matches_whole(param.pattern, value)


def _matches_whole(pattern: str, value: str) -> bool:
    return compile_pattern(pattern).fullmatch(value) is not None


def _is_address(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value and not address.is_unspecified
