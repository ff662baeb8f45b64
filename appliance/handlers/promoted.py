"""The content in force with the promoted rules that orders took up; see `core/promoted.py`."""

from collections.abc import Callable

from appliance.core.promoted import with_promoted
from appliance.core.trusted import Trusted
from appliance.store import promoted_rules
from appliance.store.db import Store
from proto.catalog.model import Content


class Promoted:
    """What is in force; it is put together again only when something of it changed."""

    def __init__(self, base: Callable[[], Content], trusted: Callable[[], Trusted | None]) -> None:
        """Begin with what `base` gives; rules are those that `trusted` lists as promoted."""
        self._base = base
        self._trusted = trusted
        self._taken: frozenset[str] = frozenset()
        self._made: tuple[Content, Trusted | None, frozenset[str], Content] | None = None

    def take(self, taken: frozenset[str]) -> None:
        """Know which files orders took up, by hex SHA-256."""
        self._taken = taken

    def content(self) -> Content:
        """Return the set in force now."""
        base, trusted, taken = self._base(), self._trusted(), self._taken
        if trusted is None or not taken:
            return base
        made = self._made
        if made and made[0] is base and made[1] is trusted and made[2] is taken:
            return made[3]
        listed = {digest: rule for digest, rule in trusted.promoted.items() if digest in taken}
        found = with_promoted(base, listed)
        self._made = (base, trusted, taken, found)
        return found


async def promoted_of(
    store: Store, base: Callable[[], Content], trusted: Callable[[], Trusted | None]
) -> Promoted:
    """Return what is in force, with what orders took up before."""
    promoted = Promoted(base, trusted)
    async with store.read() as conn:
        promoted.take(await promoted_rules.taken(conn))
    return promoted
