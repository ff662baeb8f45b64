"""Whether what is installed is what a program needs: the little of PEP 440 and 508 that we write.

Nothing is ever installed for a program: what it needs beyond what is here refuses it. A
requirement in a form that is not read here refuses it too.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[A-Za-z0-9._, -]*\])?"
    r"\s*\(?(?P<limits>[^;()]*)\)?\s*(?:;\s*(?P<marker>.*))?"
)
_LIMIT: Final = re.compile(r"(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*)")
_EXTRA: Final = re.compile(r"extra == [\"'][A-Za-z0-9._-]+[\"']")
_RELEASE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")


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
    if not _holds(python, runs):
        return f"Python {python}"
    for one in requires:
        found = _REQUIREMENT.fullmatch(one.strip())
        if found is None:
            return one
        marker = found["marker"]
        if marker is not None and _EXTRA.fullmatch(marker.strip()):
            continue
        version = installed(found["name"])
        if marker is not None or version is None or not _holds(found["limits"], version):
            return one
    return None


def _holds(limits: str, version: str) -> bool:
    return all(_is_within(limit.strip(), version) for limit in limits.split(",") if limit.strip())


def _is_within(limit: str, version: str) -> bool:
    found, release = _LIMIT.fullmatch(limit), _RELEASE.match(version)
    if found is None or release is None:
        return False
    held, bound = _number(release[0]), _number(found[2])
    width = max(len(held), len(bound))
    held, bound = held + (0,) * (width - len(held)), bound + (0,) * (width - len(bound))
    return {
        ">=": held >= bound,
        "<=": held <= bound,
        "==": held == bound,
        "!=": held != bound,
        ">": held > bound,
        "<": held < bound,
    }[found[1]]


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
