"""What the command line may ask of the content: how it is, and to take a file that was carried in.

It is served at the Unix socket alone. The file lies where `osiris appliance content load` put it,
in the appliance's own state directory; no path comes with the request.
"""

from collections.abc import Sequence

from appliance.handlers.content import load_carried, now_s, unwell
from appliance.handlers.library import Library
from appliance.handlers.work import Work
from appliance.portal.asked import Answer, Body
from appliance.portal.state import PortalVisit


def routes(library: Library) -> Sequence[tuple[str, str, Answer]]:
    """Return the socket's routes over the content."""

    async def status(work: Work, visit: PortalVisit, __: Body) -> object:
        return told(library, now_s=await now_s(work), clock_s=visit.now_ms // 1000)

    async def load(work: Work, visit: PortalVisit, _: Body) -> object:
        changed = await load_carried(work, library)
        said = told(library, now_s=await now_s(work), clock_s=visit.now_ms // 1000)
        return {"changed": changed, **said}

    return (("GET", "/api/content", status), ("POST", "/api/content/load", load))


def told(library: Library, *, now_s: int, clock_s: int) -> dict[str, object]:
    """Return how the content is, as plain values; see `handlers.content.unwell` for the clocks."""
    content, trusted = library.content, library.trusted
    troubles = unwell(library, now_s=now_s, clock_s=clock_s)
    said: dict[str, object] = {
        "digest": content.digest,
        "origin": library.origin.value,
        "checks": len(content.checks),
        "runbooks": len(content.runbooks),
        "rules": len(content.rules),
        "repository": library.has_repository,
        "looked_s": library.looked_s,
        "troubles": {code.value: why for code, why in sorted(troubles.items())},
        "trust": "none",
    }
    if trusted is not None:
        said |= {
            "trust": "development" if trusted.is_development else "people",
            "root": trusted.root_version,
            "release": trusted.release_version,
            "since_s": trusted.content_s,
            "verified_s": trusted.taken_s,
            "carrier": trusted.carrier.value,
            "orders": trusted.trust is not None,
            "ends": {part.value: end for part, end in sorted(trusted.ends.items())},
        }
    return said
