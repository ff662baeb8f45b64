"""Signing in to the console and out of it. No page makes an account."""

from starlette.responses import RedirectResponse, Response

from central.state import ConsoleVisit
from runtime.web.access import safe_path

HELP = "Accounts are made on the hub itself with: osiris hub user add NAME"
REFUSED = "The name or the password is not right. Please try again."
NAME_CHARS_MAX = 64
PASSWORD_CHARS_MAX = 256


async def form(visit: ConsoleVisit) -> Response:
    """Show the sign-in form."""
    return _form(visit, problem="", name="", back=visit.request.query_params.get("next", "/"))


async def sign_in(visit: ConsoleVisit) -> Response:
    """Sign in and go to where the person wanted to go."""
    name = visit.form.get("name", "").strip()
    password = visit.form.get("password", "")
    back = visit.form.get("next", "/")
    cookie = None
    if 0 < len(name) <= NAME_CHARS_MAX and 0 < len(password) <= PASSWORD_CHARS_MAX:
        cookie = await visit.app.accounts.sign_in(visit, name=name, password=password)
    if cookie is None:
        answer = _form(visit, problem=REFUSED, name=name[:NAME_CHARS_MAX], back=back)
        answer.status_code = 403
        return answer
    return RedirectResponse(safe_path(back), status_code=303, headers={"Set-Cookie": cookie})


async def sign_out(visit: ConsoleVisit) -> Response:
    """End the session."""
    cookie = await visit.app.accounts.sign_out(visit)
    return RedirectResponse("/sign-in", status_code=303, headers={"Set-Cookie": cookie})


def _form(visit: ConsoleVisit, *, problem: str, name: str, back: str) -> Response:
    values = {
        "place": visit.app.place,
        "problem": problem,
        "name": name,
        "next": safe_path(back),
        "help": HELP,
    }
    return visit.app.pages.answer("sign_in.html", values)
