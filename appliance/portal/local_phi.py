"""What the command line may ask of the vault: reveal, forget, and what was revealed and forgotten.

It is served at the Unix socket alone. Each answer is written to evidence before it is given.
"""

from collections.abc import Sequence

from appliance.core.erasure import person
from appliance.handlers.disclosures import Disclosures
from appliance.handlers.work import Work
from appliance.portal.asked import Answer, Body, asker_of, text_of, texts_of
from appliance.portal.state import PortalVisit
from proto.phi import tokens


def routes(disclosures: Disclosures) -> Sequence[tuple[str, str, Answer]]:
    """Return the socket's routes over the vault."""

    async def reveal(_: Work, __: PortalVisit, body: Body) -> object:
        token = text_of(body, "token").strip()
        value = await disclosures.reveal(token, asker_of(body))
        return {"token": token, "class": tokens.kind_of(token).value, "value": value.reveal()}

    async def forget(_: Work, __: PortalVisit, body: Body) -> object:
        names = texts_of(body, "names")
        whom = person(names, texts_of(body, "numbers"), texts_of(body, "values"))
        return {"forgotten": await disclosures.forget(whom, asker_of(body))}

    async def latest(_: Work, __: PortalVisit, ___: Body) -> object:
        return await disclosures.latest()

    return (
        ("POST", "/api/phi/reveal", reveal),
        ("POST", "/api/phi/forget", forget),
        ("GET", "/api/phi/disclosures", latest),
    )
