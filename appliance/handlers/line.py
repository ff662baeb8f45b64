"""A repair's line to its target: one session for what runs in a row, opened when first needed.

A repair that waits, and every verify, has no line: it was closed before. So nobody holds a session
while waiting for another, and a verify never sees the repair's session.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from appliance.handlers.logins import login_of
from appliance.handlers.work import Work
from appliance.ports import NotSentError, Ran, Script, Session, ShellError
from proto.ids import TargetId

OpenSession = Callable[[], AbstractAsyncContextManager[Session]]


class Line:
    """Runs scripts on one target; `line_by` makes and closes it.

    Attributes:
        sent: whether the last script may have started.
    """

    def __init__(self, open_session: OpenSession, sessions: AsyncExitStack) -> None:
        """Open nothing yet; sessions are entered on `sessions`."""
        self.sent = False
        self._open_session = open_session
        self._sessions = sessions
        self._session: Session | None = None

    async def run(self, script: Script) -> Ran:
        """Run a script once, on the session of the one before it or on a new one.

        A session that was lost in between is replaced when the script was surely not sent on it.

        Raises:
            ShellError: as `Shell.session` and `Session.run`; the session is given up.
        """
        self.sent = False
        if self._session is not None:
            try:
                return await self._run_on(self._session, script)
            except NotSentError:
                self.sent = False
        session = await self._sessions.enter_async_context(self._open_session())
        return await self._run_on(session, script)

    async def _run_on(self, session: Session, script: Script) -> Ran:
        self._session, self.sent = session, True
        try:
            return await session.run(script)
        except ShellError as error:
            self._session, self.sent = None, not isinstance(error, NotSentError)
            await self._sessions.aclose()
            raise


@asynccontextmanager
async def line_by(open_session: OpenSession) -> AsyncIterator[Line]:
    """Give a line whose sessions are opened so, and close what it opened."""
    async with AsyncExitStack() as sessions:
        yield Line(open_session, sessions)


def line_to(work: Work, target: TargetId) -> AbstractAsyncContextManager[Line]:
    """Give a line to a target: its login is read from the store for each new session."""
    return line_by(partial(_session, work, target))


@asynccontextmanager
async def _session(work: Work, target: TargetId) -> AsyncIterator[Session]:
    login = await login_of(work, target)
    async with work.shell.session(login) as session:
        yield session
