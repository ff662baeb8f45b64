"""Whether what is installed is what a program needs (PEP 440 and 508).

Nothing is ever installed for a program: what it needs beyond what is here refuses it. So does a
requirement in a form that our own wheels do not have: by an address, under a condition of its own,
or with an operator that is none of the plain comparisons.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

_EXTRA: Final = re.compile(r"extra == [\"'][A-Za-z0-9._-]+[\"']")
_COMPARISONS: Final = frozenset({">=", "<=", "==", "!=", ">", "<"})


def unmet(
    requires: Sequence[str], python: str, *, installed: Callable[[str], str | None], runs: str
) -> str | None:
    """Return the first requirement that does not hold, None when all do.

    Args:
        requires: as `Requires-Dist` says; what is only for an extra is not looked at.
        python: as `Requires-Python` says, "" for any.
        installed: gives the version of a distribution, None for one that is not there.
        runs: Python's own version.
    """
    try:
        if not _holds(SpecifierSet(python), runs):
            return f"Python {python}"
    except InvalidSpecifier:
        return f"Python {python}"
    return next((one for one in requires if not _is_met(one, installed)), None)


def _is_met(one: str, installed: Callable[[str], str | None]) -> bool:
    try:
        wanted = Requirement(one)
    except InvalidRequirement:
        return False
    if wanted.marker is not None and _EXTRA.fullmatch(str(wanted.marker)):
        return True
    version = installed(wanted.name)
    if wanted.marker is not None or wanted.url is not None or version is None:
        return False
    return _holds(wanted.specifier, version)


def _holds(limits: SpecifierSet, version: str) -> bool:
    """Tell whether a version is within limits; a pre-release is older than its release."""
    if not {limit.operator for limit in limits} <= _COMPARISONS:
        return False
    try:
        return limits.contains(version, prereleases=True)
    except InvalidVersion:
        return False
