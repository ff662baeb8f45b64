"""Where orders are to go: sites named on the command line, or listed in a file.

A file of sites is text, one site id a line; what follows a `#` is a comment. One ask names at most
`proto.asks.TARGETS_MAX` targets and makes one batch, so a longer list makes several.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proto.asks import TARGETS_MAX
from proto.errors import ConfigError, MalformedError
from proto.ids import SiteId, parse_site_id

SITES_MAX: Final = 20_000
Place = dict[str, str]
"""A target as an ask's JSON has it."""


def sites_listed(path: Path) -> list[str]:
    """Return the sites that a file lists, in its order.

    Raises:
        ConfigError: it cannot be read, or lists none or too many.
        MalformedError: a line is no site's id, or one is there twice; the line is named.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        msg = f"{path}: cannot be read: {why}"
        raise ConfigError(msg) from error
    found: dict[SiteId, int] = {}
    for number, line in enumerate(lines, start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        site = parse_site_id(said, f"{path}, line {number}")
        if site in found:
            msg = f"{path}, line {number}: {site} stands in line {found[site]} already"
            raise MalformedError(msg)
        found[site] = number
    if not 0 < len(found) <= SITES_MAX:
        msg = f"{path}: lists {len(found)} sites; it must be 1 to {SITES_MAX}"
        raise ConfigError(msg)
    return list(found)


def in_asks(places: Sequence[Place]) -> list[list[Place]]:
    """Return places in as many lists as asks are needed for them, in order."""
    starts = range(0, len(places), TARGETS_MAX)
    return [list(places[start : start + TARGETS_MAX]) for start in starts]
