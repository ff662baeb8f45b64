"""Signing in and out, for the portal and for the console.

An account is made by the command line alone; no page can make one.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from starlette.responses import RedirectResponse, Response

from runtime.web.access import Access, Entry, Visit, safe_path
from runtime.web.sessions import Accounts
from runtime.web.templates import Pages

REFUSED = "The name or the password is not right. Please try again."
NAME_CHARS_MAX = 64
PASSWORD_CHARS_MAX = 256


class Entrance(Protocol):
    """What people sign in to."""

    @property
    def accounts(self) -> Accounts:
        """Who may."""
        ...

    @property
    def pages(self) -> Pages:
        """How its pages look."""
        ...

    @property
    def place(self) -> str:
        """What its pages call the place."""
        ...


A = TypeVar("A", bound=Entrance)


@dataclass(frozen=True, slots=True)
class SignIn(Generic[A]):
    """The pages of an entrance; `help` says how an account is made."""

    help: str

    def entries(self) -> tuple[Entry[A], ...]:
        """Return their routes."""
        return (
            Entry("GET", "/sign-in", Access.PUBLIC, self.form),
            Entry("POST", "/sign-in", Access.PUBLIC, self.sign_in),
            Entry("POST", "/sign-out", Access.PERSON, self.sign_out),
        )

    async def form(self, visit: Visit[A]) -> Response:
        """Show the sign-in form."""
        back = visit.request.query_params.get("next", "/")
        return self._form(visit, problem="", name="", back=back)

    async def sign_in(self, visit: Visit[A]) -> Response:
        """Sign in and go to where the person wanted to go."""
        name = visit.form.get("name", "").strip()
        password = visit.form.get("password", "")
        back = visit.form.get("next", "/")
        cookie = None
        if 0 < len(name) <= NAME_CHARS_MAX and 0 < len(password) <= PASSWORD_CHARS_MAX:
            cookie = await visit.app.accounts.sign_in(visit, name=name, password=password)
        if cookie is None:
            answer = self._form(visit, problem=REFUSED, name=name[:NAME_CHARS_MAX], back=back)
            answer.status_code = 403
            return answer
        return RedirectResponse(safe_path(back), status_code=303, headers={"Set-Cookie": cookie})

    async def sign_out(self, visit: Visit[A]) -> Response:
        """End the session."""
        cookie = await visit.app.accounts.sign_out(visit)
        return RedirectResponse("/sign-in", status_code=303, headers={"Set-Cookie": cookie})

    def _form(self, visit: Visit[A], *, problem: str, name: str, back: str) -> Response:
        values = {
            "place": visit.app.place,
            "problem": problem,
            "name": name,
            "next": safe_path(back),
            "help": self.help,
        }
        return visit.app.pages.answer("sign_in.html", values)
